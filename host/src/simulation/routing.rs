//! Messages: how they are sent, get to guests, are handled and answered.

use ractor::concurrency::{OneshotReceiver, oneshot};
use ractor::message::SerializedMessage;

use super::computer::guest_name;
use super::guest::{said, say};
use super::history::{Name, Sender};
use super::process::{Context, Event, Process, node_name};
use ractor_host_cluster::internals::CloseReason;
use ractor_host_cluster::internals::wire::{Data, Message};

/// What all messages are.
const VARIANT: &str = "Note";

/// What native actors of a process have sent, and the calls of theirs that wait for replies.
pub(super) struct Calls {
    /// The last number of each.
    numbers: Vec<u32>,
    waiting: Vec<Waiting>,
}

struct Waiting {
    guest: Name,
    from: Sender,
    number: u32,
    reply: OneshotReceiver<Vec<u8>>,
}

impl Calls {
    pub(super) fn new(senders: usize) -> Self {
        Self {
            numbers: vec![0; senders],
            waiting: Vec::new(),
        }
    }

    /// The calls that have no reply yet: to whom, by whom, and which of theirs.
    pub(super) fn waiting(&self) -> Vec<(Name, Sender, u32)> {
        let calls = self.waiting.iter();
        calls.map(|call| (call.guest, call.from, call.number)).collect()
    }

    /// Looks which calls have their replies, or will never have one.
    pub(super) fn poll(&mut self, context: &mut Context<'_>) {
        self.waiting.retain_mut(|call| match call.reply.try_recv() {
            Ok(_) => {
                context.history.replied(call.guest, call.from, call.number);
                false
            }
            Err(_) => !call.reply.is_terminated(),
        });
    }
}

impl Process {
    /// A native actor sends to some guest of another node, if it knows it.
    pub(super) fn send(&mut self, sender: usize, context: &mut Context<'_>) {
        if self.stop.is_some() || context.is_quiet {
            return;
        }
        let wait = 1 + context.random.below(2 * self.plan.sends_every);
        context.after(wait, Event::Send(sender));
        let count = self.computers() as u64;
        let peer = (self.computer as u64 + 1 + context.random.below(count - 1)) % count;
        let peer = peer as usize;
        let guest = context.random.below(3) as usize;
        let Some(end) = self.link_to(&node_name(peer, self.computers())) else {
            return;
        };
        let Some(pid) = end.actors.get(&guest_name(guest)).copied() else {
            return;
        };
        let link = end.link.clone();
        let from = (self.computer, self.life, sender);
        let number = &mut self.calls.numbers[sender];
        *number += 1;
        let number = *number;
        let mut args = say(from, number);
        // Now and then one that is written from where it is.
        args.resize(args.len() + if context.random.chance(2) { 40_000 } else { 0 }, 0);
        let variant = VARIANT.to_owned();
        if context.random.chance(50) {
            let (port, reply) = oneshot();
            let message = SerializedMessage::Call {
                variant,
                args,
                reply: port.into(),
                metadata: None,
            };
            self.calls.waiting.push(Waiting {
                guest: (peer, guest),
                from,
                number,
                reply,
            });
            link.send(pid, message).ok();
        } else {
            let message = SerializedMessage::Cast {
                variant,
                args,
                metadata: None,
            };
            link.send(pid, message).ok();
        }
    }

    /// Bytes were read at one end.
    pub(super) fn read(&mut self, wire: usize, bytes: &[u8], context: &mut Context<'_>) {
        let Some(end) = self.ends.get_mut(&wire) else { return };
        end.link.mark_traffic();
        end.read.extend_from_slice(bytes);
        loop {
            let Some(end) = self.ends.get_mut(&wire) else { return };
            match end.next_message() {
                Ok(None) => return,
                Ok(Some(Message::Data(data))) => self.route(wire, data, context),
                Ok(Some(Message::Unknown)) => {}
                Ok(Some(message)) => end.session.handle_message(message, context.now),
                Err(reason) => end.session.handle_closed(reason),
            }
            // The reader waits until the session has done with it.
            self.pump(wire, context);
        }
    }

    fn route(&mut self, wire: usize, data: Data, context: &mut Context<'_>) {
        let Some(end) = self.ends.get_mut(&wire) else { return };
        if !end.session.is_authenticated() {
            if end.closed.is_none() {
                end.session.handle_closed(CloseReason::OutOfOrder {
                    expected: "a step of the handshake",
                    got: "a data message",
                });
            }
            return;
        }
        let link = end.link.clone();
        match data {
            Data::Cast(cast) => {
                let message = SerializedMessage::Cast {
                    variant: cast.variant,
                    args: cast.args,
                    metadata: cast.metadata,
                };
                self.deliver(cast.to, message, context);
            }
            Data::Call(call) => {
                let (to, tag) = (call.to, call.tag);
                let Ok(port) = link.reply_port(to, tag, None) else {
                    return link.refuse_call(to, tag);
                };
                let message = SerializedMessage::Call {
                    variant: call.variant,
                    args: call.args,
                    reply: port.into(),
                    metadata: call.metadata,
                };
                if !self.deliver(to, message, context) {
                    link.repeat_terminate(to);
                }
            }
            Data::Reply(reply) => link.complete(reply.to, reply.tag, reply.what),
            Data::CallFailed { to, tag, reason } => link.fail_call(to, tag, reason.as_deref()),
        }
    }

    /// False if there is no such actor.
    fn deliver(&mut self, pid: u64, message: SerializedMessage, context: &mut Context<'_>) -> bool {
        let Some(guest) = self.guests.get_mut(&pid) else {
            return false;
        };
        if guest.put(message) {
            context.soon(100, Event::Begin(pid));
        }
        true
    }

    pub(super) fn begin(&mut self, pid: u64, context: &mut Context<'_>) {
        let Some(guest) = self.guests.get_mut(&pid) else { return };
        if guest.is_stale && guest.is_at_boundary() {
            self.renew(pid, context);
            return;
        }
        if self.begin_swap(pid, context) {
            return;
        }
        let Some(guest) = self.guests.get_mut(&pid) else { return };
        if guest.begin() {
            let time = context.slow(self.plan.work);
            context.after(time, Event::Done(pid));
        }
    }

    pub(super) fn done(&mut self, pid: u64, context: &mut Context<'_>) {
        let Some(guest) = self.guests.get_mut(&pid) else { return };
        let Some(message) = guest.at_hand.take() else { return };
        let name = (self.computer, guest.index);
        let code = guest.running.code;
        if context.random.below(1_000) < self.failures(&code, context) {
            let trial = self.guests.get_mut(&pid).and_then(|guest| guest.running.trial.take());
            return match trial {
                Some(trial) => self.fails_on_trial(pid, trial, message, context),
                None => self.loses(pid, message, context),
            };
        }
        let Some(guest) = self.guests.get_mut(&pid) else { return };
        let (args, reply) = match message {
            SerializedMessage::Cast { args, .. } => (args, None),
            SerializedMessage::Call { args, reply, .. } => (args, Some(reply)),
            SerializedMessage::CallReply(..) => return,
        };
        let (from, number) = said(&args);
        guest.handled += 1;
        guest.notes.note(from, number);
        guest.handle.has_turn();
        context.history.handled(name, from, number, &guest.notes);
        if let Some(reply) = reply {
            // The caller may have given up.
            drop(reply.send(Vec::new()));
        }
        if !self.passes(pid, context) {
            return self.fails(pid, context);
        }
        let Some(guest) = self.guests.get_mut(&pid) else { return };
        guest.answer(context);
        context.after(0, Event::Begin(pid));
    }
}
