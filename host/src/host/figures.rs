//! A node in figures: its process, what its guests take of that, and what is left for the node itself.
//!
//! The sum over guests and the node is what the operating system says of the process, because the node's part is what is left. That
//! part is as true as the guests' parts are. Their processor time is charged in steps of the engine's clock. Their memory is what they
//! have of the machine's, page by page, and not what their linear memories have grown to: thousands of small guests may have grown to
//! ten times what the process has.

use std::fs;
use std::time::{SystemTime, UNIX_EPOCH};

use rustix::time::{ClockId, clock_gettime};
use tokio::runtime::Handle;

use super::lately::{microseconds, milliseconds};
use super::service::NodeService;
use crate::control::{
    ActorFigures, CacheFigures, CheckpointFigures, HandlerTimes, ModuleRow, NodeFigures, OwnShare, ProcessFigures,
};
use crate::guest::{CheckpointWriter, DoneFigures, GuestRef, HandlerTimesFigures, ModuleFigures};

impl NodeService {
    /// All of it, but for what is asked of sessions.
    pub(super) async fn node_figures(&self) -> NodeFigures {
        let looked = tokio::task::spawn_blocking({
            let modules = self.modules.clone();
            move || {
                modules.look_at_memory();
                process()
            }
        });
        // All zero if the runtime is ending, and nobody reads this any more.
        let process = looked.await.unwrap_or_default();
        let modules: Vec<ModuleRow> = self.modules.figures().iter().map(module).collect();
        let sum = |of: fn(&ModuleRow) -> u64| modules.iter().map(of).sum::<u64>();
        let engine = self.modules.engine_figures();
        let (guests_memory_bytes, guests_busy_us) = (sum(|row| row.memory_bytes), sum(|row| row.busy_us));
        let guests_resident_bytes = modules.iter().map(|row| row.resident_bytes).sum::<Option<u64>>();
        NodeFigures {
            node: self.node.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            uptime_ms: milliseconds(self.begun.elapsed()),
            ready: self.is_ready().await,
            workers: Handle::try_current().map_or(1, |runtime| runtime.metrics().num_workers()) as u64,
            sessions: self.sessions().await.map_or(0, |sessions| sessions.len() as u64),
            guests: sum(|row| row.guests),
            guests_limit: engine.and_then(|engine| engine.most_guests).map(|most| most as u64),
            guests_memory_bytes,
            guests_resident_bytes,
            guests_busy_us,
            own: OwnShare {
                cpu_us: process.cpu_us.saturating_sub(guests_busy_us),
                resident_bytes: guests_resident_bytes.map(|guests| process.resident_bytes.saturating_sub(guests)),
            },
            waiting: sum(|row| row.waiting),
            waiting_bytes: sum(|row| row.waiting_bytes),
            compile_cache: engine.map_or(CacheFigures::default(), |engine| CacheFigures {
                hits: engine.from_cache,
                misses: engine.compiled,
            }),
            checkpoints: self.writer.as_ref().map(checkpoints),
            process,
            modules,
            now_ms: SystemTime::now().duration_since(UNIX_EPOCH).ok().map(milliseconds),
        }
    }
}

/// What a guest has done and holds. What it did lately is for others to say.
pub(super) fn of_guest(guest: &GuestRef) -> ActorFigures {
    let figures = guest.figures();
    let DoneFigures {
        messages,
        calls_answered,
        calls_failed,
        busy,
        failures,
        restarts,
        ..
    } = figures.done;
    ActorFigures {
        age_ms: milliseconds(figures.age),
        messages,
        calls_answered,
        calls_failed,
        busy_us: microseconds(busy),
        failures,
        restarts,
        memory_bytes: figures.memory_bytes as u64,
        resident_bytes: figures.resident_bytes.map(|bytes| bytes as u64),
        memory_limit: guest.profile().limits.memory_bytes as u64,
        waiting_bytes: figures.waiting_bytes as u64,
        timers: figures.timers as u64,
        monitors: figures.monitors as u64,
        asks: figures.asks as u64,
        open_calls: figures.open_calls as u64,
        lately: None,
    }
}

fn module(figures: &ModuleFigures) -> ModuleRow {
    let done = figures.done;
    ModuleRow {
        module: figures.module.clone(),
        guests: figures.guests as u64,
        messages: done.messages,
        calls_answered: done.calls_answered,
        calls_failed: done.calls_failed,
        busy_us: microseconds(done.busy),
        failures: done.failures,
        restarts: done.restarts,
        memory_bytes: figures.memory_bytes as u64,
        resident_bytes: figures.resident_bytes.map(|bytes| bytes as u64),
        waiting: figures.waiting as u64,
        waiting_bytes: figures.waiting_bytes as u64,
        handler_times: handler_times(&figures.handler_times),
    }
}

fn handler_times(figures: &HandlerTimesFigures) -> HandlerTimes {
    let buckets = figures.buckets.iter();
    HandlerTimes {
        buckets_us: buckets.map(|(bound, count)| (microseconds(*bound), *count)).collect(),
        count: figures.count,
        sum_us: microseconds(figures.sum),
    }
}

fn checkpoints(writer: &CheckpointWriter) -> CheckpointFigures {
    let figures = writer.figures();
    CheckpointFigures {
        written: figures.written,
        bytes: figures.bytes,
        failed: figures.failed,
        age_ms: figures.last.map(|last| milliseconds(last.elapsed())),
    }
}

/// What the operating system says of this process.
fn process() -> ProcessFigures {
    // A file of /proc is made as it is read, and takes no disk.
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let cpu = clock_gettime(ClockId::ProcessCPUTime);
    let cpu_us = u64::try_from(cpu.tv_sec).unwrap_or_default() * 1_000_000
        + u64::try_from(cpu.tv_nsec).unwrap_or_default() / 1_000;
    ProcessFigures {
        pid: std::process::id().into(),
        resident_bytes: field(&status, "VmRSS:").unwrap_or_default() * 1024,
        cpu_us,
        threads: field(&status, "Threads:").unwrap_or_default(),
        // The one that the count itself opens is among them.
        open_files: fs::read_dir("/proc/self/fd").map_or(0, |files| files.count() as u64),
    }
}

/// The number behind this word at the beginning of a line.
fn field(status: &str, word: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(word))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_process_says_what_it_takes() {
        let before = process();
        assert!(
            cfg!(not(target_os = "linux")) || before.resident_bytes > 1 << 20,
            "{before:?}"
        );
        // Other tests of this process take memory and give some back meanwhile, so that one look may be wrong.
        let grown = (0..20).map(|_| growth()).max().unwrap_or_default();
        assert!(cfg!(not(target_os = "linux")) || grown >= 48 << 20, "{grown}");
        assert!(process().cpu_us > before.cpu_us);
    }

    /// By how much the process grows with 64 MiB.
    fn growth() -> u64 {
        let before = process();
        // Written to, or the system would not give it.
        let memory = std::hint::black_box(vec![1_u8; 64 << 20]);
        let after = process();
        drop(memory);
        after.resident_bytes.saturating_sub(before.resident_bytes)
    }

    #[test]
    fn a_line_of_the_status_has_its_number_behind_its_word() {
        let status = "Name:\tx\nVmRSS:\t   1234 kB\nThreads:\t7\n";
        assert_eq!(field(status, "VmRSS:"), Some(1234));
        assert_eq!(field(status, "Threads:"), Some(7));
        assert_eq!(field(status, "VmSize:"), None);
    }
}
