//! The locks of code that waits and wakes. `tests/interleavings` compiles the same code with locks in their place that let a
//! scheduler choose who goes on.

pub(crate) use parking_lot::Mutex;

/// Numbers that threads share.
pub(crate) mod atomic {
    pub(crate) use std::sync::atomic::{AtomicUsize, Ordering};
}
