//! The log of requests that were turned away: one line a while, however many come.

use std::time::Duration;

use tokio::time::Instant;

/// The least time between two lines.
const LOG_INTERVAL: Duration = Duration::from_secs(10);

/// When the last line was, and how many requests had none since.
#[derive(Default)]
pub(super) struct RefusalLog {
    logged: Option<Instant>,
    silently: usize,
}

impl RefusalLog {
    /// How many were not logged since the last line, if it is time for another one.
    pub(super) fn note(&mut self, now: Instant) -> Option<usize> {
        if self
            .logged
            .is_some_and(|logged| now.duration_since(logged) < LOG_INTERVAL)
        {
            self.silently += 1;
            return None;
        }
        self.logged = Some(now);
        Some(std::mem::take(&mut self.silently))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_wrong_tokens_is_one_line_a_while() {
        let start = Instant::now();
        let mut log = RefusalLog::default();
        assert_eq!(log.note(start), Some(0));
        assert_eq!(log.note(start), None);
        assert_eq!(log.note(start + LOG_INTERVAL / 2), None);
        assert_eq!(log.note(start + LOG_INTERVAL), Some(2));
    }
}
