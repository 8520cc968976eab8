//! The file of a database: closed after an error of the system, and opened again when it is wanted next.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::RwLock;
use redb::{StorageError, TableError};

use super::opening::{self, Contents, OpenDatabase, OpenError};

/// See the module.
pub(crate) struct DatabaseFile {
    path: PathBuf,
    contents: &'static Contents,
    /// None after an error.
    file: RwLock<Option<OpenFile>>,
}

/// The file while it is open.
pub(crate) struct OpenFile {
    opened: OpenDatabase,
    /// True at first after an error: what was being written then may be there or not.
    is_uncertain: AtomicBool,
}

impl std::fmt::Debug for DatabaseFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DatabaseFile")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

/// Why something was not done.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DatabaseFailure {
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error(transparent)]
    Database(#[from] redb::Error),
    #[error("{0}")]
    System(std::io::Error),
    #[error("the database panicked")]
    Panicked,
    /// One entry is at fault and not the file, which stays open.
    #[error("{0}")]
    Entry(String),
}

macro_rules! from_redb {
    ($($error:ty),*) => {
        $(impl From<$error> for DatabaseFailure {
            fn from(error: $error) -> Self {
                Self::Database(error.into())
            }
        })*
    };
}

from_redb!(StorageError, TableError, redb::TransactionError, redb::CommitError);

impl OpenFile {
    pub(crate) fn database(&self) -> &redb::Database {
        &self.opened.database
    }

    /// True if it isn't known whether what was written last is there.
    pub(crate) fn is_uncertain(&self) -> bool {
        // Relaxed will do: redb lets one transaction write at a time, and a `true` that is out of date costs a comparison.
        self.is_uncertain.load(Ordering::Relaxed)
    }

    /// From now on it is known again what is there.
    pub(crate) fn handle_committed(&self) {
        self.is_uncertain.store(false, Ordering::Relaxed);
    }
}

impl DatabaseFile {
    /// Opens the file, making it and its folder if need be. One that can't be read or written now stays where it is.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub(crate) fn open(path: PathBuf, contents: &'static Contents) -> Result<Self, OpenError> {
        let file = OpenFile {
            opened: opening::open(&path, contents)?,
            is_uncertain: AtomicBool::new(false),
        };
        Ok(Self {
            path,
            contents,
            file: RwLock::new(Some(file)),
        })
    }

    /// Does this with the open file, which is opened again if need be, and closed after an error: redb does nothing more after
    /// one.
    pub(crate) fn with<T>(&self, work: impl Fn(&OpenFile) -> Result<T, DatabaseFailure>) -> Result<T, DatabaseFailure> {
        self.reopen()?;
        let (failed, trouble) = {
            let file = self.file.read();
            // Somebody else had an error in between, and just now.
            let file = file
                .as_ref()
                .ok_or(DatabaseFailure::Database(redb::Error::PreviousIo))?;
            let done = catch_unwind(AssertUnwindSafe(|| work(file))).unwrap_or(Err(DatabaseFailure::Panicked));
            match done {
                Ok(done) => return Ok(done),
                // The entry is at fault and not the file, which stays open.
                Err(DatabaseFailure::Entry(reason)) => return Err(DatabaseFailure::Entry(reason)),
                Err(failed) => (failed, file.opened.trouble.first()),
            }
        };
        // The read lock is gone by here, or this would wait for itself. Another thread may have opened the file anew by now. Then that
        // one is closed, which costs one more opening and nothing that was committed.
        self.close();
        // The error of the system comes first: what redb makes of it may look like damage.
        Err(trouble.map_or(failed, DatabaseFailure::System))
    }

    fn reopen(&self) -> Result<(), OpenError> {
        if self.file.read().is_some() {
            return Ok(());
        }
        // Asked once more under this lock: several threads may have found it closed, and a second opening would find the file locked.
        let mut file = self.file.write();
        if file.is_none() {
            *file = Some(OpenFile {
                opened: opening::open(&self.path, self.contents)?,
                is_uncertain: AtomicBool::new(true),
            });
        }
        Ok(())
    }

    fn close(&self) {
        let file = self.file.write().take();
        // It was in trouble before: what it says of its end doesn't matter.
        drop(catch_unwind(AssertUnwindSafe(|| drop(file))));
    }
}
