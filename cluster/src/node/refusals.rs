//! Connections that did not get through the handshake, and why: all are counted, and some are logged.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

/// The most lines that a reason may have in one [`WINDOW`]. A flood of connections must not become a flood of log lines.
const LINES: u32 = 5;

/// The time in which a reason may have [`LINES`] lines.
const WINDOW: Duration = Duration::from_secs(10);

/// The failed handshakes of one node by reason. The reasons are names in this program's source, so there are few.
#[derive(Debug, Default)]
pub(super) struct HandshakeRefusals {
    by_reason: Mutex<BTreeMap<&'static str, ReasonCount>>,
}

#[derive(Debug)]
struct ReasonCount {
    count: u64,
    window: Instant,
    lines: u32,
    unlogged: u64,
}

impl HandshakeRefusals {
    /// Counts a refusal, and logs it if few were logged lately. `reason` is its stable name, `why` says it in words.
    pub(super) fn refuse(&self, peer: &dyn Display, reason: &'static str, why: &dyn Display) {
        if let Some(unlogged) = self.count(reason, Instant::now()) {
            tracing::warn!(%peer, reason, unlogged, "refused a connection: {why}");
        }
    }

    /// As [`HandshakeRefusals::refuse`] for a connection that the peer ended, or the network.
    pub(super) fn ended(&self, peer: &dyn Display, reason: &'static str, why: &dyn Display) {
        if let Some(unlogged) = self.count(reason, Instant::now()) {
            tracing::info!(%peer, reason, unlogged, "a connection ended during its handshake: {why}");
        }
    }

    /// As [`HandshakeRefusals::refuse`] for the system's refusals to accept, which have no peer.
    pub(super) fn not_accepted(&self, error: &std::io::Error, retry: Duration) {
        if let Some(unlogged) = self.count("accept", Instant::now()) {
            tracing::warn!(
                unlogged,
                "cannot accept connections: {error}; trying again every {retry:?}"
            );
        }
    }

    /// The counts since the node started.
    pub(super) fn counts(&self) -> BTreeMap<&'static str, u64> {
        self.by_reason
            .lock()
            .iter()
            .map(|(reason, tally)| (*reason, tally.count))
            .collect()
    }

    /// Counts a refusal. If it should be logged, gives the number of those that were not since the last line.
    fn count(&self, reason: &'static str, now: Instant) -> Option<u64> {
        let mut by_reason = self.by_reason.lock();
        let tally = by_reason.entry(reason).or_insert(ReasonCount {
            count: 0,
            window: now,
            lines: 0,
            unlogged: 0,
        });
        tally.count += 1;
        if now.saturating_duration_since(tally.window) >= WINDOW {
            tally.window = now;
            tally.lines = 0;
        }
        if tally.lines == LINES {
            tally.unlogged += 1;
            return None;
        }
        tally.lines += 1;
        Some(std::mem::take(&mut tally.unlogged))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_counted_in_full_and_logged_in_part() {
        let refusals = HandshakeRefusals::default();
        let start = Instant::now();
        let logged = (0..100).filter_map(|_| refusals.count("a", start)).collect::<Vec<_>>();
        assert_eq!(logged, [0; 5]);
        assert_eq!(
            refusals.count("b", start),
            Some(0),
            "another reason has lines of its own"
        );
        assert_eq!(
            refusals.count("a", start + WINDOW),
            Some(95),
            "the next line says what is missing"
        );
        assert_eq!(refusals.counts(), BTreeMap::from([("a", 101), ("b", 1)]));
    }
}
