//! Pauses between attempts to connect, which grow.

use std::time::Duration;

use tokio::time::Instant;

/// The first pause.
const SHORTEST: Duration = Duration::from_millis(100);

/// When the next attempt may be made.
#[derive(Debug)]
pub(crate) struct Pauses {
    longest: Duration,
    failures: u32,
    last: Option<(Instant, String)>,
}

impl Pauses {
    /// The longest pause is two seconds, and shorter where leases are short: there has to be time to renew one.
    pub(crate) fn for_lease(lease: Duration) -> Self {
        Self {
            longest: (lease / 6).min(Duration::from_secs(2)).max(SHORTEST),
            failures: 0,
            last: None,
        }
    }

    /// The rest of the pause, and why there is one.
    pub(crate) fn left(&self, now: Instant) -> Option<(Duration, String)> {
        let (until, why) = self.last.as_ref()?;
        let left = until.saturating_duration_since(now);
        (!left.is_zero()).then(|| (left, why.clone()))
    }

    /// An attempt failed. Of the pause a random part is taken: a thousand nodes don't come back in the same moment.
    pub(crate) fn failed(&mut self, now: Instant, why: String) {
        let doubled = SHORTEST.saturating_mul(2_u32.saturating_pow(self.failures.min(10)));
        let pause = doubled.min(self.longest).mul_f64(rand::random_range(0.5..1.0));
        self.failures = self.failures.saturating_add(1);
        self.last = Some((now + pause, why));
    }

    /// There is a connection.
    pub(crate) fn succeeded(&mut self) {
        self.failures = 0;
        self.last = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_up_to_a_bound_and_end_with_success() {
        let mut pauses = Pauses::for_lease(Duration::from_secs(10));
        let now = Instant::now();
        assert_eq!(pauses.left(now), None);
        let mut before = Duration::ZERO;
        for _ in 0..20 {
            pauses.failed(now, "refused".to_owned());
            let (left, why) = pauses.left(now).unwrap();
            assert_eq!(why, "refused");
            // At least half of the pause that is twice as long, until the bound.
            assert!(
                left >= before.min(Duration::from_millis(800)) / 2 && left <= Duration::from_millis(1_667),
                "{left:?}"
            );
            before = left;
        }
        assert_eq!(pauses.left(now + Duration::from_secs(2)), None);
        pauses.succeeded();
        pauses.failed(now, "refused".to_owned());
        assert!(pauses.left(now).unwrap().0 <= SHORTEST);
    }
}
