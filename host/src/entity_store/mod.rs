//! Where the states of entities are kept on one node, with their reminders and the replies that are kept: an embedded database, a file of
//! its own.
//!
//! The file is one node's alone, so that no fence is looked at, and no write comes late.
//!
//! A state that can't be read is an error, and never no state: the entity would start afresh, and overwrite it. So a damaged file isn't put
//! aside as that of the checkpoints is, but refused.

mod beside;
mod record;
#[cfg(test)]
mod tests;

use std::ops::{Bound, RangeInclusive};
use std::path::PathBuf;
use std::sync::Arc;

use redb::{ReadTransaction, ReadableDatabase as _, ReadableTable as _, TableDefinition, TableError};

use self::record::NoRecord;
use crate::database::{Contents, DatabaseFailure, DatabaseFile, OnDamage, OpenError, OpenFile};
use crate::entities::{
    Change, DuePlace, Entity, EntityKey, EntityStore, EntityType, Fence, StoreError, Stored, StoredDue, StoredState,
    Write, WriteOutcome,
};

/// By type and key.
const STATES: TableDefinition<'_, (&str, &[u8]), &[u8]> = TableDefinition::new("states");

/// The number of states of a type.
const COUNTS: TableDefinition<'_, &str, u64> = TableDefinition::new("counts");

/// What the database has. States are read whenever an entity is activated; what the system keeps of the file serves that too.
const CONTENTS: Contents = Contents {
    what: "states of entities",
    cache_bytes: 32 << 20,
    on_damage: OnDamage::Refuse,
};

/// An [`EntityStore`] in one file. After an error of the system the file is closed, and opened again when it is wanted next.
#[derive(Debug)]
pub(crate) struct EntityDatabase(DatabaseFile);

impl EntityDatabase {
    /// Opens the file, making it and its folder if need be. One that is damaged, or can't be read or written now, stays as it is.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub(crate) fn open(path: PathBuf) -> Result<Self, OpenError> {
        DatabaseFile::open(path, &CONTENTS).map(Self)
    }

    /// How many entities of a type have a state.
    ///
    /// # Errors
    /// The file could not be read.
    pub(crate) fn count(&self, of: &EntityType) -> Result<u64, StoreError> {
        self.read(|file| {
            let transaction = file.database().begin_read()?;
            match transaction.open_table(COUNTS) {
                Ok(table) => Ok(table.get(of.name())?.map_or(0, |count| count.value())),
                Err(TableError::TableDoesNotExist(_)) => Ok(0),
                Err(error) => Err(error.into()),
            }
        })
    }

    fn read<T>(&self, look: impl Fn(&OpenFile) -> Result<T, DatabaseFailure>) -> Result<T, StoreError> {
        // Somebody waits for it, and opening the file again may be all that it takes.
        match self.0.with(&look) {
            Err(DatabaseFailure::Entry(reason)) => Err(DatabaseFailure::Entry(reason)),
            Err(_) => self.0.with(&look),
            done => done,
        }
        .map_err(store_error)
    }
}

fn store_error(error: DatabaseFailure) -> StoreError {
    // Whatever became of the commit is to be read now, and nothing of it comes later.
    StoreError::failed(error)
}

impl EntityStore for EntityDatabase {
    fn write(&self, writes: &[Arc<Write>]) -> Result<Vec<WriteOutcome>, StoreError> {
        self.0.with(|file| write_all(file, writes)).map_err(store_error)?;
        Ok(vec![WriteOutcome::Accepted; writes.len()])
    }

    fn read(&self, entity: &Entity, _: Option<Fence>) -> Result<Stored, StoreError> {
        self.read(|file| {
            let transaction = file.database().begin_read()?;
            Ok(Stored {
                state: state_of(&transaction, entity)?,
                reminders: beside::reminders_of(&transaction, entity)?,
                replies: beside::replies_of(&transaction, entity)?,
            })
        })
    }

    fn keys(&self, of: &EntityType, after: Option<&EntityKey>, most: usize) -> Result<Vec<EntityKey>, StoreError> {
        self.read(|file| keys(file, of, after, most))
    }

    fn due(
        &self,
        slots: RangeInclusive<u8>,
        after: &DuePlace,
        until_ms: u64,
        most: usize,
    ) -> Result<Vec<StoredDue>, StoreError> {
        self.read(|file| beside::due(file, slots.clone(), after, until_ms, most))
    }

    fn forget_replies(&self, before_ms: u64) -> Result<(), StoreError> {
        self.0
            .with(|file| beside::forget_replies(file, before_ms))
            .map_err(store_error)
    }
}

fn write_all(file: &OpenFile, writes: &[Arc<Write>]) -> Result<(), DatabaseFailure> {
    let transaction = file.database().begin_write()?;
    {
        let mut states = transaction.open_table(STATES)?;
        let mut counts = transaction.open_table(COUNTS)?;
        // Most commits are of states alone.
        let is_beside =
            |write: &Write| write.change == Change::Delete || !write.reminders.is_empty() || !write.replies.is_empty();
        let mut beside = match writes.iter().any(|write| is_beside(write)) {
            true => Some(beside::Tables::open(&transaction)?),
            false => None,
        };
        for write in writes {
            let Write { entity, change, .. } = &**write;
            let (of, key) = (entity.entity_type.name(), entity.key.bytes());
            let (was, is) = match change {
                Change::Put(state) => {
                    let record = record::write(entity, state).ok_or_else(|| {
                        DatabaseFailure::Entry(format!("the name of the code of {entity} is too long for a record"))
                    })?;
                    (states.insert((of, key), record.as_slice())?.is_some(), true)
                }
                Change::Keep => (false, false),
                Change::Delete => {
                    if let Some(beside) = &mut beside {
                        beside.delete(entity)?;
                    }
                    (states.remove((of, key))?.is_some(), false)
                }
            };
            if let Some(beside) = &mut beside {
                beside.change(write)?;
            }
            if was != is {
                let there = counts.get(of)?.map_or(0, |count| count.value());
                counts.insert(of, if is { there + 1 } else { there.saturating_sub(1) })?;
            }
        }
    }
    transaction.commit()?;
    file.handle_committed();
    Ok(())
}

fn state_of(transaction: &ReadTransaction, entity: &Entity) -> Result<Option<StoredState>, DatabaseFailure> {
    let table = match transaction.open_table(STATES) {
        Ok(table) => table,
        Err(TableError::TableDoesNotExist(_)) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let Some(found) = table.get((entity.entity_type.name(), entity.key.bytes()))? else {
        return Ok(None);
    };
    record::read(entity, found.value())
        .map(Some)
        .map_err(|reason| unread(entity, "the state", reason))
}

/// What can't be read of an entity, and what to do.
fn unread(entity: &Entity, what: &str, reason: NoRecord) -> DatabaseFailure {
    DatabaseFailure::Entry(match reason {
        NoRecord::Damaged => format!(
            "{what} of {entity} is damaged; put a copy of the file from before in its place, or give the state up: `ractor-host entities \
             delete {entity}`"
        ),
        NoRecord::Layout(layout) => format!(
            "{what} of {entity} was written by a later version (layout {layout}); run that version, or give the state up: `ractor-host \
             entities delete {entity}`"
        ),
    })
}

fn keys(
    file: &OpenFile,
    of: &EntityType,
    after: Option<&EntityKey>,
    most: usize,
) -> Result<Vec<EntityKey>, DatabaseFailure> {
    let transaction = file.database().begin_read()?;
    let table = match transaction.open_table(STATES) {
        Ok(table) => table,
        Err(TableError::TableDoesNotExist(_)) => return Ok(Vec::new()),
        Err(error) => return Err(error.into()),
    };
    let first = match after {
        Some(after) => Bound::Excluded((of.name(), after.bytes())),
        None => Bound::Included((of.name(), &[][..])),
    };
    let mut keys = Vec::new();
    for entry in table.range::<(&str, &[u8])>((first, Bound::Unbounded))?.take(most) {
        let (found, _) = entry?;
        let (entity_type, key) = found.value();
        if entity_type != of.name() {
            break;
        }
        let key = EntityKey::new(key).map_err(|error| DatabaseFailure::Entry(error.to_string()))?;
        keys.push(key);
    }
    Ok(keys)
}
