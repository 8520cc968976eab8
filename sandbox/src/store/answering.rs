//! How the calls that a guest was given end.

use super::data::StoreData;
use super::replies::Port;
use crate::accounting::label::Label;
use crate::accounting::telemetry;
use crate::directory::{self, FailureReason, Told};
use crate::entities::{HeldTooMuch, Output, Seat};
use crate::policy::limits::Limit;
use crate::policy::text::tidy;

/// The caller has given up.
pub(super) struct TooLate;

impl StoreData {
    /// Sends what `handle-call` returned.
    pub(crate) fn answer(&mut self, variant: &str, bytes: Vec<u8>) {
        let Some(port) = self.take_unanswered(variant) else {
            return;
        };
        // The port is dropped with this, so the caller hears at once that there is no reply.
        if bytes.len() > self.limits.reply_bytes {
            telemetry::limit(&self.label, Limit::ReplyBytes(self.limits.reply_bytes));
            self.tally.failed();
            if self.is_traced {
                self.show_reply(self.replies.last(), Err(&"the reply is larger than `reply_bytes`"));
            }
            return;
        }
        self.tally.answered();
        if self.is_traced {
            self.show_reply(self.replies.last(), Ok(&bytes));
        }
        // The caller may have given up meanwhile, which is its own affair.
        self.put_out_reply(port, bytes).ok();
    }

    /// Sends a reply: at once, or when the state that it follows from is durable.
    pub(super) fn put_out_reply(&self, port: Port, bytes: Vec<u8>) -> Result<(), TooLate> {
        match self.holding_seat() {
            None => port.send(bytes).map_err(|_| TooLate),
            Some(_) if port.is_closed() => Err(TooLate),
            Some(seat) => {
                // If too much waits the port is dropped, which its caller hears.
                self.hold(seat, Output::Reply(port, bytes), 0).ok();
                Ok(())
            }
        }
    }

    /// Keeps what is done to others until the state that it follows from is durable. False if too much waits already.
    pub(super) fn hold(&self, seat: &Seat, output: Output, bytes: usize) -> Result<(), HeldTooMuch> {
        let held = seat.put_out(output, bytes);
        held.inspect_err(|error| {
            telemetry::dead_letters(&self.label, "held_bytes", 1);
            let Label { name, pid, log, .. } = &self.label;
            if log.allows() {
                tracing::warn!(actor = &**name, pid, %error, "something that the entity does is given up");
            }
        })
    }

    /// Keeps the call that `handle-call` has not answered.
    pub(crate) fn defer(&mut self) {
        if let Err(limit) = self.replies.defer_current() {
            telemetry::limit(&self.label, limit);
            self.tally.failed();
            if self.is_traced {
                self.show_reply(self.replies.last(), Err(&limit));
            }
        }
    }

    /// Fails the call for the reason that `handle-call` returned.
    pub(crate) fn fail_current(&mut self, variant: &str, reason: &str) {
        if let Some(port) = self.take_unanswered(variant) {
            if self.is_traced {
                self.show_reply(self.replies.last(), Err(&reason));
            }
            self.fail(port, Some(variant), reason);
        }
    }

    /// Fails a call for a reason that the guest gave, and logs it: as a warning if the caller can't hear it.
    pub(super) fn fail(&self, port: Port, variant: Option<&str>, reason: &str) {
        self.tally.failed();
        let reason = FailureReason::new(reason);
        let told = match self.holding_seat() {
            None => directory::fail(port, reason.clone()),
            Some(seat) => {
                self.hold(seat, Output::Failed(port, reason.clone().into()), 0).ok();
                Told::Caller
            }
        };
        if told == Told::GivenUp || !self.label.log.allows() {
            return;
        }
        let Label { name, pid, .. } = &self.label;
        let variant = variant.map(|variant| tidy(variant, self.limits.name_bytes));
        let variant = variant.as_deref();
        // Here, too, if the caller's node has the reason: the caller itself may have used ractor's `call!`, which has no word for it.
        if told == Told::Caller {
            tracing::info!(actor = &**name, pid, variant, %reason, "the actor failed a call");
        } else {
            tracing::warn!(
                actor = &**name,
                pid,
                variant,
                %reason,
                "the actor failed a call, and its caller hears only that there is no reply"
            );
        }
    }

    fn take_unanswered(&mut self, variant: &str) -> Option<Port> {
        let port = self.replies.take_current();
        if port.is_none() && self.label.log.allows() {
            tracing::warn!(
                actor = &*self.label.name,
                pid = self.label.pid,
                variant = &*tidy(variant, self.limits.name_bytes),
                "the guest answered this call before and again by returning; the second answer is ignored"
            );
        }
        port
    }
}
