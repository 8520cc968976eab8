//! Actors that exist once for each key.
#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::panic,
        clippy::indexing_slicing,
        reason = "a test fails by panicking"
    )
)]

#[cfg(all(not(debug_assertions), feature = "broken-keys"))]
compile_error!(
    "`broken-keys` is for tests that have to fail: a node that is built with it handles repeated calls again"
);

mod cluster;
mod code;
mod keys;
mod mailbox;
mod native;
mod node;
mod reference;
mod reminders;
mod seat;
mod stand_in;
mod store;
mod table;
#[cfg(test)]
mod tests;
mod type_actor;
mod writer;

pub use self::cluster::{Cluster, ClusterFigures, Location, OnDemand, Ownership, SessionUse, is_reached, located};
pub use self::code::{Activated, EntityCode, LiveEntity, TypeSettings};
pub use self::keys::{KEPT_FOR, KEY_BYTES, KeyRefused, KeyedRef, Scope, keyed};
pub use self::native::{Native, NativeEntity, Reminders, reminders};
pub use self::node::{
    Entities, NotSent, Refused, TypeFigures, TypeTaken, active, active_actors, delete_active, has_type, passivate,
    send, send_within,
};
pub use self::reference::EntityRef;
pub use self::reminders::schedule::ReminderFigures;
pub use self::reminders::{Reminder, ReminderError, ReminderLimits, SLOTS, When, is_nudge, slot, steady_ms};
pub use self::seat::{Durability, Interrupted, Output, Seat};
pub use self::stand_in::StandIn;
pub use self::store::{
    Change, DuePlace, EntityStore, Fence, FencedStore, GivenUp, KeptReply, MemoryStore, ReminderChange, ReplyChange,
    StoreError, Stored, StoredDue, StoredReminder, StoredState, Write,
};
pub use self::type_actor::{to_type_actor, type_group};
pub use self::writer::WriterFigures;
pub use ractor_host_placement::activation::ActivationLimits;
pub use ractor_host_placement::durable::HeldTooMuch;
pub use ractor_host_placement::statement::WriteOutcome;
pub use ractor_host_placement::words::{BadEntity, Entity, EntityKey, EntityType, Epoch, ShardId, TypeId, Where};
