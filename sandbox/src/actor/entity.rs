//! Guests as entities: what they start from, and when their states are kept.

use std::sync::Arc;

use ractor::{ActorCell, ActorProcessingErr, ActorRef};

use super::commands::Command;
use super::guest::{Guest, Opaque, Running};
use super::guest_cell::{GuestCell, GuestRef};
use super::modules::Modules;
use super::spawn::{GuestOptions, spawn};
use crate::accounting::label::Label;
use crate::accounting::tally::Held;
use crate::component::bindings::requests::Mailbox as PendingMailbox;
use crate::directory::{self, BoxFuture, Local};
use crate::entities::{Activated, EntityCode, LiveEntity, Seat};
use crate::instance::calls::Instance;
use crate::instance::error::{Fault, GuestError};
use crate::instance::module::Module;
use crate::instance::reload::NoSnapshot;
use crate::policy::restart::RestartPolicy;

/// A type of entities that are guests: each activation is one, of what is the current version of the module then.
#[derive(Debug)]
pub struct GuestEntities {
    module: String,
    modules: Modules,
    options: GuestOptions,
}

impl GuestEntities {
    /// Entities that are guests of the module of this name among those of the options, each started as these say.
    pub fn new(module: impl Into<String>, options: GuestOptions) -> Self {
        Self {
            module: module.into(),
            modules: options.modules.clone(),
            options,
        }
    }
}

impl EntityCode for GuestEntities {
    fn name(&self) -> &str {
        &self.module
    }

    fn activate<'a>(&'a self, seat: &'a Seat, supervisor: ActorCell) -> BoxFuture<'a, Result<Activated, String>> {
        Box::pin(async move {
            let module = self.modules.find(&self.module);
            let module = module.ok_or_else(|| format!("there is no module {:?} any more", self.module))?;
            let options = GuestOptions {
                name: Some(seat.entity().to_string()),
                seat: Some(seat.clone()),
                // One that fails ends, and what waits for it activates it again: a budget of restarts would be that of all of them.
                restarting: RestartPolicy::default(),
                ..self.options.clone()
            };
            let spawned = spawn(&module, options, supervisor).await;
            let handle = spawned.map_err(|error| error.to_string())?;
            let live = handle.live().clone();
            let cell = handle.cell;
            let inbox = directory::inbox(cell.get_id());
            Ok(Activated {
                local: Local { cell, inbox },
                ended: Box::pin(async move { drop(handle.ended.await) }),
                live: Arc::new(live),
            })
        })
    }

    /// The module's, whether any entity is active or not.
    fn describe<'a>(&'a self, question: &'a [u8]) -> BoxFuture<'a, Option<Vec<u8>>> {
        Box::pin(async move {
            let description = self.modules.find(&self.module)?.description().await.ok()?;
            description.to(question).map(<[u8]>::to_vec)
        })
    }
}

impl LiveEntity for GuestRef {
    fn is_busy(&self) -> bool {
        let tally = &self.0.tally;
        let held = [Held::OpenCall, Held::Ask, Held::Timer];
        held.into_iter().any(|held| tally.held(held) > 0) || !self.cell().get_children().is_empty()
    }

    fn keep_state(&self) {
        self.0.commands.request(Command::KeepState);
    }

    fn gives_back(&self) -> bool {
        true
    }
}

impl Guest {
    /// An instance with the state that the entity has, or one that starts afresh.
    pub(super) async fn start_entity(
        &self,
        seat: &Seat,
        life: &Arc<GuestCell>,
        label: &Label,
        module: &Module,
    ) -> Result<Instance, GuestError> {
        let unread = |reason: String| GuestError {
            actor: label.name.clone(),
            pid: label.pid,
            during: "its start".to_owned(),
            fault: Fault::CheckpointsUnread(reason),
        };
        let note_room = |error: &GuestError| {
            if matches!(error.fault, Fault::NoInstance { refused: None, .. }) {
                seat.has_no_room();
            }
        };
        match seat.load().await.map_err(|error| unread(error.to_string()))? {
            Some(state) => {
                let made = self.new_instance(life, label, module).await;
                let mut instance = made.inspect_err(note_room)?;
                instance.restore(&state.bytes, state.state_version).await?;
                Ok(instance)
            }
            None => self.instantiate(life, label, module).await.inspect_err(note_room),
        }
    }

    /// After a callback of an entity: its state is kept, if it is time, or it ends. True if the actor goes on.
    pub(super) async fn keep_state(
        &self,
        myself: &ActorRef<Opaque>,
        running: &mut Running,
        seat: &Seat,
    ) -> Result<bool, ActorProcessingErr> {
        if let Some(pending) = running.pending {
            if pending == PendingMailbox::Open && seat.holds_outputs() {
                let reason = "it takes messages while a handler is pending, and then there is no moment at which its state could be written; \
                              hold the mailbox, or choose another `durability`";
                let error = unkept(&running.label, reason);
                self.recover(myself, running, error).await?;
                return Ok(true);
            }
            seat.unfinished();
            return Ok(true);
        }
        if seat.wants_state() && !self.take_state(myself, running, seat).await? {
            return Ok(true);
        }
        if seat.is_refused() {
            return Err("its state could not be written".into());
        }
        if seat.is_deleted() {
            myself.stop(Some("its state was deleted".to_owned()));
            return Ok(false);
        }
        // What it does by files, sockets and requests can't be held: so nothing else is done before this is durable.
        if seat.holds_outputs() && self.profile.grants.change_the_host() && !seat.settle().await {
            return Err("its state could not be written".into());
        }
        Ok(true)
    }

    /// Takes the state and gives it to the seat. False if the instance was lost over it.
    async fn take_state(
        &self,
        myself: &ActorRef<Opaque>,
        running: &mut Running,
        seat: &Seat,
    ) -> Result<bool, ActorProcessingErr> {
        if seat.is_deleted() {
            seat.keep(0, Vec::new());
            return Ok(true);
        }
        let mut instance = running.take()?;
        let error = match state_of(&running.life, &running.label, &mut instance).await {
            Ok((state_version, state)) => {
                running.put_unused(instance);
                seat.keep(state_version, state);
                return Ok(true);
            }
            Err(error) => error,
        };
        drop(instance);
        self.recover(myself, running, error).await?;
        Ok(false)
    }

    /// What an entity knows that ends in order is kept, and what it has done leaves before it is gone.
    pub(super) async fn end_entity(&self, running: &mut Running, seat: &Seat, instance: &mut Instance) {
        let Label { name, pid, .. } = &running.label;
        if running.pending.is_some() {
            seat.unfinished();
        } else if seat.is_deleted() {
            seat.keep(0, Vec::new());
        } else if seat.needs_last_state() {
            match state_of(&running.life, &running.label, instance).await {
                Ok((state_version, state)) => seat.keep(state_version, state),
                Err(error) => tracing::error!(actor = &**name, pid, %error, "the last state of the entity is not kept"),
            }
        }
        if !seat.settle().await {
            tracing::error!(
                actor = &**name,
                pid,
                "the last state of the entity could not be written"
            );
        }
    }
}

async fn state_of(life: &GuestCell, label: &Label, instance: &mut Instance) -> Result<(u32, Vec<u8>), GuestError> {
    let state = match instance.snapshot().await {
        Ok(state) => state,
        Err(NoSnapshot::Refused(error) | NoSnapshot::Trapped(error)) => return Err(error),
    };
    // With another version than the code's own, `restore` could read the state as what it isn't.
    match life.module().contract().await {
        Some(contract) => Ok((contract.state_version, state)),
        None => Err(unkept(label, "the code does not say which version its state has")),
    }
}

fn unkept(label: &Label, reason: &str) -> GuestError {
    GuestError {
        actor: label.name.clone(),
        pid: label.pid,
        during: "keeping its state".to_owned(),
        fault: Fault::Returned(reason.to_owned()),
    }
}
