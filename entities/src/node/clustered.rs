//! A type of entities whose shards come and go.

use std::sync::Arc;

use parking_lot::MutexGuard;
use ractor::message::SerializedMessage;
use ractor_host_placement::words::{Entity, EntityKey, ShardId};

use super::Entities;
use super::active::Active;
use super::kind::TypeState;
use super::{NotSent, Refused};
use crate::cluster::{Cluster, Way};
use crate::store::Fence;
use crate::table::Table;

/// A message that is for this node or goes back was not taken.
pub(crate) enum PutHere {
    /// Its entity is on another node.
    Elsewhere(SerializedMessage),
    /// It was not taken.
    Refused(Refused),
}

/// This node may not act for the entity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NotHere;

impl TypeState {
    /// The right to activate the entity: none is needed on a node that is by itself.
    pub(super) fn right(&self, entity: &Entity) -> Result<Option<(Arc<Cluster>, Fence)>, NotHere> {
        let Some(cluster) = &self.node.cluster else {
            return Ok(None);
        };
        let right = cluster.right(entity).ok_or(NotHere)?;
        Ok(Some((cluster.clone(), right)))
    }

    /// Puts a message that is for this node or goes back.
    #[expect(
        clippy::result_large_err,
        reason = "the message itself is handed back, as ractor does"
    )]
    pub(crate) fn put_here(self: &Arc<Self>, key: &EntityKey, message: SerializedMessage) -> Result<(), PutHere> {
        let entity = self.entity(key);
        let is_elsewhere = |has_place| {
            let cluster = self.node.cluster.as_ref();
            cluster.is_some_and(|cluster| !cluster.is_here(&entity, has_place, Way::Here))
        };
        let outcome = self.put(key, message, |has_place| {
            is_elsewhere(has_place).then_some(|message| {
                Err(Refused {
                    message,
                    reason: NotSent::NotHere,
                    full: None,
                })
            })
        });
        outcome.map_err(|refused| match refused.reason {
            NotSent::NotHere => PutHere::Elsewhere(refused.message),
            _ => PutHere::Refused(refused),
        })
    }

    /// An entity was to be activated, and is another node's: what waits for it goes there.
    pub(super) fn not_here(&self, entity: &Entity) {
        self.send_on(entity, &mut self.table.lock());
        self.freed.notify_waiters();
        self.flush();
        self.node.schedule.not_active((entity, None), false);
        self.node.started(entity.clone(), true);
    }

    /// What waits for an entity that isn't active goes to the node that has it.
    pub(super) fn send_on(&self, entity: &Entity, table: &mut MutexGuard<'_, Table<Active, SerializedMessage>>) {
        // With the lock, so that nothing overtakes it.
        for message in table.handle_not_active(&entity.key) {
            if let Some(cluster) = &self.node.cluster {
                cluster.send_on(entity, message);
            }
        }
    }

    pub(super) fn flush(&self) {
        if let Some(cluster) = &self.node.cluster {
            cluster.flush();
        }
    }

    /// Activates those of the entities that are always active which this is true of.
    pub(super) fn want_always(&self, is_meant: impl Fn(&Entity) -> bool) {
        let all = self.settings.always.iter().map(|key| self.entity(key));
        for entity in all.filter(|entity| self.is_always(entity) && is_meant(entity)) {
            if self.table.lock().handle_wanted(&entity.key) {
                self.node.want(entity);
            }
        }
    }

    /// The entities that have a place here by this right, or are about to be activated in its shard.
    fn of_shard(&self, cluster: &Cluster, fence: Fence) -> Vec<(Entity, Option<Active>)> {
        let table = self.table.lock();
        // The cheap look first: there may be very many entities, and as many shards are lost at once as the node has.
        let is_of_it = |(key, active): &(&EntityKey, Option<&Active>)| match active {
            Some(active) => active.0.seat.fence() == Some(fence),
            None => cluster.is_in(&self.entity(key), fence.shard),
        };
        let found = table.all().filter(is_of_it);
        found.map(|(key, active)| (self.entity(key), active.cloned())).collect()
    }

    /// Has the entities of a shard end, and waits until none of them has a place here by this right, nor a write under way.
    async fn end_shard(&self, cluster: &Cluster, fence: Fence) {
        let all = self.of_shard(cluster, fence);
        for (entity, _) in &all {
            self.leave(&entity.key, false);
        }
        let is_there = |table: &Table<Active, SerializedMessage>, key: &EntityKey| {
            let actor = table.actor(key);
            table.has_place(key) && actor.is_none_or(|active| active.0.seat.fence() == Some(fence))
        };
        let are_gone = |table: &Table<Active, SerializedMessage>| {
            let mut keys = all.iter().map(|(entity, _)| &entity.key);
            !keys.any(|key| is_there(table, key))
        };
        self.wait_until(are_gone).await;
        for (entity, _) in &all {
            self.node.writer.settle(entity).await;
        }
    }
}

impl Entities {
    /// That of its node.
    pub(crate) fn cluster(&self) -> Option<Arc<Cluster>> {
        self.0.cluster.clone()
    }

    fn all_types(&self) -> Vec<Arc<TypeState>> {
        self.0.types.lock().clone()
    }

    /// This node may act for a shard from now on.
    pub(crate) fn shard_came(&self, shard: ShardId) {
        let Some(cluster) = self.cluster() else { return };
        for of in self.all_types() {
            of.want_always(|entity| cluster.is_in(entity, shard));
        }
    }

    /// Has the entities of a shard end in order.
    pub(crate) async fn end_shard(&self, fence: Fence) {
        let Some(cluster) = self.cluster() else { return };
        for of in self.all_types() {
            of.end_shard(&cluster, fence).await;
        }
    }

    /// The entities of a shard that are active, or about to end.
    fn active_of_shard(&self, fence: Fence) -> Vec<Active> {
        let Some(cluster) = self.cluster() else {
            return Vec::new();
        };
        let all = self.all_types().into_iter();
        all.flat_map(|of| of.of_shard(&cluster, fence))
            .filter_map(|(_, active)| active)
            .collect()
    }

    /// Ends the entities of a shard at once; what they have taken goes where the shard goes.
    pub(crate) fn kill_shard(&self, fence: Fence) {
        for active in self.active_of_shard(fence) {
            active.0.local.cell.kill();
        }
    }

    /// This node may act for a shard no more: what its entities hold is dropped, and they end at once.
    pub(crate) fn shard_lost(&self, fence: Fence) {
        for active in self.active_of_shard(fence) {
            active.0.seat.lose();
        }
    }
}
