//! When a guest that failed is restarted: the decision, as functions of time.
//!
//! A guest is restarted *in place*: the actor stays, with its pid, name, groups and mailbox, and gets a fresh instance.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

use crate::directory::BoxFuture;

/// When an actor is restarted, in OTP's words.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Restart {
    /// Never.
    #[default]
    Temporary,
    /// After a failure.
    Transient,
    /// After a failure, and after it stopped by itself. Who stops it from outside means it.
    Permanent,
}

/// How many restarts are too many, and how long to wait before each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RestartPolicy {
    /// This many restarts may happen [`within`](Self::within) a time. One more, and the actor fails for good.
    pub max_restarts: u32,
    /// The time that restarts are counted in.
    pub within: Duration,
    /// The wait before the first restart. It doubles with every further one, as long as they are counted.
    pub backoff: Duration,
    /// The longest wait.
    pub max_backoff: Duration,
}

impl Default for RestartPolicy {
    /// Five restarts within a minute, after 100 ms, 200 ms and so on up to 5 s.
    fn default() -> Self {
        Self {
            max_restarts: 5,
            within: Duration::from_secs(60),
            backoff: Duration::from_millis(100),
            max_backoff: Duration::from_secs(5),
        }
    }
}

/// What is to be done about a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Restart it after this wait.
    Restart {
        /// How long to wait.
        after: Duration,
        /// Which restart this is of those that are counted, from 1.
        restart: u32,
    },
    /// It has failed too often.
    GiveUp,
}

/// The restarts of an actor, or of several that share their fate.
#[derive(Debug, Clone)]
pub struct Budget {
    policy: RestartPolicy,
    /// The restarts that count, oldest first.
    restarts: VecDeque<Instant>,
}

impl Budget {
    /// A budget that nothing was taken from.
    pub fn new(policy: RestartPolicy) -> Self {
        Self {
            policy,
            restarts: VecDeque::new(),
        }
    }

    /// Decides about a failure at `now`, and counts the restart if there is to be one.
    pub fn spend(&mut self, now: Instant) -> Verdict {
        let RestartPolicy {
            max_restarts,
            within,
            backoff,
            max_backoff,
        } = self.policy;
        while self
            .restarts
            .front()
            .is_some_and(|restart| now.saturating_duration_since(*restart) > within)
        {
            self.restarts.pop_front();
        }
        let counted = u32::try_from(self.restarts.len()).unwrap_or(u32::MAX);
        if counted >= max_restarts {
            return Verdict::GiveUp;
        }
        self.restarts.push_back(now);
        let doubled = backoff.saturating_mul(2_u32.saturating_pow(counted));
        Verdict::Restart {
            after: doubled.min(max_backoff),
            restart: counted + 1,
        }
    }
}

/// Decides about the failures of a guest.
pub trait Restarts: fmt::Debug + Send + Sync + 'static {
    /// It failed, or stopped itself and is to be restarted after that too.
    fn failed(&self, now: Instant) -> Verdict;

    /// Waits as long as [`failed`](Self::failed) has said, or for a shorter time if the actor is to work off what it was sent and
    /// end. False if there is to be no restart after all, because the actor is about to be stopped anyway.
    fn wait(&self, after: Duration) -> BoxFuture<'_, bool> {
        Box::pin(async move {
            tokio::time::sleep(after).await;
            true
        })
    }

    /// It goes on with a fresh instance: after a failure or a stop of its own, or because it was asked to.
    fn restarted(&self) {}
}

impl Restarts for Mutex<Budget> {
    fn failed(&self, now: Instant) -> Verdict {
        self.lock().spend(now)
    }
}

/// When a guest is restarted, and who decides how often.
#[derive(Debug, Clone)]
pub struct Restarting {
    /// When.
    pub when: Restart,
    /// How often.
    pub restarts: Arc<dyn Restarts>,
}

impl Restarting {
    /// With a budget of its own.
    pub fn new(when: Restart, policy: RestartPolicy) -> Self {
        Self {
            when,
            restarts: Arc::new(Mutex::new(Budget::new(policy))),
        }
    }

    /// Decides about a failure.
    pub(crate) fn after_failure(&self, now: Instant) -> Verdict {
        match self.when {
            Restart::Temporary => Verdict::GiveUp,
            Restart::Transient | Restart::Permanent => self.restarts.failed(now),
        }
    }

    /// Decides about a stop that the actor itself asked for.
    pub(crate) fn after_stop(&self, now: Instant) -> Verdict {
        match self.when {
            Restart::Temporary | Restart::Transient => Verdict::GiveUp,
            Restart::Permanent => self.restarts.failed(now),
        }
    }
}

impl Default for Restarting {
    /// Never.
    fn default() -> Self {
        Self::new(Restart::Temporary, RestartPolicy::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(max_restarts: u32) -> RestartPolicy {
        RestartPolicy {
            max_restarts,
            within: Duration::from_secs(10),
            backoff: Duration::from_millis(100),
            max_backoff: Duration::from_millis(250),
        }
    }

    #[test]
    fn restarts_are_counted_within_a_window() {
        let start = Instant::now();
        let mut budget = Budget::new(policy(3));
        let mut failed = |at| match budget.spend(start + Duration::from_secs(at)) {
            Verdict::Restart { after, restart } => Some((after.as_millis(), restart)),
            Verdict::GiveUp => None,
        };
        assert_eq!(failed(0), Some((100, 1)));
        assert_eq!(failed(1), Some((200, 2)));
        assert_eq!(failed(2), Some((250, 3)), "the wait has a longest");
        assert_eq!(failed(3), None, "one more is too many");
        assert_eq!(failed(10), None, "the first still counts at the edge of the window");
        assert_eq!(failed(11), Some((250, 3)), "it doesn't any more");
        assert_eq!(failed(60), Some((100, 1)), "all are forgotten");
    }

    #[test]
    fn who_is_restarted_when() {
        let now = Instant::now();
        for (when, failure, stop) in [
            (Restart::Temporary, false, false),
            (Restart::Transient, true, false),
            (Restart::Permanent, true, true),
        ] {
            let restarting = Restarting::new(when, policy(9));
            assert_eq!(restarting.after_failure(now) != Verdict::GiveUp, failure, "{when:?}");
            assert_eq!(restarting.after_stop(now) != Verdict::GiveUp, stop, "{when:?}");
        }
    }

    #[test]
    fn no_restarts_at_all_is_a_policy_too() {
        assert_eq!(Budget::new(policy(0)).spend(Instant::now()), Verdict::GiveUp);
    }
}
