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
use super::guest::{Guest, Opaque, Presence, Running};
use super::guest_cell::GuestCell;
use super::spawn::Start;
use crate::accounting::tally::Tally;
use crate::directory::{self, Audience};
use crate::instance::casts::Casts;
use crate::store::mailbox::waiting::Received;
use crate::store::mailbox::{AnswersAhead, Mailbox};

#[cfg_attr(feature = "async-trait", ractor::async_trait)]
impl Actor for Guest {
    type Msg = Opaque;
    type State = Running;
    type Arguments = Start;

    async fn pre_start(&self, myself: ActorRef<Opaque>, start: Start) -> Result<Running, ActorProcessingErr> {
        let cell = myself.get_cell();
        let label = self.label(&cell);
        let (limits, quota) = (self.profile.limits.clone(), self.family.quota().clone());
        let mailbox = Arc::new(Mailbox::new(cell.clone(), label.clone(), limits, quota));
        // Before any of its code runs: it may send to itself and be answered, and its name must be its own by then.
        // Of entities there may be very many, and they are found by their keys.
        let audience = match self.seat {
            Some(_) => Audience::ThisProcess,
            None => Audience::Everyone,
        };
        let hosted =
            directory::register_hosted(cell.clone(), Some(mailbox.clone()), audience).map_err(SpawnError::from)?;
        let commands = Arc::new(Commands::new(mailbox.clone()));
        let parent = Arc::new(Parent::new(cell.clone(), commands.clone(), mailbox.clone(), self));
        let tally = Tally::of(self.module.engine().module_tally(self.module.name()));
        // The module may have a newer version by now than when the actor was asked for.
        let life = self.modules.enter(&self.module, |module| {
            let made = (module, Arc::new(tally));
            GuestCell::new(cell.clone(), mailbox, commands, self.profile.clone(), parent, made)
        });
        let answers: Arc<dyn AnswersAhead> = life.clone();
        // Weak, because the mailbox is a part of what answers for it.
        life.mailbox.answered_by(Arc::downgrade(&answers));
        // From here on it is found, and asked things: if its start fails, dropping this tells whoever has asked.
        let presence = Presence::new(hosted, self.modules.clone(), life.clone(), self.seat.clone());
        let instance = self
            .start_instance(&life, &label, &life.module())
            .await
            .map_err(SpawnError::from)?;
        self.set_presence(Some(presence));
        // Only an actor that has started is a member: who sends to the group must reach somebody.
        for group in start.groups {
            group.join(cell.clone());
        }
        // Whoever started the actor may have given up meanwhile.
        start.told.send(life.clone()).ok();
        Ok(Running {
            instance: Some(Box::new(instance)),
            life,
            casts: Casts::new(label.clone(), &self.profile.limits),
            label,
            probation: None,
            pending: None,
            held: None,
            seat: self.seat.clone(),
        })
    }

    // The futures of all that follows are boxed: ractor moves that of a message several times, and what waits in an actor
    // has the size of the largest.

    async fn post_start(&self, myself: ActorRef<Opaque>, running: &mut Running) -> Result<(), ActorProcessingErr> {
        Box::pin(self.started(myself, running)).await
    }

    async fn handle_serialized(
        &self,
        myself: ActorRef<Opaque>,
        message: SerializedMessage,
        running: &mut Running,
    ) -> Result<(), ActorProcessingErr> {
        // First, whatever token this is: what is asked of the actor goes before messages that wait longer.
        if running.life.commands.are_pending() && !Box::pin(self.run_commands(&myself, running)).await? {
            return Ok(());
        }
        // One of a native actor has no trace: see `directory::trace`. That of any other is in the guest's own mailbox.
        let received = Received { message, trace: None };
        if running.held.is_some() {
            return Box::pin(self.take_held(&myself, received, running)).await;
        }
        match running.gather(received) {
            Gathered::Waits => Ok(()),
            Gathered::Due => Box::pin(self.handle_held_casts(&myself, running)).await.map(drop),
            Gathered::Arrived => Box::pin(self.handle_arrivals(&myself, running)).await.map(drop),
            Gathered::Apart(received) => Box::pin(self.take_message(&myself, received, running)).await.map(drop),
        }
    }

    async fn handle_supervisor_evt(
        &self,
        myself: ActorRef<Opaque>,
        event: SupervisionEvent,
        running: &mut Running,
    ) -> Result<(), ActorProcessingErr> {
        Box::pin(self.handle_event(myself, event, running)).await
    }

    async fn post_stop(&self, myself: ActorRef<Opaque>, running: &mut Running) -> Result<(), ActorProcessingErr> {
        Box::pin(self.stopped(&myself, running)).await
    }
}
