//! A guest failed: in which callback, and how.

use std::fmt;
use std::sync::Arc;

use crate::component::needs::Shortages;
use crate::policy::grants::NotGranted;
use crate::policy::limits::Limit;

/// A guest failed.
#[derive(Debug, Clone, thiserror::Error)]
#[error("actor {actor:?} (pid {pid}) failed in {during}: {fault}")]
pub struct GuestError {
    /// The actor's name, or its module's if it has none.
    pub actor: Arc<str>,
    /// Its pid, 0 if it never had one.
    pub pid: u64,
    /// The callback and, for a message, its variant.
    pub during: String,
    /// What happened.
    #[source]
    pub fault: Fault,
}

/// How a guest failed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Fault {
    /// A callback returned an error: the guest's own text.
    #[error("{0}")]
    Returned(String),
    /// The guest went beyond a limit.
    #[error("it reached {limit}{at}")]
    Limit {
        /// Which one.
        limit: Limit,
        /// Where.
        at: Frames,
    },
    /// The component imports what the actor is not granted.
    #[error(transparent)]
    NotGranted(NotGranted),
    /// The states that it is to go on from are there, but can't be read. It does not start afresh, because it would put others
    /// in their places.
    #[error("its checkpoints can't be read: {0}; they are left as they are")]
    CheckpointsUnread(String),
    /// Its limits don't allow what the component has when it starts.
    #[error("it can't be made: {0}")]
    Shortage(Shortages),
    /// There was no room for the instance.
    #[error("it could not be made: {reason}{}", hint(*.refused))]
    NoInstance {
        /// What is missing.
        reason: String,
        /// The guest's own limit, if that is what stood in the way.
        refused: Option<Limit>,
    },
    /// A handler waits, and the mailbox is held for it, but nothing is to come.
    #[error(
        "it said that a handler is pending and holds the mailbox, but nothing is to come that could have it go on: no reply to \
         `requests.ask`, no timer of `timers.wake-after`, and no news of a child or of what it monitors"
    )]
    NeverDone,
    /// The guest trapped.
    #[error("trapped: {reason}{}{at}", hint(*.refused))]
    Trapped {
        /// What the trap was.
        reason: String,
        /// A limit that was in the guest's way before; often the cause.
        refused: Option<Limit>,
        /// Where.
        at: Frames,
    },
}

impl Fault {
    /// The limit that the guest reached, if one had a part in it.
    pub fn limit(&self) -> Option<Limit> {
        match self {
            Self::Limit { limit, .. } => Some(*limit),
            Self::NoInstance { refused, .. } | Self::Trapped { refused, .. } => *refused,
            Self::Returned(_)
            | Self::NotGranted(_)
            | Self::CheckpointsUnread(_)
            | Self::Shortage(_)
            | Self::NeverDone => None,
        }
    }
}

/// The innermost frames of a trap, innermost first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Frames(pub Vec<String>);

impl fmt::Display for Frames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return Ok(());
        }
        write!(f, " (at {})", self.0.join(" < "))
    }
}

fn hint(refused: Option<Limit>) -> String {
    refused
        .map(|limit| format!(", after it reached {limit}"))
        .unwrap_or_default()
}
