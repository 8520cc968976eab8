//! Calls of a peer that wait for the replies of local actors.
//!
//! No task waits for such a reply. The receiving end of its port has a waker of its own, which tokio calls within send and drop, so
//! the actor that answers, or drops the port, puts the frame into the outbox itself. Calls with a time limit have no timer here
//! either: the clock is asked when a reply comes, and a sweep closes the ports whose time is over.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Wake, Waker};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use ractor::concurrency::{OneshotReceiver, OneshotSender, oneshot};
use tokio::task::unconstrained;

use crate::directory::{FailureReason, take_reason};

/// The most calls of one peer that may wait for local actors' replies. Calls beyond it are refused.
const MAX_INBOUND_CALLS: usize = 1 << 20;

/// [`MAX_INBOUND_CALLS`] wait already, or the session is over.
#[derive(Debug)]
pub struct InboundCallsFull;

/// How a call ends.
pub(super) enum CallEnd {
    /// This is the reply.
    Reply(Vec<u8>),
    /// The actor failed the call.
    Failed(FailureReason),
    /// There is no reply, and no reason that the peer could hear.
    Dropped,
}

/// Takes the outcome of a call.
pub(super) trait CallEnded {
    /// True if the peer understands that a call failed.
    fn understands_failures(&self) -> bool;

    /// The local actor `to` has answered the peer's call `tag`, which is in this slot, has failed it, or has dropped its port.
    fn call_ended(&self, slot: usize, to: u64, tag: u64, end: CallEnd);
}

/// The calls of one peer.
#[derive(Debug)]
pub(super) struct InboundCalls<L>(Mutex<Slots<L>>);

#[derive(Debug)]
struct Slots<L> {
    calls: Vec<Option<Arc<InboundCall<L>>>>,
    free: Vec<usize>,
    shut: bool,
}

/// One call.
#[derive(Debug)]
struct InboundCall<L> {
    link: Arc<L>,
    slot: usize,
    to: u64,
    tag: u64,
    /// When the caller gives up; none for a call without a time limit.
    deadline: Option<Instant>,
    /// None once it has come.
    reply: Mutex<Option<OneshotReceiver<Vec<u8>>>>,
}

impl<L> Default for InboundCalls<L> {
    fn default() -> Self {
        Self(Mutex::new(Slots {
            calls: Vec::new(),
            free: Vec::new(),
            shut: false,
        }))
    }
}

impl<L: CallEnded + Send + Sync + 'static> InboundCalls<L> {
    /// A port for the reply to the call `tag` of `link`'s peer to the actor `to`. A reply that is sent after `limit` is discarded.
    pub(super) fn port(
        &self,
        link: &Arc<L>,
        to: u64,
        tag: u64,
        limit: Option<Duration>,
    ) -> Result<OneshotSender<Vec<u8>>, InboundCallsFull> {
        let (port, reply) = oneshot();
        let call = self.enter(|slot| InboundCall {
            link: link.clone(),
            slot,
            to,
            tag,
            deadline: limit.and_then(|limit| Instant::now().checked_add(limit)),
            reply: Mutex::new(Some(reply)),
        })?;
        // The waker before anybody has the port, so that no reply is missed.
        call.watch();
        Ok(port)
    }

    /// True if none waits.
    pub(super) fn is_empty(&self) -> bool {
        let slots = self.0.lock();
        slots.free.len() == slots.calls.len()
    }

    fn enter(&self, call: impl FnOnce(usize) -> InboundCall<L>) -> Result<Arc<InboundCall<L>>, InboundCallsFull> {
        let mut slots = self.0.lock();
        // A call and its link hold each other. After `shut`, nothing would ever take a new call out and so free the two.
        if slots.shut {
            return Err(InboundCallsFull);
        }
        let slot = match slots.free.pop() {
            Some(slot) => slot,
            None if slots.calls.len() < MAX_INBOUND_CALLS => {
                slots.calls.push(None);
                slots.calls.len() - 1
            }
            None => return Err(InboundCallsFull),
        };
        let call = Arc::new(call(slot));
        if let Some(entry) = slots.calls.get_mut(slot) {
            *entry = Some(call.clone());
        }
        Ok(call)
    }

    /// The call in this slot is over.
    pub(super) fn remove(&self, slot: usize) {
        let mut slots = self.0.lock();
        // A call may end while `shut` runs, which has emptied the table by then.
        if slots.calls.get_mut(slot).and_then(Option::take).is_some() {
            slots.free.push(slot);
        }
    }

    /// Closes the ports of calls whose callers have given up by `now`, so that the actors that hold them can see it.
    pub(super) fn close_overdue(&self, now: Instant) {
        let overdue: Vec<_> = {
            let slots = self.0.lock();
            let calls = slots.calls.iter().flatten();
            calls.filter(|call| call.is_overdue(now)).cloned().collect()
        };
        // Outside of the lock, which the end of a call takes.
        for call in overdue {
            call.give_up();
        }
    }

    /// Ends all calls: actors find their ports closed.
    pub(super) fn shut(&self) {
        let mut slots = self.0.lock();
        slots.shut = true;
        slots.free.clear();
        let calls = std::mem::take(&mut slots.calls);
        // Dropping a receiver wakes whoever holds its port, and that may come back here.
        drop(slots);
        for call in calls.into_iter().flatten() {
            drop(call.reply.lock().take());
        }
    }
}

impl<L: CallEnded + Send + Sync + 'static> InboundCall<L> {
    /// Arranges for the waker to be called when the reply comes.
    fn watch(self: &Arc<Self>) {
        let waker = Waker::from(self.clone());
        if let Some(reply) = &mut *self.reply.lock() {
            // The port is new and in nobody's hands yet, so this is pending. A poll that counted towards what the task
            // may do in one go might not even look.
            let poll = Pin::new(&mut unconstrained(reply)).poll(&mut Context::from_waker(&waker));
            debug_assert!(poll.is_pending());
        }
    }

    /// What came through the port: a reply, or its end without one. None if neither has happened yet.
    fn outcome(&self) -> Option<CallEnd> {
        let mut waiting = self.reply.lock();
        let reply = waiting.as_mut()?;
        // A wake-up and the sweep may come at the same time. The lock lets one of them take the receiver, and so answer the call
        // once.
        let came = reply.try_recv().ok();
        // A wake-up promises nothing: the call goes on if the port is still open and empty.
        if came.is_none() && !reply.is_terminated() {
            return None;
        }
        *waiting = None;
        // A reason that the peer can't hear stays where it is, so that whoever fails the call knows that nobody did.
        let end = match came {
            Some(_) if self.deadline.is_some() && self.is_overdue(Instant::now()) => CallEnd::Dropped,
            Some(reply) => CallEnd::Reply(reply),
            None if self.link.understands_failures() => take_reason().map_or(CallEnd::Dropped, CallEnd::Failed),
            None => CallEnd::Dropped,
        };
        Some(end)
    }

    fn is_overdue(&self, now: Instant) -> bool {
        self.deadline.is_some_and(|deadline| now >= deadline)
    }

    /// Ends the call without a reply, unless there is one already.
    fn give_up(&self) {
        // The lock ends with this line, because dropping the receiver wakes whoever holds the port.
        let waiting = self.reply.lock().take();
        if waiting.is_some() {
            self.link.call_ended(self.slot, self.to, self.tag, CallEnd::Dropped);
        }
    }
}

impl<L: CallEnded + Send + Sync + 'static> Wake for InboundCall<L> {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if let Some(end) = self.outcome() {
            self.link.call_ended(self.slot, self.to, self.tag, end);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::{Duration, Instant};

    use crate::directory::{FailureReason, Told, fail};
    use crate::node::link::Link;
    use crate::node::{NodeFlags, SessionLimits};
    use crate::transport::sim::Chunks;
    use crate::wire::{self, CAPABILITY_CALL_FAILED, Data, Message};

    fn link() -> Arc<Link> {
        Arc::new(Link::new(1, SessionLimits::default()))
    }

    #[test]
    fn a_reply_within_the_time_limit_is_written_and_a_later_one_is_not() {
        let link = link();
        let in_time = link.reply_port(7, 1, Some(Duration::from_secs(60))).unwrap();
        let late = link.reply_port(7, 2, Some(Duration::ZERO)).unwrap();
        // A reply that can't be written any more is counted.
        link.outbox().close();
        late.send(vec![1]).unwrap();
        assert_eq!(link.dead_letters(), 0);
        in_time.send(vec![1]).unwrap();
        assert_eq!(link.dead_letters(), 1);
    }

    #[test]
    fn a_port_is_closed_when_its_time_is_over() {
        let link = link();
        let limited = link.reply_port(7, 1, Some(Duration::from_secs(60))).unwrap();
        let unlimited = link.reply_port(7, 2, None).unwrap();
        link.sweep_calls(Instant::now());
        assert!(!limited.is_closed());
        link.sweep_calls(Instant::now() + Duration::from_secs(61));
        assert!(limited.is_closed() && !unlimited.is_closed());
        assert!(limited.send(vec![1]).is_err());
        unlimited.send(vec![1]).unwrap();
    }

    #[test]
    fn a_peer_that_understands_failures_is_told_the_reason_and_any_other_leaves_it_to_the_log() {
        let understands = link();
        let flags = NodeFlags {
            capabilities: CAPABILITY_CALL_FAILED,
            ..NodeFlags::default()
        };
        understands.set_peer(flags);
        let port = understands.reply_port(7, 1, None).unwrap();
        assert_eq!(fail(port.into(), FailureReason::new("no such row")), Told::Caller);
        let mut written = Chunks::default();
        understands.outbox().drain_into(&mut written);
        let frame: Vec<u8> = written.slices(8).iter().flat_map(|slice| slice.to_vec()).collect();
        let message = wire::decode(frame.get(8..).unwrap()).unwrap();
        let expected = Data::CallFailed {
            to: 7,
            tag: 1,
            reason: Some(b"no such row".to_vec()),
        };
        assert_eq!(message, Message::Data(expected));

        let stock = link();
        let port = stock.reply_port(7, 1, None).unwrap();
        assert_eq!(fail(port.into(), FailureReason::new("no such row")), Told::Nobody);
        let mut written = Chunks::default();
        stock.outbox().drain_into(&mut written);
        assert!(written.is_empty());
    }
}
