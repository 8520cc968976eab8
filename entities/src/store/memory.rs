//! A store that is a map.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::Arc;

use parking_lot::Mutex;
use ractor_host_placement::statement::WriteOutcome;
use ractor_host_placement::words::{Entity, EntityKey, EntityType};

use super::{
    Change, DuePlace, EntityStore, Fence, ReminderChange, ReplyChange, StoreError, Stored, StoredDue, StoredReminder,
    Write,
};
use crate::reminders::slot;

/// A store that is gone with the process: for tests, and for types that are never written. It is one node's, and looks at no fence.
#[derive(Debug, Default)]
pub struct MemoryStore(Mutex<BTreeMap<Entity, Stored>>);

impl EntityStore for MemoryStore {
    fn write(&self, writes: &[Arc<Write>]) -> Result<Vec<WriteOutcome>, StoreError> {
        let mut all = self.0.lock();
        for write in writes {
            let stored = all.entry(write.entity.clone()).or_default();
            match &write.change {
                Change::Put(state) => stored.state = Some(state.clone()),
                Change::Keep => {}
                Change::Delete => *stored = Stored::default(),
            }
            for change in &write.reminders {
                change_reminder(&mut stored.reminders, change);
            }
            for change in &write.replies {
                let (scope, key) = match change {
                    ReplyChange::Put(reply) => (&reply.scope, &reply.key),
                    ReplyChange::Remove(scope, key) => (scope, key),
                };
                stored.replies.retain(|kept| (&kept.scope, &kept.key) != (scope, key));
                if let ReplyChange::Put(reply) = change {
                    stored.replies.push(reply.clone());
                }
            }
            if *stored == Stored::default() {
                all.remove(&write.entity);
            }
        }
        Ok(vec![WriteOutcome::Accepted; writes.len()])
    }

    fn read(&self, entity: &Entity, _: Option<Fence>) -> Result<Stored, StoreError> {
        Ok(self.0.lock().get(entity).cloned().unwrap_or_default())
    }

    fn keys(&self, of: &EntityType, after: Option<&EntityKey>, most: usize) -> Result<Vec<EntityKey>, StoreError> {
        let all = self.0.lock();
        let is_wanted = |entity: &Entity| entity.entity_type == *of && after.is_none_or(|after| entity.key > *after);
        Ok(all
            .iter()
            .filter(|(entity, stored)| stored.state.is_some() && is_wanted(entity))
            .take(most)
            .map(|(entity, _)| entity.key.clone())
            .collect())
    }

    fn due(
        &self,
        slots: RangeInclusive<u8>,
        after: &DuePlace,
        until_ms: u64,
        most: usize,
    ) -> Result<Vec<StoredDue>, StoreError> {
        let all = self.0.lock();
        let of_slots = all.iter().filter(|(entity, _)| slots.contains(&slot(entity)));
        let mut due: Vec<StoredDue> = of_slots
            .flat_map(|(entity, stored)| {
                let reminders = stored.reminders.iter();
                reminders.filter_map(|reminder| {
                    Some(StoredDue {
                        entity: entity.clone(),
                        id: reminder.id.clone(),
                        due_ms: reminder.due_ms?,
                        period_ms: reminder.period_ms,
                    })
                })
            })
            .filter(|due| due.due_ms <= until_ms && due.place() > *after)
            .collect();
        due.sort_by_key(StoredDue::place);
        due.truncate(most);
        Ok(due)
    }

    fn forget_replies(&self, before_ms: u64) -> Result<(), StoreError> {
        let mut all = self.0.lock();
        for stored in all.values_mut() {
            stored.replies.retain(|kept| kept.at_ms >= before_ms);
        }
        all.retain(|_, stored| *stored != Stored::default());
        Ok(())
    }
}

fn change_reminder(reminders: &mut Vec<StoredReminder>, change: &ReminderChange) {
    match change {
        ReminderChange::Put(reminder) => {
            reminders.retain(|one| one.id != reminder.id);
            reminders.push(reminder.clone());
        }
        ReminderChange::Remove(id) => reminders.retain(|one| one.id != *id),
        ReminderChange::GiveUp { id, next_ms, given_up } => {
            let is_it = |one: &&mut StoredReminder| one.id == *id && one.due_ms == Some(given_up.due_ms);
            if let Some(reminder) = reminders.iter_mut().find(is_it) {
                (reminder.due_ms, reminder.given_up) = (*next_ms, Some(*given_up));
            }
        }
    }
}
