//! What the entities of a node ask about shards: answered by the node's membership in its cluster.

use std::collections::HashMap;
use std::num::{NonZeroU32, NonZeroU64};
use std::sync::{Arc, OnceLock};

use tokio::runtime::Handle;
use tokio::sync::mpsc;

use crate::config::EntitySection;
use crate::entities::{Cluster, Entities, Entity, EntityType, Ownership};
use crate::placement::node::Event;
use crate::placement::words::{BootTime, Epoch, Incarnation, ShardHash, ShardId, ShardRow, TypeId, TypeSpec};
use crate::postgres::{EntityTables, Membership, OnEvent, Store, StoreError};

/// The entities of a node whose cluster has a store.
#[derive(Debug, Clone)]
pub(super) struct Clustered {
    pub(super) runtime: Entities,
    pub(super) cluster: Arc<Cluster>,
    pub(super) store: Store,
    pub(super) membership: JoinedMembership,
    pub(super) types: Vec<EntitySection>,
}

/// What there is to say of a store that hasn't answered yet, and hasn't failed either.
const NOT_ASKED: &str = "the store of the cluster has not answered yet";

/// The node's membership, once it has one. Clones are the same.
#[derive(Debug, Clone, Default)]
pub(super) struct JoinedMembership(Arc<OnceLock<Arc<Membership>>>);

impl JoinedMembership {
    /// Only the first call counts.
    pub(super) fn set(&self, membership: Arc<Membership>) {
        self.0.set(membership).ok();
    }

    /// The nodes that there are, and whether the store answers.
    pub(super) fn seen(&self) -> (u64, bool) {
        let Some(membership) = self.0.get() else {
            return (0, false);
        };
        let seen = membership.seen();
        let seen = seen.borrow();
        (seen.members.len() as u64, seen.trouble.is_none())
    }

    /// Why the node isn't part of its cluster yet; none once it is. A store that is away later doesn't change that.
    pub(super) fn not_joined(&self) -> Option<String> {
        let Some(membership) = self.0.get() else {
            return Some(NOT_ASKED.to_owned());
        };
        let seen = membership.seen();
        let seen = seen.borrow();
        let is_listed = seen.members.iter().any(|member| member.incarnation == seen.me);
        (!is_listed).then(|| seen.trouble.clone().unwrap_or_else(|| NOT_ASKED.to_owned()))
    }

    /// The states of the node's entities, in this store. Must be called within a runtime.
    pub(super) fn states(self, store: Store) -> EntityTables {
        // Without a membership nothing is owned, and so nothing is asked that this matters for.
        let me = move || {
            self.0
                .get()
                .map_or(Incarnation(NonZeroU64::MIN), |membership| membership.me())
        };
        EntityTables::new(store, me, Handle::current())
    }
}

/// The types of a cluster, as its store numbers them, and the hash of their keys.
#[derive(Debug)]
pub(super) struct KnownTypes {
    hash: ShardHash,
    own: Vec<(EntityType, TypeSpec)>,
    foreign: Vec<(EntityType, TypeSpec)>,
}

impl KnownTypes {
    /// Asks the store, which gets the node's own types if it doesn't have them.
    ///
    /// # Errors
    /// The store could not be asked, or has a type with another number of shards.
    pub(super) async fn read(store: &Store, sections: &[EntitySection]) -> Result<Self, StoreError> {
        let hash = store.hash().await?;
        let mut own = Vec::new();
        for section in sections {
            let spec = store.fix_type(&section.entity_type, section.shards).await?;
            let place = section.place.clone();
            own.push((section.entity_type.clone(), TypeSpec { place, ..spec }));
        }
        let is_own = |of: &EntityType| sections.iter().any(|section| section.entity_type == *of);
        let all = store.types().await?.into_iter();
        let foreign = all.filter(|(of, _)| !is_own(of)).collect();
        Ok(Self { hash, own, foreign })
    }

    pub(super) fn own(&self) -> Vec<TypeSpec> {
        self.own.iter().map(|(_, spec)| spec.clone()).collect()
    }

    pub(super) fn foreign(&self) -> Vec<TypeSpec> {
        self.foreign.iter().map(|(_, spec)| spec.clone()).collect()
    }
}

/// See the module.
pub(super) struct NodeOwnership {
    membership: Arc<Membership>,
    hash: ShardHash,
    by_name: HashMap<EntityType, (TypeId, NonZeroU32)>,
    by_number: HashMap<TypeId, EntityType>,
}

impl NodeOwnership {
    pub(super) fn new(membership: Arc<Membership>, types: KnownTypes) -> Self {
        let KnownTypes { hash, own, foreign } = types;
        let all = || own.iter().chain(&foreign);
        let numbered =
            |(of, spec): &(EntityType, TypeSpec)| Some((of.clone(), (spec.type_id, NonZeroU32::new(spec.shards)?)));
        Self {
            membership,
            hash,
            by_name: all().filter_map(numbered).collect(),
            by_number: all().map(|(of, spec)| (spec.type_id, of.clone())).collect(),
        }
    }
}

impl Ownership for NodeOwnership {
    fn me(&self) -> Incarnation {
        self.membership.me()
    }

    fn shard(&self, entity: &Entity) -> Option<ShardId> {
        let (type_id, shards) = *self.by_name.get(&entity.entity_type)?;
        let shard = self.hash.shard(entity, shards);
        Some(ShardId { type_id, shard })
    }

    fn knows(&self, of: &EntityType) -> bool {
        self.by_name.contains_key(of)
    }

    fn node_name(&self, incarnation: Incarnation) -> Option<Arc<str>> {
        let seen = self.membership.seen();
        let seen = seen.borrow();
        let member = seen.members.iter().find(|member| member.incarnation == incarnation);
        member.map(|member| member.name.clone())
    }

    fn type_of(&self, type_id: TypeId) -> Option<EntityType> {
        self.by_number.get(&type_id).cloned()
    }

    fn may_take(&self, shard: ShardId) -> Option<Epoch> {
        self.membership.may_take(shard)
    }

    fn may_release(&self, shard: ShardId) -> Option<Epoch> {
        self.membership.may_release(shard)
    }

    fn row(&self, shard: ShardId) -> Option<ShardRow> {
        self.membership.row(shard)
    }

    fn stopped(&self, shard: ShardId, epoch: Epoch) {
        self.membership.stopped(shard, epoch);
    }

    fn now(&self) -> BootTime {
        self.membership.now()
    }
}

/// Hands on what happens to the node's shards, in order, to its entities.
pub(super) fn told_events(entities: Option<Entities>) -> OnEvent {
    let Some(entities) = entities else {
        return Arc::new(|_| {});
    };
    // Told as fast as the store answers, and handled at once: no more wait than shards change hands at a time.
    let (tell, mut told) = mpsc::unbounded_channel::<Event>();
    tokio::spawn(async move {
        while let Some(event) = told.recv().await {
            entities.handle_cluster_event(event);
        }
    });
    Arc::new(move |event| {
        // The entities of a node that stops hear nothing more.
        tell.send(event).ok();
    })
}
