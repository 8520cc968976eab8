//! The number that a stock peer has to digest together with the cookie.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A challenge that takes one right answer, however many connections were given it.
///
/// Clones are the same challenge: a node that gives one to several connections takes the first right answer among them, and what
/// somebody overheard on one connection is worth nothing on another.
#[derive(Debug, Clone)]
pub struct StockChallenge {
    number: u32,
    is_spent: Arc<AtomicBool>,
}

impl StockChallenge {
    /// The number that is sent.
    pub(crate) fn number(&self) -> u32 {
        self.number
    }

    /// Takes a right answer. False if there was one before.
    pub(super) fn spend(&self) -> bool {
        // A single swap, so that of two connections with the same right answer only one gets in.
        !self.is_spent.swap(true, Ordering::Relaxed)
    }

    /// True if a right answer has come.
    pub(crate) fn is_spent(&self) -> bool {
        self.is_spent.load(Ordering::Relaxed)
    }
}

impl From<u32> for StockChallenge {
    fn from(number: u32) -> Self {
        Self {
            number,
            is_spent: Arc::default(),
        }
    }
}
