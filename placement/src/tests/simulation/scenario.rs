//! What a run is made of: drawn from its seed before it starts.

use std::time::Duration;

use super::random::Random;
use super::store::Temper;
use super::{MILLISECOND, SECOND, Time};
use crate::node::Timing;
use crate::routing::SenderLimits;

/// Something that goes wrong, or is done to the cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// The process is gone, and is started again after a while.
    Crash {
        node: usize,
        back_after: Time,
    },
    /// The process does nothing for a while.
    Freeze {
        node: usize,
        lasts: Time,
    },
    /// The process does nothing for a while, and no clock of its machine counts that.
    Nap {
        node: usize,
        lasts: Time,
    },
    /// What goes to the store is lost (0), or what comes from there (1).
    Cut {
        node: usize,
        direction: usize,
        lasts: Time,
    },
    /// What one node sends to another is lost.
    LinkCut {
        from: usize,
        to: usize,
        lasts: Time,
    },
    /// The node leaves in an orderly way, and is started again after a while.
    Drain {
        node: usize,
        back_after: Time,
    },
    /// The store doesn't answer, or (true) refuses.
    StoreAway {
        refuses: bool,
        lasts: Time,
    },
    /// Each step at the store takes up to this long.
    StoreSlow {
        step: Time,
        lasts: Time,
    },
    StoreRestart,
    /// A standby takes over, which lacks the commits of this long.
    FailOver {
        lost: Option<Time>,
    },
    /// The store's clock goes forward by this much.
    ClockJump(Time),
}

/// What the invariants of a run are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Promise {
    /// Whatever happens to nodes and to one store.
    Everything,
    /// The store is away, and nothing else fails: nobody is ended, and nothing moves.
    NothingMoves,
    /// A node doesn't know how late it is: what is written holds, and no more.
    Writes,
    /// The store lost commits: the cluster comes back, and no more.
    ComesBack,
}

/// One run.
#[derive(Debug, Clone)]
pub(super) struct Scenario {
    pub(super) nodes: usize,
    /// How many of them join later, and when.
    pub(super) joins: Vec<Time>,
    pub(super) types: u16,
    pub(super) shards: u32,
    pub(super) entities: u32,
    pub(super) timing: Timing,
    pub(super) temper: Temper,
    /// Of a thousand statements and answers, those that are lost.
    pub(super) lost_at_store: u64,
    /// Of a thousand messages between nodes, those at which a session breaks.
    pub(super) broken_links: u64,
    /// The longest way between two nodes.
    pub(super) way_to_node: Time,
    pub(super) sender: SenderLimits,
    /// The longest way to the store.
    pub(super) way_to_store: Time,
    /// The pause between two messages of a node, on average.
    pub(super) message_every: Time,
    pub(super) reminders: bool,
    pub(super) faults: Vec<(Time, Fault)>,
    /// Before this anything may fail.
    pub(super) calm_from: Time,
    pub(super) end: Time,
    pub(super) promise: Promise,
}

impl Scenario {
    /// A cluster of this size to which anything may happen.
    pub(super) fn trouble(random: &mut Random, nodes: usize) -> Self {
        let lease = random.pick(&[3, 3, 3, 5, 10]) * SECOND;
        let trouble = 3 * lease + random.below(4 * lease);
        let count = random.below(8) + 1 + nodes as u64 / 10;
        let faults = (0..count).map(|_| {
            let at = lease / 2 + random.below(trouble);
            (at, any_fault(random, nodes, lease))
        });
        let faults = faults.collect();
        Self::settle(random, nodes, lease, faults, Promise::Everything)
    }

    /// The store is away for a while, once or more often, and nothing else fails.
    pub(super) fn outage(random: &mut Random, nodes: usize) -> Self {
        let lease = random.pick(&[3, 5, 10]) * SECOND;
        let mut at = 2 * lease;
        let faults = (0..random.below(3) + 1).map(|_| {
            let lasts = random.pick(&[MILLISECOND, lease / 2, lease, 3 * lease]) + random.below(lease);
            let refuses = random.chance(50);
            let fault = (at, Fault::StoreAway { refuses, lasts });
            at += lasts + random.below(3 * lease);
            fault
        });
        let faults = faults.collect();
        let mut scenario = Self::settle(random, nodes, lease, faults, Promise::NothingMoves);
        scenario.lost_at_store = 0;
        scenario.temper.late = 0;
        scenario.joins.clear();
        scenario
    }

    /// The store fails over to a standby that lacks the last commits.
    pub(super) fn lost_commits(random: &mut Random, nodes: usize) -> Self {
        let mut scenario = Self::trouble(random, nodes);
        let at = random.below(scenario.calm_from);
        let lost = Some(random.below(2 * SECOND));
        scenario.faults.push((at, Fault::FailOver { lost }));
        scenario.promise = Promise::ComesBack;
        scenario
    }

    /// A single node fails.
    pub(super) fn failover(random: &mut Random, nodes: usize) -> Self {
        let lease = random.pick(&[3, 5, 10]) * SECOND;
        let at = 2 * lease + 3 * SECOND + random.below(SECOND);
        let node = random.below(nodes as u64) as usize;
        let back_after = 100 * SECOND;
        let fault = (at, Fault::Crash { node, back_after });
        let mut scenario = Self::settle(random, nodes, lease, vec![fault], Promise::Everything);
        scenario.joins.clear();
        scenario.lost_at_store = 0;
        scenario.temper.late = 0;
        scenario.temper.step = 5 * MILLISECOND;
        scenario.way_to_store = 5 * MILLISECOND;
        // What it had is served by others, and everybody knows.
        scenario.end = at + lease + 2 * SECOND;
        scenario
    }

    /// Each second a node fails and another one joins.
    pub(super) fn churn(random: &mut Random, nodes: usize) -> Self {
        let lease = random.pick(&[3, 5]) * SECOND;
        let seconds = 10 + random.below(10);
        let faults = (0..seconds).map(|second| {
            let node = random.below(nodes as u64) as usize;
            let back_after = SECOND + random.below(3 * SECOND);
            let at = 2 * SECOND + second * SECOND + random.below(SECOND);
            (at, Fault::Crash { node, back_after })
        });
        let faults = faults.collect();
        Self::settle(random, nodes, lease, faults, Promise::Everything)
    }

    /// Nodes are cut off from the store, and its clock goes forward meanwhile by a little less than the margin of a lease allows.
    pub(super) fn skew(random: &mut Random, nodes: usize) -> Self {
        let lease = 3 * SECOND;
        let mut faults = Vec::new();
        for turn in 0..4 {
            let at = (2 + 3 * turn) * lease + random.below(SECOND);
            let node = random.below(nodes as u64) as usize;
            let lasts = 2 * lease;
            faults.push((
                at,
                Fault::Cut {
                    node,
                    direction: 0,
                    lasts,
                },
            ));
            faults.push((at + lease / 3, Fault::ClockJump(600 * MILLISECOND)));
        }
        let mut scenario = Self::settle(random, nodes, lease, faults, Promise::Everything);
        scenario.temper.late = 0;
        scenario.temper.step = MILLISECOND;
        scenario.way_to_store = 20 * MILLISECOND;
        scenario.message_every = 20 * MILLISECOND;
        scenario
    }

    /// Nodes stand still without knowing it.
    pub(super) fn naps(random: &mut Random, nodes: usize) -> Self {
        let lease = random.pick(&[3, 5]) * SECOND;
        let faults = (0..6.min(nodes as u64)).map(|turn| {
            // Another one each time: a clock that lacks the same time twice would go back.
            let node = turn as usize % nodes;
            let lasts = 2 * lease + random.below(3 * lease);
            ((2 + turn) * lease + random.below(SECOND), Fault::Nap { node, lasts })
        });
        let faults = faults.collect();
        let mut scenario = Self::settle(random, nodes, lease, faults, Promise::Writes);
        scenario.message_every = 20 * MILLISECOND;
        scenario
    }

    /// Nodes leave and come back under load.
    pub(super) fn moves(random: &mut Random, nodes: usize) -> Self {
        let lease = 3 * SECOND;
        let faults = (0..4).map(|turn| {
            let node = random.below(nodes as u64) as usize;
            let back_after = lease + random.below(lease);
            (
                (4 + 2 * turn) * SECOND + random.below(SECOND),
                Fault::Drain { node, back_after },
            )
        });
        let faults = faults.collect();
        let mut scenario = Self::settle(random, nodes, lease, faults, Promise::Everything);
        scenario.entities = 6;
        scenario.message_every = 10 * MILLISECOND;
        scenario
    }

    /// Nodes are silent for about as long as their lease, while some statements take long.
    pub(super) fn brinks(random: &mut Random, nodes: usize) -> Self {
        let lease = 3 * SECOND;
        let faults = (0..6).map(|turn| {
            let node = random.below(nodes as u64) as usize;
            let lasts = lease * 2 / 3 + random.below(lease / 2);
            let at = 9 * SECOND + turn * 6 * SECOND;
            (
                at,
                Fault::Cut {
                    node,
                    direction: 0,
                    lasts,
                },
            )
        });
        let faults = faults.collect();
        let mut scenario = Self::settle(random, nodes, lease, faults, Promise::Everything);
        scenario.joins.clear();
        scenario.lost_at_store = 0;
        scenario.temper.step = MILLISECOND;
        scenario.temper.late = random.pick(&[20, 100]);
        scenario.temper.late_step = 2 * SECOND;
        scenario.way_to_store = MILLISECOND;
        scenario.message_every = 20 * MILLISECOND;
        scenario
    }

    /// Very many entities are spoken to at once.
    pub(super) fn stampede(random: &mut Random, nodes: usize) -> Self {
        let mut scenario = Self::settle(random, nodes, 3 * SECOND, Vec::new(), Promise::Everything);
        scenario.entities = 2_000;
        scenario.message_every = 2 * MILLISECOND;
        scenario.way_to_store = 200 * MILLISECOND;
        scenario.reminders = false;
        scenario
    }

    fn settle(random: &mut Random, nodes: usize, lease: Time, faults: Vec<(Time, Fault)>, promise: Promise) -> Self {
        let mut timing = Timing::of_lease(Duration::from_nanos(lease));
        timing.rebalance_after = Duration::from_nanos(random.pick(&[MILLISECOND, SECOND, 3 * SECOND]));
        let over = faults.iter().map(|(at, fault)| at + fault.lasts());
        let calm_from = over.fold(2 * lease, Time::max);
        let types = 1 + random.below(2) as u16;
        let late_joins = random.below(1 + nodes as u64 / 3);
        let late_step = random.pick(&[lease / 3, lease, 2 * lease]);
        Self {
            nodes,
            joins: (0..late_joins).map(|_| random.below(calm_from)).collect(),
            types,
            shards: (nodes as u32 * if nodes > 100 { 2 } else { 6 }).next_power_of_two() / u32::from(types),
            entities: 20 + random.below(60) as u32,
            timing,
            temper: Temper {
                step: random.pick(&[MILLISECOND, 5 * MILLISECOND, 50 * MILLISECOND]),
                late: random.pick(&[0, 5, 30]),
                late_step,
                away: None,
            },
            lost_at_store: random.pick(&[0, 5, 50]),
            broken_links: random.pick(&[0, 1, 20]),
            way_to_node: random.pick(&[MILLISECOND, 10 * MILLISECOND, 300 * MILLISECOND]),
            sender: SenderLimits::default(),
            way_to_store: random.pick(&[MILLISECOND, 20 * MILLISECOND, 200 * MILLISECOND]),
            // Of a larger cluster each node sends less.
            message_every: random.pick(&[100, 300, 1_000]) * MILLISECOND * (nodes as u64).div_ceil(10),
            reminders: random.chance(50),
            faults,
            calm_from,
            // A node must see the store serve for a lease and two seconds before it ends another; then moves go on in turns.
            end: calm_from + late_step + lease + 12 * SECOND,
            promise,
        }
    }
}

impl Fault {
    pub(super) fn lasts(&self) -> Time {
        match *self {
            Self::Crash { back_after: lasts, .. }
            | Self::Freeze { lasts, .. }
            | Self::Nap { lasts, .. }
            | Self::Cut { lasts, .. }
            | Self::LinkCut { lasts, .. }
            | Self::Drain { back_after: lasts, .. }
            | Self::StoreAway { lasts, .. }
            | Self::StoreSlow { lasts, .. } => lasts,
            Self::StoreRestart | Self::FailOver { .. } | Self::ClockJump(_) => 0,
        }
    }
}

fn any_fault(random: &mut Random, nodes: usize, lease: Time) -> Fault {
    let node = random.below(nodes as u64) as usize;
    let lasts = random.pick(&[20 * MILLISECOND, lease / 3, lease, 2 * lease]) + random.below(lease);
    match random.below(14) {
        0..2 => Fault::Crash {
            node,
            back_after: lasts,
        },
        2..5 => Fault::Freeze { node, lasts },
        5..7 => Fault::Cut {
            node,
            direction: random.below(2) as usize,
            lasts,
        },
        7 => Fault::Drain {
            node,
            back_after: lasts,
        },
        8 => Fault::StoreAway {
            refuses: random.chance(50),
            lasts,
        },
        9 => Fault::StoreSlow {
            step: random.pick(&[lease / 12, lease / 4]),
            lasts,
        },
        12..14 => Fault::LinkCut {
            from: node,
            to: random.below(nodes as u64) as usize,
            lasts,
        },
        10 if random.chance(50) => Fault::StoreRestart,
        10 => Fault::FailOver { lost: None },
        // Well below the margin of the lease, which is at least a second.
        _ => Fault::ClockJump(random.below(100 * MILLISECOND)),
    }
}
