//! What came of one measurement.

use std::time::Duration;

use serde::Serialize;

/// What came of one measurement.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    /// How many messages, or calls.
    pub count: u64,
    /// How long they took.
    pub seconds: f64,
    /// The processor time of this process meanwhile.
    pub cpu_seconds: f64,
    /// Half of the calls took no longer, in microseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p50_us: Option<f64>,
    /// 99 of 100 calls took no longer, in microseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p99_us: Option<f64>,
    /// How many casts went along with the calls.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub casts: Option<u64>,
}

impl Report {
    /// With the percentiles of how long each took.
    #[must_use]
    pub fn with_latencies(mut self, mut latencies: Vec<Duration>) -> Self {
        latencies.sort_unstable();
        self.p50_us = percentile(&latencies, 50);
        self.p99_us = percentile(&latencies, 99);
        self
    }
}

/// The value that `percent` of 100 don't exceed, in microseconds.
fn percentile(sorted: &[Duration], percent: usize) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    let at = (sorted.len() * percent).div_ceil(100).saturating_sub(1).min(last);
    sorted.get(at).map(|latency| latency.as_secs_f64() * 1e6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_those_of_the_nearest_rank() {
        let micros = |n: u64| (1..=n).map(Duration::from_micros).collect::<Vec<_>>();
        for (count, percent, expected) in [
            (0, 50, None),
            (1, 99, Some(1.0)),
            (4, 50, Some(2.0)),
            (100, 99, Some(99.0)),
            (1000, 99, Some(990.0)),
        ] {
            let found = percentile(&micros(count), percent).map(f64::round);
            assert_eq!(found, expected, "{percent} % of {count}");
        }
    }
}
