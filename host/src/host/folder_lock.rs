//! A lock by which only one node uses a folder: two of them would remove each other's deployments from the record, and components that
//! the other one runs.
//!
//! A database of checkpoints has a lock of its own.

use std::fs::{File, TryLockError};
use std::path::Path;
use std::time::Duration;

use super::error::HostError;
use crate::files;

/// The longest that a node waits for the one before it, which may be about to end.
const PATIENCE: Duration = Duration::from_secs(2);

/// A folder that no other node has, until this is dropped.
#[derive(Debug)]
pub(super) struct FolderLock {
    _folder: Option<File>,
}

impl FolderLock {
    /// Waits until no other node has the folder. Blocks.
    ///
    /// # Errors
    /// Another one has it still.
    pub(super) fn take(folder: &Path) -> Result<Self, HostError> {
        // A file system without locks must not keep a node from starting, but its operator has to know what is not guarded.
        let failed = |error: &dyn std::fmt::Display| {
            tracing::warn!(
                path = %folder.display(), %error,
                "the folder can't be locked: nothing keeps another node from using it too"
            );
            Ok(Self { _folder: None })
        };
        // The folder itself, so that a disk without room keeps no node from starting.
        let file = match File::open(folder) {
            Ok(file) => file,
            Err(error) => return failed(&error),
        };
        match files::lock(&file, PATIENCE) {
            Ok(()) => Ok(Self { _folder: Some(file) }),
            Err(TryLockError::WouldBlock) => Err(HostError::StateDir(format!(
                "another process keeps what was deployed to it in {}; every node needs a folder of its own",
                folder.display()
            ))),
            Err(TryLockError::Error(error)) => failed(&error),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn a_folder_is_one_nodes_until_that_has_ended() {
        let folder = tempfile::tempdir().unwrap();
        let first = FolderLock::take(folder.path()).unwrap();
        let second = FolderLock::take(folder.path()).unwrap_err().to_string();
        assert!(second.contains("another process"), "{second}");
        let ends = thread::spawn(move || {
            thread::sleep(Duration::from_millis(20));
            drop(first);
        });
        assert!(
            FolderLock::take(folder.path()).is_ok(),
            "the newcomer waits for its predecessor"
        );
        ends.join().unwrap();
    }
}
