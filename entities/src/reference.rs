//! References to entities.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::time::Duration;

use ractor::{ActorRef, BytesConvertable, Message, RpcReplyPort};
use ractor_host_directory::{CallError, Reply, reply_port};
use ractor_host_placement::words::{BadEntity, Entity};

use crate::node::{NotSent, Refused, send};
use crate::stand_in::StandIn;

/// An entity by its type and key, which takes messages of type `M`. No actor stands behind it: the entity comes to life with the first
/// message, wherever it is then. A reference may be an argument or a reply of any cluster message.
///
/// Whether the entity takes such messages shows only when one is sent.
pub struct EntityRef<M> {
    entity: Entity,
    _message: PhantomData<fn(M)>,
}

impl<M> EntityRef<M> {
    /// The entity of this type that has this key.
    ///
    /// # Errors
    /// The type is no name, or the key is empty or has more than 255 bytes.
    pub fn new(entity_type: &str, key: impl AsRef<[u8]>) -> Result<Self, BadEntity> {
        Entity::new(entity_type, key).map(Self::of)
    }

    /// This entity.
    pub fn of(entity: Entity) -> Self {
        Self {
            entity,
            _message: PhantomData,
        }
    }

    /// The entity.
    pub fn entity(&self) -> &Entity {
        &self.entity
    }
}

impl<M: Message> EntityRef<M> {
    /// Sends a message, and doesn't wait.
    ///
    /// # Errors
    /// It was not taken: see [`NotSent`]; `WrongType` if it has no serialized form.
    pub fn cast(&self, message: M) -> Result<(), CallError> {
        let message = message.serialize().map_err(|_| CallError::WrongType)?;
        send(&self.entity, message).map_err(CallError::from)
    }

    /// Sends a call and waits for the reply: without a timeout as long as it takes.
    ///
    /// # Errors
    /// There is no reply, and why.
    pub async fn call<R>(
        &self,
        message: impl FnOnce(RpcReplyPort<R>) -> M,
        wait: Option<Duration>,
    ) -> Result<R, CallError>
    where
        R: Send + 'static,
    {
        let (port, reply) = reply_port(wait);
        self.cast(message(port))?;
        replied(reply, wait).await
    }
}

/// Waits for a reply.
pub(crate) async fn replied<R: Send + 'static>(reply: Reply<R>, wait: Option<Duration>) -> Result<R, CallError> {
    let outcome = match wait {
        Some(wait) => tokio::time::timeout(wait, reply)
            .await
            .map_err(|_| CallError::Timeout)?,
        None => reply.await,
    };
    Ok(outcome?)
}

impl<M: Message> EntityRef<M> {
    /// The entity as an actor, for code that wants one, and what keeps it there: messages go on to the entity until that is dropped. The
    /// entity comes to life with a message, as ever; that it ends is not seen here.
    ///
    /// Prefer the reference itself: it takes nothing, and tells whoever sends when a message isn't taken. Here a cast that isn't is given up
    /// with a line in the log, and a call ends with the reason.
    ///
    /// # Errors
    /// `UnknownActor` if this process has no entities of the type, or they are ending.
    pub async fn actor_ref(&self) -> Result<(ActorRef<M>, StandIn), CallError> {
        let stand_in = StandIn::spawn(&self.entity).await.ok_or(CallError::UnknownActor)?;
        Ok((stand_in.actor().into(), stand_in))
    }
}

impl From<Refused> for CallError {
    fn from(refused: Refused) -> Self {
        refused.reason.into()
    }
}

impl From<NotSent> for CallError {
    fn from(reason: NotSent) -> Self {
        match reason {
            NotSent::UnknownType | NotSent::NotJoined | NotSent::NotHere => Self::UnknownActor,
            NotSent::Overloaded => Self::Overloaded,
        }
    }
}

impl<M> Clone for EntityRef<M> {
    fn clone(&self) -> Self {
        Self::of(self.entity.clone())
    }
}

impl<M> PartialEq for EntityRef<M> {
    fn eq(&self, other: &Self) -> bool {
        self.entity == other.entity
    }
}

impl<M> Eq for EntityRef<M> {}

impl<M> Hash for EntityRef<M> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.entity.hash(state);
    }
}

impl<M> fmt::Debug for EntityRef<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EntityRef({})", self.entity)
    }
}

impl<M> fmt::Display for EntityRef<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.entity.fmt(f)
    }
}

/// As its written form, `entity:TYPE/KEY`.
impl<M> BytesConvertable for EntityRef<M> {
    fn into_bytes(self) -> Vec<u8> {
        self.entity.to_string().into_bytes()
    }

    #[expect(
        clippy::panic,
        reason = "the trait cannot fail; the derive macros turn a panic here into an error"
    )]
    fn from_bytes(bytes: Vec<u8>) -> Self {
        let text = std::str::from_utf8(&bytes).ok();
        match text.and_then(|text| text.parse().ok()) {
            Some(entity) => Self::of(entity),
            None => panic!("{} bytes are no reference to an entity", bytes.len()),
        }
    }
}
