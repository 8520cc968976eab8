//! What a store of entities has to do, as a table: the stores in memory, the one on disk and PostgreSQL are all held to it.
//!
//! This folder is compiled in the tests of `entities`, of `host` and of `store`: whoever includes it says where the words are.

mod beside;
mod fences;
mod random;
mod states;

use std::cell::Cell;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::entities::{
    Change, DuePlace, Entity, EntityKey, EntityStore, EntityType, Epoch, Fence, KeptReply, ReminderChange, ReplyChange,
    SLOTS, ShardId, Stored, StoredReminder, StoredState, TypeId, Write, WriteOutcome,
};

/// The types of the scenarios, in the order of their numbers.
pub(crate) const TYPES: [&str; 2] = ["e", "f"];

/// The shards of each type.
pub(crate) const SHARDS: u32 = 8;

/// The place before all that are due.
const FIRST: DuePlace = DuePlace {
    due_ms: 0,
    reminder: None,
};

/// A store, empty at first, and what is beside it.
pub(crate) trait Place {
    /// The store.
    fn store(&self) -> &dyn EntityStore;
    /// True if it looks at fences and versions.
    fn has_fences(&self) -> bool;
    /// The node of this store has the shard from now on, at this epoch.
    fn own(&self, fence: Fence);
    /// Another node has the shard from now on, at the next epoch.
    fn lose(&self, fence: Fence);
}

/// One scenario.
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    /// It is about fences, and means nothing without.
    pub(crate) needs_fences: bool,
    pub(crate) run: fn(&World<'_>),
}

/// All of them.
pub(crate) fn scenarios() -> Vec<Scenario> {
    let mut all = states::scenarios();
    all.extend(beside::scenarios());
    all.extend(fences::scenarios());
    all.extend(random::scenarios());
    all
}

/// Runs those that mean something, each at a place of its own.
pub(crate) fn run_all<P: Place>(place: impl Fn() -> P) {
    for scenario in scenarios() {
        let place = place();
        if scenario.needs_fences && !place.has_fences() {
            continue;
        }
        println!("{}", scenario.name);
        let world = World {
            place: &place,
            version: Cell::new(0),
        };
        for (number, _) in (1..).zip(TYPES) {
            for shard in 0..SHARDS {
                world.place.own(fence_of(number, shard, 1));
            }
        }
        (scenario.run)(&world);
    }
}

/// What a scenario is written with.
pub(crate) struct World<'p> {
    place: &'p dyn Place,
    version: Cell<u64>,
}

fn fence_of(type_id: u16, shard: u32, epoch: u64) -> Fence {
    Fence {
        shard: ShardId {
            type_id: TypeId(type_id),
            shard,
        },
        epoch: Epoch(epoch),
    }
}

/// By which right an entity is written at this epoch. Its shard is what its key begins with.
fn fence(entity: &Entity, epoch: u64) -> Fence {
    let number = TYPES
        .iter()
        .position(|name| *name == entity.entity_type.name())
        .unwrap();
    fence_of(number as u16 + 1, u32::from(entity.key.bytes()[0]) % SHARDS, epoch)
}

fn entity(key: &str) -> Entity {
    Entity::new("e", key).unwrap()
}

/// Taken at a whole millisecond, because not every store knows more of the time.
fn state(bytes: &[u8]) -> StoredState {
    StoredState {
        code: "cart".to_owned(),
        state_version: u32::MAX,
        taken: SystemTime::UNIX_EPOCH + Duration::from_millis(1_790_000_000_123),
        bytes: bytes.to_vec(),
    }
}

fn put(bytes: &[u8]) -> Change {
    Change::Put(state(bytes))
}

fn reminder(id: &str, due_ms: u64) -> StoredReminder {
    StoredReminder {
        id: id.to_owned(),
        due_ms: Some(due_ms),
        period_ms: None,
        variant: "Expire".to_owned(),
        args: id.as_bytes().to_vec(),
        given_up: None,
    }
}

fn remind(id: &str, due_ms: u64) -> ReminderChange {
    ReminderChange::Put(reminder(id, due_ms))
}

fn kept(key: &str, at_ms: u64) -> KeptReply {
    KeptReply {
        scope: "me".to_owned(),
        key: key.to_owned(),
        digest: [7; 32],
        outcome: Ok(key.as_bytes().to_vec()),
        at_ms,
    }
}

impl World<'_> {
    fn store(&self) -> &dyn EntityStore {
        self.place.store()
    }

    /// A write at epoch 1 and the next version.
    fn change(&self, entity: &Entity, change: Change) -> Write {
        self.version.set(self.version.get() + 1);
        Write {
            fence: Some(fence(entity, 1)),
            version: self.version.get(),
            ..Write::state(entity.clone(), change)
        }
    }

    /// Which of these were accepted.
    fn write_all(&self, writes: Vec<Write>) -> Vec<bool> {
        let writes: Vec<_> = writes.into_iter().map(Arc::new).collect();
        let outcomes = self.store().write(&writes).unwrap();
        outcomes.iter().map(|one| *one == WriteOutcome::Accepted).collect()
    }

    fn write(&self, write: Write) -> bool {
        self.write_all(vec![write]) == [true]
    }

    fn put(&self, key: &str, bytes: &[u8]) -> bool {
        self.write(self.change(&entity(key), put(bytes)))
    }

    fn reminders(&self, key: &str, reminders: Vec<ReminderChange>) -> bool {
        self.write(Write {
            reminders,
            ..self.change(&entity(key), Change::Keep)
        })
    }

    fn replies(&self, key: &str, replies: Vec<ReplyChange>) -> bool {
        self.write(Write {
            replies,
            ..self.change(&entity(key), Change::Keep)
        })
    }

    /// All that there is, in order.
    fn read(&self, of: &Entity) -> Stored {
        sorted(self.store().read(of, Some(fence(of, 1))).unwrap())
    }

    fn bytes(&self, key: &str) -> Option<Vec<u8>> {
        self.read(&entity(key)).state.map(|state| state.bytes)
    }

    fn keys(&self, of: &str, after: Option<&EntityKey>, most: usize) -> Vec<EntityKey> {
        self.store().keys(&EntityType::new(of).unwrap(), after, most).unwrap()
    }

    /// Key and id of what is due, in pages of this size.
    fn due(&self, page: usize, until_ms: u64) -> Vec<(Entity, String, u64)> {
        let (mut all, mut after) = (Vec::new(), FIRST);
        loop {
            let found = self.store().due(0..=SLOTS - 1, &after, until_ms, page).unwrap();
            assert!(found.len() <= page, "{} of {page}", found.len());
            let Some(last) = found.last() else { return all };
            after = last.place();
            all.extend(found.into_iter().map(|one| (one.entity, one.id, one.due_ms)));
        }
    }
}

/// Reminders and replies may be read in any order.
fn sorted(mut stored: Stored) -> Stored {
    stored.reminders.sort_by(|one, other| one.id.cmp(&other.id));
    stored
        .replies
        .sort_by(|one, other| (&one.scope, &one.key).cmp(&(&other.scope, &other.key)));
    stored
}
