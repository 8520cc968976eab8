//! A node of a cluster of actors: native Rust actors and WebAssembly guests side by side, speaking the protocol of
//! `ractor_cluster` 0.16.

#[cfg(feature = "guests")]
pub mod config;
pub mod directory;
