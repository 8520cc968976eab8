//! Guests that wait for replies and timers without standing still: what their callers, their peers and an operator notice.
#![expect(clippy::unwrap_used, reason = "a test that fails should panic")]

mod circles;
mod ending;
mod free;
mod held;
mod reloading;
mod support;
mod waiting;
