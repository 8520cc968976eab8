//! How often guests change their process groups, all guests of this process together.
//!
//! Every change is told to every session, and by it to a peer, which has to take it in its turn: whoever joins and leaves in a
//! loop would fill their mailboxes without end. So beyond a rate a change waits for its turn, first come, first served. Since a
//! guest waits for one change at a time, those of one guest keep others waiting for one only.

use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::{Instant, sleep_until};

/// Changes in a second.
const RATE: u32 = 5_000;

/// Changes that may come at once after a pause.
const BURST: u32 = 10_000;

static GUESTS: Turns = Turns::new();

/// Waits until there may be one more change.
pub(crate) async fn turn() {
    GUESTS.next().await;
}

struct Turns {
    /// When the changes so far would be over if they came at the rate. Fair: who asks first is first.
    over: Mutex<Option<Instant>>,
}

impl Turns {
    const fn new() -> Self {
        Self {
            over: Mutex::const_new(None),
        }
    }

    async fn next(&self) {
        const EACH: Duration = Duration::from_nanos(1_000_000_000 / RATE as u64);
        // Held over the wait on purpose: the lock is the line, and tokio's is fair. A guest that is killed in it
        // leaves the line, and its change isn't counted.
        let mut over = self.over.lock().await;
        let now = Instant::now();
        let next = over.map_or(now, |over| over.max(now)) + EACH;
        if let Some(early) = next.checked_sub(EACH * BURST)
            && early > now
        {
            sleep_until(early).await;
        }
        *over = Some(next);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_burst_is_free_and_then_each_waits_for_its_turn() {
        let turns = Turns::new();
        let start = Instant::now();
        for _ in 0..BURST {
            turns.next().await;
        }
        assert_eq!(start.elapsed(), Duration::ZERO);
        for _ in 0..RATE {
            turns.next().await;
        }
        let waited = start.elapsed();
        assert!((900..1100).contains(&waited.as_millis()), "{waited:?}");
        tokio::time::advance(Duration::from_secs(60)).await;
        let start = Instant::now();
        for _ in 0..BURST {
            turns.next().await;
        }
        assert_eq!(start.elapsed(), Duration::ZERO, "after a pause");
    }
}
