//! The mailbox of a guest: bounded, and outliving its instances.
//!
//! ractor's mailboxes have neither a length nor a limit. So what comes from guests, from peers and from timers waits here,
//! and in ractor's mailbox only a *token* for each: a message of no bytes that says "take the next". Native actors send
//! through ractor alone; their messages keep their place among the tokens. Since a message is put here before its token is
//! put there, nothing that was sent after it was can overtake it.

// By its path, because `tests/interleavings` has this file at another place of its own tree.
#[path = "mailbox/waiting.rs"]
pub(super) mod waiting;

use std::sync::{Arc, OnceLock, Weak};

use ractor::message::SerializedMessage;
use ractor::{ActorCell, ActorStatus};
use tokio::sync::Notify;

use super::describe;
use super::family::Purse;
use super::life::Life;
use super::limits::{Limits, WhenFull};
use super::state::Label;
use super::strikes;
use crate::directory::{BoxFuture, Inbox, NotPut, PutRefused};
use crate::sync::atomic::{AtomicBool, Ordering};
use crate::sync::{Mutex, MutexGuard};

pub(super) use self::waiting::{Command, is_cast};
use self::waiting::{GivenUp, Waiting};

/// What a token has in place of a call's number: see the module.
const TOKEN: u64 = 0;

/// What a mark has there, which stands for no message: see [`batch`](super::batch).
pub(super) const MARK: u64 = 1;

/// See the module.
pub(super) struct Mailbox {
    actor: ActorCell,
    label: Label,
    limits: Arc<Limits>,
    /// What the messages of the whole family may take that wait.
    purse: Arc<Purse>,
    waiting: Mutex<Waiting>,
    /// There are commands. Asked before every message, so without the lock.
    commanded: AtomicBool,
    room: Notify,
    /// The actor, for questions that take neither its turn nor its instance.
    life: OnceLock<Weak<Life>>,
}

impl std::fmt::Debug for Mailbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mailbox")
            .field("actor", &self.actor)
            .finish_non_exhaustive()
    }
}

impl Mailbox {
    pub(super) fn new(actor: ActorCell, label: Label, limits: Arc<Limits>, purse: Arc<Purse>) -> Self {
        Self {
            actor,
            label,
            limits,
            waiting: Mutex::new(Waiting::in_family(purse.clone())),
            purse,
            commanded: AtomicBool::new(false),
            room: Notify::new(),
            life: OnceLock::new(),
        }
    }

    /// Whose mailbox it is. Said once, when the actor starts.
    pub(super) fn belongs_to(&self, life: &Arc<Life>) {
        // A second time would change nothing: an actor has one life.
        drop(self.life.set(Arc::downgrade(life)));
    }

    /// The message that has waited the longest.
    pub(super) fn next(&self) -> Option<SerializedMessage> {
        let taken = self.lock().poll_message(&self.limits)?;
        if let Some(dropped) = taken.dropped {
            strikes::dead_letters(&self.label, "mailbox_full", dropped);
        }
        if taken.makes_room {
            self.room.notify_waiters();
        }
        Some(taken.message)
    }

    /// True if the host asks something of the actor.
    pub(super) fn is_commanded(&self) -> bool {
        self.commanded.load(Ordering::Acquire)
    }

    /// What the host asks of the actor, if anything.
    pub(super) fn command(&self) -> Option<Command> {
        if !self.is_commanded() {
            return None;
        }
        let mut waiting = self.lock();
        let (command, asks_more) = waiting.poll_command();
        self.commanded.store(asks_more, Ordering::Release);
        command
    }

    /// True if what was reloaded has proven itself, and the actor has not come to hear of it.
    pub(super) fn is_confirmed(&self) -> bool {
        self.is_commanded() && self.lock().is_confirmed()
    }

    /// Forgets what an instance that is gone asked for.
    pub(super) fn forget_stop(&self) {
        self.lock().handle_forget_stop();
    }

    /// Asks something of the actor.
    pub(crate) fn request(&self, command: Command) {
        let mut waiting = self.lock();
        if !waiting.handle_command(command) {
            return;
        }
        // Under the lock, like its opposite; and before the token that says to look.
        self.commanded.store(true, Ordering::Release);
        drop(waiting);
        self.wake();
    }

    /// How many messages wait here. Those of native actors wait in ractor's mailbox and are not known.
    pub(super) fn len(&self) -> usize {
        self.lock().count()
    }

    /// The actor has ended. What still waits is given up.
    pub(super) fn end(&self) {
        let GivenUp { messages, commands } = self.lock().handle_end();
        drop(commands);
        self.room.notify_waiters();
        // A probe carries nothing, and a call is no loss in silence: its caller hears.
        let casts = messages.iter().filter(|(_, message)| is_cast(message)).count();
        strikes::dead_letters(&self.label, "ended", casts);
    }

    /// Answers the question what the actor is, if this is it. None if that is done, or will be.
    fn answer_ahead(&self, message: SerializedMessage) -> Option<SerializedMessage> {
        if !describe::is_question(&message) {
            return Some(message);
        }
        match self.life.get().and_then(Weak::upgrade) {
            Some(life) => describe::answer_ahead(life, message),
            None => Some(message),
        }
    }

    /// Puts a token into ractor's mailbox. False if the actor takes no more messages.
    fn wake(&self) -> bool {
        self.put_token(TOKEN)
    }

    /// Marks the place in ractor's mailbox behind what is there by now. False if the actor takes no more messages.
    pub(super) fn mark(&self) -> bool {
        self.put_token(MARK)
    }

    fn put_token(&self, token: u64) -> bool {
        self.actor
            .send_serialized(SerializedMessage::CallReply(token, Vec::new()))
            .is_ok()
    }

    /// Puts in the token of a message that was just put. If the actor takes none any more, because it is draining or ending, this
    /// message is refused; what was put in before has its tokens and is handled.
    fn wake_for(&self, number: u64, waiting: &mut Waiting) -> Result<(), NotPut> {
        if self.wake() {
            return Ok(());
        }
        match waiting.handle_take_back(number) {
            Some(message) => Err(NotPut {
                message,
                reason: PutRefused::Ended,
            }),
            None => Ok(()),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock()
    }
}

impl Inbox for Mailbox {
    fn put(&self, message: SerializedMessage) -> Result<(), NotPut> {
        let message = match self.answer_ahead(message) {
            None => return Ok(()),
            Some(message) => message,
        };
        let is_draining = || self.actor.get_status() >= ActorStatus::Draining;
        let (struck, outcome) = {
            let mut waiting = self.lock();
            let put = waiting.handle_put(message, &self.limits, is_draining);
            // Still with the lock: an actor that ends now would give up a message whose sender would take it for accepted.
            let outcome = put.outcome.and_then(|number| self.wake_for(number, &mut waiting));
            (put.struck, outcome)
        };
        if let Some(limit) = struck {
            strikes::limit(&self.label, limit);
        }
        outcome
    }

    fn room(&self) -> Option<BoxFuture<'_, ()>> {
        (self.limits.mailbox_full == WhenFull::Wait).then(|| {
            let mut here = Box::pin(self.room.notified());
            let mut in_family = Box::pin(self.purse.room());
            // From now on they hear, not only from when they are first polled.
            here.as_mut().enable();
            in_family.as_mut().enable();
            Box::pin(async move {
                tokio::select! {
                    () = here => {}
                    () = in_family => {}
                }
            }) as BoxFuture<'_, ()>
        })
    }
}

#[cfg(test)]
mod tests;
