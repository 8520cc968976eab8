//! What an instance finds around it: the data of its store, and the imports that work on them.

pub(crate) mod allowed;
pub(crate) mod batch;
pub(crate) mod data;
pub(crate) mod exit;
pub(crate) mod groups;
pub(crate) mod imports;
pub(crate) mod interface;
pub(crate) mod interface_states;
pub(crate) mod mailbox;
pub(crate) mod monitors;
pub(crate) mod outflow;
pub(crate) mod own_actor;
pub(crate) mod pid;
pub(crate) mod replies;
pub(crate) mod timers;
pub(crate) mod undo;
pub(crate) mod waits;
pub(crate) mod wasi;
