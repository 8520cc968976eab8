//! Reminders: messages that an entity sends to itself at a time, which outlive its activation, its node's process and the machine's power.
//!
//! A reminder is a row in the store, beside the state of its entity, and is written with it. When it is due its entity gets a *nudge*, a
//! message of no content: which reminder is due, and what its message is, is known at the entity's seat from what was written. So a nudge that
//! comes twice, or late, does nothing, and the reminders of an entity come in the order in which they are due.

pub(crate) mod book;
pub(crate) mod schedule;
#[cfg(test)]
mod tests;

use std::num::NonZeroU32;
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use ractor::message::SerializedMessage;
use ractor_host_placement::statement::FiringKey;
use ractor_host_placement::words::{Entity, ShardHash};

use crate::store::StoredReminder;

/// The slots that entities are divided into. After an outage those of the first slot are reminded at once, those of the last a minute later.
pub const SLOTS: u8 = 60;

/// The variant of the message by which an entity hears that one of its reminders is due.
const NUDGE_VARIANT: &str = "\0reminder";

/// The shortest period, in milliseconds.
pub(crate) const SHORTEST_PERIOD_MS: u64 = 1_000;

/// The last moment for which a reminder can be due, in milliseconds since 1970: the end of the year 9999.
pub(crate) const LAST_MS: u64 = 253_402_300_799_999;

/// The most bytes of an id.
const ID_BYTES: usize = 255;

/// The slot of an entity, below [`SLOTS`]. It is the same for ever: stores have it in an index.
pub fn slot(entity: &Entity) -> u8 {
    let slots = NonZeroU32::MIN.saturating_add(u32::from(SLOTS) - 1);
    let slot = ShardHash::new(*b"slot of reminder").shard(entity, slots);
    // Below `SLOTS`.
    slot as u8
}

/// What tells a time, in milliseconds since 1970 (UTC).
type Tells = Arc<dyn Fn() -> u64 + Send + Sync>;

/// The time of the system's clock. Clones tell the same.
#[derive(Clone)]
pub(crate) struct Clock {
    now: Tells,
    steady: Tells,
}

impl Clock {
    pub(crate) fn system() -> Self {
        Self {
            now: Arc::new(|| millis(SystemTime::now())),
            steady: Arc::new(steady_ms),
        }
    }

    #[cfg(test)]
    pub(crate) fn pretended(now_ms: impl Fn() -> u64 + Send + Sync + 'static) -> Self {
        let now: Tells = Arc::new(now_ms);
        Self {
            steady: now.clone(),
            now,
        }
    }

    pub(crate) fn now_ms(&self) -> u64 {
        (self.now)()
    }

    /// As [`steady_ms`].
    pub(crate) fn steady_ms(&self) -> u64 {
        (self.steady)()
    }
}

/// A time that nobody sets, in milliseconds since 1970: what the system's clock said when this process first asked, and the time since. It
/// tells how old something is, also where the system's clock has been set meanwhile.
pub fn steady_ms() -> u64 {
    static BEGUN: LazyLock<(u64, Instant)> = LazyLock::new(|| (millis(SystemTime::now()), Instant::now()));
    let (then, at) = &*BEGUN;
    then.saturating_add(whole_millis(at.elapsed()))
}

/// Milliseconds since 1970; 0 for what was before.
fn millis(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    whole_millis(since)
}

pub(crate) fn whole_millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// When a reminder is due for the first time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// At this time. If it is past, at once.
    At(SystemTime),
    /// So much later than now, by the system's clock.
    After(Duration),
}

impl When {
    /// In milliseconds since 1970, no later than the end of the year 9999.
    pub(crate) fn ms(self, now_ms: u64) -> u64 {
        let ms = match self {
            Self::At(time) => millis(time),
            Self::After(wait) => now_ms.saturating_add(whole_millis(wait)),
        };
        ms.min(LAST_MS)
    }
}

/// A reminder of an entity, as the entity sees it.
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

impl From<&StoredReminder> for Reminder {
    fn from(stored: &StoredReminder) -> Self {
        let time = |ms: u64| UNIX_EPOCH.checked_add(Duration::from_millis(ms));
        Self {
            id: stored.id.clone(),
            due: stored.due_ms.and_then(time),
            period: stored.period_ms.map(Duration::from_millis),
            variant: stored.variant.clone(),
            given_up: stored.given_up.and_then(|firing| time(firing.due_ms)),
        }
    }
}

/// Why a reminder was not set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReminderError {
    /// The actor is no entity, or one of a type that keeps no states: nothing would be known of the reminder when it is due.
    #[error("only entities whose states are kept have reminders: `durability` must not be \"none\"")]
    NotKept,
    /// The id is empty or has more than 255 bytes.
    #[error("the id of a reminder has 1 to 255 bytes")]
    BadId,
    /// The entity has as many as it may: `limits.reminders`.
    #[error("the entity has {0} reminders, as many as it may (`reminders`)")]
    TooMany(usize),
    /// The messages of the entity's reminders would have more bytes than they may: `limits.reminder_bytes`.
    #[error("the ids and messages of the entity's reminders would have more than {0} bytes (`reminder_bytes`)")]
    TooLarge(usize),
    /// The message has no serialized form, or is a call.
    #[error("the message of a reminder is a cast that has a serialized form")]
    NoCast,
}

/// How many reminders an entity may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReminderLimits {
    /// Their number.
    pub count: usize,
    /// The bytes of their ids, variants and arguments.
    pub bytes: usize,
}

impl Default for ReminderLimits {
    fn default() -> Self {
        Self {
            count: 64,
            bytes: 256 << 10,
        }
    }
}

/// A firing of a reminder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Firing {
    pub(crate) id: String,
    pub(crate) due_ms: u64,
    pub(crate) period_ms: Option<u64>,
}

impl Firing {
    /// As the machine knows it. Two ids of an entity seldom have the same number, and then one of the two waits for the other.
    pub(crate) fn key(&self) -> FiringKey {
        // FNV-1a, which is enough to tell a few ids apart.
        let number = self.id.bytes().fold(0x811c_9dc5_u32, |hash, byte| {
            (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
        });
        FiringKey {
            reminder: number,
            due: self.due_ms.saturating_mul(1_000),
        }
    }

    /// When the reminder is due after this firing: those that were missed are left out, and the others stay where they would have been.
    pub(crate) fn next_ms(&self, now_ms: u64) -> Option<u64> {
        let period_ms = self.period_ms?.max(1);
        let missed = now_ms.saturating_sub(self.due_ms) / period_ms;
        let next_ms = self
            .due_ms
            .saturating_add(period_ms.saturating_mul(missed.saturating_add(1)));
        Some(next_ms.min(LAST_MS)).filter(|next_ms| *next_ms > self.due_ms)
    }
}

/// The message by which an entity hears that one of its reminders is due.
pub(crate) fn nudge() -> SerializedMessage {
    SerializedMessage::Cast {
        variant: NUDGE_VARIANT.to_owned(),
        args: Vec::new(),
        // Guests handle a cast with something beside it by itself.
        metadata: Some(Vec::new()),
    }
}

/// True for that message. Anybody may send it: it says nothing that the entity doesn't know better.
pub fn is_nudge(message: &SerializedMessage) -> bool {
    matches!(message, SerializedMessage::Cast { variant, .. } if variant == NUDGE_VARIANT)
}
