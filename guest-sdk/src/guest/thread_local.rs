//! Thread-local actors, which guests don't have: here so that the compiler says why.

use crate::guest::{ActorProcessingErr, ActorRef, Message, State, SupervisionEvent};

/// What no type is.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be a thread-local actor in a guest",
    label = "a guest has one actor, and nothing beside it that it could be kept apart from",
    note = "implement `Actor`, or leave `thread_local` out of `#[ractor::actor]`; its state has to be `Send`"
)]
#[doc(hidden)]
pub trait HasThreads {}

/// As ractor's, for actors that stay on one thread. In a guest nothing can implement it.
#[doc(hidden)]
pub trait ThreadLocalActor: HasThreads + Default + Sized + 'static {
    /// The messages it handles.
    type Msg: Message;
    /// What it keeps between messages.
    type State;
    /// What it is started with.
    type Arguments: State;

    /// Makes the initial state.
    fn pre_start(
        &self,
        myself: ActorRef<Self::Msg>,
        args: Self::Arguments,
    ) -> impl Future<Output = Result<Self::State, ActorProcessingErr>>;

    /// Runs once the actor is started.
    fn post_start(
        &self,
        myself: ActorRef<Self::Msg>,
        state: &mut Self::State,
    ) -> impl Future<Output = Result<(), ActorProcessingErr>> {
        let _unused = (myself, state);
        async { Ok(()) }
    }

    /// Runs when the actor ends in an orderly way.
    fn post_stop(
        &self,
        myself: ActorRef<Self::Msg>,
        state: &mut Self::State,
    ) -> impl Future<Output = Result<(), ActorProcessingErr>> {
        let _unused = (myself, state);
        async { Ok(()) }
    }

    /// Handles one message.
    fn handle(
        &self,
        myself: ActorRef<Self::Msg>,
        message: Self::Msg,
        state: &mut Self::State,
    ) -> impl Future<Output = Result<(), ActorProcessingErr>> {
        let _unused = (myself, message, state);
        async { Ok(()) }
    }

    /// Handles news of others.
    fn handle_supervisor_evt(
        &self,
        myself: ActorRef<Self::Msg>,
        message: SupervisionEvent,
        state: &mut Self::State,
    ) -> impl Future<Output = Result<(), ActorProcessingErr>> {
        let _unused = (myself, message, state);
        async { Ok(()) }
    }
}
