//! The mailbox of a guest: bounded, and outliving its instances.
//!
//! ractor's mailboxes have neither a length nor a limit. So what comes from guests, from peers and from timers waits here,
//! and in ractor's mailbox only a *token* for each: a message of no bytes that says "take the next". Native actors send
//! through ractor alone; their messages keep their place among the tokens. Since a message is put here before its token is
//! put there, nothing that was sent after it was can overtake it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ractor::ActorCell;
use ractor::message::SerializedMessage;
use tokio::sync::Notify;

use super::limits::{Limit, Limits, WhenFull};
use super::state::Label;
use super::strikes;
use crate::directory::{BoxFuture, Inbox, NotPut, PROBE_VARIANT, PutRefused};

/// What a message costs beside its bytes, roughly.
const MESSAGE_OVERHEAD: usize = 192;

/// See the module.
pub(super) struct Mailbox {
    actor: ActorCell,
    label: Label,
    limits: Arc<Limits>,
    waiting: Mutex<Waiting>,
    room: Notify,
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
    messages: VecDeque<SerializedMessage>,
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
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Command {
    /// Go on with a fresh instance, because of this.
    Restart(String),
}

impl Mailbox {
    pub(super) fn new(actor: ActorCell, label: Label, limits: Arc<Limits>) -> Self {
        Self {
            actor,
            label,
            limits,
            waiting: Mutex::default(),
            room: Notify::new(),
        }
    }

    /// The message that has waited the longest.
    pub(super) fn next(&self) -> Option<SerializedMessage> {
        let mut waiting = self.lock();
        let message = waiting.messages.pop_front()?;
        waiting.bytes -= cost(&message);
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

    /// What the host asks of the actor, if anything.
    pub(super) fn command(&self) -> Option<Command> {
        self.lock().commands.pop_front()
    }

    /// Asks something of the actor.
    pub(super) fn request(&self, command: Command) {
        let mut waiting = self.lock();
        if waiting.ended || waiting.commands.contains(&command) {
            return;
        }
        waiting.commands.push_back(command);
        drop(waiting);
        self.wake();
    }

    /// The actor has ended. What still waits is given up.
    pub(super) fn end(&self) {
        let lost = {
            let mut waiting = self.lock();
            waiting.ended = true;
            waiting.bytes = 0;
            std::mem::take(&mut waiting.messages)
        };
        self.room.notify_waiters();
        // A probe carries nothing, and a call is no loss in silence: its caller hears.
        let casts = lost.iter().filter(|message| is_cast(message)).count();
        strikes::dead_letters(&self.label, "ended", casts);
    }

    /// Puts a token into ractor's mailbox. False if the actor has ended.
    fn wake(&self) -> bool {
        self.actor
            .send_serialized(SerializedMessage::CallReply(0, Vec::new()))
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
        let cost = cost(&message);
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
                if let Some(oldest) = waiting.messages.pop_front() {
                    waiting.bytes -= self::cost(&oldest);
                    waiting.dropped += usize::from(!is_probe(&oldest));
                }
            }
        }
        waiting.bytes += cost;
        waiting.messages.push_back(message);
        drop(waiting);
        if !self.wake() {
            self.end();
        }
        Ok(())
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

fn is_cast(message: &SerializedMessage) -> bool {
    matches!(message, SerializedMessage::Cast { .. })
}

/// A probe must get in: its end says that the mailbox has been worked off, and who puts it in keeps to limits of its own.
fn is_probe(message: &SerializedMessage) -> bool {
    matches!(message, SerializedMessage::Call { variant, .. } if variant == PROBE_VARIANT)
}

fn cost(message: &SerializedMessage) -> usize {
    let bytes = match message {
        SerializedMessage::Cast {
            variant,
            args,
            metadata,
        }
        | SerializedMessage::Call {
            variant,
            args,
            metadata,
            ..
        } => variant.len() + args.len() + metadata.as_ref().map_or(0, Vec::len),
        SerializedMessage::CallReply(_, bytes) => bytes.len(),
    };
    bytes + MESSAGE_OVERHEAD
}
