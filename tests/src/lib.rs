//! The harness of the integration tests: nodes as processes, driven and watched from a test.
//!
//! A test waits for what it expects, never for a time: [`wait`] polls with a generous deadline. Every process is killed
//! when its handle is dropped, and if that happens in a failing test, its whole output is printed.
#![expect(clippy::panic, reason = "a harness says that a test failed by panicking")]

pub mod certificates;
pub mod cli;
pub mod disk;
pub mod host;
pub mod languages;
pub mod peer;
pub mod process;
pub mod programs;
pub mod proxy;
pub mod random;
pub mod streams;
pub mod wait;
pub mod web;
pub mod wire;

/// The cookie of every node that a test doesn't give another.
pub const COOKIE: &str = "interop";
