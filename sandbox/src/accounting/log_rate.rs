//! How many log lines one actor may cause: its own events, its output, and what the host says of its limits.
//!
//! Credit is taken without a look at the clock. Only when it is used up does the clock decide whether there is more.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

use super::reached;
use crate::policy::limits::Limit;

/// The time for which one credit has to last.
const WINDOW: Duration = Duration::from_secs(1);

/// The log lines of one actor, over all its instances, or of a family.
#[derive(Debug)]
pub(crate) struct LogRate {
    actor: Arc<str>,
    counted_as: Arc<str>,
    /// None for a family.
    pid: Option<u64>,
    rate: u32,
    /// A guest has as many rates as children in its life, so that one of them is not enough.
    family: Option<Arc<Self>>,
    credit: AtomicU32,
    exhausted: Mutex<Exhausted>,
}

/// What matters once the credit is used up.
#[derive(Debug)]
struct Exhausted {
    /// When there last was credit.
    since: Instant,
    /// Lines that were dropped since then.
    dropped: u64,
    /// The limit was reached, and said to be, and no second has passed without a line being dropped.
    struck: bool,
}

#[derive(Debug, PartialEq, Eq)]
enum Line {
    /// It may be written. This many were dropped since the last one.
    Written { dropped: u64 },
    /// It may not.
    Dropped {
        /// It is the first.
        first: bool,
    },
}

impl LogRate {
    /// `rate` lines a second, and with all others of its family as many as that has.
    pub(super) fn new(actor: Arc<str>, counted_as: Arc<str>, pid: u64, rate: u32, family: Option<Arc<Self>>) -> Self {
        Self::of(actor, counted_as, Some(pid), rate, family)
    }

    /// `rate` lines a second of all actors of a family, which has this name.
    pub(super) fn of_family(name: Arc<str>, rate: u32) -> Self {
        Self::of(name.clone(), name, None, rate, None)
    }

    fn of(actor: Arc<str>, counted_as: Arc<str>, pid: Option<u64>, rate: u32, family: Option<Arc<Self>>) -> Self {
        Self {
            actor,
            counted_as,
            pid,
            rate,
            family,
            credit: AtomicU32::new(rate),
            exhausted: Mutex::new(Exhausted {
                since: Instant::now(),
                dropped: 0,
                struck: false,
            }),
        }
    }

    /// True if a line may be written. If not, it is counted, and the number is logged once lines may be written again.
    pub(crate) fn allows(&self) -> bool {
        // Its own rate first: a noisy member that has used it up takes nothing more of what its family has.
        self.has_one_more() && self.family_allows()
    }

    fn family_allows(&self) -> bool {
        self.family.as_ref().is_none_or(|family| family.has_one_more())
    }

    fn has_one_more(&self) -> bool {
        match self.line(Instant::now) {
            Line::Written { dropped } => {
                self.tell(dropped);
                true
            }
            Line::Dropped { first } => {
                if first {
                    let limit = match self.pid {
                        Some(_) => Limit::LogRate(self.rate),
                        None => Limit::FamilyLogRate(self.rate),
                    };
                    // A metric costs no line, so it is counted whether or not it can be logged.
                    reached::count(&self.counted_as, limit);
                    // A family that has used up its lines has none left for this either.
                    if self.family_allows() {
                        reached::log(&self.actor, self.pid, limit);
                    }
                }
                false
            }
        }
    }

    fn line(&self, now: impl FnOnce() -> Instant) -> Line {
        // Relaxed: nothing is read that depends on the credit, and what races for it is still counted down one by
        // one.
        let one_less = |credit: u32| credit.checked_sub(1);
        if self
            .credit
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less)
            .is_ok()
        {
            return Line::Written { dropped: 0 };
        }
        let mut exhausted = self.exhausted.lock();
        let now = now();
        if self.rate > 0 && now.saturating_duration_since(exhausted.since) >= WINDOW {
            // Under the lock, so that two that find the window over don't both fill it up. One is for the line at
            // hand.
            self.credit.store(self.rate - 1, Ordering::Relaxed);
            exhausted.since = now;
            let dropped = std::mem::take(&mut exhausted.dropped);
            // A guest that keeps on reaching the limit is told of it once; after a second without loss it is news
            // again.
            exhausted.struck &= dropped > 0;
            return Line::Written { dropped };
        }
        exhausted.dropped += 1;
        Line::Dropped {
            first: !std::mem::replace(&mut exhausted.struck, true),
        }
    }

    fn tell(&self, dropped: u64) {
        if dropped > 0 && self.family_allows() {
            tracing::warn!(actor = &*self.actor, pid = self.pid, dropped, "log events were dropped");
        }
    }
}

impl Drop for LogRate {
    fn drop(&mut self) {
        let dropped = self.exhausted.lock().dropped;
        self.tell(dropped);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WRITTEN: Line = Line::Written { dropped: 0 };

    fn unread() -> Instant {
        unreachable!("the clock was read although there is credit")
    }

    #[test]
    fn lines_beyond_the_rate_are_dropped_and_counted() {
        let rate = LogRate::new("test".into(), "test".into(), 0, 2, None);
        let start = rate.exhausted.lock().since;
        let at = |ms| move || start + Duration::from_millis(ms);
        assert_eq!(rate.line(unread), WRITTEN);
        assert_eq!(rate.line(unread), WRITTEN);
        assert_eq!(rate.line(at(1)), Line::Dropped { first: true });
        assert_eq!(rate.line(at(999)), Line::Dropped { first: false });
        assert_eq!(rate.line(at(1000)), Line::Written { dropped: 2 });
        assert_eq!(rate.line(unread), WRITTEN);
        assert_eq!(rate.line(at(1001)), Line::Dropped { first: false }, "it goes on");
        assert_eq!(rate.line(at(9000)), Line::Written { dropped: 1 });
        assert_eq!(rate.line(unread), WRITTEN);
        assert_eq!(rate.line(at(10_000)), WRITTEN, "none was dropped");
        assert_eq!(rate.line(unread), WRITTEN);
        assert_eq!(
            rate.line(at(10_001)),
            Line::Dropped { first: true },
            "it is reached anew"
        );
    }

    #[test]
    fn a_rate_of_nothing_allows_nothing() {
        let rate = LogRate::new("test".into(), "test".into(), 0, 0, None);
        let later = rate.exhausted.lock().since + 9 * WINDOW;
        assert_eq!(rate.line(|| later), Line::Dropped { first: true });
    }
}
