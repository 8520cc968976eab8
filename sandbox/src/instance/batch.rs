//! Gives several casts to an instance in one call.

use std::pin::pin;

use super::batch_export::{BatchExport, Outcome, Parameters};
use super::calls::{Callback, Instance, message};
use super::casts::Casts;
use super::error::GuestError;
use crate::store::batch::Progress;

impl Instance {
    /// True if the component takes several casts in one call.
    pub(crate) fn takes_batches(&self) -> bool {
        self.code.linked().batch.is_some()
    }

    /// Handles the first of these casts, and as many behind it as the guest gets to. Gives back how many it has begun with; if
    /// it failed, it did at the last of them.
    pub(crate) async fn handle_casts(&mut self, casts: &Casts) -> (usize, Result<(), GuestError>) {
        match self.code.linked().batch.clone() {
            // For a single cast the plain call is cheaper, because its arguments needn't be taken apart by the guest. Where the actor is
            // traced, each is to be seen with its own end.
            Some(export) if casts.len() > 1 && !self.store.data_mut().look_at_taps() => {
                let timed = self.meter.begin();
                let outcome = self.call_handle_casts(&export, casts).await;
                // Taken also after a trap: it says at which cast, and a batch that stayed would answer the next call
                // of `next-cast`.
                let begun = self.store.data_mut().batch.take().map_or(1, |batch| batch.begun);
                self.meter.handled(begun, &timed);
                let (variant, _) = casts.get(begun - 1).unwrap_or_default();
                (begun, self.outcome(Callback::Message("handle-cast", variant), outcome))
            }
            _ => {
                let (variant, args) = casts.get(0).unwrap_or_default();
                (1, self.handle_cast(variant, args, None).await)
            }
        }
    }

    async fn call_handle_casts(&mut self, export: &BatchExport, casts: &Casts) -> wasmtime::Result<Result<(), String>> {
        let Self {
            store,
            component,
            meter,
            ..
        } = self;
        let function = component.get_typed_func::<Parameters<'_>, Outcome>(&mut *store, &export.0)?;
        let state = store.data_mut();
        // Casts with metadata are never held, and that of the message before must not be found.
        state.metadata = None;
        state.batch = Some(Progress::new(casts.len(), meter.clock()));
        let longest = message(&state.limits);
        // As for every call: an epoch has usually ended since the last, and would interrupt the guest in its first
        // instructions.
        store.set_epoch_deadline(1);
        let call = function.call_async(store, casts.all());
        meter.run(longest, pin!(call)).await.map(|(outcome,)| outcome)
    }
}
