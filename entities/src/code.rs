//! What entities are made of: how one is activated, and what the host has to know of it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use ractor::ActorCell;
use ractor_host_directory::{BoxFuture, Local};
use ractor_host_placement::words::EntityKey;

use crate::reminders::ReminderLimits;
use crate::seat::{Durability, Seat};

/// What a type of entities is configured to do.
#[derive(Debug, Clone)]
pub struct TypeSettings {
    /// When states are written.
    pub durability: Durability,
    /// An entity without a message for this long ends, after its state was written. None: it stays.
    pub passivate_after: Option<Duration>,
    /// At most about this many are active: then the one longest without a message ends for each further one.
    pub max_active: usize,
    /// These are always active.
    pub always: Vec<EntityKey>,
    /// Messages that may wait while an entity is activated, and their bytes.
    pub waiting_messages: usize,
    /// See `waiting_messages`.
    pub waiting_bytes: usize,
    /// Bytes that may wait for all entities of the type that are not active, with what each takes that is about to be.
    pub all_waiting_bytes: usize,
    /// Bytes of outputs that may wait for one entity's state to be durable.
    pub held_bytes: usize,
    /// How many reminders each entity may have.
    pub reminders: ReminderLimits,
}

impl Default for TypeSettings {
    fn default() -> Self {
        Self {
            durability: Durability::None,
            passivate_after: None,
            max_active: 10_000,
            always: Vec::new(),
            waiting_messages: 1_024,
            waiting_bytes: 8 << 20,
            all_waiting_bytes: 64 << 20,
            held_bytes: 8 << 20,
            reminders: ReminderLimits::default(),
        }
    }
}

/// The code of a type of entities.
pub trait EntityCode: Send + Sync + 'static {
    /// What is written beside each state, so that no other code takes it for its own: the name of a module, or of a native actor.
    fn name(&self) -> &str;

    /// Brings an entity to life, with [its state](Seat::load) if it has one, under this supervisor. The actor has to tell its seat what it
    /// does, and to end once it has handled what it has, when it [drains](ActorCell::drain).
    ///
    /// # Errors
    /// Why it can't: whoever waits for the entity is told.
    fn activate<'a>(&'a self, seat: &'a Seat, supervisor: ActorCell) -> BoxFuture<'a, Result<Activated, String>>;

    /// The answer of all these entities to the [question](ractor_host_directory::DESCRIBE_VARIANT) what an actor is, whose arguments these
    /// are. None if they don't say: natives don't.
    fn describe<'a>(&'a self, _question: &'a [u8]) -> BoxFuture<'a, Option<Vec<u8>>> {
        Box::pin(async { None })
    }
}

/// An entity that has come to life.
pub struct Activated {
    /// Where its messages go.
    pub local: Local,
    /// Completes when the actor has ended.
    pub ended: BoxFuture<'static, ()>,
    /// More of it.
    pub live: Arc<dyn LiveEntity>,
}

impl fmt::Debug for Activated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Activated")
            .field("local", &self.local)
            .finish_non_exhaustive()
    }
}

/// What is asked of an entity that is active.
pub trait LiveEntity: Send + Sync + 'static {
    /// True if it must not end now: a handler isn't done, a reply is owed, or it has children.
    fn is_busy(&self) -> bool;

    /// Its state is to be kept, though no message comes.
    fn keep_state(&self);

    /// True if the actor gives back what it has taken and not begun, however it ends. One whose mailbox is ractor's doesn't.
    fn gives_back(&self) -> bool {
        false
    }
}
