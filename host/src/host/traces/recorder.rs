//! What one trace has seen, within its limits: a machine whose clock is given.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

use crate::control::TraceEnd;
use crate::guest::{PassingKind, Peer};

/// The most bytes of events that are kept until they are read, [`OVERHEAD`] included.
const MOST_BYTES: usize = 4 << 20;

/// What an event costs besides what it carries.
const OVERHEAD: usize = 192;

/// The most bytes of a message that are kept. Of a larger one the size is known.
const MOST_VALUE: usize = 16 << 10;

/// The most events that are given at once.
const MOST_AT_ONCE: usize = 500;

/// The most bytes of these.
const MOST_BYTES_AT_ONCE: usize = 512 << 10;

const SECOND: Duration = Duration::from_secs(1);

/// What bounds a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TraceLimits {
    pub(super) each_second: u32,
    pub(super) most: u64,
    pub(super) until: Instant,
}

/// Something that has passed an actor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Recorded {
    /// Microseconds since 1970.
    pub(super) at_us: u64,
    pub(super) pid: u64,
    pub(super) kind: PassingKind,
    pub(super) message: Box<str>,
    pub(super) size: usize,
    /// What is in the message, unless nobody wants it or it is too large.
    pub(super) value: Option<Box<[u8]>>,
    pub(super) call: Option<u64>,
    pub(super) peer: Option<Peer>,
    /// The name of its node, where no more is known of it.
    pub(super) node: Option<Box<str>>,
    pub(super) took: Option<Duration>,
    pub(super) failed: Option<Box<str>>,
}

/// Some of the events.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Excerpt {
    pub(super) events: Vec<Recorded>,
    pub(super) next: u64,
    pub(super) lost: u64,
    pub(super) left_out: u64,
    /// Why nothing more comes, once all that was seen is given.
    pub(super) ended: Option<TraceEnd>,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Recorder {
    limits: TraceLimits,
    kept: VecDeque<Recorded>,
    bytes: usize,
    /// The number of the first that is kept.
    first: u64,
    /// The second that counts, and how many events it has had.
    second: Option<(Instant, u32)>,
    left_out: u64,
    ended: Option<TraceEnd>,
}

impl Recorder {
    pub(super) fn new(limits: TraceLimits) -> Self {
        Self {
            limits,
            kept: VecDeque::new(),
            bytes: 0,
            first: 0,
            second: None,
            left_out: 0,
            ended: None,
        }
    }

    /// An event comes. True if it is to be recorded: then [`record`](Self::record) follows.
    pub(super) fn admits(&mut self, now: Instant) -> bool {
        self.handle_timeout(now);
        if self.ended.is_some() {
            return false;
        }
        let (begun, count) = match self.second {
            Some((begun, count)) if now.saturating_duration_since(begun) < SECOND => (begun, count),
            _ => (now, 0),
        };
        let is_room = count < self.limits.each_second;
        self.second = Some((begun, count + u32::from(is_room)));
        self.left_out += u64::from(!is_room);
        is_room
    }

    /// Bytes of a message as they are kept: none if there are too many.
    pub(super) fn value(bytes: &[u8]) -> Option<Box<[u8]>> {
        (bytes.len() <= MOST_VALUE).then(|| bytes.into())
    }

    pub(super) fn record(&mut self, event: Recorded) {
        self.bytes += cost(&event);
        self.kept.push_back(event);
        while self.bytes > MOST_BYTES
            && let Some(oldest) = self.kept.pop_front()
        {
            self.bytes -= cost(&oldest);
            self.first += 1;
        }
        if self.end() >= self.limits.most {
            self.ended = Some(TraceEnd::Count);
        }
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) {
        if self.ended.is_none() && now >= self.limits.until {
            self.ended = Some(TraceEnd::Time);
        }
    }

    /// Nobody reads it any more.
    pub(super) fn handle_unread(&mut self) {
        self.ended.get_or_insert(TraceEnd::Unread);
    }

    /// Somebody wants no more of it. What was not read by then is not kept.
    pub(super) fn handle_stop(&mut self) {
        self.ended.get_or_insert(TraceEnd::Stopped);
        self.first = self.end();
        self.kept.clear();
        self.bytes = 0;
    }

    pub(super) fn has_ended(&self) -> bool {
        self.ended.is_some()
    }

    /// The number of the event to come.
    fn end(&self) -> u64 {
        self.first + self.kept.len() as u64
    }

    /// The events from this number on. Those before it have been read, and are given up.
    pub(super) fn poll(&mut self, next: u64) -> Excerpt {
        let next = next.min(self.end());
        let lost = self.first.saturating_sub(next);
        while self.first < next
            && let Some(read) = self.kept.pop_front()
        {
            self.bytes -= cost(&read);
            self.first += 1;
        }
        let mut bytes = 0;
        let fitting = self.kept.iter().take(MOST_AT_ONCE).take_while(|event| {
            bytes += cost(event);
            // The first one always.
            bytes <= MOST_BYTES_AT_ONCE || bytes == cost(event)
        });
        let events: Vec<Recorded> = fitting.cloned().collect();
        let next = self.first + events.len() as u64;
        Excerpt {
            ended: self.ended.filter(|_| next == self.end()),
            events,
            next,
            lost,
            left_out: self.left_out,
        }
    }
}

fn cost(event: &Recorded) -> usize {
    let value = event.value.as_ref().map_or(0, |value| value.len());
    let failed = event.failed.as_ref().map_or(0, |failed| failed.len());
    OVERHEAD + event.message.len() + value + failed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(value: usize) -> Recorded {
        Recorded {
            at_us: 0,
            pid: 1,
            kind: PassingKind::CastIn,
            message: "Add".into(),
            size: value,
            value: Recorder::value(&vec![0; value]),
            call: None,
            peer: None,
            node: None,
            took: None,
            failed: None,
        }
    }

    fn limits(each_second: u32, most: u64) -> TraceLimits {
        TraceLimits {
            each_second,
            most,
            until: Instant::now() + Duration::from_secs(60),
        }
    }

    #[test]
    fn no_second_has_more_events_than_it_may() {
        let now = Instant::now();
        let mut recorder = Recorder::new(limits(3, 100));
        let admitted = |recorder: &mut Recorder, ms| {
            let now = now + Duration::from_millis(ms);
            (0..10).filter(|_| recorder.admits(now)).count()
        };
        assert_eq!(admitted(&mut recorder, 0), 3);
        assert_eq!(admitted(&mut recorder, 999), 0);
        assert_eq!(admitted(&mut recorder, 1000), 3);
        assert_eq!(recorder.poll(0).left_out, 24);
    }

    #[test]
    fn it_ends_by_itself() {
        let now = Instant::now();
        let mut recorder = Recorder::new(limits(100, 2));
        for _ in 0..2 {
            assert!(recorder.admits(now));
            recorder.record(event(1));
        }
        assert!(!recorder.admits(now));
        let excerpt = recorder.poll(0);
        assert_eq!((excerpt.events.len(), excerpt.ended), (2, Some(TraceEnd::Count)));
        let mut recorder = Recorder::new(limits(100, 2));
        assert!(!recorder.admits(now + Duration::from_secs(61)));
        assert_eq!(recorder.poll(0).ended, Some(TraceEnd::Time));
        let mut recorder = Recorder::new(limits(100, 2));
        recorder.handle_unread();
        assert_eq!(recorder.poll(0).ended, Some(TraceEnd::Unread));
    }

    #[test]
    fn what_is_not_read_goes_and_is_counted() {
        let mut recorder = Recorder::new(limits(u32::MAX, u64::MAX));
        let many = 2 * MOST_BYTES / MOST_VALUE;
        for _ in 0..many {
            recorder.record(event(MOST_VALUE));
        }
        assert!(recorder.bytes <= MOST_BYTES);
        let mut next = 0;
        let (mut read, mut lost) = (0, 0);
        loop {
            let excerpt = recorder.poll(next);
            if excerpt.events.is_empty() {
                break;
            }
            read += excerpt.events.len();
            lost += usize::try_from(excerpt.lost).unwrap();
            next = excerpt.next;
        }
        assert_eq!(read + lost, many);
        assert!(lost > 0 && recorder.bytes == 0);
        assert_eq!(event(MOST_VALUE + 1).value, None);
        assert_eq!(recorder.poll(u64::MAX).next, next, "a reader can't be ahead");
    }
}
