//! A reference to an actor whose message type is not known.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use crate::guest::bindings::Pid;
use crate::guest::bindings::ractor::actor::lifecycle;
use crate::guest::message::SerializedMessage;
use crate::guest::runtime::myself;
use crate::guest::runtime::outgoing::{Outcome, deliver};
use crate::guest::{ActorId, ActorName, Message, MessagingErr};

/// A reference to an actor, native or guest, here or on another node. Two are equal if they mean the same actor.
#[derive(Clone)]
pub struct ActorCell {
    id: ActorId,
    name: Option<Arc<str>>,
}

impl ActorCell {
    pub(crate) fn from_pid(pid: Pid) -> Self {
        Self {
            id: pid.into(),
            name: None,
        }
    }

    pub(crate) fn named(pid: Pid, name: &str) -> Self {
        Self {
            id: pid.into(),
            name: Some(name.into()),
        }
    }

    /// The actor's id.
    pub fn get_id(&self) -> ActorId {
        self.id
    }

    /// The actor's name, as far as it is known here: that of this actor, and of an actor that was found by its name.
    /// Members of a process group come without theirs.
    pub fn get_name(&self) -> Option<ActorName> {
        self.name.as_deref().map(str::to_owned)
    }

    /// Stops this actor once the message being handled is done. A guest can't stop other actors: that is logged as an
    /// error and has no effect.
    pub fn stop(&self, reason: Option<String>) {
        if *self == myself() {
            lifecycle::stop(reason.as_deref());
        } else {
            tracing::error!(actor = %self.id, "a guest can stop only itself; send that actor a message that makes it stop");
        }
    }

    /// Sends a message. If it carries the reply port of a call that this actor received, this actor waits for the
    /// reply and passes it on.
    ///
    /// # Errors
    /// `SendErr` with the message if it was not accepted, `InvalidActorType` if it has no serialized form.
    pub fn send_message<TMessage>(&self, message: TMessage) -> Result<(), MessagingErr<TMessage>>
    where
        TMessage: Message,
    {
        self.send(message).map(|_| ())
    }

    /// Sends a message that is serialized already.
    ///
    /// # Errors
    /// `SendErr` with the message if it was not accepted.
    pub fn send_serialized(&self, message: SerializedMessage) -> Result<(), Box<MessagingErr<SerializedMessage>>> {
        match deliver(self.id, message) {
            Ok(_) => Ok(()),
            Err(message) => Err(Box::new(MessagingErr::SendErr(message))),
        }
    }

    pub(crate) fn send<TMessage>(&self, message: TMessage) -> Result<Outcome, MessagingErr<TMessage>>
    where
        TMessage: Message,
    {
        if !TMessage::serializable() {
            return Err(MessagingErr::InvalidActorType);
        }
        let serialized = message.serialize().map_err(|_| MessagingErr::InvalidActorType)?;
        deliver(self.id, serialized).map_err(|refused| {
            TMessage::deserialize(refused).map_or(MessagingErr::ChannelClosed, MessagingErr::SendErr)
        })
    }
}

impl fmt::Debug for ActorCell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Actor")
            .field("name", &self.name)
            .field("id", &self.id)
            .finish()
    }
}

impl PartialEq for ActorCell {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Eq for ActorCell {}

impl Hash for ActorCell {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.id.hash(state);
    }
}
