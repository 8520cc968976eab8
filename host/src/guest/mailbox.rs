//! The mailbox of a guest: bounded, and outliving its instances.
//!
//! ractor's mailboxes have neither a length nor a limit. So what comes from guests, from peers and from timers waits here,
//! and in ractor's mailbox only a *token* for each: a message of no bytes that says "take the next". Native actors send
//! through ractor alone; their messages keep their place among the tokens. Since a message is put here before its token is
//! put there, nothing that was sent after it was can overtake it.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};

use ractor::message::SerializedMessage;
use ractor::{ActorCell, ActorStatus};
use tokio::sync::Notify;

use super::describe;
use super::life::Life;
use super::limits::{Limit, Limits, WhenFull};
use super::reload::{Asked, Request};
use super::state::Label;
use super::strikes;
use crate::directory::{BoxFuture, Inbox, NotPut, PROBE_VARIANT, PutRefused, retained_bytes};

/// What a token has in place of a call's number: see the module.
const TOKEN: u64 = 0;

/// What a mark has there, which stands for no message: see [`batch`](super::batch).
pub(super) const MARK: u64 = 1;

/// See the module.
pub(super) struct Mailbox {
    actor: ActorCell,
    label: Label,
    limits: Arc<Limits>,
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

#[derive(Default)]
struct Waiting {
    /// Each with the number that it got when it was put in: upwards, and used once.
    messages: VecDeque<(u64, SerializedMessage)>,
    /// The number of the next message.
    next_number: u64,
    bytes: usize,
    /// What is asked of the actor itself, before its next message.
    commands: VecDeque<Command>,
    /// The actor has ended: nothing is taken any more.
    ended: bool,
    /// A message was refused since the last one was taken out.
    refused: bool,
    /// A limit was reached, and said to be, since the mailbox was last half empty.
    struck: bool,
    /// Messages that were dropped since then.
    dropped: usize,
}

/// What the host asks of a guest's actor.
#[derive(Debug)]
pub(super) enum Command {
    /// Go on with a fresh instance, because of this.
    Restart(String),
    /// Stop, as if the guest asked for it in a message.
    Stop,
    /// Go on with other code.
    Reload(Box<Request>),
    /// What was reloaded has proven itself.
    Confirm,
    /// Say what the state is.
    Snapshot(Asked),
}

impl Command {
    /// True if asking twice is asking once.
    fn repeats(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Restart(one), Self::Restart(other)) => one == other,
            (Self::Stop, Self::Stop) | (Self::Confirm, Self::Confirm) => true,
            _ => false,
        }
    }
}

impl Mailbox {
    pub(super) fn new(actor: ActorCell, label: Label, limits: Arc<Limits>) -> Self {
        Self {
            actor,
            label,
            limits,
            waiting: Mutex::default(),
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
        let mut waiting = self.lock();
        let (_, message) = waiting.messages.pop_front()?;
        waiting.bytes -= retained_bytes(&message);
        let refused = std::mem::take(&mut waiting.refused);
        if waiting.struck && self.is_half_empty(&waiting) {
            waiting.struck = false;
            strikes::dead_letters(&self.label, "mailbox_full", std::mem::take(&mut waiting.dropped));
        }
        drop(waiting);
        if refused {
            self.room.notify_waiters();
        }
        Some(message)
    }

    fn is_half_empty(&self, waiting: &Waiting) -> bool {
        waiting.messages.len() <= self.limits.mailbox_messages / 2 && waiting.bytes <= self.limits.mailbox_bytes / 2
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
        let command = waiting.commands.pop_front();
        self.commanded.store(!waiting.commands.is_empty(), Ordering::Release);
        command
    }

    /// Forgets what an instance that is gone asked for.
    pub(super) fn forget_stop(&self) {
        self.lock().commands.retain(|command| !matches!(command, Command::Stop));
    }

    /// Asks something of the actor.
    pub(super) fn request(&self, command: Command) {
        let mut waiting = self.lock();
        if waiting.ended || waiting.commands.iter().any(|other| other.repeats(&command)) {
            return;
        }
        waiting.commands.push_back(command);
        // Under the lock, like its opposite; and before the token that says to look.
        self.commanded.store(true, Ordering::Release);
        drop(waiting);
        self.wake();
    }

    /// How many messages wait here. Those of native actors wait in ractor's mailbox and are not known.
    pub(super) fn len(&self) -> usize {
        self.lock().messages.len()
    }

    /// The actor has ended. What still waits is given up.
    pub(super) fn end(&self) {
        let (lost, commands) = {
            let mut waiting = self.lock();
            waiting.ended = true;
            waiting.bytes = 0;
            (
                std::mem::take(&mut waiting.messages),
                std::mem::take(&mut waiting.commands),
            )
        };
        // Whoever asked for something hears that it won't be.
        drop(commands);
        self.room.notify_waiters();
        // A probe carries nothing, and a call is no loss in silence: its caller hears.
        let casts = lost.iter().filter(|(_, message)| is_cast(message)).count();
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

    /// Takes a message out of the middle, if it is still there.
    fn take_back(&self, number: u64) -> Option<SerializedMessage> {
        let mut waiting = self.lock();
        let place = waiting.messages.binary_search_by_key(&number, |(number, _)| *number);
        let (_, message) = waiting.messages.remove(place.ok()?)?;
        waiting.bytes -= retained_bytes(&message);
        Some(message)
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

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The limit that this message would exceed.
    fn exceeded(&self, waiting: &Waiting, cost: usize) -> Option<Limit> {
        let Limits {
            mailbox_messages,
            mailbox_bytes,
            ..
        } = *self.limits;
        if waiting.messages.is_empty() {
            None
        } else if waiting.messages.len() >= mailbox_messages {
            Some(Limit::MailboxMessages(mailbox_messages))
        } else if waiting.bytes.saturating_add(cost) > mailbox_bytes {
            Some(Limit::MailboxBytes(mailbox_bytes))
        } else {
            None
        }
    }
}

impl Inbox for Mailbox {
    fn put(&self, message: SerializedMessage) -> Result<(), NotPut> {
        let message = match self.answer_ahead(message) {
            None => return Ok(()),
            Some(message) => message,
        };
        let cost = retained_bytes(&message);
        let refused = |message, reason| Err(NotPut { message, reason });
        let mut waiting = self.lock();
        if waiting.ended {
            return refused(message, PutRefused::Ended);
        }
        if !is_probe(&message) {
            while let Some(limit) = self.exceeded(&waiting, cost) {
                if !std::mem::replace(&mut waiting.struck, true) {
                    strikes::limit(&self.label, limit);
                }
                if self.limits.mailbox_full != WhenFull::DropOldest {
                    waiting.refused = true;
                    return refused(message, PutRefused::Full);
                }
                // Nothing makes room for what would be turned away.
                if self.actor.get_status() >= ActorStatus::Draining {
                    return refused(message, PutRefused::Ended);
                }
                if let Some((_, oldest)) = waiting.messages.pop_front() {
                    waiting.bytes -= retained_bytes(&oldest);
                    waiting.dropped += usize::from(!is_probe(&oldest));
                }
            }
        }
        waiting.bytes += cost;
        let number = waiting.next_number;
        waiting.next_number += 1;
        waiting.messages.push_back((number, message));
        drop(waiting);
        if self.wake() {
            return Ok(());
        }
        // The actor is draining or ending. What was put in before has its tokens and is handled, or given up at the end; this
        // one is refused, unless a token that was left over took it.
        match self.take_back(number) {
            Some(message) => refused(message, PutRefused::Ended),
            None => Ok(()),
        }
    }

    fn room(&self) -> Option<BoxFuture<'_, ()>> {
        (self.limits.mailbox_full == WhenFull::Wait).then(|| {
            let mut room = Box::pin(self.room.notified());
            // From now on it hears, not only from when it is first polled.
            room.as_mut().enable();
            room as BoxFuture<'_, ()>
        })
    }
}

pub(super) fn is_cast(message: &SerializedMessage) -> bool {
    matches!(message, SerializedMessage::Cast { .. })
}

/// A probe must get in: its end says that the mailbox has been worked off, and who puts it in keeps to limits of its own. It
/// carries nothing: what looks like one and does is a message like any other.
fn is_probe(message: &SerializedMessage) -> bool {
    matches!(
        message,
        SerializedMessage::Call { variant, args, metadata: None, .. } if variant == PROBE_VARIANT && args.is_empty()
    )
}

#[cfg(test)]
mod tests;
