//! A reference to an actor that handles messages of one type.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::ops::Deref;

use crate::guest::{ActorCell, Message, MessagingErr, registry};

/// A reference to an actor, native or guest, here or on another node, that handles `TMessage`.
///
/// `ActorRef::from(cell)` is how a member of a process group gets its type. Nobody checks it: an actor drops messages
/// that it doesn't understand.
pub struct ActorRef<TMessage> {
    inner: ActorCell,
    message: PhantomData<fn() -> TMessage>,
}

impl<TMessage> ActorRef<TMessage> {
    /// The same reference without the message type.
    pub fn get_cell(&self) -> ActorCell {
        self.inner.clone()
    }
}

impl<TMessage> ActorRef<TMessage>
where
    TMessage: Message,
{
    /// Sends a message; see [`ActorCell::send_message`].
    ///
    /// # Errors
    /// `SendErr` with the message if it was not accepted, `InvalidActorType` if it has no serialized form.
    pub fn send_message(&self, message: TMessage) -> Result<(), MessagingErr<TMessage>> {
        self.inner.send_message(message)
    }

    /// The actor of this name on this node.
    pub fn where_is<K>(name: K) -> Option<Self>
    where
        K: AsRef<str>,
    {
        registry::where_is(name).map(Self::from)
    }
}

impl<TMessage> Clone for ActorRef<TMessage> {
    fn clone(&self) -> Self {
        Self::from(self.inner.clone())
    }
}

impl<TMessage> Deref for ActorRef<TMessage> {
    type Target = ActorCell;

    fn deref(&self) -> &ActorCell {
        &self.inner
    }
}

impl<TMessage> From<ActorCell> for ActorRef<TMessage> {
    fn from(inner: ActorCell) -> Self {
        Self {
            inner,
            message: PhantomData,
        }
    }
}

impl<TMessage> From<ActorRef<TMessage>> for ActorCell {
    fn from(actor: ActorRef<TMessage>) -> Self {
        actor.inner
    }
}

impl<TMessage> fmt::Debug for ActorRef<TMessage> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl<TMessage> PartialEq for ActorRef<TMessage> {
    fn eq(&self, other: &Self) -> bool {
        self.inner == other.inner
    }
}

impl<TMessage> Eq for ActorRef<TMessage> {}

impl<TMessage> Hash for ActorRef<TMessage> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.inner.hash(state);
    }
}
