//! One session between two nodes as a pure state machine.
//!
//! Nothing here knows sockets, clocks, actors or randomness: messages, decisions of the node and the time go in through
//! `handle_*`, and messages to send, events and the next deadline come out through `poll_*`. Two of them can therefore be
//! run against each other in one test, on virtual time.

mod challenge;
mod digest;
mod election;
mod event;
mod groups;
mod handshake;
mod health;
mod ledger;
mod machine;
mod peer_actors;
mod proof;
mod reason;
mod refusal;
mod registry;

pub(crate) use challenge::StockChallenge;
pub(crate) use election::{Candidate, elect};
pub use event::{Event, LocalChange, LocalSnapshot};
pub use groups::{BadGroups, GroupInterest, GroupMembers, GroupPattern, MAX_GROUP_PATTERNS};
pub(crate) use groups::{ToldGroups, ToldLeave};
pub use health::Timing;
pub(crate) use ledger::Full;
pub use ledger::{PeerAccount, PeerLedger};
pub use machine::{DialDecision, Session, SessionConfig};
pub use reason::{CloseReason, Rival};
pub(crate) use refusal::EntryRefusals;
pub(crate) use refusal::{EntryRefusal, Refused};
pub use registry::Registry;
pub(crate) use registry::SessionCheck;

/// Whether peers may prove the cookie as `ractor_cluster` does.
///
/// That proof is a digest of a number of 32 bits and the cookie. It shows that somebody has the cookie, and not who that is: neither
/// its name nor its address nor what it announces is part of it. Nodes of this project prove all of that to each other.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum StockPeers {
    /// They may: nodes of `ractor_cluster` are welcome.
    #[default]
    Accepted,
    /// Only nodes that prove who they are get a session.
    Refused,
}

/// Which end of a connection this node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// It opened the connection and speaks first.
    Initiator,
    /// It accepted the connection.
    Acceptor,
}

#[cfg(test)]
pub(crate) mod tests;
