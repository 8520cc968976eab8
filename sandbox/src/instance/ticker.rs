//! The thread that advances the epochs of an engine, so that a guest which runs for long gives way to others.

use std::io;
use std::sync::Weak;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// The most steps that are caught up after the thread was late. On a machine with more work than processors it often is, while guests
/// run; what took longer held the whole process up.
const MOST_LATE: u32 = 40;
/// Steps that are caught up are this much shorter than others. Without any time between them they would cut off turns that had just
/// begun.
const HASTE: u32 = 4;

/// Starts a thread that advances `clock` and the epochs of these once per `period`, for as long as the clock's owner lives.
pub(super) fn start(engines: Vec<wasmtime::EngineWeak>, clock: Weak<AtomicU64>, period: Duration) -> io::Result<()> {
    thread::Builder::new()
        .name("guest-epochs".to_owned())
        .spawn(move || {
            let mut due = Instant::now();
            loop {
                // By the time that has passed, and not by how often this has slept: each sleep takes a little longer than it was to.
                due += period;
                let now = Instant::now();
                // What held the whole process up is nobody's time.
                if now > due + period * MOST_LATE {
                    due = now;
                }
                thread::sleep(due.saturating_duration_since(now).max(period - period / HASTE));
                // After the sleep and for a moment only, so that this thread keeps no engine alive while it sleeps.
                let Some(clock) = clock.upgrade() else { return };
                // Before the epoch: the guests that it interrupts read the clock to see whether their turn is over.
                clock.fetch_add(1, Ordering::Relaxed);
                end_epoch(&engines);
            }
        })
        .map(drop)
}

/// Interrupts the guests that run, of those engines that still live.
pub(super) fn end_epoch(engines: &[wasmtime::EngineWeak]) {
    for engine in engines {
        if let Some(engine) = engine.upgrade() {
            engine.increment_epoch();
        }
    }
}
