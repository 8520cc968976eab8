//! A node of a cluster of actors: native Rust actors and WebAssembly guests side by side, speaking the protocol of
//! `ractor_cluster` 0.16.

pub mod directory;
#[cfg(feature = "guests")]
pub mod guest;
#[cfg(feature = "guests")]
pub mod supervision;
