//! What a reload asks of the two instances.

use std::pin::pin;

use wasmtime::component::ComponentExportIndex;

use super::calls::{Callback, Instance, lifecycle};
use super::located::Located;
use super::reload_exports::{Outcome, ReloadExports, SnapshotOutcome};
use crate::instance::error::{Fault, GuestError};
use crate::store::data::SideEffects;
use crate::store::replies::Port;
use crate::store::undo::Mark;

/// Why there is no snapshot.
pub(crate) enum NoSnapshot {
    /// The guest said no. It can go on.
    Refused(GuestError),
    /// It trapped. The instance is dead.
    Trapped(GuestError),
}

impl Instance {
    /// The state as bytes.
    pub(crate) async fn snapshot(&mut self) -> Result<Vec<u8>, NoSnapshot> {
        let callback = Callback::Lifecycle("snapshot");
        let Some(exports) = self.reload_exports() else {
            return Err(NoSnapshot::Refused(self.not_reloadable(callback)));
        };
        let limits = self.store.data().limits.clone();
        self.begin(SideEffects::Forbidden("snapshot"));
        // What a guest can return is bounded by its memory; whether it is too much is better said than trapped for.
        self.store.set_hostcall_fuel(limits.memory_bytes);
        let Self {
            store,
            component,
            meter,
            ..
        } = self;
        let outcome = match component.get_typed_func::<(), SnapshotOutcome>(&mut *store, &exports.snapshot) {
            Ok(function) => {
                let call = function.call_async(&mut *store, ());
                meter.run(lifecycle(&limits), pin!(call)).await
            }
            Err(error) => Err(error),
        };
        // Whatever came of it: with this fuel the guest could have the host copy as much in each call.
        self.refuel();
        self.store.data_mut().side_effects = SideEffects::Allowed;
        // Kept apart from an error that the guest returned, after which its instance lives.
        let trapped = outcome.is_err();
        let state = self.outcome(callback, outcome.map(|(state,)| state)).map_err(|error| {
            if trapped {
                NoSnapshot::Trapped(error)
            } else {
                NoSnapshot::Refused(error)
            }
        })?;
        if state.len() > limits.state_bytes {
            let reason = format!(
                "the snapshot has {} bytes, beyond the limit of {} (state_bytes)",
                state.len(),
                limits.state_bytes
            );
            return Err(NoSnapshot::Refused(self.failure(callback, Fault::Returned(reason))));
        }
        Ok(state)
    }

    /// Takes over the state of another instance. On a fresh instance only.
    pub(crate) async fn restore(&mut self, state: &[u8], from_state_version: u32) -> Result<(), GuestError> {
        let callback = Callback::Lifecycle("restore");
        let Some(exports) = self.reload_exports() else {
            return Err(self.not_reloadable(callback));
        };
        self.begin(SideEffects::Forbidden("restore"));
        let state = self.located(state);
        let Self {
            store,
            component,
            meter,
            ..
        } = self;
        let outcome = match component.get_typed_func::<(Located<'_>, u32), Outcome>(&mut *store, &exports.restore) {
            Ok(function) => {
                let longest = lifecycle(&store.data().limits);
                let call = function.call_async(&mut *store, (state, from_state_version));
                meter.run(longest, pin!(call)).await
            }
            Err(error) => Err(error),
        };
        self.store.data_mut().side_effects = SideEffects::Allowed;
        self.outcome(callback, outcome.map(|(restored,)| restored))
    }

    /// The guest's own check, after [`restore`](Self::restore).
    pub(crate) async fn post_reload(&mut self) -> Result<(), GuestError> {
        let callback = Callback::Lifecycle("post-reload");
        let Some(exports) = self.reload_exports() else {
            return Err(self.not_reloadable(callback));
        };
        self.begin(SideEffects::Allowed);
        let outcome = self.call_plain(&exports.post_reload).await;
        self.outcome(callback, outcome)
    }

    async fn call_plain(&mut self, function: &ComponentExportIndex) -> wasmtime::Result<Result<(), String>> {
        let Self {
            store,
            component,
            meter,
            ..
        } = self;
        let function = component.get_typed_func::<(), Outcome>(&mut *store, function)?;
        let longest = lifecycle(&store.data().limits);
        let call = function.call_async(&mut *store, ());
        let outcome = meter.run(longest, pin!(call)).await;
        outcome.map(|(outcome,)| outcome)
    }

    /// Exchanges what the host keeps for the actor beside its instance: open calls, timers, asks, monitors, children.
    pub(crate) fn exchange(&mut self, other: &mut Self) {
        let (mine, theirs) = (self.store.data_mut(), other.store.data_mut());
        std::mem::swap(&mut mine.replies, &mut theirs.replies);
        // With the actor, or new code could send as much again to a native that is behind already.
        std::mem::swap(&mut mine.outflow, &mut theirs.outflow);
        std::mem::swap(&mut mine.monitors, &mut theirs.monitors);
        std::mem::swap(&mut mine.timers, &mut theirs.timers);
        std::mem::swap(&mut mine.asks, &mut theirs.asks);
        // What is given again is the same message.
        std::mem::swap(&mut mine.span, &mut theirs.span);
    }

    /// What the actor has now, to end later what it began since.
    pub(crate) fn mark(&self) -> Mark {
        Mark::of(self.store.data())
    }

    /// Ends what the actor began since the mark.
    pub(crate) fn undo(&mut self, since: Mark) {
        since.undo(self.store.data_mut());
    }

    /// From now on it is watched whether the guest does anything that others can notice.
    pub(crate) fn watch_side_effects(&mut self) {
        self.store.data_mut().had_side_effects = false;
    }

    /// True if it may have, since [`watch_side_effects`](Self::watch_side_effects). What it does through WASI isn't watched call by call:
    /// whoever was granted something to write to counts as having written.
    pub(crate) fn has_had_side_effects(&self) -> bool {
        let state = self.store.data();
        // It errs towards an act that was noticed: a message is then lost, but never done twice.
        state.had_side_effects || state.grants().change_the_host()
    }

    /// Takes the port of the call at which the guest failed, unless it was answered.
    pub(crate) fn take_port(&mut self) -> Option<Port> {
        self.store.data_mut().replies.take_current()
    }

    fn begin(&mut self, side_effects: SideEffects) {
        let state = self.store.data_mut();
        state.metadata = None;
        state.side_effects = side_effects;
        self.store.set_epoch_deadline(1);
    }

    fn reload_exports(&self) -> Option<ReloadExports> {
        self.code.reload().cloned()
    }

    fn not_reloadable(&self, callback: Callback<'_>) -> GuestError {
        let reason = "the component does not export the interface `reload`".to_owned();
        self.failure(callback, Fault::Returned(reason))
    }
}
