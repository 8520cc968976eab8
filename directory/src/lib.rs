//! The directory: actors of this process that `ractor`'s own registries can't hold.
//!
//! `ractor` keeps its pid registry, name registry and type checks for *local* ids. A guest runs under a *remote* id (see
//! ARCHITECTURE.md), so the directory keeps what ractor then leaves out: a pid of its own, a name that can be found, and events
//! that let every session advertise the guest. The directory is the one seam between the cluster layer and the guest layer: neither
//! imports the other.
//!
//! In a guest there are the words for what becomes of calls alone: its node has the directory.

#![cfg_attr(
    test,
    expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")
)]

mod outcome;

#[cfg(not(target_family = "wasm"))]
mod actors;
#[cfg(not(target_family = "wasm"))]
mod address;
#[cfg(not(target_family = "wasm"))]
mod calls;
#[cfg(not(target_family = "wasm"))]
mod cost;
#[cfg(not(target_family = "wasm"))]
mod entities;
#[cfg(not(target_family = "wasm"))]
pub mod namesakes;
#[cfg(not(target_family = "wasm"))]
mod questions;
#[cfg(not(target_family = "wasm"))]
mod replies;
#[cfg(not(target_family = "wasm"))]
mod text;
#[cfg(not(target_family = "wasm"))]
pub mod trace;
#[cfg(not(target_family = "wasm"))]
mod traced;

pub use self::outcome::{CallError, FailCall};

#[cfg(not(target_family = "wasm"))]
pub use self::actors::*;
#[cfg(not(target_family = "wasm"))]
pub use self::{
    address::ActorAddress,
    calls::call,
    cost::{MESSAGE_OVERHEAD, retained_bytes},
    entities::{GATES, share_entities, shares_entities},
    questions::{DESCRIBE_VARIANT, PROBE_EVERY, PROBE_VARIANT, probe},
    replies::{FailureReason, MAX_REASON_BYTES, NoReply, Reply, Told, fail, relay_port, reply_port, take_reason},
    text::{acts, tidy},
    traced::{Sender, TracedMark, is_anyone_traced},
};
