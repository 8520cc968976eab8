//! The code of the host that locks and wakes, compiled with locks that let a scheduler choose who goes on, and what must hold of it
//! in every order.
//!
//! These are the host's own files. Only what they import is different: `crate::sync` has shuttle's locks instead of
//! parking_lot's, and what the code needs of its surroundings is reduced to what matters here. tokio's `Notify` and channels are the
//! real ones; to the scheduler each of their operations is one step.

// The host's files have tests of their own, which belong there.
#![cfg(not(test))]
// What the host's files have for the rest of the host.
#![allow(unreachable_pub, reason = "the simulation of whole nodes reaches it, in the host")]
#![allow(dead_code, reason = "not all of the host's files is used here")]

// To the host's files this is the crate that actors come from.
extern crate self as ractor;

pub mod guest;
pub mod transport;

mod accounting;
mod actor;
mod directory;
pub mod message;
mod policy;
mod stand_in;
mod store;
mod sync;

pub use stand_in::{ActorCell, ActorStatus};
