//! The reminders of one activation of an entity: what is written of them, and what the message at hand has changed. Pure.

use std::collections::BTreeMap;

use super::{Firing, ID_BYTES, ReminderError, ReminderLimits};
use crate::store::{ReminderChange, StoredReminder};

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Book {
    rows: BTreeMap<String, StoredReminder>,
    limits: ReminderLimits,
    /// What the rows were that have changed since the changes were last taken.
    before: BTreeMap<String, Option<StoredReminder>>,
    /// The firings that are handled since then.
    in_hand: Vec<Firing>,
}

/// What is to be written.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Taken {
    pub(crate) changes: Vec<ReminderChange>,
    /// The firings that are in the state which is written with this.
    pub(crate) handled: Vec<Firing>,
}

fn bytes(reminder: &StoredReminder) -> usize {
    reminder.id.len() + reminder.variant.len() + reminder.args.len()
}

impl Book {
    pub(crate) fn new(limits: ReminderLimits) -> Self {
        Self {
            limits,
            ..Self::default()
        }
    }

    /// These are the entity's reminders.
    pub(crate) fn handle_loaded(&mut self, rows: Vec<StoredReminder>) {
        let limits = self.limits;
        *self = Self::new(limits);
        self.rows = rows.into_iter().map(|row| (row.id.clone(), row)).collect();
    }

    pub(crate) fn rows(&self) -> impl Iterator<Item = &StoredReminder> {
        self.rows.values()
    }

    /// There is this one from now on.
    pub(crate) fn handle_set(&mut self, reminder: StoredReminder) -> Result<(), ReminderError> {
        if reminder.id.is_empty() || reminder.id.len() > ID_BYTES {
            return Err(ReminderError::BadId);
        }
        let others = || self.rows.values().filter(|other| other.id != reminder.id);
        if others().count() >= self.limits.count {
            return Err(ReminderError::TooMany(self.limits.count));
        }
        if others().map(bytes).sum::<usize>() + bytes(&reminder) > self.limits.bytes {
            return Err(ReminderError::TooLarge(self.limits.bytes));
        }
        self.change(reminder.id.clone(), Some(reminder));
        Ok(())
    }

    /// There is none of this id any more. True if there was.
    pub(crate) fn handle_cancel(&mut self, id: &str) -> bool {
        let was_there = self.rows.contains_key(id);
        if was_there {
            self.change(id.to_owned(), None);
        }
        was_there
    }

    /// The entity is about to handle the reminder that is due for the longest. Gives it, and what was due; none if none is due.
    ///
    /// From now on it is due later, or gone, so that its handler may set or cancel it.
    pub(crate) fn handle_due(&mut self, now_ms: u64) -> Option<(Firing, StoredReminder)> {
        let is_due = |row: &&StoredReminder| row.due_ms.is_some_and(|due_ms| due_ms <= now_ms);
        let due = self.rows.values().filter(is_due);
        let first = due.min_by_key(|row| (row.due_ms, row.id.as_str()))?.clone();
        let firing = Firing {
            id: first.id.clone(),
            due_ms: first.due_ms?,
            period_ms: first.period_ms,
        };
        self.handle_begun(firing.clone(), now_ms);
        Some((firing, first))
    }

    /// The entity is about to handle this firing.
    pub(crate) fn handle_begun(&mut self, firing: Firing, now_ms: u64) {
        let row = self
            .rows
            .get(&firing.id)
            .filter(|row| row.due_ms == Some(firing.due_ms));
        if let Some(row) = row.cloned() {
            let next = firing.next_ms(now_ms).map(|due_ms| StoredReminder {
                due_ms: Some(due_ms),
                ..row
            });
            self.change(firing.id.clone(), next);
        }
        self.in_hand.push(firing);
    }

    /// A firing was given up, as the store knows.
    pub(crate) fn handle_given_up(&mut self, change: &ReminderChange) {
        if let ReminderChange::GiveUp { id, next_ms, given_up } = change
            && let Some(row) = self.rows.get_mut(id)
            && row.due_ms == Some(given_up.due_ms)
        {
            (row.due_ms, row.given_up) = (*next_ms, Some(*given_up));
        }
    }

    /// True if there is something to write.
    pub(crate) fn has_changes(&self) -> bool {
        !self.before.is_empty() || !self.in_hand.is_empty()
    }

    /// What is written with the state of now.
    pub(crate) fn take(&mut self) -> Taken {
        let changed = std::mem::take(&mut self.before);
        let change = |id: String| match self.rows.get(&id) {
            Some(row) => ReminderChange::Put(row.clone()),
            None => ReminderChange::Remove(id),
        };
        Taken {
            changes: changed.into_keys().map(change).collect(),
            handled: std::mem::take(&mut self.in_hand),
        }
    }

    /// What was done since the changes were last taken is lost. Gives the firings that were being handled.
    pub(crate) fn handle_failed(&mut self) -> Vec<Firing> {
        for (id, row) in std::mem::take(&mut self.before) {
            match row {
                Some(row) => drop(self.rows.insert(id, row)),
                None => drop(self.rows.remove(&id)),
            }
        }
        std::mem::take(&mut self.in_hand)
    }

    fn change(&mut self, id: String, to: Option<StoredReminder>) {
        let was = match to {
            Some(row) => self.rows.insert(id.clone(), row),
            None => self.rows.remove(&id),
        };
        self.before.entry(id).or_insert(was);
    }
}
