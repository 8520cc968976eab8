//! The actor around an instance: its mailbox's messages go in, and it lives on when the instance doesn't.

pub(crate) mod batch;
pub(crate) mod callbacks;
pub(crate) mod checkpoint;
pub(crate) mod children;
pub(crate) mod commands;
pub(crate) mod describe;
pub(crate) mod error;
pub(crate) mod events;
pub(crate) mod guest;
pub(crate) mod guest_cell;
pub(crate) mod handler;
pub(crate) mod in_place;
pub(crate) mod modules;
pub(crate) mod reload;
pub(crate) mod resume;
pub(crate) mod spawn;
pub(crate) mod work;
