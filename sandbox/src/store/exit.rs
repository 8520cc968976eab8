//! How a guest ends itself as failed.

/// The trap that carries the reason.
#[derive(Debug, Clone, thiserror::Error)]
#[error("it exited: {0}")]
pub(crate) struct Exit(pub(crate) String);
