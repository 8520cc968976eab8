//! How a session ended, and what its peer had proved by then.

use crate::session::CloseReason;

/// How a session ended.
#[derive(Debug, Clone)]
pub struct SessionEnd {
    /// Why.
    pub reason: CloseReason,
    /// The full name of the peer, if it said it. It is worth as much as `proof`.
    pub peer: Option<String>,
    /// What the peer had proved by then.
    pub proof: PeerProof,
    /// True if both nodes had sent all that they had.
    pub was_ready: bool,
}

/// What a peer has proved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PeerProof {
    /// Nothing: its name is a claim.
    Nothing,
    /// That it has the cookie, as a stock node does.
    Cookie,
    /// That it has the cookie, and who it is.
    Identity,
}
