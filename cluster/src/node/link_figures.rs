//! What has passed over a link, and how it is.

use std::time::Duration;

use super::link::Link;
use super::undelivered::REASONS;
use super::{GroupInterest, NodeFlags};
use crate::transport::FrameCounts;

/// A link in figures. They are read without a lock, so some may be a batch of messages ahead of others.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LinkFigures {
    /// How long the peer took to answer the last ping; none if it has answered none yet. A stock node answers, too.
    pub round_trip: Option<Duration>,
    /// How long the session has been authenticated; zero until it is.
    pub up: Duration,
    /// What this node sent.
    pub sent: TrafficFigures,
    /// What the peer sent.
    pub received: TrafficFigures,
    /// Bytes that wait for the peer.
    pub outbox_bytes: u64,
    /// How many may wait.
    pub outbox_limit: u64,
    /// Messages to or from this peer that were given up, by reason.
    pub(super) dead_letters: [u64; REASONS.len()],
    /// What the peer says of itself: all zero but for the version if it is a stock node.
    pub peer: NodeFlags,
    /// The groups that the peer wants to know of; none if it wants to know of all, as a stock node does.
    pub groups: Option<GroupInterest>,
}

impl LinkFigures {
    /// Messages to or from this peer that were given up, each number with the word for the reason.
    pub fn dead_letters(&self) -> impl Iterator<Item = (&'static str, u64)> {
        REASONS.into_iter().zip(self.dead_letters)
    }
}

/// What has passed in one direction.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TrafficFigures {
    /// Messages that nobody answers.
    pub casts: u64,
    /// Messages that are to be answered.
    pub calls: u64,
    /// Answers, and what says that there is none.
    pub replies: u64,
    /// Everything else: handshake, actors and groups, pings. A refusal that has no room among data is here, too.
    pub control: u64,
    /// Bytes on the connection, within TLS if there is any.
    pub bytes: u64,
}

impl Link {
    /// True if no call waits for its reply, at either end, and nothing waits to be sent.
    pub(super) fn is_quiet(&self) -> bool {
        self.outbound_calls().is_empty() && self.inbound_calls.is_empty() && self.outbox().waiting_bytes() == 0
    }
}

impl TrafficFigures {
    pub(super) fn new([casts, calls, replies, control]: FrameCounts, bytes: u64) -> Self {
        Self {
            casts,
            calls,
            replies,
            control,
            bytes,
        }
    }
}
