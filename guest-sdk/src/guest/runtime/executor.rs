//! Polls futures. That of an actor that awaits is polled by `live`, and may stop in the middle; what has to be done when its callback
//! returns is polled here, to its end.

use std::cell::Cell;
use std::hint::black_box;
use std::pin::{Pin, pin};
use std::sync::{Arc, LazyLock};
use std::task::{Context, Poll, Wake, Waker};

use crate::guest::bindings::Pid;
use crate::guest::bindings::ractor::actor::entities::Entity;
use crate::guest::bindings::ractor::actor::requests::CallError;
use crate::guest::bindings::ractor::actor::timers::TimerError;

/// What came: a reply, or why there is none. A timer brings no bytes.
pub(crate) type Arrived = Result<Vec<u8>, CallError>;

/// Something that will come. Dropping it gives it up.
pub(crate) type Coming = Pin<Box<dyn Future<Output = Arrived> + Send>>;

/// Sends a call: to whom, its tag, its arguments, and the milliseconds after which it ends.
pub(crate) type Ask = fn(Pid, &str, &[u8], Option<u64>) -> Result<Coming, CallError>;

/// The same to an entity.
pub(crate) type AskEntity = fn(&Entity, &str, &[u8], Option<u64>) -> Result<Coming, CallError>;

/// How a handler waits without its actor standing still. A component has this code if its actor is exported with `awaits`; nothing
/// else leads to it.
pub(crate) struct Awaiting {
    /// Sends a call.
    pub(crate) ask: Ask,
    /// Sends a call to an entity.
    pub(crate) ask_entity: AskEntity,
    /// The reply to a call that was sent under this token.
    pub(crate) reply: fn(u64) -> Coming,
    /// Starts a timer of this number of milliseconds.
    pub(crate) wake_after: fn(u64) -> Result<Coming, TimerError>,
    /// Stops the actor when the handler is done.
    pub(crate) stop: fn(Option<String>),
}

thread_local! {
    static WOKEN: Cell<bool> = const { Cell::new(false) };
    static AWAITING: Cell<Option<&'static Awaiting>> = const { Cell::new(None) };
}

static WAKER: LazyLock<Waker> = LazyLock::new(|| Arc::new(Woken).into());

/// How what is polled now can wait. None if the actor stands still until it is done.
pub(crate) fn awaiting() -> Option<&'static Awaiting> {
    AWAITING.get()
}

struct Woken;

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        WOKEN.set(true);
    }

    fn wake_by_ref(self: &Arc<Self>) {
        WOKEN.set(true);
    }
}

/// Polls a future once, which can wait so. What is around it finds its own way again when this is done.
pub(super) fn poll<F: Future + ?Sized>(future: Pin<&mut F>, awaiting: Option<&'static Awaiting>) -> Poll<F::Output> {
    // The compiler isn't to see what this is, or it would have the code in every component.
    let before = AWAITING.replace(black_box(awaiting));
    let polled = future.poll(&mut Context::from_waker(&WAKER));
    AWAITING.set(before);
    polled
}

/// Whether something that was polled wants to be polled again, since this was last asked.
pub(super) fn take_woken() -> bool {
    WOKEN.replace(false)
}

/// Polls `future` until it is done; the actor stands still meanwhile. Panics if it waits for something that no one can wake it for:
/// there is only one thread, and it is here.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let before = AWAITING.take();
    // What is done at once needs no waker, and nearly everything is.
    let output = match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => wait(future),
    };
    AWAITING.set(before);
    output
}

#[cold]
fn wait<F: Future>(mut future: Pin<&mut F>) -> F::Output {
    // The loop begins with a poll, since the first one left a waker behind that does nothing. What an earlier future left here costs
    // one more.
    let mut context = Context::from_waker(&WAKER);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(output) => return output,
            Poll::Pending if take_woken() => {}
            Poll::Pending => never_ready(),
        }
    }
}

/// A future waits, and nothing can come for it.
#[cold]
#[expect(clippy::panic, reason = "the alternative is an actor that hangs for ever")]
pub(super) fn never_ready() -> ! {
    panic!(
        "a guest awaits something that can never complete: what can be awaited is a call, `ractor::concurrency::sleep` and what is made \
         of them, and futures that finish by themselves"
    )
}
