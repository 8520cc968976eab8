//! Several casts in one call of the guest, where they wait for it anyway: an entry into WebAssembly costs more than handling
//! a small message.
//!
//! ractor hands out one message at a time and doesn't say whether there is another. So a cast is held, and a *mark* sent to
//! the actor itself: what comes before the mark was waiting already, and is handled with it, in the order of the mailbox.
//! Where casts come one at a time, most are handled at once, without a mark; every now and then one is held to see whether
//! that has changed. Whatever can't wait (a call, a large cast, what the host asks) comes after those that are held.
//!
//! The guest says when it begins with each cast. So after a trap it is known which one is lost, and those behind it are
//! given to the next instance. It is told to return early when something else is due: a stop, a command of the host, or other
//! actors, once the engine's clock has ticked. News of other actors waits no longer than that.

use ractor::message::SerializedMessage;
use ractor::{ActorProcessingErr, ActorRef};

use super::guest::{Guest, Opaque, Running};
use super::work::Work;
use crate::accounting::telemetry;
use crate::store::mailbox::waiting::Received;
use crate::store::mailbox::{ARRIVAL, MARK, RESUME};

/// What becomes of a message of ractor's mailbox.
pub(super) enum Gathered {
    /// It is held, or stood for nothing.
    Waits,
    /// Those that are held are to be handled now.
    Due,
    /// Something has arrived for the instance.
    Arrived,
    /// It is to be handled by itself, after those that are held.
    Apart(Received),
}

impl Running {
    /// The message of a token, if it is to be handled.
    fn next_received(&self) -> Option<Received> {
        let Received { message, trace } = self.life.mailbox.next()?;
        let message = match &self.seat {
            Some(seat) => seat.admit(message)?,
            None => message,
        };
        Some(Received { message, trace })
    }

    /// Holds a message that can be handled together with others.
    pub(super) fn gather(&mut self, received: Received) -> Gathered {
        let received = match received.message {
            SerializedMessage::CallReply(MARK, _) => {
                // Whatever was sent before the mark has been taken by now, also if all of it was handled in a full batch.
                self.casts.mark_came();
                return if self.casts.is_empty() {
                    Gathered::Waits
                } else {
                    Gathered::Due
                };
            }
            SerializedMessage::CallReply(ARRIVAL, _) => return Gathered::Arrived,
            // What was kept has been handled by now, and what the host has asked was done before.
            SerializedMessage::CallReply(RESUME, _) => return Gathered::Waits,
            // A token: see `mailbox`.
            SerializedMessage::CallReply(..) => match self.next_received() {
                Some(received) => received,
                // Its message was dropped to make room, or is for another node by now.
                None => return Gathered::Waits,
            },
            message => Received { message, ..received },
        };
        let batches = self.instance.as_ref().is_some_and(|instance| instance.takes_batches());
        match &received {
            // One of a trace has a span of its own, and what the guest sends for it belongs to that.
            Received {
                message:
                    SerializedMessage::Cast {
                        variant,
                        args,
                        metadata: None,
                    },
                trace: None,
            } if batches && self.probation.is_none() && self.casts.takes(variant.len() + args.len())
                // Each is to be seen by itself then, and with its sender.
                && !self.life.tally.taps.is_on() =>
            {
                let wants_mark = self.casts.push(variant, args);
                // An actor that drains takes no mark, and nothing else would ever end the wait.
                if wants_mark && !self.life.mailbox.mark() {
                    self.casts.mark_came();
                    return Gathered::Due;
                }
                if self.casts.is_full() {
                    Gathered::Due
                } else {
                    Gathered::Waits
                }
            }
            _ => Gathered::Apart(received),
        }
    }
}

impl Guest {
    /// Handles the casts that are held, until a handler is not done. True if the actor goes on.
    pub(super) async fn handle_held_casts(
        &self,
        myself: &ActorRef<Opaque>,
        running: &mut Running,
    ) -> Result<bool, ActorProcessingErr> {
        while !running.casts.is_empty() && !running.is_blocked() {
            // Asked anew for each batch: a guest returns early when something is asked, so that it comes before the
            // casts that are left.
            if running.life.commands.are_pending() && !Box::pin(self.run_commands(myself, running)).await? {
                return Ok(false);
            }
            // Code on trial gets one message at a time, or nobody could say after which of them its state was taken.
            if running.probation.is_some() {
                let work = Work::Message(running.casts.take_first());
                if !Box::pin(self.prove(myself, running, work)).await? {
                    return Ok(false);
                }
                continue;
            }
            let mut instance = running.take()?;
            let (begun, outcome) = instance.handle_casts(&running.casts).await;
            // Also after a trap: the cast that it trapped at is gone, and those behind it are for the next instance.
            running.casts.begun(begun);
            if outcome.is_err() {
                telemetry::dead_letters(&running.label, "failed", 1);
            }
            if !self.conclude(myself, running, instance, outcome).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
