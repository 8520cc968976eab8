//! Gives an instance what has arrived for it, and says whether its handlers are done.

use std::pin::pin;

use super::calls::{Callback, Instance, message};
use super::error::{Fault, GuestError};
use crate::component::bindings::requests::Mailbox;
use crate::store::asks::{Arrival, Asks};
use crate::store::timers::Timers;

/// What the callbacks are called in errors.
const REPLY: Callback<'_> = Callback::Lifecycle("handle-reply");
const WAKE: Callback<'_> = Callback::Lifecycle("handle-wake");

impl Instance {
    /// Gives the instance a reply, or the time of a timer.
    pub(crate) async fn handle_arrival(&mut self, arrival: &Arrival) -> Result<(), GuestError> {
        let Self {
            store, replies, meter, ..
        } = self;
        // Without the export there are neither asks nor timers of this kind.
        let Some(exports) = replies else { return Ok(()) };
        let exports = exports.ractor_actor_replies();
        let state = store.data_mut();
        state.metadata = None;
        let is_traced = state.look_at_taps();
        store.set_epoch_deadline(1);
        let longest = message(&store.data().limits);
        match arrival {
            Arrival::Reply(token, outcome) => {
                let outcome = outcome.as_deref();
                if is_traced {
                    store.data().show_arrival(*token, outcome);
                }
                let call = exports.call_handle_reply(store, *token, outcome);
                let outcome = meter.run(longest, pin!(call)).await;
                self.outcome(REPLY, outcome)
            }
            Arrival::Wake(timer) => {
                let call = exports.call_handle_wake(store, *timer);
                let outcome = meter.run(longest, pin!(call)).await;
                self.outcome(WAKE, outcome)
            }
        }
    }

    /// What the guest has asked for and not been given, if it ever asked for anything.
    pub(crate) fn asks(&self) -> Option<&Asks> {
        self.store.data().asks.as_ref()
    }

    /// Takes what has arrived first. It counts as given, whatever becomes of it.
    pub(crate) fn take_arrival(&mut self) -> Option<Arrival> {
        let state = self.store.data_mut();
        let (arrival, span) = state.asks.as_ref()?.take()?;
        // Also none: handlers take turns, and what goes on now is no part of what another one does.
        state.span = span;
        if let (Arrival::Wake(timer), Some(timers)) = (&arrival, &state.timers) {
            timers.taken(*timer);
        }
        Some(arrival)
    }

    /// What the guest has said of handlers that are not done, since this was last asked.
    pub(crate) fn take_pending(&mut self) -> Option<Mailbox> {
        self.store.data_mut().pending.take()
    }

    /// True if it has said so of any.
    pub(crate) fn is_pending(&self) -> bool {
        self.store.data().pending.is_some()
    }

    /// True if no message is to come before a handler is done.
    pub(crate) fn holds_mailbox(&self) -> bool {
        self.store.data().pending == Some(Mailbox::Held)
    }

    /// True if this would mean anything to the code before, when this is new code that fails at it.
    pub(crate) fn is_known_before(&self, arrival: &Arrival) -> bool {
        let state = self.store.data();
        match arrival {
            Arrival::Reply(token, _) => *token <= state.tried_since,
            Arrival::Wake(timer) => *timer <= state.timers_tried_since,
        }
    }

    /// Says why, if nothing can come that a guest with a held mailbox could go on with.
    pub(crate) fn check_held(&self) -> Result<(), GuestError> {
        let state = self.store.data();
        let waits = state.asks.as_ref().is_some_and(Asks::is_waiting)
            || state.monitors.as_ref().is_some_and(|monitors| monitors.may_hear());
        if waits {
            return Ok(());
        }
        Err(self.failure(Callback::Lifecycle("`requests.pending`"), Fault::NeverDone))
    }

    /// What the guest begins from now on ends if its code is taken back.
    pub(crate) fn begin_trial(&mut self) {
        let state = self.store.data_mut();
        let last = state.last_token();
        state.tried_since = last;
        state.timers_tried_since = state.timers.as_ref().map_or(0, Timers::last);
        state.replies.begin_trial();
    }

    /// Ends what handlers have begun that were not done when their code was taken back: asks, and calls that nobody else would answer.
    pub(crate) fn end_trial(&mut self) {
        let state = self.store.data_mut();
        let since = state.tried_since;
        if let Some(timers) = &state.timers {
            timers.cancel_wakes_after(state.timers_tried_since);
        }
        if let Some(asks) = &state.asks {
            asks.cancel_after(since);
        }
        state.replies.end_trial();
    }
}
