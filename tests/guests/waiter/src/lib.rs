//! An actor that passes messages on to others as they are: to whom it sends them it is a guest of its node like any other.

use ractor::concurrency::Duration;
use ractor::message::{BoxedDowncastErr, SerializedMessage};
use ractor::requests::{CallError, call};
use ractor::{
    Actor, ActorCell, ActorProcessingErr, ActorRef, FailCall as _, Message, RactorClusterMessage, RpcReplyPort,
    registry,
};

/// See the crate.
#[derive(Debug, Default)]
pub struct Waiter;

/// What a [`Waiter`] understands.
#[derive(Debug, RactorClusterMessage)]
pub enum WaiterMsg {
    /// Calls the actor `name` with these encoded arguments, waits this many milliseconds, and replies with the bytes of the reply. If
    /// there is none, it fails the call with the reason.
    #[rpc]
    Call(String, String, Vec<u8>, u64, RpcReplyPort<Vec<u8>>),
    /// Sends the actor `name` a message, and replies whether it was accepted.
    #[rpc]
    Cast(String, String, Vec<u8>, RpcReplyPort<bool>),
}

/// A message to pass on, of whatever type the other takes.
enum PassedOn {
    Call(String, Vec<u8>, RpcReplyPort<Vec<u8>>),
    Cast(String, Vec<u8>),
}

impl Message for PassedOn {
    fn serializable() -> bool {
        true
    }

    fn serialize(self) -> Result<SerializedMessage, BoxedDowncastErr> {
        Ok(match self {
            Self::Call(variant, args, reply) => SerializedMessage::Call {
                variant,
                args,
                reply,
                metadata: None,
            },
            Self::Cast(variant, args) => SerializedMessage::Cast {
                variant,
                args,
                metadata: None,
            },
        })
    }
}

impl Actor for Waiter {
    type Msg = WaiterMsg;
    type State = ();
    type Arguments = ();

    async fn pre_start(&self, _: ActorRef<WaiterMsg>, (): ()) -> Result<(), ActorProcessingErr> {
        Ok(())
    }

    async fn handle(&self, _: ActorRef<WaiterMsg>, message: WaiterMsg, (): &mut ()) -> Result<(), ActorProcessingErr> {
        match message {
            WaiterMsg::Call(name, variant, args, ms, reply) => match registry::where_is(&name) {
                Some(other) => match pass_on(&other, variant, args, ms).await {
                    Ok(bytes) => reply.send(bytes)?,
                    Err(error) => reply.fail(error),
                },
                None => reply.fail(format!("nobody is called `{name}`")),
            },
            WaiterMsg::Cast(name, variant, args, reply) => {
                let other = registry::where_is(&name);
                let sent = other.map(|other| other.send_message(PassedOn::Cast(variant, args)));
                reply.send(matches!(sent, Some(Ok(()))))?;
            }
        }
        Ok(())
    }
}

async fn pass_on(other: &ActorCell, variant: String, args: Vec<u8>, ms: u64) -> Result<Vec<u8>, CallError> {
    let message = |reply| PassedOn::Call(variant, args, reply);
    call(other, message, Some(Duration::from_millis(ms))).await
}

ractor::export!(Waiter);
