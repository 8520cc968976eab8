//! Every public item of `ractor_cluster` 0.16.5, used with its signature there.
//!
//! The source is built twice, by the package `drop-in` on this project's cluster layer and by `drop-in-stock` on the
//! published crate, under the same dependency name. What compiles and passes with both is what the two have in common;
//! docs/drop-in.md is the list.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod features;
mod impls;
mod items;
mod messages;
mod names;
mod nodes;
mod support;
