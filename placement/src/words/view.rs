//! What a node knows of its cluster: who is there, and who owns which shard.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU64;
use std::sync::Arc;
use std::time::Duration;

use super::{Epoch, ShardId, TypeId};
use crate::mutation::{Mutation, broken};

/// One life of a node's process: random, and never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Incarnation(pub NonZeroU64);

/// The history that a store has: another one after a failover that may have lost commits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Generation {
    /// PostgreSQL's system identifier.
    pub system: u64,
    /// PostgreSQL's timeline.
    pub timeline: u32,
}

/// How far a view has come: all that had been committed before this mark of the store is in it.
///
/// The mark is the oldest transaction that was still open (`pg_snapshot_xmin`), because the order in which transactions get their
/// numbers is not the order in which they commit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Revision(pub u64);

/// What nodes are labelled with: `zone = "b"`.
pub type Labels = BTreeMap<Arc<str>, Arc<str>>;

/// Which labels a node needs: for each name one of these values.
pub type Where = BTreeMap<Arc<str>, BTreeSet<Arc<str>>>;

/// A node's place in its cluster. It only goes downwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Standing {
    /// It may own shards.
    Live,
    /// It gives away what it owns, and gets nothing.
    Draining,
    /// Its lease has been ended, or it has left. Its shards may be taken.
    Ended,
}

/// A node as the store lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Which life of its process.
    pub incarnation: Incarnation,
    /// Its name, which it has again after a restart.
    pub name: Arc<str>,
    /// Where others reach it.
    pub address: Arc<str>,
    /// What its share of shards is proportional to.
    pub weight: u32,
    /// Its labels.
    pub labels: Arc<Labels>,
    /// The types that it has code for.
    pub types: Arc<BTreeSet<TypeId>>,
    /// Its place in the cluster.
    pub standing: Standing,
}

/// A type of entity as the store knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypeSpec {
    /// Its number.
    pub type_id: TypeId,
    /// How many shards it has, for ever.
    pub shards: u32,
    /// Which nodes may own them.
    pub place: Where,
}

impl TypeSpec {
    /// True if this node may own shards of this type.
    pub fn may_be_on(&self, member: &Member) -> bool {
        let fits = |(label, values): (&Arc<str>, &BTreeSet<Arc<str>>)| {
            member.labels.get(label).is_some_and(|value| values.contains(value))
        };
        member.standing == Standing::Live
            && member.weight > 0
            && member.types.contains(&self.type_id)
            && self.place.iter().all(fits)
    }
}

/// A shard as the store lists it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShardRow {
    /// Which shard.
    pub shard: ShardId,
    /// The number of times that it has changed hands.
    pub epoch: Epoch,
    /// Who has it at this epoch. A release takes the owner away and leaves the epoch.
    pub owner: Option<Incarnation>,
}

/// What a statement read of membership and ownership.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ViewChanges {
    /// The mark of its snapshot.
    pub revision: Revision,
    /// Nodes that have changed, renewals apart.
    pub members: Vec<Member>,
    /// Shards that have changed.
    pub shards: Vec<ShardRow>,
    /// Leases that end soon or have run out, of nodes that aren't ended, with the time that is left of them.
    pub fading: Vec<(Incarnation, Duration)>,
}

/// What came of applying changes.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// A node has appeared.
    pub joined: bool,
    /// Nodes that have ended.
    pub ended: Vec<Incarnation>,
    /// Shards whose row is another one now.
    pub shards: Vec<ShardRow>,
}

impl Applied {
    /// True if nothing is different.
    pub fn is_nothing(&self) -> bool {
        !self.joined && self.ended.is_empty() && self.shards.is_empty()
    }
}

/// Who has a shard, in 16 bytes: there are very many.
#[derive(Debug, Clone, Copy, Default)]
struct Slot {
    epoch: Epoch,
    owner: Option<Incarnation>,
}

impl Slot {
    /// Rows of one shard in the order in which they were: taken at an epoch, then released at it.
    fn age(self) -> (Epoch, bool) {
        (self.epoch, self.owner.is_none())
    }
}

/// The live nodes at a revision, and the owners of all shards. It never goes back, except at another generation of the store.
#[derive(Debug, Clone, Default)]
pub struct View {
    revision: Revision,
    members: BTreeMap<Incarnation, Member>,
    shards: BTreeMap<TypeId, Box<[Slot]>>,
    /// Ended nodes, whose rows others may still show.
    ended: BTreeSet<Incarnation>,
}

impl View {
    /// An empty view of shards of these types.
    pub fn new<'a>(types: impl IntoIterator<Item = &'a TypeSpec>) -> Self {
        let slots = |of: &TypeSpec| vec![Slot::default(); of.shards as usize].into_boxed_slice();
        Self {
            shards: types.into_iter().map(|of| (of.type_id, slots(of))).collect(),
            ..Self::default()
        }
    }

    /// How far it has come.
    pub fn revision(&self) -> Revision {
        self.revision
    }

    /// The nodes that haven't ended.
    pub fn members(&self) -> impl Iterator<Item = &Member> {
        self.members.values()
    }

    /// One of them.
    pub fn member(&self, incarnation: Incarnation) -> Option<&Member> {
        self.members.get(&incarnation)
    }

    /// True if this incarnation has ended, as far as is known here.
    pub fn is_ended(&self, incarnation: Incarnation) -> bool {
        self.ended.contains(&incarnation)
    }

    /// The row of a shard, if its type has it.
    pub fn row(&self, shard: ShardId) -> Option<ShardRow> {
        let slot = self.shards.get(&shard.type_id)?.get(shard.shard as usize)?;
        Some(ShardRow {
            shard,
            epoch: slot.epoch,
            owner: slot.owner,
        })
    }

    /// The owners of a type's shards: nodes that haven't ended, whether or not they may keep them.
    pub fn owners(&self, type_id: TypeId) -> impl Iterator<Item = Option<Incarnation>> {
        let slots = self.shards.get(&type_id).map(|slots| &slots[..]).unwrap_or_default();
        let holds = |slot: &Slot| slot.owner.filter(|owner| !self.ended.contains(owner));
        slots.iter().map(holds)
    }

    /// The shards that this incarnation has.
    pub fn owned_by(&self, owner: Incarnation) -> impl Iterator<Item = ShardRow> {
        let all = self.shards.iter().flat_map(move |(type_id, slots)| {
            slots.iter().enumerate().map(move |(shard, slot)| {
                let shard = ShardId {
                    type_id: *type_id,
                    shard: shard as u32,
                };
                (shard, *slot)
            })
        });
        all.filter(move |(_, slot)| slot.owner == Some(owner))
            .map(|(shard, Slot { epoch, owner })| ShardRow { shard, epoch, owner })
    }

    /// Takes what a statement read. Rows that are older than what is here are left out.
    pub fn apply(&mut self, changes: &ViewChanges) -> Applied {
        let mut applied = Applied::default();
        self.revision = if broken(Mutation::ViewGoesBack) {
            changes.revision
        } else {
            self.revision.max(changes.revision)
        };
        for member in &changes.members {
            self.apply_member(member, &mut applied);
        }
        for row in &changes.shards {
            if self.apply_row(*row) {
                applied.shards.push(*row);
            }
        }
        if self.ended.len() > self.members.len() + 64 {
            self.forget_ended();
        }
        applied
    }

    /// Forgets ended nodes that have nothing any more.
    fn forget_ended(&mut self) {
        let owners = self.shards.values().flatten().filter_map(|slot| slot.owner);
        let owners: BTreeSet<_> = owners.collect();
        self.ended.retain(|one| owners.contains(one));
    }

    fn apply_member(&mut self, member: &Member, applied: &mut Applied) {
        let incarnation = member.incarnation;
        if member.standing == Standing::Ended {
            self.members.remove(&incarnation);
            if self.ended.insert(incarnation) {
                applied.ended.push(incarnation);
            }
        } else if !self.ended.contains(&incarnation) || broken(Mutation::ViewGoesBack) {
            let before = self.members.insert(incarnation, member.clone());
            applied.joined |= before.is_none();
        }
    }

    fn apply_row(&mut self, row: ShardRow) -> bool {
        // A node that ended while it took this, and that was forgotten here already: nodes are read with their shards.
        if let Some(owner) = row.owner.filter(|owner| !self.members.contains_key(owner)) {
            self.ended.insert(owner);
        }
        let slots = self.shards.get_mut(&row.shard.type_id);
        let Some(slot) = slots.and_then(|slots| slots.get_mut(row.shard.shard as usize)) else {
            return false;
        };
        let new = Slot {
            epoch: row.epoch,
            owner: row.owner,
        };
        let is_newer = new.age() > slot.age() || broken(Mutation::ViewGoesBack) && new.age() != slot.age();
        if is_newer {
            *slot = new;
        }
        is_newer
    }

    /// The bytes that it takes, without what names, addresses and labels take.
    pub fn bytes(&self) -> usize {
        let shards: usize = self.shards.values().map(|slots| size_of_val(&**slots)).sum();
        // A node of a B-tree is two thirds full.
        let tree = |of_one: usize, count: usize| of_one * count * 3 / 2;
        shards + tree(size_of::<Member>() + 8, self.members.len()) + tree(8, self.ended.len())
    }
}

#[cfg(test)]
mod tests;
