//! Opening the file of the database: a sound one, a new one, or a damaged one, which is put aside.
//!
//! Only damage puts a file aside. A disk that is full, fails or is read-only, and a process that has too many files open, leave it
//! where it is, and nothing takes its place.

use std::fs::File;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use redb::{DatabaseError, StorageError};

use super::medium::{Medium, Trouble};
use crate::files;

/// What the database keeps of its file in memory, in bytes. Checkpoints are written often and hardly ever read.
const CACHE_BYTES: usize = 8 << 20;

/// Why there is no database.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Its folder can't be made or used.
    #[error("checkpoints can't be kept in {}: {source}; `state_dir` in [runtime] chooses another folder", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Another process has it.
    #[error(
        "another process keeps its checkpoints in {}; every node needs a `state_dir` of its own",
        .0.display()
    )]
    InUse(PathBuf),
    /// The system doesn't let it be read or written. It was left as it is.
    #[error("the checkpoints in {} can't be opened: {source}; they are left as they are", path.display())]
    System {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It can't be opened, and not for being damaged.
    #[error("the checkpoints in {} can't be opened: {reason}", path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: Box<redb::DatabaseError>,
    },
}

/// A database that is open, and what the system says of its file.
pub(super) struct OpenDatabase {
    pub(super) database: redb::Database,
    pub(super) trouble: Trouble,
}

/// How an attempt to open the file ended.
enum OpenAttempt {
    OpenDatabase(Box<OpenDatabase>),
    /// There is no file, or an empty one.
    Missing,
    Damaged(String),
}

/// Opens the file, making it and its folder if need be. A damaged one is put aside, under a name that says so, and an empty one
/// takes its place.
pub(super) fn open(path: &Path) -> Result<OpenDatabase, OpenError> {
    let folder = files::folder_of(path);
    let unusable = |source| OpenError::Folder {
        path: folder.clone(),
        source,
    };
    files::create_folder(&folder).map_err(unusable)?;
    match attempt(path)? {
        OpenAttempt::OpenDatabase(opened) => return Ok(*opened),
        OpenAttempt::Missing => {}
        OpenAttempt::Damaged(reason) => {
            let aside = files::aside(path);
            tracing::error!(
                path = %path.display(), aside = %aside.display(), reason,
                "the checkpoints are damaged and put aside: actors start without them"
            );
            files::rename(path, &aside).map_err(unusable)?;
        }
    }
    // Only here, where a database is made: what killed processes left half written is of no use to it.
    files::sweep(&folder);
    make(path)?;
    // By its own name again, and not by the handle of `make`: if another process was faster, its database is found in use.
    match attempt(path)? {
        OpenAttempt::OpenDatabase(opened) => Ok(*opened),
        OpenAttempt::Missing => Err(unusable(io::ErrorKind::NotFound.into())),
        OpenAttempt::Damaged(reason) => Err(unusable(io::Error::other(reason))),
    }
}

/// Makes an empty database elsewhere and gives it its name when it is whole, so that a disk that fails meanwhile leaves no file
/// that looks like a damaged one.
fn make(path: &Path) -> Result<(), OpenError> {
    let folder = files::folder_of(path);
    let failed = |source| OpenError::Folder {
        path: folder.clone(),
        source,
    };
    let new = files::temporary(&folder).map_err(failed)?;
    // A handle of its own: the database takes it, while `new` removes the file if anything fails before it has its name.
    let file = new.reopen().map_err(failed)?;
    // It is not this file that can't be opened: there is none yet.
    let not_made = |error| match error {
        OpenError::System { source, .. } => failed(source),
        error => error,
    };
    match redb_open(file, new.path(), path).map_err(not_made)? {
        OpenAttempt::OpenDatabase(opened) => {
            let OpenDatabase { database, trouble } = *opened;
            // Explicitly, because a drop would swallow the error of the last write.
            let closed = database.close();
            closed.map_err(|reason| not_made(refused(path, reason, &trouble)))?;
        }
        OpenAttempt::Missing => return Err(failed(io::ErrorKind::NotFound.into())),
        OpenAttempt::Damaged(reason) => return Err(failed(io::Error::other(reason))),
    }
    match files::keep_new(new, path) {
        // Another process was faster: then it is its database, which is in use.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        kept => kept.map_err(failed),
    }
}

fn attempt(path: &Path) -> Result<OpenAttempt, OpenError> {
    let system = |source| OpenError::System {
        path: path.to_owned(),
        source,
    };
    let file = match files::open_to_change(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(OpenAttempt::Missing),
        Err(error) => return Err(system(error)),
    };
    if file.metadata().map_err(system)?.len() == 0 {
        // It has to go: the new one gets its name only if that is free.
        files::remove(path).map_err(system)?;
        return Ok(OpenAttempt::Missing);
    }
    files::restrict(path).map_err(system)?;
    redb_open(file, path, path)
}

/// The checksums of all pages are checked, not only after a crash: a file is damaged in other ways too.
fn redb_open(file: File, at: &Path, path: &Path) -> Result<OpenAttempt, OpenError> {
    let trouble = Trouble::default();
    let open = || {
        let medium = Medium::new(file, at.to_owned(), trouble.clone())?;
        redb::Builder::new()
            .set_cache_size(CACHE_BYTES)
            .set_check_integrity_on_open(true)
            .create_with_backend(medium)
    };
    // Nothing that a panic leaves half done is used again: the medium ends with the closure.
    let opened = catch_unwind(AssertUnwindSafe(open));
    let reason = match opened {
        Ok(Ok(database)) => return Ok(OpenAttempt::OpenDatabase(Box::new(OpenDatabase { database, trouble }))),
        // A lock that another process has says nothing about the health of the file.
        Ok(Err(DatabaseError::DatabaseAlreadyOpen)) => return Err(OpenError::InUse(path.to_owned())),
        Ok(Err(reason)) => Some(reason),
        Err(_) => None,
    };
    // First of all: after an error of the system nothing that redb says of the file can be believed.
    if let Some(source) = trouble.first() {
        return Err(OpenError::System {
            path: path.to_owned(),
            source,
        });
    }
    match reason {
        None => Ok(OpenAttempt::Damaged("the database panicked over it".to_owned())),
        Some(DatabaseError::Storage(StorageError::Corrupted(reason))) => Ok(OpenAttempt::Damaged(reason)),
        // What redb says of a file that isn't one of its own, or was cut short.
        Some(DatabaseError::Storage(StorageError::Io(error)))
            if matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof) =>
        {
            Ok(OpenAttempt::Damaged(error.to_string()))
        }
        Some(reason) => Err(refused(path, reason, &trouble)),
    }
}

fn refused(path: &Path, reason: DatabaseError, trouble: &Trouble) -> OpenError {
    let path = path.to_owned();
    match trouble.first() {
        Some(source) => OpenError::System { path, source },
        None => OpenError::Unusable {
            path,
            reason: Box::new(reason),
        },
    }
}
