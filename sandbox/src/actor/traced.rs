//! Tracing a guest: seeing its messages, and what it sends.

use std::sync::Arc;

use ractor::message::SerializedMessage;

use super::guest_cell::{GuestCell, GuestRef};
use crate::accounting::taps::{Peer, Tracer};
use crate::directory::{DESCRIBE_VARIANT, Sender, TracedMark};

/// A guest that is traced, until this is dropped.
#[derive(Debug)]
#[must_use = "the trace ends when this is dropped"]
pub struct TracedGuest {
    guest: Arc<GuestCell>,
    number: u64,
    _mark: TracedMark,
}

impl GuestRef {
    /// Has a tracer see what passes the guest from its next message on, over all its instances, until what is returned is dropped.
    pub fn trace(&self, tracer: Arc<dyn Tracer>) -> TracedGuest {
        TracedGuest {
            _mark: TracedMark::new(),
            number: self.0.tally.taps.enter(tracer),
            guest: self.0.clone(),
        }
    }
}

impl TracedGuest {
    /// Its pid.
    pub fn pid(&self) -> u64 {
        self.guest.cell().get_id().pid()
    }
}

impl Drop for TracedGuest {
    fn drop(&mut self) {
        self.guest.tally.taps.leave(self.number);
    }
}

impl GuestCell {
    /// Notes who sends a message that is about to enter the mailbox, if anybody looks.
    pub(super) fn note_sender(&self, message: &SerializedMessage, sender: Sender) {
        let taps = &self.tally.taps;
        if !taps.is_on() {
            return;
        }
        let peer = match sender {
            Sender::Actor(pid) => Peer {
                node: 0,
                pid: Some(pid),
            },
            Sender::Node(node) => Peer { node, pid: None },
        };
        if let Some((variant, args)) = parts(message) {
            taps.comes_from(variant, args, peer);
        }
    }

    /// Forgets it: the message leaves the mailbox before its turn, or never entered it.
    pub(super) fn note_no_sender(&self, message: &SerializedMessage) {
        let taps = &self.tally.taps;
        if let Some((variant, args)) = parts(message).filter(|_| taps.is_on()) {
            taps.comes_from_nobody(variant, args);
        }
    }
}

/// The name and the arguments of a message that the guest is given. What the actor is, it isn't asked itself.
fn parts(message: &SerializedMessage) -> Option<(&str, &[u8])> {
    match message {
        SerializedMessage::Cast { variant, args, .. } | SerializedMessage::Call { variant, args, .. } => {
            (variant != DESCRIBE_VARIANT).then_some((variant, args))
        }
        SerializedMessage::CallReply(..) => None,
    }
}
