//! What is kept beside the states of entities: reminders, and replies to calls that bore a key.
//!
//! A file from before these tables has none of them, which reads as if they were empty; the first write adds them.

use std::ops::{Bound, RangeInclusive};

use redb::{
    ReadTransaction, ReadableDatabase as _, ReadableTable as _, Table, TableDefinition, TableError, WriteTransaction,
};

use super::{record, unread};
use crate::database::{DatabaseFailure, OpenFile};
use crate::entities::{
    DuePlace, Entity, KeptReply, ReminderChange, ReplyChange, StoredDue, StoredReminder, Write, slot,
};

/// By type, key and id.
pub(super) const REMINDERS: TableDefinition<'_, (&str, &[u8], &str), &[u8]> = TableDefinition::new("reminders");

/// The periods of reminders that are due, 0 for none, by slot, time, type, key and id.
const DUE: TableDefinition<'_, (u8, u64, &str, &[u8], &str), u64> = TableDefinition::new("due");

/// By type, key, scope and the key of the call.
const REPLIES: TableDefinition<'_, (&str, &[u8], &str, &str), &[u8]> = TableDefinition::new("replies");

/// Kept replies by the time at which they were kept.
const REPLY_TIMES: TableDefinition<'_, (u64, &str, &[u8], &str, &str), ()> = TableDefinition::new("reply_times");

/// The kept replies that are given up in one commit.
const FORGOTTEN: usize = 1_000;

/// The tables, for the changes of one commit.
pub(super) struct Tables<'t> {
    reminders: Table<'t, (&'static str, &'static [u8], &'static str), &'static [u8]>,
    due: Table<'t, (u8, u64, &'static str, &'static [u8], &'static str), u64>,
    replies: Table<'t, (&'static str, &'static [u8], &'static str, &'static str), &'static [u8]>,
    reply_times: Table<'t, (u64, &'static str, &'static [u8], &'static str, &'static str), ()>,
}

impl<'t> Tables<'t> {
    pub(super) fn open(transaction: &'t WriteTransaction) -> Result<Self, DatabaseFailure> {
        Ok(Self {
            reminders: transaction.open_table(REMINDERS)?,
            due: transaction.open_table(DUE)?,
            replies: transaction.open_table(REPLIES)?,
            reply_times: transaction.open_table(REPLY_TIMES)?,
        })
    }

    /// Does what a write says of them.
    pub(super) fn change(&mut self, write: &Write) -> Result<(), DatabaseFailure> {
        let entity = &write.entity;
        for change in &write.reminders {
            match change {
                ReminderChange::Put(reminder) => {
                    self.remove_reminder(entity, &reminder.id)?;
                    self.put_reminder(entity, reminder)?;
                }
                ReminderChange::Remove(id) => self.remove_reminder(entity, id)?,
                ReminderChange::GiveUp { id, next_ms, given_up } => {
                    let found = self.reminder(entity, id)?;
                    if let Some(reminder) = found.filter(|one| one.due_ms == Some(given_up.due_ms)) {
                        self.remove_reminder(entity, id)?;
                        let reminder = StoredReminder {
                            due_ms: *next_ms,
                            given_up: Some(*given_up),
                            ..reminder
                        };
                        self.put_reminder(entity, &reminder)?;
                    }
                }
            }
        }
        for change in &write.replies {
            match change {
                ReplyChange::Put(kept) => {
                    self.remove_reply(entity, (&kept.scope, &kept.key))?;
                    self.put_reply(entity, kept)?;
                }
                ReplyChange::Remove(scope, key) => self.remove_reply(entity, (scope, key))?,
            }
        }
        Ok(())
    }

    /// Removes all of an entity, also what can't be read any more.
    pub(super) fn delete(&mut self, entity: &Entity) -> Result<(), DatabaseFailure> {
        let (of, key) = (entity.entity_type.name(), entity.key.bytes());
        let mut ids = Vec::new();
        for entry in self.reminders.range((of, key, "")..)? {
            let (found, _) = entry?;
            let (found_of, found_key, id) = found.value();
            if (found_of, found_key) != (of, key) {
                break;
            }
            ids.push(id.to_owned());
        }
        for id in ids {
            self.remove_reminder(entity, &id)?;
        }
        let mut kept = Vec::new();
        for entry in self.replies.range((of, key, "", "")..)? {
            let (found, _) = entry?;
            let (found_of, found_key, scope, call) = found.value();
            if (found_of, found_key) != (of, key) {
                break;
            }
            kept.push((scope.to_owned(), call.to_owned()));
        }
        for (scope, call) in kept {
            self.remove_reply(entity, (&scope, &call))?;
        }
        Ok(())
    }

    fn reminder(&self, entity: &Entity, id: &str) -> Result<Option<StoredReminder>, DatabaseFailure> {
        let found = self
            .reminders
            .get((entity.entity_type.name(), entity.key.bytes(), id))?;
        // Whatever can't be read is of no time, and stays until it is written anew or the entity is given up.
        Ok(found.and_then(|found| record::read_reminder(entity, id, found.value()).ok()))
    }

    fn put_reminder(&mut self, entity: &Entity, reminder: &StoredReminder) -> Result<(), DatabaseFailure> {
        let (of, key) = (entity.entity_type.name(), entity.key.bytes());
        let record = record::write_reminder(entity, reminder).ok_or_else(|| {
            DatabaseFailure::Entry(format!(
                "the variant of a reminder of {entity} is too long for a record"
            ))
        })?;
        self.reminders
            .insert((of, key, reminder.id.as_str()), record.as_slice())?;
        if let Some(due_ms) = reminder.due_ms {
            let place = (slot(entity), due_ms, of, key, reminder.id.as_str());
            self.due.insert(place, reminder.period_ms.unwrap_or_default())?;
        }
        Ok(())
    }

    fn remove_reminder(&mut self, entity: &Entity, id: &str) -> Result<(), DatabaseFailure> {
        let due_ms = self.reminder(entity, id)?.and_then(|reminder| reminder.due_ms);
        let (of, key) = (entity.entity_type.name(), entity.key.bytes());
        self.reminders.remove((of, key, id))?;
        if let Some(due_ms) = due_ms {
            self.due.remove((slot(entity), due_ms, of, key, id))?;
        }
        Ok(())
    }

    fn put_reply(&mut self, entity: &Entity, kept: &KeptReply) -> Result<(), DatabaseFailure> {
        let (of, key) = (entity.entity_type.name(), entity.key.bytes());
        let (scope, call) = (kept.scope.as_str(), kept.key.as_str());
        let record = record::write_reply(entity, kept)
            .ok_or_else(|| DatabaseFailure::Entry(format!("a reply of {entity} is too long for a record")))?;
        self.replies.insert((of, key, scope, call), record.as_slice())?;
        self.reply_times.insert((kept.at_ms, of, key, scope, call), ())?;
        Ok(())
    }

    fn remove_reply(&mut self, entity: &Entity, (scope, call): (&str, &str)) -> Result<(), DatabaseFailure> {
        let (of, key) = (entity.entity_type.name(), entity.key.bytes());
        let at_ms = self
            .replies
            .remove((of, key, scope, call))?
            .and_then(|found| record::read_reply(entity, (scope, call), found.value()).ok())
            .map(|kept| kept.at_ms);
        if let Some(at_ms) = at_ms {
            self.reply_times.remove((at_ms, of, key, scope, call))?;
        }
        Ok(())
    }
}

/// The reminders of an entity.
pub(super) fn reminders_of(
    transaction: &ReadTransaction,
    entity: &Entity,
) -> Result<Vec<StoredReminder>, DatabaseFailure> {
    let table = match transaction.open_table(REMINDERS) {
        Ok(table) => table,
        Err(TableError::TableDoesNotExist(_)) => return Ok(Vec::new()),
        Err(error) => return Err(error.into()),
    };
    let (of, key) = (entity.entity_type.name(), entity.key.bytes());
    let mut all = Vec::new();
    for entry in table.range((of, key, "")..)? {
        let (found, record) = entry?;
        let (found_of, found_key, id) = found.value();
        if (found_of, found_key) != (of, key) {
            break;
        }
        let reminder = record::read_reminder(entity, id, record.value());
        all.push(reminder.map_err(|reason| unread(entity, "a reminder", reason))?);
    }
    Ok(all)
}

/// The replies that an entity keeps.
pub(super) fn replies_of(transaction: &ReadTransaction, entity: &Entity) -> Result<Vec<KeptReply>, DatabaseFailure> {
    let table = match transaction.open_table(REPLIES) {
        Ok(table) => table,
        Err(TableError::TableDoesNotExist(_)) => return Ok(Vec::new()),
        Err(error) => return Err(error.into()),
    };
    let (of, key) = (entity.entity_type.name(), entity.key.bytes());
    let mut all = Vec::new();
    for entry in table.range((of, key, "", "")..)? {
        let (found, record) = entry?;
        let (found_of, found_key, scope, call) = found.value();
        if (found_of, found_key) != (of, key) {
            break;
        }
        let kept = record::read_reply(entity, (scope, call), record.value());
        all.push(kept.map_err(|reason| unread(entity, "a kept reply", reason))?);
    }
    Ok(all)
}

/// See [`EntityStore::due`](crate::entities::EntityStore::due).
pub(super) fn due(
    file: &OpenFile,
    slots: RangeInclusive<u8>,
    after: &DuePlace,
    until_ms: u64,
    most: usize,
) -> Result<Vec<StoredDue>, DatabaseFailure> {
    let transaction = file.database().begin_read()?;
    let table = match transaction.open_table(DUE) {
        Ok(table) => table,
        Err(TableError::TableDoesNotExist(_)) => return Ok(Vec::new()),
        Err(error) => return Err(error.into()),
    };
    let mut all = Vec::new();
    for slot in slots {
        let first = match &after.reminder {
            Some((entity, id)) => Bound::Excluded((
                slot,
                after.due_ms,
                entity.entity_type.name(),
                entity.key.bytes(),
                id.as_str(),
            )),
            None => Bound::Included((slot, after.due_ms, "", &[][..], "")),
        };
        let range = (first, Bound::Unbounded);
        for entry in table.range::<(u8, u64, &str, &[u8], &str)>(range)?.take(most) {
            let (found, period_ms) = entry?;
            let (of_slot, due_ms, of, key, id) = found.value();
            if of_slot != slot || due_ms > until_ms {
                break;
            }
            let entity = Entity::new(of, key).map_err(|error| DatabaseFailure::Entry(error.to_string()))?;
            all.push(StoredDue {
                entity,
                id: id.to_owned(),
                due_ms,
                period_ms: Some(period_ms.value()).filter(|period_ms| *period_ms > 0),
            });
        }
    }
    all.sort_by_cached_key(StoredDue::place);
    all.truncate(most);
    Ok(all)
}

/// See [`EntityStore::forget_replies`](crate::entities::EntityStore::forget_replies).
pub(super) fn forget_replies(file: &OpenFile, before_ms: u64) -> Result<(), DatabaseFailure> {
    let old = {
        let transaction = file.database().begin_read()?;
        let table = match transaction.open_table(REPLY_TIMES) {
            Ok(table) => table,
            Err(TableError::TableDoesNotExist(_)) => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        let mut old = Vec::new();
        for entry in table.range(..(before_ms, "", &[][..], "", ""))?.take(FORGOTTEN) {
            let (found, _) = entry?;
            let (_, of, key, scope, call) = found.value();
            let entity = Entity::new(of, key).map_err(|error| DatabaseFailure::Entry(error.to_string()))?;
            old.push((entity, scope.to_owned(), call.to_owned()));
        }
        old
    };
    if old.is_empty() {
        return Ok(());
    }
    let transaction = file.database().begin_write()?;
    {
        let mut tables = Tables::open(&transaction)?;
        for (entity, scope, call) in &old {
            // It may have been kept anew meanwhile.
            let (of, key) = (entity.entity_type.name(), entity.key.bytes());
            let is_old = tables
                .replies
                .get((of, key, scope.as_str(), call.as_str()))?
                .and_then(|found| record::read_reply(entity, (scope, call), found.value()).ok())
                .is_some_and(|kept| kept.at_ms < before_ms);
            if is_old {
                tables.remove_reply(entity, (scope, call))?;
            }
        }
    }
    transaction.commit()?;
    file.handle_committed();
    Ok(())
}
