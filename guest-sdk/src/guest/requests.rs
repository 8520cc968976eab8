//! Calls whose failure has a reason, and how an actor fails one.

use std::fmt::Display;

use crate::guest::bindings::ractor::actor::requests::CallError as HostError;
use crate::guest::concurrency::Duration;
use crate::guest::message::SerializedMessage;
use crate::guest::runtime::outgoing;
use crate::guest::{ActorCell, Message, RpcReplyPort};

/// Fails a call for a reason, instead of a reply.
pub trait FailCall {
    /// There is no reply, for this reason. The caller hears it if it called through [`call`], is a guest, or is the command line, here
    /// or on another node. Any other caller, such as `call!`, hears only that there is no reply. The actor goes on.
    ///
    /// Of the reason at most 4 096 bytes travel, on one line. The node logs it.
    fn fail(self, reason: impl Display);
}

/// Why a call has no reply, in the words of the WIT interface `requests`.
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

impl From<HostError> for CallError {
    fn from(error: HostError) -> Self {
        match error {
            HostError::UnknownActor => Self::UnknownActor,
            HostError::Stopped => Self::Stopped,
            HostError::TooLarge => Self::TooLarge,
            HostError::Timeout => Self::Timeout,
            HostError::NoReply => Self::NoReply,
            HostError::WouldDeadlock => Self::WouldDeadlock,
            HostError::Overloaded => Self::Overloaded,
            HostError::Denied => Self::Denied,
            HostError::Failed(reason) => Self::Failed(reason),
            HostError::TooMany => Self::TooMany,
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
    let Ok(SerializedMessage::Call {
        variant, args, reply, ..
    }) = message(port).serialize()
    else {
        return Err(CallError::WrongType);
    };
    let bytes = outgoing::call(actor.get_id(), &variant, &args, reply.get_timeout()).await?;
    // Through the port, which decodes it on its way to the slot, or drops it.
    let _undecoded = reply.send(bytes);
    slot.take().ok_or(CallError::NoReply)?.map_err(CallError::Failed)
}
