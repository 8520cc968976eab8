//! The program `ractor-host`, as a user starts it: what it says, and when.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};

use crate::process::{self, Running};

/// The longest wait for a line: a component in Python is built and compiled before some of them.
const LIMIT: Duration = Duration::from_secs(180);
/// The longest wait for the end of a node.
const STOP_LIMIT: Duration = Duration::from_secs(20);

/// A node that runs.
pub(super) struct Host {
    process: Running,
    lines: Receiver<(Instant, String)>,
    /// When it was started.
    started: Instant,
    what: String,
}

impl Host {
    /// Starts the command, whose name is only told in errors.
    pub(super) fn start(what: &str, mut command: Command) -> Result<Self> {
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let started = Instant::now();
        let mut process = Running::start(&mut command)?;
        let (_, stdout) = process.pipes().context("stdin and stdout are pipes")?;
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if sender.send((Instant::now(), line)).is_err() {
                    return;
                }
            }
        });
        Ok(Self {
            process,
            lines,
            started,
            what: what.to_owned(),
        })
    }

    /// Waits until it is ready. Gives where it listens, and the time since its start.
    ///
    /// # Errors
    /// It ends before that, or takes too long.
    pub(super) fn ready(&self) -> Result<(String, Duration)> {
        let (at, line) = self.line("ready ")?;
        let address = line
            .split_whitespace()
            .find_map(|field| field.strip_prefix("listen="))
            .with_context(|| format!("{} says `{line}`, and not where it listens", self.what))?;
        Ok((address.to_owned(), at.duration_since(self.started)))
    }

    /// Waits for a line that begins so, and gives when it came.
    ///
    /// # Errors
    /// It ends before that, takes too long, or says that something didn't work.
    pub(super) fn line(&self, beginning: &str) -> Result<(Instant, String)> {
        let lines = &self.lines;
        process::poll(LIMIT, || match lines.recv_timeout(Duration::from_millis(200)) {
            Ok((at, line)) if line.starts_with(beginning) => Ok(Some((at, line))),
            Ok((_, line)) if line.contains("not reloaded") || line.contains("does not build") => {
                Err(anyhow!("it says `{line}`"))
            }
            Ok(_) | Err(RecvTimeoutError::Timeout) => Ok(None),
            Err(RecvTimeoutError::Disconnected) => Err(anyhow!("it ended")),
        })
        .with_context(|| format!("no line `{beginning}…` from {}", self.what))
    }

    /// Stops it as an operator would.
    ///
    /// # Errors
    /// It takes too long.
    pub(super) fn stop(mut self) -> Result<()> {
        self.process.terminate()?;
        self.process
            .wait(STOP_LIMIT)
            .map(drop)
            .with_context(|| format!("{} doesn't stop", self.what))
    }
}
