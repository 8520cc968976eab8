//! What the statements mean when they meet, as a table: the store of the simulation has to do it, and so has PostgreSQL.
//!
//! This folder is compiled twice, in the tests of `placement` and in those of `store`: whoever includes it says where the words are.

mod nodes;
mod states;

use std::num::NonZeroU64;
use std::sync::Arc;
use std::time::Duration;

use super::placement::statement::{FiringKey, Outcome, StateWrite, Statement, WriteOutcome};
use super::placement::words::{
    Entity, EntityKey, EntityType, Epoch, Incarnation, Member, Revision, ShardId, ShardRow, Standing, TypeId,
};

/// What is done, and what has to come of it.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    /// A statement by itself.
    Ask(Statement, Expect),
    /// A statement in a transaction that stays open, of the session with this number.
    Begin(u8, Statement),
    /// That statement waits for another transaction.
    Waits(u8),
    /// That transaction is committed, and this is what the statement had answered.
    Commit(u8, Expect),
    /// The connection of that transaction ends before it is committed.
    Kill(u8),
    /// The node with this number reads what has changed since it last did. Then it knows of these shards that they are at these epochs, and whose
    /// (0: nobody's).
    Poll(u64, &'static [(u32, u64, u64)]),
    /// Due reminders of this node: entities, and for when.
    Due(u64, &'static [(u32, u64)]),
}

/// What a statement has to answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Expect {
    Done,
    Renewed(bool),
    Ended(bool),
    /// Shards and their epochs.
    Acquired(&'static [(u32, u64)]),
    Released,
    /// Whether the node is listed, and its shards and their epochs.
    Owned(bool, &'static [(u32, u64)]),
    /// Which writes were accepted.
    Written(&'static [bool]),
    /// Whether the node still has the shard; epoch, version and content of the state.
    State(bool, Option<(u64, u64, &'static str)>),
}

/// Some steps, from a store in which the nodes 1, 2 and 3 are listed for an hour, and all shards are free at epoch 0.
#[derive(Debug, Clone)]
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    pub(crate) steps: Vec<Step>,
}

/// The number of shards of the type 1.
pub(crate) const SHARDS: u32 = 8;

/// The period of the reminder that each entity has: it isn't due again in this century.
pub(crate) const PERIOD: u64 = 4_000_000_000_000_000;

/// When the reminders of the entities of these numbers are due, in microseconds.
pub(crate) const REMINDERS: &[(u32, u64)] = &[(5, 1_000)];

pub(crate) fn incarnation(number: u64) -> Incarnation {
    Incarnation(NonZeroU64::new(number).unwrap())
}

/// The shard of an entity here: entity 5 is in shard 5.
pub(crate) fn shard(number: u32) -> ShardId {
    ShardId {
        type_id: TypeId(1),
        shard: number,
    }
}

pub(crate) fn entity(number: u32) -> Entity {
    Entity {
        entity_type: EntityType::new("e").unwrap(),
        key: EntityKey::new(&number.to_le_bytes()).unwrap(),
    }
}

pub(crate) fn join(number: u64, lease: Duration) -> Statement {
    let member = Member {
        incarnation: incarnation(number),
        name: format!("n{number}").into(),
        address: format!("10.0.0.{number}:4697").into(),
        weight: 1,
        labels: Arc::new([("zone".into(), "b".into())].into()),
        types: Arc::new([TypeId(1)].into()),
        standing: Standing::Live,
    };
    Statement::Join { member, lease }
}

pub(crate) fn renew(number: u64, since: Revision) -> Statement {
    Statement::Renew {
        incarnation: incarnation(number),
        lease: Duration::from_secs(3_600),
        since,
        fading_below: Duration::from_secs(1),
    }
}

fn renewal(number: u64) -> Statement {
    renew(number, Revision(0))
}

fn end(number: u64) -> Statement {
    Statement::End {
        incarnation: incarnation(number),
    }
}

fn standing(number: u64, standing: Standing) -> Statement {
    let incarnation = incarnation(number);
    Statement::SetStanding { incarnation, standing }
}

fn acquire(number: u64, shards: &[u32]) -> Statement {
    Statement::Acquire {
        incarnation: incarnation(number),
        shards: shards.iter().copied().map(shard).collect(),
    }
}

fn held(shards: &[(u32, u64)]) -> Vec<(ShardId, Epoch)> {
    shards
        .iter()
        .map(|(number, epoch)| (shard(*number), Epoch(*epoch)))
        .collect()
}

fn reclaim(number: u64, shards: &[(u32, u64)]) -> Statement {
    let (incarnation, shards) = (incarnation(number), held(shards));
    Statement::Reclaim { incarnation, shards }
}

fn release(number: u64, shards: &[(u32, u64)]) -> Statement {
    let (incarnation, shards) = (incarnation(number), held(shards));
    Statement::Release { incarnation, shards }
}

fn read_owned(number: u64) -> Statement {
    let incarnation = incarnation(number);
    Statement::ReadOwned { incarnation }
}

/// Entity, epoch, version, content.
fn write(number: u64, states: &[(u32, u64, u64, &str)]) -> Statement {
    let one = |(number, epoch, version, bytes): &(u32, u64, u64, &str)| StateWrite {
        entity: entity(*number),
        shard: shard(*number),
        epoch: Epoch(*epoch),
        version: *version,
        bytes: bytes.as_bytes().to_vec(),
        handled: Vec::new(),
    };
    Statement::WriteState {
        incarnation: incarnation(number),
        writes: states.iter().map(one).collect(),
    }
}

/// A write of the state of entity 5 at epoch 1, in which its reminder was handled.
fn handle(number: u64, version: u64, due: u64) -> Statement {
    let mut statement = write(number, &[(5, 1, version, "handled")]);
    if let Statement::WriteState { writes, .. } = &mut statement {
        writes[0].handled = vec![FiringKey { reminder: 0, due }];
    }
    statement
}

fn read(number: u64, of: u32, epoch: u64) -> Statement {
    Statement::ReadState {
        incarnation: incarnation(number),
        shard: shard(of),
        epoch: Epoch(epoch),
        entity: entity(of),
    }
}

/// In the order of shards, which the store doesn't promise.
fn numbered(rows: &[ShardRow]) -> Vec<(u32, u64)> {
    let mut rows: Vec<_> = rows.iter().map(|row| (row.shard.shard, row.epoch.0)).collect();
    rows.sort_unstable();
    rows
}

/// Fails unless a statement answered what it has to.
pub(crate) fn check(outcome: &Outcome, expect: &Expect) {
    let as_expected = match (outcome, expect) {
        (Outcome::Done, Expect::Done) | (Outcome::Released, Expect::Released) => true,
        (Outcome::Renewed { is_renewed, .. }, Expect::Renewed(expected)) => is_renewed == expected,
        (Outcome::Ended { is_ended }, Expect::Ended(expected)) => is_ended == expected,
        (Outcome::Acquired(rows), Expect::Acquired(expected)) => numbered(rows) == *expected,
        (Outcome::Owned { is_listed, shards }, Expect::Owned(listed, expected)) => {
            is_listed == listed && numbered(shards) == *expected
        }
        (Outcome::Written(outcomes), Expect::Written(expected)) => {
            let accepted = outcomes.iter().map(|one| *one == WriteOutcome::Accepted);
            accepted.eq(expected.iter().copied())
        }
        (Outcome::State { is_owner, state }, Expect::State(owner, expected)) => {
            let state = state
                .as_ref()
                .map(|state| (state.epoch.0, state.version, &state.bytes[..]));
            is_owner == owner && state == expected.map(|(epoch, version, bytes)| (epoch, version, bytes.as_bytes()))
        }
        _ => false,
    };
    assert!(as_expected, "{outcome:?} is not {expect:?}");
}

/// Node 9 joins with a lease that is over at once.
fn nine() -> Step {
    Step::Ask(join(9, Duration::ZERO), Expect::Done)
}

fn scenario(name: &'static str, steps: Vec<Step>) -> Scenario {
    Scenario { name, steps }
}

/// All of them.
pub(crate) fn scenarios() -> Vec<Scenario> {
    [nodes::scenarios(), states::scenarios()].concat()
}
