//! Calls to a peer's actors that wait for a reply.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use ractor::RpcReplyPort;

use super::undelivered::Undelivered;
use crate::transport::OutboxError;

/// The time after its limit when a call is ended whose caller still waits. A caller with a timer of its own hears that timer first.
const GRACE: Duration = Duration::from_secs(1);

/// The most calls that may wait for replies from one peer.
pub(super) const MAX_OUTBOUND_CALLS: usize = 1 << 20;

/// The most entries that a new call looks at for callers that have given up, if no entry is free.
const SWEEP_STEPS: usize = 4;

/// A table of waiting calls. Tags are never reused before their slot has been used 2^32 times.
///
/// Its methods are called under a lock and drop no port: the end of a port runs the waker of whoever waits for the reply, which may
/// use the link again. They give back what is to be dropped.
#[derive(Debug, Default)]
pub(super) struct OutboundCalls {
    slots: Vec<CallSlot>,
    free: Vec<u32>,
    sweep_at: usize,
    /// No reply will come any more, so there are no further calls.
    closed: bool,
    /// The number of slots that were looked at for calls that are over.
    #[cfg(test)]
    looked_at: usize,
}

#[derive(Debug, Default)]
struct CallSlot {
    generation: u32,
    call: Option<OutboundCall>,
}

/// A call that waits. Dropped, it tells its caller that there is no reply.
#[derive(Debug)]
pub(super) struct OutboundCall {
    to: u64,
    port: RpcReplyPort<Vec<u8>>,
    /// The time after which no reply counts; none for a call without a time limit.
    deadline: Option<Instant>,
}

impl OutboundCall {
    fn new(to: u64, port: RpcReplyPort<Vec<u8>>) -> Self {
        let limit = port.get_timeout();
        let deadline = limit.and_then(|limit| Instant::now().checked_add(limit));
        Self { to, port, deadline }
    }

    /// The port, unless it is too late for a reply.
    pub(super) fn port_in_time(self) -> Option<RpcReplyPort<Vec<u8>>> {
        let is_late = self.deadline.is_some_and(|deadline| Instant::now() >= deadline);
        (!is_late).then_some(self.port)
    }

    fn is_given_up(&self, now: Instant) -> bool {
        let is_overdue = |deadline| now.saturating_duration_since(deadline) >= GRACE;
        self.port.is_closed() || self.deadline.is_some_and(is_overdue)
    }
}

fn tag(index: u32, generation: u32) -> u64 {
    // Counted from one: a tag of zero would not be on the wire at all.
    (u64::from(generation) << 32) | (u64::from(index) + 1)
}

fn index(tag: u64) -> Option<u32> {
    u32::try_from(tag & 0xffff_ffff).ok()?.checked_sub(1)
}

/// What comes of a call that is to be entered.
pub(super) struct Insertion {
    /// Its tag, or why it isn't in the table.
    pub(super) tag: Result<u64, Undelivered>,
    /// What is to be dropped outside of the lock: a call that wasn't entered, and calls whose callers have given up.
    pub(super) ended: Vec<OutboundCall>,
}

impl OutboundCalls {
    /// True if none waits.
    pub(super) fn is_empty(&self) -> bool {
        self.free.len() == self.slots.len()
    }

    /// Enters a call to the peer's actor `to`, unless the table is full or closed.
    pub(super) fn insert(&mut self, to: u64, port: RpcReplyPort<Vec<u8>>) -> Insertion {
        let mut ended = Vec::new();
        if self.free.is_empty() {
            // A few steps at each growth keep the table in proportion to the calls that wait, and no call pays for a walk over all.
            self.sweep(SWEEP_STEPS, &mut ended);
        }
        let call = OutboundCall::new(to, port);
        let tag = match self.free_slot() {
            Ok((index, slot)) => {
                slot.call = Some(call);
                Ok(tag(index, slot.generation))
            }
            Err(why) => {
                ended.push(call);
                Err(why)
            }
        };
        Insertion { tag, ended }
    }

    /// A slot without a call, which no tag has named yet.
    fn free_slot(&mut self) -> Result<(u32, &mut CallSlot), Undelivered> {
        if self.closed {
            return Err(OutboxError::Closed.into());
        }
        if let Some(index) = self.free.pop() {
            let slot = usize::try_from(index).ok().and_then(|index| self.slots.get_mut(index));
            let slot = slot.ok_or(Undelivered::TooManyCalls)?;
            // A late reply to the slot's last call must not end this one.
            slot.generation = slot.generation.wrapping_add(1);
            return Ok((index, slot));
        }
        if self.slots.len() >= MAX_OUTBOUND_CALLS {
            return Err(Undelivered::TooManyCalls);
        }
        let index = u32::try_from(self.slots.len()).map_err(|_| Undelivered::TooManyCalls)?;
        Ok((index, self.slots.push_mut(CallSlot::default())))
    }

    /// Takes the call `tag` to the actor `to`. None if no such call waits, or it is to another actor.
    pub(super) fn take(&mut self, to: u64, tag: u64) -> Option<OutboundCall> {
        let index = index(tag)?;
        let slot = self.slots.get_mut(usize::try_from(index).ok()?)?;
        // Both numbers come from the peer. They must belong together, so that a wrong reply can't end a call to another actor.
        let waits = u64::from(slot.generation) == tag >> 32 && slot.call.as_ref().is_some_and(|call| call.to == to);
        if !waits {
            return None;
        }
        // The slot is free after a late reply, too, since no second one can come.
        self.free.push(index);
        slot.call.take()
    }

    /// Takes all calls to these actors, which have ended. The table is gone through once, however many actors have ended.
    #[must_use]
    pub(super) fn take_actors(&mut self, ended: Vec<u64>) -> Vec<OutboundCall> {
        let ended: HashSet<u64> = ended.into_iter().collect();
        self.take_if(|call| ended.contains(&call.to))
    }

    /// Takes every call, and lets no further one in.
    #[must_use]
    pub(super) fn close(&mut self) -> Vec<OutboundCall> {
        // The slots go too, which is safe because nothing gets a tag any more: a late reply finds no call.
        self.closed = true;
        self.free = Vec::new();
        let slots = std::mem::take(&mut self.slots);
        slots.into_iter().filter_map(|slot| slot.call).collect()
    }

    /// Takes every call whose caller has given up by `now`.
    #[must_use]
    pub(super) fn sweep_all(&mut self, now: Instant) -> Vec<OutboundCall> {
        self.take_if(|call| call.is_given_up(now))
    }

    fn take_if(&mut self, condition: impl Fn(&OutboundCall) -> bool) -> Vec<OutboundCall> {
        let mut taken = Vec::new();
        // No call waits, so the walk is spared, however large the table once was.
        if self.free.len() == self.slots.len() {
            return taken;
        }
        #[cfg(test)]
        {
            self.looked_at += self.slots.len();
        }
        for (slot, index) in self.slots.iter_mut().zip(0u32..) {
            if let Some(call) = slot.call.take_if(|call| condition(call)) {
                taken.push(call);
                self.free.push(index);
            }
        }
        taken
    }

    /// Looks at a few entries, in turn, and takes calls that nobody waits for, so that the table doesn't grow with them.
    fn sweep(&mut self, steps: usize, taken: &mut Vec<OutboundCall>) {
        for _ in 0..steps.min(self.slots.len()) {
            self.sweep_at = (self.sweep_at + 1) % self.slots.len();
            let Some(slot) = self.slots.get_mut(self.sweep_at) else {
                return;
            };
            if let Some(call) = slot.call.take_if(|call| call.port.is_closed()) {
                taken.push(call);
                self.free.extend(u32::try_from(self.sweep_at));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use futures_util::FutureExt as _;
    use ractor::RpcReplyPort;
    use ractor::concurrency::{OneshotReceiver, oneshot};
    use tokio::sync::oneshot::error::TryRecvError;

    use super::{GRACE, OutboundCall, OutboundCalls};
    use crate::directory::{MAX_REASON_BYTES, NoReply, Reply, reply_port};
    use crate::node::SessionLimits;
    use crate::node::link::Link;

    fn port() -> (RpcReplyPort<Vec<u8>>, OneshotReceiver<Vec<u8>>) {
        let (tx, rx) = oneshot();
        (tx.into(), rx)
    }

    fn in_time(call: Option<OutboundCall>) -> Option<RpcReplyPort<Vec<u8>>> {
        call.and_then(OutboundCall::port_in_time)
    }

    #[test]
    fn a_reply_finds_its_call_once_and_only_from_the_actor_that_was_called() {
        let mut calls = OutboundCalls::default();
        let (port, mut reply) = port();
        let tag = calls.insert(7, port).tag.unwrap();
        assert_ne!(tag, 0);
        assert!(calls.take(8, tag).is_none(), "another actor's reply");
        assert!(calls.take(7, tag + 1).is_none(), "an unknown tag");
        assert!(calls.take(7, 0).is_none());
        in_time(calls.take(7, tag)).unwrap().send(vec![1]).unwrap();
        assert_eq!(reply.try_recv().unwrap(), vec![1]);
        assert!(calls.take(7, tag).is_none(), "answered before");
    }

    #[test]
    fn a_tag_of_an_earlier_call_does_not_answer_the_next_one_in_its_slot() {
        let mut calls = OutboundCalls::default();
        let (first, _first_reply) = port();
        let old = calls.insert(7, first).tag.unwrap();
        calls.take(7, old).unwrap();
        let (second, _second_reply) = port();
        let new = calls.insert(7, second).tag.unwrap();
        assert_ne!(old, new);
        assert!(calls.take(7, old).is_none());
        assert!(calls.take(7, new).is_some());
    }

    #[test]
    fn a_reply_after_the_time_limit_finds_nobody() {
        let mut calls = OutboundCalls::default();
        let (tx, mut reply) = oneshot::<Vec<u8>>();
        let tag = calls.insert(7, (tx, Duration::ZERO).into()).tag.unwrap();
        assert!(in_time(calls.take(7, tag)).is_none());
        assert!(reply.try_recv().is_err());

        let (tx, reply) = oneshot::<Vec<u8>>();
        let tag = calls.insert(7, (tx, Duration::from_secs(60)).into()).tag.unwrap();
        assert!(in_time(calls.take(7, tag)).is_some());
        drop(reply);
    }

    #[test]
    fn a_caller_that_waits_beyond_its_time_limit_hears_that_nothing_comes() {
        let mut calls = OutboundCalls::default();
        let (tx, mut reply) = oneshot::<Vec<u8>>();
        calls.insert(7, (tx, Duration::ZERO).into()).tag.unwrap();
        let now = Instant::now();
        drop(calls.sweep_all(now));
        assert_eq!(
            reply.try_recv(),
            Err(TryRecvError::Empty),
            "the caller's own timer is first"
        );
        drop(calls.sweep_all(now + GRACE));
        assert_eq!(reply.try_recv(), Err(TryRecvError::Closed));
    }

    #[test]
    fn callers_that_gave_up_leave_no_entries() {
        let mut calls = OutboundCalls::default();
        for _ in 0..1000 {
            let (port, reply) = port();
            calls.insert(7, port).tag.unwrap();
            drop(reply);
        }
        assert!(calls.slots.len() < 10, "{} slots", calls.slots.len());
    }

    #[test]
    fn the_end_of_an_actor_ends_its_calls_and_no_others() {
        let mut calls = OutboundCalls::default();
        let (to_seven, mut seven) = port();
        let (to_eight, mut eight) = port();
        calls.insert(7, to_seven).tag.unwrap();
        let tag = calls.insert(8, to_eight).tag.unwrap();
        drop(calls.take_actors(vec![7]));
        assert!(seven.try_recv().is_err_and(|error| error == TryRecvError::Closed));
        in_time(calls.take(8, tag)).unwrap().send(vec![]).unwrap();
        assert!(eight.try_recv().is_ok());
    }

    /// Otherwise a peer that ends its actors by the hundred thousand would keep a thread busy for minutes.
    #[test]
    fn the_calls_that_wait_are_gone_through_once_however_many_actors_end() {
        let mut calls = OutboundCalls::default();
        let replies: Vec<_> = (0..1000)
            .map(|to| {
                let (port, reply) = port();
                calls.insert(to, port).tag.unwrap();
                reply
            })
            .collect();
        drop(calls.take_actors((1..100_000).collect()));
        assert_eq!(calls.looked_at, 1000);
        let waiting = |reply: &mut OneshotReceiver<Vec<u8>>| reply.try_recv() == Err(TryRecvError::Empty);
        assert_eq!(
            replies
                .into_iter()
                .filter_map(|mut reply| waiting(&mut reply).then_some(()))
                .count(),
            1
        );
        drop(calls.take_actors(vec![0]));
        drop(calls.take_actors((1..100_000).collect()));
        assert_eq!(calls.looked_at, 2000, "nothing waits");
    }

    #[test]
    fn a_caller_hears_a_reason_of_bounded_length_whatever_a_peer_writes_there() {
        let link = Link::new(1, SessionLimits::default());
        for (written, heard) in [
            (None, None),
            (Some(&b""[..]), Some("")),
            (Some(b"no such row"), Some("no such row")),
            (Some("größer\n".as_bytes()), Some("größer\\n")),
            (Some(b"a\xffb"), Some("a\u{fffd}b")),
        ] {
            let (to, tag, reply) = call(&link);
            link.fail_call(to, tag, written);
            // A second word on the same call is nobody's.
            link.fail_call(to, tag, Some(b"again"));
            assert_eq!(reason(reply).as_deref(), heard);
        }
        let (to, tag, reply) = call(&link);
        link.fail_call(to, tag, Some(&vec![0xff; 16 << 20]));
        let reason = reason(reply).unwrap();
        assert!(reason.len() <= MAX_REASON_BYTES && reason.ends_with("(cut off)"));
    }

    /// A call that waits: to whom, under which tag.
    fn call(link: &Link) -> (u64, u64, Reply<Vec<u8>>) {
        let (port, reply) = reply_port(None);
        let tag = link.outbound_calls().insert(7, port).tag.unwrap();
        (7, tag, reply)
    }

    fn reason(reply: Reply<Vec<u8>>) -> Option<String> {
        assert!(reply.has_come());
        match reply.now_or_never() {
            Some(Err(NoReply::Failed(reason))) => Some(reason.into()),
            Some(Err(NoReply::Dropped)) => None,
            other => unreachable!("{other:?}"),
        }
    }
}
