//! When the states of actors are kept, and where by default: an embedded database, one file of the node.
//!
//! [`Database`] is a [`CheckpointStore`](crate::guest::CheckpointStore). A torn write is never loaded: the database commits
//! all or nothing, its pages have checksums that are checked when it is opened, and each checkpoint has a checksum of its
//! own.

mod collection;
mod database;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzzing;
mod record;
mod retention;
mod schedule;

pub use crate::database::OpenError;
pub use database::Database;
pub use schedule::{Schedule, Scheduled};

/// What the simulation of whole nodes runs.
#[cfg(test)]
pub(crate) mod sim {
    pub(crate) use super::collection::{AnswerOutcome, CheckpointActor, Collection, CollectionStep, StateAnswer};
    pub(crate) use super::schedule::hash;
}
