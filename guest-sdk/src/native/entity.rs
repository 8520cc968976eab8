//! References to actors that exist once for each key, and actors of this SDK as such.

#[cfg(feature = "reload")]
use ractor::{Actor, ActorProcessingErr, ActorRef, SupervisionEvent};
pub use ractor_host_entities::{
    BadEntity, Entity, EntityRef, KeyedRef, Reminder, ReminderError, Reminders, When, reminders,
};

#[cfg(feature = "reload")]
use super::reload::{OldState, Reload};

/// Gives up the state of the entity that is this actor, with the message that is being handled; then the actor ends. A message that comes
/// later finds an entity that starts afresh. False if it isn't active.
pub fn delete(entity: &Entity) -> bool {
    ractor_host_entities::delete_active(entity)
}

/// An actor whose state can be handed over, as an entity that is native: for `ractor_host::entities::Native`.
#[cfg(feature = "reload")]
#[derive(Debug)]
pub struct Kept<A> {
    actor: A,
    state_version: u32,
}

#[cfg(feature = "reload")]
impl<A: Reload> Kept<A> {
    /// This actor. The version is that of [`export!`](crate::export).
    pub fn new(actor: A, state_version: u32) -> Self {
        Self { actor, state_version }
    }
}

#[cfg(feature = "reload")]
impl<A: Reload> Actor for Kept<A> {
    type Msg = A::Msg;
    type State = A::State;
    type Arguments = A::Arguments;

    async fn pre_start(
        &self,
        myself: ActorRef<A::Msg>,
        arguments: A::Arguments,
    ) -> Result<A::State, ActorProcessingErr> {
        self.actor.pre_start(myself, arguments).await
    }

    async fn post_start(&self, myself: ActorRef<A::Msg>, state: &mut A::State) -> Result<(), ActorProcessingErr> {
        self.actor.post_start(myself, state).await
    }

    async fn handle(
        &self,
        myself: ActorRef<A::Msg>,
        message: A::Msg,
        state: &mut A::State,
    ) -> Result<(), ActorProcessingErr> {
        self.actor.handle(myself, message, state).await
    }

    async fn handle_supervisor_evt(
        &self,
        myself: ActorRef<A::Msg>,
        event: SupervisionEvent,
        state: &mut A::State,
    ) -> Result<(), ActorProcessingErr> {
        self.actor.handle_supervisor_evt(myself, event, state).await
    }

    async fn post_stop(&self, myself: ActorRef<A::Msg>, state: &mut A::State) -> Result<(), ActorProcessingErr> {
        self.actor.post_stop(myself, state).await
    }
}

#[cfg(feature = "reload")]
impl<A: Reload> ractor_host_entities::NativeEntity for Kept<A> {
    fn state_version(&self) -> u32 {
        self.state_version
    }

    fn snapshot(&self, state: &A::State) -> Result<Vec<u8>, ActorProcessingErr> {
        self.actor.snapshot(state)
    }

    fn restore(&self, state: &[u8], state_version: u32) -> Result<A::State, ActorProcessingErr> {
        if state_version == self.state_version {
            self.actor.restore(state)
        } else {
            self.actor.migrate(OldState::new(state_version, state))
        }
    }
}
