//! The steps of keeping and reading a file that may fail, and where a test makes them.

#[cfg(not(any(test, feature = "faults")))]
use std::io;
#[cfg(not(any(test, feature = "faults")))]
use std::path::Path;

/// A step that may fail. Only tests make it fail here; what follows is done only if it is `Ok`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileStep {
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
pub fn point(_: FileStep, _: &Path) -> io::Result<()> {
    Ok(())
}
