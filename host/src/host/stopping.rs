//! The order of a stop: a machine without a clock, an actor or a disk of its own. ARCHITECTURE.md has it as a table.

use std::time::{Duration, Instant};

/// The time that actors have to handle what is in their mailboxes when the host stops. Then they are killed.
pub(crate) const DRAIN: Duration = Duration::from_secs(10);

/// The time before the end of [`DRAIN`] at which actors that still work are asked for their states: an actor answers at the end of
/// its message, and many are asked a few at a time.
const LAST_CALL: Duration = Duration::from_secs(3);

/// The time without a success after which a host that stops no longer tries to write the last states of its actors.
pub(crate) const LAST_WRITES: Duration = Duration::from_secs(10);

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StopStep {
    /// Nothing new is taken: no connection, no deployment, no watched file. Every actor that lives and whose state is kept is
    /// expected to bring one more.
    Quiesce,
    /// Peers are told that the node stops, and send its actors no more by way of their groups. What they had sent has arrived then.
    Leave,
    /// The actors handle what they were sent and end, within [`DRAIN`].
    Drain,
    /// Actors that still work are asked for their states, since they may be killed soon.
    LastCall,
    /// What waits is written, within [`LAST_WRITES`]. Nothing comes after it.
    Write,
    /// Sessions write what they have accepted, and end.
    Close,
}

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Stopping {
    phase: StopPhase,
    is_begun: bool,
}

/// What goes on, or is to begin next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum StopPhase {
    #[default]
    Quiesce,
    Leave,
    Drain {
        last_call: Option<Instant>,
    },
    Write,
    Close,
    Down,
}

impl Stopping {
    /// What is to be done now. While it goes on, only a last call can come.
    pub(crate) fn poll_step(&mut self, now: Instant) -> Option<StopStep> {
        if !std::mem::replace(&mut self.is_begun, true) {
            return match &mut self.phase {
                StopPhase::Quiesce => Some(StopStep::Quiesce),
                StopPhase::Leave => Some(StopStep::Leave),
                StopPhase::Drain { last_call } => {
                    // From when the drain begins, and not from the start of the stop: the step before it may have taken any time.
                    *last_call = Some(now + DRAIN.saturating_sub(LAST_CALL));
                    Some(StopStep::Drain)
                }
                StopPhase::Write => Some(StopStep::Write),
                StopPhase::Close => Some(StopStep::Close),
                StopPhase::Down => None,
            };
        }
        match &mut self.phase {
            StopPhase::Drain { last_call } if last_call.is_some_and(|at| at <= now) => {
                *last_call = None;
                Some(StopStep::LastCall)
            }
            _ => None,
        }
    }

    /// When the next step is due, if this one is not over before.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        match self.phase {
            StopPhase::Drain { last_call } => last_call,
            _ => None,
        }
    }

    /// What was begun last is done. A last call is no part of this: the actors end while they are asked.
    pub(crate) fn handle_done(&mut self) {
        self.is_begun = false;
        self.phase = match self.phase {
            StopPhase::Quiesce => StopPhase::Leave,
            StopPhase::Leave => StopPhase::Drain { last_call: None },
            StopPhase::Drain { .. } => StopPhase::Write,
            StopPhase::Write => StopPhase::Close,
            StopPhase::Close | StopPhase::Down => StopPhase::Down,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_step_comes_once_when_the_one_before_is_done_and_the_last_call_while_actors_work() {
        let start = Instant::now();
        let mut stopping = Stopping::default();
        assert_eq!(stopping.poll_step(start), Some(StopStep::Quiesce));
        assert_eq!(stopping.poll_step(start), None);
        stopping.handle_done();
        assert_eq!(stopping.poll_step(start), Some(StopStep::Leave));
        stopping.handle_done();
        assert_eq!(stopping.poll_step(start), Some(StopStep::Drain));
        let late = start + Duration::from_secs(7);
        assert_eq!(stopping.poll_timeout(), Some(late));
        assert_eq!(stopping.poll_step(start), None);
        assert_eq!(stopping.poll_step(late), Some(StopStep::LastCall));
        assert_eq!(stopping.poll_step(late), None, "it comes once");
        assert_eq!(stopping.poll_timeout(), None);
        for step in [StopStep::Write, StopStep::Close] {
            stopping.handle_done();
            assert_eq!(stopping.poll_step(late), Some(step));
            assert_eq!(stopping.poll_step(late), None);
        }
        stopping.handle_done();
        assert_eq!(stopping.poll_step(late), None, "it is down");
    }
}
