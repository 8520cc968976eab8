//! An actor that keeps notes of what it was sent: the mailbox that ships, and a list in place of an instance.

use std::sync::Arc;

use ractor::message::SerializedMessage;

use super::asking::{Handle, Question};
use super::code::{Code, Running};
use super::history::{Notes, Sender};
use crate::guest::StateRoom;
use ractor_host_sandbox::internals::{Limits, Put, Received, Waiting, WhenFull};

/// How an actor stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Status {
    Running,
    /// It takes no more, and ends when its mailbox is empty.
    Draining,
}

/// See the module.
pub(super) struct Guest {
    pub(super) pid: u64,
    /// Its place among those of its node.
    pub(super) index: usize,
    pub(super) name: String,
    pub(super) status: Status,
    waiting: Waiting,
    limits: Limits,
    /// What it is handling.
    pub(super) at_hand: Option<SerializedMessage>,
    pub(super) notes: Notes,
    pub(super) running: Running,
    /// Its instance has failed, and there is no other yet.
    pub(super) is_down: bool,
    /// It is to go on with a fresh instance, before its next message.
    pub(super) is_stale: bool,
    /// How many messages it took, and what became of them.
    pub(super) taken: usize,
    pub(super) handled: usize,
    pub(super) lost: usize,
    /// What those know of it who ask for its state.
    pub(super) handle: Handle,
    /// Those who ask for its state, and where that has a place.
    pub(super) asked: Vec<(Question, Arc<StateRoom>)>,
}

impl Guest {
    pub(super) fn new(pid: u64, index: usize, name: String, notes: Notes, mailbox: usize, code: Code) -> Self {
        Self {
            pid,
            index,
            name,
            status: Status::Running,
            waiting: Waiting::default(),
            limits: Limits {
                mailbox_messages: mailbox,
                mailbox_full: WhenFull::Reject,
                ..Limits::default()
            },
            at_hand: None,
            notes,
            running: Running::new(code),
            is_down: false,
            is_stale: false,
            taken: 0,
            handled: 0,
            lost: 0,
            handle: Handle::new(pid),
            asked: Vec::new(),
        }
    }

    /// False if the message was refused, and with it its reply port dropped.
    pub(super) fn put(&mut self, message: SerializedMessage) -> bool {
        let is_draining = self.status != Status::Running;
        let message = Received { message, trace: None };
        let Put { outcome, .. } = self.waiting.handle_put(message, &self.limits, || is_draining);
        let is_taken = match outcome {
            // As when the token finds the actor draining.
            Ok(number) if is_draining => self.waiting.handle_take_back(number).is_none(),
            outcome => outcome.is_ok(),
        };
        self.taken += usize::from(is_taken);
        is_taken
    }

    /// Begins with the next message. False if it is at one already, or none waits.
    pub(super) fn begin(&mut self) -> bool {
        if !self.is_at_boundary() {
            return false;
        }
        let taken = self.waiting.poll_message(&self.limits);
        self.at_hand = taken.map(|taken| taken.received.message);
        self.at_hand.is_some()
    }

    pub(super) fn is_idle(&self) -> bool {
        self.waiting.count() == 0 && self.is_at_boundary()
    }

    /// How many messages wait, the one at hand among them.
    pub(super) fn waits(&self) -> usize {
        self.waiting.count() + usize::from(self.at_hand.is_some())
    }

    /// Gives up what waits. This many messages did.
    pub(super) fn end(&mut self) -> usize {
        self.waiting.handle_end().messages.len()
    }
}

/// What a message says: whose it is, and which.
pub(super) fn say(from: Sender, number: u32) -> Vec<u8> {
    let (computer, life, actor) = from;
    let words = [computer as u32, life, actor as u32, number];
    words.iter().flat_map(|word| word.to_be_bytes()).collect()
}

/// What [`say`] said.
pub(super) fn said(args: &[u8]) -> (Sender, u32) {
    let word = |at: usize| u32::from_be_bytes(args[4 * at..4 * at + 4].try_into().unwrap());
    ((word(0) as usize, word(1), word(2) as usize), word(3))
}
