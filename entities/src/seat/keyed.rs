//! Calls that bear idempotency keys, as an activation handles them.

use std::sync::Arc;

use ractor::RpcReplyPort;
use ractor::message::SerializedMessage;
use ractor_host_directory::{FailureReason, fail};

use super::{Inner, LOST, Output, Seat, Shared, told};
use crate::keys::book::{Begun, Call, UNANSWERED};
use crate::keys::port::{call_of, next_id, port};
use crate::keys::{KeyRefused, is_keyed, unwrap};
use crate::reminders::Firing;
use crate::reminders::book::Taken;
use crate::store::Change;

/// Where the reply to a call goes.
type Port = RpcReplyPort<Vec<u8>>;

/// Why a call isn't handled that looks like one with a key.
const FORGED: &str =
    "a call bears an idempotency key through the node's own means, and through no message that is made by hand";

/// What is kept of a call whose handler gave no reply.
const NO_REPLY: &str = "the entity handled the call and gave no reply";

/// What a failed instance was handling. Whoever waits for one of its calls hears when this is dropped.
#[derive(Debug, Default)]
pub struct Interrupted {
    pub(super) firings: Vec<Firing>,
    pub(super) calls: Vec<Call<Port>>,
}

impl Drop for Interrupted {
    fn drop(&mut self) {
        fail_all(std::mem::take(&mut self.calls), LOST);
    }
}

/// Whoever waits for these calls hears why there is no reply.
pub(super) fn fail_all(calls: Vec<Call<Port>>, reason: &str) {
    for port in calls.into_iter().flat_map(|call| call.ports) {
        told(fail(port, FailureReason::new(reason)));
    }
}

impl Seat {
    /// A message's turn has come. Gives what is to be handled: the message itself, or what is in a call that bears a key. None if there is
    /// nothing to handle: such a call was handled before, or is being handled, or can't be.
    pub fn begin_message(&self, message: SerializedMessage) -> Option<SerializedMessage> {
        if !is_keyed(&message) {
            return Some(message);
        }
        let SerializedMessage::Call {
            args, reply, metadata, ..
        } = message
        else {
            return None;
        };
        let refuse = |port, reason: &str| told(fail(port, FailureReason::new(reason)));
        let Some(call) = unwrap(&args) else {
            refuse(reply, FORGED);
            return None;
        };
        if !self.holds_outputs() {
            let of = self.0.entity.entity_type.clone();
            refuse(reply, &KeyRefused::Durability(of).to_string());
            return None;
        }
        let (id, now_ms) = (next_id(), self.0.schedule.steady_ms());
        let begun = {
            let mut inner = self.0.inner.lock();
            inner.replies.handle_call(id, (call.name, call.digest), reply, now_ms)
        };
        match begun {
            Begun::Handle => {
                let seat = Arc::downgrade(&self.0);
                let ended = move |id, outcome: Result<Vec<u8>, Option<FailureReason>>| {
                    // An activation that is gone has told everybody.
                    if let Some(seat) = seat.upgrade() {
                        let reason =
                            |reason: Option<FailureReason>| reason.map_or_else(|| NO_REPLY.to_owned(), String::from);
                        Self(seat).conclude(id, outcome.map_err(reason));
                    }
                };
                return Some(SerializedMessage::Call {
                    variant: call.variant,
                    args: call.args,
                    reply: port(id, ended),
                    metadata,
                });
            }
            Begun::Joined => {}
            Begun::Kept(port, outcome) => {
                self.0.answered_again();
                // If too much waits already the port is dropped, which its caller hears.
                self.put_out(answer(port, outcome), 0).ok();
            }
            Begun::Refused(port, fault) => refuse(port, &fault.to_string()),
        }
        None
    }

    /// Takes an output that is the reply to a call with a key. Any other comes back.
    pub(super) fn take_answer(&self, output: Output) -> Option<Output> {
        let (Output::Reply(port, _) | Output::Failed(port, _)) = &output else {
            return Some(output);
        };
        let Some(id) = call_of(port).filter(|id| self.0.inner.lock().replies.is_in_flight(*id)) else {
            return Some(output);
        };
        // The port of the handler is dropped behind this, when nobody asks any more what came of it.
        match output {
            Output::Reply(_port, bytes) => self.conclude(id, Ok(bytes)),
            Output::Failed(_port, reason) => self.conclude(id, Err(reason)),
            other => return Some(other),
        }
        None
    }

    /// This came of a call: it is kept, and whoever waits for it hears when that is durable.
    fn conclude(&self, id: u64, outcome: Result<Vec<u8>, String>) {
        let now_ms = self.0.schedule.steady_ms();
        let mut refused = Vec::new();
        {
            let mut inner = self.0.inner.lock();
            let Some(ports) = inner.replies.handle_outcome(id, &outcome, now_ms) else {
                return;
            };
            // Of a reply that was put off the state has nothing new, and no message will have it taken.
            let is_between = inner.durable.is_taken();
            if is_between {
                inner.durable.handle_change();
            }
            for port in ports {
                let output = answer(port, outcome.clone());
                let bytes = output.bytes();
                if let Err(error) = inner.durable.handle_output(output, bytes) {
                    refused.push(error);
                }
            }
            if is_between {
                inner.take_replies();
            }
        }
        for error in refused {
            tracing::warn!(entity = %self.0.entity, %error, "a reply is given up");
        }
        self.go_on();
    }

    /// How many calls with keys are known, with those that are being handled.
    pub fn kept_replies(&self) -> usize {
        self.0.inner.lock().replies.len()
    }

    /// The activation is over: whoever waits for a call hears why there is no reply.
    pub(super) fn give_up_calls(&self, is_known: bool) {
        let (lost, unanswered) = {
            let mut inner = self.0.inner.lock();
            (inner.replies.handle_failed(), inner.replies.handle_over())
        };
        if is_known {
            fail_all(lost, LOST);
            fail_all(unanswered, UNANSWERED);
        } else {
            fail_all(lost, super::UNKNOWN);
            fail_all(unanswered, super::UNKNOWN);
        }
    }
}

impl Inner {
    /// Has what came of calls written, where the state is as it was taken last.
    fn take_replies(&mut self) {
        self.durable.handle_taken();
        let replies = self.replies.take();
        let next = self.next.get_or_insert_default();
        next.handle_taken(Change::Keep, Taken::default(), replies);
    }
}

impl Shared {
    fn answered_again(&self) {
        // A figure alone.
        self.answered_again.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    }
}

fn answer(port: Port, outcome: Result<Vec<u8>, String>) -> Output {
    match outcome {
        Ok(bytes) => Output::Reply(port, bytes),
        Err(reason) => Output::Failed(port, reason),
    }
}
