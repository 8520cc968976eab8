//! The clock of an engine: its count of epochs.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The engine's count of epochs.
pub(crate) type Clock = Arc<AtomicU64>;

/// What it is at.
pub(crate) fn ticks(clock: &Clock) -> u64 {
    clock.load(Ordering::Relaxed)
}
