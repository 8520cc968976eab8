//! The handler of a guest's messages, and what it keeps between them.

use std::sync::Arc;

use parking_lot::Mutex;
use ractor::message::{BoxedDowncastErr, SerializedMessage};
use ractor::{ActorCell, ActorProcessingErr, Message};

use super::checkpoint::settings::Checkpoints;
use super::guest_cell::GuestCell;
use super::held::Held;
use super::modules::Modules;
use super::reload::probation::Probation;
use crate::accounting::family::{Family, Member, Share};
use crate::accounting::label::Label;
use crate::component::bindings::requests::Mailbox as PendingMailbox;
use crate::directory::Hosted;
use crate::entities::Seat;
use crate::instance::calls::Instance;
use crate::instance::casts::Casts;
use crate::instance::error::GuestError;
use crate::instance::module::Module;
use crate::policy::profile::Profile;
use crate::policy::restart::RestartPolicy;
use crate::store::data::ActorContext;
use crate::store::groups::membership::Groups;

/// The handler of a guest. Its life is the actor's, whatever ends it.
pub(super) struct Guest {
    /// What it is started with, unless there is a newer version by then.
    pub(super) module: Module,
    pub(super) profile: Arc<Profile>,
    /// Those of the node, of which it may start children.
    pub(super) modules: Modules,
    /// Kept for restarts, as part of the family's memory.
    pub(super) arguments: Vec<u8>,
    pub(super) _arguments_share: Share,
    pub(super) restarting: RestartPolicy,
    pub(super) checkpoints: Option<Checkpoints>,
    /// Of an entity.
    pub(super) seat: Option<Seat>,
    pub(super) groups: Arc<Groups>,
    pub(super) family: Family,
    /// Where the actor is found. Not part of the state, which outlives the actor in its last supervision event.
    pub(super) presence: Mutex<Option<Presence>>,
}

/// The actor's entry in the directory and what waits for it. Both end with the actor.
pub(super) struct Presence {
    _hosted: Hosted,
    modules: Modules,
    life: Arc<GuestCell>,
    seat: Option<Seat>,
}

impl Presence {
    /// An actor that others can find from now on, and that runs one of these modules; maybe as an entity.
    pub(super) fn new(hosted: Hosted, modules: Modules, life: Arc<GuestCell>, seat: Option<Seat>) -> Self {
        Self {
            _hosted: hosted,
            modules,
            life,
            seat,
        }
    }
}

impl Drop for Presence {
    fn drop(&mut self) {
        // First, so that no rollout finds it any more; then what was asked of it meanwhile is given up.
        self.modules.leave(&self.life);
        match &self.seat {
            // They were sent to the entity, which goes on with another actor.
            Some(seat) => seat.give_back(self.life.mailbox.end_for_the_next()),
            None => self.life.mailbox.end(),
        }
        self.life.commands.end();
    }
}

/// The instance. Whoever calls it takes it out and puts it back if it survives: after a trap, or when the call is
/// dropped halfway because the actor was killed, it is gone, and its memory with it.
pub(super) struct Running {
    pub(super) instance: Option<Box<Instance>>,
    pub(super) life: Arc<GuestCell>,
    pub(super) label: Label,
    /// The code is new, and has to prove itself.
    pub(super) probation: Option<Box<Probation>>,
    /// Casts that were taken out of ractor's mailbox and are to be handled before anything else of it.
    pub(super) casts: Casts,
    /// What the guest has said of handlers that are not done.
    pub(super) pending: Option<PendingMailbox>,
    /// There while the mailbox is held, and until what came meanwhile was handled.
    pub(super) held: Option<Box<Held>>,
    /// Of an entity: asked with each message whether it is to be handled here.
    pub(super) seat: Option<Seat>,
}

impl Guest {
    pub(super) fn label(&self, cell: &ActorCell) -> Label {
        let module: Arc<str> = self.module.name().into();
        let name = cell.get_name().map_or_else(|| module.clone(), Arc::from);
        let counted_as = match self.family.member() {
            Member::First => name.clone(),
            // A metric for each name that a guest makes up would grow without end.
            Member::Child => module,
        };
        let log = Some(self.family.log().clone());
        Label::of_member(name, counted_as, cell.get_id().pid(), &self.profile.limits, log)
    }

    /// A fresh instance, up to and including its `pre-start`.
    pub(super) async fn instantiate(
        &self,
        life: &GuestCell,
        label: &Label,
        module: &Module,
    ) -> Result<Instance, GuestError> {
        let mut instance = self.new_instance(life, label, module).await?;
        instance.pre_start(&self.arguments).await?;
        Ok(instance)
    }

    /// A fresh instance that was not asked for anything yet.
    pub(super) async fn new_instance(
        &self,
        life: &GuestCell,
        label: &Label,
        module: &Module,
    ) -> Result<Instance, GuestError> {
        let myself = ActorContext {
            cell: life.cell().clone(),
            profile: self.profile.clone(),
            actor: life.own_actor.clone(),
            groups: self.groups.clone(),
            family: self.family.clone(),
            tally: life.tally.clone(),
            seat: self.seat.clone(),
        };
        let limits = self.profile.limits.clone();
        Instance::new(module, Some(myself), label.clone(), limits).await
    }

    pub(super) fn set_presence(&self, presence: Option<Presence>) {
        let previous = std::mem::replace(&mut *self.presence.lock(), presence);
        // Outside of the lock: it tells listeners.
        drop(previous);
    }
}

/// The message type of a guest. It has no value, because its messages stay bytes; it says that they can be bytes, so
/// that sessions advertise the actor.
pub(super) enum Opaque {}

impl Message for Opaque {
    fn serializable() -> bool {
        true
    }

    fn serialize(self) -> Result<SerializedMessage, BoxedDowncastErr> {
        match self {}
    }
}

impl Running {
    pub(super) fn take(&mut self) -> Result<Box<Instance>, ActorProcessingErr> {
        if let Some(held) = &mut self.held {
            held.end_wait();
        }
        self.instance
            .take()
            .ok_or_else(|| "the instance is gone, but its actor was asked to go on".into())
    }
}
