//! An actor could not be started.

use ractor::SpawnErr;

use crate::directory::NameTaken;
use crate::instance::error::GuestError;
use crate::policy::limits::Limit;

/// An actor could not be started.
#[derive(Debug, thiserror::Error)]
pub enum SpawnError {
    /// Another actor has the name.
    #[error(transparent)]
    NameTaken(#[from] NameTaken),
    /// A name is empty or too long, or an actor's is not one word without `@`.
    #[error(
        "the {what} name {name:?} is not allowed: it must have 1 to {limit} bytes (name_bytes){}",
        one_word(what)
    )]
    BadName {
        /// What has the name: `actor` or `group`.
        what: &'static str,
        /// The name, shortened.
        name: String,
        /// The longest allowed.
        limit: usize,
    },
    /// The guest failed before it lived, or refused to live.
    #[error(transparent)]
    Guest(#[from] GuestError),
    /// Its family has no room for what it is started with.
    #[error("it would exceed {0}")]
    Limit(#[from] Limit),
    /// The actor runtime refused, e.g. because the supervisor is shutting down.
    #[error("the actor could not be started: {0}")]
    Runtime(String),
}

impl SpawnError {
    /// Gets our own error back out of ractor's.
    pub(super) fn from_ractor(error: SpawnErr) -> Self {
        match error {
            SpawnErr::StartupFailed(inner) => match inner.downcast::<Self>() {
                Ok(ours) => *ours,
                Err(other) => Self::Runtime(other.to_string()),
            },
            other => Self::Runtime(other.to_string()),
        }
    }
}

fn one_word(what: &str) -> &'static str {
    match what {
        "actor" => " and be one word without `@`",
        _ => "",
    }
}
