//! What a run is made of: drawn from its seed before it starts.

use super::{SECOND, Time};
use crate::session::tests::Random;

/// How long things may go wrong.
const TROUBLE: Time = 60 * SECOND;

/// How long everything is well before the end: time to find out about silent peers, to dial again, to work off what waits and to
/// write what is left.
pub(super) const CALM: Time = 75 * SECOND;

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
    /// For so long, a stranger answers at its address.
    Stranger(Time),
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
        let computers: Vec<_> = (0..count).map(|_| computer(random)).collect();
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

    pub(super) fn end(&self) -> Time {
        self.calm_from + CALM
    }
}

fn computer(random: &mut Random) -> ComputerPlan {
    let faults = (0..random.below(5)).map(|_| (random.below(TROUBLE), fault(random)));
    ComputerPlan {
        faults: faults.collect(),
        guests: 1 + random.below(3) as usize,
        every: random.pick(&[SECOND / 5, SECOND, 7 * SECOND]),
        work: random.pick(&[100, 5_000, 30_000]),
        sends_every: random.pick(&[50_000, 300_000, SECOND]),
        disk: random.pick(&[1_000, 100_000, SECOND]),
        mailbox: random.pick(&[3, 50, 10_000]),
    }
}

fn fault(random: &mut Random) -> Fault {
    let error = random.pick(&crate::files::fault::ERRORS);
    match random.below(100) {
        0..20 => Fault::Kill,
        20..40 => Fault::PowerLoss,
        40..65 => Fault::Stop,
        65..72 => Fault::Freeze(random.below(25 * SECOND)),
        72..82 => Fault::Disk(error, random.below(30 * SECOND)),
        82..92 => Fault::DiskSteps {
            after: random.below(60) as usize,
            count: 1 + random.below(4) as usize,
            error,
        },
        _ => Fault::Stranger(random.below(20 * SECOND)),
    }
}
