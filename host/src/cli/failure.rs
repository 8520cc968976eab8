//! What a command says when it fails, and with which code it exits.

use std::process::ExitCode;

use crate::config::ConfigError;

/// The exit code for a wrong file or usage.
pub(super) const USAGE: u8 = 2;

/// A command failed.
#[derive(Debug)]
pub(super) enum Failure {
    /// The user has to write something else.
    Usage(anyhow::Error),
    /// The world was not as it should be.
    Runtime(anyhow::Error),
}

impl Failure {
    /// Says what happened on stderr.
    pub(super) fn report(self) -> ExitCode {
        let (error, code) = match self {
            Self::Usage(error) => (error, ExitCode::from(USAGE)),
            Self::Runtime(error) => (error, ExitCode::FAILURE),
        };
        eprintln!("error: {error:#}");
        code
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::Usage(error.into())
    }
}
