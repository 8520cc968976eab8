//! The id of an actor.

use std::fmt;

use crate::guest::bindings::Pid;

/// Where an actor lives, and which one it is there. An id is not used again while the node runs.
#[derive(Debug, Copy, Clone, Hash, Eq, PartialEq, Ord, PartialOrd)]
pub enum ActorId {
    /// An actor of this node, native or guest.
    Local(u64),
    /// An actor of another node.
    Remote {
        /// The node, as this node numbers it. Never 0.
        node_id: u64,
        /// The actor's id on that node.
        pid: u64,
    },
}

impl ActorId {
    /// True for an actor of this node.
    pub const fn is_local(&self) -> bool {
        matches!(self, Self::Local(_))
    }

    /// The actor's id on its node.
    pub const fn pid(&self) -> u64 {
        match self {
            Self::Local(pid) | Self::Remote { pid, .. } => *pid,
        }
    }

    /// The actor's node, as this node numbers it: 0 is this node.
    pub const fn node(&self) -> u64 {
        match self {
            Self::Local(_) => 0,
            Self::Remote { node_id, .. } => *node_id,
        }
    }
}

impl fmt::Display for ActorId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.node(), self.pid())
    }
}

impl From<Pid> for ActorId {
    fn from(Pid { node, id }: Pid) -> Self {
        match node {
            0 => Self::Local(id),
            node_id => Self::Remote { node_id, pid: id },
        }
    }
}

impl From<ActorId> for Pid {
    fn from(id: ActorId) -> Self {
        Self {
            node: id.node(),
            id: id.pid(),
        }
    }
}
