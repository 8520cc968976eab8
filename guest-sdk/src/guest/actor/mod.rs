//! The trait that an actor implements, with the associated types and signatures of ractor's.

pub mod actor_cell;
pub mod actor_id;
pub mod actor_ref;
pub mod derived_actor;
pub mod messages;
pub(crate) mod own_identity;

pub use self::actor_cell::ActorCell;
pub(crate) use self::actor_cell::myself;
pub use self::actor_id::ActorId;
pub use self::actor_ref::ActorRef;
pub use self::derived_actor::DerivedActorRef;
pub use self::messages::SupervisionEvent;

use crate::guest::{ActorProcessingErr, Message, State};

/// What an actor does. An error or a panic in any of its callbacks fails the actor; its supervisor hears the text.
///
/// Callbacks run one at a time. While one awaits something, the actor takes no message, and news of other actors waits until it is done.
/// If the actor is exported with `awaits`, a stop doesn't wait: it drops what the callback was at, and `post_stop` follows. Otherwise, and
/// in `pre_start` and `post_stop`, the actor stands still while it waits, and one thing is awaited after the other.
pub trait Actor: Sized + Sync + Send + 'static {
    /// The messages it handles.
    type Msg: Message;
    /// What it keeps between messages.
    type State: State;
    /// What it is started with.
    type Arguments: State;

    /// Makes the initial state. On an error the actor never lives.
    fn pre_start(
        &self,
        myself: ActorRef<Self::Msg>,
        args: Self::Arguments,
    ) -> impl Future<Output = Result<Self::State, ActorProcessingErr>> + Send;

    /// Runs once the actor is started and reachable, before its first message.
    fn post_start(
        &self,
        myself: ActorRef<Self::Msg>,
        state: &mut Self::State,
    ) -> impl Future<Output = Result<(), ActorProcessingErr>> + Send {
        let _unused = (myself, state);
        async { Ok(()) }
    }

    /// Runs when the actor ends in an orderly way: after a stop, not after a failure.
    fn post_stop(
        &self,
        myself: ActorRef<Self::Msg>,
        state: &mut Self::State,
    ) -> impl Future<Output = Result<(), ActorProcessingErr>> + Send {
        let _unused = (myself, state);
        async { Ok(()) }
    }

    /// Handles one message.
    fn handle(
        &self,
        myself: ActorRef<Self::Msg>,
        message: Self::Msg,
        state: &mut Self::State,
    ) -> impl Future<Output = Result<(), ActorProcessingErr>> + Send {
        let _unused = (myself, message, state);
        async { Ok(()) }
    }

    /// Handles news of the children of this actor, and of the actors and groups that it monitors. Like ractor's, the
    /// default stops this actor when one of them ends.
    fn handle_supervisor_evt(
        &self,
        myself: ActorRef<Self::Msg>,
        message: SupervisionEvent,
        state: &mut Self::State,
    ) -> impl Future<Output = Result<(), ActorProcessingErr>> + Send {
        let _unused = state;
        async move {
            if matches!(
                message,
                SupervisionEvent::ActorTerminated(..) | SupervisionEvent::ActorFailed(..)
            ) {
                myself.stop(None);
            }
            Ok(())
        }
    }
}
