//! `requests`: calls whose failure has a reason, and calls that the guest doesn't stand still for.

use wasmtime::component::{HasSelf, Linker};

use super::RELEASE;
use super::calling::PreparedCall;
use super::recipients::NotSent;
use super::tracing::failed;
use crate::accounting::family::Share;
use crate::accounting::telemetry;
use crate::component::bindings::messaging::SendError;
use crate::component::bindings::requests::{self, CallError, Mailbox};
use crate::component::bindings::types::Pid;
use crate::component::capabilities::{CapabilityImport, Certainty};
use crate::component::imports::Import;
use crate::directory;
use crate::policy::grants::Capability;
use crate::policy::limits::Limit;
use crate::store::asks::{Asks, SentCall};
use crate::store::data::StoreData;
use crate::store::interface;
use crate::store::pid;

/// The interface `requests`.
pub(super) struct Interface;

impl interface::Interface for Interface {
    fn imports(&self) -> &[Import] {
        const { &[Import::new("ractor:actor/requests", RELEASE)] }
    }

    fn capabilities(&self) -> &[CapabilityImport] {
        const {
            &[CapabilityImport::new(
                Capability::Messages,
                "ractor:actor/requests@",
                &["call", "ask"],
                Certainty::Called,
            )]
        }
    }

    fn add_to_linker(&self, linker: &mut Linker<StoreData>) -> wasmtime::Result<()> {
        requests::add_to_linker::<_, HasSelf<StoreData>>(linker, |data| data)
    }
}

impl requests::Host for StoreData {
    async fn call(
        &mut self,
        to: Pid,
        variant: String,
        args: Vec<u8>,
        timeout_ms: Option<u64>,
    ) -> wasmtime::Result<Result<Vec<u8>, CallError>> {
        self.call_actor(to, variant, args, timeout_ms).await
    }

    async fn ask(
        &mut self,
        to: Pid,
        variant: String,
        args: Vec<u8>,
        timeout_ms: Option<u64>,
    ) -> wasmtime::Result<Result<u64, CallError>> {
        if self.is_traced {
            let shown = variant.clone();
            let since = self.show_call(&variant, &args, to);
            let asked = Box::pin(self.ask_actor(to, variant, args, timeout_ms)).await?;
            self.show_asked(&shown, to, since, asked.as_ref().copied());
            return Ok(asked);
        }
        self.ask_actor(to, variant, args, timeout_ms).await
    }

    fn cancel(&mut self, token: u64) -> wasmtime::Result<bool> {
        self.side_effect()?;
        self.context()?;
        Ok(self.asks.as_ref().is_some_and(|asks| asks.cancel(token)))
    }

    fn pending(&mut self, mailbox: Mailbox) -> wasmtime::Result<()> {
        self.may_act()?;
        self.context()?;
        self.pending = match (self.pending, mailbox) {
            (Some(Mailbox::Held), _) | (_, Mailbox::Held) => Some(Mailbox::Held),
            (_, Mailbox::Open) => Some(Mailbox::Open),
        };
        Ok(())
    }
}

impl StoreData {
    /// Sends a call whose reply comes later, under a token.
    async fn ask_actor(
        &mut self,
        to: Pid,
        variant: String,
        args: Vec<u8>,
        timeout_ms: Option<u64>,
    ) -> wasmtime::Result<Result<u64, CallError>> {
        // Before anything else is looked at: it would be heard of only where somebody answers.
        let room = self.asks("requests.ask")?.room();
        let call = match self.prepare_call(to, variant, args, timeout_ms).await? {
            Ok(call) => call,
            Err(error) => return Ok(Err(error)),
        };
        let share = match self.place_of_ask(room) {
            Ok(share) => share,
            Err(error) => return Ok(Err(error)),
        };
        // A guest in a loop of asks gives way now and then, also to those that it asks.
        tokio::task::consume_budget().await;
        let PreparedCall {
            to,
            message,
            reply,
            wait,
        } = call;
        let token = self.context()?.actor.next_token();
        let guest = pid::to_id(to).filter(|id| directory::inbox(*id).is_some());
        let call_span = self.begin_span(to, &message);
        let placed = match self.send(to, message, call_span.as_ref()).await {
            Ok(placed) => placed,
            Err(error) => {
                failed(call_span.as_ref(), &error);
                return Ok(Err(error.into()));
            }
        };
        // Entered when it was accepted: until then nobody but the caller, who hears it from here, is to learn of an error.
        let sent = SentCall {
            target: guest.map(|id| id.pid()),
            placed,
            reply,
            begun: wait.begun,
            wait: wait.time,
            share,
            span: self.span.clone(),
            call_span,
        };
        self.asks("requests.ask")?.sent(token, sent);
        Ok(Ok(token))
    }

    /// The place of an ask, if there was room for it.
    pub(super) fn place_of_ask(&self, room: Result<Share, Limit>) -> Result<Share, CallError> {
        room.map_err(|limit| {
            telemetry::limit(&self.label, limit);
            CallError::TooMany
        })
    }

    /// The asks of the actor, for an import through which something is to come.
    pub(super) fn asks(&mut self, import: &'static str) -> wasmtime::Result<&Asks> {
        let myself = self.context()?;
        if !self.hears_replies {
            return Err(wasmtime::Error::new(NobodyHears(import)));
        }
        let (actor, quota) = (myself.actor.clone(), myself.family.quota().clone());
        let Self {
            asks,
            label,
            limits,
            tally,
            ..
        } = self;
        Ok(asks.get_or_insert_with(|| Asks::new(label.clone(), limits.clone(), quota, actor, tally.clone())))
    }
}

/// A guest waits for what it could not be called for.
#[derive(Debug, thiserror::Error)]
#[error(
    "it used `{0}`, and what comes of that comes through the interface `ractor:actor/replies`, which the component does not export; export \
     it, or use `requests.call` and `timers.send-after`"
)]
struct NobodyHears(&'static str);

impl From<NotSent> for CallError {
    fn from(not_sent: NotSent) -> Self {
        match not_sent {
            NotSent::Unknown => Self::UnknownActor,
            NotSent::Denied => Self::Denied,
        }
    }
}

impl From<SendError> for CallError {
    fn from(error: SendError) -> Self {
        match error {
            SendError::UnknownActor => Self::UnknownActor,
            SendError::Stopped => Self::Stopped,
            SendError::TooLarge => Self::TooLarge,
            SendError::Timeout => Self::Timeout,
            SendError::NoReply => Self::NoReply,
            SendError::WouldDeadlock => Self::WouldDeadlock,
            SendError::Overloaded => Self::Overloaded,
            SendError::Denied => Self::Denied,
        }
    }
}
