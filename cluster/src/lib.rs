//! A cluster of `ractor` actors over TCP and TLS: a drop-in for `ractor_cluster` 0.16.
//!
//! Depend on it with `ractor_cluster = { package = "ractor-host-cluster", … }` and keep the code. What passes over the wire is what
//! `ractor_cluster` 0.16 writes and reads, byte for byte.

#![cfg_attr(
    test,
    expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")
)]
// What the simulation of whole nodes runs is public for it, and for nobody else.
#![cfg_attr(
    not(feature = "simulation"),
    allow(unreachable_pub, reason = "the simulation reaches it")
)]
// `println!` and `eprintln!` panic where nobody reads.
#![cfg_attr(not(test), deny(clippy::print_stdout, clippy::print_stderr))]

#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzzing;
#[cfg(any(test, feature = "simulation"))]
#[doc(hidden)]
pub mod internals;
pub mod macros;
pub mod node;
mod session;
mod sync;
mod transport;
mod wire;

/// The number by which this process tells its sessions, and so the nodes of remote actors, apart.
pub type NodeId = u64;

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
pub use ractor_host_directory as directory;
pub use ractor_host_directory::ActorAddress;
use ractor_host_files as files;
pub use transport::tls;
pub use transport::{BoxRead, BoxWrite, ClusterBidiStream, IncomingEncryptionMode, NetworkStream};
