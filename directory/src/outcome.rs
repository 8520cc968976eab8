//! What becomes of a call without a reply, in the same words for native actors and guests.

use std::fmt::Display;

/// Fails a call for a reason, instead of a reply.
pub trait FailCall {
    /// There is no reply, for this reason. The caller hears it if it called through `requests::call`, is a guest, or is the command
    /// line, here or on another node. Any other caller, such as `call!`, hears only that there is no reply. The actor goes on.
    ///
    /// Of the reason at most 4 096 bytes travel, on one line. What no caller hears is in the log.
    fn fail(self, reason: impl Display);
}

/// Why a call has no reply, in the words of the WIT interface `requests`. A native actor gets `Stopped`, `WrongType`,
/// `Timeout`, `NoReply` and `Failed`; the others are for guests.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// No actor has this id. It ended, or its node is gone.
    #[error("the call was not sent: there is no such actor any more")]
    UnknownActor,
    /// The actor is stopping, or has ended, and accepts no more messages.
    #[error("the call was not sent: the actor is stopping or has ended")]
    Stopped,
    /// The actor takes messages of another type, or this one has no serialized form.
    #[error("the call was not sent: the actor takes messages of another type")]
    WrongType,
    /// The message, or its reply, is larger than the node's limit.
    #[error("the call or its reply is larger than this node's limit")]
    TooLarge,
    /// No reply came in time.
    #[error("no reply came in time")]
    Timeout,
    /// The actor dropped the call, or ended, or its node is gone; or the reply doesn't decode.
    #[error("the actor dropped the call without a reply")]
    NoReply,
    /// The actor waits, maybe through others, for a reply of the caller. The call could never be answered.
    #[error("the call would close a circle of actors that wait for each other")]
    WouldDeadlock,
    /// The actor, or its node, takes messages too slowly.
    #[error("the call was not sent: the actor, or its node, takes messages too slowly")]
    Overloaded,
    /// node.toml does not grant the caller to send to that actor.
    #[error("the call was not sent: node.toml doesn't grant it")]
    Denied,
    /// The actor failed the call, for this reason, and goes on.
    #[error("the actor failed the call: {0}")]
    Failed(String),
    /// The caller, or its family, waits for as many replies as it may.
    #[error("the call was not sent: this actor waits for as many replies as it may")]
    TooMany,
}
