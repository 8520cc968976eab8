//! What came of calls is given up when it is old enough.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::KEPT_FOR;
use crate::reminders::{Clock, whole_millis};
use crate::store::EntityStore;

/// The time between two looks.
const EVERY: Duration = Duration::from_secs(10);

/// At most about as many of those rows, kept between two looks, are behind one further attempt at the next.
const AT_ONCE: u64 = 500;

/// The calls of this process of which something was to be kept.
static KEPT: AtomicU64 = AtomicU64::new(0);

/// This many were written.
pub(crate) fn note_kept(rows: usize) {
    // A figure alone.
    KEPT.fetch_add(rows as u64, Ordering::Relaxed);
}

/// Has the store of a node give up what is too old, now and then: as often as it takes to keep up with what is written.
pub(crate) async fn run_forgetting(store: Arc<dyn EntityStore>, clock: Clock) {
    let mut seen = KEPT.load(Ordering::Relaxed);
    let mut has_failed = false;
    loop {
        tokio::time::sleep(EVERY).await;
        let kept = KEPT.load(Ordering::Relaxed);
        let attempts = 1 + (kept - seen) / AT_ONCE;
        seen = kept;
        for _ in 0..attempts {
            let (store, before_ms) = (store.clone(), clock.steady_ms().saturating_sub(whole_millis(KEPT_FOR)));
            let forgotten = tokio::task::spawn_blocking(move || store.forget_replies(before_ms)).await;
            let is_failed = match forgotten {
                Ok(Ok(())) => false,
                Ok(Err(error)) => {
                    // Once: it says the same thing each time.
                    if !has_failed {
                        tracing::warn!(%error, "replies that are too old can't be given up; that is tried again");
                    }
                    true
                }
                Err(_) => return,
            };
            has_failed = is_failed;
            if is_failed {
                break;
            }
        }
    }
}
