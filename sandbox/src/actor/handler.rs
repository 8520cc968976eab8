//! The handler of a guest's messages, as ractor calls it.
//!
//! To ractor a guest is an actor with a remote id, so that it gets messages as bytes: see [`crate::directory`].

use std::sync::Arc;

use ractor::message::SerializedMessage;
use ractor::{Actor, ActorProcessingErr, ActorRef, SupervisionEvent};

use super::batch::Gathered;
use super::children::Parent;
use super::commands::Commands;
use super::error::SpawnError;
use super::guest::{Alive, Guest, Opaque, Presence};
use super::guest_cell::GuestCell;
use super::spawn::Start;
use crate::directory;
use crate::instance::casts::Casts;
use crate::store::mailbox::{AnswersAhead, Mailbox};

#[cfg_attr(feature = "async-trait", ractor::async_trait)]
impl Actor for Guest {
    type Msg = Opaque;
    type State = Alive;
    type Arguments = Start;

    async fn pre_start(&self, myself: ActorRef<Opaque>, start: Start) -> Result<Alive, ActorProcessingErr> {
        let cell = myself.get_cell();
        let label = self.label(&cell);
        let (limits, purse) = (self.profile.limits.clone(), self.family.purse().clone());
        let mailbox = Arc::new(Mailbox::new(cell.clone(), label.clone(), limits, purse));
        let hosted = directory::register_hosted(cell.clone(), mailbox.clone()).map_err(SpawnError::from)?;
        let commands = Arc::new(Commands::new(mailbox.clone()));
        let parent = Arc::new(Parent::new(cell.clone(), commands.clone(), self));
        // The module may have a newer version by now than when the actor was asked for.
        let life = self.modules.enter(&self.module, |module| {
            GuestCell::new(cell.clone(), mailbox, commands, self.profile.clone(), parent, module)
        });
        let answers: Arc<dyn AnswersAhead> = life.clone();
        life.mailbox.answered_by(Arc::downgrade(&answers));
        let presence = Presence::new(hosted, self.modules.clone(), life.clone());
        let instance = self
            .begin(&life, &label, &life.module())
            .await
            .map_err(SpawnError::from)?;
        self.set_presence(Some(presence));
        for group in start.groups {
            group.join(cell.clone());
        }
        // Whoever started the actor may have given up meanwhile.
        start.told.send(life.clone()).ok();
        Ok(Alive {
            instance: Some(Box::new(instance)),
            life,
            casts: Casts::new(label.clone(), &self.profile.limits),
            label,
            probation: None,
        })
    }

    // The futures of all that follows are boxed: ractor moves that of a message several times, and what waits in an actor
    // has the size of the largest.

    async fn post_start(&self, myself: ActorRef<Opaque>, alive: &mut Alive) -> Result<(), ActorProcessingErr> {
        Box::pin(self.started(myself, alive)).await
    }

    async fn handle_serialized(
        &self,
        myself: ActorRef<Opaque>,
        message: SerializedMessage,
        alive: &mut Alive,
    ) -> Result<(), ActorProcessingErr> {
        if alive.life.commands.are_pending() && !Box::pin(self.obey_all(&myself, alive)).await? {
            return Ok(());
        }
        match alive.gather(message) {
            Gathered::Waits => Ok(()),
            Gathered::Due => Box::pin(self.work_off(&myself, alive)).await.map(drop),
            Gathered::Apart(message) => Box::pin(self.take_message(myself, message, alive)).await,
        }
    }

    async fn handle_supervisor_evt(
        &self,
        myself: ActorRef<Opaque>,
        event: SupervisionEvent,
        alive: &mut Alive,
    ) -> Result<(), ActorProcessingErr> {
        Box::pin(self.hear(myself, event, alive)).await
    }

    async fn post_stop(&self, _: ActorRef<Opaque>, alive: &mut Alive) -> Result<(), ActorProcessingErr> {
        Box::pin(self.stopped(alive)).await
    }
}
