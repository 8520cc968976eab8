//! Files: reading what users name (`reading`, and `secret` for secrets), and keeping what is the node's own (`own`, and `writers` for
//! who else may change it).
//!
//! Each step that may fail goes past [`point`], where a test makes it fail.

#![cfg_attr(
    test,
    expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")
)]

#[cfg(any(test, feature = "faults"))]
pub mod fault;
mod own;
mod reading;
mod secret;
#[cfg(test)]
mod tests;
mod writers;

#[cfg(not(any(test, feature = "faults")))]
use std::io;
#[cfg(not(any(test, feature = "faults")))]
use std::path::Path;

pub use own::*;
pub use reading::ReadError;
pub use reading::*;
pub use secret::read as read_secret;
pub use secret::{Exposure, Secret, SecretError, SecretFault};
pub use writers::writer;
pub use writers::{Owner, Unguarded, check_writers};
pub use writers::{Writable, Writer};

/// A step that may fail. What follows it is done only if it is `Ok`; only tests make it anything else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// A file is opened.
    Open,
    /// Bytes are read.
    Read,
    /// Bytes are written.
    Write,
    /// A file is made longer or shorter.
    Resize,
    /// A file or folder is synced.
    Sync,
    /// A file gets another name.
    Rename,
    /// A file is removed.
    Remove,
}

/// Where a test may make a step fail. `path` is what the step is about.
///
/// # Errors
/// The test wants it to fail.
#[cfg(not(any(test, feature = "faults")))]
pub fn point(_: Step, _: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(any(test, feature = "faults"))]
pub use fault::point;
