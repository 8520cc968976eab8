//! What one actor has done so far and what it holds now, over all its instances: figures that anybody may read at any time.
//!
//! Only the task of the actor counts messages, so counting is a load and a store, without a lock on the bus; who reads may be a
//! message behind. What holds something of the host for the actor, such as a timer, has a [`Counted`].
//!
//! How long a guest has had a thread comes from the engine's clock, and `thread_time` says how much of it was time of the processor.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::handler_times::{HandlerTimes, SAMPLED};
use super::instance_memory::InstanceMemory;
use super::page_map::PageMap;
use super::taps::Taps;
use super::thread_time::thread_credit;

/// What an actor can hold, each counted by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Held {
    Timer,
    Monitor,
    Ask,
    OpenCall,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Tally {
    module: Arc<ModuleTally>,
    since: Instant,
    done: Done,
    /// Chooses the messages that are timed.
    random: AtomicU64,
    /// Those of its instances: two during a reload, none between two lives. No message takes the lock.
    memories: Mutex<Vec<Arc<InstanceMemory>>>,
    held: [AtomicUsize; 4],
    /// Whoever traces the actor.
    pub(crate) taps: Taps,
}

/// What only grows.
#[derive(Debug, Default)]
struct Done {
    messages: AtomicU64,
    answered: AtomicU64,
    failed: AtomicU64,
    busy_ns: AtomicU64,
    failures: AtomicU64,
    restarts: AtomicU64,
}

/// What only grows, as numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DoneFigures {
    /// Messages that the guest was given: casts and calls, whatever became of them.
    pub messages: u64,
    /// Calls that it answered.
    pub calls_answered: u64,
    /// Calls that it failed, or that failed with it.
    pub calls_failed: u64,
    /// Time on a thread: of the processor as far as the system tells, in the resolution of `epoch_tick`.
    pub busy: Duration,
    /// The number of its failures.
    pub failures: u64,
    /// The number of its restarts in place.
    pub restarts: u64,
}

/// What the actors of one module have done, those that have ended included.
#[derive(Debug, Default)]
pub(crate) struct ModuleTally {
    ended: Done,
    /// The most that was ever said. An actor that is about to end may be in no list for a moment, and a sum must not shrink over it.
    said: Done,
    times: HandlerTimes,
}

/// What is held, until dropped.
#[derive(Debug)]
pub(crate) struct Counted(Arc<Tally>, Held);

impl Tally {
    /// Of an actor that begins.
    pub(crate) fn of(module: Arc<ModuleTally>) -> Self {
        Self {
            module,
            since: Instant::now(),
            done: Done::default(),
            // Any number does but for zero, which would be a fine one, too.
            random: AtomicU64::new(0x9e37_79b9_7f4a_7c15),
            memories: Mutex::default(),
            held: Default::default(),
            taps: Taps::default(),
        }
    }

    /// How long the actor has been there.
    pub(crate) fn age(&self) -> Duration {
        self.since.elapsed()
    }

    pub(crate) fn done(&self) -> DoneFigures {
        self.done.figures()
    }

    /// Bytes of its linear memories.
    pub(crate) fn memory(&self) -> usize {
        self.memories.lock().iter().map(|memory| memory.grown()).sum()
    }

    /// What they took of the machine when they were looked at last; none if one of them never was.
    pub(crate) fn resident(&self) -> Option<usize> {
        self.memories.lock().iter().map(|memory| memory.resident()).sum()
    }

    /// Looks at what they take of the machine, or only at those that were never looked at.
    ///
    /// # Errors
    /// The operating system doesn't say.
    pub(crate) fn look_at_memory(&self, pages: &mut PageMap, new_only: bool) -> io::Result<()> {
        // Not under the lock, which the end of an instance waits for.
        let mut memories = self.memories.lock().clone();
        memories.retain(|memory| !new_only || memory.resident().is_none());
        memories.iter().try_for_each(|memory| memory.look(pages))
    }

    /// How many of these it holds.
    pub(crate) fn held(&self, of: Held) -> usize {
        self.place(of).load(Ordering::Relaxed)
    }

    /// True if the message that comes is to be timed.
    pub(crate) fn draws(&self) -> bool {
        // A linear congruential generator, whose upper bits are good enough to choose by. Always the sixteenth could always be the same
        // kind of message.
        let random = self.random.load(Ordering::Relaxed);
        let random = random
            .wrapping_mul(0x5851_f42d_4c95_7f2d)
            .wrapping_add(0x1405_7b7e_f767_814f);
        self.random.store(random, Ordering::Relaxed);
        random >> (u64::BITS - SAMPLED.ilog2()) == 0
    }

    /// The guest was given this many messages.
    pub(crate) fn handled(&self, messages: usize) {
        add(&self.done.messages, messages as u64);
    }

    /// They took so long together: one of those that were drawn, or seen by the engine's clock.
    #[cold]
    pub(crate) fn took(&self, all: Duration, messages: usize, why: Timed) {
        let messages = messages.max(1) as u64;
        let each = all / u32::try_from(messages).unwrap_or(u32::MAX);
        let weight = match why {
            Timed::Drawn => SAMPLED,
            Timed::Slow => 1,
        };
        self.module.times.record(each, messages * weight);
    }

    /// The guest was on a thread when the engine's clock stepped: for so long by that clock.
    #[cold]
    pub(crate) fn ran(&self, by_clock: Duration) {
        let busy = thread_credit(by_clock);
        add(&self.done.busy_ns, u64::try_from(busy.as_nanos()).unwrap_or(u64::MAX));
    }

    pub(crate) fn answered(&self) {
        add(&self.done.answered, 1);
    }

    pub(crate) fn failed(&self) {
        add(&self.done.failed, 1);
    }

    pub(crate) fn failure(&self) {
        add(&self.done.failures, 1);
    }

    pub(crate) fn restart(&self) {
        add(&self.done.restarts, 1);
    }

    /// The memories of an instance are shown here from now on. One of them can have `reserved` bytes.
    pub(super) fn instance_begins(&self, reserved: usize) -> Arc<InstanceMemory> {
        let memory = Arc::new(InstanceMemory::new(reserved));
        self.memories.lock().push(memory.clone());
        memory
    }

    /// They are not shown here any more: they are about to be freed.
    pub(super) fn instance_ends(&self, ended: &Arc<InstanceMemory>) {
        ended.end();
        self.memories.lock().retain(|memory| !Arc::ptr_eq(memory, ended));
    }

    /// One more of these, until dropped.
    pub(crate) fn count(self: &Arc<Self>, of: Held) -> Counted {
        self.place(of).fetch_add(1, Ordering::Relaxed);
        Counted(self.clone(), of)
    }

    fn place(&self, of: Held) -> &AtomicUsize {
        let [timers, monitors, asks, calls] = &self.held;
        match of {
            Held::Timer => timers,
            Held::Monitor => monitors,
            Held::Ask => asks,
            Held::OpenCall => calls,
        }
    }
}

/// Of an instance that is no actor.
impl Default for Tally {
    fn default() -> Self {
        Self::of(Arc::default())
    }
}

impl Drop for Tally {
    fn drop(&mut self) {
        self.module.ended.add(&self.done.figures());
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let Self(tally, of) = self;
        tally.place(*of).fetch_sub(1, Ordering::Relaxed);
    }
}

/// Why the time of a message is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Timed {
    /// It was drawn, and stands for others.
    Drawn,
    /// It took so long that the engine's clock saw it.
    Slow,
}

impl ModuleTally {
    /// What those that live have done, and those that have ended.
    pub(crate) fn with(&self, living: impl Iterator<Item = DoneFigures>) -> DoneFigures {
        let now = Done::default();
        now.add(&self.ended.figures());
        living.for_each(|one| now.add(&one));
        self.said.raise(&now.figures())
    }

    pub(crate) fn times(&self) -> &HandlerTimes {
        &self.times
    }
}

impl Done {
    fn each(&self) -> [&AtomicU64; 6] {
        let Self {
            messages,
            answered,
            failed,
            busy_ns,
            failures,
            restarts,
        } = self;
        [messages, answered, failed, busy_ns, failures, restarts]
    }

    fn figures(&self) -> DoneFigures {
        DoneFigures::of(self.each().map(|each| each.load(Ordering::Relaxed)))
    }

    fn add(&self, other: &DoneFigures) {
        for (each, more) in self.each().into_iter().zip(other.each()) {
            each.fetch_add(more, Ordering::Relaxed);
        }
    }

    /// Each at least this; what they are then.
    fn raise(&self, other: &DoneFigures) -> DoneFigures {
        let mut raised = other.each();
        for (each, now) in self.each().into_iter().zip(&mut raised) {
            *now = each.fetch_max(*now, Ordering::Relaxed).max(*now);
        }
        DoneFigures::of(raised)
    }
}

impl DoneFigures {
    fn of([messages, calls_answered, calls_failed, busy_ns, failures, restarts]: [u64; 6]) -> Self {
        Self {
            messages,
            calls_answered,
            calls_failed,
            busy: Duration::from_nanos(busy_ns),
            failures,
            restarts,
        }
    }

    fn each(&self) -> [u64; 6] {
        [
            self.messages,
            self.calls_answered,
            self.calls_failed,
            u64::try_from(self.busy.as_nanos()).unwrap_or(u64::MAX),
            self.failures,
            self.restarts,
        ]
    }
}

/// Only one task counts here, so nothing is lost between the two.
fn add(count: &AtomicU64, more: u64) {
    count.store(count.load(Ordering::Relaxed).wrapping_add(more), Ordering::Relaxed);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_of_sixteen_is_timed() {
        let tally = Tally::default();
        let drawn = (0..160_000).filter(|_| tally.draws()).count();
        assert!((9_000..11_000).contains(&drawn), "{drawn}");
    }

    #[test]
    fn what_ended_actors_did_stays_in_the_sum_of_their_module() {
        let module = Arc::new(ModuleTally::default());
        let (one, other) = (Tally::of(module.clone()), Tally::of(module.clone()));
        one.handled(3);
        other.handled(4);
        assert_eq!(module.with([one.done(), other.done()].into_iter()).messages, 7);
        // Between leaving the list and its end.
        assert_eq!(module.with([one.done()].into_iter()).messages, 7);
        drop(other);
        one.handled(1);
        assert_eq!(module.with([one.done()].into_iter()).messages, 8);
    }

    #[test]
    fn what_is_held_is_counted_until_it_is_dropped() {
        let tally = Arc::new(Tally::default());
        let timers = [tally.count(Held::Timer), tally.count(Held::Timer)];
        let ask = tally.count(Held::Ask);
        assert_eq!((tally.held(Held::Timer), tally.held(Held::Ask)), (2, 1));
        drop(timers);
        drop(ask);
        assert_eq!((tally.held(Held::Timer), tally.held(Held::Ask)), (0, 0));
    }
}
