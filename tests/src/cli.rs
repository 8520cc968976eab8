//! `ractor-host` as a command that ends by itself.

use std::path::Path;
use std::process::Command;

use crate::process::{Process, Stream};
use crate::programs;

/// What a command left behind.
#[derive(Debug)]
pub struct Ended {
    /// Its exit code; none if a signal ended it.
    pub code: Option<i32>,
    /// What it wrote to stdout.
    pub stdout: String,
    /// What it wrote to stderr.
    pub stderr: String,
}

impl Ended {
    /// Its stdout without the line ending, if it succeeded.
    ///
    /// # Panics
    /// It failed.
    #[track_caller]
    pub fn answer(&self) -> &str {
        assert_eq!(self.code, Some(0), "the command failed: {}", self.stderr);
        self.stdout.trim_end()
    }
}

/// Runs `ractor-host ARGUMENTS` to its end.
///
/// # Panics
/// It doesn't end.
#[track_caller]
pub fn ractor_host(arguments: &[&str]) -> Ended {
    let mut command = programs::ractor_host();
    end(&format!("ractor-host {}", arguments.join(" ")), command.args(arguments))
}

/// Runs `ractor-host VERB --node ADDRESS --cookie-file FILE REST` to its end; VERB is `call` or `cast`.
///
/// # Panics
/// It doesn't end.
#[track_caller]
pub fn message(verb: &str, address: &str, cookie_file: &Path, rest: &[&str]) -> Ended {
    let mut command = programs::ractor_host();
    command
        .args([verb, "--node", address, "--cookie-file"])
        .arg(cookie_file)
        .args(rest);
    end(&format!("ractor-host {verb} {}", rest.join(" ")), &mut command)
}

/// Runs a command to its end.
///
/// # Panics
/// It doesn't end.
#[track_caller]
pub fn end(label: &str, command: &mut Command) -> Ended {
    let mut process = Process::start(label, command);
    let status = process.wait_exit();
    Ended {
        code: status.code(),
        stdout: process.lines(Stream::Stdout).join("\n"),
        stderr: process.lines(Stream::Stderr).join("\n"),
    }
}
