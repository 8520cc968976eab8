//! How much of the processor a guest has had, without a look at a clock but where the engine's clock steps.
//!
//! A guest that runs when that clock steps is charged the whole step, and one that runs between two steps nothing, which is right on average
//! and costs nothing but at a step. A step is as long as it was: on a machine with more work than processors the clock is often late, while
//! guests run. A step in which the operating system had the thread do nothing is not the guest's doing, so the processor time of the
//! thread is the most that is charged.

use std::cell::Cell;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// As much of this as the thread has had of the processor and nobody was charged for yet.
pub(super) fn thread_credit(by_clock: Duration) -> Duration {
    thread_local! {
        /// The processor time of the thread up to which guests were charged.
        static CHARGED: Cell<Duration> = const { Cell::new(Duration::ZERO) };
    }
    let now = clock_gettime(ClockId::ThreadCPUTime);
    let now = Duration::new(
        u64::try_from(now.tv_sec).unwrap_or_default(),
        u32::try_from(now.tv_nsec).unwrap_or_default(),
    );
    CHARGED.with(|charged| {
        let (busy, up_to) = charge(now, charged.get(), by_clock);
        charged.set(up_to);
        busy
    })
}

/// What is charged, and up to where the thread's time is charged then.
pub(crate) fn charge(now: Duration, charged: Duration, by_clock: Duration) -> (Duration, Duration) {
    let busy = now.saturating_sub(charged).min(by_clock);
    // What is left is for the next guest that meets a step: a step ends in the middle of what it is charged for. But no more than that:
    // what the thread did for others is no guest's.
    let up_to = (charged + busy).max(now.saturating_sub(by_clock));
    (busy, up_to)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn a_guest_is_charged_a_step_but_no_more_than_the_thread_had_of_the_processor() {
        // A thread that has run for others for a second.
        let (busy, charged) = charge(ms(1000), ms(0), ms(5));
        assert_eq!((busy, charged), (ms(5), ms(995)));
        // The end of a turn is later or earlier in a step; on the whole nothing is lost.
        let (busy, charged) = charge(ms(1003), charged, ms(5));
        assert_eq!((busy, charged), (ms(5), ms(1000)));
        // The system took the thread away for ten steps.
        let (busy, charged) = charge(ms(1004), charged, ms(50));
        assert_eq!((busy, charged), (ms(4), ms(1004)));
    }
}
