//! Calls whose failure has a reason, and how an actor fails one.

use crate::guest::bindings::ractor::actor::requests::CallError as HostError;
use crate::guest::concurrency::Duration;
use crate::guest::message::SerializedMessage;
use crate::guest::runtime::outgoing;
use crate::guest::{ActorCell, Message, RpcReplyPort};

pub use ractor_host_directory::{CallError, FailCall};

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
