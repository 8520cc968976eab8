//! A node of a cluster of actors: native Rust actors and WebAssembly guests side by side, speaking the protocol of
//! `ractor_cluster` 0.16.
//!
//! This crate puts a node together, and is its program. The cluster layer is [`ractor_host_cluster`], a drop-in for the
//! `ractor_cluster` crate; the runtime of guests is [`guest`]. Without default features this crate is the cluster layer alone,
//! under the name that it had.

#![cfg_attr(
    test,
    expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")
)]
// `println!` and `eprintln!` panic where nobody reads. `ops::console` is what writes to stdout and stderr.
#![cfg_attr(not(test), deny(clippy::print_stdout, clippy::print_stderr))]

#[cfg(feature = "guests")]
pub mod admin;
#[cfg(feature = "guests")]
pub mod checkpoint;
#[cfg(feature = "guests")]
pub mod cli;
#[cfg(feature = "guests")]
pub mod config;
#[cfg(feature = "guests")]
pub mod control;
#[cfg(feature = "guests")]
mod database;
#[cfg(feature = "guests")]
mod entity_store;
#[cfg(feature = "guests")]
mod events;
#[cfg(all(feature = "guests", any(test, feature = "fuzzing")))]
#[doc(hidden)]
pub mod fuzzing;
#[cfg(all(feature = "fuzzing", not(feature = "guests")))]
#[doc(hidden)]
pub use ractor_host_cluster::fuzzing;
#[cfg(feature = "guests")]
pub mod host;
#[cfg(feature = "guests")]
pub mod metrics;
#[cfg(feature = "guests")]
pub mod ops;
#[cfg(all(test, feature = "guests"))]
mod simulation;
#[cfg(feature = "guests")]
pub mod supervision;
#[cfg(feature = "guests")]
mod typing;

#[cfg(feature = "guests")]
pub use host::{Host, HostBuilder};
pub use ractor_host_cluster::directory::{CallError, FailCall, call};
pub use ractor_host_cluster::*;
#[cfg(feature = "guests")]
pub use ractor_host_entities as entities;
#[cfg(feature = "guests")]
use ractor_host_files as files;
#[cfg(feature = "guests")]
use ractor_host_placement as placement;
#[cfg(feature = "guests")]
pub use ractor_host_postgres as postgres;
#[cfg(feature = "guests")]
pub use ractor_host_sandbox as guest;
