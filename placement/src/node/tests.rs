//! The node machine, one case at a time, with leases of 3 s.

use std::num::NonZeroU64;
use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::statement::{Answer, Outcome, Statement, StatementId, StoreFault};
use crate::words::{
    BootTime, Epoch, Generation, Incarnation, Member, Revision, ShardId, ShardRow, Standing, TypeId, TypeSpec,
    ViewChanges, Where,
};

const ME: u64 = 1;
const OTHER: u64 = 2;

fn number(of: u64) -> Incarnation {
    Incarnation(NonZeroU64::new(of).unwrap())
}

fn at(milliseconds: u64) -> BootTime {
    BootTime(1_000_000_000_000 + milliseconds * 1_000_000)
}

fn member(of: u64, standing: Standing) -> Member {
    Member {
        incarnation: number(of),
        name: format!("n{of}").into(),
        address: "a".into(),
        weight: 1,
        labels: Arc::default(),
        types: Arc::new([TypeId(0)].into()),
        standing,
    }
}

fn shard(shard: u32) -> ShardId {
    let type_id = TypeId(0);
    ShardId { type_id, shard }
}

fn row(of: u32, epoch: u64, owner: Option<u64>) -> ShardRow {
    ShardRow {
        shard: shard(of),
        epoch: Epoch(epoch),
        owner: owner.map(number),
    }
}

struct Rig {
    node: Node,
    timeline: u32,
}

impl Rig {
    fn new(shards: u32) -> Self {
        let config = NodeConfig {
            member: member(ME, Standing::Live),
            types: vec![TypeSpec {
                type_id: TypeId(0),
                shards,
                place: Where::new(),
            }],
            timing: Timing::of_lease(Duration::from_secs(3)),
            planner: plan(),
        };
        let node = Node::new(config, at(0));
        Self { node, timeline: 1 }
    }

    /// A node that has joined, beside these others, and renewed at 0.
    fn joined(shards: u32, others: &[u64], rows: Vec<ShardRow>) -> Self {
        let mut rig = Self::new(shards);
        let (id, _) = rig.one(0);
        rig.answer(id, Outcome::Done, 0);
        let (id, _) = rig.one(0);
        let members = [ME]
            .iter()
            .chain(others)
            .map(|of| member(*of, Standing::Live))
            .collect();
        let changes = ViewChanges {
            revision: Revision(1),
            members,
            shards: rows,
            ..ViewChanges::default()
        };
        rig.answer(id, Outcome::All(changes), 0);
        rig.renew(0, ViewChanges::default());
        rig
    }

    fn all(&mut self, now: u64) -> Vec<(StatementId, Statement)> {
        std::iter::from_fn(|| self.node.poll_statement(at(now))).collect()
    }

    fn one(&mut self, now: u64) -> (StatementId, Statement) {
        let mut all = self.all(now);
        assert_eq!(all.len(), 1, "{all:?}");
        all.remove(0)
    }

    fn answer(&mut self, id: StatementId, outcome: Outcome, now: u64) {
        let generation = Generation {
            system: 1,
            timeline: self.timeline,
        };
        self.node
            .handle_outcome(id, Ok(Answer { generation, outcome }), at(now));
    }

    /// A renewal is sent and answered at once.
    fn renew(&mut self, now: u64, changes: ViewChanges) {
        self.node.handle_timeout(at(now));
        let sent = self.all(now);
        let renewal = sent
            .into_iter()
            .find(|(_, statement)| matches!(statement, Statement::Renew { .. }));
        let (id, _) = renewal.expect("a renewal is due");
        let is_renewed = true;
        self.answer(id, Outcome::Renewed { is_renewed, changes }, now);
    }

    fn events(&mut self) -> Vec<Event> {
        std::iter::from_fn(|| self.node.poll_event()).collect()
    }

    /// A node that has joined alone and owns its two shards at epoch 1.
    fn owner() -> Self {
        let mut rig = Self::joined(2, &[], Vec::new());
        let (id, _) = rig.one(0);
        rig.answer(
            id,
            Outcome::Acquired(vec![row(0, 1, Some(ME)), row(1, 1, Some(ME))]),
            10,
        );
        assert_eq!(rig.node.may_take(shard(0), at(10)), Some(Epoch(1)));
        rig.events();
        rig
    }
}

#[test]
fn free_shards_are_taken_once_the_lease_is_confirmed() {
    let mut rig = Rig::joined(2, &[], Vec::new());
    assert_eq!(rig.events(), [Event::Joined]);
    let (id, statement) = rig.one(0);
    let shards = vec![shard(0), shard(1)];
    let incarnation = number(ME);
    assert_eq!(statement, Statement::Acquire { incarnation, shards });
    rig.answer(id, Outcome::Acquired(vec![row(1, 4, Some(ME))]), 10);
    let (shard_1, epoch) = (shard(1), Epoch(4));
    assert_eq!(rig.events(), [Event::Acquired { shard: shard_1, epoch }]);
    assert_eq!(rig.node.may_take(shard(0), at(10)), None, "somebody else had locked it");
}

#[test]
fn the_deadline_counts_from_the_sending_of_the_last_confirmed_renewal() {
    let mut rig = Rig::owner();
    rig.node.handle_timeout(at(750));
    let (id, _) = rig.one(750);
    let (changes, is_renewed) = (ViewChanges::default(), true);
    rig.answer(id, Outcome::Renewed { is_renewed, changes }, 1_200);
    // A lease of 3 s with a margin of 1 s.
    assert_eq!(rig.node.may_take(shard(0), at(2_749)), Some(Epoch(1)));
    assert_eq!(rig.node.may_take(shard(0), at(2_750)), None);
    assert_eq!(rig.node.may_release(shard(0), at(2_750)), None);
}

#[test]
fn after_its_deadline_a_node_goes_on_at_the_next_epoch() {
    let mut rig = Rig::owner();
    rig.node.handle_timeout(at(2_000));
    let reason = LossReason::Deadline;
    let lost = [0, 1].map(|of| Event::Lost {
        shard: shard(of),
        epoch: Epoch(1),
        reason,
    });
    assert_eq!(rig.events(), lost);
    rig.renew(2_600, ViewChanges::default());
    let (id, statement) = rig.one(2_600);
    let shards = vec![(shard(0), Epoch(1)), (shard(1), Epoch(1))];
    let incarnation = number(ME);
    assert_eq!(statement, Statement::Reclaim { incarnation, shards });
    assert_eq!(
        rig.node.may_take(shard(0), at(2_600)),
        None,
        "not before the store says so"
    );
    rig.answer(
        id,
        Outcome::Acquired(vec![row(0, 2, Some(ME)), row(1, 2, Some(ME))]),
        2_610,
    );
    assert_eq!(rig.node.may_take(shard(0), at(2_610)), Some(Epoch(2)));
}

fn silent(left: u64) -> ViewChanges {
    ViewChanges {
        fading: vec![(number(OTHER), Duration::from_millis(left))],
        ..ViewChanges::default()
    }
}

fn ends(sent: &[(StatementId, Statement)]) -> bool {
    sent.iter()
        .any(|(_, statement)| matches!(statement, Statement::End { .. }))
}

#[test]
fn another_is_ended_once_the_store_has_served_for_a_lease_and_two_seconds() {
    let mut rig = Rig::joined(2, &[OTHER], vec![row(0, 1, Some(OTHER)), row(1, 1, Some(OTHER))]);
    for now in (750..5_000).step_by(250) {
        rig.renew(now, silent(0));
        let sent = rig.all(now);
        assert!(!ends(&sent), "{now}");
    }
    rig.renew(5_000, silent(0));
    let sent = rig.all(5_000);
    assert!(ends(&sent));
    rig.answer(sent[0].0, Outcome::Ended { is_ended: true }, 5_010);
    assert_eq!(rig.events().last(), Some(&Event::NodeEnded(number(OTHER))));
    let (_, statement) = rig.one(5_010);
    assert!(matches!(statement, Statement::Acquire { .. }), "{statement:?}");
}

#[test]
fn a_renewal_that_fails_or_is_slow_or_missing_begins_that_time_anew() {
    let answered_late = |rig: &mut Rig| {
        rig.node.handle_timeout(at(2_250));
        let (id, _) = rig.all(2_250).remove(0);
        let (is_renewed, changes) = (true, silent(0));
        rig.answer(id, Outcome::Renewed { is_renewed, changes }, 2_250 + 501);
    };
    let failed = |rig: &mut Rig| {
        rig.node.handle_timeout(at(2_250));
        let (id, _) = rig.all(2_250).remove(0);
        rig.node.handle_outcome(id, Err(StoreFault::Failed), at(2_251));
    };
    let gaps: [fn(&mut Rig); 3] = [answered_late, failed, |_| {}];
    for (gap, make) in gaps.into_iter().enumerate() {
        let mut rig = Rig::joined(2, &[OTHER], vec![row(0, 1, Some(OTHER)), row(1, 1, Some(OTHER))]);
        for now in (750..=2_000).step_by(250) {
            rig.renew(now, silent(0));
        }
        make(&mut rig);
        for now in (3_750..=7_500).step_by(250) {
            rig.renew(now, silent(0));
            let sent = rig.all(now);
            assert!(!ends(&sent), "gap {gap}, {now}");
        }
        rig.renew(8_750, silent(0));
        let sent = rig.all(8_750);
        assert!(ends(&sent), "gap {gap}");
    }
}

#[test]
fn what_is_given_away_is_not_served_again_however_the_release_ends() {
    let mut rig = Rig::owner();
    rig.node.handle_drain(at(100));
    let stops = rig.events();
    let to = None;
    assert_eq!(
        stops,
        [0, 1].map(|of| Event::Stop {
            shard: shard(of),
            epoch: Epoch(1),
            to
        })
    );
    assert_eq!(rig.node.may_take(shard(0), at(100)), None);
    assert_eq!(
        rig.node.may_release(shard(0), at(100)),
        Some(Epoch(1)),
        "what is pending ends"
    );
    rig.node.handle_stopped(shard(0), Epoch(1), at(110));
    let sent = rig.all(110);
    let release = sent
        .iter()
        .find(|(_, statement)| matches!(statement, Statement::Release { .. }));
    let (id, _) = release.expect("it is released");
    rig.node.handle_outcome(*id, Err(StoreFault::Unknown), at(120));
    assert_eq!(rig.node.may_release(shard(0), at(120)), None);
    rig.node.handle_timeout(at(370));
    let sent = rig.all(370);
    assert!(
        sent.iter()
            .any(|(_, statement)| matches!(statement, Statement::Release { .. })),
        "{sent:?}"
    );
}

/// A node has some seconds to leave, and a shard takes a round trip to the store.
#[test]
fn a_node_that_leaves_gives_away_a_part_of_its_shards_at_a_time() {
    let mut rig = Rig::joined(1_024, &[], Vec::new());
    let (id, _) = rig.one(0);
    let rows = (0..1_024).map(|of| row(of, 1, Some(ME)));
    rig.answer(id, Outcome::Acquired(rows.collect()), 10);
    rig.events();
    rig.node.handle_drain(at(100));
    let stops = rig.events();
    assert_eq!(stops.len(), 64, "{stops:?}");
    let serving = (0..1_024).filter(|of| rig.node.may_take(shard(*of), at(100)).is_some());
    assert_eq!(serving.count(), 1_024 - 64, "the others serve meanwhile");
}

#[test]
fn what_came_of_a_lost_answer_is_read() {
    let mut rig = Rig::joined(2, &[], Vec::new());
    let (id, _) = rig.one(0);
    rig.node.handle_outcome(id, Err(StoreFault::Unknown), at(100));
    rig.node.handle_timeout(at(350));
    let (id, statement) = rig.one(350);
    assert!(matches!(statement, Statement::ReadOwned { .. }), "{statement:?}");
    let shards = vec![row(1, 1, Some(ME))];
    rig.answer(
        id,
        Outcome::Owned {
            is_listed: true,
            shards,
        },
        360,
    );
    assert_eq!(rig.node.may_take(shard(1), at(360)), Some(Epoch(1)));
}

#[test]
fn a_node_that_was_ended_does_nothing_any_more() {
    let mut rig = Rig::owner();
    rig.node.handle_timeout(at(750));
    let (id, _) = rig.one(750);
    let (changes, is_renewed) = (ViewChanges::default(), false);
    rig.answer(id, Outcome::Renewed { is_renewed, changes }, 760);
    assert_eq!(rig.events().last(), Some(&Event::Ended));
    assert_eq!(rig.node.may_take(shard(0), at(760)), None);
    rig.node.handle_timeout(at(5_000));
    assert_eq!((rig.all(5_000), rig.node.poll_timeout()), (Vec::new(), None));
}

#[test]
fn another_generation_of_the_store_is_read_from_the_beginning() {
    let mut rig = Rig::owner();
    rig.timeline = 2;
    rig.renew(750, ViewChanges::default());
    let events = rig.events();
    assert!(events.contains(&Event::GenerationChanged), "{events:?}");
    assert_eq!(rig.node.may_take(shard(0), at(760)), None);
    let (id, statement) = rig.one(760);
    assert_eq!(statement, Statement::ReadAll);
    let changes = ViewChanges {
        members: vec![member(ME, Standing::Live)],
        // Shard 0 was taken by another before the failover, as far as this store knows.
        shards: vec![row(0, 1, None), row(1, 1, Some(ME))],
        ..ViewChanges::default()
    };
    rig.answer(id, Outcome::All(changes), 770);
    rig.renew(780, ViewChanges::default());
    let sent = rig.all(780);
    let shards = vec![(shard(1), Epoch(1))];
    let incarnation = number(ME);
    assert!(
        sent.iter().any(|(_, one)| *one
            == Statement::Reclaim {
                incarnation,
                shards: shards.clone()
            }),
        "{sent:?}"
    );
}
