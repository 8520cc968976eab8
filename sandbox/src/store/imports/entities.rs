//! `entities`: messages to actors that exist once for each key.

use ractor::message::SerializedMessage;
use tokio::time::timeout;
use wasmtime::component::{HasSelf, Linker};

use super::RELEASE;
use super::calling::PreparedCall;
use super::tracing::failed;
use crate::accounting::telemetry;
use crate::component::bindings::entities;
use crate::component::bindings::messaging::SendError;
use crate::component::bindings::requests::CallError;
use crate::component::capabilities::{CapabilityImport, Certainty};
use crate::component::imports::Import;
use crate::directory::Placed;
use crate::directory::trace::{self, ActiveSpan};
use crate::entities::{Entity, KeyRefused, NotSent, Refused, Scope, keyed, send_within};
use crate::policy::denied::Denied;
use crate::policy::grants::Capability;
use crate::store::asks::SentCall;
use crate::store::data::StoreData;
use crate::store::interface;

/// The interface `entities`.
pub(super) struct Interface;

impl interface::Interface for Interface {
    fn imports(&self) -> &[Import] {
        const { &[Import::new("ractor:actor/entities", RELEASE)] }
    }

    fn capabilities(&self) -> &[CapabilityImport] {
        const {
            &[CapabilityImport::new(
                Capability::Messages,
                "ractor:actor/entities@",
                &["cast", "call", "ask", "call-keyed", "ask-keyed"],
                Certainty::Called,
            )]
        }
    }

    fn add_to_linker(&self, linker: &mut Linker<StoreData>) -> wasmtime::Result<()> {
        entities::add_to_linker::<_, HasSelf<StoreData>>(linker, |data| data)
    }
}

impl entities::Host for StoreData {
    fn self_entity(&mut self) -> wasmtime::Result<Option<entities::Entity>> {
        let seat = self.context()?.seat.as_ref();
        Ok(seat.map(|seat| entities::Entity {
            type_: seat.entity().entity_type.name().to_owned(),
            key: seat.entity().key.bytes().to_vec(),
        }))
    }

    async fn cast(
        &mut self,
        to: entities::Entity,
        variant: String,
        args: Vec<u8>,
    ) -> wasmtime::Result<Result<(), SendError>> {
        self.side_effect()?;
        // A guest in a loop of casts gives way now and then, also to those it casts to.
        tokio::task::consume_budget().await;
        if !self.fits(&variant, &args) {
            return Ok(Err(SendError::TooLarge));
        }
        let to = match self.entity(&to)? {
            Ok(to) => to,
            Err(error) => return Ok(Err(error.into())),
        };
        let message = SerializedMessage::Cast {
            variant,
            args,
            metadata: None,
        };
        let span = self.entity_span(&to, &message);
        let sent = self.send_to_entity(to, message, span.as_ref()).await;
        Ok(sent.inspect_err(|error| failed(span.as_ref(), error)))
    }

    async fn call(
        &mut self,
        to: entities::Entity,
        variant: String,
        args: Vec<u8>,
        timeout_ms: Option<u64>,
    ) -> wasmtime::Result<Result<Vec<u8>, CallError>> {
        self.call_entity(to, variant, args, timeout_ms, None).await
    }

    async fn ask(
        &mut self,
        to: entities::Entity,
        variant: String,
        args: Vec<u8>,
        timeout_ms: Option<u64>,
    ) -> wasmtime::Result<Result<u64, CallError>> {
        self.ask_entity(to, variant, args, timeout_ms, None).await
    }

    async fn call_keyed(
        &mut self,
        to: entities::Entity,
        variant: String,
        args: Vec<u8>,
        timeout_ms: Option<u64>,
        key: String,
    ) -> wasmtime::Result<Result<Vec<u8>, CallError>> {
        self.call_entity(to, variant, args, timeout_ms, Some(key)).await
    }

    async fn ask_keyed(
        &mut self,
        to: entities::Entity,
        variant: String,
        args: Vec<u8>,
        timeout_ms: Option<u64>,
        key: String,
    ) -> wasmtime::Result<Result<u64, CallError>> {
        self.ask_entity(to, variant, args, timeout_ms, Some(key)).await
    }

    fn delete_self(&mut self) -> wasmtime::Result<bool> {
        self.side_effect()?;
        let seat = self.context()?.seat.as_ref();
        Ok(seat.inspect(|seat| seat.delete()).is_some())
    }
}

impl StoreData {
    /// Sends a call, which may bear a key, and waits for its reply.
    async fn call_entity(
        &mut self,
        to: entities::Entity,
        variant: String,
        args: Vec<u8>,
        timeout_ms: Option<u64>,
        key: Option<String>,
    ) -> wasmtime::Result<Result<Vec<u8>, CallError>> {
        self.durable_before().await?;
        let call = match self.prepare_entity_call(&to, variant, args, timeout_ms)? {
            Ok(call) => call,
            Err(error) => return Ok(Err(error)),
        };
        // The guest can't answer while it waits.
        if self
            .context()?
            .seat
            .as_ref()
            .is_some_and(|seat| *seat.entity() == call.to)
        {
            return Ok(Err(CallError::WouldDeadlock));
        }
        tokio::task::consume_budget().await;
        let PreparedCall {
            to,
            message,
            reply,
            wait,
        } = call;
        let span = self.entity_span(&to, &message);
        // Behind the span, which has the name of the message.
        let message = match self.bearing(&to, message, key)? {
            Ok(message) => message,
            Err(error) => return Ok(Err(error).inspect_err(|error| failed(span.as_ref(), error))),
        };
        let patience = self.limits.send_wait;
        let outcome = timeout(wait.time, async {
            let sent = trace::within(span.as_ref(), send_within(&to, message, patience)).await;
            match sent {
                Ok(()) => Ok(reply.await),
                Err(refused) => Err(refused),
            }
        });
        let concluded = match outcome.await {
            Ok(Ok(outcome)) => self.conclude_call(wait, Some(outcome)),
            Ok(Err(refused)) => Err(SendError::from(refused).into()),
            Err(_) => self.conclude_call(wait, None),
        };
        Ok(concluded.inspect_err(|error| failed(span.as_ref(), error)))
    }

    /// Sends a call, which may bear a key, and gives the token of its reply.
    async fn ask_entity(
        &mut self,
        to: entities::Entity,
        variant: String,
        args: Vec<u8>,
        timeout_ms: Option<u64>,
        key: Option<String>,
    ) -> wasmtime::Result<Result<u64, CallError>> {
        // Before anything else is looked at: it would be heard of only where somebody answers.
        let room = self.asks("entities.ask")?.room();
        let call = match self.prepare_entity_call(&to, variant, args, timeout_ms)? {
            Ok(call) => call,
            Err(error) => return Ok(Err(error)),
        };
        let share = match self.place_of_ask(room) {
            Ok(share) => share,
            Err(error) => return Ok(Err(error)),
        };
        tokio::task::consume_budget().await;
        let PreparedCall {
            to,
            message,
            reply,
            wait,
        } = call;
        let token = self.context()?.actor.next_token();
        let call_span = self.entity_span(&to, &message);
        let message = match self.bearing(&to, message, key)? {
            Ok(message) => message,
            Err(error) => return Ok(Err(error).inspect_err(|error| failed(call_span.as_ref(), error))),
        };
        if let Err(error) = self.send_to_entity(to, message, call_span.as_ref()).await {
            failed(call_span.as_ref(), &error);
            return Ok(Err(error.into()));
        }
        let sent = SentCall {
            // Which actor the entity is may not be known yet.
            target: None,
            placed: Placed::Nowhere,
            reply,
            begun: wait.begun,
            wait: wait.time,
            share,
            span: self.span.clone(),
            call_span,
        };
        self.asks("entities.ask")?.sent(token, sent);
        Ok(Ok(token))
    }

    /// The message with the key that it bears, if it bears one. This actor's keys are its own: by what entity it is, or its name. Actors of a
    /// module that have no names have theirs together.
    fn bearing(
        &self,
        to: &Entity,
        message: SerializedMessage,
        key: Option<String>,
    ) -> wasmtime::Result<Result<SerializedMessage, CallError>> {
        let Some(key) = key else {
            return Ok(Ok(message));
        };
        let myself = self.context()?;
        let scope = match (&myself.seat, myself.cell.get_name()) {
            (Some(seat), _) => Scope::new("guest", &seat.entity().to_string()),
            (None, Some(name)) => Scope::new("guest", &name),
            // By the name of its module.
            (None, None) => Scope::new("unnamed", &self.label.name),
        };
        let refused = |refused: KeyRefused| CallError::Failed(refused.to_string());
        Ok(keyed(to, &scope, &key, message).map_err(refused))
    }

    /// The entity that is meant, if there may be one and the guest may send to it.
    fn entity(&self, to: &entities::Entity) -> wasmtime::Result<Result<Entity, CallError>> {
        let myself = self.context()?;
        let Ok(entity) = Entity::new(&to.type_, &to.key) else {
            return Ok(Err(CallError::UnknownActor));
        };
        let grants = &myself.grants.messages;
        let is_itself = || myself.seat.as_ref().is_some_and(|seat| *seat.entity() == entity);
        if !grants.are_everyone() && !is_itself() && !grants.include_name(&entity.to_string()) {
            telemetry::denied(&self.label, Denied::Messages(Some(&entity.to_string())));
            return Ok(Err(CallError::Denied));
        }
        Ok(Ok(entity))
    }

    fn entity_span(&self, to: &Entity, message: &SerializedMessage) -> Option<ActiveSpan> {
        self.begin_span_to(|| to.to_string(), message)
    }

    fn prepare_entity_call(
        &mut self,
        to: &entities::Entity,
        variant: String,
        args: Vec<u8>,
        timeout_ms: Option<u64>,
    ) -> wasmtime::Result<Result<PreparedCall<Entity>, CallError>> {
        self.side_effect()?;
        if let Err(error) = self.check_call(&variant, &args) {
            return Ok(Err(error));
        }
        let to = match self.entity(to)? {
            Ok(to) => to,
            Err(error) => return Ok(Err(error)),
        };
        Ok(Ok(self.made_call(to, variant, args, timeout_ms)))
    }

    /// Sends at once, and waits for room; or once the state is durable that the message follows from.
    async fn send_to_entity(
        &mut self,
        to: Entity,
        message: SerializedMessage,
        span: Option<&ActiveSpan>,
    ) -> Result<(), SendError> {
        let patience = self.limits.send_wait;
        let Some(seat) = self.holding_seat() else {
            let sent = trace::within(span, send_within(&to, message, patience)).await;
            return sent.map_err(SendError::from);
        };
        self.hold_message(seat, message, span, async move |message| {
            send_within(&to, message, patience).await.is_ok()
        })
    }
}

impl From<Refused> for SendError {
    fn from(refused: Refused) -> Self {
        match refused.reason {
            NotSent::Overloaded => Self::Overloaded,
            _ => Self::UnknownActor,
        }
    }
}
