//! What waits for a guest, within its limits: a machine without an actor, a lock or a log of its own.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use ractor::message::SerializedMessage;

use crate::accounting::family::Quota;
use crate::directory::trace::TraceContext;
use crate::directory::{NotPut, PROBE_VARIANT, PutRefused, retained_bytes};
use crate::policy::limits::{Common, Limit, Limits, WhenFull};

/// See the module.
#[derive(Default)]
pub struct Waiting {
    /// Each with the number that it got when it was put in: upwards, and used once.
    messages: VecDeque<(u64, Received)>,
    /// Numbers of messages that were withdrawn, whose tokens are on their way: these stand for them still, so that no other message
    /// is taken in their place.
    withdrawn: BTreeSet<u64>,
    /// The number of the next message.
    next_number: u64,
    bytes: usize,
    /// What has those bytes as a part of what the family may have; none for an actor without one.
    quota: Option<Arc<Quota>>,
    /// The actor has ended: nothing is taken any more.
    ended: bool,
    /// A message was refused since the last one was taken out.
    refused: bool,
    /// A limit was reached, and said to be, since the mailbox was last half empty.
    struck: bool,
    /// Messages that were dropped since then.
    dropped: usize,
    /// Tokens on their way whose messages were dropped: the next messages need none.
    spare_tokens: usize,
}

/// A message as it came, with the trace that it belongs to.
#[derive(Debug)]
pub struct Received {
    /// As it came.
    pub message: SerializedMessage,
    /// The trace; none if its sender is in none.
    pub trace: Option<Arc<TraceContext>>,
}

impl Received {
    /// The bytes that it takes while it waits.
    fn cost(&self) -> usize {
        let trace = self.trace.as_ref().map_or(0, |trace| trace.retained_bytes());
        retained_bytes(&self.message) + trace
    }
}

/// A message that was taken out, and what that changes.
#[derive(Debug)]
pub struct Taken {
    pub received: Received,
    /// Somebody may wait for the room that there is now.
    pub(crate) makes_room: bool,
    /// This many messages were dropped before the mailbox was half empty again: to be said once.
    pub(crate) dropped: Option<usize>,
}

/// What was given up when the actor ended.
pub struct GivenUp {
    pub messages: VecDeque<(u64, Received)>,
}

/// What became of a message that is put in.
#[derive(Debug)]
pub struct Put {
    /// Its number.
    pub outcome: Result<u64, NotPut>,
    /// A limit was reached: to be said once.
    pub(crate) struck: Option<Limit>,
    /// The actor is to get a token for it. Otherwise it has one of a message that was dropped: a sender that is faster than the actor must
    /// not fill ractor's mailbox, which has no limit, with tokens of messages that are gone.
    pub needs_token: bool,
    /// What had to make room. To be dropped when the lock is free: the end of a call runs its caller's waker.
    pub(crate) made_room: Vec<SerializedMessage>,
}

impl Waiting {
    /// Nothing yet, of a member of this family.
    pub(super) fn in_family(quota: Arc<Quota>) -> Self {
        Self {
            quota: Some(quota),
            ..Self::default()
        }
    }

    /// A message comes. `is_draining` says whether the actor takes no more by now; it is asked only before room is made.
    pub fn handle_put(&mut self, received: Received, limits: &Limits, is_draining: impl Fn() -> bool) -> Put {
        let mut struck = None;
        let mut made_room = Vec::new();
        let refuse = |received: Received, reason, struck, made_room| Put {
            outcome: Err(NotPut {
                message: received.message,
                reason,
            }),
            struck,
            needs_token: false,
            made_room,
        };
        if self.ended {
            return refuse(received, PutRefused::Ended, None, made_room);
        }
        let cost = received.cost();
        if is_probe(&received.message) {
            if let Some(quota) = &self.quota {
                // Charged all the same, because it is given back like any other when it is taken out.
                quota.take_anyway(Common::MailboxBytes, cost);
            }
        } else {
            while let Err(limit) = self.admit(limits, cost) {
                if !std::mem::replace(&mut self.struck, true) {
                    struck = Some(limit);
                }
                // Where nothing waits, it is for the rest of the family to make room.
                if limits.mailbox_full != WhenFull::DropOldest || self.messages.is_empty() {
                    self.refused = true;
                    return refuse(received, PutRefused::Full, struck, made_room);
                }
                // Nothing makes room for what would be turned away.
                if is_draining() {
                    return refuse(received, PutRefused::Ended, struck, made_room);
                }
                if let Some((_, oldest)) = self.messages.pop_front() {
                    self.free(oldest.cost());
                    self.dropped += usize::from(!is_probe(&oldest.message));
                    made_room.push(oldest.message);
                    self.spare_tokens += 1;
                }
            }
        }
        self.bytes += cost;
        let number = self.next_number;
        self.next_number += 1;
        self.messages.push_back((number, received));
        let needs_token = self.spare_tokens == 0;
        self.spare_tokens = self.spare_tokens.saturating_sub(1);
        Put {
            outcome: Ok(number),
            struck,
            needs_token,
            made_room,
        }
    }

    /// Takes a message out of the middle whose token the actor has, if it is still there.
    pub(super) fn handle_withdraw(&mut self, number: u64) -> Option<SerializedMessage> {
        let message = self.handle_take_back(number)?;
        self.withdrawn.insert(number);
        self.refused = false;
        Some(message)
    }

    /// Takes a message out of the middle that has no token yet, if it is still there.
    pub fn handle_take_back(&mut self, number: u64) -> Option<SerializedMessage> {
        // Numbers only go up, and what is taken out leaves the others in order.
        let place = self.messages.binary_search_by_key(&number, |(number, _)| *number);
        let (_, received) = self.messages.remove(place.ok()?)?;
        self.free(received.cost());
        Some(received.message)
    }

    /// The actor has ended: nothing is taken any more.
    pub fn handle_end(&mut self) -> GivenUp {
        self.ended = true;
        self.withdrawn.clear();
        self.free(self.bytes);
        GivenUp {
            messages: std::mem::take(&mut self.messages),
        }
    }

    /// The message that has waited the longest, for a token that has come.
    pub fn poll_message(&mut self, limits: &Limits) -> Option<Taken> {
        if let (Some(withdrawn), next) = (self.withdrawn.first(), self.messages.front())
            && next.is_none_or(|(number, _)| withdrawn < number)
        {
            self.withdrawn.pop_first();
            return None;
        }
        let Some((_, received)) = self.messages.pop_front() else {
            self.spare_tokens = self.spare_tokens.saturating_sub(1);
            return None;
        };
        self.free(received.cost());
        let is_half_empty =
            // Half empty and not just below the limit: a mailbox that stays around its limit is one line in the log
            // and not thousands.
            self.messages.len() <= limits.mailbox_messages / 2 && self.bytes <= limits.mailbox_bytes / 2;
        let mut dropped = None;
        if self.struck && is_half_empty {
            self.struck = false;
            dropped = Some(std::mem::take(&mut self.dropped));
        }
        Some(Taken {
            received,
            makes_room: std::mem::take(&mut self.refused),
            dropped,
        })
    }

    /// Of the messages that wait, with what each costs beside.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// How many messages wait.
    pub fn count(&self) -> usize {
        self.messages.len()
    }

    /// This many bytes don't wait any more.
    fn free(&mut self, bytes: usize) {
        self.bytes -= bytes;
        if let Some(quota) = &self.quota {
            quota.give_back(Common::MailboxBytes, bytes);
        }
    }

    /// Takes the bytes of a further message from what the family may have, if this mailbox may have them.
    fn admit(&self, limits: &Limits, cost: usize) -> Result<(), Limit> {
        match (self.exceeded(limits, cost), &self.quota) {
            (Some(limit), _) => Err(limit),
            (None, Some(quota)) => quota.take(Common::MailboxBytes, cost),
            (None, None) => Ok(()),
        }
    }

    /// The limit that a further message would exceed.
    fn exceeded(&self, limits: &Limits, cost: usize) -> Option<Limit> {
        let Limits {
            mailbox_messages,
            mailbox_bytes,
            ..
        } = *limits;
        // An empty mailbox takes anything that may be sent at all. Otherwise a message above `mailbox_bytes` could
        // never arrive.
        // Those that were withdrawn count until their tokens have come: somebody who asks and is told of a circle again and again
        // would leave one here each time.
        let waiting = self.messages.len() + self.withdrawn.len();
        if waiting == 0 {
            None
        } else if waiting >= mailbox_messages {
            Some(Limit::MailboxMessages(mailbox_messages))
        } else if !self.messages.is_empty() && self.bytes.saturating_add(cost) > mailbox_bytes {
            Some(Limit::MailboxBytes(mailbox_bytes))
        } else {
            None
        }
    }
}

pub(crate) fn is_cast(message: &SerializedMessage) -> bool {
    matches!(message, SerializedMessage::Cast { .. })
}

/// A probe must get in: its end says that the mailbox has been worked off, and who puts it in keeps to limits of its own. It
/// carries nothing: what looks like one and does is a message like any other.
fn is_probe(message: &SerializedMessage) -> bool {
    matches!(
        message,
        SerializedMessage::Call { variant, args, metadata: None, .. } if variant == PROBE_VARIANT && args.is_empty()
    )
}
