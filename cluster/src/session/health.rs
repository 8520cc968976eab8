//! Pings and the failure detector.

use std::time::{Duration, Instant};

use crate::wire::Timestamp;

/// The longest time between two pings, as stock nodes have it.
const MAX_PING_INTERVAL: Duration = Duration::from_secs(5);

/// The waits of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// How long a handshake may take in all.
    pub handshake: Duration,
    /// How long a peer may be silent before it counts as down.
    pub silence: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            handshake: Duration::from_secs(5),
            silence: Duration::from_secs(10),
        }
    }
}

/// The health of an authenticated link.
///
/// Anything that arrives from a peer counts as a sign of life, and pings make sure that a live peer sends something. The node
/// reports traffic once a ping interval rather than once a message, so what is recorded lags by at most that interval. With pings
/// every eighth of the allowed silence, a peer is found down between 7/8 and 9/8 of it.
#[derive(Debug)]
pub(super) struct Health {
    silence: Duration,
    epoch: Instant,
    last_heard: Instant,
    next_ping: Instant,
    jitter: u64,
}

/// What is due.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Due {
    Nothing,
    Ping(Timestamp),
    PeerSilent(Duration),
}

impl Health {
    pub(super) fn new(silence: Duration, jitter: u64, now: Instant) -> Self {
        let mut health = Self {
            silence,
            epoch: now,
            last_heard: now,
            next_ping: now,
            jitter,
        };
        health.next_ping = now + health.interval();
        health
    }

    /// The next interval between pings: between 1/10 and 1/8 of the allowed silence, never longer than stock's.
    fn interval(&mut self) -> Duration {
        // One step of splitmix64. It need not be unpredictable: pings of many sessions just should not fall on one instant.
        self.jitter = self.jitter.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.jitter;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let fraction = (mixed >> 40) as u32;
        let least = self.silence / 10;
        let spread = self.silence / 8 - least;
        (least + spread.mul_f64(f64::from(fraction) / f64::from(1 << 24))).min(MAX_PING_INTERVAL)
    }

    pub(super) fn handle_traffic(&mut self, now: Instant) {
        self.last_heard = self.last_heard.max(now);
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) -> Due {
        let silent = now.saturating_duration_since(self.last_heard);
        if silent >= self.silence {
            return Due::PeerSilent(silent);
        }
        if now < self.next_ping {
            return Due::Nothing;
        }
        // Counted from now and not from the last due time, so that pings that were missed in a pause of this process aren't made up
        // for in a burst.
        self.next_ping = now + self.interval();
        Due::Ping(self.ping(now))
    }

    /// The timestamp of a ping that is sent now.
    pub(super) fn ping(&self, now: Instant) -> Timestamp {
        // Counted from the start of the session: a clock of the system may be set while a ping is on its way.
        timestamp(now.saturating_duration_since(self.epoch))
    }

    pub(super) fn poll_timeout(&self) -> Instant {
        self.next_ping.min(self.last_heard + self.silence)
    }

    /// How long ago the ping was sent that this pong answers; none if we never sent it.
    pub(super) fn latency(&self, pong: Option<Timestamp>, now: Instant) -> Option<Duration> {
        let pong = pong?;
        let sent = Duration::new(u64::try_from(pong.seconds).ok()?, 0)
            .checked_add(Duration::from_nanos(u64::try_from(pong.nanos).ok()?))?;
        // The peer may send any numbers back, among them a time that is yet to come.
        now.saturating_duration_since(self.epoch).checked_sub(sent)
    }
}

fn timestamp(since_epoch: Duration) -> Timestamp {
    Timestamp {
        seconds: i64::try_from(since_epoch.as_secs()).unwrap_or(i64::MAX),
        nanos: i32::try_from(since_epoch.subsec_nanos()).unwrap_or(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pings_of_many_sessions_fall_on_many_instants() {
        let (silence, now) = (Duration::from_secs(8), Instant::now());
        let intervals: Vec<Duration> = (0..1_000)
            .flat_map(|seed| {
                let mut health = Health::new(silence, seed, now);
                [health.next_ping - now, health.interval()]
            })
            .collect();
        let (least, most) = (Duration::from_millis(800), Duration::from_secs(1));
        assert!(intervals.iter().all(|interval| (least..=most).contains(interval)));
        // Each tenth of what there is between has its share: 200 of them, more or less.
        for tenth in 0..10 {
            let from = least + (most - least) / 10 * tenth;
            let to = from + (most - least) / 10;
            let share = intervals
                .iter()
                .filter(|interval| (from..to).contains(*interval))
                .count();
            assert!((130..270).contains(&share), "{share} between {from:?} and {to:?}");
        }
    }
}
