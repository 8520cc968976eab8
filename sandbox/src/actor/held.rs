//! Handlers that are not done, and the mailbox that is held for them.
//!
//! ractor hands out one message after the other, whether or not the guest is ready. So while the mailbox is held, what comes is kept
//! here in its order: of messages that wait in our own mailbox only the number of their tokens, so that its limits go on to count
//! them. Replies, timers and news of other actors are handled meanwhile. When the handler is done, what was kept is handled before
//! anything that comes later. That takes one turn of the actor for each batch, or a stop would have to wait for all of it; a token to
//! the actor itself brings the next turn.
//!
//! What the host asks may have to wait, too: code is not replaced, and a state not asked for, while a handler isn't done. For new code
//! the mailbox is held even where the guest would go on to take messages, because otherwise there might never be such a moment; whoever
//! asks for it has patience for a while only. A look at the state is no reason to stop a guest: it waits for a moment that comes by itself.

use std::collections::VecDeque;

use ractor::message::SerializedMessage;
use ractor::{ActorProcessingErr, ActorRef, ActorStatus};

use super::batch::Gathered;
use super::commands::Handlers;
use super::describe;
use super::guest::{Guest, Opaque, Running};
use super::work::Work;
use crate::accounting::label::Label;
use crate::accounting::telemetry;
use crate::component::bindings::requests::Mailbox as PendingMailbox;
use crate::directory::DESCRIBE_VARIANT;
use crate::instance::calls::Instance;
use crate::instance::error::GuestError;
use crate::store::mailbox::waiting::{Received, is_cast};
use crate::store::mailbox::{ARRIVAL, MARK, RESUME, TOKEN};
use crate::store::waits::HeldWait;

/// Arrivals that are handled in one turn of the actor.
const ARRIVALS: usize = 32;

/// A mailbox that is held, or what is left of that. See the module.
pub(super) struct Held {
    label: Label,
    kept: VecDeque<Kept>,
    /// The guest stands still until one of its asks comes to an end.
    wait: Option<HeldWait>,
    /// A token is on its way that brings the next turn.
    resuming: bool,
}

enum Kept {
    /// Tokens of as many messages in our own mailbox.
    Tokens(usize),
    /// What a native actor sent.
    Message(Received),
}

impl Held {
    fn new(label: &Label) -> Self {
        Self {
            label: label.clone(),
            kept: VecDeque::new(),
            wait: None,
            resuming: false,
        }
    }

    /// The guest is about to go on.
    pub(super) fn end_wait(&mut self) {
        self.wait = None;
    }

    fn keep(&mut self, received: Received) {
        match (&received.message, self.kept.back_mut()) {
            (SerializedMessage::CallReply(TOKEN, _), Some(Kept::Tokens(tokens))) => *tokens += 1,
            (SerializedMessage::CallReply(TOKEN, _), _) => self.kept.push_back(Kept::Tokens(1)),
            _ => self.kept.push_back(Kept::Message(received)),
        }
    }

    /// Keeps a message that comes before all the others.
    fn keep_first(&mut self, received: Received) {
        self.kept.push_front(Kept::Message(received));
    }

    fn next(&mut self) -> Option<Received> {
        let token = || Received {
            message: SerializedMessage::CallReply(TOKEN, Vec::new()),
            trace: None,
        };
        if let Some(Kept::Tokens(tokens)) = self.kept.front_mut()
            && *tokens > 1
        {
            *tokens -= 1;
            return Some(token());
        }
        self.kept.pop_front().map(|kept| match kept {
            Kept::Tokens(_) => token(),
            Kept::Message(received) => received,
        })
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // A call that is dropped tells its caller; those in our own mailbox are counted there.
        let is_lost = |kept: &&Kept| matches!(kept, Kept::Message(received) if is_cast(&received.message));
        telemetry::dead_letters(&self.label, "ended", self.kept.iter().filter(is_lost).count());
    }
}

impl Running {
    /// True if no message is to be handled now.
    pub(super) fn is_blocked(&self) -> bool {
        match self.pending {
            None => false,
            Some(PendingMailbox::Held) => true,
            Some(PendingMailbox::Open) => self.life.commands.hold_mailbox(),
        }
    }

    /// Whether the guest's handlers are done.
    pub(super) fn handlers(&self) -> Handlers {
        match self.pending {
            None => Handlers::Done,
            Some(_) => Handlers::Pending,
        }
    }

    /// The guest is to wait for what comes next, after a callback.
    ///
    /// # Errors
    /// Nothing can come that it could go on with.
    pub(super) fn wait_with(&mut self, mut instance: Box<Instance>) -> Result<(), GuestError> {
        let pending = instance.take_pending();
        if pending == Some(PendingMailbox::Held) {
            instance.check_held()?;
        }
        self.instance = Some(instance);
        if pending.is_some() || self.held.is_some() {
            self.settle(pending);
        } else {
            self.pending = None;
        }
        Ok(())
    }

    /// The guest was not called after all.
    pub(super) fn put_unused(&mut self, instance: Box<Instance>) {
        self.instance = Some(instance);
        if self.held.is_some() {
            self.settle(self.pending);
        }
    }

    /// The mailbox is held from now on, if it isn't yet.
    pub(super) fn hold(&mut self) -> &mut Held {
        self.held.get_or_insert_with(|| Box::new(Held::new(&self.label)))
    }

    /// The handlers that were not done went with their instance.
    pub(super) fn forget_handlers(&mut self) {
        self.pending = None;
        if let Some(held) = &mut self.held {
            held.end_wait();
        }
    }

    /// Keeps a message for which there is no time now, although it came before all that is kept.
    pub(super) fn keep_first(&mut self, received: Received) {
        self.hold().keep_first(received);
    }

    fn settle(&mut self, pending: Option<PendingMailbox>) {
        self.pending = pending;
        if self.is_blocked() {
            let asks = self.instance.as_ref().and_then(|instance| instance.asks());
            let arrivals = asks.filter(|asks| asks.is_waiting()).map(|asks| asks.arrivals());
            let pid = self.label.pid;
            let held = self.hold();
            // Before the next begins, which has the same place.
            held.end_wait();
            // A guest that takes messages doesn't stand still, even if it gets none for a while.
            if pending == Some(PendingMailbox::Held) {
                held.wait = arrivals.map(|arrivals| HeldWait::begin(pid, arrivals));
            }
        } else {
            self.resume();
        }
    }

    /// Brings the next turn with what was kept.
    fn resume(&mut self) {
        if let Some(held) = &mut self.held
            && !held.resuming
        {
            // An actor that drains takes no token. What is left is for its end.
            held.resuming = self.life.mailbox.resume();
        }
    }

    /// Gives up what is kept.
    pub(super) fn give_up_kept(&mut self) {
        self.held = None;
    }

    fn has_kept(&self) -> bool {
        !self.casts.is_empty() || self.held.as_ref().is_some_and(|held| !held.kept.is_empty())
    }
}

impl Guest {
    /// Takes a message while the mailbox is held, or while what was kept in that time is not handled.
    pub(super) async fn take_held(
        &self,
        myself: &ActorRef<Opaque>,
        received: Received,
        running: &mut Running,
    ) -> Result<(), ActorProcessingErr> {
        if myself.get_status() == ActorStatus::Draining {
            // Whoever drains it need not know that it keeps something.
            running.life.mailbox.finish_at_end();
        }
        match received.message {
            // All that was sent before the mark has been taken or is kept.
            SerializedMessage::CallReply(MARK, _) => running.casts.mark_came(),
            SerializedMessage::CallReply(ARRIVAL, _) => {
                if !self.handle_arrivals(myself, running).await? {
                    return Ok(());
                }
            }
            SerializedMessage::CallReply(RESUME, _) => {
                running.hold().resuming = false;
                running.life.commands.forget_given_up();
            }
            SerializedMessage::Call {
                variant, args, reply, ..
            } if variant == DESCRIBE_VARIANT => {
                describe::answer(&running.life, &args, reply).await;
            }
            message => running.hold().keep(Received { message, ..received }),
        }
        self.release(myself, running).await.map(drop)
    }

    /// Handles the next of what was kept, if no handler is in the way any more. True if the actor goes on.
    async fn release(&self, myself: &ActorRef<Opaque>, running: &mut Running) -> Result<bool, ActorProcessingErr> {
        // What the host has asked comes first, as ever.
        let has_commands = running.pending.is_none() && running.life.commands.are_postponed();
        if has_commands && !Box::pin(self.run_commands(myself, running)).await? {
            return Ok(false);
        }
        if !running.is_blocked() && !self.release_next(myself, running).await? {
            return Ok(false);
        }
        if !running.is_blocked() {
            if running.has_kept() {
                running.resume();
            } else if !running.life.commands.are_postponed() {
                running.held = None;
            }
        }
        Ok(true)
    }

    async fn release_next(&self, myself: &ActorRef<Opaque>, running: &mut Running) -> Result<bool, ActorProcessingErr> {
        // Those that were left of a batch when a handler was not done. Their mark has come by now.
        if !running.casts.is_empty() {
            return Box::pin(self.handle_held_casts(myself, running)).await;
        }
        while let Some(received) = running.held.as_mut().and_then(|held| held.next()) {
            match running.gather(received) {
                Gathered::Waits | Gathered::Arrived => {}
                Gathered::Due => return Box::pin(self.handle_held_casts(myself, running)).await,
                Gathered::Apart(received) => {
                    return Box::pin(self.take_message(myself, received, running)).await;
                }
            }
        }
        // A mark is on its way for those that were gathered, but it may come behind much else.
        Box::pin(self.handle_held_casts(myself, running)).await
    }

    /// Gives the guest what has arrived for it. True if the actor goes on.
    pub(super) async fn handle_arrivals(
        &self,
        myself: &ActorRef<Opaque>,
        running: &mut Running,
    ) -> Result<bool, ActorProcessingErr> {
        if running.held.is_none() && !Box::pin(self.handle_held_casts(myself, running)).await? {
            return Ok(false);
        }
        if let Some(asks) = running.instance.as_ref().and_then(|instance| instance.asks()) {
            asks.look();
        }
        for _ in 0..ARRIVALS {
            if running.life.commands.are_pending() && !Box::pin(self.run_commands(myself, running)).await? {
                return Ok(false);
            }
            // First: from when the arrival is taken, nothing would say that the guest is about to go on.
            let mut instance = running.take()?;
            let Some(arrival) = instance.take_arrival() else {
                running.put_unused(instance);
                return Ok(true);
            };
            let goes_on = if running.probation.is_some() {
                running.instance = Some(instance);
                Box::pin(self.prove(myself, running, Work::Arrival(arrival))).await?
            } else {
                let outcome = instance.handle_arrival(&arrival).await;
                self.conclude(myself, running, instance, outcome).await?
            };
            if !goes_on {
                return Ok(false);
            }
        }
        if let Some(asks) = running.instance.as_ref().and_then(|instance| instance.asks()) {
            asks.look_again();
        }
        Ok(true)
    }

    /// Finishes what the actor has kept, and the handlers that are not done, when it has drained: it gets no more messages then, and
    /// hears no more news of others.
    pub(super) async fn finish(
        &self,
        myself: &ActorRef<Opaque>,
        running: &mut Running,
    ) -> Result<(), ActorProcessingErr> {
        // Whoever asked hears that the actor has ended. Waiting for it would keep messages waiting, too.
        running.life.commands.give_up_postponed();
        loop {
            if !running.is_blocked() && running.has_kept() {
                if !self.release(myself, running).await? {
                    return Ok(());
                }
                continue;
            }
            if running.pending.is_none() {
                return Ok(());
            }
            let asks = running.instance.as_ref().and_then(|instance| instance.asks());
            let Some(arrivals) = asks.filter(|asks| asks.is_waiting()).map(|asks| asks.arrivals()) else {
                return Ok(());
            };
            arrivals.come().await;
            if !self.handle_arrivals(myself, running).await? {
                return Ok(());
            }
        }
    }
}
