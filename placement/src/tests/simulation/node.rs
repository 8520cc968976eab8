//! A node of the simulation: its machine, its host, its clock.

use std::num::NonZeroU64;

use super::Time;
use super::host::Host;
use super::world::Happening;
use crate::node::Node;
use crate::words::{BootTime, Incarnation};

/// A clock that starts anywhere and is a little fast or slow.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock {
    pub(super) offset: Time,
    /// Millionths.
    pub(super) drift: i64,
}

impl Clock {
    pub(super) fn at(&self, time: Time) -> BootTime {
        let drift = (time as i128 * i128::from(self.drift) / 1_000_000) as i64;
        BootTime(self.offset + time.saturating_add_signed(drift))
    }

    /// The first time at which this clock shows `at` or more.
    pub(super) fn when(&self, at: BootTime) -> Time {
        let shown = at.0.saturating_sub(self.offset);
        let mut time = (i128::from(shown) * 1_000_000 / i128::from(1_000_000 + self.drift)) as Time;
        while self.at(time) < at {
            time += 1;
        }
        time
    }
}

/// One node, through all lives of its process.
pub(super) struct SimNode {
    pub(super) clock: Clock,
    pub(super) life: u64,
    /// None while its process isn't there.
    pub(super) process: Option<Process>,
    pub(super) frozen: bool,
    /// What happens to it once it thaws.
    pub(super) stalled: Vec<Happening>,
    /// What it sends to the store, and what comes from there, is lost.
    pub(super) cut_from_store: [bool; 2],
    /// It was told to leave.
    pub(super) drains: bool,
}

pub(super) struct Process {
    pub(super) machine: Node,
    pub(super) host: Host,
    pub(super) wake: Option<Time>,
}

impl SimNode {
    pub(super) fn now(&self, time: Time) -> BootTime {
        self.clock.at(time)
    }
}

pub(super) fn incarnation(node: usize, life: u64) -> Incarnation {
    Incarnation(NonZeroU64::new((node as u64 + 1) << 20 | life).unwrap())
}

pub(super) fn node_of(incarnation: Incarnation) -> (usize, u64) {
    let number = incarnation.0.get();
    ((number >> 20) as usize - 1, number & 0xf_ffff)
}
