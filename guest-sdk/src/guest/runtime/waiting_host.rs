//! What waiting and going on ask of the host: a few imports, in whose place the tests of this crate have something that writes down
//! what it is asked for.

use crate::guest::bindings::Pid;
use crate::guest::bindings::ractor::actor::entities::Entity;
use crate::guest::bindings::ractor::actor::requests::CallError;
use crate::guest::bindings::ractor::actor::timers::TimerError;

#[cfg(target_family = "wasm")]
mod imports {
    use super::{CallError, Entity, Pid, TimerError};
    use crate::guest::bindings::ractor::actor::requests::{self, Mailbox};
    use crate::guest::bindings::ractor::actor::{entities, lifecycle, timers};

    pub(in super::super) fn ask(to: Pid, variant: &str, args: &[u8], wait_ms: Option<u64>) -> Result<u64, CallError> {
        requests::ask(to, variant, args, wait_ms)
    }

    pub(in super::super) fn ask_entity(
        to: &Entity,
        variant: &str,
        args: &[u8],
        wait_ms: Option<u64>,
    ) -> Result<u64, CallError> {
        entities::ask(to, variant, args, wait_ms)
    }

    pub(in super::super) fn cancel_ask(token: u64) {
        requests::cancel(token);
    }

    pub(in super::super) fn wake_after(ms: u64) -> Result<u64, TimerError> {
        timers::wake_after(ms)
    }

    pub(in super::super) fn cancel_wake(timer: u64) {
        timers::cancel(timer);
    }

    /// A handler isn't done, and no message is to come before it is.
    pub(in super::super) fn hold_mailbox() {
        requests::pending(Mailbox::Held);
    }

    /// The actor ends when the callback returns.
    pub(in super::super) fn stop(reason: Option<&str>) {
        lifecycle::stop(reason);
    }
}

#[cfg(target_family = "wasm")]
pub(super) use self::imports::{ask, ask_entity, cancel_ask, cancel_wake, hold_mailbox, stop, wake_after};

#[cfg(not(target_family = "wasm"))]
pub(super) use self::fake::{ask, ask_entity, cancel_ask, cancel_wake, hold_mailbox, stop, wake_after};

/// A host that writes down what it is asked for, for the tests of this crate.
#[cfg(not(target_family = "wasm"))]
pub(super) mod fake {
    use std::cell::RefCell;

    use super::{CallError, Entity, Pid, TimerError};

    /// What the host was asked for.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub(in super::super) enum Asked {
        /// A call, under the number that comes next.
        Ask(String),
        CancelAsk(u64),
        Wake(u64),
        CancelWake(u64),
        Hold,
        Stop(Option<String>),
    }

    thread_local! {
        static ASKED: RefCell<Vec<Asked>> = const { RefCell::new(Vec::new()) };
        static LAST: RefCell<u64> = const { RefCell::new(0) };
    }

    /// Takes what was written down since this was last asked.
    #[cfg(test)]
    pub(in super::super) fn take() -> Vec<Asked> {
        ASKED.take()
    }

    fn note(asked: Asked) {
        ASKED.with_borrow_mut(|all| all.push(asked));
    }

    fn next() -> u64 {
        LAST.with_borrow_mut(|last| {
            *last += 1;
            *last
        })
    }

    pub(in super::super) fn ask(_: Pid, variant: &str, _: &[u8], _: Option<u64>) -> Result<u64, CallError> {
        if variant == "Refused" {
            return Err(CallError::Denied);
        }
        note(Asked::Ask(variant.to_owned()));
        Ok(next())
    }

    pub(in super::super) fn ask_entity(_: &Entity, variant: &str, _: &[u8], _: Option<u64>) -> Result<u64, CallError> {
        note(Asked::Ask(variant.to_owned()));
        Ok(next())
    }

    pub(in super::super) fn cancel_ask(token: u64) {
        note(Asked::CancelAsk(token));
    }

    pub(in super::super) fn wake_after(ms: u64) -> Result<u64, TimerError> {
        note(Asked::Wake(ms));
        Ok(next())
    }

    pub(in super::super) fn cancel_wake(timer: u64) {
        note(Asked::CancelWake(timer));
    }

    pub(in super::super) fn hold_mailbox() {
        note(Asked::Hold);
    }

    pub(in super::super) fn stop(reason: Option<&str>) {
        note(Asked::Stop(reason.map(str::to_owned)));
    }
}
