//! What an operator sees of a node.

pub(crate) mod console;
mod event;
pub(crate) mod filter;
mod format;
mod lines;
pub(crate) mod otel;
mod panics;
pub(crate) mod tail;
pub mod telemetry;
