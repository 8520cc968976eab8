//! What a node may act for, as whoever handles a message asks it: without a lock, and without the machine, which may be computing.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};

use ractor_host_placement::node::Event;
use ractor_host_placement::words::{BootTime, Epoch, ShardId, TypeId, TypeSpec};

/// Follows what the machine tells. What it allows the machine allows, or has allowed until a moment ago: the machine waits with what follows
/// until the entities have ended.
#[derive(Debug)]
pub(crate) struct Rights {
    /// From when on nothing is allowed, in nanoseconds of the boot clock; 0: nothing is.
    deadline: AtomicU64,
    types: HashMap<TypeId, Box<[Shard]>>,
}

/// The epochs at which the node may act for a shard; 0: it may not. An epoch that somebody has begun at 1.
#[derive(Debug, Default)]
struct Shard {
    /// Messages may be taken.
    takes: AtomicU64,
    /// What was taken may go on.
    releases: AtomicU64,
}

impl Rights {
    pub(crate) fn new(types: &[TypeSpec]) -> Self {
        let shards = |of: &TypeSpec| (0..of.shards).map(|_| Shard::default()).collect();
        Self {
            deadline: AtomicU64::new(0),
            types: types.iter().map(|of| (of.type_id, shards(of))).collect(),
        }
    }

    fn shard(&self, shard: ShardId) -> Option<&Shard> {
        self.types.get(&shard.type_id)?.get(shard.shard as usize)
    }

    pub(crate) fn set_deadline(&self, deadline: Option<BootTime>) {
        self.deadline.store(deadline.map_or(0, |at| at.0), Ordering::Release);
    }

    /// To be called before anybody else hears of it.
    pub(crate) fn handle_event(&self, event: Event) {
        let (shard, takes, releases) = match event {
            Event::Acquired { shard, epoch } => (shard, epoch.0, epoch.0),
            Event::Stop { shard, epoch, .. } => (shard, 0, epoch.0),
            Event::Released { shard, .. } | Event::Lost { shard, .. } => (shard, 0, 0),
            Event::Joined | Event::NodeEnded(_) | Event::GenerationChanged | Event::Ended | Event::Left => return,
        };
        if let Some(shard) = self.shard(shard) {
            shard.takes.store(takes, Ordering::Release);
            shard.releases.store(releases, Ordering::Release);
        }
    }

    fn allowed(&self, epoch: &AtomicU64, now: BootTime) -> Option<Epoch> {
        let epoch = epoch.load(Ordering::Acquire);
        // After the epoch: one that was given with a later deadline is not held against an earlier one.
        let is_good = now.0 < self.deadline.load(Ordering::Acquire);
        (epoch > 0 && is_good).then_some(Epoch(epoch))
    }

    pub(crate) fn may_take(&self, shard: ShardId, now: BootTime) -> Option<Epoch> {
        self.allowed(&self.shard(shard)?.takes, now)
    }

    pub(crate) fn may_release(&self, shard: ShardId, now: BootTime) -> Option<Epoch> {
        self.allowed(&self.shard(shard)?.releases, now)
    }
}

#[cfg(test)]
mod tests {
    use ractor_host_placement::node::LossReason;

    use super::*;

    #[test]
    fn it_follows_the_machine_and_the_clock() {
        let of = TypeSpec {
            type_id: TypeId(3),
            shards: 2,
            place: Default::default(),
        };
        let rights = Rights::new(&[of]);
        let shard = |shard| ShardId {
            type_id: TypeId(3),
            shard,
        };
        let (epoch, now, later) = (Epoch(5), BootTime(10), BootTime(20));
        let may = |at| (rights.may_take(shard(1), at), rights.may_release(shard(1), at));
        rights.handle_event(Event::Acquired { shard: shard(1), epoch });
        assert_eq!(may(now), (None, None), "without a lease");
        rights.set_deadline(Some(later));
        assert_eq!(may(now), (Some(epoch), Some(epoch)));
        assert_eq!(may(later), (None, None));
        assert_eq!(rights.may_take(shard(0), now), None);
        assert_eq!(rights.may_take(shard(2), now), None, "there is no such shard");
        let to = None;
        rights.handle_event(Event::Stop {
            shard: shard(1),
            epoch,
            to,
        });
        assert_eq!(may(now), (None, Some(epoch)));
        let reason = LossReason::Taken;
        rights.handle_event(Event::Lost {
            shard: shard(1),
            epoch,
            reason,
        });
        assert_eq!(may(now), (None, None));
    }
}
