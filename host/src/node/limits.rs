//! What a node may set of its sessions.

use crate::directory;

use super::{DEFAULT_MAX_INBOUND_FRAME_SIZE, DEFAULT_MAX_MAILBOX_SIZE, DEFAULT_MAX_OUTBOX_SIZE};

/// The limits of a session, in bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SessionLimits {
    /// The largest inbound frame.
    pub(crate) inbound_frame: u64,
    /// What may wait for the peer.
    pub(crate) outbox: usize,
    /// What the peer sent and may wait for one local actor.
    pub(crate) mailbox: usize,
}

impl Default for SessionLimits {
    fn default() -> Self {
        Self {
            inbound_frame: DEFAULT_MAX_INBOUND_FRAME_SIZE,
            outbox: DEFAULT_MAX_OUTBOX_SIZE,
            mailbox: DEFAULT_MAX_MAILBOX_SIZE,
        }
    }
}

/// What the stand-in of a peer's actor is called.
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
