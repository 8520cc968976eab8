//! How long a guest has had a thread while it handled one message.
//!
//! The engine's ticker counts epochs. A meter counts those that passed while the guest's future was being polled, so
//! that waiting (for a reply, for a timer, for its turn after a yield) is free. One message too short to see a tick
//! usually counts as nothing and sometimes as one tick, which is right on average and costs no clock reading.
//!
//! Waiting has a limit of its own, in real time. Its timer begins when the guest first waits: most messages never do.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;
use std::time::Duration;

use tokio::time::{Sleep, sleep};

use super::limits::Limit;

/// The engine's count of epochs.
pub(super) type Clock = Arc<AtomicU64>;

/// What it is at.
pub(super) fn ticks(clock: &Clock) -> u64 {
    clock.load(Ordering::Relaxed)
}

/// How long a callback may take, and the limit that this is.
pub(super) type Longest = (Duration, fn(Duration) -> Limit);

/// Measures one guest. Only the thread that polls the guest touches it; the atomics are for the borrow checker.
#[derive(Debug)]
pub(super) struct Meter {
    clock: Clock,
    budget: Duration,
    budget_ticks: u64,
    used: AtomicU64,
    since: AtomicU64,
}

impl Meter {
    pub(super) fn new(clock: Clock, tick: Duration, budget: Duration) -> Self {
        let ticks = budget.as_nanos().div_ceil(tick.as_nanos().max(1)).max(1);
        Self {
            clock,
            budget,
            budget_ticks: u64::try_from(ticks).unwrap_or(u64::MAX),
            used: AtomicU64::new(0),
            since: AtomicU64::new(0),
        }
    }

    /// The engine's count of epochs.
    pub(super) fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Runs the guest for one message, on a fresh budget. Fails once it has taken longer than this, waits included.
    ///
    /// The guest's future is pinned by the caller: one that were moved in here would take its size twice.
    pub(super) fn run<T>(
        &self,
        (longest, limit): Longest,
        mut guest: Pin<&mut impl Future<Output = wasmtime::Result<T>>>,
    ) -> impl Future<Output = wasmtime::Result<T>> {
        self.used.store(0, Ordering::Relaxed);
        let mut patience: Option<Pin<Box<Sleep>>> = None;
        poll_fn(move |cx| {
            self.since.store(self.now(), Ordering::Relaxed);
            let polled = guest.as_mut().poll(cx);
            self.used.store(self.used(), Ordering::Relaxed);
            if polled.is_ready() {
                return polled;
            }
            let patience = patience.get_or_insert_with(|| Box::pin(sleep(longest)));
            match patience.as_mut().poll(cx) {
                Poll::Ready(()) => Poll::Ready(Err(wasmtime::Error::new(limit(longest)))),
                Poll::Pending => Poll::Pending,
            }
        })
    }

    /// The limit if the guest has used up its budget. Called on the guest's own thread, while it runs.
    pub(super) fn exhausted(&self) -> Option<Limit> {
        (self.used() >= self.budget_ticks).then_some(Limit::Cpu(self.budget))
    }

    fn used(&self) -> u64 {
        let running = self.now().saturating_sub(self.since.load(Ordering::Relaxed));
        self.used.load(Ordering::Relaxed).saturating_add(running)
    }

    fn now(&self) -> u64 {
        ticks(&self.clock)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use std::future::pending;
    use std::pin::pin;

    use super::*;

    const LONGEST: Longest = (Duration::from_secs(5), Limit::MessageTime);

    #[tokio::test]
    async fn counts_running_and_not_waiting() {
        let clock = Clock::default();
        let meter = Meter::new(clock.clone(), Duration::from_millis(5), Duration::from_millis(10));
        let guest = async {
            clock.fetch_add(1, Ordering::Relaxed);
            assert_eq!(meter.exhausted(), None);
            let others = clock.clone();
            let elsewhere = tokio::spawn(async move { others.fetch_add(100, Ordering::Relaxed) });
            assert!(elsewhere.await.is_ok());
            assert_eq!(meter.exhausted(), None);
            clock.fetch_add(1, Ordering::Relaxed);
            assert_eq!(meter.exhausted(), Some(Limit::Cpu(Duration::from_millis(10))));
            Ok(())
        };
        meter.run(LONGEST, pin!(guest)).await.unwrap();
        let fresh = async {
            assert_eq!(meter.exhausted(), None);
            Ok(())
        };
        meter.run(LONGEST, pin!(fresh)).await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn waiting_has_an_end() {
        let meter = Meter::new(Clock::default(), Duration::from_millis(5), Duration::from_millis(10));
        let error = meter.run::<()>(LONGEST, pin!(pending())).await.unwrap_err();
        assert_eq!(
            error.downcast_ref::<Limit>(),
            Some(&Limit::MessageTime(Duration::from_secs(5)))
        );
        let patient = async {
            sleep(Duration::from_secs(4)).await;
            Ok(7)
        };
        assert_eq!(meter.run(LONGEST, pin!(patient)).await.unwrap(), 7);
    }
}
