//! How a session ended, and what its peer had proved by then.

use crate::session::CloseReason;

/// How a session ended.
#[derive(Debug, Clone)]
pub struct SessionEnd {
    /// Why.
    pub reason: CloseReason,
    /// The full name of the peer, if it came to say it. It is as good as `proof` is.
    pub peer: Option<String>,
    /// What the peer had proved.
    pub proof: Proof,
    /// Both nodes had sent all that they had.
    pub was_ready: bool,
}

/// What a peer has proved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// Its name is a claim.
    Nothing,
    /// That it has the cookie, as a stock node does.
    Cookie,
    /// And who it is.
    Identity,
}
