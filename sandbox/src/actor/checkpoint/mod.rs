//! Checkpoints: what is kept of an actor's state, by whom, and when.

pub(crate) mod settings;
pub(crate) mod store;
pub(crate) mod writer;
