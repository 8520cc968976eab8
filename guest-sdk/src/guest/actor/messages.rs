//! What an actor hears of its children, and of the actors and groups that it monitors.

use std::any::Any;
use std::fmt;

use crate::guest::bindings::ractor::actor::types::{Membership, SupervisionEvent as HostEvent};
use crate::guest::message::BoxedDowncastErr;
use crate::guest::pg::{DEFAULT_SCOPE, GroupChangeMessage};
use crate::guest::registry::PidLifecycleEvent;
use crate::guest::{ActorCell, ActorId, ActorProcessingErr, Message, State};

/// The last state of an actor, of a type that the receiver has to know.
pub struct BoxedState {
    /// The state, until it is taken.
    pub msg: Option<Box<dyn Any + Send>>,
}

impl BoxedState {
    /// Boxes a state.
    pub fn new<T: State>(state: T) -> Self {
        Self {
            msg: Some(Box::new(state)),
        }
    }

    /// Takes the state out.
    ///
    /// # Errors
    /// It was taken before, or is not a `T`.
    pub fn take<T: State>(&mut self) -> Result<T, BoxedDowncastErr> {
        let state = self.msg.take().ok_or(BoxedDowncastErr)?;
        state.downcast().map(|state| *state).map_err(|_| BoxedDowncastErr)
    }
}

impl fmt::Debug for BoxedState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BoxedState").finish_non_exhaustive()
    }
}

/// News of a child, of a monitored actor or of a monitored group.
pub enum SupervisionEvent {
    /// A child started.
    ActorStarted(ActorCell),
    /// An actor ended in an orderly way, with the reason if there is one. Its last state is always none in a guest.
    ActorTerminated(ActorCell, Option<BoxedState>, Option<String>),
    /// An actor failed.
    ActorFailed(ActorCell, ActorProcessingErr),
    /// A group's membership changed.
    ProcessGroupChanged(GroupChangeMessage),
    /// Never seen by a guest; here so that a `match` written for ractor compiles.
    PidLifecycleEvent(PidLifecycleEvent),
}

impl Message for SupervisionEvent {}

impl fmt::Debug for SupervisionEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Supervision event: {self}")
    }
}

/// In ractor's words.
impl fmt::Display for SupervisionEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ActorStarted(actor) => write!(f, "Started actor {actor:?}"),
            Self::ActorTerminated(actor, _, Some(reason)) => write!(f, "Stopped actor {actor:?} (reason = {reason})"),
            Self::ActorTerminated(actor, _, None) => write!(f, "Stopped actor {actor:?}"),
            Self::ActorFailed(actor, error) => write!(f, "Actor panicked {actor:?} - {error}"),
            Self::ProcessGroupChanged(change) => {
                let (group, scope) = (change.get_group(), change.get_scope());
                write!(f, "Process group {group} in scope {scope} changed")
            }
            Self::PidLifecycleEvent(change) => write!(f, "PID lifecycle event {change:?}"),
        }
    }
}

impl From<HostEvent> for SupervisionEvent {
    fn from(event: HostEvent) -> Self {
        match event {
            HostEvent::ActorStarted(actor) => Self::ActorStarted(ActorCell::of_subject(actor)),
            HostEvent::ActorTerminated(ending) => {
                Self::ActorTerminated(ActorCell::of_subject(ending.actor), None, ending.reason)
            }
            HostEvent::ActorFailed(ending) => Self::ActorFailed(
                ActorCell::of_subject(ending.actor),
                ending.reason.unwrap_or_default().into(),
            ),
            HostEvent::GroupChanged(change) => {
                let scope = change.scope.unwrap_or_else(|| DEFAULT_SCOPE.to_owned());
                let actors = change.actors.into_iter().map(ActorCell::from_pid).collect();
                Self::ProcessGroupChanged(match change.change {
                    Membership::Joined => GroupChangeMessage::Join(scope, change.group, actors),
                    Membership::Left => GroupChangeMessage::Leave(scope, change.group, actors),
                })
            }
        }
    }
}

impl SupervisionEvent {
    /// The actor that the news is of.
    pub fn actor_cell(&self) -> Option<&ActorCell> {
        match self {
            Self::ActorStarted(actor) | Self::ActorTerminated(actor, ..) | Self::ActorFailed(actor, _) => Some(actor),
            Self::ProcessGroupChanged(_) | Self::PidLifecycleEvent(_) => None,
        }
    }

    /// The id of the actor that the news is of.
    pub fn actor_id(&self) -> Option<ActorId> {
        self.actor_cell().map(ActorCell::get_id)
    }
}
