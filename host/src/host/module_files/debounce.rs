//! Whether a file has stopped changing: decided from observations of it, as a function of time.

use std::time::{Duration, SystemTime};

use tokio::time::Instant;

/// What is observed of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp {
    pub(super) bytes: u64,
    pub(super) modified: SystemTime,
    /// Tells a file from one that took its place, where the system does.
    pub(super) file: u64,
}

/// A file that may be about to change.
#[derive(Debug)]
pub(super) struct Debounce {
    /// As it was when it was last handled.
    done: Option<Stamp>,
    /// As it is now, and since when.
    changed: Option<(Stamp, Instant)>,
    /// The time for which it must not change.
    quiet: Duration,
}

impl Debounce {
    /// A file that was handled as it is.
    pub(super) fn new(now: Option<Stamp>, quiet: Duration) -> Self {
        Self {
            done: now,
            changed: None,
            quiet,
        }
    }

    /// An observation of the file; none if it isn't there. True if it has changed since it was handled, and has stopped changing.
    pub(super) fn look(&mut self, stamp: Option<Stamp>, now: Instant) -> bool {
        let Some(stamp) = stamp.filter(|stamp| self.done != Some(*stamp)) else {
            self.changed = None;
            return false;
        };
        match self.changed {
            Some((before, since)) if before == stamp => now.saturating_duration_since(since) >= self.quiet,
            _ => {
                self.changed = Some((stamp, now));
                false
            }
        }
    }

    /// True while it is to be checked again soon.
    pub(super) fn is_pending(&self) -> bool {
        self.changed.is_some()
    }

    /// How long the file has been as it is.
    pub(super) fn quiet_for(&self, now: Instant) -> Duration {
        self.changed
            .map(|(_, since)| now.saturating_duration_since(since))
            .unwrap_or_default()
    }

    /// It was handled as it is.
    pub(super) fn mark_handled(&mut self) {
        if let Some((stamp, _)) = self.changed.take() {
            self.done = Some(stamp);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_taken_once_it_is_quiet() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let stamp = |bytes| {
            Some(Stamp {
                bytes,
                modified: SystemTime::UNIX_EPOCH,
                file: 1,
            })
        };
        let mut debounce = Debounce::new(stamp(1), Duration::from_millis(250));
        assert!(!debounce.look(stamp(1), at(0)) && !debounce.is_pending());
        assert!(!debounce.look(stamp(2), at(10)) && debounce.is_pending());
        assert!(!debounce.look(stamp(3), at(200)), "it grows");
        assert!(!debounce.look(stamp(3), at(440)));
        assert!(debounce.look(stamp(3), at(450)));
        assert!(debounce.look(stamp(3), at(500)), "as long as nobody deals with it");
        assert_eq!(debounce.quiet_for(at(500)), Duration::from_millis(300));
        debounce.mark_handled();
        assert!(!debounce.look(stamp(3), at(1000)) && !debounce.is_pending());
        assert!(
            !debounce.look(None, at(1100)) && !debounce.is_pending(),
            "it is gone for a moment"
        );
        assert!(!debounce.look(stamp(4), at(1200)));
        assert!(
            !debounce.look(stamp(3), at(1300)) && !debounce.is_pending(),
            "it is what it was"
        );
    }
}
