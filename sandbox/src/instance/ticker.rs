//! The thread that advances an engine's epoch, so that a guest which runs for long gives way to others.

use std::io;
use std::sync::Weak;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

/// Starts a thread that advances `clock` and the engine's epoch once per `period`, for as long as the engine lives.
pub(super) fn start(engine: wasmtime::EngineWeak, clock: Weak<AtomicU64>, period: Duration) -> io::Result<()> {
    thread::Builder::new()
        .name("guest-epochs".to_owned())
        .spawn(move || {
            loop {
                thread::sleep(period);
                // After the sleep and for a moment only, so that this thread keeps no engine alive while it sleeps.
                let (Some(engine), Some(clock)) = (engine.upgrade(), clock.upgrade()) else {
                    return;
                };
                // Before the epoch: the guests that it interrupts read the clock to see whether their turn is over.
                clock.fetch_add(1, Ordering::Relaxed);
                engine.increment_epoch();
            }
        })
        .map(drop)
}
