//! PostgreSQL as the store of a cluster.
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

#[cfg(all(not(debug_assertions), feature = "broken-fence"))]
compile_error!("`broken-fence` is for tests that have to fail: a node that is built with it loses states");

mod address;
mod clock;
mod connection;
mod entities;
mod error;
mod health;
mod membership;
mod rights;
mod schema;
mod state;
mod statements;
mod store;
mod tls;

pub use address::{Address, BadAddress};
pub use entities::EntityTables;
pub use error::{Fault, StoreError};
pub use health::{Health, Latency};
pub use membership::{Identity, Membership, OnEvent, Seen};
pub use schema::Prepared;
pub use store::{ClusterNode, Store, StoreTiming};

#[cfg(test)]
mod tests;
