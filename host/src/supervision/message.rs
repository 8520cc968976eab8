//! What a supervisor is told, and the actors that this is about.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ractor::{ActorCell, ActorId, ActorRef};
use tokio::sync::oneshot;

use super::changing::ChildOrder;
use super::spec::StartError;
use super::steering::SteerOrder;
use crate::guest::GuestHandle;

pub(super) enum SupervisorMessage {
    /// The outcome of a start.
    Started(usize, Result<RunningChild, NotStarted>),
    /// The wait before a start is over.
    Waited(usize),
    /// A guest was restarted in place after a failure or a stop of its own.
    RestartedInPlace(usize),
    /// A guest went on with a fresh instance, because it was asked to.
    Refreshed(usize),
    /// An operator wants something of a child.
    Steer(SteerOrder),
    /// The configuration has other children for it.
    Change(Vec<ChildOrder>),
    /// An actor that was to be stopped has ended, or can't be made to.
    Gone(usize, ActorId),
    /// Restart nothing any more, and say who is alive, in the order of their start.
    Freeze(oneshot::Sender<Vec<Vec<LiveChild>>>),
    /// Stop all children, then yourself.
    End,
}

impl ractor::Message for SupervisorMessage {}

/// True for a supervisor of this kind.
pub(crate) fn is_supervisor(cell: &ActorCell) -> bool {
    cell.is_message_type_of::<SupervisorMessage>() == Some(true)
}

/// One actor, from its start to its end.
#[derive(Debug)]
pub(super) struct RunningChild {
    pub(super) cell: ActorCell,
    pub(super) handle: ChildHandle,
}

/// What a supervisor can do with an actor besides being told of its end.
#[derive(Debug)]
pub(super) enum ChildHandle {
    Guest(GuestHandle, GaveUp),
    Native,
    Supervisor(ActorRef<SupervisorMessage>),
}

/// A child did not start.
#[derive(Debug, thiserror::Error)]
#[error("`{child}` did not start: {reason}")]
pub struct NotStarted {
    /// Its name.
    pub child: String,
    /// What went wrong.
    #[source]
    pub reason: StartError,
}

/// Whether a guest was denied a restart in place.
#[derive(Debug, Clone, Default)]
pub(super) struct GaveUp(Arc<AtomicBool>);

impl GaveUp {
    pub(super) fn set(&self, gave_up: bool) {
        self.0.store(gave_up, Ordering::Relaxed);
    }

    pub(super) fn get(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// A child that is alive.
#[derive(Debug)]
pub(super) enum LiveChild {
    Actor(ActorCell),
    Supervisor(ActorRef<SupervisorMessage>),
}
