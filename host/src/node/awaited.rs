//! Calls of a peer's that wait for the replies of local actors.
//!
//! No task waits for such a reply. The receiving end of its port has a waker of its own, which tokio calls within send and
//! drop: so the actor that answers, or doesn't, puts that into the outbox itself.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Wake, Waker};

use ractor::concurrency::{OneshotReceiver, OneshotSender, oneshot};
use tokio::task::unconstrained;

use super::link::Link;

/// The most calls of one peer that may wait for local actors' replies. Calls beyond it are refused.
const MAX_INBOUND_CALLS: usize = 1 << 20;

/// [`MAX_INBOUND_CALLS`] wait already, or the session is over.
#[derive(Debug)]
pub(super) struct TooMany;

/// The calls of one peer.
#[derive(Debug, Default)]
pub(super) struct AwaitedReplies(Mutex<Slots>);

#[derive(Debug, Default)]
struct Slots {
    calls: Vec<Option<Arc<Awaited>>>,
    free: Vec<usize>,
    shut: bool,
}

/// One call.
#[derive(Debug)]
struct Awaited {
    link: Arc<Link>,
    slot: usize,
    to: u64,
    tag: u64,
    /// None once it has come.
    reply: Mutex<Option<OneshotReceiver<Vec<u8>>>>,
}

impl AwaitedReplies {
    /// A port for the reply to the call `tag` of `link`'s peer to the actor `to`.
    pub(super) fn port(&self, link: &Arc<Link>, to: u64, tag: u64) -> Result<OneshotSender<Vec<u8>>, TooMany> {
        let (port, reply) = oneshot();
        let call = self.enter(|slot| Awaited {
            link: link.clone(),
            slot,
            to,
            tag,
            reply: Mutex::new(Some(reply)),
        })?;
        call.watch();
        Ok(port)
    }

    fn enter(&self, call: impl FnOnce(usize) -> Awaited) -> Result<Arc<Awaited>, TooMany> {
        let mut slots = lock(&self.0);
        if slots.shut {
            return Err(TooMany);
        }
        let slot = match slots.free.pop() {
            Some(slot) => slot,
            None if slots.calls.len() < MAX_INBOUND_CALLS => {
                slots.calls.push(None);
                slots.calls.len() - 1
            }
            None => return Err(TooMany),
        };
        let call = Arc::new(call(slot));
        if let Some(entry) = slots.calls.get_mut(slot) {
            *entry = Some(call.clone());
        }
        Ok(call)
    }

    /// The call in this slot is over.
    pub(super) fn remove(&self, slot: usize) {
        let mut slots = lock(&self.0);
        if slots.calls.get_mut(slot).and_then(Option::take).is_some() {
            slots.free.push(slot);
        }
    }

    /// Nobody waits any longer: actors find the ports closed.
    pub(super) fn shut(&self) {
        let mut slots = lock(&self.0);
        slots.shut = true;
        slots.free.clear();
        let calls = std::mem::take(&mut slots.calls);
        drop(slots);
        for call in calls.into_iter().flatten() {
            drop(lock(&call.reply).take());
        }
    }
}

impl Awaited {
    /// Has the waker called when the reply comes.
    fn watch(self: &Arc<Self>) {
        let waker = Waker::from(self.clone());
        if let Some(reply) = &mut *lock(&self.reply) {
            // The port is new and in nobody's hands yet, so this is pending. A poll that counted towards what the task
            // may do in one go might not even look.
            let poll = Pin::new(&mut unconstrained(reply)).poll(&mut Context::from_waker(&waker));
            debug_assert!(poll.is_pending());
        }
    }

    /// What came through the port, or that it was dropped; none if neither has happened.
    fn outcome(&self) -> Option<Option<Vec<u8>>> {
        let mut waiting = lock(&self.reply);
        let reply = waiting.as_mut()?;
        let came = reply.try_recv().ok();
        if came.is_none() && !reply.is_terminated() {
            return None;
        }
        *waiting = None;
        Some(came)
    }
}

impl Wake for Awaited {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if let Some(reply) = self.outcome() {
            self.link.answered(self.slot, self.to, self.tag, reply);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
