//! The reminders of native entities.

use std::collections::HashMap;
use std::fmt;
use std::marker::PhantomData;
use std::sync::LazyLock;
use std::time::Duration;

use parking_lot::Mutex;
use ractor::message::SerializedMessage;
use ractor::{ActorCell, ActorRef, Message};

use super::KEEP_STATE;
use crate::reminders::{Reminder, ReminderError, When};
use crate::seat::Seat;

/// The seats of the native entities of this process, by pid: an entity asks for its reminders while it is activated, too.
static SEATS: LazyLock<Mutex<HashMap<u64, Seat>>> = LazyLock::new(Mutex::default);

/// A native entity whose reminders are found until this is dropped.
pub(super) struct Seated(u64);

impl Seated {
    pub(super) fn new(cell: &ActorCell, seat: &Seat) -> Self {
        let pid = cell.get_id().pid();
        SEATS.lock().insert(pid, seat.clone());
        Self(pid)
    }
}

impl Drop for Seated {
    fn drop(&mut self) {
        SEATS.lock().remove(&self.0);
    }
}

/// The reminders of a native entity: messages to itself at a time, which outlive its activation and the process.
///
/// What is set or cancelled is written with the state of the message at hand, and forgotten if that message fails.
pub struct Reminders<M> {
    seat: Seat,
    cell: ActorCell,
    _message: PhantomData<fn(M)>,
}

impl<M> fmt::Debug for Reminders<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Reminders({})", self.seat.entity())
    }
}

/// The reminders of the entity that this actor is. None if it is none, or has ended.
pub fn reminders<M>(myself: &ActorRef<M>) -> Option<Reminders<M>> {
    let cell = myself.get_cell();
    let seat = SEATS.lock().get(&cell.get_id().pid()).cloned()?;
    Some(Reminders {
        seat,
        cell,
        _message: PhantomData,
    })
}

impl<M: Message> Reminders<M> {
    /// Sets the reminder of this id, in place of one that there is: the entity gets the message when it is due, whether it is active then or
    /// not, and with a period again and again. A period of less than a second counts as one.
    ///
    /// # Errors
    /// See [`ReminderError`].
    pub fn set(
        &self,
        id: impl Into<String>,
        first: When,
        period: Option<Duration>,
        message: M,
    ) -> Result<(), ReminderError> {
        let Ok(SerializedMessage::Cast { variant, args, .. }) = message.serialize() else {
            return Err(ReminderError::NoCast);
        };
        self.seat.set_reminder(id.into(), first, period, (variant, args))?;
        self.keep();
        Ok(())
    }

    /// Ends the reminder of this id. False if there is none.
    pub fn cancel(&self, id: &str) -> bool {
        let was_there = self.seat.cancel_reminder(id);
        if was_there {
            self.keep();
        }
        was_there
    }

    /// All of them, by their ids.
    pub fn list(&self) -> Vec<Reminder> {
        self.seat.reminders()
    }

    /// Has it written where no message is at hand with whose state it would be.
    fn keep(&self) {
        if !self.seat.is_within() {
            // It may have ended by now.
            drop(
                self.cell
                    .send_serialized(SerializedMessage::CallReply(KEEP_STATE, Vec::new())),
            );
        }
    }
}
