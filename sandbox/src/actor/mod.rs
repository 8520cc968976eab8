//! The actor around an instance: the messages of its mailbox go in, and it lives on when the instance doesn't.
//!
//! `handler` is what ractor calls, `callbacks` and `batch` what a message comes to, `in_place` how the actor goes on after it. What the
//! host asks of an actor comes as `commands`: restarts, snapshots, and reloads in `reload`. `checkpoint` keeps states, and `resume` goes
//! on from them; `modules` knows which version of each module is current, and who runs it; `tier_up` has them go over to optimized code.
//!
//! This floor is the top. It doesn't know why the host asks: rollouts, supervision trees and node.toml belong to the crate `host`.
//! Begin with `handler.rs`, then `callbacks.rs` and `in_place.rs`.

pub(crate) mod batch;
pub(crate) mod callbacks;
pub(crate) mod checkpoint;
pub(crate) mod child_events;
pub(crate) mod children;
pub(crate) mod commands;
pub(crate) mod describe;
pub(crate) mod entity;
pub(crate) mod error;
pub(crate) mod events;
pub(crate) mod figures;
pub(crate) mod going_back;
pub(crate) mod guest;
pub(crate) mod guest_cell;
pub(crate) mod handler;
pub(crate) mod held;
pub(crate) mod history;
pub(crate) mod in_place;
pub(crate) mod modules;
pub(crate) mod reload;
pub(crate) mod resident;
pub(crate) mod resume;
pub(crate) mod spawn;
pub(crate) mod tier_up;
pub(crate) mod traced;
pub(crate) mod work;
