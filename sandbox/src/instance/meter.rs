//! How long a guest has had a thread while it handled one message, and when it gives way to others.
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
use std::time::{Duration, Instant};

use tokio::time::{Sleep, sleep};
use wasmtime::UpdateDeadline;

use crate::accounting::tally::{Tally, Timed};
use crate::accounting::turns::clock::{Clock, ticks};
use crate::accounting::turns::{Account, Ticket, Turns};
use crate::policy::limits::Limit;

/// How long a callback may take, and the limit that this is.
pub(super) type Longest = (Duration, fn(Duration) -> Limit);

/// Messages that saw this many steps of the clock are timed by it. One step may have come a moment after their begin.
const SEEN: u64 = 2;

/// When messages began to be handled.
pub(super) struct Begun {
    at: u64,
    /// The time of the clock then.
    time: Duration,
    /// More precisely, if they were drawn to be timed.
    drawn: Option<Instant>,
}

/// Measures one guest. Only the thread that polls the guest touches it; the atomics are for the borrow checker.
pub(super) struct Meter {
    clock: Clock,
    turns: Arc<Turns>,
    family: Arc<Account>,
    tally: Arc<Tally>,
    budget: Duration,
    budget_ticks: u64,
    used: AtomicU64,
    since: AtomicU64,
    /// The time of the clock at `since`.
    since_ns: AtomicU64,
}

impl Meter {
    /// `step` is that of the clock.
    pub(super) fn new(
        clock: Clock,
        step: Duration,
        budget: Duration,
        turns: Arc<Turns>,
        (family, tally): (Arc<Account>, Arc<Tally>),
    ) -> Self {
        let ticks = budget.as_nanos().div_ceil(step.as_nanos().max(1)).max(1);
        Self {
            clock,
            turns,
            family,
            tally,
            budget,
            budget_ticks: u64::try_from(ticks).unwrap_or(u64::MAX),
            used: AtomicU64::new(0),
            since: AtomicU64::new(0),
            since_ns: AtomicU64::new(0),
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
        let mut ticket = Ticket::new(&self.turns, &self.family);
        poll_fn(move |cx| {
            if ticket.poll_turn(cx).is_ready() {
                // After the turn was given: the wait for it is no time on a thread.
                self.begin_turn();
                let polled = guest.as_mut().poll(cx);
                // Before the turn ends: what that does for others is no time of this guest.
                self.charge();
                ticket.end_turn();
                if polled.is_ready() {
                    return polled;
                }
            }
            // After the guest was polled, so that one whose reply and deadline come together is still done.
            let patience = patience.get_or_insert_with(|| Box::pin(sleep(longest)));
            match patience.as_mut().poll(cx) {
                Poll::Ready(()) => Poll::Ready(Err(wasmtime::Error::new(limit(longest)))),
                Poll::Pending => Poll::Pending,
            }
        })
    }

    /// What becomes of a guest that runs when an epoch ends: an error if it has used up its budget. Called on the guest's own
    /// thread.
    pub(super) fn epoch_ends(&self) -> Result<UpdateDeadline, Limit> {
        // Before the turn is looked at: a guest without budget would otherwise wait for a turn only to end in it.
        if let Some(limit) = self.exhausted() {
            return Err(limit);
        }
        Ok(if self.turns.gives_way(self.since.load(Ordering::Relaxed)) {
            UpdateDeadline::Yield(1)
        } else {
            UpdateDeadline::Continue(1)
        })
    }

    fn begin_turn(&self) {
        let time = u64::try_from(self.clock.time().as_nanos()).unwrap_or(u64::MAX);
        // The time first: a step between the two is one that the guest has not seen.
        self.since_ns.store(time, Ordering::Relaxed);
        self.since.store(self.now(), Ordering::Relaxed);
    }

    /// The guest was on a thread since its turn began.
    fn charge(&self) {
        let steps = self.now().saturating_sub(self.since.load(Ordering::Relaxed));
        // Most messages see no step.
        if steps > 0 {
            self.used.store(
                self.used.load(Ordering::Relaxed).saturating_add(steps),
                Ordering::Relaxed,
            );
            let since = Duration::from_nanos(self.since_ns.load(Ordering::Relaxed));
            self.tally.ran(self.clock.time().saturating_sub(since));
        }
    }

    /// Messages begin to be handled.
    pub(super) fn begin(&self) -> Begun {
        Begun {
            at: self.now(),
            time: self.clock.time(),
            drawn: self.tally.draws().then(Instant::now),
        }
    }

    /// This many were handled since then, waits included, whatever became of them.
    pub(super) fn handled(&self, messages: usize, begun: &Begun) {
        self.tally.handled(messages);
        let steps = self.now().saturating_sub(begun.at);
        if steps < SEEN && begun.drawn.is_none() {
            return;
        }
        let by_clock = || self.clock.time().saturating_sub(begun.time);
        let took = begun.drawn.map_or_else(by_clock, |drawn| drawn.elapsed());
        let why = if steps < SEEN { Timed::Drawn } else { Timed::Slow };
        self.tally.took(took, messages, why);
    }

    fn exhausted(&self) -> Option<Limit> {
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

    const STEP: Duration = Duration::from_millis(5);

    const LONGEST: Longest = (Duration::from_secs(5), Limit::MessageTime);

    fn meter(clock: &Clock) -> Meter {
        let budget = Duration::from_millis(10);
        let turns = Arc::new(Turns::new(clock.clone(), STEP, || ()));
        Meter::new(clock.clone(), STEP, budget, turns, Default::default())
    }

    #[tokio::test]
    async fn counts_running_and_not_waiting() {
        let clock = Clock::default();
        let meter = meter(&clock);
        let guest = async {
            clock.step(STEP);
            assert_eq!(meter.exhausted(), None);
            let others = clock.clone();
            let elsewhere = tokio::spawn(async move { (0..100).for_each(|_| others.step(STEP)) });
            assert!(elsewhere.await.is_ok());
            assert_eq!(meter.exhausted(), None);
            clock.step(STEP);
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
        let meter = meter(&Clock::default());
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
