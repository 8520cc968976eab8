//! Where the states of entities are kept, with what is beside them: reminders, and replies to calls that bore a key.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::SystemTime;

use parking_lot::Mutex;
use ractor_host_placement::words::{Entity, EntityKey, EntityType};

use crate::reminders::slot;

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
    /// The state, or that there is none, stays as it is.
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
    /// What becomes of its state.
    pub change: Change,
    /// What becomes of its reminders, in this order.
    pub reminders: Vec<ReminderChange>,
    /// What becomes of its kept replies, in this order.
    pub replies: Vec<ReplyChange>,
}

impl Write {
    /// A change of the state, and of nothing else.
    pub fn state(entity: Entity, change: Change) -> Self {
        Self {
            entity,
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
#[error("the store of entities: {0}")]
pub struct StoreError(pub Box<dyn std::error::Error + Send + Sync>);

/// Where states are kept, and what is beside them. The methods block: they are called on threads that may.
pub trait EntityStore: fmt::Debug + Send + Sync + 'static {
    /// Does these, all or none. When this returns they outlive the process and the machine's power.
    ///
    /// # Errors
    /// They were not written, or it is not certain that they were. The same writes come again, alone or with others.
    fn write(&self, writes: &[Arc<Write>]) -> Result<(), StoreError>;

    /// All that there is of an entity, as of one moment.
    ///
    /// # Errors
    /// The store could not be read, or what it has is damaged.
    fn read(&self, entity: &Entity) -> Result<Stored, StoreError>;

    /// The keys of a type that have states, in order, after this one, and no more than `most`.
    ///
    /// # Errors
    /// The store could not be read.
    fn keys(&self, of: &EntityType, after: Option<&EntityKey>, most: usize) -> Result<Vec<EntityKey>, StoreError>;

    /// Reminders that are due after `after` and no later than `until_ms`, of entities whose [slot](crate::slot) is one of these: the first
    /// ones by their places, in order, and no more than `most`. It is asked often, and mostly for few: keep an index of (slot, due).
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
    /// Asked now and then.
    ///
    /// # Errors
    /// The store could not be written.
    fn forget_replies(&self, before_ms: u64) -> Result<(), StoreError>;
}

/// A store that is gone with the process: for tests, and for types that are never written.
#[derive(Debug, Default)]
pub struct MemoryStore(Mutex<BTreeMap<Entity, Stored>>);

impl EntityStore for MemoryStore {
    fn write(&self, writes: &[Arc<Write>]) -> Result<(), StoreError> {
        let mut all = self.0.lock();
        for write in writes {
            let stored = all.entry(write.entity.clone()).or_default();
            match &write.change {
                Change::Put(state) => stored.state = Some(state.clone()),
                Change::Keep => {}
                Change::Delete => *stored = Stored::default(),
            }
            for change in &write.reminders {
                change_reminder(&mut stored.reminders, change);
            }
            for change in &write.replies {
                let (scope, key) = match change {
                    ReplyChange::Put(reply) => (&reply.scope, &reply.key),
                    ReplyChange::Remove(scope, key) => (scope, key),
                };
                stored.replies.retain(|kept| (&kept.scope, &kept.key) != (scope, key));
                if let ReplyChange::Put(reply) = change {
                    stored.replies.push(reply.clone());
                }
            }
            if *stored == Stored::default() {
                all.remove(&write.entity);
            }
        }
        Ok(())
    }

    fn read(&self, entity: &Entity) -> Result<Stored, StoreError> {
        Ok(self.0.lock().get(entity).cloned().unwrap_or_default())
    }

    fn keys(&self, of: &EntityType, after: Option<&EntityKey>, most: usize) -> Result<Vec<EntityKey>, StoreError> {
        let all = self.0.lock();
        let is_wanted = |entity: &Entity| entity.entity_type == *of && after.is_none_or(|after| entity.key > *after);
        Ok(all
            .iter()
            .filter(|(entity, stored)| stored.state.is_some() && is_wanted(entity))
            .take(most)
            .map(|(entity, _)| entity.key.clone())
            .collect())
    }

    fn due(
        &self,
        slots: RangeInclusive<u8>,
        after: &DuePlace,
        until_ms: u64,
        most: usize,
    ) -> Result<Vec<StoredDue>, StoreError> {
        let all = self.0.lock();
        let of_slots = all.iter().filter(|(entity, _)| slots.contains(&slot(entity)));
        let mut due: Vec<StoredDue> = of_slots
            .flat_map(|(entity, stored)| {
                let reminders = stored.reminders.iter();
                reminders.filter_map(|reminder| {
                    Some(StoredDue {
                        entity: entity.clone(),
                        id: reminder.id.clone(),
                        due_ms: reminder.due_ms?,
                        period_ms: reminder.period_ms,
                    })
                })
            })
            .filter(|due| due.due_ms <= until_ms && due.place() > *after)
            .collect();
        due.sort_by_key(StoredDue::place);
        due.truncate(most);
        Ok(due)
    }

    fn forget_replies(&self, before_ms: u64) -> Result<(), StoreError> {
        let mut all = self.0.lock();
        for stored in all.values_mut() {
            stored.replies.retain(|kept| kept.at_ms >= before_ms);
        }
        all.retain(|_, stored| *stored != Stored::default());
        Ok(())
    }
}

fn change_reminder(reminders: &mut Vec<StoredReminder>, change: &ReminderChange) {
    match change {
        ReminderChange::Put(reminder) => {
            reminders.retain(|one| one.id != reminder.id);
            reminders.push(reminder.clone());
        }
        ReminderChange::Remove(id) => reminders.retain(|one| one.id != *id),
        ReminderChange::GiveUp { id, next_ms, given_up } => {
            let is_it = |one: &&mut StoredReminder| one.id == *id && one.due_ms == Some(given_up.due_ms);
            if let Some(reminder) = reminders.iter_mut().find(is_it) {
                (reminder.due_ms, reminder.given_up) = (*next_ms, Some(*given_up));
            }
        }
    }
}
