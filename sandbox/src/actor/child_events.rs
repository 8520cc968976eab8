//! What becomes of the children of guests, for whoever looks after the node: their supervisors are guests, which tell nobody.

use std::fmt;

use ractor::{ActorCell, SupervisionEvent};

use super::guest::Guest;
use crate::accounting::family::Member;
use crate::accounting::label::Label;

/// Hears what becomes of the children of guests. It is called on the threads of actors, so it must not wait.
pub trait ChildObserver: fmt::Debug + Send + Sync + 'static {
    /// Something has happened.
    fn happened(&self, event: &ChildEvent<'_>);
}

/// Something that has happened to a child of a guest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChildEvent<'e> {
    /// The name of the first member of its family, which no guest has spawned.
    pub family: &'e str,
    /// Its name, if it has one, as others know it.
    pub name: Option<&'e str>,
    /// Its pid.
    pub pid: u64,
    /// What has happened.
    pub change: ChildChange<'e>,
}

/// What has become of a child.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChildChange<'e> {
    /// It has started.
    Started,
    /// It has ended, for this reason.
    Ended(&'e str),
    /// It has failed for this reason, and is over.
    Failed(&'e str),
    /// It goes on with a fresh instance, for this reason.
    Restarted(&'e str),
}

impl Guest {
    /// Tells of a child what its supervision event says.
    pub(super) fn tell_child_event(&self, event: &SupervisionEvent) {
        match event {
            SupervisionEvent::ActorStarted(child) => self.tell_child(child, ChildChange::Started),
            SupervisionEvent::ActorTerminated(child, _, reason) => {
                let reason = reason.as_deref().unwrap_or("no reason given");
                self.tell_child(child, ChildChange::Ended(reason));
            }
            SupervisionEvent::ActorFailed(child, error) => {
                self.tell_child(child, ChildChange::Failed(&error.to_string()));
            }
            _ => {}
        }
    }

    /// Tells what has become of a child.
    pub(super) fn tell_child(&self, child: &ActorCell, change: ChildChange<'_>) {
        // What natives have linked to the guest is their own affair.
        let Some(observer) = self.modules.child_observer().filter(|_| !child.get_id().is_local()) else {
            return;
        };
        observer.happened(&ChildEvent {
            family: self.family.name(),
            name: child.get_name().as_deref(),
            pid: child.get_id().pid(),
            change,
        });
    }

    /// Tells that this actor goes on afresh, if another guest has spawned it.
    pub(super) fn tell_restart(&self, label: &Label, cell: &ActorCell, reason: impl FnOnce() -> String) {
        if self.family.member() == Member::Child
            && let Some(observer) = self.modules.child_observer()
        {
            observer.happened(&ChildEvent {
                family: self.family.name(),
                name: cell.get_name().as_deref(),
                pid: label.pid,
                change: ChildChange::Restarted(&reason()),
            });
        }
    }
}
