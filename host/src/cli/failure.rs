//! What a command says when it fails, and with which code it exits.

use std::fmt::Display;
use std::process::ExitCode;

use super::output::{self, NotWritten};
use crate::config::ConfigError;
use crate::host::HostError;

/// The exit code for a wrong file or usage.
pub(super) const USAGE: u8 = 2;

/// The exit code of a node that stopped because an essential actor was given up.
const GIVEN_UP: u8 = 3;

/// The exit code of a call that the actor failed for a reason.
const CALL_FAILED: u8 = 4;

/// The exit code of `apply` if a part of the file takes effect at the next start of the node only.
pub(super) const NEEDS_RESTART: u8 = 5;

/// A command failed. The text is all there is to say: errors of this crate include their causes.
#[derive(Debug)]
pub(super) enum Failure {
    /// The user has to write something else.
    Usage(String),
    /// The world was not as it should be.
    Runtime(String),
    /// An essential actor was given up, and the node was stopped for it.
    GivenUp(String),
    /// The actor that was called failed the call, for this reason.
    CallFailed(String),
}

impl Failure {
    /// The user has to write something else.
    pub(super) fn usage(error: impl Display) -> Self {
        Self::Usage(error.to_string())
    }

    /// The world was not as it should be.
    pub(super) fn runtime(error: impl Display) -> Self {
        Self::Runtime(error.to_string())
    }

    /// What happened, in words.
    pub(super) fn text(&self) -> &str {
        match self {
            Self::Usage(text) | Self::Runtime(text) | Self::GivenUp(text) | Self::CallFailed(text) => text,
        }
    }

    /// Says what happened on stderr.
    pub(super) fn report(self) -> ExitCode {
        let (error, code) = match self {
            Self::Usage(error) => (error, ExitCode::from(USAGE)),
            Self::Runtime(error) => (error, ExitCode::FAILURE),
            Self::GivenUp(error) => (error, ExitCode::from(GIVEN_UP)),
            Self::CallFailed(error) => (error, ExitCode::from(CALL_FAILED)),
        };
        output::say("error", &error);
        code
    }
}

impl From<NotWritten> for Failure {
    fn from(error: NotWritten) -> Self {
        Self::runtime(error)
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::usage(error)
    }
}

impl From<HostError> for Failure {
    fn from(error: HostError) -> Self {
        match error {
            HostError::Config(error) => error.into(),
            HostError::Pool(error) => Self::usage(error),
            HostError::Room(error) => Self::usage(error),
            other => Self::runtime(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::host::StopSignal;

    #[test]
    fn the_page_has_every_exit_code_and_no_other() {
        use StopSignal::{CpuLimit, Hangup, Interrupt, Quit, Terminate};
        let signals = [Hangup, Interrupt, Quit, Terminate, CpuLimit].map(StopSignal::exit_code);
        let codes: BTreeSet<u8> = [0, 1, USAGE, GIVEN_UP, CALL_FAILED, NEEDS_RESTART]
            .into_iter()
            .chain(signals)
            .collect();
        let page = include_str!("../../../docs/running.md");
        let (_, section) = page.split_once("\n## Exit codes\n").unwrap();
        let cells = section
            .lines()
            .filter_map(|line| line.strip_prefix("| ")?.split(" |").next());
        let on_page: BTreeSet<u8> = cells
            .flat_map(|cell| cell.split(", "))
            .filter_map(|code| code.parse().ok())
            .collect();
        assert_eq!(on_page, codes);
    }
}
