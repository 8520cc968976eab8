//! Whether a guest may send to an actor.

use ractor::ActorCell;
use tokio::time::Instant;

use crate::accounting::telemetry;
use crate::component::bindings::types::Pid;
use crate::directory::{self, FoundActor};
use crate::policy::denied::Denied;
use crate::store::data::{ActorContext, StoreData};
use crate::store::pid;

/// A guest may not send to an actor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NotSent {
    /// There is no such actor.
    Unknown,
    /// It was not granted. That was said.
    Denied,
}

impl StoreData {
    /// Checks that the guest may send to the actor with this pid.
    pub(super) async fn check_recipient(&mut self, to: Pid) -> wasmtime::Result<Result<(), NotSent>> {
        if self.context()?.grants.messages.are_everyone() {
            return Ok(Ok(()));
        }
        let Some(id) = pid::to_id(to) else {
            return Ok(Err(NotSent::Unknown));
        };
        // From before the look-up, which may wait: what is remembered holds for a second from when it was asked.
        let now = Instant::now();
        if self.allowed.has(id, now) {
            return Ok(Ok(()));
        }
        let Some(found) = directory::look(id).await else {
            return Ok(Err(NotSent::Unknown));
        };
        if !self.may_send_to(&found)? {
            return Ok(Err(NotSent::Denied));
        }
        // A refusal isn't remembered, so that an actor which joins a granted group can be reached at once.
        self.allowed.remember(id, now);
        Ok(Ok(()))
    }

    /// True if the guest may send to this actor: to itself, to its supervisor and its children, and beyond that as it was
    /// granted. If it may not, that is said.
    pub(super) fn may_send_to(&self, to: &FoundActor) -> wasmtime::Result<bool> {
        let ActorContext { cell, profile, .. } = self.context()?;
        let kin = || {
            let supervisor = |actor: &ActorCell| actor.try_get_supervisor().map(|supervisor| supervisor.get_id());
            // An actor of another node is no kin: nobody is supervised across nodes.
            to.local.as_ref().is_some_and(|to| {
                to == cell || supervisor(cell) == Some(to.get_id()) || supervisor(to) == Some(cell.get_id())
            })
        };
        let may = profile.grants.messages.include(to) || kin();
        if !may {
            telemetry::denied(&self.label, Denied::Messages(to.qualified_name().as_deref()));
        }
        Ok(may)
    }
}
