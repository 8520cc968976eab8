//! The embedded database of checkpoints.

#[cfg(test)]
mod tests;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::RwLock;
use redb::{ReadableDatabase as _, ReadableTable as _, StorageError, TableDefinition, TableError};

use super::opening::{self, OpenDatabase, OpenError};
use super::record;
use crate::guest::{CheckpointStore, Digest, Entry, Kept, StoreError};

/// By the actor's name and the checkpoint's number.
pub(super) const CHECKPOINTS: TableDefinition<'_, (&str, u64), &[u8]> = TableDefinition::new("checkpoints");

/// Those of them that are held, by the same key, with the digest of the code that they are of.
pub(super) const HELD: TableDefinition<'_, (&str, u64), &[u8; 32]> = TableDefinition::new("held");

/// The number of versions of an actor's code of which checkpoints are held. For a further one, those of the oldest are given up.
const MOST_HELD_VERSIONS: usize = 3;

/// A [`CheckpointStore`] in one file. After an error of the system the file is closed, and opened again when it is wanted next.
pub struct Database {
    path: PathBuf,
    /// None after an error.
    file: RwLock<Option<File>>,
}

/// The file while it is open.
pub(super) struct File {
    pub(super) opened: OpenDatabase,
    /// True at first after an error: what was being written then may be there or not.
    is_uncertain: AtomicBool,
}

impl std::fmt::Debug for Database {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Database")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

/// Why something was not done.
#[derive(Debug, thiserror::Error)]
pub(super) enum DatabaseFailure {
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error(transparent)]
    Database(#[from] redb::Error),
    #[error("{0}")]
    System(std::io::Error),
    #[error("the database panicked")]
    Panicked,
    #[error("the name of the module that {0} runs is too long for a record")]
    NoRecord(String),
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

impl Database {
    /// Opens the file, making it and its folder if need be. A file that is damaged is put aside, under a name that says so,
    /// and an empty one takes its place. One that can't be read or written now stays where it is.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn open(path: PathBuf) -> Result<Self, OpenError> {
        let file = File {
            opened: opening::open(&path)?,
            is_uncertain: AtomicBool::new(false),
        };
        Ok(Self {
            path,
            file: RwLock::new(Some(file)),
        })
    }

    /// Does this with the open file, which is opened again if need be, and closed after an error: redb does nothing more after
    /// one.
    pub(super) fn with<T>(&self, work: impl Fn(&File) -> Result<T, DatabaseFailure>) -> Result<T, DatabaseFailure> {
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
                Err(DatabaseFailure::NoRecord(actor)) => return Err(DatabaseFailure::NoRecord(actor)),
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
            *file = Some(File {
                opened: opening::open(&self.path)?,
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

    fn remove(&self, actor: &str, keep: u32) -> Result<(), DatabaseFailure> {
        self.with(|file| {
            let transaction = file.opened.database.begin_write()?;
            {
                let mut tables = Tables {
                    checkpoints: transaction.open_table(CHECKPOINTS)?,
                    held: transaction.open_table(HELD)?,
                };
                // Otherwise `remove_older` would pass over what is held, and the actor's states would never be gone.
                if keep == 0 {
                    tables.release(actor)?;
                }
                tables.remove_older(actor, keep)?;
            }
            transaction.commit()?;
            Ok(())
        })
    }
}

fn put_all(file: &File, entries: &[Entry]) -> Result<(), DatabaseFailure> {
    let transaction = file.opened.database.begin_write()?;
    {
        let mut tables = Tables {
            checkpoints: transaction.open_table(CHECKPOINTS)?,
            held: transaction.open_table(HELD)?,
        };
        for entry in entries {
            // Relaxed will do: redb lets one transaction write at a time, and a `true` that is out of date costs a comparison.
            tables.put(entry, file.is_uncertain.load(Ordering::Relaxed))?;
        }
    }
    transaction.commit()?;
    // From now on it is known again what is there.
    file.is_uncertain.store(false, Ordering::Relaxed);
    Ok(())
}

fn read(file: &File, actor: &str, before: Option<u64>) -> Result<Option<Kept>, DatabaseFailure> {
    let transaction = file.opened.database.begin_read()?;
    let table = match transaction.open_table(CHECKPOINTS) {
        Ok(table) => table,
        Err(TableError::TableDoesNotExist(_)) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    // From the newest down: one that is damaged must not hide the sound ones before it.
    for entry in table.range((actor, 0)..(actor, before.unwrap_or(u64::MAX)))?.rev() {
        let (key, value) = entry?;
        let (_, number) = key.value();
        if let Some(checkpoint) = record::read(actor, number, value.value()) {
            return Ok(Some(Kept { number, checkpoint }));
        }
        tracing::warn!(actor, number, "a checkpoint is damaged; the one before it is taken");
    }
    Ok(None)
}

impl CheckpointStore for Database {
    fn put(&self, entries: &[Entry]) -> Result<(), StoreError> {
        self.with(|file| put_all(file, entries)).map_err(store_error)
    }

    fn latest(&self, actor: &str, before: Option<u64>) -> Result<Option<Kept>, StoreError> {
        let look = || self.with(|file| read(file, actor, before));
        // An actor waits for it, and opening the file again may be all that it takes.
        look().or_else(|_| look()).map_err(store_error)
    }

    fn prune(&self, actor: &str, keep: u32) -> Result<(), StoreError> {
        self.remove(actor, keep).map_err(store_error)
    }
}

pub(super) fn store_error(error: DatabaseFailure) -> StoreError {
    StoreError(error.into())
}

/// What one transaction writes to.
struct Tables<'t> {
    checkpoints: redb::Table<'t, (&'static str, u64), &'static [u8]>,
    held: redb::Table<'t, (&'static str, u64), &'static [u8; 32]>,
}

impl Tables<'_> {
    fn put(&mut self, entry: &Entry, is_uncertain: bool) -> Result<(), DatabaseFailure> {
        let Entry {
            actor,
            checkpoint,
            keep,
            hold,
        } = entry;
        let actor = actor.as_str();
        // First, since `remove_older` below would take what is to be held.
        self.hold(actor, hold, *keep)?;
        let last = self.numbers(actor)?.next_back().transpose()?;
        if is_uncertain
            && let Some(last) = last
            && let Some(there) = self.checkpoints.get((actor, last))?
            && record::read(actor, last, there.value()).as_ref() == Some(&**checkpoint)
        {
            // The attempt that seemed to fail has written it.
            return Ok(());
        }
        let number = last.map_or(0, |last| last.saturating_add(1));
        let mut place = self
            .checkpoints
            .insert_reserve((actor, number), record::length(checkpoint))?;
        record::write(actor, number, checkpoint, place.as_mut())
            .ok_or_else(|| DatabaseFailure::NoRecord(actor.to_owned()))?;
        drop(place);
        self.remove_older(actor, *keep)
    }

    /// The numbers of an actor's checkpoints, upwards.
    fn numbers(&self, actor: &str) -> Result<impl DoubleEndedIterator<Item = Result<u64, StorageError>>, StorageError> {
        let range = self.checkpoints.range((actor, 0)..=(actor, u64::MAX))?;
        Ok(range.map(|entry| entry.map(|(key, _)| key.value().1)))
    }

    /// Gives up the older ones, but for those that are held.
    fn remove_older(&mut self, actor: &str, keep: u32) -> Result<(), DatabaseFailure> {
        let keep = usize::try_from(keep).unwrap_or(usize::MAX);
        let held = self.held(actor)?;
        let numbers: Vec<u64> = self.numbers(actor)?.collect::<Result<_, _>>()?;
        let free = numbers
            .into_iter()
            .rev()
            .filter(|number| held.iter().all(|(held, _)| held != number));
        for number in free.skip(keep) {
            self.checkpoints.remove((actor, number))?;
        }
        Ok(())
    }

    /// Those that are held, upwards.
    fn held(&self, actor: &str) -> Result<Vec<(u64, Digest)>, DatabaseFailure> {
        let range = self.held.range((actor, 0)..=(actor, u64::MAX))?;
        let held = range.map(|entry| entry.map(|(key, value)| (key.value().1, Digest::from_bytes(*value.value()))));
        Ok(held.collect::<Result<_, _>>()?)
    }

    /// Holds these, as far as there is room: the first `keep` of each version of the code, and those of few versions. The first
    /// that can't be restored are what the actor had before it went wrong.
    fn hold(&mut self, actor: &str, numbers: &[u64], keep: u32) -> Result<(), DatabaseFailure> {
        let keep = usize::try_from(keep).unwrap_or(usize::MAX);
        for &number in numbers {
            let of = match self.checkpoints.get((actor, number))? {
                Some(there) => record::read(actor, number, there.value()).map(|checkpoint| checkpoint.digest),
                None => None,
            };
            // It is gone or damaged by now, so there is nothing to hold.
            let Some(of) = of else { continue };
            let held = self.held(actor)?;
            let of_this_version = held.iter().filter(|(_, digest)| *digest == of).count();
            if of_this_version >= keep || held.iter().any(|(held, _)| *held == number) {
                continue;
            }
            self.held.insert((actor, number), of.as_bytes())?;
            if of_this_version == 0 {
                self.release_oldest(actor, held)?;
            }
        }
        Ok(())
    }

    /// Makes room for another version of the code. `held` is upwards, and without it.
    fn release_oldest(&mut self, actor: &str, held: Vec<(u64, Digest)>) -> Result<(), DatabaseFailure> {
        let mut versions: Vec<Digest> = Vec::new();
        for (_, digest) in &held {
            if !versions.contains(digest) {
                versions.push(*digest);
            }
        }
        if versions.len() < MOST_HELD_VERSIONS {
            return Ok(());
        }
        let oldest = versions.first().copied();
        for (number, _) in held.into_iter().filter(|(_, digest)| Some(*digest) == oldest) {
            self.held.remove((actor, number))?;
        }
        Ok(())
    }

    /// Holds none of them any more.
    fn release(&mut self, actor: &str) -> Result<(), DatabaseFailure> {
        for (number, _) in self.held(actor)? {
            self.held.remove((actor, number))?;
        }
        Ok(())
    }
}
