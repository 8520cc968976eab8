//! A program that is measured: lines go in, answers come out.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::process::{self, Running};

/// The longest time for a program to start, its crowd included.
const READY_LIMIT: Duration = Duration::from_secs(60);
/// The longest wait for an answer. It gives up earlier by itself.
const ANSWER_LIMIT: Duration = Duration::from_secs(90);
/// The same where very much is asked for.
const LONG_LIMIT: Duration = Duration::from_secs(900);

/// A running program.
pub(super) struct Node {
    name: String,
    // Before the process: it ends by itself at the end of its stdin.
    stdin: ChildStdin,
    lines: Receiver<String>,
    port: u16,
    process: Running,
}

/// What a process has used since it started.
#[derive(Debug, Deserialize)]
pub(super) struct Usage {
    pub(super) cpu_seconds: f64,
    pub(super) resident_kib: Option<u64>,
    pub(super) peak_kib: Option<u64>,
}

impl Node {
    /// Starts the program and waits until it listens.
    ///
    /// # Errors
    /// It ends, or takes too long; what it complains about is on stderr.
    pub(super) fn start(program: &Path, arguments: &[String]) -> Result<Self> {
        Self::start_with(program, arguments, &[])
    }

    /// The same with these variables.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub(super) fn start_with(program: &Path, arguments: &[String], variables: &[(&str, &str)]) -> Result<Self> {
        let name = program.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let mut command = Command::new(program);
        command.args(arguments).envs(variables.iter().copied());
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = Running::start(&mut command)?;
        let (stdin, stdout) = process.pipes().context("stdin and stdout are pipes")?;
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        let mut node = Self {
            name,
            stdin,
            lines,
            port: 0,
            process,
        };
        let ready = node.line(READY_LIMIT)?;
        let port = ready
            .strip_prefix("ready ")
            .with_context(|| format!("{} says {ready:?} where it should be ready", node.name))?;
        node.port = port.parse().with_context(|| format!("the port {port:?}"))?;
        Ok(node)
    }

    /// Where it listens.
    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// What it has used up to now.
    pub(super) fn usage(&mut self) -> Result<Usage> {
        self.ask("usage")
    }

    /// Says a line, and waits for the answer.
    pub(super) fn ask<T: DeserializeOwned>(&mut self, line: &str) -> Result<T> {
        self.ask_within(line, ANSWER_LIMIT)
    }

    /// The same for what takes minutes.
    pub(super) fn ask_for_long<T: DeserializeOwned>(&mut self, line: &str) -> Result<T> {
        self.ask_within(line, LONG_LIMIT)
    }

    fn ask_within<T: DeserializeOwned>(&mut self, line: &str, limit: Duration) -> Result<T> {
        writeln!(self.stdin, "{line}").with_context(|| format!("{} doesn't listen", self.name))?;
        let answer = self.line(limit).with_context(|| format!("after `{line}`"))?;
        match answer.split_once(' ') {
            Some(("ok", json)) => serde_json::from_str(json).with_context(|| format!("{} says {json}", self.name)),
            Some(("err", reason)) => bail!("{}: `{line}`: {reason}", self.name),
            _ => bail!("{} answers {answer:?} to `{line}`", self.name),
        }
    }

    fn line(&mut self, limit: Duration) -> Result<String> {
        let lines = &self.lines;
        process::poll(limit, || match lines.recv_timeout(Duration::from_millis(200)) {
            Ok(line) => Ok(Some(line)),
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Err(RecvTimeoutError::Disconnected) => Err(anyhow!("it ended")),
        })
        .with_context(|| format!("no answer from {}", self.name))
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // Nothing of it is worth waiting for. That it has ended by itself is as good.
        self.process.kill();
    }
}
