//! One node of the demo: a process that is started from a node.toml and never outlives the demo.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context, Error, Result, anyhow, bail};

use crate::process::{self, Running};

/// The longest time for a node to say that it is ready. Compiling the component is part of it.
const READY_LIMIT: Duration = Duration::from_secs(60);
/// The longest time for a node to stop.
const STOP_LIMIT: Duration = Duration::from_secs(20);

/// A running node.
pub(super) struct Node {
    name: &'static str,
    process: Running,
    address: String,
    log: PathBuf,
}

impl Node {
    /// Starts `program run file` and waits until it is ready. Its log goes beside the file.
    ///
    /// # Errors
    /// It ends, says something else than that it is ready, or takes too long; the error holds the end of its log.
    pub(super) fn start(name: &'static str, program: &Path, file: &Path) -> Result<Self> {
        let (log, out) = (file.with_extension("log"), file.with_extension("out"));
        let mut command = Command::new(program);
        command
            .arg("run")
            .arg(file)
            .stdin(Stdio::null())
            .stdout(File::create(&out)?)
            .stderr(File::create(&log)?);
        let mut node = Self {
            name,
            process: Running::start(&mut command)?,
            address: String::new(),
            log,
        };
        node.address = process::poll(READY_LIMIT, || node.ready_address(&out))
            .map_err(|error| node.failure("did not get ready", &error))?;
        Ok(node)
    }

    pub(super) fn name(&self) -> &'static str {
        self.name
    }

    /// `host:port` where it listens.
    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// The end of its log, headed by where the whole is.
    pub(super) fn log_tail(&self) -> String {
        let text = std::fs::read_to_string(&self.log).unwrap_or_default();
        format!(
            "the log of {} ends so ({}):\n{}",
            self.name,
            self.log.display(),
            process::tail(&text)
        )
    }

    /// Stops it as an operator would, with SIGTERM.
    ///
    /// # Errors
    /// It takes too long, or doesn't end with exit code 0.
    pub(super) fn stop(&mut self) -> Result<ExitStatus> {
        self.process.terminate()?;
        match self.process.wait(STOP_LIMIT) {
            Ok(status) if status.success() => Ok(status),
            Ok(status) => Err(self.failure("did not stop properly", &anyhow!("it ended with {status}"))),
            Err(error) => Err(self.failure("did not stop", &error)),
        }
    }

    fn failure(&self, what: &str, error: &Error) -> Error {
        anyhow!("node {} {what}: {error:#}\n\n{}", self.name, self.log_tail())
    }

    fn ready_address(&mut self, out: &Path) -> Result<Option<String>> {
        if let Some(status) = self.process.ended()? {
            bail!("it ended with {status}");
        }
        match std::fs::read_to_string(out)?.split_once('\n') {
            Some((line, _)) => listen_address(line).map(Some),
            None => Ok(None),
        }
    }
}

/// The address in `ready node=alpha@localhost listen=127.0.0.1:34567`.
fn listen_address(line: &str) -> Result<String> {
    line.strip_prefix("ready ")
        .and_then(|fields| {
            fields
                .split_whitespace()
                .find_map(|field| field.strip_prefix("listen="))
        })
        .map(str::to_owned)
        .with_context(|| format!("instead of `ready node=… listen=…` it said `{line}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_ready_line() {
        let address = listen_address("ready node=alpha@localhost listen=127.0.0.1:34567").expect("a ready line");
        assert_eq!(address, "127.0.0.1:34567");
        for other in ["", "ready", "ready node=alpha@localhost", "error: listen=127.0.0.1:1"] {
            assert!(listen_address(other).is_err(), "{other:?}");
        }
    }
}
