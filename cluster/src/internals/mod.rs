//! The parts of this crate that the simulation of whole nodes, in the host, runs: the code that ships, as it is. The module is
//! hidden, and only there with the feature `simulation` or in this crate's own tests.

pub mod random;

pub use crate::node::sim::{Backoff, DialCommand, DialEvent, Dialling, Link, PeerProof, SessionEnd, SessionLimits};
pub use crate::session::{
    CloseReason, DialDecision, Event, LocalChange, LocalSnapshot, PeerAccount, PeerLedger, Registry, Role, Session,
    SessionConfig, StockPeers, Timing,
};
pub use crate::transport::sim::Chunks;

/// Messages.
pub mod wire {
    pub use crate::wire::{
        Actor, Auth, CAPABILITY_CALL_FAILED, CAPABILITY_IDENTITY, CAPABILITY_NAME_TAKEN, Data, Message, NameMessage,
        NodeFlags, decode, encode, split_frame,
    };
}
