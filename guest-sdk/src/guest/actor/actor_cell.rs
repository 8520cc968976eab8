//! A reference to an actor whose message type is not known.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use super::own_identity::{Identity, own_identity};
use crate::guest::bindings::Pid;
use crate::guest::bindings::ractor::actor::lifecycle::{self, MonitorError};
use crate::guest::bindings::ractor::actor::types::Subject;
use crate::guest::message::SerializedMessage;
use crate::guest::runtime::outgoing::{Sent, begin, deliver};
use crate::guest::runtime::{executor, incoming};
use crate::guest::{ActorId, ActorName, Message, MessagingErr, exit};

/// A reference to an actor, native or guest, here or on another node. Two are equal if they mean the same actor.
#[derive(Clone)]
pub struct ActorCell {
    id: ActorId,
    name: Option<Arc<str>>,
}

/// The actor that this component is.
pub(crate) fn myself() -> ActorCell {
    let Identity { id, name } = own_identity();
    ActorCell { id, name }
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

    pub(crate) fn of_subject(subject: Subject) -> Self {
        match subject.name {
            Some(name) => Self::named(subject.pid, &name),
            None => Self::from_pid(subject.pid),
        }
    }

    /// The actor's id.
    pub fn get_id(&self) -> ActorId {
        self.id
    }

    /// The actor's name, as far as it is known here: that of this actor and its children, and of an actor that was found by its name.
    /// Members of a process group come without theirs.
    pub fn get_name(&self) -> Option<ActorName> {
        self.name.as_deref().map(str::to_owned)
    }

    /// Stops this actor, or a child of it, once the message being handled is done. A guest can't stop other actors: that
    /// is logged as an error and has no effect.
    pub fn stop(&self, reason: Option<String>) {
        if *self == myself() {
            // Without a flush: the stop comes after the handler, whose result carries the reply.
            match executor::awaiting() {
                Some(awaiting) => (awaiting.stop)(reason),
                None => lifecycle::stop(reason.as_deref()),
            }
            return;
        }
        incoming::flush();
        if !lifecycle::stop_child(self.id.into(), reason.as_deref()) {
            tracing::error!(actor = %self.id, "not a living child of this actor, and a guest can stop only itself and its children; send that actor a message that makes it stop");
        }
    }

    /// Ends a child of this actor at once, in the middle of a message. This actor itself fails at once, with the reason
    /// `killed`. A guest can't kill other actors: that is logged as an error and has no effect.
    pub fn kill(&self) {
        if *self == myself() {
            exit("killed");
        }
        incoming::flush();
        if !lifecycle::kill_child(self.id.into()) {
            tracing::error!(actor = %self.id, "not a living child of this actor, and a guest can kill only itself and its children");
        }
    }

    /// The living children of this actor. What other actors supervise is not known here: that is logged as an error, and
    /// the list is empty.
    pub fn get_children(&self) -> Vec<ActorCell> {
        if !self.is_myself("the children") {
            return Vec::new();
        }
        lifecycle::named_children().into_iter().map(Self::of_subject).collect()
    }

    /// Stops every child of this actor once it is done with the message that it is handling.
    pub fn stop_children(&self, reason: Option<String>) {
        incoming::flush();
        if !self.is_myself("the children") {
            return;
        }
        for child in lifecycle::children() {
            // One that has ended meanwhile needs no stop.
            lifecycle::stop_child(child, reason.as_deref());
        }
    }

    /// Who supervises this actor. What supervises others is not known here: that is logged as an error, and none.
    pub fn try_get_supervisor(&self) -> Option<ActorCell> {
        if !self.is_myself("the supervisor") {
            return None;
        }
        lifecycle::supervisor().map(Self::from_pid)
    }

    /// Makes this actor hear of the end of `who`, wherever it lives. Only this actor can be made to: for any other it is
    /// logged as an error. So it is if the node refuses, or there is no such actor any more.
    pub fn monitor(&self, who: ActorCell) {
        if !self.is_myself("the monitors") {
            return;
        }
        let refused = match lifecycle::monitor(who.id.into()) {
            Ok(()) => return,
            Err(MonitorError::UnknownActor) => "it has ended, or its node is gone",
            Err(MonitorError::TooMany) => "this actor monitors as many as it may",
        };
        tracing::error!(actor = %who.id, "the actor is not monitored: {refused}");
    }

    /// Ends what [`ActorCell::monitor`] began.
    pub fn unmonitor(&self, who: ActorCell) {
        if self.is_myself("the monitors") {
            lifecycle::demonitor(who.id.into());
        }
    }

    /// None: nobody here knows the message type of an actor, as natively of one on another node.
    pub fn is_message_type_of<TMessage: Message>(&self) -> Option<bool> {
        None
    }

    /// True if this is the actor whose code runs here. Otherwise says that a guest can't ask for `what` of others.
    fn is_myself(&self, what: &str) -> bool {
        let is_myself = *self == myself();
        if !is_myself {
            tracing::error!(actor = %self.id, "a guest can ask for {what} of itself only, and not of another actor");
        }
        is_myself
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
        deliver(self.id, serialized(message)?).map_err(refused)
    }

    /// Sends a message that is serialized already.
    ///
    /// # Errors
    /// `SendErr` with the message if it was not accepted.
    pub fn send_serialized(&self, message: SerializedMessage) -> Result<(), Box<MessagingErr<SerializedMessage>>> {
        deliver(self.id, message).map_err(|message| Box::new(MessagingErr::SendErr(message)))
    }

    /// Sends a message; if it is a call, what is left is to wait for its reply.
    pub(crate) fn begin<TMessage: Message>(&self, message: TMessage) -> Result<Sent, MessagingErr<TMessage>> {
        begin(self.id, serialized(message)?, executor::awaiting()).map_err(refused)
    }
}

fn serialized<TMessage: Message>(message: TMessage) -> Result<SerializedMessage, MessagingErr<TMessage>> {
    if !TMessage::serializable() {
        return Err(MessagingErr::InvalidActorType);
    }
    message.serialize().map_err(|_| MessagingErr::InvalidActorType)
}

/// The message that was not accepted, as it was.
fn refused<TMessage: Message>(message: SerializedMessage) -> MessagingErr<TMessage> {
    TMessage::deserialize(message).map_or(MessagingErr::ChannelClosed, MessagingErr::SendErr)
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
