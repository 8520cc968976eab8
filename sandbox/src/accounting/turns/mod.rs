//! Turns: how guests that are busy share the threads of the runtime, and leave it to others.
//!
//! A *turn* is one poll of a guest: it ends when the guest waits for something, is done, or has had the thread for as long as
//! `epoch_tick`. As long as every turn is short, everybody runs as the runtime has it, and all that this costs is to read a flag.
//! From the first turn that is cut off until 100 ms after the last, the node is *crowded*: then at most one guest less than the
//! runtime has threads (but at least one) has a turn at a time, and the others wait here and not in the runtime's queue. So whoever
//! is no guest (sessions, control, supervision, native actors) finds a free thread, or waits for one turn at most.
//!
//! Whose turn is next is up to [`queue`]: families share alike, and a family that has had much less than those that run
//! doesn't wait for the end of a turn, which is cut short for it.
//!
//! On a runtime of one thread that is not enough: a guest that is woken by the end of another's turn may run at once, before all
//! that waits, and before the thread has looked at sockets and timers. So the next guest first lets everybody else run.

pub(crate) mod clock;
mod queue;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use parking_lot::{Mutex, MutexGuard};
use tokio::runtime::Handle;

use self::clock::{Clock, ticks};
use self::queue::{Entered, Grant, TurnQueue};

pub(crate) use self::queue::Account;

/// The engine's clock, and its epochs, go twice as fast as `epoch_tick`: a turn is cut off at the second step that it sees, so it
/// lasts for about a half at least, and for no more than the whole.
pub(crate) const STEPS: u32 = 2;

/// The time for which the node stays crowded after the last turn that was cut off.
const CALM: Duration = Duration::from_millis(100);

/// Interrupts all guests that run, so that one of them gives way.
type Interrupt = Box<dyn Fn() + Send + Sync>;

/// See the module.
pub(crate) struct Turns {
    clock: Clock,
    step: Duration,
    interrupt: Interrupt,
    crowded: AtomicBool,
    /// This many of those that run are to give way, though their time isn't over.
    called: AtomicUsize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// None until the node is crowded for the first time.
    queue: Option<TurnQueue>,
    /// When a turn was last cut off, by the engine's clock.
    last_cut: u64,
    cut: u64,
    /// The runtime has one thread.
    alone: bool,
    /// How long guests have run since it looked at sockets and timers.
    since_others: Duration,
}

/// How guests have shared the runtime's threads.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TurnCounts {
    /// Turns that were given while the node was crowded.
    pub given: u64,
    /// Turns that were cut off because they took as long as a turn may.
    pub cut: u64,
}

impl Turns {
    /// `step` is that of the clock.
    pub(crate) fn new(clock: Clock, step: Duration, interrupt: impl Fn() + Send + Sync + 'static) -> Self {
        Self {
            clock,
            step,
            interrupt: Box::new(interrupt),
            crowded: AtomicBool::new(false),
            called: AtomicUsize::new(0),
            state: Mutex::default(),
        }
    }

    pub(crate) fn counts(&self) -> TurnCounts {
        let state = self.lock();
        TurnCounts {
            given: state.queue.as_ref().map_or(0, TurnQueue::given),
            cut: state.cut,
        }
    }

    /// True if a guest that began its turn when the clock said `since` is to give way now. Called on its own thread, when an epoch
    /// has ended.
    pub(crate) fn gives_way(&self, since: u64) -> bool {
        // Before those that are called for: a turn that is over anyway must not use up a call that is meant for
        // another.
        if ticks(&self.clock).saturating_sub(since) >= STEPS.into() {
            self.crowd();
            return true;
        }
        // Every guest is interrupted, and this lets as many of them give way as were called for.
        let one_less = |called: usize| called.checked_sub(1);
        self.called
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less)
            .is_ok()
    }

    fn crowd(&self) {
        let mut state = self.lock();
        state.last_cut = ticks(&self.clock);
        state.cut += 1;
        // Made here, on a thread of the runtime that the guests share; where the engine was made there may have been
        // none.
        if state.queue.is_none() {
            let (tick, workers) = (self.step.saturating_mul(STEPS), workers());
            state.queue = Some(TurnQueue::new(workers.saturating_sub(1), nanoseconds(tick)));
            state.alone = workers <= 1;
        }
        // Under the lock, like its opposite.
        self.crowded.store(true, Ordering::Release);
    }

    fn enter(&self, family: &Arc<Account>, waker: &Waker) -> Entered {
        let mut state = self.lock();
        let Some(queue) = &mut state.queue else {
            return Entered::Given;
        };
        let entered = queue.enter(family, waker);
        // The interruption makes guests on other threads come for this lock.
        drop(state);
        if let Entered::Waits { overdue: true, .. } = entered {
            // Before the interruption, or the guests would see it and find nobody called for.
            self.called.fetch_add(1, Ordering::Relaxed);
            (self.interrupt)();
        }
        entered
    }

    /// A turn that was given is over.
    fn end(&self, family: &Account, took: Duration) {
        let mut state = self.lock();
        state.since_others = state.since_others.saturating_add(took);
        let calm = self.is_calm(&state);
        let Some(queue) = &mut state.queue else { return };
        queue.end(family, nanoseconds(took));
        let grants: Vec<_> = std::iter::from_fn(|| queue.next()).collect();
        if queue.is_empty() {
            // A call that nobody has followed yet is void when nobody waits: it would end somebody's turn for
            // nothing.
            self.called.store(0, Ordering::Relaxed);
            // Only where nobody waits: guests that come while it is not crowded would go ahead of the line.
            if calm {
                self.crowded.store(false, Ordering::Release);
            }
        }
        drop(state);
        // Outside of the lock: a waker may do anything.
        for Grant { waker, waited } in grants {
            waker.wake();
            metrics::histogram!("ractor_host_guest_turns_waited").record(waited as f64);
        }
    }

    fn is_calm(&self, state: &State) -> bool {
        let passed = ticks(&self.clock).saturating_sub(state.last_cut);
        self.step.saturating_mul(u32::try_from(passed).unwrap_or(u32::MAX)) >= CALM
    }

    /// What a guest that has a turn does before it begins.
    fn before(&self) -> Before {
        let state = self.lock();
        if !state.alone {
            Before::Nothing
        } else if state.since_others >= self.step {
            Before::LookAtSockets(Box::pin(tokio::task::yield_now()))
        } else {
            Before::LetOthersRun
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }
}

/// How many threads the runtime has for tasks.
fn workers() -> usize {
    Handle::try_current().map_or(1, |runtime| runtime.metrics().num_workers())
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// What has to happen before a turn that was given begins.
enum Before {
    /// The thread looks at sockets and timers.
    LookAtSockets(Pin<Box<dyn Future<Output = ()> + Send>>),
    /// Tasks that wait in the runtime's queue run.
    LetOthersRun,
    Nothing,
}

/// Where a guest is in its turns.
enum At {
    /// It wants none, or has one that was not given because nobody has to wait.
    Outside,
    Waiting(u64),
    /// It has a turn, which has not begun.
    Entering(Before),
    Running(Instant),
}

/// The turns of one guest, one after the other, until it has done what it was called for.
pub(crate) struct Ticket<'a> {
    turns: &'a Turns,
    family: &'a Arc<Account>,
    at: At,
}

impl<'a> Ticket<'a> {
    pub(crate) fn new(turns: &'a Turns, family: &'a Arc<Account>) -> Self {
        Self {
            turns,
            family,
            at: At::Outside,
        }
    }

    /// Ready when the guest may run. What comes of running it is followed by [`Ticket::end_turn`].
    pub(crate) fn poll_turn(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if let At::Outside = self.at
            // Relaxed: a guest that reads the flag too late has one turn more, or less, outside of the queue.
            && !self.turns.crowded.load(Ordering::Relaxed)
        {
            return Poll::Ready(());
        }
        self.poll_given_turn(cx)
    }

    #[cold]
    fn poll_given_turn(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            match &mut self.at {
                At::Outside => {
                    self.at = match self.turns.enter(self.family, cx.waker()) {
                        Entered::Given => At::Entering(self.turns.before()),
                        Entered::Waits { number, .. } => At::Waiting(number),
                    };
                    if let At::Waiting(_) = self.at {
                        return Poll::Pending;
                    }
                }
                At::Waiting(number) => {
                    let is_given = |queue: &mut TurnQueue| queue.is_given(*number, cx.waker());
                    if !self.turns.lock().queue.as_mut().is_none_or(is_given) {
                        return Poll::Pending;
                    }
                    self.at = At::Entering(self.turns.before());
                }
                At::Entering(Before::LookAtSockets(looked)) => {
                    if looked.as_mut().poll(cx).is_pending() {
                        return Poll::Pending;
                    }
                    self.turns.lock().since_others = Duration::ZERO;
                    // Those that were woken by it come first, too.
                    self.at = At::Entering(Before::LetOthersRun);
                }
                At::Entering(Before::LetOthersRun) => {
                    self.at = At::Entering(Before::Nothing);
                    // Who wakes itself while it is polled goes to the end of the runtime's queue.
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                At::Entering(Before::Nothing) => {
                    self.at = At::Running(Instant::now());
                    return Poll::Ready(());
                }
                At::Running(_) => return Poll::Ready(()),
            }
        }
    }

    /// The guest waits for something, is done, or gave way.
    pub(crate) fn end_turn(&mut self) {
        if let At::Outside = self.at {
            return;
        }
        self.end();
    }

    fn end(&mut self) {
        let took = match std::mem::replace(&mut self.at, At::Outside) {
            // A turn from before the node was crowded was never counted as one that runs.
            At::Outside => return,
            At::Waiting(number) => {
                let leave = |queue: &mut TurnQueue| queue.leave(number);
                // It may have been given a turn since it last looked. That one is to be ended, or its place is lost
                // for good.
                if !self.turns.lock().queue.as_mut().is_some_and(leave) {
                    return;
                }
                Duration::ZERO
            }
            // Given, so it has a place to give back, but the guest hasn't run.
            At::Entering(_) => Duration::ZERO,
            At::Running(since) => since.elapsed(),
        };
        self.turns.end(self.family, took);
    }
}

impl Drop for Ticket<'_> {
    /// The actor was killed, or the call is over.
    fn drop(&mut self) {
        self.end();
    }
}
