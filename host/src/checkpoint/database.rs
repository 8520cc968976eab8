//! The embedded database of checkpoints.

#[cfg(test)]
mod tests;

use std::path::PathBuf;

use redb::{ReadableDatabase as _, ReadableTable as _, StorageError, TableDefinition, TableError};

use super::record;
use crate::database::{Contents, DatabaseFailure, DatabaseFile, OnDamage, OpenError, OpenFile};
use crate::guest::{CheckpointStore, Digest, Entry, Kept, StoreError};

/// By the actor's name and the checkpoint's number.
pub(super) const CHECKPOINTS: TableDefinition<'_, (&str, u64), &[u8]> = TableDefinition::new("checkpoints");

/// Those of them that are held, by the same key, with the digest of the code that they are of.
pub(super) const HELD: TableDefinition<'_, (&str, u64), &[u8; 32]> = TableDefinition::new("held");

/// The number of versions of an actor's code of which checkpoints are held. For a further one, those of the oldest are given up.
const MOST_HELD_VERSIONS: usize = 3;

/// What the database has. Checkpoints are written often and hardly ever read.
const CONTENTS: Contents = Contents {
    what: "checkpoints",
    cache_bytes: 8 << 20,
    on_damage: OnDamage::PutAside("actors start without them"),
};

/// A [`CheckpointStore`] in one file. After an error of the system the file is closed, and opened again when it is wanted next.
#[derive(Debug)]
pub struct Database(DatabaseFile);

impl Database {
    /// Opens the file, making it and its folder if need be. A file that is damaged is put aside, under a name that says so,
    /// and an empty one takes its place. One that can't be read or written now stays where it is.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn open(path: PathBuf) -> Result<Self, OpenError> {
        DatabaseFile::open(path, &CONTENTS).map(Self)
    }

    pub(super) fn with<T>(&self, work: impl Fn(&OpenFile) -> Result<T, DatabaseFailure>) -> Result<T, DatabaseFailure> {
        self.0.with(work)
    }

    fn remove(&self, actor: &str, keep: u32) -> Result<(), DatabaseFailure> {
        self.with(|file| {
            let transaction = file.database().begin_write()?;
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

fn put_all(file: &OpenFile, entries: &[Entry]) -> Result<(), DatabaseFailure> {
    let transaction = file.database().begin_write()?;
    {
        let mut tables = Tables {
            checkpoints: transaction.open_table(CHECKPOINTS)?,
            held: transaction.open_table(HELD)?,
        };
        for entry in entries {
            tables.put(entry, file.is_uncertain())?;
        }
    }
    transaction.commit()?;
    file.handle_committed();
    Ok(())
}

fn read(file: &OpenFile, actor: &str, before: Option<u64>) -> Result<Option<Kept>, DatabaseFailure> {
    let transaction = file.database().begin_read()?;
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
        record::write(actor, number, checkpoint, place.as_mut()).ok_or_else(|| {
            DatabaseFailure::Entry(format!(
                "the name of the module that {actor} runs is too long for a record"
            ))
        })?;
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
