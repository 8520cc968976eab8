//! A store that is a map, behind a fence.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::Arc;

use parking_lot::Mutex;
use ractor_host_placement::statement::WriteOutcome;
use ractor_host_placement::words::{Entity, EntityKey, EntityType, Epoch, ShardId};

use super::{DuePlace, EntityStore, Fence, MemoryStore, StoreError, Stored, StoredDue, Write};

/// What one node of a cluster sees of its store, in memory: for tests. It does what PostgreSQL does, to which both are held by one table of
/// scenarios.
#[derive(Debug, Default)]
pub struct FencedStore {
    states: MemoryStore,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    /// The shards of this node.
    owned: BTreeMap<ShardId, Epoch>,
    /// The fence and the version of what was written last of each entity.
    marks: BTreeMap<Entity, (Fence, u64)>,
}

impl Inner {
    fn is_true(&self, fence: &Fence) -> bool {
        self.owned.get(&fence.shard) == Some(&fence.epoch)
    }
}

impl FencedStore {
    /// This node has the shard from now on, at this epoch.
    pub fn own(&self, Fence { shard, epoch }: Fence) {
        self.inner.lock().owned.insert(shard, epoch);
    }

    /// This node hasn't got the shard any more.
    pub fn give_away(&self, shard: ShardId) {
        self.inner.lock().owned.remove(&shard);
    }
}

impl EntityStore for FencedStore {
    fn write(&self, writes: &[Arc<Write>]) -> Result<Vec<WriteOutcome>, StoreError> {
        let Some(fences) = writes.iter().map(|write| write.fence).collect::<Option<Vec<_>>>() else {
            return Err(StoreError::failed("a store of a cluster is written to behind a fence"));
        };
        let mut inner = self.inner.lock();
        let mut outcomes = Vec::with_capacity(writes.len());
        for (write, fence) in writes.iter().zip(fences) {
            if !inner.is_true(&fence) {
                outcomes.push(WriteOutcome::Refused);
                continue;
            }
            let place = (fence.epoch, write.version);
            let before = inner.marks.get(&write.entity);
            if before.is_none_or(|(fence, version)| (fence.epoch, *version) < place) {
                self.states.write(std::slice::from_ref(write))?;
                inner.marks.insert(write.entity.clone(), (fence, write.version));
            }
            outcomes.push(WriteOutcome::Accepted);
        }
        Ok(outcomes)
    }

    fn read(&self, entity: &Entity, fence: Option<Fence>) -> Result<Stored, StoreError> {
        let inner = self.inner.lock();
        if fence.is_some_and(|fence| !inner.is_true(&fence)) {
            return Err(StoreError::elsewhere(entity));
        }
        self.states.read(entity, fence)
    }

    fn keys(&self, of: &EntityType, after: Option<&EntityKey>, most: usize) -> Result<Vec<EntityKey>, StoreError> {
        self.states.keys(of, after, most)
    }

    fn due(
        &self,
        slots: RangeInclusive<u8>,
        after: &DuePlace,
        until_ms: u64,
        most: usize,
    ) -> Result<Vec<StoredDue>, StoreError> {
        let inner = self.inner.lock();
        let mut due = self.states.due(slots, after, until_ms, usize::MAX)?;
        let is_ours = |due: &StoredDue| {
            let mark = inner.marks.get(&due.entity);
            mark.is_some_and(|(fence, _)| inner.owned.contains_key(&fence.shard))
        };
        due.retain(is_ours);
        due.truncate(most);
        Ok(due)
    }

    fn forget_replies(&self, before_ms: u64) -> Result<(), StoreError> {
        self.states.forget_replies(before_ms)
    }
}
