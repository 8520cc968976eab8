//! How many entities a node activates at a time, so that what a lost node had doesn't come to life all at once.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use crate::mutation::{Mutation, broken};
use crate::words::BootTime;

/// How late a host may ask for the next one without losing it: its timers have steps, and threads are late.
const LATENESS: Duration = Duration::from_millis(5);

/// The limits of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ActivationLimits {
    /// The most activations at a time.
    pub at_once: usize,
    /// The most in a second.
    pub a_second: u32,
    /// The pause after a failed activation of an entity; it doubles with each further failure.
    pub first_pause: Duration,
    /// The longest such pause.
    pub longest_pause: Duration,
}

impl Default for ActivationLimits {
    fn default() -> Self {
        Self {
            at_once: 64,
            a_second: 200,
            first_pause: Duration::from_millis(100),
            longest_pause: Duration::from_secs(30),
        }
    }
}

#[derive(Debug)]
struct Failing {
    times: u32,
    until: BootTime,
}

/// The activations of a node: those that wait, and those that go on.
#[derive(Debug)]
pub struct Activations<Id> {
    limits: ActivationLimits,
    waiting: VecDeque<Id>,
    running: usize,
    /// When the next one may begin. It lags behind the time by the burst that is allowed.
    next: BootTime,
    failing: BTreeMap<Id, Failing>,
}

impl<Id: Ord + Clone> Activations<Id> {
    /// With these limits.
    pub fn new(limits: ActivationLimits) -> Self {
        Self {
            limits,
            waiting: VecDeque::new(),
            running: 0,
            next: BootTime(0),
            failing: BTreeMap::new(),
        }
    }

    /// An entity has to be activated. The host asks once for each.
    pub fn handle_wanted(&mut self, id: Id) {
        self.waiting.push_back(id);
    }

    /// Nobody waits for this entity any more.
    pub fn handle_unwanted(&mut self, id: &Id) {
        self.waiting.retain(|one| one != id);
    }

    /// An activation that had begun is over. After a failure the host tells callers why, and asks again when there are new ones.
    pub fn handle_finished(&mut self, id: Id, succeeded: bool, now: BootTime) {
        self.running = self.running.saturating_sub(1);
        if succeeded {
            self.failing.remove(&id);
        } else {
            self.handle_crashed(id, now);
        }
    }

    /// An entity has failed after its activation: the next one waits as if that had failed.
    pub fn handle_crashed(&mut self, id: Id, now: BootTime) {
        let times = self.failing.get(&id).map_or(0, |failing| failing.times);
        let pause = self.limits.first_pause * 2_u32.saturating_pow(times.min(16));
        let failing = Failing {
            times: times + 1,
            until: now.after(pause.min(self.limits.longest_pause)),
        };
        self.failing.insert(id, failing);
        // An entity that nobody asks for again is forgotten.
        let (longest, limit) = (self.limits.longest_pause, 1_024);
        if self.failing.len() > limit {
            self.failing.retain(|_, failing| now < failing.until.after(longest));
        }
    }

    fn interval(&self) -> Duration {
        Duration::from_secs(1) / self.limits.a_second.max(1)
    }

    fn is_ready(&self, id: &Id, now: BootTime) -> bool {
        self.failing.get(id).is_none_or(|failing| failing.until <= now)
    }

    /// The next entity to activate.
    pub fn poll_start(&mut self, now: BootTime) -> Option<Id> {
        let is_limited = !broken(Mutation::ActivationsUnlimited);
        if is_limited && (self.running >= self.limits.at_once || self.next > now) {
            return None;
        }
        let at = self.waiting.iter().position(|id| self.is_ready(id, now))?;
        let id = self.waiting.remove(at)?;
        self.running += 1;
        self.next = self.next.max(now.before(LATENESS)).after(self.interval());
        Some(id)
    }

    /// When [`Activations::poll_start`] may have something, unless an activation ends before that.
    pub fn poll_timeout(&self) -> Option<BootTime> {
        if self.waiting.is_empty() || self.running >= self.limits.at_once {
            return None;
        }
        let until = |id: &Id| self.failing.get(id).map_or(BootTime(0), |failing| failing.until);
        let soonest = self.waiting.iter().map(until).min()?;
        Some(soonest.max(self.next))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(milliseconds: u64) -> BootTime {
        BootTime(milliseconds * 1_000_000)
    }

    #[test]
    fn no_more_begin_at_a_time_or_in_a_second_than_may() {
        let mut activations = Activations::new(ActivationLimits {
            at_once: 3,
            a_second: 100,
            ..ActivationLimits::default()
        });
        (0..5).for_each(|id| activations.handle_wanted(id));
        assert_eq!(activations.poll_start(at(0)), Some(0));
        assert_eq!(
            (activations.poll_start(at(0)), activations.poll_timeout()),
            (None, Some(at(10)))
        );
        assert_eq!(activations.poll_start(at(10)), Some(1));
        assert_eq!(activations.poll_start(at(20)), Some(2));
        assert_eq!(
            (activations.poll_start(at(900)), activations.poll_timeout()),
            (None, None)
        );
        activations.handle_finished(1, true, at(900));
        assert_eq!(activations.poll_start(at(900)), Some(3));
    }

    #[test]
    fn a_host_that_asks_late_starts_as_many_in_a_second() {
        let mut activations = Activations::new(ActivationLimits {
            at_once: usize::MAX,
            a_second: 2_000,
            ..ActivationLimits::default()
        });
        (0..10_000).for_each(|id| activations.handle_wanted(id));
        let mut begun = 0;
        // Twice as long as from one to the next.
        for now in 0..=1_000 {
            begun += std::iter::from_fn(|| activations.poll_start(at(now))).count();
        }
        assert_eq!(begun, 2_001);
        // After a pause it isn't more than what lateness may hold back.
        let after = std::iter::from_fn(|| activations.poll_start(at(60_000))).count();
        assert_eq!(after, 11);
    }

    #[test]
    fn what_fails_is_tried_with_growing_pauses_and_keeps_nobody_up() {
        let mut activations = Activations::new(ActivationLimits::default());
        let mut now = at(0);
        for pause in [100, 200, 400] {
            activations.handle_wanted("bad");
            assert_eq!(activations.poll_start(now), Some("bad"));
            activations.handle_finished("bad", false, now);
            activations.handle_wanted("bad");
            activations.handle_wanted("good");
            now = now.after(Duration::from_millis(10));
            assert_eq!(activations.poll_start(now), Some("good"));
            activations.handle_finished("good", true, now);
            let due = now.after(Duration::from_millis(pause - 10));
            assert_eq!(activations.poll_timeout(), Some(due));
            activations.handle_unwanted(&"bad");
            now = due;
        }
    }
}
