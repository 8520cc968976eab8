//! What a guest does when ractor calls: with a message, with news of another actor, when it has started and when it stops.

use ractor::message::SerializedMessage;
use ractor::{ActorProcessingErr, ActorRef, SupervisionEvent};

use super::commands::Command;
use super::describe;
use super::events;
use super::guest::{Alive, Guest, Opaque};
use super::work::{Work, handle};
use crate::accounting::label::Label;
use crate::accounting::telemetry;
use crate::directory::DESCRIBE_VARIANT;
use crate::store::mailbox::waiting::is_cast;

impl Guest {
    pub(crate) async fn started(&self, myself: ActorRef<Opaque>, alive: &mut Alive) -> Result<(), ActorProcessingErr> {
        let mut instance = alive.take()?;
        let outcome = instance.post_start().await;
        self.settle(&myself, alive, instance, outcome).await.map(drop)
    }

    /// Handles a message by itself, after the casts that are held.
    pub(crate) async fn take_message(
        &self,
        myself: ActorRef<Opaque>,
        message: SerializedMessage,
        alive: &mut Alive,
    ) -> Result<(), ActorProcessingErr> {
        let is_cast = is_cast(&message);
        if !Box::pin(self.work_off(&myself, alive)).await? {
            telemetry::dead_letters(&alive.label, "ended", usize::from(is_cast));
            return Ok(());
        }
        let message = match message {
            SerializedMessage::Call { variant, reply, .. } if variant == DESCRIBE_VARIANT => {
                Box::pin(describe::answer(&alive.life, reply)).await;
                return Ok(());
            }
            message => message,
        };
        if alive.probation.is_some() {
            return Box::pin(self.prove(&myself, alive, Work::Message(message)))
                .await
                .map(drop);
        }
        let mut instance = alive.take()?;
        let outcome = handle(&mut instance, message).await;
        if is_cast && outcome.is_err() {
            telemetry::dead_letters(&alive.label, "failed", 1);
        }
        self.settle(&myself, alive, instance, outcome).await.map(drop)
    }

    pub(crate) async fn hear(
        &self,
        myself: ActorRef<Opaque>,
        event: SupervisionEvent,
        alive: &mut Alive,
    ) -> Result<(), ActorProcessingErr> {
        let mut instance = alive.take()?;
        let hears = instance.hears(&event);
        let Some(event) = events::for_guest(event, &self.family).filter(|_| hears) else {
            alive.instance = Some(instance);
            return Ok(());
        };
        if alive.probation.is_some() {
            alive.instance = Some(instance);
            return Box::pin(self.prove(&myself, alive, Work::News(event))).await.map(drop);
        }
        let outcome = instance.handle_supervisor_evt(&event).await;
        self.settle(&myself, alive, instance, outcome).await.map(drop)
    }

    pub(crate) async fn stopped(&self, alive: &mut Alive) -> Result<(), ActorProcessingErr> {
        let mut instance = alive.take()?;
        self.keep_last(&alive.life, &alive.label, &mut instance).await;
        let outcome = instance.post_stop().await;
        self.set_presence(None);
        Ok(outcome?)
    }

    /// Does all that the host asks. True if the actor goes on.
    pub(crate) async fn obey_all(
        &self,
        myself: &ActorRef<Opaque>,
        alive: &mut Alive,
    ) -> Result<bool, ActorProcessingErr> {
        while let Some(command) = alive.life.commands.take() {
            if !self.obey(myself, alive, command).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    async fn obey(
        &self,
        myself: &ActorRef<Opaque>,
        alive: &mut Alive,
        command: Command,
    ) -> Result<bool, ActorProcessingErr> {
        match command {
            Command::Restart(reason) => {
                let Label { name, pid, .. } = &alive.label;
                tracing::info!(actor = &**name, pid, reason, "restarting the actor");
                self.renew(myself, alive).await?;
            }
            Command::Stop => {
                let instance = alive.take()?;
                return self.stop(myself, alive, instance, None).await;
            }
            Command::Reload(request) => return self.reload(myself, alive, *request).await,
            Command::Confirm => alive.confirm(),
            Command::Snapshot(asked) => self.snapshot(myself, alive, asked).await?,
        }
        Ok(true)
    }
}
