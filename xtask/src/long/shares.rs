//! Who gets how much of the time.

use std::time::Duration;

/// The least that a part gets, even if those before it took all: less finds nothing.
const LEAST: Duration = Duration::from_secs(60);

/// The share of the first of the parts to come, of the time that is left. The shares of all are as their weights; whatever one
/// takes less than its share is left to those after it. A part without a weight takes what it takes, and gets all that is left
/// as its limit.
pub(super) fn of_first(left: Duration, weights: impl Iterator<Item = u32>) -> Duration {
    let mut weights = weights.peekable();
    let first = weights.peek().copied().unwrap_or_default();
    let all: u32 = weights.sum();
    if first == 0 || all == 0 {
        return left.max(LEAST);
    }
    let share = left.as_secs() * u64::from(first) / u64::from(all);
    Duration::from_secs(share).max(LEAST)
}

/// The time for which each of several tests goes on, if `at_once` of them run at a time and all together may take `share`.
pub(super) fn of_each(share: Duration, tests: usize, at_once: usize) -> Duration {
    let rounds = tests.max(1).div_ceil(at_once.max(1));
    let rounds = u32::try_from(rounds).unwrap_or(u32::MAX);
    (share / rounds).max(Duration::from_secs(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The seconds that parts get which take their share of these minutes.
    fn shares(minutes: u64, weights: &[u32]) -> Vec<u64> {
        let mut left = Duration::from_secs(60 * minutes);
        (0..weights.len())
            .map(|at| {
                let share = of_first(left, weights.iter().copied().skip(at));
                left = left.saturating_sub(share);
                share.as_secs()
            })
            .collect()
    }

    #[test]
    fn the_shares_are_as_the_weights_and_make_up_the_whole() {
        assert_eq!(shares(60, &[1, 2, 3]), [600, 1200, 1800]);
        assert_eq!(shares(60, &[5]), [3600]);
        assert_eq!(shares(480, &[2, 3, 4, 1, 3, 3]).iter().sum::<u64>(), 480 * 60);
    }

    #[test]
    fn what_one_leaves_goes_to_those_after_it() {
        let half = Duration::from_secs(3600) / 2;
        assert_eq!(of_first(half, [1, 1].into_iter()).as_secs(), 900);
        // The first of three took nothing of its 1200 s.
        assert_eq!(of_first(half * 2, [1, 1].into_iter()).as_secs(), 1800);
    }

    #[test]
    fn nobody_gets_nothing() {
        assert_eq!(shares(1, &[1, 1, 1]), [60, 60, 60]);
        assert_eq!(of_first(Duration::ZERO, [0].into_iter()), LEAST);
    }

    #[test]
    fn a_part_without_a_weight_takes_nothing_from_the_shares() {
        let left = Duration::from_secs(3600);
        assert_eq!(of_first(left, [2, 0, 2].into_iter()).as_secs(), 1800);
        assert_eq!(of_first(left, [0, 2].into_iter()), left);
    }

    #[test]
    fn tests_that_wait_for_each_other_share_further() {
        let share = Duration::from_secs(600);
        assert_eq!(of_each(share, 10, 2).as_secs(), 120);
        assert_eq!(of_each(share, 9, 2).as_secs(), 120);
        assert_eq!(of_each(share, 2, 8).as_secs(), 600);
        assert_eq!(of_each(Duration::ZERO, 0, 0).as_secs(), 1);
    }
}
