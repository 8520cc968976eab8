//! A node of a cluster of actors: native Rust actors and WebAssembly guests side by side, speaking the protocol of
//! `ractor_cluster` 0.16.
//!
//! Without default features this is the cluster layer alone, a drop-in for the `ractor_cluster` crate: depend on it with
//! `ractor_cluster = { package = "ractor-host", default-features = false, … }` and keep the code.

#![cfg_attr(
    test,
    expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")
)]
// `println!` and `eprintln!` panic where nobody reads. `ops::console` is what writes to stdout and stderr.
#![cfg_attr(not(test), deny(clippy::print_stdout, clippy::print_stderr))]

mod address;
#[cfg(feature = "guests")]
pub mod checkpoint;
#[cfg(feature = "cli")]
pub mod cli;
#[cfg(feature = "guests")]
pub mod config;
#[cfg(feature = "guests")]
pub mod control;
pub mod directory;
mod files;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzzing;
#[cfg(feature = "guests")]
pub mod guest;
#[cfg(feature = "guests")]
pub mod host;
pub mod macros;
pub mod node;
#[cfg(feature = "cli")]
pub mod ops;
mod session;
#[cfg(all(test, feature = "guests"))]
mod simulation;
#[cfg(feature = "guests")]
pub mod supervision;
mod transport;
mod wire;

#[cfg(feature = "guests")]
pub use host::{Host, HostBuilder};

/// The number by which this process tells its sessions, and so the nodes of remote actors, apart.
pub type NodeId = u64;

pub use address::ActorAddress;
pub use node::client::{
    ClientConnectErr, connect as client_connect, connect_enc as client_connect_enc,
    connect_external as client_connect_external,
};
pub use node::{
    DEFAULT_MAX_INBOUND_FRAME_SIZE, NodeEventSubscription, NodeServer, NodeServerMessage, NodeSession,
    NodeSessionMessage,
};
pub use ractor::serialization::*;
pub use ractor_host_derive::{RactorClusterMessage, RactorMessage};
pub use transport::tls;
pub use transport::{BoxRead, BoxWrite, ClusterBidiStream, IncomingEncryptionMode, NetworkStream};
