//! Several casts in one call of the guest, as its imports see it.

use crate::accounting::turns::clock::{Clock, ticks};

/// How far a guest has come with a batch.
#[derive(Debug)]
pub(crate) struct Progress {
    given: usize,
    /// Those that it has begun with, of which the last may not be done.
    pub(crate) begun: usize,
    clock: Clock,
    /// What the clock said when the batch was given.
    since: u64,
}

impl Progress {
    /// This many are given to it at once, and it begins with the first.
    pub(crate) fn new(given: usize, clock: &Clock) -> Self {
        Self {
            given,
            begun: 1,
            clock: clock.clone(),
            since: ticks(clock),
        }
    }

    /// One is done. True if the guest is to begin with the next.
    pub(super) fn next(&mut self) -> bool {
        // A step of the clock ends the batch, because other actors are due then.
        let goes_on = self.begun < self.given && ticks(&self.clock) == self.since;
        self.begun += usize::from(goes_on);
        goes_on
    }
}
