//! What an operator sees of a node.

pub(crate) mod console;
mod event;
mod format;
mod lines;
mod panics;
pub mod telemetry;
