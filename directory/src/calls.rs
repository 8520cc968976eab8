//! Calls of native actors whose failure has a reason, and how a native actor fails one.

use std::fmt::Display;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ractor::concurrency::timeout;
use ractor::{ActorCell, Message, MessagingErr, RpcReplyPort};

use crate::outcome::{CallError, FailCall};
use crate::replies::{FailureReason, NoReply, Told, fail, reply_port};

/// The calls that failed for a reason for which their callers had no ear.
static UNHEARD: AtomicU64 = AtomicU64::new(0);

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
