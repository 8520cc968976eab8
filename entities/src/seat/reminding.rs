//! The reminders of an entity, as its activation sets and handles them.

use ractor::message::SerializedMessage;

use super::{Durability, Interrupted, Seat};
use crate::reminders::{Firing, LAST_MS, Reminder, ReminderError, SHORTEST_PERIOD_MS, When, whole_millis};
use crate::store::StoredReminder;

impl Seat {
    /// Sets the reminder of this id, in place of one that there is. It is written with the state of the message at hand, and not there if that
    /// message fails. A period of less than a second counts as one.
    ///
    /// # Errors
    /// The entity keeps nothing, or has as many as it may.
    pub fn set_reminder(
        &self,
        id: String,
        first: When,
        period: Option<std::time::Duration>,
        (variant, args): (String, Vec<u8>),
    ) -> Result<(), ReminderError> {
        if self.0.durability == Durability::None {
            return Err(ReminderError::NotKept);
        }
        let period_ms = period.map(|period| whole_millis(period).clamp(SHORTEST_PERIOD_MS, LAST_MS));
        let reminder = StoredReminder {
            id,
            due_ms: Some(first.ms(self.0.schedule.now_ms())),
            period_ms,
            variant,
            args,
            given_up: None,
        };
        self.0.inner.lock().book.handle_set(reminder)
    }

    /// Ends a reminder, with the state of the message at hand. False if there is none of this id.
    pub fn cancel_reminder(&self, id: &str) -> bool {
        self.0.inner.lock().book.handle_cancel(id)
    }

    /// The reminders of the entity, with what the message at hand has changed, by their ids.
    pub fn reminders(&self) -> Vec<Reminder> {
        self.0.inner.lock().book.rows().map(Reminder::from).collect()
    }

    /// The entity was nudged and is about to handle this message: of the reminder that is due for the longest. None if nothing is due
    /// any more.
    pub fn begin_reminder(&self) -> Option<SerializedMessage> {
        let now_ms = self.0.schedule.now_ms();
        let due = self.0.inner.lock().book.handle_due(now_ms);
        let Some((firing, StoredReminder { variant, args, .. })) = due else {
            self.0.schedule.nothing_due(&self.0.entity);
            return None;
        };
        self.0.schedule.begun(&self.0.entity, &firing);
        Some(SerializedMessage::Cast {
            variant,
            args,
            metadata: None,
        })
    }

    /// A message that failed is handled once more, by other code.
    pub fn begin_again(&self, mut interrupted: Interrupted) {
        let now_ms = self.0.schedule.now_ms();
        for firing in std::mem::take(&mut interrupted.firings) {
            self.0.schedule.begun(&self.0.entity, &firing);
            self.0.inner.lock().book.handle_begun(firing, now_ms);
        }
        for call in std::mem::take(&mut interrupted.calls) {
            self.0.inner.lock().replies.handle_again(call);
        }
    }

    /// What was changed since the state was taken is lost, and the firings that were being handled have failed.
    pub(super) fn firings_failed(&self) -> Vec<Firing> {
        let (firings, is_over) = {
            let mut inner = self.0.inner.lock();
            (inner.book.handle_failed(), inner.is_over)
        };
        for firing in &firings {
            if is_over {
                // It ended in order, in the middle of a handler: that is due again.
                self.0.schedule.ended(&self.0.entity);
            } else if let Some(change) = self.0.schedule.failed((&self.0.entity, self.0.fence), firing) {
                self.0.inner.lock().book.handle_given_up(&change);
            }
        }
        firings
    }

    /// The node has no room for this activation, which is no fault of the entity's.
    pub fn has_no_room(&self) {
        self.0.inner.lock().is_unread = true;
    }

    /// True if the store could not be read, or the node had no room for it.
    pub(crate) fn is_unread(&self) -> bool {
        self.0.inner.lock().is_unread
    }

    /// True while a message is being handled whose state will be taken.
    pub(crate) fn is_within(&self) -> bool {
        self.0.inner.lock().is_within
    }
}
