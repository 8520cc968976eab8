//! The dashboard of a node in a real browser: it loads, lives, changes the node, keeps to its policy, and keeps nobody out.
#![cfg(target_os = "linux")]
#![expect(clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]

mod actor;
mod browser;
mod changes;
mod client;
mod lasting;
mod looks;
mod node;
