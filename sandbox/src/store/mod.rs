//! What an instance finds around it: the data of its store, and the imports that work on them.
//!
//! `imports` has one file for each WIT interface of the node, and `wasi` those of WASI; `mailbox`, `asks`, `timers`, `monitors`,
//! `groups` and `replies` are what the imports work on. A program adds interfaces of its own by the trait in `interface`.
//!
//! Nothing here may know the instance, how it is called, or the actor around it. What an import asks of its actor goes through the
//! trait in `own_actor`. Begin with `data.rs`, then `imports/messaging.rs`, then `mailbox.rs`.

pub(crate) mod allowed;
pub(crate) mod answering;
pub(crate) mod asks;
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
mod shown;
pub(crate) mod spans;
pub(crate) mod timers;
pub(crate) mod undo;
pub(crate) mod waits;
pub(crate) mod wasi;
