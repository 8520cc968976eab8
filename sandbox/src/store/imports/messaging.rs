//! `messaging`: messages to other actors. The host passes the bytes on and never looks into them.

use std::time::Duration;

use ractor::RpcReplyPort;
use ractor::message::SerializedMessage;
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout};
use wasmtime::component::{HasSelf, Linker};

use super::RELEASE;
use super::recipients::NotSent;
use crate::accounting::label::Label;
use crate::accounting::telemetry;
use crate::component::bindings::messaging::{self, ReplyError, SendError};
use crate::component::bindings::types::Pid;
use crate::component::capabilities::{CapabilityImport, Certainty};
use crate::component::imports::Import;
use crate::directory::{self, Inbox, Local, NotPut, PROBE_VARIANT, PutRefused, SendRefused};
use crate::policy::grants::Capability;
use crate::policy::limits::Limit;
use crate::store::data::StoreData;
use crate::store::interface;
use crate::store::pid;
use crate::store::waits::{Circle, Waiting};

/// The interface `messaging`.
pub(super) struct Interface;

impl interface::Interface for Interface {
    fn imports(&self) -> &[Import] {
        const { &[Import::new("ractor:actor/messaging", RELEASE)] }
    }

    fn capabilities(&self) -> &[CapabilityImport] {
        const {
            &[CapabilityImport::new(
                Capability::Messages,
                "ractor:actor/messaging@",
                &["cast", "call"],
                Certainty::Called,
            )]
        }
    }

    fn add_to_linker(&self, linker: &mut Linker<StoreData>) -> wasmtime::Result<()> {
        messaging::add_to_linker::<_, HasSelf<StoreData>>(linker, |data| data)
    }
}

impl messaging::Host for StoreData {
    async fn cast(&mut self, to: Pid, variant: String, args: Vec<u8>) -> wasmtime::Result<Result<(), SendError>> {
        self.side_effect()?;
        self.context()?;
        // A guest in a loop of casts gives way now and then, also to those it casts to.
        tokio::task::consume_budget().await;
        if !self.fits(&variant, &args) {
            return Ok(Err(SendError::TooLarge));
        }
        if let Err(not_sent) = self.check_recipient(to).await? {
            return Ok(Err(not_sent.into()));
        }
        let message = SerializedMessage::Cast {
            variant,
            args,
            metadata: None,
        };
        Ok(self.send(to, message).await)
    }

    async fn call(
        &mut self,
        to: Pid,
        variant: String,
        args: Vec<u8>,
        timeout_ms: Option<u64>,
    ) -> wasmtime::Result<Result<Vec<u8>, SendError>> {
        self.side_effect()?;
        // The guest can't answer while it waits, and `Waiting` would find the circle only after the message was
        // built.
        if Some(self.context()?.cell.get_id()) == pid::to_id(to) {
            return Ok(Err(SendError::WouldDeadlock));
        }
        if variant == PROBE_VARIANT {
            // It is answered by nobody, and a mailbox takes it without regard to limits.
            return Ok(Err(SendError::NoReply));
        }
        if !self.fits(&variant, &args) {
            return Ok(Err(SendError::TooLarge));
        }
        if let Err(not_sent) = self.check_recipient(to).await? {
            return Ok(Err(not_sent.into()));
        }
        let longest = self.limits.call_wait;
        let wait = timeout_ms.map_or(longest, |wait| Duration::from_millis(wait).min(longest));
        let (sender, reply) = oneshot::channel();
        let message = SerializedMessage::Call {
            variant,
            args,
            reply: RpcReplyPort::from((sender, wait)),
            metadata: None,
        };
        let begun = Instant::now();
        // Dropped at the timeout, which takes the wait out of `waits`, so that others may call this guest again.
        let outcome = timeout(wait, self.call_and_wait(to, message, reply)).await;
        let outcome = match outcome {
            // The other side knows the timeout too, and may be the first to give up for it.
            Ok(Err(SendError::NoReply)) if begun.elapsed() >= wait => Err(SendError::Timeout),
            Err(_) => Err(SendError::Timeout),
            Ok(outcome) => outcome,
        };
        // A shorter wait was the guest's own wish, and no limit that it reached.
        if outcome == Err(SendError::Timeout) && wait == longest {
            telemetry::limit(&self.label, Limit::CallWait(longest));
        }
        Ok(match outcome {
            Ok(reply) if reply.len() > self.limits.reply_bytes => {
                telemetry::limit(&self.label, Limit::ReplyBytes(self.limits.reply_bytes));
                Err(SendError::TooLarge)
            }
            outcome => outcome,
        })
    }

    fn reply(&mut self, reply_to: u64, bytes: Vec<u8>) -> wasmtime::Result<Result<(), ReplyError>> {
        self.side_effect()?;
        self.context()?;
        if bytes.len() > self.limits.reply_bytes {
            telemetry::limit(&self.label, Limit::ReplyBytes(self.limits.reply_bytes));
            return Ok(Err(ReplyError::TooLarge));
        }
        let Some(port) = self.replies.take(reply_to) else {
            return Ok(Err(ReplyError::UnknownCall));
        };
        Ok(port.send(bytes).map_err(|_| ReplyError::TooLate))
    }

    fn drop_call(&mut self, reply_to: u64) -> wasmtime::Result<()> {
        self.side_effect()?;
        self.context()?;
        drop(self.replies.take(reply_to));
        Ok(())
    }

    fn fail_call(&mut self, reply_to: u64, _reason: String) -> wasmtime::Result<()> {
        self.drop_call(reply_to)
    }

    fn is_waiting(&mut self, reply_to: u64) -> wasmtime::Result<bool> {
        self.context()?;
        Ok(self.replies.is_waiting(reply_to))
    }

    fn next_cast(&mut self) -> wasmtime::Result<bool> {
        let stops = self.stopping.is_some() || self.context()?.actor.has_commands();
        Ok(self.batch.as_mut().is_some_and(|batch| !stops && batch.next()))
    }

    fn metadata(&mut self) -> wasmtime::Result<Option<Vec<u8>>> {
        self.context()?;
        Ok(self.metadata.clone())
    }
}

impl StoreData {
    /// False for a message that is larger than the guest may send.
    pub(super) fn fits(&self, variant: &str, args: &[u8]) -> bool {
        let fits = variant.len().saturating_add(args.len()) <= self.limits.message_bytes;
        if !fits {
            telemetry::limit(&self.label, Limit::MessageBytes(self.limits.message_bytes));
        }
        fits
    }

    async fn call_and_wait(
        &mut self,
        to: Pid,
        message: SerializedMessage,
        reply: oneshot::Receiver<Vec<u8>>,
    ) -> Result<Vec<u8>, SendError> {
        let myself = self.label.pid;
        // What a native or another node waits for isn't known here, so no circle through them can be seen.
        if pid::to_id(to).is_none_or(|id| directory::inbox(id).is_none()) {
            self.send(to, message).await?;
            return reply.await.map_err(|_| SendError::NoReply);
        }
        // Before the message is sent: from then on, the other guest may begin to wait for this one.
        let waiting = Waiting::begin(myself, to.id, reply).map_err(|Circle| SendError::WouldDeadlock)?;
        self.send(to, message).await?;
        waiting.await.ok_or(SendError::NoReply)
    }

    /// Sends to an actor of this process, or past its stand-in to one of another node. The guest's fiber waits while that
    /// actor, or that node, takes messages more slowly than they come.
    async fn send(&mut self, to: Pid, message: SerializedMessage) -> Result<(), SendError> {
        let id = pid::to_id(to).ok_or(SendError::UnknownActor)?;
        // Without a stand-in: those give up what doesn't fit at once, and here the guest can wait for room.
        if !directory::is_ours(id) {
            let sent = directory::send_remote(id, message);
            return Ok(patiently(&self.label, self.limits.send_wait, sent).await??);
        }
        let local = directory::local(id.pid()).ok_or(SendError::UnknownActor)?;
        let Some(inbox) = &local.inbox else {
            return self.send_native(&local, message).await;
        };
        let message = match inbox.put(message) {
            Ok(()) => return Ok(()),
            Err(NotPut {
                message,
                reason: PutRefused::Full,
                // A guest that waited for room in its own mailbox would wait for itself.
            }) if id.pid() != self.label.pid => message,
            Err(NotPut { reason, .. }) => return Err(reason.into()),
        };
        let room = put_when_there_is_room(&**inbox, message);
        patiently(&self.label, self.limits.send_wait, room).await?
    }

    async fn send_native(&mut self, local: &Local, message: SerializedMessage) -> Result<(), SendError> {
        let cost = directory::retained_bytes(&message);
        let room = self.outflow.room(local.cell.get_id().pid(), cost);
        // Dropped at the timeout or with a killed actor, it leaves the probes in their places; nothing was sent by
        // then.
        patiently(&self.label, self.limits.send_wait, room).await?;
        local.send(message)?;
        // After the message, so that the probe comes behind what it stands for.
        self.outflow.sent(&local.cell, cost);
        Ok(())
    }
}

/// Waits for room, but not for ever.
async fn patiently<T>(label: &Label, wait: Duration, room: impl Future<Output = T>) -> Result<T, SendError> {
    timeout(wait, room).await.map_err(|_| {
        telemetry::limit(label, Limit::SendWait(wait));
        SendError::Overloaded
    })
}

async fn put_when_there_is_room(inbox: &dyn Inbox, mut message: SerializedMessage) -> Result<(), SendError> {
    loop {
        // Before the attempt, or room that comes between the two would be missed and the wait be for the next.
        let room = inbox.room();
        message = match (inbox.put(message), &room) {
            (Ok(()), _) => return Ok(()),
            (
                Err(NotPut {
                    message,
                    reason: PutRefused::Full,
                }),
                Some(_),
            ) => message,
            (Err(NotPut { reason, .. }), _) => return Err(reason.into()),
        };
        if let Some(room) = room {
            room.await;
        }
    }
}

impl From<NotSent> for SendError {
    fn from(not_sent: NotSent) -> Self {
        match not_sent {
            NotSent::Unknown => Self::UnknownActor,
            NotSent::Denied => Self::Denied,
        }
    }
}

impl From<PutRefused> for SendError {
    fn from(refused: PutRefused) -> Self {
        match refused {
            PutRefused::Full => Self::Overloaded,
            PutRefused::Ended => Self::Stopped,
        }
    }
}

impl From<SendRefused> for SendError {
    fn from(refused: SendRefused) -> Self {
        match refused {
            SendRefused::UnknownActor => Self::UnknownActor,
            SendRefused::TooLarge => Self::TooLarge,
            SendRefused::Overloaded => Self::Overloaded,
        }
    }
}
