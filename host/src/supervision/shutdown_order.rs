//! In which order actors end, and when they are killed: a machine without a clock or an actor of its own.

use std::time::{Duration, Instant};

/// Takes batches of actors down, the last one first. A batch has to end before the one before it is asked, but it may take no longer
/// than half of the time that is left; it may go on meanwhile. What has not ended at the deadline is killed.
#[derive(Debug)]
pub(crate) struct ShutdownOrder<A> {
    /// Those that were not asked yet.
    batches: Vec<Vec<A>>,
    /// Those of the batch that was asked last, and have not ended.
    asked: Vec<A>,
    /// When the batch before it is asked, even if actors of this one still work.
    patience: Instant,
    /// Those of earlier batches.
    late: Vec<A>,
    deadline: Instant,
}

/// What is to be done with an actor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ShutdownCommand<A> {
    /// It is asked to end. When it has, [`handle_ended`](ShutdownOrder::handle_ended) is to be told.
    End(A),
    /// Its time is over.
    Kill(A),
}

impl<A: Copy + PartialEq> ShutdownOrder<A> {
    /// All of these are to have ended after `patience`.
    pub(crate) fn new(batches: Vec<Vec<A>>, patience: Duration, now: Instant) -> Self {
        Self {
            batches,
            asked: Vec::new(),
            patience: now,
            late: Vec::new(),
            deadline: now + patience,
        }
    }

    /// This actor has ended.
    pub(crate) fn handle_ended(&mut self, actor: A) {
        self.asked.retain(|asked| *asked != actor);
        self.late.retain(|late| *late != actor);
    }

    /// What is to be done now, an actor at a time.
    pub(crate) fn poll_commands(&mut self, now: Instant) -> Vec<ShutdownCommand<A>> {
        let mut commands = Vec::new();
        // At the deadline this runs through all batches: an actor that was never asked is asked now, and killed below.
        while (self.asked.is_empty() || self.patience <= now)
            && let Some(batch) = self.batches.pop()
        {
            self.late.append(&mut self.asked);
            // Half of what is left, and not an equal share: however many batches follow, there is time for each of them.
            self.patience = now + self.deadline.saturating_duration_since(now) / 2;
            commands.extend(batch.iter().copied().map(ShutdownCommand::End));
            self.asked = batch;
        }
        if self.deadline <= now {
            let working = self.late.drain(..).chain(self.asked.drain(..));
            commands.extend(working.map(ShutdownCommand::Kill));
        }
        commands
    }

    /// When to ask for orders again, if nobody ends before.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        if self.is_over() {
            None
        } else if self.batches.is_empty() {
            Some(self.deadline)
        } else {
            Some(self.patience.min(self.deadline))
        }
    }

    /// True if everybody was asked, and has ended or was killed.
    pub(crate) fn is_over(&self) -> bool {
        self.batches.is_empty() && self.asked.is_empty() && self.late.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn the_last_batch_ends_first_and_each_has_half_of_what_is_left() {
        let start = Instant::now();
        let mut shutdown_order = ShutdownOrder::new(vec![vec![1, 2], vec![3], vec![], vec![4]], 8 * SECOND, start);
        assert_eq!(shutdown_order.poll_commands(start), [ShutdownCommand::End(4)]);
        assert_eq!(shutdown_order.poll_timeout(), Some(start + 4 * SECOND));
        shutdown_order.handle_ended(4);
        assert_eq!(shutdown_order.poll_commands(start), [ShutdownCommand::End(3)]);
        assert_eq!(shutdown_order.poll_commands(start + 3 * SECOND), []);
        let half = start + 4 * SECOND;
        assert_eq!(
            shutdown_order.poll_commands(half),
            [ShutdownCommand::End(1), ShutdownCommand::End(2)],
            "3 takes long"
        );
        shutdown_order.handle_ended(1);
        assert_eq!(shutdown_order.poll_timeout(), Some(start + 8 * SECOND));
        assert_eq!(
            shutdown_order.poll_commands(start + 8 * SECOND),
            [ShutdownCommand::Kill(3), ShutdownCommand::Kill(2)]
        );
        assert!(shutdown_order.is_over());
        assert_eq!(shutdown_order.poll_timeout(), None);
    }

    #[test]
    fn whoever_was_never_asked_in_time_is_asked_and_killed_at_the_deadline() {
        let start = Instant::now();
        let mut shutdown_order = ShutdownOrder::new(vec![vec![1], vec![2]], SECOND, start);
        assert_eq!(shutdown_order.poll_commands(start), [ShutdownCommand::End(2)]);
        let commands = shutdown_order.poll_commands(start + SECOND);
        assert_eq!(
            commands,
            [
                ShutdownCommand::End(1),
                ShutdownCommand::Kill(2),
                ShutdownCommand::Kill(1)
            ]
        );
        assert!(shutdown_order.is_over());
    }
}
