//! What this process has used: processor time and memory.

use serde::Serialize;

use rustix::time::{ClockId, clock_gettime};

/// What this process has used since it started.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Usage {
    /// Processor time of all threads, user and system.
    pub cpu_seconds: f64,
    /// Memory that it has now; absent where the system doesn't say.
    pub resident_kib: Option<u64>,
    /// The most memory that it ever had.
    pub peak_kib: Option<u64>,
}

impl Usage {
    /// What this process has used up to now.
    #[must_use]
    pub fn now() -> Self {
        Self {
            cpu_seconds: cpu_seconds(),
            resident_kib: resident_kib(),
            peak_kib: status("VmHWM:"),
        }
    }
}

/// Processor time of all threads of this process.
#[expect(clippy::cast_precision_loss, reason = "a benchmark has no use for the 16th digit")]
pub(crate) fn cpu_seconds() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

/// The memory that this process has now, where the system says it.
#[must_use]
pub fn resident_kib() -> Option<u64> {
    status("VmRSS:")
}

/// The memory that this process has now, where the system says it. A page that is mapped at several places, as those of code
/// and of initial memory that guests share, counts once.
#[must_use]
pub fn proportional_kib() -> Option<u64> {
    of_file("/proc/self/smaps_rollup", "Pss:")
}

/// A line of Linux' /proc/self/status, in KiB.
fn status(key: &str) -> Option<u64> {
    of_file("/proc/self/status", key)
}

fn of_file(path: &str, key: &str) -> Option<u64> {
    let status = std::fs::read_to_string(path).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(key))?;
    line.split_whitespace().next()?.parse().ok()
}
