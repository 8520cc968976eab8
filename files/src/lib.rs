//! Files: reading what users name (`reading`, and `secret` for secrets), and keeping what is the node's own (`own`, and `writers` for
//! who else may change it).
//!
//! Each step that may fail goes past [`point`], where a test makes it fail.

#[cfg(all(test, feature = "guests"))]
pub(crate) mod fault;
#[cfg(feature = "guests")]
mod own;
mod reading;
mod secret;
#[cfg(test)]
mod tests;
mod writers;

#[cfg(not(all(test, feature = "guests")))]
use std::io;
#[cfg(not(all(test, feature = "guests")))]
use std::path::Path;

#[cfg(feature = "guests")]
pub(crate) use own::*;
pub use reading::ReadError;
pub(crate) use reading::*;
pub(crate) use secret::read as read_secret;
pub use secret::{Exposure, Secret, SecretError, SecretFault};
#[cfg(feature = "guests")]
pub(crate) use writers::writer;
pub(crate) use writers::{Owner, Unguarded, check_writers};
pub use writers::{Writable, Writer};

/// A step that may fail. What follows it is done only if it is `Ok`; only tests make it anything else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(
    not(feature = "guests"),
    expect(dead_code, reason = "without guests nothing is kept")
)]
pub(crate) enum Step {
    Open,
    Read,
    Write,
    Resize,
    Sync,
    Rename,
    Remove,
}

/// Where a test may make a step fail. `path` is what the step is about.
///
/// # Errors
/// The test wants it to fail.
#[cfg(not(all(test, feature = "guests")))]
#[expect(clippy::unnecessary_wraps, reason = "in tests it fails when it is told to")]
pub(crate) fn point(_: Step, _: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(all(test, feature = "guests"))]
pub(crate) use fault::point;
