//! What a run is made of: drawn from its seed before it starts.

use super::Time;
use crate::internals::random::Random;

/// One second of simulated time.
pub(super) const SECOND: Time = 1_000_000;

/// The time for which disturbances may go on.
const TROUBLE: Time = 6 * SECOND;

/// How a connection is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cut {
    /// What is on its way arrives, then the connection ends for both.
    Orderly,
    /// What is on its way is lost, and each end sees it when it does.
    Reset,
    /// Everything is lost from now on, and nobody is told.
    Silent,
}

/// The nonces that a node gives its connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Nonces {
    /// It knows none.
    Legacy,
    /// Always this one.
    Same(u64),
    /// Below this limit.
    Below(u64),
}

/// What one node does.
#[derive(Debug, Clone)]
pub(super) struct NodePlan {
    pub(super) name: &'static str,
    pub(super) nonces: Nonces,
    /// It asks about a connection by name and nonce, as stock nodes do.
    pub(super) stock: bool,
    /// It announces that it proves who it is.
    pub(super) proves: bool,
    /// It goes on with no connection to a node that it has one with.
    pub(super) links: bool,
    /// When it opens connections.
    pub(super) dials: Vec<Time>,
    /// It dials again as long as it has no connection.
    pub(super) heals: bool,
    /// When it stops to do anything, and for how long.
    pub(super) freezes: Vec<(Time, Time)>,
    /// When its actors or groups change.
    pub(super) changes: Vec<Time>,
    /// When somebody without the cookie pretends to be the other node, or this very one: as initiator, or (true) by accepting its dial.
    pub(super) impostors: Vec<(Time, bool)>,
}

/// One run.
#[derive(Debug, Clone)]
pub(super) struct Scenario {
    pub(super) nodes: [NodePlan; 2],
    /// The shortest way from each node to the other; the longest takes twice as long.
    pub(super) latency: [Time; 2],
    /// Break the nth connection that was ever opened, at this time.
    pub(super) cuts: Vec<(Time, usize, Cut)>,
    /// Before this it may be turbulent.
    pub(super) calm_from: Time,
    pub(super) end: Time,
    /// It is over once nothing but pings has happened for so long.
    pub(super) quiet: Time,
}

impl Scenario {
    /// Several connections at a time between two nodes, in both directions.
    pub(super) fn race(random: &mut Random) -> Self {
        let names = if random.chance(50) {
            ["alpha", "beta"]
        } else {
            ["beta", "alpha"]
        };
        let disturbed = random.chance(60);
        let heals = disturbed && random.chance(75);
        let spread = random.pick(&[0, 1_000, 100_000, 3 * SECOND]);
        let nodes = names.map(|name| NodePlan {
            nonces: match random.below(10) {
                0..2 => Nonces::Legacy,
                2..4 => Nonces::Same(7),
                4..7 => Nonces::Below(4),
                _ => Nonces::Below(u64::MAX),
            },
            stock: random.chance(30),
            proves: random.chance(60),
            links: random.chance(30),
            dials: (0..random.below(4)).map(|_| random.below(spread)).collect(),
            heals,
            freezes: if disturbed && random.chance(30) {
                vec![(random.below(TROUBLE), random.below(14 * SECOND))]
            } else {
                Vec::new()
            },
            changes: (0..random.below(12)).map(|_| random.below(TROUBLE)).collect(),
            impostors: (0..random.below(6).saturating_sub(3))
                .map(|_| (random.below(TROUBLE), random.chance(50)))
                .collect(),
            name,
        });
        let cuts = if disturbed { random.below(5) } else { 0 };
        let cuts = (0..cuts)
            .map(|_| (random.below(TROUBLE), random.below(5) as usize, any_cut(random)))
            .collect();
        Self::settle(nodes, random, cuts)
    }

    /// One connection after the other, all traffic on it, cut anywhere and opened again.
    pub(super) fn traffic(random: &mut Random) -> Self {
        let nodes = ["alpha", "beta"].map(|name| NodePlan {
            name,
            nonces: Nonces::Below(u64::MAX),
            stock: false,
            proves: true,
            links: true,
            dials: if name == "alpha" { vec![0] } else { Vec::new() },
            heals: name == "alpha",
            freezes: Vec::new(),
            changes: (0..random.below(120)).map(|_| random.below(TROUBLE)).collect(),
            impostors: Vec::new(),
        });
        let cuts = (0..random.below(5))
            .map(|nth| (random.below(TROUBLE), nth as usize, any_cut(random)))
            .collect();
        Self::settle(nodes, random, cuts)
    }

    fn settle(nodes: [NodePlan; 2], random: &mut Random, cuts: Vec<(Time, usize, Cut)>) -> Self {
        let thaws = nodes
            .iter()
            .flat_map(|node| &node.freezes)
            .map(|(from, time)| from + time);
        let calm_from = thaws.fold(TROUBLE, Time::max);
        let is_disturbed = !cuts.is_empty() || nodes.iter().any(|node| !node.freezes.is_empty());
        Self {
            nodes,
            latency: [0, 1].map(|_| random.pick(&[10, 1_000, 40_000, 400_000])),
            cuts,
            calm_from,
            // Enough to find out about a silent peer, to be turned away in its favour until then, and to dial again.
            end: calm_from + 60 * SECOND,
            // Whoever is silent is found out within this.
            quiet: if is_disturbed { 12 * SECOND } else { 2 * SECOND },
        }
    }

    /// True if connections may end for another reason than that there is a better one.
    pub(super) fn is_disturbed(&self) -> bool {
        !self.cuts.is_empty() || self.nodes.iter().any(|node| !node.freezes.is_empty())
    }
}

fn any_cut(random: &mut Random) -> Cut {
    random.pick(&[Cut::Orderly, Cut::Reset, Cut::Silent])
}
