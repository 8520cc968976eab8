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
pub enum RestartType {
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
pub struct RestartIntensity {
    /// This many restarts may happen [`within`](Self::within) a time. One more, and the actor fails for good.
    pub max_restarts: u32,
    /// The time that restarts are counted in.
    pub within: Duration,
    /// The wait before the first restart. It doubles with every further one, as long as they are counted.
    pub backoff: Duration,
    /// The longest wait.
    pub max_backoff: Duration,
}

impl Default for RestartIntensity {
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
pub enum RestartDecision {
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
pub struct RestartBudget {
    intensity: RestartIntensity,
    /// The restarts that count, oldest first.
    restarts: VecDeque<Instant>,
}

impl RestartBudget {
    /// A budget that nothing was taken from.
    pub fn new(intensity: RestartIntensity) -> Self {
        Self {
            intensity,
            restarts: VecDeque::new(),
        }
    }

    /// Decides about a failure at `now`, and counts the restart if there is to be one.
    pub fn spend(&mut self, now: Instant) -> RestartDecision {
        let RestartIntensity {
            max_restarts,
            within,
            backoff,
            max_backoff,
        } = self.intensity;
        while self
            .restarts
            .front()
            .is_some_and(|restart| now.saturating_duration_since(*restart) > within)
        {
            self.restarts.pop_front();
        }
        // What has aged out doesn't lengthen the wait either: an actor that fails seldom is back soon each time.
        let counted = u32::try_from(self.restarts.len()).unwrap_or(u32::MAX);
        if counted >= max_restarts {
            return RestartDecision::GiveUp;
        }
        // Counted when it is decided on and not when it succeeds, so that starts which fail use the budget up, too.
        self.restarts.push_back(now);
        let doubled = backoff.saturating_mul(2_u32.saturating_pow(counted));
        RestartDecision::Restart {
            after: doubled.min(max_backoff),
            restart: counted + 1,
        }
    }
}

/// Decides about the failures of a guest.
pub trait RestartDecider: fmt::Debug + Send + Sync + 'static {
    /// It failed, or stopped itself and is to be restarted after that too.
    fn failed(&self, now: Instant) -> RestartDecision;

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

impl RestartDecider for Mutex<RestartBudget> {
    fn failed(&self, now: Instant) -> RestartDecision {
        self.lock().spend(now)
    }
}

/// When a guest is restarted, and who decides how often.
#[derive(Debug, Clone)]
pub struct RestartPolicy {
    /// When.
    pub when: RestartType,
    /// How often.
    pub restarts: Arc<dyn RestartDecider>,
}

impl RestartPolicy {
    /// With a budget of its own.
    pub fn new(when: RestartType, intensity: RestartIntensity) -> Self {
        Self {
            when,
            restarts: Arc::new(Mutex::new(RestartBudget::new(intensity))),
        }
    }

    /// Decides about a failure.
    pub(crate) fn after_failure(&self, now: Instant) -> RestartDecision {
        match self.when {
            RestartType::Temporary => RestartDecision::GiveUp,
            RestartType::Transient | RestartType::Permanent => self.restarts.failed(now),
        }
    }

    /// Decides about a stop that the actor itself asked for.
    pub(crate) fn after_stop(&self, now: Instant) -> RestartDecision {
        match self.when {
            RestartType::Temporary | RestartType::Transient => RestartDecision::GiveUp,
            RestartType::Permanent => self.restarts.failed(now),
        }
    }
}

impl Default for RestartPolicy {
    /// Never.
    fn default() -> Self {
        Self::new(RestartType::Temporary, RestartIntensity::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn intensity(max_restarts: u32) -> RestartIntensity {
        RestartIntensity {
            max_restarts,
            within: Duration::from_secs(10),
            backoff: Duration::from_millis(100),
            max_backoff: Duration::from_millis(250),
        }
    }

    #[test]
    fn restarts_are_counted_within_a_window() {
        let start = Instant::now();
        let mut budget = RestartBudget::new(intensity(3));
        let mut failed = |at| match budget.spend(start + Duration::from_secs(at)) {
            RestartDecision::Restart { after, restart } => Some((after.as_millis(), restart)),
            RestartDecision::GiveUp => None,
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
            (RestartType::Temporary, false, false),
            (RestartType::Transient, true, false),
            (RestartType::Permanent, true, true),
        ] {
            let restarting = RestartPolicy::new(when, intensity(9));
            assert_eq!(
                restarting.after_failure(now) != RestartDecision::GiveUp,
                failure,
                "{when:?}"
            );
            assert_eq!(restarting.after_stop(now) != RestartDecision::GiveUp, stop, "{when:?}");
        }
    }

    #[test]
    fn no_restarts_at_all_is_a_policy_too() {
        assert_eq!(
            RestartBudget::new(intensity(0)).spend(Instant::now()),
            RestartDecision::GiveUp
        );
    }
}
