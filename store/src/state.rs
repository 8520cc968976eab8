//! The state of an entity as a row.

use ractor_host_placement::statement::FiringKey;
use ractor_host_placement::words::{Entity, Epoch, ShardId};

/// What is to become of the state of one entity, and what goes with it in the same commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StateRow<'a> {
    /// The entity.
    pub entity: &'a Entity,
    /// Its shard.
    pub shard: ShardId,
    /// The epoch at which the writer has that shard.
    pub epoch: Epoch,
    /// Grows with each write at this epoch, and never has two contents. At most 2⁶³ − 1.
    pub version: u64,
    /// The state; none: it is deleted, with its reminders and idempotency keys. A mark is left, so that a write that comes late brings nothing
    /// back.
    pub content: Option<Content<'a>>,
    /// Reminders whose handling is in this state; their rows advance with it.
    pub handled: &'a [FiringKey],
}

/// What is kept of an entity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Content<'a> {
    /// The module, or the native actor, whose state it is.
    pub code: &'a str,
    /// The version of the state, which `restore` is told.
    pub state_version: u32,
    /// When it was taken, in microseconds since 1970.
    pub taken: u64,
    /// The bytes.
    pub bytes: &'a [u8],
}
