//! The locks of code that waits and wakes: those of the standard library. `tests/interleavings` compiles the same code with locks
//! in their place that let a scheduler choose who goes on.

pub(crate) use std::sync::{Mutex, MutexGuard};

/// Numbers that threads share.
pub(crate) mod atomic {
    #[cfg(feature = "guests")]
    pub(crate) use std::sync::atomic::AtomicBool;
    pub(crate) use std::sync::atomic::{AtomicUsize, Ordering};
}

/// A value that is made at its first use.
#[cfg(feature = "guests")]
pub(crate) use std::sync::LazyLock;
