//! The state of the first version.

use ractor::reload::Deferred;
use serde::{Deserialize, Serialize};

/// Its version.
pub const VERSION: u32 = 1;

/// What a tally remembers.
#[derive(Debug, Serialize, Deserialize)]
pub struct State {
    /// The sum of what was added.
    pub count: u64,
    /// Actors whose end was heard of.
    pub ends: u64,
    /// Calls that are to be answered later.
    pub waiting: Vec<Deferred<u64>>,
}

impl State {
    /// With a count, and nothing else.
    pub fn new(count: u64) -> Self {
        Self {
            count,
            ends: 0,
            waiting: Vec::new(),
        }
    }

    /// Counts up.
    pub fn add(&mut self, number: u64) {
        self.count += number;
    }
}
