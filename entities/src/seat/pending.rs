//! What was taken of an entity and waits until the write before it is done.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use ractor_host_placement::words::Entity;

use crate::keys::Name;
use crate::reminders::Firing;
use crate::reminders::book::Taken;
use crate::store::{Change, Fence, ReminderChange, ReplyChange, Write};

/// See the module.
#[derive(Debug)]
pub(super) struct Pending {
    change: Change,
    /// By id: of each the last change counts.
    reminders: BTreeMap<String, ReminderChange>,
    handled: Vec<Firing>,
    /// Of each the last change counts.
    replies: BTreeMap<Name, ReplyChange>,
}

impl Default for Pending {
    fn default() -> Self {
        Self {
            change: Change::Keep,
            reminders: BTreeMap::new(),
            handled: Vec::new(),
            replies: BTreeMap::new(),
        }
    }
}

impl Pending {
    /// This was taken, after what is there.
    pub(super) fn handle_taken(&mut self, change: Change, reminders: Taken, replies: Vec<ReplyChange>) {
        if change != Change::Keep {
            self.change = change;
        }
        let Taken { changes, handled } = reminders;
        for change in changes {
            self.reminders.insert(change.id().to_owned(), change);
        }
        self.handled.extend(handled);
        for change in replies {
            let name = match &change {
                ReplyChange::Put(kept) => (kept.scope.clone(), kept.key.clone()),
                ReplyChange::Remove(scope, key) => (scope.clone(), key.clone()),
            };
            self.replies.insert(name, change);
        }
    }

    /// As a write, with the firings that are in the state which it writes.
    pub(super) fn into_write(self, entity: Entity, fence: Option<Fence>) -> (Write, Vec<Firing>) {
        let (reminders, replies) = match self.change {
            // They go with it.
            Change::Delete => (Vec::new(), Vec::new()),
            Change::Keep | Change::Put(_) => (
                self.reminders.into_values().collect(),
                self.replies.into_values().collect(),
            ),
        };
        let write = Write {
            reminders,
            replies,
            fence,
            ..Write::state(entity, self.change)
        };
        (write, self.handled)
    }
}

/// Tells states apart, in this process.
pub(super) fn hash(state_version: u32, bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    (state_version, bytes).hash(&mut hasher);
    hasher.finish()
}
