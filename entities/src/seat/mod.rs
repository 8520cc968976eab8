//! One activation of an entity: its state's way into the store, and the outputs that wait for that.
//!
//! Whoever runs the entity says when it [begins](Seat::begin) with a message, hands over what the entity [puts out](Seat::put_out), and then
//! says how the message [ended](Seat::wants_state). The order in which all this leaves is decided by a pure machine of
//! [`ractor_host_placement::durable`].

mod keyed;
mod leaving;
mod output;
mod pending;
mod reminding;
mod right;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use parking_lot::Mutex;
use ractor::RpcReplyPort;
use ractor::message::SerializedMessage;
use ractor_host_placement::durable::{Durable, HeldTooMuch};
use ractor_host_placement::words::Entity;
use tokio::sync::watch;
use tokio::time::Instant;

pub use self::keyed::Interrupted;
use self::output::give_up;
pub(crate) use self::output::told;
pub use self::output::{Durability, Output};
use self::pending::{Pending, hash};
use self::right::Held;
use crate::cluster::Cluster;
use crate::keys::book::Replies;
use crate::reminders::ReminderLimits;
use crate::reminders::book::{Book, Taken};
use crate::reminders::schedule::Schedule;
use crate::store::{Change, Fence, StoreError, StoredState};
use crate::writer::Writer;

/// Why a reply that was held is not sent.
const LOST: &str = "the entity failed before the state that its reply follows from was durable";

/// Why a reply isn't sent whose state may be durable.
const UNKNOWN: &str =
    "the entity ended before its state was known to be written: whether the call had an effect is not known";

/// See the module. Clones are the same activation.
#[derive(Clone)]
pub struct Seat(Arc<Shared>);

struct Shared {
    entity: Entity,
    fence: Option<Fence>,
    durability: Durability,
    writer: Writer,
    schedule: Schedule,
    code: String,
    /// Of a node that is one of several.
    held: Option<Held>,
    inner: Mutex<Inner>,
    /// Told after each change, for whoever waits for one.
    changed: watch::Sender<()>,
    /// When it was last written, in milliseconds since `made`.
    written_at: AtomicU64,
    made: Instant,
    /// It has handled something since its state was taken.
    is_dirty: AtomicBool,
    /// Calls of the type that were answered by what was kept.
    answered_again: Arc<AtomicU64>,
}

struct Inner {
    durable: Durable<Output>,
    /// What was taken last and is not with the writer yet.
    next: Option<Pending>,
    /// Its reminders.
    book: Book,
    /// What came of its calls that bore keys.
    replies: Replies<RpcReplyPort<Vec<u8>>>,
    /// The store could not be read, or the node had no room for it.
    is_unread: bool,
    /// The store refused to read or to write it: another node has it by now.
    is_elsewhere: bool,
    /// What was written last, or is being written, to be recognized.
    hash: Option<u64>,
    /// Somebody lets outputs go.
    is_releasing: bool,
    deletes: bool,
    /// A message is being handled.
    is_within: bool,
    /// Has the actor end when its state can't be written.
    end: Option<Box<dyn Fn() + Send>>,
    /// Messages that the actor has taken and not begun with.
    given_back: Vec<SerializedMessage>,
    /// It ends in order.
    is_over: bool,
    /// The actor has ended. What it had taken is written all the same.
    is_closed: bool,
}

impl fmt::Debug for Seat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Seat").field(&format_args!("{}", self.0.entity)).finish()
    }
}

impl Seat {
    /// For the `activation`th activation of an entity in this process, which may hold `limit` bytes of outputs. In a cluster it reads and
    /// writes by the right of this fence. Calls that are answered by what was kept of them are counted in `answered_again`.
    pub(crate) fn new(
        (entity, right): (Entity, Option<(Arc<Cluster>, Fence)>),
        durability: Durability,
        (writer, schedule): (Writer, Schedule),
        code: String,
        (activation, limit, reminders): (u32, usize, ReminderLimits),
        answered_again: Arc<AtomicU64>,
    ) -> Self {
        Self(Arc::new(Shared {
            entity,
            fence: right.as_ref().map(|(_, fence)| *fence),
            durability,
            writer,
            schedule,
            code,
            held: right.map(Held::new),
            inner: Mutex::new(Inner {
                durable: Durable::new(activation, limit),
                next: None,
                book: Book::new(reminders),
                replies: Replies::default(),
                is_unread: false,
                is_elsewhere: false,
                hash: None,
                is_releasing: false,
                deletes: false,
                is_within: false,
                end: None,
                given_back: Vec::new(),
                is_over: false,
                is_closed: false,
            }),
            changed: watch::Sender::new(()),
            written_at: AtomicU64::new(0),
            made: Instant::now(),
            is_dirty: AtomicBool::new(false),
            answered_again,
        }))
    }

    /// Which entity it is.
    pub fn entity(&self) -> &Entity {
        &self.0.entity
    }

    /// When its state is written.
    pub fn durability(&self) -> Durability {
        self.0.durability
    }

    /// True if outputs wait until the state is durable.
    pub fn holds_outputs(&self) -> bool {
        self.0.durability == Durability::BeforeReply
    }

    /// Its state as it was written last; none if it has none.
    ///
    /// # Errors
    /// The store can't be read, the entity is another node's, or the state is of other code.
    pub async fn load(&self) -> Result<Option<StoredState>, StoreError> {
        if self.0.durability == Durability::None {
            return Ok(None);
        }
        self.settle().await;
        let read = self.0.writer.read(&self.0.entity, self.0.fence).await;
        let stored = read.inspect_err(|error| {
            let mut inner = self.0.inner.lock();
            inner.is_unread = true;
            inner.is_elsewhere = error.is_refused();
        })?;
        {
            let mut inner = self.0.inner.lock();
            inner.book.handle_loaded(stored.reminders);
            inner.replies.handle_loaded(stored.replies, self.0.schedule.steady_ms());
        }
        let Some(state) = stored.state else {
            return Ok(None);
        };
        if state.code != self.0.code {
            let reason = format!(
                "the state of {} is that of {}, and not of {}; delete it, or give the type its old code",
                self.0.entity, state.code, self.0.code
            );
            return Err(StoreError::failed(reason));
        }
        self.0.inner.lock().hash = Some(hash(state.state_version, &state.bytes));
        Ok(Some(state))
    }

    /// A message begins to be handled, or anything else of which the state may be another.
    pub fn begin(&self) {
        match self.0.durability {
            Durability::None => {}
            // Relaxed: whoever looks at it from elsewhere looks again.
            Durability::Every(_) => self.0.is_dirty.store(true, Ordering::Relaxed),
            Durability::BeforeReply => {
                let mut inner = self.0.inner.lock();
                // Whoever gives a message may say so more than once.
                if !std::mem::replace(&mut inner.is_within, true) {
                    inner.durable.handle_change();
                }
            }
        }
    }

    /// True if the state of now is to be [kept](Self::keep): asked after each message that is done.
    pub fn wants_state(&self) -> bool {
        match self.0.durability {
            Durability::None => self.0.inner.lock().deletes,
            Durability::BeforeReply => true,
            Durability::Every(every) => {
                let inner = self.0.inner.lock();
                inner.deletes || inner.book.has_changes() || self.is_due(every)
            }
        }
    }

    /// True if a state waits to be taken, and nobody but the clock would say so.
    pub(crate) fn is_overdue(&self) -> bool {
        matches!(self.0.durability, Durability::Every(every) if self.is_due(every))
    }

    fn is_due(&self, every: Duration) -> bool {
        let written = Duration::from_millis(self.0.written_at.load(Ordering::Relaxed));
        self.0.is_dirty.load(Ordering::Relaxed) && self.0.made.elapsed().saturating_sub(written) >= every
    }

    /// True if a state that was not taken would be lost with the activation.
    pub fn needs_last_state(&self) -> bool {
        match self.0.durability {
            Durability::None => false,
            Durability::Every(_) => self.0.is_dirty.load(Ordering::Relaxed),
            // What was done since the state was taken is known from the outputs; a look at the state itself costs little.
            Durability::BeforeReply => true,
        }
    }

    /// Keeps the state of now. What the entity put out leaves as soon as it is durable.
    pub fn keep(&self, state_version: u32, bytes: Vec<u8>) {
        self.0.is_dirty.store(false, Ordering::Relaxed);
        let now = u64::try_from(self.0.made.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.0.written_at.store(now, Ordering::Relaxed);
        {
            let mut inner = self.0.inner.lock();
            inner.is_within = false;
            let hash = (!inner.deletes).then(|| hash(state_version, &bytes));
            let (reminders, is_same) = (inner.book.take(), hash.is_some() && inner.hash == hash);
            if inner.deletes {
                inner.replies.handle_deleted();
            }
            let replies = inner.replies.take();
            if is_same && reminders == Taken::default() && replies.is_empty() {
                inner.durable.handle_unchanged();
            } else {
                // A state that is given up may be so without any message, and with another durability no message is noted.
                if inner.deletes || !self.holds_outputs() {
                    inner.durable.handle_change();
                }
                inner.durable.handle_taken();
                inner.hash = hash;
                let change = match hash {
                    None => Change::Delete,
                    Some(_) if is_same => Change::Keep,
                    Some(_) => Change::Put(StoredState {
                        code: self.0.code.clone(),
                        state_version,
                        taken: SystemTime::now(),
                        bytes,
                    }),
                };
                inner
                    .next
                    .get_or_insert_default()
                    .handle_taken(change, reminders, replies);
            }
        }
        self.go_on();
    }

    /// The message that was handled goes on later, and until then there is no state to keep.
    pub fn unfinished(&self) {
        if self.holds_outputs() {
            {
                let mut inner = self.0.inner.lock();
                inner.is_within = false;
                let is_answer = |output: &Output| matches!(output, Output::Reply(..) | Output::Failed(..));
                inner.durable.handle_unfinished(is_answer);
            }
            self.go_on();
        }
    }

    /// Puts something out: at once, or when the state that it follows from is durable. `bytes` is what it takes besides what is seen
    /// from here.
    ///
    /// # Errors
    /// Too much waits already.
    pub fn put_out(&self, output: Output, bytes: usize) -> Result<(), HeldTooMuch> {
        let Some(output) = self.take_answer(output) else {
            return Ok(());
        };
        let bytes = output.bytes() + bytes;
        {
            let mut inner = self.0.inner.lock();
            if inner.is_closed {
                let reason = inner.why_given_up();
                drop(inner);
                output.give_up(reason);
                return Ok(());
            }
            inner.durable.handle_output(output, bytes)?;
        }
        self.go_on();
        Ok(())
    }

    /// Waits until all that was done before the message that is being handled is durable: for what can't be held. False if that won't be.
    pub async fn durable_before(&self) -> bool {
        if !self.holds_outputs() {
            return true;
        }
        let mut changed = self.0.changed.subscribe();
        loop {
            {
                let inner = self.0.inner.lock();
                if inner.durable.is_durable_before() {
                    return true;
                }
                if inner.durable.is_refused() || inner.is_closed {
                    return false;
                }
            }
            if changed.changed().await.is_err() {
                return false;
            }
        }
    }

    /// The instance is gone: what follows from messages since its state was taken is given up, and those who wait for it hear.
    ///
    /// Gives what it was handling.
    pub fn failed(&self) -> Interrupted {
        let firings = self.firings_failed();
        if !self.holds_outputs() {
            let calls = Vec::new();
            return Interrupted { firings, calls };
        }
        let (dropped, calls) = {
            let mut inner = self.0.inner.lock();
            inner.hash = None;
            inner.is_within = false;
            (inner.durable.handle_trap(), inner.replies.handle_failed())
        };
        give_up(dropped, LOST);
        Interrupted { firings, calls }
    }

    /// Its state is to be given up, with the message that is being handled.
    pub fn delete(&self) {
        self.0.inner.lock().deletes = true;
    }

    /// True if its state is given up: it is to end.
    pub fn is_deleted(&self) -> bool {
        self.0.inner.lock().deletes
    }

    /// True if its state could not be written: it has to end, and what it held is given up.
    pub fn is_refused(&self) -> bool {
        self.0.inner.lock().durable.is_refused()
    }

    /// Waits until its state is durable as far as it was taken, and what it put out has left. False if it could not be written.
    pub async fn settle(&self) -> bool {
        let mut changed = self.0.changed.subscribe();
        loop {
            {
                let inner = self.0.inner.lock();
                if inner.durable.is_refused() {
                    return false;
                }
                let waits = inner.next.is_some() || inner.is_releasing || !inner.durable.is_settled();
                if !waits {
                    return true;
                }
            }
            if changed.changed().await.is_err() {
                return false;
            }
        }
    }

    /// Has this done when its state could not be written: the actor is to end at once.
    pub(crate) fn ends_by(&self, end: impl Fn() + Send + 'static) {
        self.0.inner.lock().end = Some(Box::new(end));
    }

    /// The activation ends in order: it isn't at fault.
    pub fn over(&self) {
        self.0.inner.lock().is_over = true;
    }

    /// The actor ends, and these messages wait in its mailbox: they are for the next activation, before all that come later.
    pub fn give_back(&self, messages: Vec<SerializedMessage>) {
        self.0.inner.lock().given_back.extend(messages);
    }

    pub(crate) fn take_given_back(&self) -> Vec<SerializedMessage> {
        std::mem::take(&mut self.0.inner.lock().given_back)
    }

    pub(crate) fn is_over(&self) -> bool {
        self.0.inner.lock().is_over
    }

    /// Bytes of outputs that wait.
    pub fn held_bytes(&self) -> usize {
        self.0.inner.lock().durable.held_bytes()
    }

    /// The activation is over, whatever ended it: what follows from messages since its state was taken is given up. The state that was taken
    /// is written all the same, and what follows from it leaves.
    pub(crate) fn close(&self) {
        drop(self.firings_failed());
        let (dropped, reason) = {
            let mut inner = self.0.inner.lock();
            inner.is_closed = true;
            if inner.durable.is_refused() {
                (inner.give_up_all(), inner.why_given_up())
            } else {
                (inner.durable.handle_trap(), LOST)
            }
        };
        self.give_up_calls(reason == LOST);
        give_up(dropped, reason);
        self.go_on();
    }
}
