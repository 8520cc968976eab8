//! Opening the file of a database: a sound one, a new one, or a damaged one, which is put aside or refused.
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

/// What a database is for.
#[derive(Debug)]
pub(crate) struct Contents {
    /// What there is in it, in the plural: `checkpoints`.
    pub(crate) what: &'static str,
    /// What it keeps of its file in memory, in bytes.
    pub(crate) cache_bytes: usize,
    /// What becomes of a damaged file.
    pub(crate) on_damage: OnDamage,
}

/// What becomes of a damaged file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OnDamage {
    /// It is put aside, and an empty one takes its place. This says what follows from that.
    PutAside(&'static str),
    /// It stays where it is, and isn't opened: whoever looks after the node decides.
    Refuse,
}

/// Why there is no database.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Its folder can't be made or used.
    #[error("the {what} can't be kept in {}: {source}; `state_dir` in [runtime] chooses another folder", path.display())]
    Folder {
        /// What was to be kept.
        what: &'static str,
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Another process has it.
    #[error(
        "another process keeps its {what} in {}; every node needs a `state_dir` of its own",
        path.display()
    )]
    InUse {
        /// What is in it.
        what: &'static str,
        /// The file.
        path: PathBuf,
    },
    /// The system doesn't let it be read or written. It was left as it is.
    #[error("the {what} in {} can't be opened: {source}; they are left as they are", path.display())]
    System {
        /// What is in it.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It can't be opened, and not for being damaged.
    #[error("the {what} in {} can't be opened: {reason}", path.display())]
    Unusable {
        /// What is in it.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        reason: Box<redb::DatabaseError>,
    },
    /// It is damaged, and was left as it is.
    #[error(
        "the {what} in {} are damaged ({reason}), and are left as they are; put a copy from before in their place, or move the file away to \
         begin without them",
        path.display()
    )]
    Damaged {
        /// What is in it.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}

/// A database that is open, and what the system says of its file.
pub(crate) struct OpenDatabase {
    pub(crate) database: redb::Database,
    pub(crate) trouble: Trouble,
}

/// How an attempt to open the file ended.
enum OpenAttempt {
    OpenDatabase(Box<OpenDatabase>),
    /// There is no file, or an empty one.
    Missing,
    Damaged(String),
}

/// Opens the file, making it and its folder if need be. A damaged one is put aside, under a name that says so, and an empty one
/// takes its place; or it is refused.
pub(super) fn open(path: &Path, contents: &Contents) -> Result<OpenDatabase, OpenError> {
    let folder = files::folder_of(path);
    let what = contents.what;
    let unusable = |source| OpenError::Folder {
        what,
        path: folder.clone(),
        source,
    };
    files::create_folder(&folder).map_err(unusable)?;
    match attempt(path, contents)? {
        OpenAttempt::OpenDatabase(opened) => return Ok(*opened),
        OpenAttempt::Missing => {}
        OpenAttempt::Damaged(reason) => {
            let path = path.to_owned();
            let OnDamage::PutAside(follows) = contents.on_damage else {
                return Err(OpenError::Damaged { what, path, reason });
            };
            let aside = files::aside(&path);
            tracing::error!(
                path = %path.display(), aside = %aside.display(), reason,
                "the {what} are damaged and put aside: {follows}"
            );
            files::rename(&path, &aside).map_err(unusable)?;
        }
    }
    // Only here, where a database is made: what killed processes left half written is of no use to it.
    files::sweep(&folder);
    make(path, contents)?;
    // By its own name again, and not by the handle of `make`: if another process was faster, its database is found in use.
    match attempt(path, contents)? {
        OpenAttempt::OpenDatabase(opened) => Ok(*opened),
        OpenAttempt::Missing => Err(unusable(io::ErrorKind::NotFound.into())),
        OpenAttempt::Damaged(reason) => Err(unusable(io::Error::other(reason))),
    }
}

/// Makes an empty database elsewhere and gives it its name when it is whole, so that a disk that fails meanwhile leaves no file
/// that looks like a damaged one.
fn make(path: &Path, contents: &Contents) -> Result<(), OpenError> {
    let folder = files::folder_of(path);
    let failed = |source| OpenError::Folder {
        what: contents.what,
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
    match redb_open(file, new.path(), path, contents).map_err(not_made)? {
        OpenAttempt::OpenDatabase(opened) => {
            let OpenDatabase { database, trouble } = *opened;
            // Explicitly, because a drop would swallow the error of the last write.
            let closed = database.close();
            closed.map_err(|reason| not_made(refused(path, contents, reason, &trouble)))?;
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

fn attempt(path: &Path, contents: &Contents) -> Result<OpenAttempt, OpenError> {
    let system = |source| OpenError::System {
        what: contents.what,
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
    redb_open(file, path, path, contents)
}

/// The checksums of all pages are checked, not only after a crash: a file is damaged in other ways too.
fn redb_open(file: File, at: &Path, path: &Path, contents: &Contents) -> Result<OpenAttempt, OpenError> {
    let trouble = Trouble::default();
    let open = || {
        let medium = Medium::new(file, at.to_owned(), trouble.clone())?;
        redb::Builder::new()
            .set_cache_size(contents.cache_bytes)
            .set_check_integrity_on_open(true)
            .create_with_backend(medium)
    };
    // Nothing that a panic leaves half done is used again: the medium ends with the closure.
    let what = contents.what;
    let opened = catch_unwind(AssertUnwindSafe(open));
    let reason = match opened {
        Ok(Ok(database)) => return Ok(OpenAttempt::OpenDatabase(Box::new(OpenDatabase { database, trouble }))),
        // A lock that another process has says nothing about the health of the file.
        Ok(Err(DatabaseError::DatabaseAlreadyOpen)) => {
            let path = path.to_owned();
            return Err(OpenError::InUse { what, path });
        }
        Ok(Err(reason)) => Some(reason),
        Err(_) => None,
    };
    // First of all: after an error of the system nothing that redb says of the file can be believed.
    if let Some(source) = trouble.first() {
        return Err(OpenError::System {
            what,
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
        Some(reason) => Err(refused(path, contents, reason, &trouble)),
    }
}

fn refused(path: &Path, contents: &Contents, reason: DatabaseError, trouble: &Trouble) -> OpenError {
    let (what, path) = (contents.what, path.to_owned());
    match trouble.first() {
        Some(source) => OpenError::System { what, path, source },
        None => OpenError::Unusable {
            what,
            path,
            reason: Box::new(reason),
        },
    }
}
