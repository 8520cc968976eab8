//! What must hold: at every commit, whenever a message is taken or an output is released, and when things have settled.

use std::collections::{BTreeMap, BTreeSet};

use super::entity::{Kind, Message, State};
use super::node::node_of;
use super::scenario::{Fault, Promise};
use super::store::{Committed, Key, Value};
use super::world::World;
use crate::words::{Epoch, Incarnation, Revision, ShardId};

/// What is remembered to check it.
#[derive(Debug)]
pub(super) struct Oracle {
    pub(super) violations: Vec<String>,
    promise: Promise,
    /// Nodes that may serve a shard.
    claims: BTreeMap<ShardId, BTreeSet<usize>>,
    /// The epoch of the last write of an entity, and whose that was.
    writes: BTreeMap<u32, (Epoch, Incarnation)>,
    /// Messages whose reply was seen.
    replied: BTreeMap<u32, Vec<u32>>,
    begun: BTreeSet<u32>,
    /// Messages that were sent, neither begun nor given up, and the life of the node that sent each.
    pub(super) open: BTreeMap<u32, (usize, u64)>,
    /// The last message of a node's life that an entity has begun with.
    orders: BTreeMap<(usize, u64, u32), u32>,
    /// Firings of reminders that the store has accounted for.
    advanced: BTreeMap<u32, Vec<u64>>,
    /// What each node's view was like.
    views: BTreeMap<usize, (Revision, Vec<(Epoch, bool)>)>,
    pub(super) counted: Counted,
}

/// How much has happened: a run in which nothing did shows nothing.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Counted {
    pub(super) begun: u64,
    pub(super) replied: u64,
    pub(super) written: u64,
    pub(super) taken: u64,
    pub(super) ended: u64,
    pub(super) reminders: u64,
    /// Messages that were outstanding at a session that ended.
    pub(super) lost: u64,
    pub(super) overloaded: u64,
    pub(super) unowned: u64,
}

impl Oracle {
    pub(super) fn new(promise: Promise) -> Self {
        Self {
            violations: Vec::new(),
            promise,
            claims: BTreeMap::new(),
            writes: BTreeMap::new(),
            replied: BTreeMap::new(),
            begun: BTreeSet::new(),
            open: BTreeMap::new(),
            orders: BTreeMap::new(),
            advanced: BTreeMap::new(),
            views: BTreeMap::new(),
            counted: Counted::default(),
        }
    }

    pub(super) fn violation(&mut self, invariant: &str, what: String) {
        self.violations.push(format!("{invariant}: {what}"));
    }

    pub(super) fn claim(&mut self, shard: ShardId, node: usize) {
        self.claims.entry(shard).or_default().insert(node);
    }

    pub(super) fn unclaim(&mut self, shard: ShardId, node: usize) {
        self.claims.entry(shard).or_default().remove(&node);
    }

    /// The node reads everything anew, and may find that it was more before.
    pub(super) fn forget(&mut self, node: usize) {
        self.views.remove(&node);
    }

    pub(super) fn generation(&mut self, lost: bool) {
        if lost {
            self.writes.clear();
            self.replied.clear();
            self.begun.clear();
            self.advanced.clear();
        }
    }
}

impl World {
    pub(super) fn violation(&mut self, invariant: &str, what: String) {
        self.oracle.violation(invariant, what);
    }

    fn is_checked(&self) -> bool {
        self.oracle.promise != Promise::ComesBack
    }

    pub(super) fn check_commit(&mut self, note: &Committed) {
        match note {
            Committed::Ended(incarnation) => {
                self.oracle.counted.ended += 1;
                if self.oracle.promise == Promise::NothingMoves {
                    self.violation("I12", format!("{:?} was ended", node_of(*incarnation)));
                }
            }
            Committed::Taken { by, key, from, .. } => {
                self.oracle.counted.taken += 1;
                let moves = from.is_some_and(|from| from != *by);
                if self.oracle.promise == Promise::NothingMoves && moves {
                    self.violation("I12", format!("{key:?} went to {:?}", node_of(*by)));
                }
            }
            Committed::State { .. } => self.check_write(note),
            Committed::Advanced { number, due } => {
                self.oracle.counted.reminders += 1;
                self.oracle.advanced.entry(*number).or_default().push(*due);
            }
        }
    }

    fn check_write(&mut self, note: &Committed) {
        let Committed::State {
            by,
            number,
            shard,
            epoch,
            version,
            before,
            bytes,
        } = note
        else {
            return;
        };
        self.oracle.counted.written += 1;
        if !self.is_checked() {
            return;
        }
        let row = self.store.latest(Key::Shard(*shard)).cloned();
        let owner = Some(*by);
        if row != Some(Value::Shard { epoch: *epoch, owner }) {
            self.violation(
                "I3",
                format!(
                    "{:?} wrote {number} at {epoch:?}, but {shard:?} is {row:?}",
                    node_of(*by)
                ),
            );
        }
        if let Some((last, writer)) = self.oracle.writes.insert(*number, (*epoch, *by))
            && (last > *epoch || (last == *epoch && writer != *by))
        {
            self.violation(
                "I1",
                format!("{number} was written at {epoch:?} by {by:?} after {last:?} by {writer:?}"),
            );
        }
        if before.is_some_and(|before| before > (*epoch, *version)) {
            self.violation("I1", format!("{number} went back from {before:?} to {version}"));
        }
        let state = State::from_bytes(bytes);
        self.check_state(*number, &state, "a write");
        let is_accounted = |oracle: &Oracle| {
            let advanced = oracle.advanced.get(number).map(|due| &due[..]).unwrap_or_default();
            state.reminders == advanced
        };
        if !is_accounted(&self.oracle) {
            let advanced = self.oracle.advanced.get(number);
            self.violation(
                "I14",
                format!(
                    "{number} has handled {:?}, and the store counts {advanced:?}",
                    state.reminders
                ),
            );
        }
    }

    /// A state that is read or written has everything that somebody was told of.
    pub(super) fn check_state(&mut self, number: u32, state: &State, what: &str) {
        let is_stale_read = what == "an activation" && self.oracle.promise == Promise::Writes;
        if !self.is_checked() || is_stale_read {
            return;
        }
        let applied: BTreeSet<_> = state.applied.iter().collect();
        let lacks = |oracle: &Oracle| {
            let replied = oracle.replied.get(&number)?;
            replied.iter().find(|id| !applied.contains(id)).copied()
        };
        if let Some(id) = lacks(&self.oracle) {
            self.violation("I4", format!("{what} of {number} lacks {id}, whose reply was seen"));
        }
    }

    /// A node takes a message.
    pub(super) fn check_begun(&mut self, node: usize, shard: ShardId, message: &Message) {
        self.oracle.counted.begun += 1;
        self.check_alone(node, shard, "takes a message of");
        self.oracle.open.remove(&message.id);
        if !self.oracle.begun.insert(message.id) {
            self.violation("I5", format!("{message:?} was handled twice"));
        } else if let Kind::Call { sender, life, order } = message.kind {
            let last = self.oracle.orders.insert((sender, life, message.entity), order);
            let is_promised = self.oracle.promise != Promise::Writes;
            if let Some(last) = last.filter(|last| *last > order && is_promised) {
                self.violation("I6", format!("{message:?} was handled after {last}"));
            }
        }
    }

    /// A node releases a reply.
    pub(super) fn check_released(&mut self, node: usize, shard: ShardId, message: &Message) {
        self.check_alone(node, shard, "replies for");
        if let Kind::Call { .. } = message.kind {
            self.oracle.counted.replied += 1;
            self.oracle.replied.entry(message.entity).or_default().push(message.id);
        }
    }

    fn check_alone(&mut self, node: usize, shard: ShardId, what: &str) {
        if !self.is_checked() || self.oracle.promise == Promise::Writes {
            return;
        }
        let claims = self.oracle.claims.get(&shard);
        let others = claims.into_iter().flatten().filter(|other| **other != node);
        let serves = |other: &&usize| {
            let at = &self.nodes[**other];
            let machine = at.process.as_ref().map(|process| &process.machine);
            machine.is_some_and(|machine| machine.may_take(shard, at.now(self.now)).is_some())
        };
        if let Some(other) = others.copied().find(|other| serves(&other)) {
            self.violation("I2", format!("{node} {what} {shard:?}, which {other} serves"));
        }
    }

    pub(super) fn check_activations(&mut self, node: usize) {
        let now = self.now;
        let Some(process) = self.nodes[node].process.as_mut() else {
            return;
        };
        let host = &mut process.host;
        host.began.retain(|at| at + super::SECOND > now);
        let in_a_second = host.began.len();
        let loading = host
            .instances
            .values()
            .filter(|one| one.condition == super::host::Condition::Loading);
        let at_once = loading.count();
        // A second by the node's clock is not quite one here.
        if in_a_second > 202 || at_once > 64 {
            self.violation(
                "I11",
                format!("{node} activates {at_once} at once and {in_a_second} in a second"),
            );
        }
    }

    /// A view never goes back.
    pub(super) fn check_view(&mut self, node: usize) {
        if self.nodes.len() > 20 {
            return;
        }
        let Some(process) = self.nodes[node].process.as_ref() else {
            return;
        };
        let view = process.machine.view();
        let revision = view.revision();
        let types = self.types.iter();
        let all = types.flat_map(|of| {
            (0..of.shards).map(|shard| ShardId {
                type_id: of.type_id,
                shard,
            })
        });
        let ages = all
            .filter_map(|shard| view.row(shard))
            .map(|row| (row.epoch, row.owner.is_none()));
        let ages: Vec<_> = ages.collect();
        let before = self.oracle.views.insert(node, (revision, ages));
        let Some((before, old)) = before else { return };
        let (_, new) = &self.oracle.views[&node];
        let back = old.iter().zip(new).position(|(old, new)| new < old && new.0.0 > 0);
        if before > revision || back.is_some() {
            self.violation(
                "I13",
                format!("the view of {node} went back from {before:?} to {revision:?}, {back:?}"),
            );
        }
    }

    /// What must hold when faults are long over.
    pub(super) fn check_settled(&mut self) {
        let mut found = Vec::new();
        let live: Vec<_> = (0..self.nodes.len())
            .filter(|node| self.nodes[*node].process.is_some())
            .collect();
        for of in self.types.clone() {
            for shard in (0..of.shards).map(|shard| ShardId {
                type_id: of.type_id,
                shard,
            }) {
                found.extend(self.check_owned(shard, &live));
            }
        }
        for entity in 0..self.scenario.entities {
            let late = 1_000 * super::MILLISECOND * 5;
            if let Some(Value::Reminder { due, .. }) = self.store.latest(Key::Reminder(entity))
                && due * 1_000 + late < self.store.clock()
            {
                let what = format!(
                    "the reminder of {entity} was due at {due}, and it is {}",
                    self.store.clock()
                );
                self.oracle.violation("I14", what);
            }
        }
        self.check_delivered();
        found.truncate(3);
        for what in found {
            self.violation("I7", what);
        }
    }

    /// Every message was begun, or its sender was told that it wasn't.
    fn check_delivered(&mut self) {
        // Where loading failed for long, the next attempt may be due after the end of the run.
        let is_gentle =
            |fault: &Fault| matches!(fault, Fault::Drain { .. } | Fault::Crash { .. } | Fault::LinkCut { .. });
        let is_short = self.scenario.end < self.scenario.calm_from + super::SECOND * 12;
        if is_short || !self.scenario.faults.iter().all(|(_, fault)| is_gentle(fault)) {
            return;
        }
        let is_alive = |of: &(usize, u64)| self.nodes[of.0].life == of.1 && self.nodes[of.0].process.is_some();
        let open = self.oracle.open.iter().find(|(_, of)| is_alive(of));
        if let Some((id, of)) = open.map(|(id, of)| (*id, *of)) {
            self.violation("I6", format!("message {id} of {of:?} was neither begun nor given up"));
        }
    }

    fn check_owned(&self, shard: ShardId, live: &[usize]) -> Option<String> {
        let Some(Value::Shard { epoch, owner }) = self.store.latest(Key::Shard(shard)) else {
            return Some(format!("{shard:?} has no row"));
        };
        let Some(node) = owner.and_then(|owner| self.living(owner)) else {
            return Some(format!("{shard:?} is {owner:?}'s, which isn't there"));
        };
        let at = &self.nodes[node];
        let serves = at.process.as_ref()?.machine.may_take(shard, at.now(self.now));
        if serves != Some(*epoch) {
            return Some(format!(
                "{shard:?} is {node}'s at {epoch:?}, which serves it at {serves:?}"
            ));
        }
        let believes = |node: &usize| self.nodes[*node].process.as_ref()?.machine.view().row(shard)?.owner;
        let other = live.iter().find(|other| believes(other) != *owner)?;
        Some(format!(
            "{other} believes that {shard:?} is {:?}'s, and it is {node}'s",
            believes(other)
        ))
    }
}
