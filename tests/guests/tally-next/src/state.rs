//! The state of the second version: it also has what was added one by one, and another order.

use ractor::reload::Deferred;
use serde::{Deserialize, Serialize};

/// Its version.
pub const VERSION: u32 = 2;

/// What a tally remembers.
#[derive(Debug, Serialize, Deserialize)]
pub struct State {
    /// What was added since this version, one by one.
    pub additions: Vec<u64>,
    /// Calls that are to be answered later.
    pub waiting: Vec<Deferred<u64>>,
    /// Actors whose end was heard of.
    pub ends: u64,
    /// The sum of what was added.
    pub count: u64,
}

impl State {
    /// With a count, and nothing else.
    pub fn new(count: u64) -> Self {
        Self {
            additions: Vec::new(),
            waiting: Vec::new(),
            ends: 0,
            count,
        }
    }

    /// Counts up.
    pub fn add(&mut self, number: u64) {
        self.additions.push(number);
        self.count += number;
    }
}
