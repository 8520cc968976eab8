//! What each statement is about, which condition it has, and what it changes: the SQL, by hand.

use std::collections::BTreeSet;
use std::num::NonZeroU64;
use std::rc::Rc;
use std::time::Duration;

use super::super::Time;
use super::locks::Mode;
use super::rows::{Key, Value};
use super::transaction::{Committed, Store, Transaction};
use crate::mutation::{Mutation, broken};
use crate::statement::{DueReminder, FiringKey, Outcome, StateWrite, Statement, StoredState, WriteOutcome};
use crate::tests::simulation::entity::{entity_number, entity_of};
use crate::words::{Epoch, Incarnation, Revision, ShardId, ShardRow, Standing, TypeId, ViewChanges};

/// A row that a statement wants to lock.
#[derive(Debug, Clone, Copy)]
pub(super) struct Target {
    pub(super) key: Key,
    pub(super) mode: Mode,
    /// False: SKIP LOCKED.
    pub(super) waits: bool,
}

/// What a commit writes: whether others are told of it by [`ViewChanges`].
pub(super) type Write = (Key, Value, bool);

const LEAST: Incarnation = Incarnation(NonZeroU64::MIN);
const GREATEST: Incarnation = Incarnation(NonZeroU64::MAX);
const FIRST_SHARD: ShardId = ShardId {
    type_id: TypeId(0),
    shard: 0,
};
const LAST_SHARD: ShardId = ShardId {
    type_id: TypeId(u16::MAX),
    shard: u32::MAX,
};

impl Store {
    /// The rows that a statement finds in its snapshot.
    pub(super) fn targets(&self, of: &Transaction) -> Vec<Target> {
        let mut wanted: Vec<Key> = match &of.statement {
            Statement::Join { member, .. } => vec![Key::Node(member.incarnation)],
            Statement::Renew { incarnation, .. }
            | Statement::SetStanding { incarnation, .. }
            | Statement::End { incarnation } => vec![Key::Node(*incarnation)],
            Statement::Acquire { shards, .. } => shards.iter().map(|shard| Key::Shard(*shard)).collect(),
            Statement::Reclaim { shards, .. } | Statement::Release { shards, .. } => {
                shards.iter().map(|(shard, _)| Key::Shard(*shard)).collect()
            }
            Statement::WriteState { writes, .. } => writes.iter().map(|write| Key::Shard(write.shard)).collect(),
            Statement::ReadAll
            | Statement::ReadOwned { .. }
            | Statement::ReadDue { .. }
            | Statement::ReadState { .. } => Vec::new(),
        };
        wanted.sort_unstable();
        wanted.dedup();
        wanted.retain(|key| self.holds(of, *key, self.rows.at(*key, of.snapshot)));
        let mode = match of.statement {
            Statement::WriteState { .. } => Mode::Shared,
            _ => Mode::Exclusive,
        };
        let waits = !matches!(of.statement, Statement::Acquire { .. });
        wanted.into_iter().map(|key| Target { key, mode, waits }).collect()
    }

    /// The rows that a write of states locks once it has those of the shards.
    pub(super) fn state_targets(&self, of: &Transaction) -> Vec<Target> {
        let Statement::WriteState { writes, .. } = &of.statement else {
            return Vec::new();
        };
        let mut keys = BTreeSet::new();
        for write in writes
            .iter()
            .filter(|write| of.passed.contains(&Key::Shard(write.shard)))
        {
            let number = entity_number(&write.entity);
            keys.insert(Key::State(number));
            if !write.handled.is_empty() {
                keys.insert(Key::Reminder(number));
            }
        }
        let mode = Mode::Exclusive;
        keys.into_iter().map(|key| Target { key, mode, waits: true }).collect()
    }

    /// The condition of a statement on one row: the row as given, everything else as in the snapshot.
    pub(super) fn holds(&self, of: &Transaction, key: Key, row: Option<&Value>) -> bool {
        match (&of.statement, row) {
            (Statement::Join { .. }, row) => row.is_none(),
            (Statement::Renew { .. }, Some(Value::Node { member, .. })) => {
                member.standing != Standing::Ended || broken(Mutation::RenewedAfterEnd)
            }
            (Statement::SetStanding { standing, .. }, Some(Value::Node { member, .. })) => member.standing < *standing,
            (Statement::End { .. }, Some(Value::Node { member, lease_until })) => {
                let is_over = *lease_until < self.clock() || broken(Mutation::EndWithoutLease);
                member.standing != Standing::Ended && is_over
            }
            (Statement::Acquire { incarnation, .. }, Some(Value::Shard { owner, .. })) => {
                self.may_acquire(of, *incarnation, *owner)
            }
            (Statement::Reclaim { incarnation, shards }, Some(Value::Shard { epoch, owner })) => {
                let is_me = *owner == Some(*incarnation);
                is_me
                    && shards
                        .iter()
                        .any(|(shard, at)| Key::Shard(*shard) == key && at == epoch)
            }
            (Statement::Release { incarnation, shards }, Some(Value::Shard { epoch, owner })) => {
                let is_me = *owner == Some(*incarnation);
                is_me
                    && shards
                        .iter()
                        .any(|(shard, at)| Key::Shard(*shard) == key && at == epoch)
            }
            (Statement::WriteState { incarnation, writes }, Some(Value::Shard { epoch, owner })) => {
                let is_at = |write: &StateWrite| Key::Shard(write.shard) == key && write.epoch == *epoch;
                (*owner == Some(*incarnation) && writes.iter().any(is_at)) || broken(Mutation::NoFence)
            }
            _ => false,
        }
    }

    fn may_acquire(&self, of: &Transaction, me: Incarnation, owner: Option<Incarnation>) -> bool {
        let standing = |incarnation| match self.rows.at(Key::Node(incarnation), of.snapshot) {
            Some(Value::Node { member, lease_until }) => Some((member.standing, *lease_until)),
            _ => None,
        };
        let is_free = match owner.map(standing) {
            None => true,
            _ if broken(Mutation::TakenFromLive) => owner != Some(me),
            Some(Some((standing, lease_until))) => {
                standing == Standing::Ended || (broken(Mutation::TakenByLease) && lease_until < self.clock())
            }
            Some(None) => broken(Mutation::TakenFromUnseen),
        };
        is_free && standing(me).is_some_and(|(standing, _)| standing != Standing::Ended)
    }

    /// What a statement writes at its commit, to the rows that it has locked.
    pub(super) fn writes(&self, of: &Transaction, notes: &mut Vec<Committed>) -> Vec<Write> {
        let mut writes = Vec::new();
        for key in &of.passed {
            let row = self.rows.latest(*key).map(|(_, row)| row);
            writes.extend(self.write(of, *key, row, notes));
        }
        if let Statement::WriteState {
            incarnation,
            writes: states,
        } = &of.statement
        {
            for state in states {
                if of.passed.contains(&Key::Shard(state.shard)) {
                    self.write_state(*incarnation, state, notes, &mut writes);
                }
            }
        }
        writes
    }

    fn write(&self, of: &Transaction, key: Key, row: Option<&Value>, notes: &mut Vec<Committed>) -> Option<Write> {
        match (&of.statement, row) {
            (Statement::Join { member, lease }, None) => {
                let lease_until = of.started + lease.as_nanos() as Time;
                let member = Rc::new(member.clone());
                Some((key, Value::Node { member, lease_until }, true))
            }
            (Statement::Renew { lease, .. }, Some(Value::Node { member, lease_until })) => {
                let until = of.started + lease.as_nanos() as Time;
                let lease_until = if broken(Mutation::LeaseGoesBack) {
                    until
                } else {
                    until.max(*lease_until)
                };
                let member = Rc::clone(member);
                Some((key, Value::Node { member, lease_until }, false))
            }
            (Statement::SetStanding { standing, .. }, Some(Value::Node { .. })) => with_standing(key, row?, *standing),
            (Statement::End { incarnation }, Some(Value::Node { .. })) => {
                notes.push(Committed::Ended(*incarnation));
                with_standing(key, row?, Standing::Ended)
            }
            (
                Statement::Acquire { incarnation, .. } | Statement::Reclaim { incarnation, .. },
                Some(Value::Shard { epoch, owner }),
            ) => {
                let from = *owner;
                let is_same = broken(Mutation::EpochNotBumped);
                let epoch = Epoch(epoch.0 + u64::from(!is_same));
                notes.push(Committed::Taken {
                    by: *incarnation,
                    key,
                    from,
                });
                let owner = Some(*incarnation);
                Some((key, Value::Shard { epoch, owner }, true))
            }
            (Statement::Release { .. }, Some(Value::Shard { epoch, .. })) => {
                let epoch = *epoch;
                Some((key, Value::Shard { epoch, owner: None }, true))
            }
            _ => None,
        }
    }

    fn write_state(&self, by: Incarnation, state: &StateWrite, notes: &mut Vec<Committed>, writes: &mut Vec<Write>) {
        let number = entity_number(&state.entity);
        let key = Key::State(number);
        let (epoch, version) = (state.epoch, state.version);
        let before = match self.rows.latest(key) {
            Some((_, Value::State { epoch, version, .. })) => Some((*epoch, *version)),
            _ => None,
        };
        if before.is_some_and(|before| before >= (epoch, version)) && !broken(Mutation::WriteWithoutVersion) {
            return;
        }
        let bytes = Rc::new(state.bytes.clone());
        let shard = state.shard;
        let note = Committed::State {
            by,
            number,
            shard,
            epoch,
            version,
            before,
            bytes: Rc::clone(&bytes),
        };
        self.advance(number, state, notes, writes);
        notes.push(note);
        writes.push((key, Value::State { epoch, version, bytes }, false));
    }

    /// Advances the reminder that the state accounts for.
    fn advance(&self, number: u32, state: &StateWrite, notes: &mut Vec<Committed>, writes: &mut Vec<Write>) {
        let Some((_, Value::Reminder { shard, due, period })) = self.rows.latest(Key::Reminder(number)) else {
            return;
        };
        if state.handled.iter().any(|firing| firing.due == *due) {
            // Those that became due meanwhile are fired once.
            let now = self.clock() / 1_000;
            let missed = now.saturating_sub(*due) / period + 1;
            notes.push(Committed::Advanced { number, due: *due });
            let due = due + missed * period;
            writes.push((
                Key::Reminder(number),
                Value::Reminder {
                    shard: *shard,
                    due,
                    period: *period,
                },
                false,
            ));
        }
    }

    /// The answer: what was read, in the snapshot, and what was written.
    pub(super) fn outcome(&self, of: &Transaction, writes: &[Write]) -> Outcome {
        let did = |key: Key| writes.iter().any(|(written, ..)| *written == key);
        match &of.statement {
            Statement::Join { .. } | Statement::SetStanding { .. } => Outcome::Done,
            Statement::Renew {
                incarnation,
                since,
                fading_below,
                ..
            } => Outcome::Renewed {
                is_renewed: did(Key::Node(*incarnation)),
                changes: self.changes(of, *since, Some((*incarnation, *fading_below))),
            },
            Statement::End { incarnation } => Outcome::Ended {
                is_ended: did(Key::Node(*incarnation)),
            },
            Statement::Acquire { .. } | Statement::Reclaim { .. } => Outcome::Acquired(
                writes
                    .iter()
                    .filter_map(|(key, value, _)| shard_row(*key, value))
                    .collect(),
            ),
            Statement::Release { .. } => Outcome::Released,
            Statement::ReadOwned { incarnation } => {
                let node = self.rows.at(Key::Node(*incarnation), of.snapshot);
                let owned = self.shards(of).filter(|row| row.owner == Some(*incarnation));
                Outcome::Owned {
                    is_listed: matches!(node, Some(Value::Node { member, .. }) if member.standing != Standing::Ended),
                    shards: owned.collect(),
                }
            }
            Statement::ReadAll => Outcome::All(self.changes(of, Revision(0), None)),
            Statement::ReadDue { incarnation } => Outcome::Due(self.due(of, *incarnation)),
            Statement::WriteState { writes: states, .. } => {
                let passed = |write: &StateWrite| of.passed.contains(&Key::Shard(write.shard));
                let outcome = |write| {
                    if passed(write) {
                        WriteOutcome::Accepted
                    } else {
                        WriteOutcome::Refused
                    }
                };
                Outcome::Written(states.iter().map(outcome).collect())
            }
            Statement::ReadState {
                incarnation,
                shard,
                epoch,
                entity,
            } => {
                let owner = Some(*incarnation);
                let row = Value::Shard { epoch: *epoch, owner };
                Outcome::State {
                    is_owner: self.rows.at(Key::Shard(*shard), of.snapshot) == Some(&row),
                    state: self.state(of, entity_number(entity)),
                }
            }
        }
    }

    fn state(&self, of: &Transaction, number: u32) -> Option<StoredState> {
        match self.rows.at(Key::State(number), of.snapshot) {
            Some(Value::State { epoch, version, bytes }) => Some(StoredState {
                epoch: *epoch,
                version: *version,
                bytes: bytes.to_vec(),
            }),
            _ => None,
        }
    }

    fn shards(&self, of: &Transaction) -> impl Iterator<Item = ShardRow> {
        let rows = self
            .rows
            .range(Key::Shard(FIRST_SHARD), Key::Shard(LAST_SHARD), of.snapshot);
        rows.filter_map(|(key, value)| shard_row(key, value))
    }

    fn changes(&self, of: &Transaction, since: Revision, fading: Option<(Incarnation, Duration)>) -> ViewChanges {
        let mut changes = ViewChanges {
            revision: Revision(of.revision),
            ..ViewChanges::default()
        };
        if since.0 == 0 {
            changes.shards = self.shards(of).collect();
            changes.members = self.nodes(of).map(|(member, _)| member.as_ref().clone()).collect();
        } else {
            for key in self.rows.changed_since(since.0) {
                match self.rows.at(key, of.snapshot) {
                    Some(Value::Node { member, .. }) => changes.members.push(member.as_ref().clone()),
                    Some(value) => changes.shards.extend(shard_row(key, value)),
                    None => {}
                }
            }
        }
        if let Some((me, below)) = fading {
            let limit = of.started + below.as_nanos() as Time;
            let fades = self.nodes(of).filter(|(member, until)| {
                *until < limit && member.standing != Standing::Ended && member.incarnation != me
            });
            let left = |until: Time| Duration::from_nanos(until.saturating_sub(of.started));
            changes.fading = fades.map(|(member, until)| (member.incarnation, left(until))).collect();
        }
        changes
    }

    fn nodes(&self, of: &Transaction) -> impl Iterator<Item = (&Rc<crate::words::Member>, Time)> {
        let rows = self.rows.range(Key::Node(LEAST), Key::Node(GREATEST), of.snapshot);
        rows.filter_map(|(_, value)| match value {
            Value::Node { member, lease_until } => Some((member, *lease_until)),
            _ => None,
        })
    }

    fn due(&self, of: &Transaction, me: Incarnation) -> Vec<DueReminder> {
        let rows = self.rows.range(Key::Reminder(0), Key::Reminder(u32::MAX), of.snapshot);
        let now = of.started / 1_000;
        let due = rows.filter_map(|(key, value)| {
            let (Key::Reminder(number), Value::Reminder { shard, due, .. }) = (key, value) else {
                return None;
            };
            let (shard, due) = (*shard, *due);
            let row = self.rows.at(Key::Shard(shard), of.snapshot)?;
            let Value::Shard { epoch, owner } = row else {
                return None;
            };
            let is_due = *owner == Some(me) && due <= now;
            is_due.then(|| DueReminder {
                entity: entity_of(number),
                shard,
                epoch: *epoch,
                firing: FiringKey { reminder: 0, due },
            })
        });
        due.collect()
    }
}

fn shard_row(key: Key, value: &Value) -> Option<ShardRow> {
    match (key, value) {
        (Key::Shard(shard), Value::Shard { epoch, owner }) => Some(ShardRow {
            shard,
            epoch: *epoch,
            owner: *owner,
        }),
        _ => None,
    }
}

fn with_standing(key: Key, row: &Value, standing: Standing) -> Option<Write> {
    let Value::Node { member, lease_until } = row else {
        return None;
    };
    let mut member = member.as_ref().clone();
    member.standing = standing;
    let (member, lease_until) = (Rc::new(member), *lease_until);
    Some((key, Value::Node { member, lease_until }, true))
}
