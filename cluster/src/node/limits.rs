//! What a node may set of its sessions.

use crate::directory;

use super::{DEFAULT_MAX_INBOUND_FRAME_SIZE, DEFAULT_MAX_MAILBOX_SIZE, DEFAULT_MAX_OUTBOX_SIZE};

/// The most connections that a node opens at one time because its peers name other nodes. Further nodes are left out until there is
/// another session with one of those peers.
pub(super) const MAX_TRANSITIVE_DIALS: usize = 256;

/// The most names of other nodes that are looked up at one time because peers say them. Each takes a thread until it ends, also if
/// nobody waits for it any more. Further ones wait, within the time of their connections.
pub(super) const MAX_HEARSAY_LOOK_UPS: usize = 16;

/// The most sessions for entities alone that a node has at a time. Beyond that a node that opens another one is refused until there is room.
pub const MAX_ON_DEMAND_LINKS: usize = 256;

/// How much of this node's memory the actors of other nodes may take: what stays of each that a peer advertises, of each that
/// is in a group or was looked up, and of the groups.
///
/// An advertised actor takes about 200 bytes and its name, one that is in a group or was looked up some 11 kB more, and each
/// group that it is in 600 bytes and the name. What is beyond a limit is left out: the node doesn't know the actor, or the actor
/// isn't in the group here. That is counted ([`left_out`](super::left_out)) and logged with the peer's name, and the session
/// goes on. What was left out is not made up for when there is room again, only with the next session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct PeerLimits {
    /// The most that one peer may take, in bytes.
    pub peer_bytes: usize,
    /// The most that all peers may take together, in bytes.
    pub all_peers_bytes: usize,
}

impl PeerLimits {
    /// These limits, in bytes.
    pub fn new(peer_bytes: usize, all_peers_bytes: usize) -> Self {
        Self {
            peer_bytes,
            all_peers_bytes,
        }
    }
}

impl Default for PeerLimits {
    /// 256 MiB of one peer, which are some 20 000 actors in groups or more than a million that are in none, and 1 GiB of all.
    fn default() -> Self {
        Self::new(256 << 20, 1 << 30)
    }
}

/// The limits of a session, in bytes.
#[derive(Debug, Clone, Copy)]
pub struct SessionLimits {
    /// The largest inbound frame.
    pub(crate) inbound_frame: u64,
    /// The most that may wait for the peer.
    pub(crate) outbox: usize,
    /// The most that the peer sent and that may wait for one local actor.
    pub(crate) mailbox: usize,
    /// The most that the peer's actors may take of this node's memory.
    pub(crate) peer: usize,
}

impl SessionLimits {
    /// What the peer sent and may wait for all local actors together: four times as much as for one, so that three that are stuck
    /// leave room for the others.
    pub(crate) fn mailboxes(&self) -> usize {
        self.mailbox.saturating_mul(4)
    }
}

impl Default for SessionLimits {
    fn default() -> Self {
        Self {
            inbound_frame: DEFAULT_MAX_INBOUND_FRAME_SIZE,
            outbox: DEFAULT_MAX_OUTBOX_SIZE,
            mailbox: DEFAULT_MAX_MAILBOX_SIZE,
            peer: PeerLimits::default().peer_bytes,
        }
    }
}

/// The names of the stand-ins of peers' actors.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum StandInNames {
    /// As the actor is at home, `actor`, unless a local actor bears that name when the stand-in is made: then
    /// `actor@name@hostname`. The end of a stand-in takes the name of a local actor that started later off ractor's
    /// registry.
    #[default]
    Bare,
    /// Always `actor@name@hostname`. No local actor ever loses its name.
    Qualified,
}

impl StandInNames {
    /// The name of the stand-in for the actor `name` of the node `peer`.
    pub(crate) fn name(self, name: String, peer: &str) -> String {
        match self {
            Self::Bare if directory::where_is(&name).is_none() => name,
            _ => format!("{name}@{peer}"),
        }
    }
}
