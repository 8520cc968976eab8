//! Time, and how a handler waits for it. Of ractor's `concurrency` this is what has a meaning here: a guest is one actor, whose
//! handlers run one at a time, so there are no tasks to spawn and no channels between them. What a handler does at once it combines
//! from futures, with `futures` or another crate of that kind.

use std::fmt;
use std::future::poll_fn;
use std::marker::PhantomData;
use std::pin::pin;
use std::task::Poll;

use crate::guest::bindings::ractor::actor::timers;
use crate::guest::runtime::outgoing::whole_millis;
use crate::guest::runtime::{executor, incoming};

/// A duration of time.
pub type Duration = std::time::Duration;

/// A point on the monotonic clock.
pub type Instant = std::time::Instant;

/// Waits. This actor handles no other message meanwhile. If it is exported with `awaits`, what else the handler awaits goes on beside it;
/// otherwise the actor stands still.
///
/// With `awaits` it takes one of the timers that the actor may have. If there is none left, that is logged, and the actor stands still.
pub async fn sleep(duration: Duration) {
    incoming::flush();
    if let Some(awaiting) = executor::awaiting() {
        match (awaiting.wake_after)(whole_millis(duration)) {
            Ok(time) => {
                // A timer brings nothing but itself.
                let _nothing = time.await;
                return;
            }
            Err(error) => tracing::warn!(?error, "no timer for a sleep, so the actor stands still for its time"),
        }
    }
    std::thread::sleep(duration);
}

/// The time was over before the future was ready.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the time was over")]
pub struct Timeout;

/// Awaits a future for a while at most, and drops it when the time is over: a call in it is given up. Where the actor stands still while
/// it waits, the future is awaited to its end, whatever the time.
///
/// # Errors
/// The time was over.
pub async fn timeout<F, T>(duration: Duration, future: F) -> Result<T, Timeout>
where
    F: Future<Output = T>,
{
    let mut future = pin!(future);
    let mut over = pin!(sleep(duration));
    poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(output) => Poll::Ready(Ok(output)),
        Poll::Pending => over.as_mut().poll(context).map(|()| Err(Timeout)),
    })
    .await
}

/// Times that are one period apart: see [`interval`].
#[derive(Debug)]
pub struct Interval {
    next: Instant,
    period: Duration,
}

/// Times that are one period apart. The first is now. Panics, which fails the actor, if the period is zero.
pub fn interval(period: Duration) -> Interval {
    assert!(!period.is_zero(), "an interval has a period that is not zero");
    Interval {
        next: Instant::now(),
        period,
    }
}

impl Interval {
    /// Waits for the next of these times, and returns it. Those that were missed come at once.
    pub async fn tick(&mut self) -> Instant {
        let due = self.next;
        let left = due.saturating_duration_since(Instant::now());
        if !left.is_zero() {
            sleep(left).await;
        }
        // After the wait: one that is given up comes again.
        self.next = due + self.period;
        due
    }
}

/// What the functions of [`time`](crate::guest::time) return: a handle to end a timer by. Dropping it leaves the timer
/// running, as in ractor. It can't be awaited: the actor would wait for itself.
pub struct JoinHandle<T> {
    timer: Option<u64>,
    output: PhantomData<fn() -> T>,
}

impl<T> JoinHandle<T> {
    /// The handle of the timer with this number; of none if it was refused.
    pub(crate) fn of(timer: Option<u64>) -> Self {
        Self {
            timer,
            output: PhantomData,
        }
    }

    /// Ends the timer. Nothing happens if it has ended already.
    pub fn abort(&self) {
        if let Some(timer) = self.timer {
            timers::cancel(timer);
        }
    }
}

impl<T> fmt::Debug for JoinHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinHandle").field("timer", &self.timer).finish()
    }
}
