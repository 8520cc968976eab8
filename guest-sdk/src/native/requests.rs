//! Calls whose failure has a reason, and how an actor fails one.

pub use ractor_host_directory::{CallError, FailCall, call};
