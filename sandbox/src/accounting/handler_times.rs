//! How long the handlers of a module take: a histogram that costs next to nothing to keep.
//!
//! Of the messages that are handled quickly one in [`SAMPLED`] is timed, drawn at random, and counts for as many. Whatever takes longer
//! than a step or two of the engine's clock is seen by that clock anyway, and counts for itself: rare slow messages are all there.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The number of quick messages that one which is timed stands for.
pub(super) const SAMPLED: u64 = 16;

/// The upper bounds of the buckets, in microseconds. One more bucket has what is above the last.
const BOUNDS_US: [u64; 13] = [
    5, 10, 25, 50, 100, 250, 1_000, 5_000, 25_000, 100_000, 500_000, 2_500_000, 10_000_000,
];

/// One for each bound, and the one above.
const BUCKETS: usize = BOUNDS_US.len() + 1;

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct HandlerTimes {
    buckets: [AtomicU64; BUCKETS],
    sum_ns: AtomicU64,
}

/// How long handlers took, from begin to end with everything that they waited for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HandlerTimesFigures {
    /// The upper bound of each bucket, and how many messages took no longer: those of the buckets below included.
    pub buckets: Vec<(Duration, u64)>,
    /// All messages.
    pub count: u64,
    /// What they took together.
    pub sum: Duration,
}

impl HandlerTimes {
    /// This many messages took this long, each.
    pub(crate) fn record(&self, each: Duration, messages: u64) {
        let us = u64::try_from(each.as_micros()).unwrap_or(u64::MAX);
        // A duration of exactly the bound belongs below it, as everywhere with such histograms; so do the nanoseconds beyond it.
        let bucket = BOUNDS_US.partition_point(|bound| *bound < us);
        // Relaxed: nobody concludes anything from the order. Only messages that are timed come here, so the cache line is calm.
        if let Some(bucket) = self.buckets.get(bucket) {
            bucket.fetch_add(messages, Ordering::Relaxed);
        }
        let ns = u64::try_from(each.as_nanos()).unwrap_or(u64::MAX);
        self.sum_ns.fetch_add(ns.saturating_mul(messages), Ordering::Relaxed);
    }

    pub(crate) fn figures(&self) -> HandlerTimesFigures {
        let mut count = 0;
        let mut buckets = Vec::with_capacity(BUCKETS);
        for (at, bucket) in self.buckets.iter().enumerate() {
            count += bucket.load(Ordering::Relaxed);
            if let Some(bound) = BOUNDS_US.get(at) {
                buckets.push((Duration::from_micros(*bound), count));
            }
        }
        HandlerTimesFigures {
            buckets,
            count,
            sum: Duration::from_nanos(self.sum_ns.load(Ordering::Relaxed)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_in_its_bucket_and_in_all_above() {
        let times = HandlerTimes::default();
        times.record(Duration::from_micros(5), 1);
        times.record(Duration::from_micros(6), 2);
        times.record(Duration::from_secs(3600), 4);
        let figures = times.figures();
        let counts: Vec<u64> = figures.buckets.iter().map(|(_, count)| *count).collect();
        assert_eq!(counts, [1, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3]);
        assert_eq!(figures.count, 7);
        assert_eq!(
            figures.sum,
            Duration::from_micros(5 + 2 * 6) + 4 * Duration::from_secs(3600)
        );
    }
}
