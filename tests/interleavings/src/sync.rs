//! The locks of the host's `sync`, from shuttle.

use std::cell::RefCell;
use std::ops::Deref;
use std::sync::{OnceLock, PoisonError};
use std::thread::ThreadId;

pub(crate) use shuttle::sync::MutexGuard;

/// shuttle's lock behind the signatures of parking_lot's, which no panic poisons: a panic ends the execution anyway.
#[derive(Debug, Default)]
pub(crate) struct Mutex<T>(shuttle::sync::Mutex<T>);

impl<T> Mutex<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self(shuttle::sync::Mutex::new(value))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Numbers that threads share.
pub(crate) mod atomic {
    pub(crate) use shuttle::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
}

thread_local! {
    /// The number of executions so far on this thread of the system, on which all tasks of an execution run.
    static EXECUTION: RefCell<usize> = const { RefCell::new(0) };
}

/// Begins an execution: what others have left in values that live as long as the program is not seen.
pub(crate) fn begin() {
    EXECUTION.with_borrow_mut(|execution| *execution += 1);
}

/// A value that is made at its first use in an execution. It is never dropped.
pub(crate) struct LazyLock<T: 'static> {
    make: fn() -> T,
    of: OnceLock<std::sync::Mutex<Vec<Made<T>>>>,
}

/// A value, and which execution on which thread it belongs to.
type Made<T> = (ThreadId, usize, &'static T);

impl<T> LazyLock<T> {
    pub(crate) const fn new(make: fn() -> T) -> Self {
        Self {
            make,
            of: OnceLock::new(),
        }
    }
}

impl<T> Deref for LazyLock<T> {
    type Target = T;

    fn deref(&self) -> &T {
        let key = (
            std::thread::current().id(),
            EXECUTION.with_borrow(|execution| *execution),
        );
        let mut of = match self.of.get_or_init(Default::default).lock() {
            Ok(of) => of,
            Err(poisoned) => poisoned.into_inner(),
        };
        if let Some((.., value)) = of.iter().find(|(thread, execution, _)| (*thread, *execution) == key) {
            return value;
        }
        // Those of earlier executions are not looked for again.
        of.retain(|(thread, ..)| *thread != key.0);
        let value: &'static T = Box::leak(Box::new((self.make)()));
        of.push((key.0, key.1, value));
        value
    }
}
