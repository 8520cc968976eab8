//! Calls whose failure has a reason, and how an actor fails one.

use std::fmt::Display;

use crate::guest::concurrency::Duration;
use crate::guest::runtime::outgoing::Outcome;
use crate::guest::{ActorCell, Message, MessagingErr, RpcReplyPort};

/// Fails a call for a reason, instead of a reply.
pub trait FailCall {
    /// There is no reply, for this reason. The caller hears it if it called through [`call`], is a guest, or is the command line, here
    /// or on another node. Any other caller, such as `call!`, hears only that there is no reply. The actor goes on.
    ///
    /// Of the reason at most 4 096 bytes travel, on one line. The node logs it.
    fn fail(self, reason: impl Display);
}

/// Why a call has no reply.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// The message was not accepted. If a limit of the node or a grant is the reason, that is logged.
    #[error("the call was not sent: the actor has ended or is stopping, or takes no more messages")]
    NotSent,
    /// The message type does not travel: it has no serialized form.
    #[error("the call was not sent: the actor takes messages of another type")]
    WrongType,
    /// No reply came in time.
    #[error("no reply came in time")]
    Timeout,
    /// The actor dropped the call, or ended, or its node is gone; or the reply doesn't decode, or the call would close a circle.
    #[error("the actor dropped the call without a reply")]
    NoReply,
    /// The actor failed the call, for this reason, and goes on.
    #[error("the actor failed the call: {0}")]
    Failed(String),
}

impl<T> From<MessagingErr<T>> for CallError {
    fn from(error: MessagingErr<T>) -> Self {
        match error {
            MessagingErr::InvalidActorType => Self::WrongType,
            MessagingErr::SendErr(_) | MessagingErr::ChannelClosed => Self::NotSent,
        }
    }
}

/// Sends a call and waits for the reply, as [`rpc::call`](crate::guest::rpc::call) does, and says why if there is none.
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
    let (port, slot) = RpcReplyPort::local(wait);
    let outcome = actor.send(message(port))?;
    match (slot.take(), outcome) {
        (Some(answer), _) => answer.map_err(CallError::Failed),
        (None, Outcome::TimedOut) => Err(CallError::Timeout),
        (None, Outcome::Accepted | Outcome::NoReply) => Err(CallError::NoReply),
    }
}
