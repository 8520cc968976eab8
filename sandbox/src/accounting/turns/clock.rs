//! The clock of an engine: its count of epochs.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The engine's count of epochs.
pub(crate) type Clock = Arc<AtomicU64>;

/// What it is at.
pub(crate) fn ticks(clock: &Clock) -> u64 {
    // Relaxed: a step that is seen late makes a turn longer by that step and does no other harm.
    clock.load(Ordering::Relaxed)
}
