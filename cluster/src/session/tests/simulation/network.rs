//! Connections: bytes that arrive in order, late, or not at all.

use bytes::{Bytes, BytesMut};

use super::Time;
use super::scenario::Cut;
use crate::internals::random::Random;
use crate::session::CloseReason;
use crate::wire::{self, Message};

/// One of the two ends of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Opened,
    Accepted,
}

impl Side {
    pub(super) fn other(self) -> Self {
        match self {
            Self::Opened => Self::Accepted,
            Self::Accepted => Self::Opened,
        }
    }
}

/// What arrives at an end.
#[derive(Debug, Clone)]
pub(super) enum Arrival {
    Frame(Bytes),
    Closed(CloseReason),
}

/// One connection.
#[derive(Debug)]
pub(super) struct Connection {
    /// The nodes that opened and accepted it.
    pub(super) nodes: [usize; 2],
    /// The sessions at its ends, once they are there.
    pub(super) ends: [Option<usize>; 2],
    /// When the last thing that was sent to either end gets there: nothing overtakes it.
    last_arrival: [Time; 2],
    pub(super) cut: Option<Cut>,
}

impl Connection {
    pub(super) fn new(opener: usize, acceptor: usize, accepted_at: Time) -> Self {
        Self {
            nodes: [opener, acceptor],
            ends: [None; 2],
            last_arrival: [accepted_at; 2],
            cut: None,
        }
    }

    pub(super) fn end(&mut self, side: Side) -> &mut Option<usize> {
        &mut self.ends[side as usize]
    }

    pub(super) fn node(&self, side: Side) -> usize {
        self.nodes[side as usize]
    }

    /// When something sent now, with `shortest` as the quickest way, gets to `to`; none if it never does.
    pub(super) fn arrival(&mut self, to: Side, now: Time, shortest: Time, random: &mut Random) -> Option<Time> {
        if self.cut.is_some() {
            return None;
        }
        let at = now + shortest + random.below(shortest + 1);
        let last = &mut self.last_arrival[to as usize];
        *last = at.max(*last);
        Some(*last)
    }

    /// When either end learns that the connection is broken; none if it doesn't.
    pub(super) fn break_off(&mut self, how: Cut, now: Time, random: &mut Random) -> [Option<Time>; 2] {
        self.cut = Some(how);
        let (last, delays) = (self.last_arrival, [0, 1].map(|_| random.below(300_000)));
        match how {
            Cut::Orderly => last.map(|last| Some(last.max(now))),
            Cut::Reset => delays.map(|delay| Some(now + delay)),
            Cut::Silent => [None; 2],
        }
    }

    /// True if what is on its way doesn't arrive any more.
    pub(super) fn loses_what_is_on_its_way(&self) -> bool {
        matches!(self.cut, Some(Cut::Reset | Cut::Silent))
    }
}

/// The bytes of a message, and a check that they mean the same at the other end.
pub(super) fn frame(message: &Message) -> Bytes {
    let mut frame = BytesMut::new();
    wire::encode(message, &mut frame);
    wire::split_frame(&mut frame, u64::MAX).unwrap().unwrap()
}
