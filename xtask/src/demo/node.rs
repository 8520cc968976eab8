//! One node of the demo: a process that is started from a node.toml and never outlives the demo.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context, Error, Result, anyhow, bail};

use crate::process::{self, Running};

/// The longest time for a node to say that it is ready. Compiling its components is part of it, and Python is a large one.
const READY_LIMIT: Duration = Duration::from_secs(300);
/// The longest time for a node to stop.
const STOP_LIMIT: Duration = Duration::from_secs(20);

/// A running node.
pub(super) struct Node {
    name: &'static str,
    process: Running,
    address: String,
    /// Where its admin HTTP is, if it has one.
    admin: Option<String>,
    log: PathBuf,
    out: PathBuf,
}

impl Node {
    /// Starts a command that runs the node of this file, and waits until it is ready. Its log goes beside the file.
    ///
    /// # Errors
    /// It ends, or takes too long; the error holds the end of its log.
    pub(super) fn start(name: &'static str, mut command: Command, file: &Path) -> Result<Self> {
        let (log, out) = (file.with_extension("log"), file.with_extension("out"));
        command
            .stdin(Stdio::null())
            .stdout(File::create(&out)?)
            .stderr(File::create(&log)?);
        let mut node = Self {
            name,
            process: Running::start(&mut command)?,
            address: String::new(),
            admin: None,
            log,
            out,
        };
        let ready =
            process::poll(READY_LIMIT, || node.ready()).map_err(|error| node.failure("did not get ready", &error))?;
        (node.address, node.admin) = (ready.listen, ready.admin);
        Ok(node)
    }

    pub(super) fn name(&self) -> &'static str {
        self.name
    }

    /// `host:port` where it listens.
    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// The address of its dashboard, if it has one.
    pub(super) fn dashboard(&self) -> Option<String> {
        self.admin.as_ref().map(|admin| format!("{admin}/"))
    }

    /// The address of its admin HTTP.
    ///
    /// # Errors
    /// It has none.
    pub(super) fn admin(&self) -> Result<&str> {
        let admin = self.admin.as_deref();
        admin.with_context(|| format!("node {} has no admin HTTP: it didn't say `admin=…`", self.name))
    }

    /// Ends it as the power does (SIGKILL).
    pub(super) fn kill(&mut self) {
        self.process.kill();
    }

    /// Whether its process has ended.
    pub(super) fn has_ended(&mut self) -> Result<bool> {
        Ok(self.process.ended()?.is_some())
    }

    /// Fails if it has ended.
    pub(super) fn check_runs(&mut self) -> Result<()> {
        match self.process.ended()? {
            None => Ok(()),
            Some(status) => Err(self.failure("has ended by itself", &anyhow!("it ended with {status}"))),
        }
    }

    /// All that it logged so far.
    pub(super) fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// All that it wrote to stdout so far.
    pub(super) fn said(&self) -> String {
        std::fs::read_to_string(&self.out).unwrap_or_default()
    }

    /// The end of its log, headed by where the whole is.
    pub(super) fn log_tail(&self) -> String {
        format!(
            "the log of {} ends so ({}):\n{}",
            self.name,
            self.log.display(),
            process::tail(&self.log())
        )
    }

    /// Stops it as an operator would, with SIGTERM, unless it has stopped already.
    ///
    /// # Errors
    /// It takes too long, or doesn't end with exit code 0.
    pub(super) fn stop(&mut self) -> Result<ExitStatus> {
        if !self.has_ended()? {
            self.process.terminate()?;
        }
        match self.process.wait(STOP_LIMIT) {
            Ok(status) if status.success() => Ok(status),
            Ok(status) => Err(self.failure("did not stop properly", &anyhow!("it ended with {status}"))),
            Err(error) => Err(self.failure("did not stop", &error)),
        }
    }

    fn failure(&self, what: &str, error: &Error) -> Error {
        anyhow!("node {} {what}: {error:#}\n\n{}", self.name, self.log_tail())
    }

    fn ready(&mut self) -> Result<Option<Ready>> {
        if let Some(status) = self.process.ended()? {
            bail!("it ended with {status}");
        }
        // `dev` says before that what it built.
        let said = std::fs::read_to_string(&self.out)?;
        let mut lines = said.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n'));
        let ready = lines.find(|line| line.starts_with("ready "));
        ready.map(Ready::read).transpose()
    }
}

/// What a node says when it is ready.
#[derive(Debug, PartialEq, Eq)]
struct Ready {
    listen: String,
    admin: Option<String>,
}

impl Ready {
    /// Reads `ready node=alpha@localhost listen=127.0.0.1:34567 admin=http://127.0.0.1:45678`.
    fn read(line: &str) -> Result<Self> {
        let fields = line.strip_prefix("ready ").unwrap_or_default();
        let value = |name: &str| {
            let mut fields = fields.split_whitespace();
            fields.find_map(|field| field.strip_prefix(name)).map(str::to_owned)
        };
        let listen = value("listen=");
        let listen = listen.with_context(|| format!("it said `{line}`, which isn't `ready node=… listen=…`"))?;
        Ok(Self {
            listen,
            admin: value("admin="),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_ready_line() {
        let ready = |admin: Option<&str>| Ready {
            listen: "127.0.0.1:34567".to_owned(),
            admin: admin.map(str::to_owned),
        };
        let line = "ready node=alpha@localhost listen=127.0.0.1:34567";
        assert_eq!(Ready::read(line).expect("a ready line"), ready(None));
        let line = format!("{line} admin=http://127.0.0.1:45678");
        let read = Ready::read(&line).expect("a ready line");
        assert_eq!(read, ready(Some("http://127.0.0.1:45678")));
        for other in ["", "ready", "ready node=alpha@localhost", "error: listen=127.0.0.1:1"] {
            assert!(Ready::read(other).is_err(), "{other:?}");
        }
    }
}
