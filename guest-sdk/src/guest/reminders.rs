//! The reminders of an entity.

use std::marker::PhantomData;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::guest::actor::ActorRef;
use crate::guest::bindings::ractor::actor::entities;
use crate::guest::bindings::ractor::actor::reminders as host;
use crate::guest::concurrency::Duration;
use crate::guest::message::{Message, SerializedMessage};
use crate::guest::runtime::incoming;
use crate::guest::runtime::outgoing::whole_millis;

/// When a reminder is due for the first time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// At this time. If it is past, at once.
    At(SystemTime),
    /// So much later than now, by the system's clock.
    After(Duration),
}

/// A reminder of this entity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reminder {
    /// Which one it is.
    pub id: String,
    /// When it is due. None: its only firing has failed too often and was given up.
    pub due: Option<SystemTime>,
    /// It is due again as much later.
    pub period: Option<Duration>,
    /// The variant of its message.
    pub variant: String,
    /// For when the firing was due that was given up last.
    pub given_up: Option<SystemTime>,
}

/// Why a reminder was not set.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReminderError {
    /// This actor is no entity, or one of a type that keeps no states.
    NotKept,
    /// The id is empty or has more than 255 bytes.
    BadId,
    /// The entity has as many reminders as it may.
    TooMany,
    /// The message is larger than the node's limit, or the entity's reminders have as many bytes as they may.
    TooLarge,
    /// The message has no serialized form, or is a call.
    NoCast,
}

impl std::fmt::Display for ReminderError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::NotKept => "only entities whose states are kept have reminders: `durability` must not be \"none\"",
            Self::BadId => "the id of a reminder has 1 to 255 bytes",
            Self::TooMany => "the entity has as many reminders as it may (`reminders`)",
            Self::TooLarge => {
                "the message is too large (`message_bytes`), or the entity's reminders would be (`reminder_bytes`)"
            }
            Self::NoCast => "the message of a reminder is a cast that has a serialized form",
        })
    }
}

impl std::error::Error for ReminderError {}

/// The reminders of this entity: messages to itself at a time, which outlive its activation and the node's process.
///
/// What is set or cancelled is written with the state of the message at hand, and forgotten if that message fails.
#[derive(Debug)]
pub struct Reminders<M>(PhantomData<fn(M)>);

/// The reminders of the entity that this actor is. None if it is none.
pub fn reminders<M>(_myself: &ActorRef<M>) -> Option<Reminders<M>> {
    entities::self_entity().map(|_| Reminders(PhantomData))
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
        let first = match first {
            When::At(time) => host::When::At(whole_millis(time.duration_since(UNIX_EPOCH).unwrap_or_default())),
            When::After(wait) => host::When::After(whole_millis(wait)),
        };
        // The caller that this actor has answered must not wait for what follows.
        incoming::flush();
        let set = host::set(&id.into(), first, period.map(whole_millis), &variant, &args);
        set.map_err(|error| match error {
            host::ReminderError::NotKept => ReminderError::NotKept,
            host::ReminderError::BadId => ReminderError::BadId,
            host::ReminderError::TooMany => ReminderError::TooMany,
            host::ReminderError::TooLarge => ReminderError::TooLarge,
        })
    }

    /// Ends the reminder of this id. False if there is none.
    pub fn cancel(&self, id: &str) -> bool {
        incoming::flush();
        host::cancel(id)
    }

    /// All of them, by their ids.
    pub fn list(&self) -> Vec<Reminder> {
        let time = |ms: u64| UNIX_EPOCH.checked_add(Duration::from_millis(ms));
        let reminder = |one: host::Reminder| Reminder {
            id: one.id,
            due: one.due_ms.and_then(time),
            period: one.period_ms.map(Duration::from_millis),
            variant: one.variant,
            given_up: one.given_up_ms.and_then(time),
        };
        host::list().into_iter().map(reminder).collect()
    }
}
