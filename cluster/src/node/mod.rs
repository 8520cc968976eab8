//! Nodes: the actors around sessions and sockets. A drop-in for the API of `ractor_cluster` 0.16.
//!
//! A [`NodeServer`] listens, and supervises one [`NodeSession`] for each connection to another node. A session speaks the
//! protocol (the pure state machine in `session`), and supervises the stand-ins of the peer's actors: actors under a
//! remote id that encode what they are sent straight into the connection.
//!
//! Handshake, synchronization and membership go through the session actor. What actors say to each other does not: the
//! reader of a connection routes it to its target, and stand-ins write into the connection's outbox.

mod admission;
pub mod auth;
mod backlog;
mod challenges;
pub mod client;
mod connector;
mod dialling;
mod events;
mod hearsay;
mod inbound_calls;
mod ingress;
mod left_out;
mod limits;
mod link;
mod link_figures;
mod listener;
mod memberships;
mod messages;
mod namesakes;
mod node_requests;
pub mod node_session;
mod operations;
mod outbound_calls;
mod peer;
mod pid_hash;
mod refusals;
mod remote_actor;
mod resolve;
mod server;
mod session_actor;
mod session_end;
mod session_events;
mod session_info;
mod session_messages;
mod session_monitors;
mod sessions;
mod source;
mod stand_ins;
mod sync;
mod timer;
mod tracing_context;
mod undelivered;

pub use admission::{HandshakeLimits, HandshakeStats};
pub use dialling::Backoff;
pub use events::NodeEventSubscription;
pub use limits::MAX_ON_DEMAND_LINKS;
use limits::SessionLimits;
pub use limits::{PeerLimits, StandInNames};
pub use link_figures::{LinkFigures, TrafficFigures};
pub use messages::{NodeServerMessage, SessionCheckReply};
pub use node_requests::OnDemandLink;
pub use node_session::NodeSession;
pub use operations::{
    add_peer, add_peer_on_demand, await_down, close_unused, confirm, dead_letters, handshake_stats, is_unused, leave,
    left_out, link_figures, listen_addr, on_demand_links, quiesce, remove_peer,
};
pub use peer::{EncryptionSource, Peer};
pub use server::{NodeServer, NodeServerState};
pub use session_info::NodeServerSessionInformation;
pub use session_messages::NodeSessionMessage;

pub use crate::session::{
    BadGroups, CloseReason, GroupInterest, GroupMembers, GroupPattern, MAX_GROUP_PATTERNS, Rival, StockPeers, Timing,
};
pub use crate::wire::{NameMessage, NodeFlags, ServerStatus, WireError};

/// The protocol version that this node announces.
pub(crate) const PROTOCOL_VERSION: u32 = 1;

/// The largest inbound frame that a node accepts unless told otherwise: 16 MiB, as stock nodes do.
pub const DEFAULT_MAX_INBOUND_FRAME_SIZE: u64 = 16 * 1024 * 1024;

/// The most bytes that may wait for a peer before messages to its actors become dead letters: 64 MiB.
pub const DEFAULT_MAX_OUTBOX_SIZE: usize = 64 * 1024 * 1024;

/// The most bytes that a peer sent and that may wait for one local actor before further messages become dead letters: 64 MiB.
pub const DEFAULT_MAX_MAILBOX_SIZE: usize = 64 * 1024 * 1024;

/// Whether a node connects to the peers of its peers.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub enum NodeConnectionMode {
    /// Connect to every node that a peer knows.
    #[default]
    Transitive,
    /// Connect only where told to.
    Isolated,
}

/// What the simulation of whole nodes runs.
#[cfg(any(test, feature = "simulation"))]
pub(crate) mod sim {
    pub use super::dialling::{Backoff, DialCommand, DialEvent, Dialling};
    pub use super::limits::SessionLimits;
    pub use super::link::Link;
    pub use super::session_end::{PeerProof, SessionEnd};
}
