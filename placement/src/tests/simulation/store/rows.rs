//! Rows and their versions.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::super::Time;
use crate::words::{Epoch, Incarnation, Member, ShardId};

/// What a row is found by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(in super::super) enum Key {
    Node(Incarnation),
    Shard(ShardId),
    /// By the number of the entity in the simulation.
    State(u32),
    Reminder(u32),
}

/// What is in a row.
#[derive(Debug, Clone, PartialEq)]
pub(in super::super) enum Value {
    Node {
        member: Rc<Member>,
        /// By the store's clock.
        lease_until: Time,
    },
    Shard {
        epoch: Epoch,
        owner: Option<Incarnation>,
    },
    State {
        epoch: Epoch,
        version: u64,
        bytes: Rc<Vec<u8>>,
    },
    /// One reminder for each entity at most.
    Reminder {
        shard: ShardId,
        due: u64,
        period: u64,
    },
}

/// A version of a row.
#[derive(Debug, Clone)]
pub(super) struct Version {
    /// The number of its commit.
    pub(super) commit: u64,
    /// When that was.
    pub(super) at: Time,
    pub(super) value: Value,
}

/// All committed rows.
#[derive(Debug, Default)]
pub(super) struct Rows {
    rows: BTreeMap<Key, Vec<Version>>,
    /// The rows that each transaction changed, renewals apart.
    changes: BTreeMap<u64, Vec<Key>>,
    pub(super) last_commit: u64,
}

/// The time for which versions are kept that no snapshot sees: a failover may go back to them.
const KEPT: Time = 3_000_000_000;

impl Rows {
    /// The row as a snapshot sees it.
    pub(super) fn at(&self, key: Key, snapshot: u64) -> Option<&Value> {
        let versions = self.rows.get(&key)?;
        let seen = versions.iter().rev().find(|version| version.commit <= snapshot);
        seen.map(|version| &version.value)
    }

    /// The row as it is, with the number of its commit.
    pub(super) fn latest(&self, key: Key) -> Option<(u64, &Value)> {
        let version = self.rows.get(&key)?.last()?;
        Some((version.commit, &version.value))
    }

    pub(super) fn range(&self, from: Key, to: Key, snapshot: u64) -> impl Iterator<Item = (Key, &Value)> {
        let rows = self.rows.range(from..=to);
        rows.filter_map(move |(key, versions)| {
            let seen = versions.iter().rev().find(|version| version.commit <= snapshot)?;
            Some((*key, &seen.value))
        })
    }

    /// The rows that were changed by transactions with this number or a later one.
    pub(super) fn changed_since(&self, xid: u64) -> BTreeSet<Key> {
        self.changes
            .range(xid..)
            .flat_map(|(_, keys)| keys.iter().copied())
            .collect()
    }

    pub(super) fn commit(&mut self, xid: u64, writes: Vec<(Key, Value, bool)>, oldest_snapshot: u64, now: Time) {
        self.last_commit += 1;
        for (key, value, is_change) in writes {
            let versions = self.rows.entry(key).or_default();
            let keep = |next: &Version| next.commit > oldest_snapshot || next.at + KEPT > now;
            let old = versions.windows(2).take_while(|pair| !keep(&pair[1])).count();
            versions.drain(..old);
            versions.push(Version {
                commit: self.last_commit,
                at: now,
                value,
            });
            if is_change {
                self.changes.entry(xid).or_default().push(key);
            }
        }
    }

    /// Goes back to what had been committed at that time.
    pub(super) fn lose_since(&mut self, time: Time) {
        self.rows.retain(|_, versions| {
            let keep = versions.iter().filter(|version| version.at <= time).count();
            versions.truncate(keep);
            keep > 0
        });
    }
}
