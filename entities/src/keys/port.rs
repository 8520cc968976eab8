//! The port that the handler of a call with a key is given, in place of those of the callers.
//!
//! A port has no identity, and whoever handles calls gives back nothing else with a reply. But it has a timeout, which is there for whoever
//! looks at it. That of these ports is a number, and longer than anybody waits.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Wake, Waker};
use std::time::Duration;

use parking_lot::Mutex;
use ractor::RpcReplyPort;
use ractor::concurrency::{OneshotReceiver, oneshot};
use ractor_host_directory::{FailureReason, take_reason};
use tokio::task::unconstrained;

/// The shortest of these timeouts, in seconds: 35 000 years.
const FIRST: u64 = 1 << 40;

/// The bits of a number that are in the nanoseconds.
const BITS: u32 = 29;

/// The number of the next call of this process.
static NEXT: AtomicU64 = AtomicU64::new(0);

/// A number that no other call of this process has.
pub(crate) fn next_id() -> u64 {
    // Nothing is ordered by it.
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// The port of the call of this number. If it ends without a reply to [`call_of`], `ended` is told, with the reason if there is one; or the
/// reply that was sent through it.
pub(crate) fn port(
    id: u64,
    ended: impl Fn(u64, Result<Vec<u8>, Option<FailureReason>>) + Send + Sync + 'static,
) -> RpcReplyPort<Vec<u8>> {
    let (sender, receiver) = oneshot();
    let watched = Arc::new(Watched {
        id,
        receiver: Mutex::new(Some(receiver)),
        ended: Box::new(ended),
    });
    let waker = Waker::from(watched.clone());
    if let Some(receiver) = &mut *watched.receiver.lock() {
        let poll = Pin::new(&mut unconstrained(receiver)).poll(&mut Context::from_waker(&waker));
        debug_assert!(poll.is_pending());
    }
    let nanos = u32::try_from(id & ((1 << BITS) - 1)).unwrap_or(0);
    (sender, Duration::new(FIRST + (id >> BITS), nanos)).into()
}

/// The number of the call whose port this is, if it is one of these.
pub(crate) fn call_of(port: &RpcReplyPort<Vec<u8>>) -> Option<u64> {
    let timeout = port.get_timeout()?;
    let above = timeout.as_secs().checked_sub(FIRST)?;
    let id = above.checked_mul(1 << BITS)?;
    Some(id | u64::from(timeout.subsec_nanos()))
}

/// Who hears of the end of a port.
type Ended = Box<dyn Fn(u64, Result<Vec<u8>, Option<FailureReason>>) + Send + Sync>;

struct Watched {
    id: u64,
    /// None once it has ended.
    receiver: Mutex<Option<OneshotReceiver<Vec<u8>>>>,
    ended: Ended,
}

impl Wake for Watched {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let Some(mut receiver) = self.receiver.lock().take() else {
            return;
        };
        let outcome = receiver.try_recv().map_err(|_| take_reason());
        (self.ended)(self.id, outcome);
    }
}
