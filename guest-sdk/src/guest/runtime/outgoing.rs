//! The messages that this actor sends.

use crate::guest::actor::own_identity::own_identity;
use crate::guest::bindings::ractor::actor::entities::{self, Entity};
use crate::guest::bindings::ractor::actor::messaging::{self, SendError};
use crate::guest::bindings::ractor::actor::requests::{self, CallError};
use crate::guest::concurrency::Duration;
use crate::guest::message::SerializedMessage;
use crate::guest::requests::FailCall;
use crate::guest::runtime::executor::{self, Awaiting, Coming};
use crate::guest::runtime::incoming;
use crate::guest::{ActorId, RpcReplyPort};

/// What became of a message that was accepted.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// A cast is on its way; a call was answered, and its reply is in its port.
    Accepted,
    /// A call got no reply in time.
    TimedOut,
    /// A call was dropped without a reply, or failed. Then the reason is in its port.
    NoReply,
}

/// A message that was accepted.
pub(crate) enum Sent {
    Done(Outcome),
    /// A call whose reply is to come, and where that goes.
    Called(Coming, RpcReplyPort<Vec<u8>>),
}

impl Sent {
    /// Waits for the reply, if there is to be one.
    pub(crate) async fn outcome(self) -> Outcome {
        match self {
            Self::Done(outcome) => outcome,
            // The call itself was accepted, so there is no message to hand back. A limit of the node that keeps a reply from this
            // actor is in the node's log.
            Self::Called(coming, reply) => outcome_of(coming.await, reply).unwrap_or(Outcome::NoReply),
        }
    }
}

/// Sends a message. If it is a call whose reply came with the port that it has from another actor, this actor stands still for it. A
/// message that was not accepted is handed back.
#[cfg_attr(
    not(target_family = "wasm"),
    expect(clippy::result_large_err, reason = "as for `begin`")
)]
pub(crate) fn deliver(to: ActorId, message: SerializedMessage) -> Result<(), SerializedMessage> {
    begin(to, message, None).map(drop)
}

/// Sends a message. If it is a call, what is left is to wait for its reply with [`Sent::outcome`]. A message that was not accepted is
/// handed back.
#[cfg_attr(
    not(target_family = "wasm"),
    expect(
        clippy::result_large_err,
        reason = "the message itself is handed back, as ractor does; pointers are half as large in a guest"
    )
)]
pub(crate) fn begin(
    to: ActorId,
    message: SerializedMessage,
    awaiting: Option<&Awaiting>,
) -> Result<Sent, SerializedMessage> {
    match message {
        SerializedMessage::Cast {
            variant,
            args,
            metadata,
        } => {
            // The caller that this actor has answered must not wait for what follows.
            incoming::flush();
            match messaging::cast(to.into(), &variant, &args) {
                Ok(()) => Ok(Sent::Done(Outcome::Accepted)),
                Err(error) => {
                    report(to, &variant, error);
                    Err(SerializedMessage::Cast {
                        variant,
                        args,
                        metadata,
                    })
                }
            }
        }
        SerializedMessage::Call {
            variant,
            args,
            reply,
            metadata,
        } => {
            let came = match ask(to, &variant, &args, reply.get_timeout(), awaiting) {
                Ok(Asked::Coming(coming)) => return Ok(Sent::Called(coming, reply)),
                Ok(Asked::Here(bytes)) => Ok(bytes),
                Err(error) => Err(error),
            };
            outcome_of(came, reply).map(Sent::Done).map_err(|(error, reply)| {
                if let Some(error) = refusal(&error) {
                    report(to, &variant, error);
                }
                SerializedMessage::Call {
                    variant,
                    args,
                    reply,
                    metadata,
                }
            })
        }
        SerializedMessage::CallReply(..) => Err(message),
    }
}

/// What became of a call: the reply is in its port, or the reason why there is none. A call that was not accepted has its error, and
/// the port again.
fn outcome_of(
    came: Result<Vec<u8>, CallError>,
    reply: RpcReplyPort<Vec<u8>>,
) -> Result<Outcome, (CallError, RpcReplyPort<Vec<u8>>)> {
    match came {
        // A reply that doesn't decode leaves its slot empty, which the caller sees.
        Ok(bytes) => Ok(reply.send(bytes).map_or(Outcome::NoReply, |()| Outcome::Accepted)),
        Err(CallError::Timeout) => Ok(Outcome::TimedOut),
        // ractor has no error for a circle of calls. To the caller it is a call that nobody answers.
        Err(CallError::NoReply | CallError::WouldDeadlock) => Ok(Outcome::NoReply),
        Err(CallError::Failed(reason)) => {
            reply.fail(reason);
            Ok(Outcome::NoReply)
        }
        Err(error) => Err((error, reply)),
    }
}

/// A call that was accepted.
enum Asked {
    /// This actor has stood still for the reply.
    Here(Vec<u8>),
    Coming(Coming),
}

/// Sends a call. Unless this actor stands still for it, the reply is to come.
fn ask(
    to: ActorId,
    variant: &str,
    args: &[u8],
    timeout: Option<Duration>,
    awaiting: Option<&Awaiting>,
) -> Result<Asked, CallError> {
    if to == own_identity().id {
        tracing::error!(%variant, "an actor that calls itself would wait for ever; the call is dropped");
        return Err(CallError::WouldDeadlock);
    }
    // The caller that this actor has answered must not wait for what follows: that may be a call to this very caller.
    incoming::flush();
    let wait_ms = timeout.map(whole_millis);
    match awaiting {
        None => requests::call(to.into(), variant, args, wait_ms).map(Asked::Here),
        Some(awaiting) => (awaiting.ask)(to.into(), variant, args, wait_ms).map(Asked::Coming),
    }
}

/// Sends a call and waits for the encoded reply.
pub(crate) async fn call(
    to: ActorId,
    variant: &str,
    args: &[u8],
    timeout: Option<Duration>,
) -> Result<Vec<u8>, CallError> {
    match ask(to, variant, args, timeout, executor::awaiting())? {
        Asked::Here(bytes) => Ok(bytes),
        Asked::Coming(coming) => coming.await,
    }
}

/// Sends a call to an entity and waits for the encoded reply.
pub(crate) async fn call_entity(
    to: Entity,
    variant: &str,
    args: &[u8],
    timeout: Option<Duration>,
) -> Result<Vec<u8>, CallError> {
    // As for `ask`.
    incoming::flush();
    let wait_ms = timeout.map(whole_millis);
    match executor::awaiting() {
        None => entities::call(&to, variant, args, wait_ms),
        Some(awaiting) => (awaiting.ask_entity)(&to, variant, args, wait_ms)?.await,
    }
}

/// The same for a call that bears an idempotency key. On its own, so that only components that use keys import what it calls.
pub(crate) async fn call_keyed(
    to: Entity,
    variant: &str,
    args: &[u8],
    timeout: Option<Duration>,
    key: &str,
) -> Result<Vec<u8>, CallError> {
    incoming::flush();
    let wait_ms = timeout.map(whole_millis);
    match executor::awaiting() {
        None => entities::call_keyed(&to, variant, args, wait_ms, key),
        Some(awaiting) => (awaiting.reply)(entities::ask_keyed(&to, variant, args, wait_ms, key)?).await,
    }
}

/// What kept a call from being sent, if ractor's error type has no name for it.
fn refusal(error: &CallError) -> Option<SendError> {
    match error {
        CallError::TooLarge => Some(SendError::TooLarge),
        CallError::Overloaded | CallError::TooMany => Some(SendError::Overloaded),
        CallError::Denied => Some(SendError::Denied),
        CallError::UnknownActor
        | CallError::Stopped
        | CallError::Timeout
        | CallError::NoReply
        | CallError::WouldDeadlock
        | CallError::Failed(_) => None,
    }
}

/// Logs the errors that ractor's error type has no name for.
fn report(to: ActorId, variant: &str, error: SendError) {
    match error {
        SendError::TooLarge => {
            tracing::warn!(%to, %variant, "the message is larger than this node's limit and was not sent");
        }
        SendError::Overloaded => {
            tracing::warn!(%to, %variant, "the actor's node takes messages too slowly; the message was not sent");
        }
        SendError::Denied => {
            tracing::warn!(%to, %variant, "node.toml doesn't grant this actor to send to that one; the message was not sent");
        }
        SendError::UnknownActor
        | SendError::Stopped
        | SendError::Timeout
        | SendError::NoReply
        | SendError::WouldDeadlock => {}
    }
}

/// Rounds up, so that a short timeout is not taken for none at all.
pub(crate) fn whole_millis(timeout: Duration) -> u64 {
    u64::try_from(timeout.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX)
}
