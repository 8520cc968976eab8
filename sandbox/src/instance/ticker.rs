//! The thread that advances the epochs of an engine, so that a guest which runs for long gives way to others.

use std::io;
use std::sync::Weak;
use std::thread;
use std::time::{Duration, Instant};

use crate::accounting::turns::clock::EngineClock;

/// The most steps that are caught up after the thread was late. On a machine with more work than processors it often is, while guests
/// run; what took longer held the whole process up.
const MOST_LATE: u32 = 40;
/// Steps that are caught up are this much shorter than others. Without any time between them they would cut off turns that had just
/// begun.
const HASTE: u32 = 4;

/// Starts a thread that advances `clock` and the epochs of these once per `period`, for as long as the clock's owner lives.
pub(super) fn start(engines: Vec<wasmtime::EngineWeak>, clock: Weak<EngineClock>, period: Duration) -> io::Result<()> {
    thread::Builder::new()
        .name("guest-epochs".to_owned())
        .spawn(move || {
            let mut pace = Pace::new(period, Instant::now());
            loop {
                thread::sleep(pace.pause(Instant::now()));
                // After the sleep and for a moment only, so that this thread keeps no engine alive while it sleeps.
                let Some(clock) = clock.upgrade() else { return };
                // Before the epoch: the guests that it interrupts read the clock to see whether their turn is over.
                clock.step(pace.step(Instant::now()));
                end_epoch(&engines);
            }
        })
        .map(drop)
}

/// When the steps of a clock are due.
#[derive(Debug)]
struct Pace {
    period: Duration,
    due: Instant,
    /// When the last step was.
    stepped: Instant,
}

impl Pace {
    fn new(period: Duration, now: Instant) -> Self {
        Self {
            period,
            due: now,
            stepped: now,
        }
    }

    /// The time until the next step.
    fn pause(&mut self, now: Instant) -> Duration {
        let Self { period, .. } = *self;
        // By the time that has passed, and not by how often this has slept: each sleep takes a little longer than it was to.
        self.due += period;
        // What held the whole process up is nobody's time.
        if now > self.due + period * MOST_LATE {
            self.due = now;
        }
        self.due.saturating_duration_since(now).max(period - period / HASTE)
    }

    /// The step is now. Gives how long it took, be that more or less than the period.
    fn step(&mut self, now: Instant) -> Duration {
        let took = now.saturating_duration_since(self.stepped);
        self.stepped = now;
        took.min(self.period * MOST_LATE)
    }
}

/// Interrupts the guests that run, of those engines that still live.
pub(super) fn end_epoch(engines: &[wasmtime::EngineWeak]) {
    for engine in engines {
        if let Some(engine) = engine.upgrade() {
            engine.increment_epoch();
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;
    use crate::accounting::thread_time::charge;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    const PERIOD: Duration = Duration::from_millis(5);

    /// The time that passes at once in a simulation.
    const SLICE: Duration = Duration::from_micros(50);

    /// A machine, in time that only this test makes pass.
    #[derive(Clone, Copy, Debug)]
    struct Machine {
        /// How late the thread of the clock is at most.
        late: Duration,
        /// The part of the time in which the thread of the guests has a processor, in percent.
        share: u64,
        /// How long a message takes at most, and what the thread does for others after it.
        message: Duration,
        others: Duration,
    }

    /// Numbers that look random, the same in each run.
    struct Random(u64);

    impl Random {
        fn below(&mut self, end: u64) -> u64 {
            self.0 = self
                .0
                .wrapping_mul(0x5851_f42d_4c95_7f2d)
                .wrapping_add(0x1405_7b7e_f767_814f);
            (self.0 >> 33) % end.max(1)
        }

        fn up_to(&mut self, most: Duration) -> Duration {
            let slices = u64::try_from(most.as_nanos() / SLICE.as_nanos()).unwrap();
            SLICE * u32::try_from(self.below(slices + 1)).unwrap()
        }
    }

    /// What guests are charged in five minutes, as a part of what they had, and all that the thread had as a part of that.
    fn charged(machine: Machine) -> (f64, f64) {
        let mut random = Random(42);
        let begin = Instant::now();
        let (mut pace, mut now) = (Pace::new(PERIOD, begin), begin);
        let mut step_at = now + pace.pause(now);
        // The time of the clock, of the thread, and that of the thread up to which guests were charged.
        let [mut clock, mut thread, mut up_to] = [Duration::ZERO; 3];
        let [mut had, mut paid] = [Duration::ZERO; 2];
        let (mut has_processor, mut until_switch) = (true, Duration::ZERO);
        // What is left of the message, or of what is done for others; what the clock said when the message began.
        let (mut left, mut began) = (Duration::ZERO, None);
        while now < begin + Duration::from_mins(5) {
            now += SLICE;
            if now >= step_at {
                clock += pace.step(now);
                step_at = now + pace.pause(now) + random.up_to(machine.late);
            }
            if until_switch.is_zero() {
                has_processor = random.below(100) < machine.share;
                until_switch = random.up_to(ms(8));
            }
            until_switch = until_switch.saturating_sub(SLICE);
            if !has_processor {
                continue;
            }
            thread += SLICE;
            had += if began.is_some() { SLICE } else { Duration::ZERO };
            left = left.saturating_sub(SLICE);
            if !left.is_zero() {
                continue;
            }
            if let Some(since) = began.take() {
                if clock > since {
                    let (busy, charged) = charge(thread, up_to, clock - since);
                    paid += busy;
                    up_to = charged;
                }
                left = random.up_to(machine.others);
            } else {
                began = Some(clock);
                left = random.up_to(machine.message);
            }
        }
        (
            paid.as_secs_f64() / had.as_secs_f64(),
            thread.as_secs_f64() / had.as_secs_f64(),
        )
    }

    #[test]
    fn guests_are_charged_what_they_had_however_late_the_clock_is() {
        for late in [ms(0), ms(3), ms(30)] {
            for share in [100, 50] {
                for (message, others) in [(ms(2), ms(2)), (ms(20), ms(1)), (ms(100), ms(0))] {
                    let machine = Machine {
                        late,
                        share,
                        message,
                        others,
                    };
                    let (part, thread) = charged(machine);
                    // Where others take the thread's processor, what it does for them can't be told from what guests do.
                    let most = if share < 100 { thread } else { 1.0 };
                    assert!((0.95..=most + 0.05).contains(&part), "{part} of {most}: {machine:?}");
                }
            }
        }
    }
}
