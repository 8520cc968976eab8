//! Calls that a guest makes: what is checked before, how long it waits, and what an outcome is called.

use std::time::Duration;

use ractor::message::SerializedMessage;
use tokio::time::{Instant, timeout};

use super::tracing::failed;
use crate::accounting::telemetry;
use crate::component::bindings::requests::CallError;
use crate::component::bindings::types::Pid;
use crate::directory::trace::ActiveSpan;
use crate::directory::{self, NoReply, PROBE_VARIANT, Reply, reply_port};
use crate::policy::limits::Limit;
use crate::store::data::StoreData;
use crate::store::pid;
use crate::store::waits::{Circle, Waiting};

/// A call that may be sent.
pub(super) struct PreparedCall<T = Pid> {
    pub(super) to: T,
    pub(super) message: SerializedMessage,
    pub(super) reply: Reply<Vec<u8>>,
    pub(super) wait: CallWait,
}

/// How long a call waits for its reply.
#[derive(Debug, Clone, Copy)]
pub(super) struct CallWait {
    pub(super) begun: Instant,
    pub(super) time: Duration,
}

impl StoreData {
    /// Sends a call and waits for its reply.
    pub(super) async fn call_actor(
        &mut self,
        to: Pid,
        variant: String,
        args: Vec<u8>,
        timeout_ms: Option<u64>,
    ) -> wasmtime::Result<Result<Vec<u8>, CallError>> {
        // Boxed, so that the future of a call that nobody looks at stays as small as it is.
        if self.is_traced {
            return Box::pin(self.call_in_sight(to, variant, args, timeout_ms)).await;
        }
        self.call_and_wait(to, variant, args, timeout_ms).await
    }

    /// The same, shown to those who trace the actor.
    async fn call_in_sight(
        &mut self,
        to: Pid,
        variant: String,
        args: Vec<u8>,
        timeout_ms: Option<u64>,
    ) -> wasmtime::Result<Result<Vec<u8>, CallError>> {
        let shown = variant.clone();
        let since = self.show_call(&variant, &args, to);
        let called = self.call_and_wait(to, variant, args, timeout_ms).await?;
        self.show_outcome(&shown, to, since, called.as_deref());
        Ok(called)
    }

    async fn call_and_wait(
        &mut self,
        to: Pid,
        variant: String,
        args: Vec<u8>,
        timeout_ms: Option<u64>,
    ) -> wasmtime::Result<Result<Vec<u8>, CallError>> {
        // The guest can't answer while it waits, and `Waiting` would find the circle only after the message was
        // built.
        if Some(self.context()?.cell.get_id()) == pid::to_id(to) {
            self.side_effect()?;
            return Ok(Err(CallError::WouldDeadlock));
        }
        self.durable_before().await?;
        let call = match self.prepare_call(to, variant, args, timeout_ms).await? {
            Ok(call) => call,
            Err(error) => return Ok(Err(error)),
        };
        // A guest in a loop of calls gives way now and then, however fast the replies come.
        tokio::task::consume_budget().await;
        let PreparedCall {
            to,
            message,
            reply,
            wait,
        } = call;
        let span = self.begin_span(to, &message);
        // Dropped at the timeout, which takes the wait out of `waits`, so that others may call this guest again.
        let outcome = match timeout(wait.time, self.send_and_wait(to, message, reply, span.as_ref())).await {
            Ok(Ok(outcome)) => Some(outcome),
            Ok(Err(error)) => {
                failed(span.as_ref(), &error);
                return Ok(Err(error));
            }
            Err(_) => None,
        };
        let concluded = self.conclude_call(wait, outcome);
        Ok(concluded.inspect_err(|error| failed(span.as_ref(), error)))
    }

    /// Checks that the guest may make this call, and makes the message. The time of the wait begins.
    pub(super) async fn prepare_call(
        &mut self,
        to: Pid,
        variant: String,
        args: Vec<u8>,
        timeout_ms: Option<u64>,
    ) -> wasmtime::Result<Result<PreparedCall, CallError>> {
        self.side_effect()?;
        self.context()?;
        if let Err(error) = self.check_call(&variant, &args) {
            return Ok(Err(error));
        }
        if let Err(not_sent) = self.check_recipient(to).await? {
            return Ok(Err(not_sent.into()));
        }
        Ok(Ok(self.made_call(to, variant, args, timeout_ms)))
    }

    /// Checks what can be known of a call without its target.
    pub(super) fn check_call(&self, variant: &str, args: &[u8]) -> Result<(), CallError> {
        if variant == PROBE_VARIANT {
            // It is answered by nobody, and a mailbox takes it without regard to limits.
            return Err(CallError::NoReply);
        }
        if !self.fits(variant, args) {
            return Err(CallError::TooLarge);
        }
        Ok(())
    }

    /// The message of a call. The time of the wait begins.
    pub(super) fn made_call<T>(
        &self,
        to: T,
        variant: String,
        args: Vec<u8>,
        timeout_ms: Option<u64>,
    ) -> PreparedCall<T> {
        let longest = self.limits.call_wait;
        let time = timeout_ms.map_or(longest, |wait| Duration::from_millis(wait).min(longest));
        let (port, reply) = reply_port(Some(time));
        PreparedCall {
            to,
            message: SerializedMessage::Call {
                variant,
                args,
                reply: port,
                metadata: None,
            },
            reply,
            wait: CallWait {
                begun: Instant::now(),
                time,
            },
        }
    }

    /// What the guest is told of an outcome; none if the time of the wait is over.
    pub(super) fn conclude_call(
        &self,
        wait: CallWait,
        outcome: Option<Result<Vec<u8>, NoReply>>,
    ) -> Result<Vec<u8>, CallError> {
        match outcome {
            Some(Ok(reply)) if reply.len() > self.limits.reply_bytes => {
                telemetry::limit(&self.label, Limit::ReplyBytes(self.limits.reply_bytes));
                Err(CallError::TooLarge)
            }
            Some(Ok(reply)) => Ok(reply),
            Some(Err(NoReply::Failed(reason))) => Err(CallError::Failed(reason.into())),
            // The other side knows the timeout too, and may be the first to give up for it.
            Some(Err(NoReply::Dropped)) if wait.begun.elapsed() < wait.time => Err(CallError::NoReply),
            Some(Err(NoReply::Dropped)) | None => {
                // A shorter wait was the guest's own wish, and no limit that it reached.
                let longest = self.limits.call_wait;
                if wait.time == longest {
                    telemetry::limit(&self.label, Limit::CallWait(longest));
                }
                Err(CallError::Timeout)
            }
        }
    }

    async fn send_and_wait(
        &mut self,
        to: Pid,
        message: SerializedMessage,
        reply: Reply<Vec<u8>>,
        span: Option<&ActiveSpan>,
    ) -> Result<Result<Vec<u8>, NoReply>, CallError> {
        // What a native or another node waits for isn't known here, so no circle through them can be seen.
        if pid::to_id(to).is_none_or(|id| directory::inbox(id).is_none()) {
            self.send_at_once(to, message, span).await?;
            return Ok(reply.await);
        }
        // Before the message is sent: from then on, the other guest may begin to wait for this one.
        let waiting = Waiting::begin(self.label.pid, to.id, reply).map_err(|Circle| CallError::WouldDeadlock)?;
        self.send_at_once(to, message, span).await?;
        Ok(waiting.await)
    }
}
