//! The locks of code that waits and wakes: those of the standard library. `tests/interleavings` compiles the same code with locks
//! in their place that let a scheduler choose who goes on.

/// A value that is made at its first use.
pub(crate) use std::sync::LazyLock;
pub(crate) use std::sync::{Mutex, MutexGuard};

/// Numbers that threads share.
pub(crate) mod atomic {
    pub(crate) use std::sync::atomic::{AtomicBool, Ordering};
}
