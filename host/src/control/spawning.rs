//! What is asked and answered about actors that operators start besides those of node.toml.

use serde::{Deserialize, Serialize};

/// A guest that is to start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Spawning {
    /// The name of a module of the node.
    pub(crate) module: String,
    /// The name of the actor, which nobody may have.
    pub(crate) name: String,
    /// The start arguments, as words.
    pub(crate) arguments: Vec<String>,
    pub(crate) groups: Vec<String>,
}

/// A guest that has started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SpawnedActor {
    pub(crate) name: String,
    pub(crate) pid: u64,
    /// What it runs.
    pub(crate) digest: String,
}
