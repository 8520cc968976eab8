//! Where the states of entities are kept, with what is beside them: reminders, and replies to calls that bore a key.

mod fenced;
mod memory;

use std::error::Error;
use std::fmt;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::SystemTime;

use ractor_host_placement::statement::WriteOutcome;
use ractor_host_placement::words::{Entity, EntityKey, EntityType, Epoch, ShardId};

pub use self::fenced::FencedStore;
pub use self::memory::MemoryStore;

/// By which right an activation reads and writes in a cluster: its node has this shard at this epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fence {
    /// The shard of the entity.
    pub shard: ShardId,
    /// The epoch at which the node has it.
    pub epoch: Epoch,
}

/// The state of an entity, as its code wrote it between two messages.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredState {
    /// The module, or the native actor, whose state it is.
    pub code: String,
    /// The version of the state, which `restore` is told.
    pub state_version: u32,
    /// When it was taken.
    pub taken: SystemTime,
    /// The bytes.
    pub bytes: Vec<u8>,
}

impl fmt::Debug for StoredState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredState")
            .field("code", &self.code)
            .field("state_version", &self.state_version)
            .field("taken", &self.taken)
            .field("bytes", &self.bytes.len())
            .finish()
    }
}

/// A reminder of an entity: a message to it that is due at a time, whether the entity is active then or not.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredReminder {
    /// Which one of the entity's it is: 1 to 255 bytes.
    pub id: String,
    /// When it is due, in milliseconds since 1970 (UTC). None: it never is again, because its only firing was given up.
    pub due_ms: Option<u64>,
    /// It is due again as much later, in milliseconds. None: it is due once.
    pub period_ms: Option<u64>,
    /// The variant of the message.
    pub variant: String,
    /// The message's arguments.
    pub args: Vec<u8>,
    /// The firing that was given up last.
    pub given_up: Option<GivenUp>,
}

impl fmt::Debug for StoredReminder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredReminder")
            .field("id", &self.id)
            .field("due_ms", &self.due_ms)
            .field("period_ms", &self.period_ms)
            .field("variant", &self.variant)
            .field("args", &self.args.len())
            .field("given_up", &self.given_up)
            .finish()
    }
}

/// A firing of a reminder that was given up: a dead letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GivenUp {
    /// When it was due, in milliseconds since 1970.
    pub due_ms: u64,
    /// When it was given up, in milliseconds since 1970.
    pub at_ms: u64,
}

/// What becomes of one reminder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReminderChange {
    /// This is the reminder of that id from now on.
    Put(StoredReminder),
    /// There is no reminder of this id any more.
    Remove(String),
    /// Its firing is given up, if there is a reminder of this id that is due at `given_up.due_ms`: [`StoredReminder::due_ms`] and
    /// [`StoredReminder::given_up`] become these. Otherwise nothing happens.
    GiveUp {
        /// Which one.
        id: String,
        /// When it is due next.
        next_ms: Option<u64>,
        /// What is noted of the firing.
        given_up: GivenUp,
    },
}

impl ReminderChange {
    /// The id of the reminder.
    pub fn id(&self) -> &str {
        match self {
            Self::Put(reminder) => &reminder.id,
            Self::Remove(id) | Self::GiveUp { id, .. } => id,
        }
    }
}

/// What came of a call that bore an idempotency key.
#[derive(Clone, PartialEq, Eq)]
pub struct KeptReply {
    /// Whose key it is: keys of two callers are two, also if they are the same bytes. At most 255 bytes.
    pub scope: String,
    /// The key: 1 to 255 bytes.
    pub key: String,
    /// A digest of the variant and of the arguments.
    pub digest: [u8; 32],
    /// The reply, or why there is none.
    pub outcome: Result<Vec<u8>, String>,
    /// When the call was answered, in milliseconds since 1970.
    pub at_ms: u64,
}

impl fmt::Debug for KeptReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeptReply")
            .field("scope", &self.scope)
            .field("key", &self.key)
            .field("outcome", &self.outcome.as_ref().map(Vec::len))
            .field("at_ms", &self.at_ms)
            .finish_non_exhaustive()
    }
}

/// What becomes of one kept reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReplyChange {
    /// It is kept from now on.
    Put(KeptReply),
    /// That of this scope and key isn't kept any more.
    Remove(String, String),
}

/// What becomes of the state of one entity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// This is the state from now on.
    Put(StoredState),
    /// The state, or that there is none, stays as it is. The write has its version all the same, so that an earlier one that comes late
    /// changes nothing.
    Keep,
    /// There is none any more, nor anything beside it: all reminders and kept replies of the entity go first, before the changes of this
    /// write.
    Delete,
}

/// One entity, and what becomes of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Write {
    /// The entity.
    pub entity: Entity,
    /// By which right it is written. None: by that of a node that is alone with its store.
    pub fence: Option<Fence>,
    /// Grows with each write of the entity at its epoch, and never has two contents: what comes late, behind a write with a greater one, changes
    /// nothing. Below 2⁶³. The node's writer sets it.
    pub version: u64,
    /// What becomes of its state.
    pub change: Change,
    /// What becomes of its reminders, in this order.
    pub reminders: Vec<ReminderChange>,
    /// What becomes of its kept replies, in this order.
    pub replies: Vec<ReplyChange>,
}

impl Write {
    /// A change of the state, and of nothing else, without a fence and at version 0.
    pub fn state(entity: Entity, change: Change) -> Self {
        Self {
            entity,
            fence: None,
            version: 0,
            change,
            reminders: Vec::new(),
            replies: Vec::new(),
        }
    }

    /// Bytes of what is written.
    pub(crate) fn bytes(&self) -> usize {
        let state = match &self.change {
            Change::Put(state) => state.bytes.len(),
            Change::Keep | Change::Delete => 0,
        };
        let reminders = self.reminders.iter().map(|change| match change {
            ReminderChange::Put(reminder) => reminder.id.len() + reminder.variant.len() + reminder.args.len(),
            ReminderChange::Remove(id) | ReminderChange::GiveUp { id, .. } => id.len(),
        });
        let replies = self.replies.iter().map(|change| match change {
            ReplyChange::Put(reply) => reply.bytes(),
            ReplyChange::Remove(scope, key) => scope.len() + key.len(),
        });
        state + reminders.sum::<usize>() + replies.sum::<usize>()
    }
}

impl KeptReply {
    /// The memory and the room in the store that it takes, in bytes, about.
    pub(crate) fn bytes(&self) -> usize {
        let outcome = match &self.outcome {
            Ok(reply) => reply.len(),
            Err(reason) => reason.len(),
        };
        self.scope.len() + self.key.len() + self.digest.len() + outcome
    }
}

/// All that a store has of one entity.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stored {
    /// Its state; none if it has none, or was deleted.
    pub state: Option<StoredState>,
    /// Its reminders, in any order.
    pub reminders: Vec<StoredReminder>,
    /// The replies that are kept, in any order.
    pub replies: Vec<KeptReply>,
}

/// A reminder's place among all that are due: by time, then by entity, then by id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct DuePlace {
    /// When it is due, in milliseconds since 1970.
    pub due_ms: u64,
    /// Which reminder it is. None, as a bound: before all that are due at that time.
    pub reminder: Option<(Entity, String)>,
}

/// A reminder that is due, without its message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredDue {
    /// Whose it is.
    pub entity: Entity,
    /// Which one of the entity's.
    pub id: String,
    /// When it is due, in milliseconds since 1970.
    pub due_ms: u64,
    /// See [`StoredReminder::period_ms`].
    pub period_ms: Option<u64>,
}

impl StoredDue {
    /// Its place.
    pub fn place(&self) -> DuePlace {
        DuePlace {
            due_ms: self.due_ms,
            reminder: Some((self.entity.clone(), self.id.clone())),
        }
    }
}

/// The store could not be read or written.
#[derive(Debug, thiserror::Error)]
#[error("the store of entities: {reason}")]
pub struct StoreError {
    outcome: NotDone,
    reason: Box<dyn Error + Send + Sync>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum NotDone {
    Failed,
    Unknown,
    Refused,
}

impl StoreError {
    /// It is over: nothing of what was asked is carried out later.
    pub fn failed(reason: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::new(NotDone::Failed, reason.into())
    }

    /// Nobody knows: what was asked may have been carried out, or may be carried out yet.
    pub fn unknown(reason: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::new(NotDone::Unknown, reason.into())
    }

    /// The entity's shard is another node's by now, or was taken again at a later epoch.
    pub fn refused(reason: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::new(NotDone::Refused, reason.into())
    }

    /// The refusal of whatever was asked for this entity.
    pub fn elsewhere(entity: &Entity) -> Self {
        Self::refused(format!("{entity} is on another node by now"))
    }

    fn new(outcome: NotDone, reason: Box<dyn Error + Send + Sync>) -> Self {
        Self { outcome, reason }
    }

    /// True if it may have been carried out, or may be yet.
    pub fn is_unknown(&self) -> bool {
        self.outcome == NotDone::Unknown
    }

    /// True if the entity isn't this node's any more: trying again is of no use.
    pub fn is_refused(&self) -> bool {
        self.outcome == NotDone::Refused
    }
}

/// Where states are kept, and what is beside them. The methods block: they are called on threads that may.
///
/// A store of a cluster looks at fences and versions: see [`FencedStore`]. One that a single node has for itself need not.
pub trait EntityStore: fmt::Debug + Send + Sync + 'static {
    /// Does these, and says what came of each: all of a write or nothing of it, those of an entity in their order. When this returns, what was
    /// accepted outlives the process and the machine's power.
    ///
    /// A write whose fence isn't true any more is refused. One that isn't newer, by epoch and version, than what was written of the entity
    /// before is accepted, and changes nothing: it comes late.
    ///
    /// # Errors
    /// Nothing was written, or it is not certain that nothing was. The same writes come again, alone or with others.
    fn write(&self, writes: &[Arc<Write>]) -> Result<Vec<WriteOutcome>, StoreError>;

    /// All that there is of an entity, as of one moment. None, as a fence: whoever owns it.
    ///
    /// # Errors
    /// The store could not be read, what it has is damaged, or the fence isn't true any more: [`StoreError::is_refused`].
    fn read(&self, entity: &Entity, fence: Option<Fence>) -> Result<Stored, StoreError>;

    /// The keys of a type that have states, in order, after this one, and no more than `most`.
    ///
    /// # Errors
    /// The store could not be read.
    fn keys(&self, of: &EntityType, after: Option<&EntityKey>, most: usize) -> Result<Vec<EntityKey>, StoreError>;

    /// Reminders that are due after `after` and no later than `until_ms`, of entities that are this node's and whose [slot](crate::slot) is one
    /// of these: the first ones by their places, in order, and no more than `most`. In which order the types come of reminders that are due
    /// at the same time is for the store to say, always in the same way. It is asked often, and mostly for few: keep an index of (slot, due).
    ///
    /// # Errors
    /// The store could not be read.
    fn due(
        &self,
        slots: RangeInclusive<u8>,
        after: &DuePlace,
        until_ms: u64,
        most: usize,
    ) -> Result<Vec<StoredDue>, StoreError>;

    /// Gives up kept replies whose [`at_ms`](KeptReply::at_ms) is before this, of whatever entity: some of them at least, if there are any.
    /// Asked now and then. The clock is [`steady_ms`](crate::steady_ms), here and in what is written and read: a store of several nodes, whose
    /// clocks differ, tells each what it kept by that node's own.
    ///
    /// # Errors
    /// The store could not be written.
    fn forget_replies(&self, before_ms: u64) -> Result<(), StoreError>;
}
