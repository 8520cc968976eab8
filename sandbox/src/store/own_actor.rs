//! What an instance asks of the actor around it.

use std::fmt;

use ractor::ActorId;

use crate::component::bindings::lifecycle::Child;
use crate::directory::{BoxFuture, NameTaken};
use crate::policy::limits::Limit;

/// The actor of an instance, as the imports know it: what starts children, and what ends it between two messages.
pub(crate) trait OwnActor: fmt::Debug + Send + Sync {
    /// Has the actor look, before its next message, whether a timer of its instance has asked for its stop.
    fn stop_is_due(&self);

    /// Has the actor look for what has arrived for its instance.
    fn look_for_arrivals(&self);

    /// A number that no instance of the actor was given before.
    fn next_token(&self) -> u64;

    /// True if the host asks something of the actor, for which a guest that handles several messages in one call is to return early.
    fn has_commands(&self) -> bool;

    /// True if the actor's node has a module of this name.
    fn knows_module(&self, module: &str) -> bool;

    /// Starts a child with this id, under the name that it has outside of its family.
    ///
    /// # Errors
    /// There is no child then.
    fn start_child(&self, id: ActorId, child: Child) -> BoxFuture<'static, Result<(), NotStarted>>;
}

/// Why there is no child.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotStarted {
    /// The node has no such module.
    #[error("there is no such module")]
    UnknownModule,
    /// Somebody else has its name.
    #[error(transparent)]
    NameTaken(#[from] NameTaken),
    /// The family has no room for what it is started with.
    #[error("it would exceed {0}")]
    Limit(Limit),
    /// It failed, or the node takes no more actors.
    #[error("{0}")]
    Failed(String),
}
