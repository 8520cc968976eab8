//! What is asked and answered about the kept states of an actor.

use serde::{Deserialize, Serialize};

/// A state that is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CheckpointRow {
    /// Its number: those of one actor are numbered upwards.
    pub(crate) number: u64,
    /// When it was taken, in milliseconds since 1970.
    pub(crate) taken_ms: u64,
    pub(crate) bytes: u64,
    /// The version of the state, as the code that wrote it says.
    pub(crate) state_version: u32,
    pub(crate) module: String,
    /// The code that wrote it.
    pub(crate) digest: String,
}

/// An actor that went back to a state that was kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct WentBack {
    pub(crate) actor: String,
    /// The state that it has now.
    pub(crate) to: CheckpointRow,
    /// Whether what it knew until then was kept, so that there is a way forward again.
    pub(crate) kept: bool,
}
