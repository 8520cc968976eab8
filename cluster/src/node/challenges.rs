//! The challenges that stock peers are given, and a limit on how many a stranger sees without answering one.
//!
//! A challenge of the stock protocol has 32 bits. An attacker who has recorded one right answer, and connects until the same
//! challenge comes again, gets in: at some thousand connections a second within weeks. So a source whose handshakes fail again and
//! again is given the *same* challenge for a while, as often as it connects. The challenge that the attacker waits for then comes
//! after centuries, while an honest peer at the same address gets in at once, since it can answer any. The first right answer ends
//! that challenge.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use super::source::ConnectionSource;
use crate::session::StockChallenge;

/// The handshakes of a source that may fail before its challenges change less often.
const FREE: u32 = 8;

/// The time without a failure after which the failures of a source are forgotten. It may then see as many fresh challenges as it
/// has places for handshakes, before one of these has failed.
const WINDOW: Duration = Duration::from_secs(3_600);

/// The time for which a source that has failed too often is given the same challenge.
const SAME_FOR: Duration = Duration::from_secs(10);

/// The most sources that are told apart. All further ones count as one source, whose failures add up.
const SOURCES: usize = 1_024;

/// The sources whose handshakes failed lately.
#[derive(Debug, Default)]
pub(super) struct Challenges {
    by_source: HashMap<ConnectionSource, Failures>,
    /// The sources beyond [`SOURCES`], as one.
    others: Failures,
    /// When room was last made by forgetting sources whose failures are over.
    swept: Option<Instant>,
}

#[derive(Debug, Default)]
struct Failures {
    count: u32,
    last: Option<Instant>,
    /// The challenge that the source is given, and since when.
    given: Option<(StockChallenge, Instant)>,
}

impl Failures {
    fn are_over(&self, now: Instant) -> bool {
        self.last
            .is_none_or(|last| now.saturating_duration_since(last) >= WINDOW)
    }

    fn add(&mut self, now: Instant) {
        if self.are_over(now) {
            *self = Self::default();
        }
        self.count = self.count.saturating_add(1);
        self.last = Some(now);
    }

    fn challenge(&mut self, fresh: u32, now: Instant) -> StockChallenge {
        // Old failures are still here: a source is only cleared by its next failure, or when room is needed.
        if self.count < FREE || self.are_over(now) {
            return fresh.into();
        }
        // A spent challenge is never given again, because somebody may have overheard the right answer to it.
        let is_good = |challenge: &StockChallenge, since: Instant| {
            !challenge.is_spent() && now.saturating_duration_since(since) < SAME_FOR
        };
        match &self.given {
            Some((given, since)) if is_good(given, *since) => given.clone(),
            _ => {
                let new = StockChallenge::from(fresh);
                self.given = Some((new.clone(), now));
                new
            }
        }
    }
}

impl Challenges {
    /// A peer of this source was given a challenge, and its connection ended before it had proved anything.
    pub(super) fn failed(&mut self, source: ConnectionSource, now: Instant) {
        if !self.by_source.contains_key(&source) && self.by_source.len() >= SOURCES {
            self.sweep(now);
            if self.by_source.len() >= SOURCES {
                // The sources beyond the table share one count. An attacker with many addresses would otherwise see fresh
                // challenges for ever.
                return self.others.add(now);
            }
        }
        self.by_source.entry(source).or_default().add(now);
    }

    /// Makes room, unless that was tried a moment ago: it looks at every source.
    fn sweep(&mut self, now: Instant) {
        let is_due = |swept| now.saturating_duration_since(swept) >= SAME_FOR;
        if self.swept.is_none_or(is_due) {
            self.swept = Some(now);
            self.by_source.retain(|_, failures| !failures.are_over(now));
        }
    }

    /// The challenge that a stock peer of this source has to answer; `fresh` is a random number.
    pub(super) fn challenge(&mut self, source: ConnectionSource, fresh: u32, now: Instant) -> StockChallenge {
        let is_full = self.by_source.len() >= SOURCES;
        match self.by_source.get_mut(&source) {
            Some(failures) => failures.challenge(fresh, now),
            // A source without an entry may have failed, and been counted among the others.
            None if is_full => self.others.challenge(fresh, now),
            None => fresh.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::net::IpAddr;

    use super::*;

    fn source(number: u32) -> ConnectionSource {
        ConnectionSource::Address(IpAddr::V4(number.into()))
    }

    /// The number of different challenges that `connections` in an hour see, made from `sources` addresses in turn.
    fn seen_in_an_hour(connections: u32, sources: u32) -> usize {
        let mut challenges = Challenges::default();
        let start = Instant::now();
        let mut seen = BTreeSet::new();
        for nth in 0..connections {
            let now = start + Duration::from_secs(3_600) * nth / connections;
            seen.insert(challenges.challenge(source(nth % sources), nth, now).number());
            challenges.failed(source(nth % sources), now);
        }
        seen.len()
    }

    #[test]
    fn whoever_waits_for_a_challenge_to_come_again_sees_few() {
        let few = FREE as usize + 360;
        assert!(seen_in_an_hour(100_000, 1) <= few);
        assert!(seen_in_an_hour(100_000, 10) <= 10 * few);
        // More addresses than are told apart share what they see.
        assert!(seen_in_an_hour(200_000, 20_000) <= (SOURCES + 1) * few);
    }

    #[test]
    fn a_peer_that_fails_now_and_then_is_given_fresh_ones() {
        let mut challenges = Challenges::default();
        let mut now = Instant::now();
        for fresh in 0..20 {
            assert_eq!(challenges.challenge(source(1), fresh, now).number(), fresh);
            challenges.failed(source(1), now);
            now += WINDOW;
        }
    }

    #[test]
    fn another_source_is_given_fresh_ones_meanwhile() {
        let mut challenges = Challenges::default();
        let now = Instant::now();
        (0..2 * FREE).for_each(|_| challenges.failed(source(1), now));
        let same = challenges.challenge(source(1), 1, now).number();
        assert_eq!(challenges.challenge(source(1), 2, now).number(), same);
        assert_eq!(challenges.challenge(source(2), 3, now).number(), 3);
        assert_eq!(challenges.challenge(source(1), 4, now + SAME_FOR).number(), 4);
    }
}
