//! What a supervisor tells the history of the node about its children, besides their ends.

use super::State;
use crate::events::NodeEvent;
use crate::supervision::message::{ChildHandle, RunningChild};
use crate::supervision::readiness::GivenUp;

/// Why a guest goes on with a fresh instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fresh {
    /// It had failed.
    Failed,
    /// Somebody asked for it: an operator, or its supervisor because another actor had failed.
    Asked,
}

impl State {
    /// A guest goes on with a fresh instance.
    pub(super) fn restarted_in_place(&mut self, index: usize, fresh: Fresh) {
        if let Some(child) = self.children.get(index)
            && let Some(running) = &child.running
            && let ChildHandle::Guest(guest, _) = &running.handle
        {
            let failure = guest.live().last_failure().filter(|_| fresh == Fresh::Failed);
            let reason = failure.map_or_else(
                || "it was asked to go on afresh".to_owned(),
                |failure| format!("{}: {}", failure.during, failure.reason),
            );
            self.tree.events.tell(NodeEvent::ActorRestarted {
                actor: child.spec.name.to_string(),
                pid: running.cell.get_id().pid(),
                reason,
            });
        }
        self.is_up(index);
    }

    /// A child has been started later than its supervisor.
    pub(super) fn tell_start(&self, index: usize, running: &RunningChild) {
        let Some(child) = self.children.get(index) else {
            return;
        };
        if matches!(running.handle, ChildHandle::Supervisor(_)) {
            return;
        }
        self.tree.events.tell(NodeEvent::ActorStarted {
            actor: child.spec.name.to_string(),
            pid: running.cell.get_id().pid(),
        });
    }

    /// Actors are not started again.
    pub(super) fn tell_given_up<'g>(&self, missed: impl Iterator<Item = &'g GivenUp>) {
        for given_up in missed {
            self.tree.events.tell(NodeEvent::ActorGivenUp {
                actor: given_up.actor.to_string(),
                supervisor: given_up.supervisor.to_string(),
                reason: given_up.reason.to_string(),
            });
        }
    }
}
