//! A test peer: a program on the cluster API, driven line by line. Its commands are listed in
//! `tests/stock-peer/src/commands.rs`.

use std::path::PathBuf;
use std::process::Command;

use crate::process::{Process, Stream};
use crate::{COOKIE, programs, wait};

/// On what the peer is built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The published `ractor_cluster`.
    Stock,
    /// This project's cluster layer under the same name.
    DropIn,
}

impl Kind {
    fn program(self) -> PathBuf {
        match self {
            Self::Stock => programs::stock_peer(),
            Self::DropIn => programs::host_peer(),
        }
    }
}

/// A running peer.
#[derive(Debug)]
pub struct Peer {
    process: Process,
    name: String,
    address: String,
    /// How many lines of stdout were looked at for an answer.
    answered: usize,
}

impl Peer {
    /// Starts a peer with the usual cookie, and further command-line options.
    #[track_caller]
    pub fn start(kind: Kind, name: &str, options: &[&str]) -> Self {
        Self::start_with_cookie(kind, name, COOKIE, options)
    }

    /// Starts a peer, and waits until it listens.
    #[track_caller]
    pub fn start_with_cookie(kind: Kind, name: &str, cookie: &str, options: &[&str]) -> Self {
        let mut command = Command::new(kind.program());
        command
            .args(["--name", name, "--cookie", cookie])
            .args(options)
            .env("RUST_LOG", "info");
        Self::start_program(&format!("{name} ({kind:?})"), &mut command)
    }

    /// Starts another program that is driven in the same way, and waits until it listens.
    #[track_caller]
    pub fn start_program(label: &str, command: &mut Command) -> Self {
        let mut process = Process::start(label, command);
        let (name, address) = wait_ready(&mut process);
        Self {
            process,
            name,
            address,
            answered: 0,
        }
    }

    /// Its full name, `name@hostname`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where it listens.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Its process, to signal or kill it.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// Runs a command and gives its answer, or its error.
    ///
    /// # Errors
    /// What the peer says after `err`.
    ///
    /// # Panics
    /// It doesn't answer.
    #[track_caller]
    pub fn try_run(&mut self, command: &str) -> Result<String, String> {
        self.begin(command);
        self.answer(command)
    }

    /// Begins a command whose answer is asked for later, with [`Self::answer`].
    ///
    /// # Panics
    /// The peer doesn't read any more.
    #[track_caller]
    pub fn begin(&mut self, command: &str) {
        self.process.write_line(command);
    }

    /// The answer to the oldest command that has none yet; `command` names it in messages.
    ///
    /// # Errors
    /// What the peer says after `err`.
    ///
    /// # Panics
    /// It doesn't answer.
    #[track_caller]
    pub fn answer(&mut self, command: &str) -> Result<String, String> {
        let what = format!("the answer to {command:?}");
        let (at, line) = self.process.wait_line(Stream::Stdout, self.answered, &what, is_answer);
        self.answered = at + 1;
        match line.strip_prefix("ok") {
            Some(answer) => Ok(answer.trim_start().to_owned()),
            None => Err(line.trim_start_matches("err").trim_start().to_owned()),
        }
    }

    /// True if an answer is there that nobody asked for yet.
    pub fn has_answered(&self) -> bool {
        let lines = self.process.lines(Stream::Stdout);
        lines.iter().skip(self.answered).any(|line| is_answer(line))
    }

    /// Runs a command that has to succeed.
    ///
    /// # Panics
    /// It fails.
    #[track_caller]
    pub fn run(&mut self, command: &str) -> String {
        match self.try_run(command) {
            Ok(answer) => answer,
            Err(error) => panic!("{}: {command}: {error}", self.name),
        }
    }

    /// Runs a command again and again until the answer is this.
    ///
    /// # Panics
    /// It stays another.
    #[track_caller]
    pub fn wait(&mut self, command: &str, answer: &str) {
        let what = format!("{} to answer {command:?} with {answer:?}", self.name);
        drop(wait::until(
            &what,
            || self.try_run(command),
            |seen| seen.as_deref() == Ok(answer),
        ));
    }

    /// Waits until both sides of the session to this node are ready.
    ///
    /// # Panics
    /// They don't become ready.
    #[track_caller]
    pub fn wait_session(&mut self, node: &str) {
        let session = format!("{node}=ready");
        let what = format!("{} to have a ready session with {node}", self.name);
        wait::until(
            &what,
            || self.run("sessions"),
            |seen| seen.split(' ').any(|each| each == session),
        );
    }

    /// The events that it reported so far, each `KIND PEER`.
    pub fn events(&self) -> Vec<String> {
        let lines = self.process.lines(Stream::Stdout);
        lines
            .iter()
            .filter_map(|line| line.strip_prefix("event "))
            .map(str::to_owned)
            .collect()
    }

    /// How many of the events so far are of this kind.
    pub fn count_events(&self, kind: &str) -> usize {
        let events = self.events();
        events
            .iter()
            .filter(|event| event.split(' ').next() == Some(kind))
            .count()
    }

    /// Waits for an event that begins like this.
    ///
    /// # Panics
    /// It doesn't come.
    #[track_caller]
    pub fn wait_event(&mut self, event: &str) {
        let expected = format!("event {event}");
        self.process
            .wait_line(Stream::Stdout, 0, &expected, |line| line.starts_with(&expected));
    }
}

fn is_answer(line: &str) -> bool {
    line.starts_with("ok") || line.starts_with("err")
}

/// Waits for the line by which every node says that it is up: gives its full name and its address.
#[track_caller]
pub fn wait_ready(process: &mut Process) -> (String, String) {
    let (_, line) = process.wait_line(Stream::Stdout, 0, "the ready line", |line| line.starts_with("ready "));
    let value = |key: &str| {
        line.split(' ')
            .find_map(|word| word.strip_prefix(key))
            .map(str::to_owned)
    };
    match (value("node="), value("listen=")) {
        (Some(name), Some(address)) => (name, address),
        _ => panic!("{}: a ready line without node= or listen=: {line}", process.label()),
    }
}
