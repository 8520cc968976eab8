//! The keys of a node's roles, which an operator may replace while it runs.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::RwLock;

use super::key::ControlKey;
use super::role::Role;

/// See the module. Clones share them.
#[derive(Clone, Debug)]
pub(crate) struct ControlKeys {
    /// Those that allow more before those that allow less.
    entries: Arc<RwLock<Vec<KeyEntry>>>,
    next: Arc<AtomicU64>,
}

/// The key of a role.
#[derive(Clone, Debug)]
pub(super) struct KeyEntry {
    pub(super) role: Role,
    pub(super) key: ControlKey,
    pub(super) id: KeyId,
}

/// Which key a session was proved with. A key that goes and comes back is another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct KeyId(u64);

impl ControlKeys {
    /// Those that allow more come before those that allow less.
    pub(crate) fn new(keys: impl IntoIterator<Item = (Role, ControlKey)>) -> Self {
        let this = Self {
            entries: Arc::default(),
            next: Arc::default(),
        };
        this.replace(keys);
        this
    }

    /// From now on these count, and the sessions of those that are gone are over.
    pub(crate) fn replace(&self, keys: impl IntoIterator<Item = (Role, ControlKey)>) {
        let mut entries = self.entries.write();
        let replaced = keys.into_iter().map(|(role, key)| {
            let same = entries.iter().find(|entry| entry.role == role && entry.key == key);
            let fresh = || KeyId(self.next.fetch_add(1, Ordering::Relaxed));
            let id = same.map_or_else(fresh, |same| same.id);
            KeyEntry { role, key, id }
        });
        *entries = replaced.collect();
    }

    /// The key that allows the least.
    pub(crate) fn weakest(&self) -> Option<ControlKey> {
        self.entries.read().last().map(|entry| entry.key.clone())
    }

    pub(super) fn entries(&self) -> Vec<KeyEntry> {
        self.entries.read().clone()
    }

    pub(super) fn has(&self, id: KeyId) -> bool {
        self.entries.read().iter().any(|entry| entry.id == id)
    }
}
