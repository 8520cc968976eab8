//! The states of entities, with what is beside them, as the entities of a node want them.

use std::collections::HashSet;
use std::fmt;
use std::ops::RangeInclusive;
use std::sync::Arc;

use ractor_host_entities::{DuePlace, EntityStore, Fence, StoreError as EntityStoreError, Stored, StoredDue, Write};
use ractor_host_placement::statement::{StoreFault, WriteOutcome};
use ractor_host_placement::words::{Entity, EntityKey, EntityType, Incarnation};
use tokio::runtime::Handle;

use crate::error::Fault;
use crate::state::StateRow;
use crate::statements;
use crate::store::Store;

/// An [`EntityStore`] of a node of a cluster. Its methods block while they wait, and must not be called by a task of the runtime.
pub struct EntityTables {
    store: Store,
    me: Arc<dyn Fn() -> Incarnation + Send + Sync>,
    runtime: Handle,
}

impl fmt::Debug for EntityTables {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("EntityTables")
            .field("store", &self.store)
            .finish_non_exhaustive()
    }
}

impl EntityTables {
    /// Those of the node that `me` tells the present incarnation of, whose connections are driven by this runtime.
    pub fn new(store: Store, me: impl Fn() -> Incarnation + Send + Sync + 'static, runtime: Handle) -> Self {
        Self {
            store,
            me: Arc::new(me),
            runtime,
        }
    }
}

fn not_done(fault: Fault) -> EntityStoreError {
    match fault.fault {
        StoreFault::Failed => EntityStoreError::failed(fault),
        StoreFault::Unknown => EntityStoreError::unknown(fault),
    }
}

/// Writes that may be in one statement: the first ones, no two of one entity.
fn first_of_each(writes: &[Arc<Write>]) -> &[Arc<Write>] {
    let mut entities = HashSet::with_capacity(writes.len());
    let count = writes.iter().take_while(|write| entities.insert(&write.entity)).count();
    writes.get(..count).unwrap_or_default()
}

impl EntityStore for EntityTables {
    fn write(&self, writes: &[Arc<Write>]) -> Result<Vec<WriteOutcome>, EntityStoreError> {
        let mut outcomes = Vec::with_capacity(writes.len());
        let mut rest = writes;
        while !rest.is_empty() {
            let batch = first_of_each(rest);
            let rows: Option<Vec<StateRow<'_>>> = batch.iter().map(|write| StateRow::of(write)).collect();
            let Some(rows) = rows else {
                return Err(EntityStoreError::failed(
                    "a store of a cluster is written to by the owner of a shard only, behind its fence",
                ));
            };
            let written = self.runtime.block_on(self.store.write((self.me)(), &rows));
            outcomes.extend(written.map_err(not_done)?);
            rest = rest.get(batch.len()..).unwrap_or_default();
        }
        Ok(outcomes)
    }

    fn read(&self, entity: &Entity, fence: Option<Fence>) -> Result<Stored, EntityStoreError> {
        let me = (self.me)();
        let query = || statements::read_stored(me, entity, fence, self.store.now_ms());
        let rows = self.runtime.block_on(self.store.entities(query)).map_err(not_done)?;
        let stored = statements::only(&rows).and_then(statements::stored);
        let stored = stored.map_err(|error| EntityStoreError::failed(format!("{entity}: {error}")))?;
        stored.ok_or_else(|| EntityStoreError::elsewhere(entity))
    }

    fn keys(
        &self,
        of: &EntityType,
        after: Option<&EntityKey>,
        most: usize,
    ) -> Result<Vec<EntityKey>, EntityStoreError> {
        let keys = self.runtime.block_on(self.store.keys(of, after, most));
        keys.map_err(EntityStoreError::failed)
    }

    fn due(
        &self,
        slots: RangeInclusive<u8>,
        after: &DuePlace,
        until_ms: u64,
        most: usize,
    ) -> Result<Vec<StoredDue>, EntityStoreError> {
        let (me, most) = ((self.me)(), i64::try_from(most).unwrap_or(i64::MAX));
        let query = || Ok(statements::due(me, slots.clone(), after, Some(until_ms), most));
        let rows = self.runtime.block_on(self.store.entities(query)).map_err(not_done)?;
        statements::found_due(&rows).map_err(EntityStoreError::failed)
    }

    fn forget_replies(&self, before_ms: u64) -> Result<(), EntityStoreError> {
        let query = || Ok(statements::forget_replies(before_ms, self.store.now_ms()));
        let done = self.runtime.block_on(self.store.entities(query));
        done.map(drop).map_err(not_done)
    }
}
