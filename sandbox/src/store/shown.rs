//! What imports show to those who trace an actor.

use std::fmt;
use std::time::Instant;

use super::data::StoreData;
use crate::accounting::taps::{Ended, Peer};
use crate::component::bindings::messaging::SendError;
use crate::component::bindings::requests::CallError;
use crate::component::bindings::types::Pid;

impl StoreData {
    /// The end of a call that the actor was given.
    #[cold]
    pub(crate) fn show_reply(&self, call: u64, ended: Ended<'_>) {
        self.tally.taps.reply_out(call, ended);
    }

    /// A cast that the actor has sent, or tried to.
    #[cold]
    pub(super) fn show_cast(&self, variant: &str, args: &[u8], to: Pid, failed: Option<SendError>) {
        let failed = failed.map(|error| InWords(error.into()));
        let failed = failed.as_ref().map(|error| error as &dyn fmt::Display);
        self.tally.taps.cast_out(variant, args, peer(to), failed);
    }

    /// A call that the actor makes.
    #[cold]
    pub(super) fn show_call(&self, variant: &str, args: &[u8], to: Pid) -> Instant {
        self.tally.taps.call_out(variant, args, peer(to))
    }

    /// The outcome of a call that the actor stood still for.
    #[cold]
    pub(super) fn show_outcome(&self, variant: &str, to: Pid, since: Instant, outcome: Result<&[u8], &CallError>) {
        match outcome {
            Ok(reply) => self.tally.taps.reply_in(variant, peer(to), since, Ok(reply)),
            Err(error) => self
                .tally
                .taps
                .reply_in(variant, peer(to), since, Err(&InWords(error.clone()))),
        }
    }

    /// A call that the actor does not stand still for: its token, or why there is none.
    #[cold]
    pub(super) fn show_asked(&self, variant: &str, to: Pid, since: Instant, asked: Result<u64, &CallError>) {
        match asked {
            Ok(token) => self.tally.taps.asked(variant, peer(to), since, Ok(token)),
            Err(error) => self
                .tally
                .taps
                .asked(variant, peer(to), since, Err(&InWords(error.clone()))),
        }
    }

    /// The outcome of a call that the actor did not stand still for.
    #[cold]
    pub(crate) fn show_arrival(&self, token: u64, outcome: Result<&[u8], &CallError>) {
        match outcome {
            Ok(reply) => self.tally.taps.arrived(token, Ok(reply)),
            Err(error) => self.tally.taps.arrived(token, Err(&InWords(error.clone()))),
        }
    }
}

fn peer(pid: Pid) -> Peer {
    Peer {
        node: pid.node,
        pid: Some(pid.id),
    }
}

/// Why a message was not sent or not answered, for people.
struct InWords(CallError);

impl fmt::Display for InWords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match &self.0 {
            CallError::UnknownActor => "there is no such actor",
            CallError::Stopped => "the actor has stopped",
            CallError::TooLarge => "the message or its reply is too large",
            CallError::Timeout => "there was no reply in time",
            CallError::NoReply => "there will be no reply",
            CallError::Failed(reason) => reason,
            CallError::WouldDeadlock => "the actors would wait for each other",
            CallError::Overloaded => "too much waits for the actor, or for its node",
            CallError::TooMany => "the actor waits for as many replies as it may",
            CallError::Denied => "the actor may not send there",
        })
    }
}
