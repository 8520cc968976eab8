//! What a kitchen remembers.

use ractor::RpcReplyPort;
use ractor::concurrency::JoinHandle;
use ractor::reload::{KeptState, PortableState, StateError};

/// What code in another language takes over.
#[derive(Debug, Default, PortableState)]
pub struct Kept {
    /// The sum of what was added.
    pub count: u64,
    /// A text.
    pub note: String,
    /// Another sum.
    pub big: i128,
    /// Numbers, in the order in which they came.
    pub marks: Vec<u64>,
}

/// All of it.
#[derive(Debug, Default)]
pub struct State {
    /// What outlives this code.
    pub kept: Kept,
    /// What to fail at.
    pub program: String,
    /// What was heard of others.
    pub events: Vec<String>,
    /// Calls that wait for `Release`.
    pub waiting: Vec<RpcReplyPort<String>>,
    /// Calls that wait for a timer, and their numbers.
    pub later: Vec<(u64, RpcReplyPort<String>)>,
    /// The number of the next of them.
    pub next: u64,
    /// Timers to cancel.
    pub timers: Vec<JoinHandle<()>>,
}

impl KeptState for State {
    fn keep(&self) -> Result<Vec<u8>, StateError> {
        Ok(self.kept.to_portable()?)
    }

    fn restore(bytes: &[u8]) -> Result<Self, StateError> {
        Ok(Self {
            kept: Kept::from_portable(bytes)?,
            ..Self::default()
        })
    }
}
