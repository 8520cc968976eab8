//! One attempt to write what waits, and how long to wait before the next.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use crate::actor::checkpoint::store::{CheckpointStore, Entry, StoreError};

/// The wait after the first attempt that fails. It doubles with each further one.
const SHORTEST: Duration = Duration::from_millis(200);

/// The longest wait.
const LONGEST: Duration = Duration::from_secs(15);

/// The longest wait while the node stops: there is little time.
const LONGEST_AT_THE_END: Duration = Duration::from_millis(500);

/// The number of jobs that may fail one after the other before an attempt ends. One that can't be written ever must not keep the others,
/// but a disk that fails is not to be asked a thousand times.
const MOST_FAILURES: usize = 2;

/// What is to be done in the store for one actor.
#[derive(Debug, Clone, Default)]
pub struct Job {
    /// First of all, all its checkpoints are given up.
    pub(super) forgets: bool,
    /// Then this one is kept.
    pub entry: Option<Entry>,
}

impl Job {
    /// Of the state that it has.
    pub(super) fn bytes(&self) -> usize {
        self.entry.as_ref().map_or(0, |entry| entry.checkpoint.state.len())
    }
}

/// Jobs, each with the name of its actor.
pub(super) type Jobs = Vec<(String, Job)>;

/// What became of an attempt.
#[derive(Debug)]
pub struct Outcome {
    /// What is not done.
    pub left: Jobs,
    /// Why.
    pub(super) error: Option<StoreError>,
}

/// Does these in the store: all together, and if that fails, one by one, from the `first`th on. Blocks.
pub fn attempt(store: &dyn CheckpointStore, jobs: Jobs, first: usize) -> Outcome {
    // All at once, because many states then share one wait for the disk.
    let together = write(store, &jobs);
    let Err(mut error) = together else {
        return Outcome {
            left: Jobs::new(),
            error: None,
        };
    };
    if jobs.len() == 1 {
        return Outcome {
            left: jobs,
            error: Some(error),
        };
    }
    let mut left = Jobs::new();
    let mut failures = 0;
    let count = jobs.len();
    let mut turned = jobs;
    // Where only some get through, it is not always the same ones.
    turned.rotate_left(first.checked_rem(count).unwrap_or_default());
    for job in turned {
        if failures < MOST_FAILURES {
            match write(store, std::slice::from_ref(&job)) {
                Ok(()) => {
                    failures = 0;
                    continue;
                }
                Err(again) => {
                    failures += 1;
                    error = again;
                }
            }
        }
        left.push(job);
    }
    let error = (!left.is_empty()).then_some(error);
    Outcome { left, error }
}

fn write(store: &dyn CheckpointStore, jobs: &[(String, Job)]) -> Result<(), StoreError> {
    let entries: Vec<Entry> = jobs.iter().filter_map(|(_, job)| job.entry.clone()).collect();
    let work = || {
        // First, so that a state which came after the others were given up isn't given up with them.
        for (actor, _) in jobs.iter().filter(|(_, job)| job.forgets) {
            store.prune(actor, 0)?;
        }
        if entries.is_empty() {
            Ok(())
        } else {
            store.put(&entries)
        }
    };
    // A store that panics must not leave everybody waiting.
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| Err(StoreError("it panicked".into())))
}

/// The waits between attempts that fail.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    failures: u32,
}

impl Backoff {
    pub(super) fn succeeded(&mut self) {
        self.failures = 0;
    }

    /// The wait after another failure. `random` takes up to a half off, so that nodes that share a disk don't keep step.
    pub(super) fn failed(&mut self, is_ending: bool, random: f64) -> Duration {
        let doubled = SHORTEST.saturating_mul(2_u32.saturating_pow(self.failures));
        self.failures = self.failures.saturating_add(1);
        let longest = if is_ending { LONGEST_AT_THE_END } else { LONGEST };
        doubled.min(longest).mul_f64(1.0 - random.clamp(0.0, 1.0) / 2.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest_and_jitter_takes_at_most_half() {
        let mut backoff = Backoff::default();
        let waits: Vec<u128> = (0..9).map(|_| backoff.failed(false, 0.0).as_millis()).collect();
        assert_eq!(waits, [200, 400, 800, 1600, 3200, 6400, 12800, 15000, 15000]);
        assert_eq!(backoff.failed(false, 1.0).as_millis(), 7500);
        assert_eq!(backoff.failed(true, 0.0), LONGEST_AT_THE_END);
        backoff.succeeded();
        assert_eq!(backoff.failed(true, 0.0), SHORTEST);
        for _ in 0..100 {
            backoff.failed(false, 0.5);
        }
        assert_eq!(backoff.failed(false, 0.0), LONGEST, "no overflow");
    }
}
