//! What is written of an entity as rows.

use std::borrow::Cow;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ractor_host_entities::{Change, Fence, GivenUp, ReminderChange, ReplyChange, StoredReminder, StoredState, Write};
use ractor_host_placement::statement::StateWrite;
use ractor_host_placement::words::Entity;

/// What becomes of one entity, in one commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StateRow<'a> {
    pub(crate) entity: &'a Entity,
    pub(crate) fence: Fence,
    /// Grows with each write at this epoch, and never has two contents. At most 2⁶³ − 1.
    pub(crate) version: u64,
    pub(crate) content: Content<'a>,
    /// No two of one reminder, but for [`ReminderRow::Advance`] and [`ReminderRow::GiveUp`] of different firings.
    pub(crate) reminders: Vec<ReminderRow<'a>>,
    /// No two of one scope and key.
    pub(crate) replies: Vec<&'a ReplyChange>,
}

/// What becomes of the state of an entity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Content<'a> {
    Put {
        code: &'a str,
        state_version: u32,
        /// In microseconds since 1970.
        taken: i64,
        bytes: &'a [u8],
    },
    /// It stays as it is.
    Keep,
    /// There is none any more, nor any reminder or reply that isn't put by the same write. A mark is left, so that a write that comes late
    /// brings nothing back.
    Delete,
}

/// What becomes of one reminder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ReminderRow<'a> {
    Put(Cow<'a, StoredReminder>),
    Remove(&'a str),
    /// If it is due at `given_up.due_ms`, it is due at `next_ms` from now on.
    GiveUp {
        id: &'a str,
        /// The due time that the row has to have, in milliseconds since 1970.
        if_due_ms: u64,
        next_ms: Option<u64>,
        given_up: GivenUp,
    },
    /// If it is due at this time, it is due a period later, or as many as have passed.
    Advance {
        id: String,
        if_due_ms: u64,
    },
}

impl ReminderRow<'_> {
    pub(crate) fn id(&self) -> &str {
        match self {
            Self::Put(reminder) => &reminder.id,
            Self::Remove(id) | Self::GiveUp { id, .. } => id,
            Self::Advance { id, .. } => id,
        }
    }
}

impl<'a> StateRow<'a> {
    /// What a write says; none if it has no fence.
    pub(crate) fn of(write: &'a Write) -> Option<Self> {
        let content = match &write.change {
            Change::Put(state) => put(state),
            Change::Keep => Content::Keep,
            Change::Delete => Content::Delete,
        };
        let mut row = Self {
            entity: &write.entity,
            fence: write.fence?,
            version: write.version,
            content,
            reminders: reminders(&write.reminders),
            replies: replies(&write.replies),
        };
        if content == Content::Delete {
            // All others go with the state.
            row.reminders.retain(|row| matches!(row, ReminderRow::Put(_)));
            row.replies.retain(|row| matches!(row, ReplyChange::Put(_)));
        }
        Some(row)
    }
}

fn put(state: &StoredState) -> Content<'_> {
    Content::Put {
        code: &state.code,
        state_version: state.state_version,
        taken: microseconds(state.taken),
        bytes: &state.bytes,
    }
}

/// The statement of the model, whose reminders have numbers as ids.
impl<'a> From<&'a StateWrite> for StateRow<'a> {
    fn from(write: &'a StateWrite) -> Self {
        let (shard, epoch) = (write.shard, write.epoch);
        let advance = |firing: &ractor_host_placement::statement::FiringKey| ReminderRow::Advance {
            id: firing.reminder.to_string(),
            if_due_ms: firing.due / 1_000,
        };
        Self {
            entity: &write.entity,
            fence: Fence { shard, epoch },
            version: write.version,
            content: Content::Put {
                code: "",
                state_version: 0,
                taken: 0,
                bytes: &write.bytes,
            },
            reminders: write.handled.iter().map(advance).collect(),
            replies: Vec::new(),
        }
    }
}

/// One statement changes a row once: what several changes of one reminder come to.
fn reminders(changes: &[ReminderChange]) -> Vec<ReminderRow<'_>> {
    let mut rows: Vec<ReminderRow<'_>> = Vec::with_capacity(changes.len());
    for change in changes {
        match change {
            ReminderChange::Put(reminder) => {
                rows.retain(|row| row.id() != reminder.id);
                rows.push(ReminderRow::Put(Cow::Borrowed(reminder)));
            }
            ReminderChange::Remove(id) => {
                rows.retain(|row| row.id() != id);
                rows.push(ReminderRow::Remove(id));
            }
            ReminderChange::GiveUp { id, next_ms, given_up } => give_up(&mut rows, (id, *next_ms, *given_up)),
        }
    }
    rows
}

/// A firing is given up, if the reminder is due at its time after all that comes before.
fn give_up<'a>(rows: &mut Vec<ReminderRow<'a>>, (id, next, note): (&'a str, Option<u64>, GivenUp)) {
    let mut is_decided = false;
    for row in rows.iter_mut().filter(|row| row.id() == id) {
        match row {
            ReminderRow::Put(reminder) => {
                is_decided = true;
                if reminder.due_ms == Some(note.due_ms) {
                    let reminder = reminder.to_mut();
                    (reminder.due_ms, reminder.given_up) = (next, Some(note));
                }
            }
            ReminderRow::Remove(_) => is_decided = true,
            ReminderRow::GiveUp {
                if_due_ms,
                next_ms,
                given_up,
                ..
            } => {
                // Whatever was due then is due later already.
                is_decided |= *if_due_ms == note.due_ms;
                if *next_ms == Some(note.due_ms) {
                    (*next_ms, *given_up) = (next, note);
                }
            }
            ReminderRow::Advance { .. } => {}
        }
    }
    if !is_decided {
        rows.push(ReminderRow::GiveUp {
            id,
            if_due_ms: note.due_ms,
            next_ms: next,
            given_up: note,
        });
    }
}

/// Of several changes of one reply the last.
fn replies(changes: &[ReplyChange]) -> Vec<&ReplyChange> {
    let mut rows: Vec<&ReplyChange> = Vec::with_capacity(changes.len());
    for change in changes {
        rows.retain(|row| place(row) != place(change));
        rows.push(change);
    }
    rows
}

/// The scope and the key of a reply.
pub(crate) fn place(change: &ReplyChange) -> (&str, &str) {
    match change {
        ReplyChange::Put(reply) => (&reply.scope, &reply.key),
        ReplyChange::Remove(scope, key) => (scope, key),
    }
}

/// In microseconds since 1970; negative for what was before.
fn microseconds(time: SystemTime) -> i64 {
    let whole = |time: Duration| i64::try_from(time.as_micros()).unwrap_or(i64::MAX);
    match time.duration_since(UNIX_EPOCH) {
        Ok(since) => whole(since),
        Err(before) => -whole(before.duration()),
    }
}

/// The time that is this many microseconds after 1970.
pub(crate) fn time(microseconds: i64) -> SystemTime {
    let by = Duration::from_micros(microseconds.unsigned_abs());
    let time = if microseconds < 0 {
        UNIX_EPOCH.checked_sub(by)
    } else {
        UNIX_EPOCH.checked_add(by)
    };
    time.unwrap_or(UNIX_EPOCH)
}
