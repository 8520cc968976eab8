//! What can go wrong, in ractor's types. Children are started with [`module::spawn`](crate::guest::module::spawn), which
//! has an error of its own, so `SpawnErr` is never seen here; it exists so that a `match` written for ractor compiles.

use thiserror::Error;

use crate::guest::ActorName;

/// The error of an actor's own code. Returned from a callback it fails the actor, and its supervisor hears the text.
pub type ActorProcessingErr = Box<dyn std::error::Error + Send + Sync + 'static>;

/// An actor could not be started.
#[derive(Debug, Error)]
pub enum SpawnErr {
    /// Its `pre_start` failed.
    #[error("the actor failed to start: {0}")]
    StartupFailed(#[source] ActorProcessingErr),
    /// It runs already.
    #[error("the actor was started before")]
    ActorAlreadyStarted,
    /// Another actor has the name.
    #[error("the actor name `{0}` is taken")]
    ActorAlreadyRegistered(ActorName),
}

/// An actor ended in a disorderly way.
#[derive(Debug, Error)]
pub enum ActorErr {
    /// It was killed.
    #[error("the actor was cancelled")]
    Cancelled,
    /// A callback returned an error or panicked.
    #[error("the actor failed: {0}")]
    Failed(#[source] ActorProcessingErr),
}

/// A message was not sent, or a reply not received.
#[derive(Error)]
pub enum MessagingErr<T> {
    /// The message was not accepted and is handed back. The actor has ended, is stopping, or a limit of this node
    /// forbids the message; the last is logged with its reason.
    #[error("the message was not accepted: the actor has probably ended")]
    SendErr(T),
    /// The other side of a channel is gone.
    #[error("the other side is gone")]
    ChannelClosed,
    /// The message type does not travel: it has no serialized form.
    #[error("this message type can't be sent to that actor; derive RactorClusterMessage for it")]
    InvalidActorType,
}

impl<T> MessagingErr<T> {
    /// Maps the message that is handed back, if there is one.
    pub fn map<F, U>(self, mapper: F) -> MessagingErr<U>
    where
        F: FnOnce(T) -> U,
    {
        match self {
            Self::SendErr(message) => MessagingErr::SendErr(mapper(message)),
            Self::ChannelClosed => MessagingErr::ChannelClosed,
            Self::InvalidActorType => MessagingErr::InvalidActorType,
        }
    }
}

// By hand, because messages need not be `Debug`.
impl<T> std::fmt::Debug for MessagingErr<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::SendErr(_) => "SendErr",
            Self::ChannelClosed => "ChannelClosed",
            Self::InvalidActorType => "InvalidActorType",
        })
    }
}

/// Everything that `cast!`, `call!` and `call_t!` can return as an error.
#[derive(Error)]
pub enum RactorErr<T> {
    /// An actor could not be spawned.
    #[error(transparent)]
    Spawn(#[from] SpawnErr),
    /// A message was not sent, or its reply not received.
    #[error(transparent)]
    Messaging(#[from] MessagingErr<T>),
    /// An actor ended in a disorderly way.
    #[error(transparent)]
    Actor(#[from] ActorErr),
    /// No reply came in time.
    #[error("no reply came in time")]
    Timeout,
}

impl<T> RactorErr<T> {
    /// True if the message that was not sent is inside.
    pub fn has_message(&self) -> bool {
        matches!(self, Self::Messaging(MessagingErr::SendErr(_)))
    }

    /// The message that was not sent, if it is inside.
    pub fn try_get_message(self) -> Option<T> {
        match self {
            Self::Messaging(MessagingErr::SendErr(message)) => Some(message),
            _ => None,
        }
    }

    /// Maps the message that is handed back, if there is one.
    pub fn map<F, U>(self, mapper: F) -> RactorErr<U>
    where
        F: FnOnce(T) -> U,
    {
        match self {
            Self::Spawn(error) => RactorErr::Spawn(error),
            Self::Messaging(error) => RactorErr::Messaging(error.map(mapper)),
            Self::Actor(error) => RactorErr::Actor(error),
            Self::Timeout => RactorErr::Timeout,
        }
    }
}

impl<T> std::fmt::Debug for RactorErr<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Spawn(error) => f.debug_tuple("Spawn").field(error).finish(),
            Self::Messaging(error) => f.debug_tuple("Messaging").field(error).finish(),
            Self::Actor(error) => f.debug_tuple("Actor").field(error).finish(),
            Self::Timeout => f.write_str("Timeout"),
        }
    }
}
