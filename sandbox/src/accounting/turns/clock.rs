//! The clock of an engine: its count of epochs, and the time that they took.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// What goes on by itself while its owner lives.
#[derive(Debug, Default)]
pub(crate) struct EngineClock {
    /// The engine's count of epochs.
    steps: AtomicU64,
    /// The time in which they passed. On a machine with more work than processors, a step may take much longer than it should.
    took_ns: AtomicU64,
}

/// The clock of an engine.
pub(crate) type Clock = Arc<EngineClock>;

impl EngineClock {
    /// An epoch has ended. Only the thread of the clock says so.
    pub(crate) fn step(&self, took: Duration) {
        let took = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        self.took_ns.fetch_add(took, Ordering::Relaxed);
        self.steps.fetch_add(1, Ordering::Relaxed);
    }

    /// The time of all steps so far.
    pub(crate) fn time(&self) -> Duration {
        Duration::from_nanos(self.took_ns.load(Ordering::Relaxed))
    }
}

/// The number of steps so far.
pub(crate) fn ticks(clock: &Clock) -> u64 {
    // Relaxed: a step that is seen late makes a turn longer by that step and does no other harm.
    clock.steps.load(Ordering::Relaxed)
}
