//! Runs the future of a callback to its end. What a guest waits for, it waits for inside an import, so a future is
//! normally done when it is first polled.

use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};
use std::task::{Context, Poll, Wake, Waker};

static WOKEN: LazyLock<Arc<Woken>> = LazyLock::new(Arc::default);

#[derive(Default)]
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Polls `future` until it is done. Panics if it waits for something that no one can wake it for: there is only one
/// thread, and it is here.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    // What is done at once needs no waker, and nearly everything is.
    match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => wait(future),
    }
}

#[cold]
#[expect(clippy::panic, reason = "the alternative is an actor that hangs for ever")]
fn wait<F: Future>(mut future: Pin<&mut F>) -> F::Output {
    // The loop begins with a poll, since the first one left a waker behind that does nothing.
    let waker = Waker::from(WOKEN.clone());
    let mut context = Context::from_waker(&waker);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(output) => return output,
            // Relaxed will do where there is one thread. What an earlier future left here costs one more poll.
            Poll::Pending if WOKEN.0.swap(false, Ordering::Relaxed) => {}
            Poll::Pending => panic!(
                "a guest awaits something that can never complete: nothing runs beside its handlers, so only calls, \
                 `ractor::concurrency::sleep` and futures that finish by themselves can be awaited"
            ),
        }
    }
}
