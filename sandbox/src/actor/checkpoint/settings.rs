//! That an actor's state is kept, how often and by whom.

use std::time::Duration;

use super::writer::CheckpointWriter;

/// That an actor's state is kept, how often and where.
#[derive(Debug, Clone)]
pub struct Checkpoints {
    /// The longest time for which what the actor did may be lost with it.
    pub every: Duration,
    /// How many are kept.
    pub keep: u32,
    /// What writes them.
    pub writer: CheckpointWriter,
}
