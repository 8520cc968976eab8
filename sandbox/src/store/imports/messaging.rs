//! `messaging`: messages to other actors. The host passes the bytes on and never looks into them.

use std::time::Duration;

use ractor::message::SerializedMessage;
use tokio::time::timeout;
use wasmtime::component::{HasSelf, Linker};

use super::RELEASE;
use super::recipients::NotSent;
use super::tracing::failed;
use crate::accounting::label::Label;
use crate::accounting::telemetry;
use crate::component::bindings::messaging::{self, ReplyError, SendError};
use crate::component::bindings::requests::CallError;
use crate::component::bindings::types::Pid;
use crate::component::capabilities::{CapabilityImport, Certainty};
use crate::component::imports::Import;
use crate::directory::trace::{self, ActiveSpan};
use crate::directory::{self, Inbox, Local, NotPut, Placed, PutRefused, SendRefused, Sender};
use crate::entities::{Output, Seat};
use crate::policy::grants::Capability;
use crate::policy::limits::Limit;
use crate::store::data::StoreData;
use crate::store::interface;
use crate::store::mailbox::waiting::is_cast;
use crate::store::outflow::Outflow;
use crate::store::pid;

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
        // Kept for those who trace the actor: the message itself is gone by then.
        let shown = self.is_traced.then(|| (variant.clone(), args.clone()));
        let message = SerializedMessage::Cast {
            variant,
            args,
            metadata: None,
        };
        let span = self.begin_span(to, &message);
        let sent = self.send(to, message, span.as_ref()).await.map(drop);
        let sent = sent.inspect_err(|error| failed(span.as_ref(), error));
        if let Some((variant, args)) = shown {
            self.show_cast(&variant, &args, to, sent.err());
        }
        Ok(sent)
    }

    async fn call(
        &mut self,
        to: Pid,
        variant: String,
        args: Vec<u8>,
        timeout_ms: Option<u64>,
    ) -> wasmtime::Result<Result<Vec<u8>, SendError>> {
        let called = self.call_actor(to, variant, args, timeout_ms).await?;
        Ok(called.map_err(SendError::from))
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
        self.tally.answered();
        if self.is_traced {
            self.show_reply(reply_to, Ok(&bytes));
        }
        Ok(self.put_out_reply(port, bytes).map_err(|_| ReplyError::TooLate))
    }

    fn drop_call(&mut self, reply_to: u64) -> wasmtime::Result<()> {
        self.side_effect()?;
        self.context()?;
        if self.replies.take(reply_to).is_some() {
            self.tally.failed();
            if self.is_traced {
                self.show_reply(reply_to, Err(&"the actor has dropped the call"));
            }
        }
        Ok(())
    }

    fn fail_call(&mut self, reply_to: u64, reason: String) -> wasmtime::Result<()> {
        self.side_effect()?;
        self.context()?;
        if let Some(port) = self.replies.take(reply_to) {
            if self.is_traced {
                self.show_reply(reply_to, Err(&reason));
            }
            self.fail(port, None, &reason);
        }
        Ok(())
    }

    fn is_waiting(&mut self, reply_to: u64) -> wasmtime::Result<bool> {
        self.context()?;
        Ok(self.replies.is_waiting(reply_to))
    }

    fn next_cast(&mut self) -> wasmtime::Result<bool> {
        let stops = self.stopping.is_some() || self.pending.is_some() || self.context()?.actor.has_commands();
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

    /// Sends to an actor of this process, or past its stand-in to one of another node. The guest's fiber waits while that
    /// actor, or that node, takes messages more slowly than they come.
    pub(super) async fn send(
        &mut self,
        to: Pid,
        message: SerializedMessage,
        span: Option<&ActiveSpan>,
    ) -> Result<Placed, SendError> {
        match self.holding_seat() {
            None => self.send_at_once(to, message, span).await,
            Some(seat) => self.send_held(seat, to, message, span).map(|()| Placed::Nowhere),
        }
    }

    /// As [`send`](Self::send), for what can't wait until the state is durable: something is to come of it before there is one.
    pub(super) async fn send_at_once(
        &mut self,
        to: Pid,
        message: SerializedMessage,
        span: Option<&ActiveSpan>,
    ) -> Result<Placed, SendError> {
        trace::within(span, self.send_now(to, message)).await
    }

    /// Sends once the state is durable that the message follows from. That it was not taken then is counted as a dead letter; a call's
    /// caller hears.
    fn send_held(
        &self,
        seat: &Seat,
        to: Pid,
        message: SerializedMessage,
        span: Option<&ActiveSpan>,
    ) -> Result<(), SendError> {
        let sender = Departing {
            label: self.label.clone(),
            wait: self.limits.send_wait,
        };
        let outflow = self.held_outflow.get_or_init(std::sync::Arc::default).clone();
        self.hold_message(seat, message, span, async move |message| {
            let mut outflow = outflow.lock_owned().await;
            sender.send(&mut outflow, to, message).await.is_ok()
        })
    }

    /// Keeps a message until the state that it follows from is durable, to be sent like this then. True of that means that it was taken.
    pub(super) fn hold_message<F>(
        &self,
        seat: &Seat,
        message: SerializedMessage,
        span: Option<&ActiveSpan>,
        send: impl FnOnce(SerializedMessage) -> F,
    ) -> Result<(), SendError>
    where
        F: Future<Output = bool> + Send + 'static,
    {
        let (bytes, is_cast) = (directory::retained_bytes(&message), is_cast(&message));
        let (label, trace) = (self.label.clone(), span.map(|span| span.context().clone()));
        let sending = send(message);
        let leaves = async move {
            let is_taken = match trace {
                Some(trace) => trace::carry(trace, sending).await,
                None => sending.await,
            };
            if !is_taken && is_cast {
                telemetry::dead_letters(&label, "held", 1);
            }
        };
        let held = self.hold(seat, Output::Wait(Box::pin(leaves)), bytes);
        held.map_err(|_| SendError::Overloaded)
    }

    async fn send_now(&mut self, to: Pid, message: SerializedMessage) -> Result<Placed, SendError> {
        let Self {
            label, limits, outflow, ..
        } = self;
        let sender = Departing {
            label: label.clone(),
            wait: limits.send_wait,
        };
        sender.send(outflow, to, message).await
    }
}

/// Who sends, and how patiently.
struct Departing {
    label: Label,
    wait: Duration,
}

impl Departing {
    async fn send(&self, outflow: &mut Outflow, to: Pid, message: SerializedMessage) -> Result<Placed, SendError> {
        let id = pid::to_id(to).ok_or(SendError::UnknownActor)?;
        // Without a stand-in: those give up what doesn't fit at once, and here the guest can wait for room.
        if !directory::is_ours(id) {
            let sent = directory::send_remote(id, message);
            patiently(&self.label, self.wait, sent).await??;
            return Ok(Placed::Nowhere);
        }
        let local = directory::local(id.pid()).ok_or(SendError::UnknownActor)?;
        let Some(inbox) = &local.inbox else {
            self.send_native(outflow, &local, message).await?;
            return Ok(Placed::Nowhere);
        };
        let pid = self.label.pid;
        let message = match put_as(pid, &**inbox, message) {
            Ok(placed) => return Ok(placed),
            Err(NotPut {
                message,
                reason: PutRefused::Full,
                // A guest that waited for room in its own mailbox would wait for itself.
            }) if id.pid() != self.label.pid => message,
            Err(NotPut { reason, .. }) => return Err(reason.into()),
        };
        let room = put_when_there_is_room(pid, &**inbox, message);
        patiently(&self.label, self.wait, room).await?
    }

    async fn send_native(
        &self,
        outflow: &mut Outflow,
        local: &Local,
        message: SerializedMessage,
    ) -> Result<(), SendError> {
        let cost = directory::retained_bytes(&message);
        let room = outflow.room(local.cell.get_id().pid(), cost);
        // Dropped at the timeout or with a killed actor, it leaves the probes in their places; nothing was sent by
        // then.
        patiently(&self.label, self.wait, room).await?;
        match trace::carried() {
            None => local.send(message)?,
            Some(context) => trace::deliver(local, message, (*context).clone())?,
        }
        // After the message, so that the probe comes behind what it stands for.
        outflow.sent(&local.cell, cost);
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

/// Puts a message of the actor with this pid.
fn put_as(pid: u64, inbox: &dyn Inbox, message: SerializedMessage) -> Result<Placed, NotPut> {
    // Each time: what is refused is forgotten.
    if directory::is_anyone_traced() {
        inbox.comes_from(&message, Sender::Actor(pid));
    }
    inbox.put(message)
}

async fn put_when_there_is_room(
    pid: u64,
    inbox: &dyn Inbox,
    mut message: SerializedMessage,
) -> Result<Placed, SendError> {
    loop {
        // Before the attempt, or room that comes between the two would be missed and the wait be for the next.
        let room = inbox.room();
        message = match (put_as(pid, inbox, message), &room) {
            (Ok(placed), _) => return Ok(placed),
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

impl From<CallError> for SendError {
    fn from(error: CallError) -> Self {
        match error {
            CallError::UnknownActor => Self::UnknownActor,
            CallError::Stopped => Self::Stopped,
            CallError::TooLarge => Self::TooLarge,
            CallError::Timeout => Self::Timeout,
            // This interface has no word for a reason.
            CallError::NoReply | CallError::Failed(_) => Self::NoReply,
            CallError::WouldDeadlock => Self::WouldDeadlock,
            CallError::Overloaded | CallError::TooMany => Self::Overloaded,
            CallError::Denied => Self::Denied,
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
