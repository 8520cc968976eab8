//! The words of placement as types.

mod entity;
mod shard;
mod time;
mod view;

pub use entity::{BadEntity, Entity, EntityKey, EntityType};
pub use shard::{ShardHash, ShardId, TypeId};
pub use time::BootTime;
pub use view::{
    Applied, Generation, Incarnation, Labels, Member, Revision, ShardRow, Standing, TypeSpec, View, ViewChanges, Where,
};

/// How often a shard has changed hands. It only grows, and each write of state is checked against it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Epoch(pub u64);
