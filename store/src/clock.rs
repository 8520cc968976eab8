//! The clock of leases.

use ractor_host_placement::words::BootTime;
use rustix::time::{ClockId, clock_gettime};

/// It goes on while the computer sleeps. Nobody sets it.
#[cfg(target_os = "linux")]
const CLOCK: ClockId = ClockId::Boottime;
/// There this one goes on while the computer sleeps.
#[cfg(not(target_os = "linux"))]
const CLOCK: ClockId = ClockId::Monotonic;

/// The time now.
pub(crate) fn now() -> BootTime {
    let time = clock_gettime(CLOCK);
    let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
    let nanoseconds = u64::try_from(time.tv_nsec).unwrap_or_default();
    BootTime(seconds.saturating_mul(1_000_000_000).saturating_add(nanoseconds))
}
