//! What the statements mean when they meet, as a table: the store of the simulation has to do it, and so has PostgreSQL.
//!
//! This file is compiled twice, in the tests of `placement` and in those of `store`: whoever includes it says where the words are.

use std::num::NonZeroU64;
use std::sync::Arc;
use std::time::Duration;

use super::placement::statement::{FiringKey, Outcome, StateWrite, Statement, WriteOutcome};
use super::placement::words::{
    Entity, EntityKey, EntityType, Epoch, Incarnation, Member, Revision, ShardId, ShardRow, Standing, TypeId,
};

/// What is done, and what has to come of it.
#[derive(Debug)]
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
#[derive(Debug, PartialEq, Eq)]
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
#[derive(Debug)]
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    pub(crate) steps: Vec<Step>,
}

/// How many shards the type 1 has.
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
    let mut all = leases();
    all.extend(ownership());
    all.extend(fences());
    all.extend(views());
    all
}

fn leases() -> Vec<Scenario> {
    use Expect::{Done, Ended, Renewed};
    use Step::{Ask, Begin, Commit, Kill, Waits};
    vec![
        scenario(
            "a lease that runs is not ended, and one that is over is ended once",
            vec![
                nine(),
                Ask(end(1), Ended(false)),
                Ask(end(9), Ended(true)),
                Ask(end(9), Ended(false)),
                Ask(end(77), Ended(false)),
            ],
        ),
        scenario(
            "a lease that is over may be renewed until it is ended, and not after that",
            vec![
                nine(),
                Ask(renewal(9), Renewed(true)),
                Ask(end(9), Ended(false)),
                Ask(join(8, Duration::ZERO), Done),
                Ask(end(8), Ended(true)),
                Ask(renewal(8), Renewed(false)),
                // A join that comes late lists it no more.
                Ask(join(8, Duration::from_secs(9)), Done),
                Ask(renewal(8), Renewed(false)),
                Ask(renewal(77), Renewed(false)),
            ],
        ),
        scenario(
            "an end waits for a renewal that is on its way, and then does nothing",
            vec![
                nine(),
                Begin(0, renewal(9)),
                Begin(1, end(9)),
                Waits(1),
                Commit(0, Renewed(true)),
                Commit(1, Ended(false)),
                Ask(renewal(9), Renewed(true)),
            ],
        ),
        scenario(
            "a renewal waits for an end that is on its way, and is then refused",
            vec![
                nine(),
                Begin(0, end(9)),
                Begin(1, renewal(9)),
                Waits(1),
                Commit(0, Ended(true)),
                Commit(1, Renewed(false)),
            ],
        ),
        scenario(
            "a renewal whose connection ends has not happened",
            vec![
                nine(),
                Begin(0, renewal(9)),
                Begin(1, end(9)),
                Waits(1),
                Kill(0),
                Commit(1, Ended(true)),
                Ask(renewal(9), Renewed(false)),
            ],
        ),
        scenario(
            "a standing only goes downwards",
            vec![
                Ask(standing(1, Standing::Draining), Done),
                Ask(standing(1, Standing::Live), Done),
                Ask(renewal(1), Renewed(true)),
                Ask(standing(1, Standing::Ended), Done),
                Ask(standing(1, Standing::Draining), Done),
                Ask(renewal(1), Renewed(false)),
            ],
        ),
    ]
}

fn ownership() -> Vec<Scenario> {
    use Expect::{Acquired, Ended, Owned, Released};
    use Step::{Ask, Begin, Commit, Waits};
    vec![
        scenario(
            "free shards are taken once, at the next epoch, and not from an owner that isn't ended",
            vec![
                Ask(acquire(1, &[0, 1, 2]), Acquired(&[(0, 1), (1, 1), (2, 1)])),
                Ask(acquire(1, &[0, 1, 2]), Acquired(&[])),
                Ask(acquire(2, &[1, 2, 3]), Acquired(&[(3, 1)])),
                Ask(read_owned(1), Owned(true, &[(0, 1), (1, 1), (2, 1)])),
                Ask(read_owned(77), Owned(false, &[])),
                Ask(acquire(77, &[4]), Acquired(&[])),
            ],
        ),
        scenario(
            "the shards of an ended node are taken, and it takes none",
            vec![
                nine(),
                Ask(acquire(9, &[0, 1]), Acquired(&[(0, 1), (1, 1)])),
                Ask(acquire(1, &[0]), Acquired(&[])),
                Ask(end(9), Ended(true)),
                Ask(acquire(9, &[2]), Acquired(&[])),
                Ask(acquire(1, &[0, 1]), Acquired(&[(0, 2), (1, 2)])),
                Ask(read_owned(9), Owned(false, &[])),
            ],
        ),
        scenario(
            "what another takes at the same time is skipped",
            vec![
                Begin(0, acquire(1, &[0, 1])),
                Ask(acquire(2, &[0, 1, 2]), Acquired(&[(2, 1)])),
                Commit(0, Acquired(&[(0, 1), (1, 1)])),
                Ask(acquire(2, &[0, 1]), Acquired(&[])),
            ],
        ),
        scenario(
            "a shard is released and reclaimed at its epoch only",
            vec![
                Ask(acquire(1, &[0, 1, 2]), Acquired(&[(0, 1), (1, 1), (2, 1)])),
                Ask(release(1, &[(0, 0)]), Released),
                Ask(release(2, &[(0, 1)]), Released),
                Ask(read_owned(1), Owned(true, &[(0, 1), (1, 1), (2, 1)])),
                Ask(reclaim(1, &[(0, 1), (1, 7)]), Acquired(&[(0, 2)])),
                Ask(reclaim(1, &[(0, 1)]), Acquired(&[])),
                Ask(reclaim(2, &[(0, 2)]), Acquired(&[])),
                Ask(release(1, &[(0, 2), (1, 1)]), Released),
                Ask(read_owned(1), Owned(true, &[(2, 1)])),
                Ask(acquire(2, &[0, 1]), Acquired(&[(0, 3), (1, 2)])),
            ],
        ),
        scenario(
            "a release waits for a reclaim, and then finds another epoch",
            vec![
                Ask(acquire(1, &[0]), Acquired(&[(0, 1)])),
                Begin(0, reclaim(1, &[(0, 1)])),
                Begin(1, release(1, &[(0, 1)])),
                Waits(1),
                Commit(0, Acquired(&[(0, 2)])),
                Commit(1, Released),
                Ask(read_owned(1), Owned(true, &[(0, 2)])),
            ],
        ),
        scenario(
            "whether an owner has ended is what the statement saw at its beginning",
            vec![
                nine(),
                Ask(acquire(9, &[0]), Acquired(&[(0, 1)])),
                Begin(0, end(9)),
                Ask(acquire(1, &[0]), Acquired(&[])),
                Commit(0, Ended(true)),
                Ask(acquire(1, &[0]), Acquired(&[(0, 2)])),
            ],
        ),
    ]
}

fn fences() -> Vec<Scenario> {
    use Expect::{Acquired, Released, State, Written};
    use Step::{Ask, Begin, Commit, Due, Kill, Waits};
    let owned = || Ask(acquire(1, &[4, 5]), Acquired(&[(4, 1), (5, 1)]));
    vec![
        scenario(
            "a state is written at the owner's epoch only",
            vec![
                Ask(write(1, &[(4, 0, 1, "free")]), Written(&[false])),
                owned(),
                Ask(write(1, &[(4, 1, 1, "one"), (5, 1, 1, "five")]), Written(&[true, true])),
                Ask(write(2, &[(4, 1, 2, "other")]), Written(&[false])),
                Ask(write(1, &[(4, 0, 2, "old"), (5, 1, 2, "six")]), Written(&[false, true])),
                Ask(read(1, 4, 1), State(true, Some((1, 1, "one")))),
                Ask(read(1, 5, 1), State(true, Some((1, 2, "six")))),
                Ask(read(2, 5, 1), State(false, Some((1, 2, "six")))),
                Ask(read(1, 3, 1), State(false, None)),
            ],
        ),
        scenario(
            "a write that comes late doesn't undo a later one",
            vec![
                owned(),
                Ask(write(1, &[(4, 1, 2, "two")]), Written(&[true])),
                Ask(write(1, &[(4, 1, 1, "one")]), Written(&[true])),
                Ask(write(1, &[(4, 1, 2, "two")]), Written(&[true])),
                Ask(read(1, 4, 1), State(true, Some((1, 2, "two")))),
                // Versions begin anew at each epoch.
                Ask(reclaim(1, &[(4, 1)]), Acquired(&[(4, 2)])),
                Ask(write(1, &[(4, 2, 1, "three")]), Written(&[true])),
                Ask(write(1, &[(4, 1, 9, "late")]), Written(&[false])),
                Ask(read(1, 4, 2), State(true, Some((2, 1, "three")))),
            ],
        ),
        scenario(
            "a move waits for a write that is on its way, and a later write is refused",
            vec![
                owned(),
                Begin(0, write(1, &[(4, 1, 1, "one")])),
                Begin(1, release(1, &[(4, 1)])),
                Waits(1),
                Commit(0, Written(&[true])),
                Commit(1, Released),
                Ask(acquire(2, &[4]), Acquired(&[(4, 2)])),
                Ask(write(1, &[(4, 1, 2, "late")]), Written(&[false])),
                Ask(read(2, 4, 2), State(true, Some((1, 1, "one")))),
            ],
        ),
        scenario(
            "a write waits for a move that is on its way, and is then refused",
            vec![
                owned(),
                Begin(0, release(1, &[(4, 1)])),
                Begin(1, write(1, &[(4, 1, 1, "stale"), (5, 1, 1, "five")])),
                Waits(1),
                Commit(0, Released),
                Commit(1, Written(&[false, true])),
                Ask(read(1, 4, 1), State(false, None)),
                Ask(read(1, 5, 1), State(true, Some((1, 1, "five")))),
            ],
        ),
        scenario(
            "a write whose connection ends has not happened, and a move goes on",
            vec![
                owned(),
                Begin(0, write(1, &[(4, 1, 1, "one")])),
                Begin(1, release(1, &[(4, 1)])),
                Waits(1),
                Kill(0),
                Commit(1, Released),
                Ask(read(1, 4, 1), State(false, None)),
            ],
        ),
        scenario(
            "a move whose connection ends leaves the owner",
            vec![
                owned(),
                Begin(0, release(1, &[(4, 1)])),
                Begin(1, write(1, &[(4, 1, 1, "one")])),
                Waits(1),
                Kill(0),
                Commit(1, Written(&[true])),
                Ask(read(1, 4, 1), State(true, Some((1, 1, "one")))),
            ],
        ),
        scenario(
            "a shard that is written to isn't taken from an ended owner in the meantime",
            vec![
                nine(),
                Ask(acquire(9, &[4]), Acquired(&[(4, 1)])),
                Begin(0, write(9, &[(4, 1, 1, "one")])),
                Ask(end(9), Expect::Ended(true)),
                Ask(acquire(1, &[4]), Acquired(&[])),
                Commit(0, Written(&[true])),
                Ask(acquire(1, &[4]), Acquired(&[(4, 2)])),
                Ask(write(9, &[(4, 1, 2, "late")]), Written(&[false])),
                Ask(read(1, 4, 2), State(true, Some((1, 1, "one")))),
            ],
        ),
        scenario(
            "writes to one shard don't wait for each other, and two to one entity do",
            vec![
                owned(),
                Begin(0, write(1, &[(4, 1, 1, "one")])),
                Ask(write(1, &[(5, 1, 1, "five")]), Written(&[true])),
                Begin(1, write(1, &[(4, 1, 2, "two")])),
                Waits(1),
                Commit(0, Written(&[true])),
                Commit(1, Written(&[true])),
                Ask(read(1, 4, 1), State(true, Some((1, 2, "two")))),
            ],
        ),
        scenario(
            "of two writes to one entity the later version stays, whichever is carried out last",
            vec![
                owned(),
                Begin(0, write(1, &[(4, 1, 2, "two")])),
                Begin(1, write(1, &[(4, 1, 1, "one")])),
                Waits(1),
                Commit(0, Written(&[true])),
                Commit(1, Written(&[true])),
                Ask(read(1, 4, 1), State(true, Some((1, 2, "two")))),
            ],
        ),
        scenario(
            "a reminder advances with the state in which it was handled, once",
            vec![
                Due(1, &[]),
                owned(),
                Due(1, &[(5, 1_000)]),
                Due(2, &[]),
                Ask(handle(2, 1, 1_000), Written(&[false])),
                Ask(handle(1, 2, 999), Written(&[true])),
                Due(1, &[(5, 1_000)]),
                // A write that comes late changes nothing, and so is no handling.
                Ask(handle(1, 1, 1_000), Written(&[true])),
                Due(1, &[(5, 1_000)]),
                Ask(handle(1, 3, 1_000), Written(&[true])),
                Due(1, &[]),
                Ask(handle(1, 3, 1_000), Written(&[true])),
                Due(1, &[]),
            ],
        ),
    ]
}

fn views() -> Vec<Scenario> {
    use Expect::{Acquired, Done, Ended, Released};
    use Step::{Ask, Begin, Commit, Poll};
    vec![
        scenario(
            "what is committed late is read by the poll behind it",
            vec![
                Poll(3, &[(0, 0, 0), (1, 0, 0)]),
                Begin(0, acquire(1, &[0])),
                Ask(acquire(2, &[1]), Acquired(&[(1, 1)])),
                Poll(3, &[(0, 0, 0), (1, 1, 2)]),
                Ask(acquire(2, &[2]), Acquired(&[(2, 1)])),
                Poll(3, &[(0, 0, 0), (1, 1, 2), (2, 1, 2)]),
                Commit(0, Acquired(&[(0, 1)])),
                Poll(3, &[(0, 1, 1), (1, 1, 2), (2, 1, 2)]),
                Ask(release(2, &[(2, 1)]), Released),
                Poll(3, &[(0, 1, 1), (1, 1, 2), (2, 1, 0)]),
            ],
        ),
        scenario(
            "a poll sees nothing of what isn't committed",
            vec![
                Ask(acquire(1, &[0]), Acquired(&[(0, 1)])),
                Poll(2, &[(0, 1, 1)]),
                Begin(0, release(1, &[(0, 1)])),
                Poll(2, &[(0, 1, 1)]),
                Commit(0, Released),
                Poll(2, &[(0, 1, 0)]),
            ],
        ),
        scenario(
            "nodes that drain and nodes that are ended keep their shards until those are taken",
            vec![
                nine(),
                Ask(acquire(9, &[0]), Acquired(&[(0, 1)])),
                Ask(standing(9, Standing::Draining), Done),
                Ask(end(9), Ended(true)),
                Poll(2, &[(0, 1, 9)]),
                Ask(acquire(2, &[0]), Acquired(&[(0, 2)])),
                Poll(2, &[(0, 2, 2)]),
            ],
        ),
    ]
}
