//! In which order actors end, and when they are killed: a machine without a clock or an actor of its own.

use std::time::{Duration, Instant};

/// Takes batches of actors down, the last one first. A batch has to end before the one before it is asked, but it may take no longer
/// than half of the time that is left; it may go on meanwhile. What has not ended at the deadline is killed.
#[derive(Debug)]
pub(crate) struct Winding<A> {
    /// Those that were not asked yet.
    batches: Vec<Vec<A>>,
    /// Those of the batch that was asked last, and have not ended.
    asked: Vec<A>,
    /// When the batch before it is asked, whoever of this one still works.
    patience: Instant,
    /// Those of earlier batches.
    late: Vec<A>,
    deadline: Instant,
}

/// What is to be done with an actor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order<A> {
    /// It is asked to end. When it has, [`handle_ended`](Winding::handle_ended) is to be told.
    End(A),
    /// Its time is over.
    Kill(A),
}

impl<A: Copy + PartialEq> Winding<A> {
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
    pub(crate) fn poll_order(&mut self, now: Instant) -> Vec<Order<A>> {
        let mut orders = Vec::new();
        while (self.asked.is_empty() || self.patience <= now)
            && let Some(batch) = self.batches.pop()
        {
            self.late.append(&mut self.asked);
            self.patience = now + self.deadline.saturating_duration_since(now) / 2;
            orders.extend(batch.iter().copied().map(Order::End));
            self.asked = batch;
        }
        if self.deadline <= now {
            let working = self.late.drain(..).chain(self.asked.drain(..));
            orders.extend(working.map(Order::Kill));
        }
        orders
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
        let mut winding = Winding::new(vec![vec![1, 2], vec![3], vec![], vec![4]], 8 * SECOND, start);
        assert_eq!(winding.poll_order(start), [Order::End(4)]);
        assert_eq!(winding.poll_timeout(), Some(start + 4 * SECOND));
        winding.handle_ended(4);
        assert_eq!(winding.poll_order(start), [Order::End(3)]);
        assert_eq!(winding.poll_order(start + 3 * SECOND), []);
        let half = start + 4 * SECOND;
        assert_eq!(winding.poll_order(half), [Order::End(1), Order::End(2)], "3 takes long");
        winding.handle_ended(1);
        assert_eq!(winding.poll_timeout(), Some(start + 8 * SECOND));
        assert_eq!(winding.poll_order(start + 8 * SECOND), [Order::Kill(3), Order::Kill(2)]);
        assert!(winding.is_over());
        assert_eq!(winding.poll_timeout(), None);
    }

    #[test]
    fn whoever_was_never_asked_in_time_is_asked_and_killed_at_the_deadline() {
        let start = Instant::now();
        let mut winding = Winding::new(vec![vec![1], vec![2]], SECOND, start);
        assert_eq!(winding.poll_order(start), [Order::End(2)]);
        let orders = winding.poll_order(start + SECOND);
        assert_eq!(orders, [Order::End(1), Order::Kill(2), Order::Kill(1)]);
        assert!(winding.is_over());
    }
}
