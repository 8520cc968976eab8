//! References to actors that exist once for each key.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;

pub use ractor_host_placement::words::{BadEntity, Entity};

pub use super::reminders::{Reminder, ReminderError, Reminders, When, reminders};

use crate::guest::bindings::ractor::actor::entities as host;
use crate::guest::bindings::ractor::actor::messaging::SendError;
use crate::guest::bindings::ractor::actor::requests as host_requests;
use crate::guest::concurrency::Duration;
use crate::guest::message::SerializedMessage;
use crate::guest::requests::CallError;
use crate::guest::runtime::{incoming, outgoing};
use crate::guest::serialization::DecodeError;
use crate::guest::{BytesConvertable, Message, RpcReplyPort};

/// An entity by its type and key, which takes messages of type `M`. It comes to life with the first message, wherever it is then. A reference
/// may be an argument or a reply of any message.
///
/// Whether the entity takes such messages shows only when one is sent.
pub struct EntityRef<M> {
    entity: Entity,
    message: PhantomData<fn(M)>,
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
            message: PhantomData,
        }
    }

    /// The entity.
    pub fn entity(&self) -> &Entity {
        &self.entity
    }
}

impl<M: Message> EntityRef<M> {
    /// Sends a message without waiting for anything.
    ///
    /// # Errors
    /// It was not taken; `WrongType` if it has no serialized form.
    pub fn cast(&self, message: M) -> Result<(), CallError> {
        let Ok(SerializedMessage::Cast { variant, args, .. }) = message.serialize() else {
            return Err(CallError::WrongType);
        };
        // The caller that this actor has answered must not wait for what follows.
        incoming::flush();
        host::cast(&at_host(&self.entity), &variant, &args).map_err(CallError::from)
    }

    /// Sends a call and waits for the reply, without a timeout as long as it takes.
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
        let send = async |variant: &str, args: &[u8], timeout| {
            outgoing::call_entity(at_host(&self.entity), variant, args, timeout).await
        };
        called(message, wait, send).await
    }

    /// For a call that may be repeated: however often this actor makes it with this key, the entity handles it once, and each time there is
    /// the reply of the first time, also after a crash of the node. What came of it is kept for ten minutes.
    ///
    /// The key has 1 to 255 bytes and belongs to one call, of this message with these arguments. It is one among the keys of this actor,
    /// by its name or the entity that it is. The type has to be one whose `durability` is `"before-reply"`.
    pub fn with_idempotency_key<'a>(&'a self, key: &'a str) -> KeyedRef<'a, M> {
        KeyedRef { to: self, key }
    }
}

/// An entity and the key that a call of it bears: see [`EntityRef::with_idempotency_key`].
pub struct KeyedRef<'a, M> {
    to: &'a EntityRef<M>,
    key: &'a str,
}

impl<M: Message> KeyedRef<'_, M> {
    /// Sends the call and waits for the reply, as [`EntityRef::call`] does.
    ///
    /// # Errors
    /// There is no reply, and why. After a timeout, or where it isn't known whether the call had an effect, make it again with the same key.
    pub async fn call<R>(
        &self,
        message: impl FnOnce(RpcReplyPort<R>) -> M,
        wait: Option<Duration>,
    ) -> Result<R, CallError>
    where
        R: Send + 'static,
    {
        let send = async |variant: &str, args: &[u8], timeout| {
            outgoing::call_keyed(at_host(&self.to.entity), variant, args, timeout, self.key).await
        };
        called(message, wait, send).await
    }
}

/// Has a call sent, and gives its reply.
async fn called<M: Message, R: Send + 'static>(
    message: impl FnOnce(RpcReplyPort<R>) -> M,
    wait: Option<Duration>,
    send: impl AsyncFnOnce(&str, &[u8], Option<Duration>) -> Result<Vec<u8>, host_requests::CallError>,
) -> Result<R, CallError> {
    let (port, slot) = RpcReplyPort::local(wait);
    let Ok(SerializedMessage::Call {
        variant, args, reply, ..
    }) = message(port).serialize()
    else {
        return Err(CallError::WrongType);
    };
    let bytes = send(&variant, &args, reply.get_timeout()).await?;
    // Through the port, which decodes it on its way to the slot, or drops it.
    let _undecoded = reply.send(bytes);
    slot.take().ok_or(CallError::NoReply)?.map_err(CallError::Failed)
}

/// Gives up the state of the entity that this actor is, with the message that is being handled; then the actor ends. A message that comes
/// later finds an entity that starts afresh. False if this actor isn't that entity.
pub fn delete(entity: &Entity) -> bool {
    let Some(own) = host::self_entity() else { return false };
    if own.type_ != entity.entity_type.name() || own.key != entity.key.bytes() {
        return false;
    }
    incoming::flush();
    host::delete_self()
}

fn at_host(entity: &Entity) -> host::Entity {
    host::Entity {
        type_: entity.entity_type.name().to_owned(),
        key: entity.key.bytes().to_vec(),
    }
}

impl From<SendError> for CallError {
    fn from(error: SendError) -> Self {
        match error {
            SendError::UnknownActor => Self::UnknownActor,
            SendError::Stopped => Self::Stopped,
            SendError::TooLarge => Self::TooLarge,
            SendError::Timeout => Self::Timeout,
            SendError::NoReply => Self::NoReply,
            SendError::WouldDeadlock => Self::WouldDeadlock,
            SendError::Overloaded => Self::Overloaded,
            SendError::Denied => Self::Denied,
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

impl<M> fmt::Debug for KeyedRef<'_, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyedRef({}, {:?})", self.to, self.key)
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
        reason = "the trait cannot fail; a panic fails the actor, which is told why"
    )]
    fn from_bytes(bytes: Vec<u8>) -> Self {
        Self::try_from_bytes(bytes).unwrap_or_else(|error| panic!("{error}"))
    }

    fn try_from_bytes(bytes: Vec<u8>) -> Result<Self, DecodeError> {
        let no_entity = |reason: &dyn fmt::Display| DecodeError::Entity(reason.to_string());
        let text = String::from_utf8(bytes).map_err(|error| no_entity(&error))?;
        text.parse().map(Self::of).map_err(|error: BadEntity| no_entity(&error))
    }

    /// Whoever knows texts can write one.
    fn described_as() -> String {
        String::described_as()
    }
}
