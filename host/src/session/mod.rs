//! One session between two nodes as a pure state machine.
//!
//! Nothing here knows sockets, clocks, actors or randomness: messages, decisions of the node and the time go in through
//! `handle_*`, and messages to send, events and the next deadline come out through `poll_*`. Two of them can therefore be
//! run against each other in one test, on virtual time.

mod digest;
mod election;
mod event;
mod handshake;
mod health;
mod ledger;
mod machine;
mod peer_actors;
mod reason;
mod refusal;
mod registry;

pub(crate) use election::{Candidate, elect};
pub(crate) use event::{Event, LocalChange, LocalSnapshot};
pub use health::Timing;
pub(crate) use ledger::{Account, Full, Ledger};
pub(crate) use machine::{Session, SessionConfig};
pub use reason::{CloseReason, Rival};
pub(crate) use refusal::{Refusal, Refusals, Refused};
pub(crate) use registry::{Admission, Registry};

/// Which end of a connection this node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Role {
    /// It opened the connection and speaks first.
    Initiator,
    /// It accepted the connection.
    Acceptor,
}

#[cfg(test)]
pub(crate) mod tests;
