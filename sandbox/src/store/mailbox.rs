//! The mailbox of a guest: bounded, and outliving its instances.
//!
//! ractor's mailboxes have neither a length nor a limit. So what comes from guests, from peers and from timers waits here,
//! and in ractor's mailbox only a *token* for each: a message of no bytes that says "take the next". Native actors send
//! through ractor alone; their messages keep their place among the tokens. Since a message is put here before its token is
//! put there, nothing that was sent after it was can overtake it.

// By its path, because `tests/interleavings` has this file at another place of its own tree.
#[path = "mailbox/waiting.rs"]
pub(crate) mod waiting;

use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, OnceLock, Weak};

use ractor::message::SerializedMessage;
use ractor::{ActorCell, ActorStatus};
use tokio::sync::Notify;

use self::waiting::{GivenUp, Received, Waiting, is_cast};
use crate::accounting::family::Quota;
use crate::accounting::label::Label;
use crate::accounting::telemetry;
use crate::directory::{
    BoxFuture, DESCRIBE_VARIANT, Inbox, NotPut, PROBE_VARIANT, Placed, PutRefused, Sender, is_anyone_traced, trace,
};
use crate::policy::limits::{Limits, WhenFull};
use crate::sync::Mutex;
use crate::sync::atomic::{AtomicBool, Ordering};

/// What a token has in place of a call's number: see the module.
pub(crate) const TOKEN: u64 = 0;

/// What a mark has there, which stands for no message: see [`batch`](crate::actor::batch).
pub(crate) const MARK: u64 = 1;

/// What a token has there that has the actor look for what has arrived for its instance: see [`asks`](crate::store::asks).
pub(crate) const ARRIVAL: u64 = 2;

/// What a token has there that stands for no message and has the actor look at what it has to do: for what it has kept, see
/// [`held`](crate::actor::held), and for what the host asks of it.
pub(crate) const RESUME: u64 = 3;

/// How full a mailbox is, for whoever wants to know without its lock. Not of `sync`: nothing waits for these numbers.
#[derive(Default)]
struct Level {
    messages: AtomicUsize,
    bytes: AtomicUsize,
}

impl Level {
    /// Called with the lock held, so the stores come in order.
    fn show(&self, waiting: &Waiting) {
        self.messages.store(waiting.count(), Ordering::Relaxed);
        self.bytes.store(waiting.bytes(), Ordering::Relaxed);
    }
}

/// What an actor is can be answered without its turn and without its instance.
pub(crate) trait AnswersAhead: Send + Sync {
    /// Answers a question before it enters the mailbox. Gives the message back if that can't be done: then it waits for the actor's
    /// turn.
    fn answer_ahead(self: Arc<Self>, message: SerializedMessage) -> Option<SerializedMessage>;

    /// Notes who sends a message that is about to enter the mailbox, if the actor is traced.
    fn comes_from(&self, message: &SerializedMessage, sender: Sender);

    /// Forgets who has sent a message that leaves the mailbox before its turn, or never entered it.
    fn forget_sender(&self, message: &SerializedMessage);
}

/// See the module.
pub(crate) struct Mailbox {
    actor: ActorCell,
    label: Label,
    limits: Arc<Limits>,
    /// What the messages of the whole family may take that wait.
    quota: Arc<Quota>,
    waiting: Mutex<Waiting>,
    room: Notify,
    level: Level,
    /// What answers questions that take neither the actor's turn nor its instance.
    answers: OnceLock<Weak<dyn AnswersAhead>>,
    /// The actor is to finish what it has before it ends. ractor doesn't say so to an actor that ends.
    drains: AtomicBool,
}

impl std::fmt::Debug for Mailbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mailbox")
            .field("actor", &self.actor)
            .finish_non_exhaustive()
    }
}

impl Mailbox {
    pub(crate) fn new(actor: ActorCell, label: Label, limits: Arc<Limits>, quota: Arc<Quota>) -> Self {
        Self {
            actor,
            label,
            limits,
            waiting: Mutex::new(Waiting::in_family(quota.clone())),
            quota,
            room: Notify::new(),
            level: Level::default(),
            answers: OnceLock::new(),
            drains: AtomicBool::new(false),
        }
    }

    /// Who answers questions ahead of the messages that wait. Said once, when the actor starts.
    pub(crate) fn answered_by(&self, answers: Weak<dyn AnswersAhead>) {
        // A second time would change nothing: a mailbox has one actor.
        drop(self.answers.set(answers));
    }

    /// The message that has waited the longest, for a token that has come.
    pub(crate) fn next(&self) -> Option<Received> {
        // The lock is free again before anything is said or anybody is woken.
        let polled = {
            let mut waiting = self.waiting.lock();
            let polled = waiting.poll_message(&self.limits);
            self.level.show(&waiting);
            polled
        };
        let Some(taken) = polled else {
            // The token of a message that was withdrawn, perhaps, which has taken up room until now.
            self.room.notify_waiters();
            return None;
        };
        if let Some(dropped) = taken.dropped {
            telemetry::dead_letters(&self.label, "mailbox_full", dropped);
        }
        if taken.makes_room {
            // Everybody: the largest message that waits may not fit by now, and another would.
            self.room.notify_waiters();
        }
        Some(taken.received)
    }

    /// How many messages wait here. Those of native actors wait in ractor's mailbox and are not known.
    pub(crate) fn len(&self) -> usize {
        self.level.messages.load(Ordering::Relaxed)
    }

    /// How many bytes these take, with what each costs beside.
    pub(crate) fn bytes(&self) -> usize {
        self.level.bytes.load(Ordering::Relaxed)
    }

    /// The actor has ended. Gives what still waits, in order: it is for the next activation of the entity that the actor was.
    pub(crate) fn end_for_the_next(&self) -> Vec<SerializedMessage> {
        let GivenUp { messages } = self.take_all();
        let all = messages.into_iter().map(|(_, received)| received.message);
        // Who asks how far an actor has come is answered by its end.
        let is_message = |message: &SerializedMessage| match message {
            SerializedMessage::Call { variant, .. } => variant != PROBE_VARIANT,
            SerializedMessage::Cast { .. } => true,
            SerializedMessage::CallReply(..) => false,
        };
        all.filter(is_message).collect()
    }

    fn take_all(&self) -> GivenUp {
        let given_up = {
            let mut waiting = self.waiting.lock();
            let given_up = waiting.handle_end();
            self.level.show(&waiting);
            given_up
        };
        self.room.notify_waiters();
        given_up
    }

    /// The actor has ended. What still waits is given up.
    pub(crate) fn end(&self) {
        // They are dropped outside of the lock, because the reply ports among them wake their callers.
        let GivenUp { messages } = self.take_all();
        // A probe carries nothing, and a call is no loss in silence: its caller hears.
        let casts = messages
            .iter()
            .filter(|(_, received)| is_cast(&received.message))
            .count();
        telemetry::dead_letters(&self.label, "ended", casts);
    }

    /// Answers the question what the actor is, if this is it. None if that is done, or will be.
    fn answer_ahead(&self, message: SerializedMessage) -> Option<SerializedMessage> {
        if !is_question(&message) {
            return Some(message);
        }
        match self.answers.get().and_then(Weak::upgrade) {
            Some(answers) => answers.answer_ahead(message),
            None => Some(message),
        }
    }

    /// Nobody is to be taken for the sender of what gets the place in memory of one of these.
    fn forget_senders<'m>(&self, messages: impl IntoIterator<Item = &'m SerializedMessage>) {
        for message in messages {
            if is_anyone_traced()
                && let Some(answers) = self.answers.get().and_then(Weak::upgrade)
            {
                answers.forget_sender(message);
            }
        }
    }

    /// Puts a token into ractor's mailbox. False if the actor takes no more messages.
    fn wake(&self) -> bool {
        self.put_token(TOKEN)
    }

    /// Marks the place in ractor's mailbox behind what is there by now. False if the actor takes no more messages.
    pub(crate) fn mark(&self) -> bool {
        self.put_token(MARK)
    }

    /// Has the actor look for what has arrived for its instance. False if it takes no more messages.
    pub(crate) fn arrived(&self) -> bool {
        self.put_token(ARRIVAL)
    }

    /// Has the actor look at what it has kept and at what the host asks of it. False if it takes no more messages.
    pub(crate) fn resume(&self) -> bool {
        self.put_token(RESUME)
    }

    /// The actor is to finish what it has before it ends.
    pub(crate) fn finish_at_end(&self) {
        self.drains.store(true, Ordering::Release);
    }

    /// True if the actor is to finish what it has before it ends.
    pub(crate) fn is_draining(&self) -> bool {
        self.drains.load(Ordering::Acquire)
    }

    fn put_token(&self, token: u64) -> bool {
        self.actor
            .send_serialized(SerializedMessage::CallReply(token, Vec::new()))
            .is_ok()
    }

    /// Takes a message back that was just put, if the actor takes none any more, because it is draining or ending. What was put in
    /// before has its tokens and is handled.
    fn accept(number: u64, is_taken: bool, waiting: &mut Waiting) -> Result<Placed, NotPut> {
        if is_taken {
            return Ok(Placed::Waits(number));
        }
        // The lock has been held since the message was put in, so it is still there.
        match waiting.handle_take_back(number) {
            Some(message) => Err(NotPut {
                message,
                reason: PutRefused::Ended,
            }),
            None => Ok(Placed::Nowhere),
        }
    }
}

/// True for the call that asks what the actor is.
fn is_question(message: &SerializedMessage) -> bool {
    matches!(message, SerializedMessage::Call { variant, .. } if variant == DESCRIBE_VARIANT)
}

impl Inbox for Mailbox {
    fn put(&self, message: SerializedMessage) -> Result<Placed, NotPut> {
        let message = match self.answer_ahead(message) {
            None => return Ok(Placed::Nowhere),
            Some(message) => message,
        };
        // Asked late, because only a mailbox that drops its oldest has to know before it puts the message in; the
        // others hear it from the token.
        let is_draining = || self.actor.get_status() >= ActorStatus::Draining;
        let trace = trace::of_message();
        let (struck, made_room, outcome) = {
            let mut waiting = self.waiting.lock();
            let put = waiting.handle_put(Received { message, trace }, &self.limits, is_draining);
            // Still with the lock: an actor that ends now would give up a message whose sender would take it for accepted.
            let outcome = put.outcome.and_then(|number| {
                // Its own token, or that of a message that was dropped.
                let is_taken = if put.needs_token { self.wake() } else { !is_draining() };
                Self::accept(number, is_taken, &mut waiting)
            });
            self.level.show(&waiting);
            (put.struck, put.made_room, outcome)
        };
        self.forget_senders(outcome.as_ref().err().map(|not_put| &not_put.message));
        self.forget_senders(&made_room);
        drop(made_room);
        // Outside of the lock: a log line takes longer than all that is done under it.
        if let Some(limit) = struck {
            telemetry::limit(&self.label, limit);
        }
        outcome
    }

    fn comes_from(&self, message: &SerializedMessage, sender: Sender) {
        if let Some(answers) = self.answers.get().and_then(Weak::upgrade) {
            answers.comes_from(message, sender);
        }
    }

    fn withdraw(&self, placed: Placed) -> Option<SerializedMessage> {
        let Placed::Waits(number) = placed else { return None };
        let message = {
            let mut waiting = self.waiting.lock();
            let message = waiting.handle_withdraw(number);
            self.level.show(&waiting);
            message
        };
        if message.is_some() {
            self.room.notify_waiters();
        }
        self.forget_senders(&message);
        message
    }

    fn drains(&self) {
        self.finish_at_end();
    }

    fn room(&self) -> Option<BoxFuture<'_, ()>> {
        (self.limits.mailbox_full == WhenFull::Wait).then(|| {
            let mut here = Box::pin(self.room.notified());
            // Both, since either may be what is full, and which of them it is may change while the guest waits.
            let mut in_family = Box::pin(self.quota.room());
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
pub(crate) mod tests;
