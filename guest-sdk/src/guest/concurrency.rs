//! Time. A guest is one actor that does one thing at a time, so of ractor's `concurrency` this is all that has a
//! meaning here: there are no tasks to spawn, and no channels between them.

use std::fmt;
use std::marker::PhantomData;

use crate::guest::bindings::ractor::actor::timers;
use crate::guest::runtime::incoming;

/// A duration of time.
pub type Duration = std::time::Duration;

/// A point on the monotonic clock.
pub type Instant = std::time::Instant;

/// Waits. The host suspends this actor meanwhile and runs others; this actor handles no other message.
pub async fn sleep(duration: Duration) {
    incoming::flush();
    std::thread::sleep(duration);
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
