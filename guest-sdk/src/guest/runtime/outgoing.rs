//! The messages that this actor sends.

use crate::guest::ActorId;
use crate::guest::actor::own_identity::own_identity;
use crate::guest::bindings::ractor::actor::messaging::{self, SendError};
use crate::guest::bindings::ractor::actor::requests::{self, CallError};
use crate::guest::concurrency::Duration;
use crate::guest::message::SerializedMessage;
use crate::guest::requests::FailCall;
use crate::guest::runtime::incoming;

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

/// Sends a message; waits for the reply if it is a call. A message that was not accepted is handed back.
#[cfg_attr(
    not(target_family = "wasm"),
    expect(
        clippy::result_large_err,
        reason = "the message itself is handed back, as ractor does; pointers are half as large in a guest"
    )
)]
pub(crate) fn deliver(to: ActorId, message: SerializedMessage) -> Result<Outcome, SerializedMessage> {
    // The caller that this actor has answered must not wait for what follows: that may be a call to this very caller.
    incoming::flush();
    match message {
        SerializedMessage::Cast {
            variant,
            args,
            metadata,
        } => match messaging::cast(to.into(), &variant, &args) {
            Ok(()) => Ok(Outcome::Accepted),
            Err(error) => {
                report(to, &variant, error);
                Err(SerializedMessage::Cast {
                    variant,
                    args,
                    metadata,
                })
            }
        },
        SerializedMessage::Call {
            variant,
            args,
            reply,
            metadata,
        } => match call(to, &variant, &args, reply.get_timeout()) {
            // A reply that doesn't decode leaves its slot empty, which the caller sees.
            Ok(bytes) => Ok(reply.send(bytes).map_or(Outcome::NoReply, |()| Outcome::Accepted)),
            Err(CallError::Timeout) => Ok(Outcome::TimedOut),
            // ractor has no error for a circle of calls. To the caller it is a call that nobody answers.
            Err(CallError::NoReply | CallError::WouldDeadlock) => Ok(Outcome::NoReply),
            Err(CallError::Failed(reason)) => {
                reply.fail(reason);
                Ok(Outcome::NoReply)
            }
            Err(error) => {
                if let Some(error) = refusal(&error) {
                    report(to, &variant, error);
                }
                Err(SerializedMessage::Call {
                    variant,
                    args,
                    reply,
                    metadata,
                })
            }
        },
        SerializedMessage::CallReply(..) => Err(message),
    }
}

/// Sends a call and waits for the encoded reply.
pub(crate) fn call(to: ActorId, variant: &str, args: &[u8], timeout: Option<Duration>) -> Result<Vec<u8>, CallError> {
    if to == own_identity().id {
        tracing::error!(%variant, "an actor that calls itself would wait for ever; the call is dropped");
        return Err(CallError::WouldDeadlock);
    }
    incoming::flush();
    requests::call(to.into(), variant, args, timeout.map(whole_millis))
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
