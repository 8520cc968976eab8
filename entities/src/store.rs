//! Where the states of entities are kept.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use parking_lot::Mutex;
use ractor_host_placement::words::{Entity, EntityKey, EntityType};

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

/// What becomes of the state of one entity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// This is the state from now on.
    Put(StoredState),
    /// There is none any more.
    Delete,
}

/// One entity, and what becomes of its state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Write {
    /// The entity.
    pub entity: Entity,
    /// What becomes of its state.
    pub change: Change,
}

impl Write {
    /// Bytes of the state.
    pub(crate) fn bytes(&self) -> usize {
        match &self.change {
            Change::Put(state) => state.bytes.len(),
            Change::Delete => 0,
        }
    }
}

/// The store could not be read or written.
#[derive(Debug, thiserror::Error)]
#[error("the store of entities: {0}")]
pub struct StoreError(pub Box<dyn std::error::Error + Send + Sync>);

/// Where states are kept. The methods block: they are called on threads that may.
pub trait EntityStore: fmt::Debug + Send + Sync + 'static {
    /// Does these, all or none. When this returns they outlive the process and the machine's power.
    ///
    /// # Errors
    /// They were not written, or it is not certain that they were. The same writes come again, alone or with others.
    fn write(&self, writes: &[Arc<Write>]) -> Result<(), StoreError>;

    /// The state of an entity; none if it has none, or was deleted.
    ///
    /// # Errors
    /// The store could not be read, or what it has is damaged.
    fn read(&self, entity: &Entity) -> Result<Option<StoredState>, StoreError>;

    /// The keys of a type that have states, in order, after this one, and no more than `most`.
    ///
    /// # Errors
    /// The store could not be read.
    fn keys(&self, of: &EntityType, after: Option<&EntityKey>, most: usize) -> Result<Vec<EntityKey>, StoreError>;
}

/// A store that is gone with the process: for tests, and for types that are never written.
#[derive(Debug, Default)]
pub struct MemoryStore(Mutex<BTreeMap<Entity, StoredState>>);

impl EntityStore for MemoryStore {
    fn write(&self, writes: &[Arc<Write>]) -> Result<(), StoreError> {
        let mut states = self.0.lock();
        for write in writes {
            let Write { entity, change } = &**write;
            match change {
                Change::Put(state) => drop(states.insert(entity.clone(), state.clone())),
                Change::Delete => drop(states.remove(entity)),
            }
        }
        Ok(())
    }

    fn read(&self, entity: &Entity) -> Result<Option<StoredState>, StoreError> {
        Ok(self.0.lock().get(entity).cloned())
    }

    fn keys(&self, of: &EntityType, after: Option<&EntityKey>, most: usize) -> Result<Vec<EntityKey>, StoreError> {
        let states = self.0.lock();
        let is_wanted = |entity: &&Entity| entity.entity_type == *of && after.is_none_or(|after| entity.key > *after);
        Ok(states
            .keys()
            .filter(is_wanted)
            .take(most)
            .map(|entity| entity.key.clone())
            .collect())
    }
}
