//! Calls of native actors whose failure has a reason, and how a native actor fails one.

use std::fmt::Display;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ractor::concurrency::timeout;
use ractor::{ActorCell, Message, MessagingErr, RpcReplyPort};

use crate::replies::{FailureReason, NoReply, Told, fail, reply_port};

/// The calls that failed for a reason for which their callers had no ear.
static UNHEARD: AtomicU64 = AtomicU64::new(0);

/// Fails a call for a reason, instead of a reply.
pub trait FailCall {
    /// There is no reply, for this reason. The caller hears it if it called through [`call`](crate::call), is a guest, or is the command
    /// line, here or on another node. Any other caller, such as `call!`, hears only that there is no reply. The actor goes on.
    ///
    /// Of the reason at most 4 096 bytes travel, on one line. What no caller hears is logged, a line for each power of two.
    fn fail(self, reason: impl Display);
}

impl<T> FailCall for RpcReplyPort<T> {
    fn fail(self, reason: impl Display) {
        let reason = FailureReason::new(&reason.to_string());
        if fail(self, reason.clone()) != Told::Nobody {
            return;
        }
        // Nothing else depends on the number, so Relaxed is enough. A flood of bad requests must not become a flood of lines.
        let count = UNHEARD.fetch_add(1, Ordering::Relaxed) + 1;
        if count.is_power_of_two() {
            tracing::warn!(
                %reason,
                failed_calls = count,
                "an actor failed a call, and its caller hears only that there is no reply"
            );
        }
    }
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

impl<T> From<MessagingErr<T>> for CallError {
    fn from(error: MessagingErr<T>) -> Self {
        match error {
            MessagingErr::InvalidActorType => Self::WrongType,
            MessagingErr::SendErr(_) | MessagingErr::ChannelClosed => Self::Stopped,
        }
    }
}

impl From<NoReply> for CallError {
    fn from(reason: NoReply) -> Self {
        match reason {
            NoReply::Dropped => Self::NoReply,
            NoReply::Failed(reason) => Self::Failed(reason.into()),
        }
    }
}

/// Sends a call and waits for the reply, as ractor's `rpc::call` does, and says why if there is none. Without a timeout it waits as
/// long as it takes.
///
/// # Errors
/// There is no reply, and why.
pub async fn call<TMessage, TReply>(
    actor: &ActorCell,
    message: impl FnOnce(RpcReplyPort<TReply>) -> TMessage,
    wait: Option<Duration>,
) -> Result<TReply, CallError>
where
    TMessage: Message,
    TReply: Send + 'static,
{
    let (port, reply) = reply_port(wait);
    actor.send_message(message(port))?;
    let outcome = match wait {
        Some(wait) => timeout(wait, reply).await.map_err(|_| CallError::Timeout)?,
        None => reply.await,
    };
    Ok(outcome?)
}
