//! Embedded databases: files of the node that outlive it.
//!
//! What is committed outlives the process and the machine's power, and a torn write is never read: redb commits all or nothing, and its
//! pages have checksums that are checked when a file is opened.

#[cfg(test)]
pub(crate) mod damage;
mod file;
#[cfg(test)]
pub(crate) mod golden;
mod medium;
mod opening;

pub(crate) use file::{DatabaseFailure, DatabaseFile, OpenFile};
pub use opening::OpenError;
pub(crate) use opening::{Contents, OnDamage};
