//! Why a message between a peer and a local actor was given up.

use super::outbound_calls::MAX_OUTBOUND_CALLS;
use crate::transport::OutboxError;

/// The words for the reasons, in the order of the variants: what an operator reads, and metrics are counted by.
pub(crate) const REASONS: [&str; 8] = [
    "outbox_full",
    "closed",
    "too_large",
    "too_many_calls",
    "mailbox_full",
    "mailboxes_full",
    "actor_full",
    "actor_ended",
];

/// Why a message was given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Undelivered {
    /// The peer takes messages too slowly, or the session is over.
    #[error(transparent)]
    Outbox(#[from] OutboxError),
    /// The peer would end the session on seeing it.
    #[error("it takes {bytes} bytes and the peer accepts at most {limit} in one message")]
    TooLarge { bytes: usize, limit: u64 },
    /// The peer's actor has ended.
    #[error("the actor has ended")]
    Ended,
    /// Too many calls wait for replies.
    #[error("{MAX_OUTBOUND_CALLS} calls to the peer wait for replies already")]
    TooManyCalls,
    /// The local actor handles messages too slowly.
    #[error("{limit} bytes wait in the mailbox of the local actor already")]
    MailboxFull { limit: usize },
    /// The local actors together handle messages too slowly.
    #[error("{limit} bytes from the peer wait for the local actors together already")]
    MailboxesFull { limit: usize },
    /// The mailbox of the local actor is full, by the limits that it has of its own.
    #[error("the mailbox of the local actor is full by its own limits")]
    ActorFull,
}

impl Undelivered {
    /// The place of its word among [`REASONS`].
    pub(super) fn reason(self) -> usize {
        match self {
            Self::Outbox(OutboxError::Full { .. }) => 0,
            Self::Outbox(OutboxError::Closed) => 1,
            Self::TooLarge { .. } => 2,
            Self::TooManyCalls => 3,
            Self::MailboxFull { .. } => 4,
            Self::MailboxesFull { .. } => 5,
            Self::ActorFull => 6,
            Self::Ended => 7,
        }
    }
}
