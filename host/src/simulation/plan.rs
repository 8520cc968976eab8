//! What a run is made of: drawn from its seed before it starts.

use super::failing::Failing;
use super::{SECOND, Time};
use crate::supervision::Strategy;
use ractor_host_cluster::internals::random::Random;

/// The time for which things may go wrong.
const TROUBLE: Time = 60 * SECOND;

/// The time for which everything is well before all nodes are linked: time to find out about silent peers, and to dial again.
pub(super) const LINKED: Time = 100 * SECOND;

/// The time for which everything is well before the end, if addresses may have proved to be who dialled them: time to dial these again.
const OWN: Time = 420 * SECOND;

/// A jump of a clock that makes everything old, in hours.
const FAR: i64 = 40 * 24;

/// What happens to a computer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// The process is killed. What it has written is in the system's hands.
    Kill,
    /// The computer loses its power: what was not synced may be gone, or there in part.
    PowerLoss,
    /// The process is asked to stop.
    Stop,
    /// It does nothing for so long, and then goes on.
    Freeze(Time),
    /// For so long, writing fails with this number.
    Disk(i32, Time),
    /// A number of single steps of the disk fail with this number, after so many that don't.
    DiskSteps { after: usize, count: usize, error: i32 },
    /// All its connections break, and for so long, a stranger answers at its address.
    Stranger { time: Time, poses: Poses },
    /// All its connections break, and for so long, who dials its address gets to itself.
    Relay(Time),
    /// It is killed, and has another address from then on, which others learn in a while.
    Move,
    /// For so long, it learns no addresses.
    Nameless(Time),
    /// For so long, its name has no address, though it is there.
    Unnamed(Time),
    /// Its clock is set this many hours back, or ahead.
    Clock(i64),
}

/// Who a stranger says it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Poses {
    /// The name is this computer's.
    pub(super) computer: usize,
    /// It knows the incarnation, which is no secret.
    pub(super) knows: bool,
    /// It announces no proof of who it is.
    pub(super) is_stock: bool,
}

/// What processes are told to stay connected to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Peers {
    /// Each other computer, by a name of its own.
    Each,
    /// One name that has the addresses of all.
    Service,
}

/// How a wire breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cut {
    /// Both ends see it.
    Reset,
    /// Nobody is told.
    Silent,
}

/// One computer.
#[derive(Debug, Clone)]
pub(super) struct ComputerPlan {
    pub(super) faults: Vec<(Time, Fault)>,
    /// How many guests it has; all keep their states.
    pub(super) guests: usize,
    /// How often their states are kept.
    pub(super) every: Time,
    /// Up to this long a guest handles one message, and one in a hundred takes fifty times as long.
    pub(super) work: Time,
    /// How often a native actor of it sends something.
    pub(super) sends_every: Time,
    /// How long the disk takes for an attempt, at most.
    pub(super) disk: Time,
    /// How many messages wait for a guest at most.
    pub(super) mailbox: usize,
    pub(super) peers: Peers,
    /// How many guests are asked for their states at once.
    pub(super) at_once: usize,
    pub(super) failing: Failing,
    /// How often operators reload its module.
    pub(super) reloads_every: Time,
    /// How often they end one of its guests, to start it again.
    pub(super) ends_every: Time,
}

/// One run.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    pub(super) computers: Vec<ComputerPlan>,
    /// The shortest way between two computers; the longest takes twice as long.
    pub(super) latency: Time,
    /// When the wire that is the nth then breaks.
    pub(super) cuts: Vec<(Time, usize, Cut)>,
    /// When no wire between two sides of the cluster works, and for how long: a bit for each computer of one side.
    pub(super) partitions: Vec<(Time, Time, u64)>,
    /// So much of what waits to be written to a wire is written at once.
    pub(super) write: usize,
    /// From here on nothing goes wrong.
    pub(super) calm_from: Time,
}

impl Plan {
    pub(super) fn draw(random: &mut Random) -> Self {
        let count = 3 + random.below(2);
        let peers = if random.chance(20) { Peers::Service } else { Peers::Each };
        let computers: Vec<_> = (0..count).map(|_| computer(random, peers, count)).collect();
        let cuts = (0..random.below(6))
            .map(|_| {
                let how = random.pick(&[Cut::Reset, Cut::Silent]);
                (random.below(TROUBLE), random.below(16) as usize, how)
            })
            .collect();
        let partitions = (0..random.below(3))
            .map(|_| {
                (
                    random.below(TROUBLE),
                    random.below(30 * SECOND),
                    random.below(1 << count),
                )
            })
            .collect();
        Self {
            computers,
            latency: random.pick(&[20, 1_000, 60_000]),
            cuts,
            partitions,
            write: random.pick(&[40, 1_000, 1 << 20]),
            calm_from: TROUBLE + 30 * SECOND,
        }
    }

    /// True if two nodes may take each other's addresses for their own, and leave them alone for as long.
    pub(super) fn has_relays(&self) -> bool {
        let mut faults = self.computers.iter().flat_map(|computer| &computer.faults);
        faults.any(|(_, fault)| matches!(fault, Fault::Relay(_)))
    }

    pub(super) fn end(&self) -> Time {
        let has_own = self.has_relays() || self.computers.iter().any(|one| one.peers == Peers::Service);
        self.calm_from + if has_own { OWN } else { LINKED }
    }
}

fn computer(random: &mut Random, peers: Peers, count: u64) -> ComputerPlan {
    let faults = (0..random.below(6)).map(|_| (random.below(TROUBLE), fault(random, count)));
    ComputerPlan {
        faults: faults.collect(),
        guests: 1 + random.below(3) as usize,
        every: random.pick(&[SECOND / 5, SECOND, 7 * SECOND]),
        work: random.pick(&[100, 5_000, 30_000]),
        sends_every: random.pick(&[50_000, 300_000, SECOND]),
        disk: random.pick(&[1_000, 100_000, SECOND]),
        mailbox: random.pick(&[3, 50, 10_000]),
        peers,
        at_once: random.pick(&[1, 2, 16]),
        failing: failing(random),
        reloads_every: random.pick(&[SECOND / 2, 3 * SECOND, 20 * SECOND]),
        ends_every: random.pick(&[SECOND, 20 * SECOND, 100 * SECOND]),
    }
}

fn failing(random: &mut Random) -> Failing {
    let strategy = random.pick(&[Strategy::OneForOne, Strategy::RestForOne, Strategy::OneForAll]);
    Failing {
        per_mille: random.pick(&[0, 0, 1, 20]),
        strategy,
        most: match strategy {
            Strategy::OneForOne => random.pick(&[3, 10_000]),
            // The supervisor would end, and the node with it.
            Strategy::RestForOne | Strategy::OneForAll => 1_000_000,
        },
    }
}

fn fault(random: &mut Random, count: u64) -> Fault {
    let error = random.pick(&crate::files::fault::ERRORS);
    match random.below(100) {
        0..15 => Fault::Kill,
        15..30 => Fault::PowerLoss,
        30..32 => Fault::Unnamed(40 * SECOND),
        32..52 => Fault::Stop,
        52..58 => Fault::Freeze(random.below(25 * SECOND)),
        58..67 => Fault::Disk(error, random.below(30 * SECOND)),
        67..76 => Fault::DiskSteps {
            after: random.below(60) as usize,
            count: 1 + random.below(4) as usize,
            error,
        },
        76..88 => Fault::Stranger {
            time: random.below(20 * SECOND),
            poses: Poses {
                computer: random.below(count) as usize,
                knows: random.chance(50),
                is_stock: random.chance(40),
            },
        },
        88..92 => Fault::Relay(random.below(20 * SECOND)),
        92..95 => Fault::Move,
        95..97 => Fault::Nameless(random.below(30 * SECOND)),
        97..98 => Fault::Clock(random.below(49) as i64 - 24),
        _ => Fault::Clock(random.pick(&[-FAR, FAR])),
    }
}
