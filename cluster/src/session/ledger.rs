//! What peers take of this node's memory: bytes that stay until their session gives them back.
//!
//! Each session has a [`PeerAccount`] with a limit of its own, and all accounts of a node draw on one [`PeerLedger`]. Each peer has
//! one session: after a reconnect it begins with an empty account once its old session, and what that held, is gone.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The memory that all peers of a node may take together.
#[derive(Debug)]
pub struct PeerLedger {
    limit: usize,
    held: AtomicUsize,
}

impl PeerLedger {
    /// A ledger for `limit` bytes.
    pub fn new(limit: usize) -> Self {
        Self {
            limit,
            held: AtomicUsize::new(0),
        }
    }
}

/// The memory that one peer takes.
#[derive(Debug)]
pub struct PeerAccount {
    ledger: Arc<PeerLedger>,
    limit: usize,
    held: AtomicUsize,
}

/// The limit that a charge would exceed, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Full {
    /// The limit for this peer.
    #[error("what it has told this node takes {0} bytes already, the limit for one peer (`peer_bytes`)")]
    Peer(usize),
    /// The limit for all peers.
    #[error(
        "what all peers have told this node takes {0} bytes already, the limit for all of them (`all_peers_bytes`)"
    )]
    AllPeers(usize),
}

impl PeerAccount {
    /// An account for `limit` bytes of `ledger`.
    pub fn new(ledger: Arc<PeerLedger>, limit: usize) -> Self {
        Self {
            ledger,
            limit,
            held: AtomicUsize::new(0),
        }
    }

    /// Charges `bytes`.
    ///
    /// # Errors
    /// They would exceed a limit, and nothing was taken.
    pub(crate) fn charge(&self, bytes: usize) -> Result<(), Full> {
        // The peer's own limit first, so that a greedy peer takes nothing of the ledger, not even for a moment.
        add(&self.held, bytes, self.limit).map_err(|()| Full::Peer(self.limit))?;
        add(&self.ledger.held, bytes, self.ledger.limit).map_err(|()| {
            self.held.fetch_sub(bytes, Ordering::Relaxed);
            Full::AllPeers(self.ledger.limit)
        })
    }

    /// Gives back what was charged.
    pub(crate) fn give_back(&self, bytes: usize) {
        self.held.fetch_sub(bytes, Ordering::Relaxed);
        self.ledger.held.fetch_sub(bytes, Ordering::Relaxed);
    }
}

impl Drop for PeerAccount {
    fn drop(&mut self) {
        // Whatever the session still held goes back here, so no way in which it may end has to add that up.
        self.ledger.held.fetch_sub(*self.held.get_mut(), Ordering::Relaxed);
    }
}

fn add(held: &AtomicUsize, bytes: usize, limit: usize) -> Result<(), ()> {
    let fits = |held: usize| held.checked_add(bytes).filter(|sum| *sum <= limit);
    // Check and addition are one step, because other sessions charge the ledger at the same time. The counter guards no other
    // memory, so Relaxed is enough.
    held.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fits)
        .map(drop)
        .map_err(drop)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{Full, PeerAccount, PeerLedger};

    #[test]
    fn a_session_that_ends_gives_back_what_it_held() {
        let ledger = Arc::new(PeerLedger::new(100));
        let first = PeerAccount::new(ledger.clone(), 80);
        let second = PeerAccount::new(ledger.clone(), 80);
        assert_eq!(first.charge(70), Ok(()));
        assert_eq!(first.charge(11), Err(Full::Peer(80)));
        assert_eq!(second.charge(31), Err(Full::AllPeers(100)));
        assert_eq!(second.charge(30), Ok(()), "what was refused is held by nobody");
        second.give_back(30);
        assert_eq!(first.charge(10), Ok(()));
        drop(first);
        assert_eq!(second.charge(80), Ok(()));
    }
}
