//! Runs an actor as a component: what the host calls, and what the actor's code needs from the host meanwhile.

mod batch;
mod calls;
mod contract;
pub(crate) mod executor;
pub(crate) mod incoming;
mod live;
pub mod log;
pub(crate) mod outgoing;
#[cfg(feature = "reload")]
mod reload;
mod replies;
pub(crate) mod spans;
mod still;
#[cfg(test)]
mod tests;
pub(crate) mod undecodable;
mod waiting_host;
mod waits;

use std::any::Any;
use std::cell::RefCell;
use std::marker::PhantomData;

use self::executor::block_on;
use self::live::Live;
use self::still::Still;
use self::undecodable::{Kind, Shape, Variant, explain};
use crate::guest::actor::myself;
use crate::guest::bindings::exports::ractor::actor::actor::{Descriptor, Guest, MessageVariant};
use crate::guest::bindings::exports::ractor::actor::calls::{Guest as Calls, Outcome};
use crate::guest::bindings::ractor::actor::messaging;
use crate::guest::bindings::ractor::actor::types::SupervisionEvent as HostEvent;
use crate::guest::describe::type_name;
use crate::guest::message::{Message, SerializedMessage};
use crate::guest::serialization::BytesConvertable;
use crate::guest::{Actor, ActorProcessingErr, DescribeMessage, MessageDescription, SupervisionEvent};

thread_local! {
    static ACTOR: RefCell<Option<Box<dyn Running>>> = const { RefCell::new(None) };
}

const NOT_RUNNING: &str = "the actor is not running: it was not started, or has stopped";

/// What [`export!`](crate::export) adds to an actor.
pub trait Exported: Actor {
    /// The actor's type, as the source writes it.
    const NAME: &'static str;
    /// What the actor is for, line by line.
    const DOCUMENTATION: &'static [&'static str];
    /// The name of its start argument; empty if it isn't said.
    const START: &'static str;
    /// Serialized `google.protobuf.FileDescriptorSet`s with the messages of protobuf that it uses.
    const PROTOBUF: &'static [&'static [u8]];
    /// The version of its crate.
    const VERSION: &'static str;
    /// The version of its state.
    const STATE_VERSION: u32;
    /// Its handlers wait without the actor standing still.
    const AWAITS: bool;
}

/// The exports of the component that `A` is.
#[derive(Debug)]
pub struct Component<A>(PhantomData<A>);

impl<A> Guest for Component<A>
where
    A: Exported + Default,
    A::Arguments: BytesConvertable,
    A::Msg: DescribeMessage,
{
    fn describe() -> Descriptor {
        Descriptor {
            name: A::NAME.to_owned(),
            version: A::VERSION.to_owned(),
            state_version: A::STATE_VERSION,
            arguments: Some(type_name::<A::Arguments>()),
            messages: A::Msg::MESSAGES.iter().map(to_variant).collect(),
        }
    }

    fn pre_start(args: Vec<u8>) -> Result<(), String> {
        // First, so that whatever fails from here on is logged.
        log::install();
        let args = A::Arguments::try_from_bytes(args).map_err(|error| {
            let wanted = type_name::<A::Arguments>();
            format!("{}: start arguments don't decode as {wanted}: {error}", A::NAME)
        })?;
        let actor = A::default();
        let state = block_on(actor.pre_start(myself().into(), args)).map_err(to_text)?;
        begin(actor, state);
        Ok(())
    }

    fn post_start() -> Result<(), String> {
        enter(Entry::PostStart)
    }

    fn handle_cast(variant: String, args: Vec<u8>) -> Result<(), String> {
        handle(SerializedMessage::Cast {
            variant,
            args,
            metadata: None,
        })
    }

    /// A node gives calls to `calls` instead.
    fn handle_call(variant: String, args: Vec<u8>, reply_to: u64) -> Result<Option<Vec<u8>>, String> {
        Ok(match <Self as Calls>::handle_call(variant, args, reply_to)? {
            Outcome::Reply(bytes) => Some(bytes),
            Outcome::Later => None,
            Outcome::Failed(reason) => {
                messaging::fail_call(reply_to, &reason);
                None
            }
        })
    }

    fn handle_supervisor_evt(event: HostEvent) -> Result<(), String> {
        enter(Entry::Event(event.into()))
    }

    fn post_stop() -> Result<(), String> {
        let stopped = enter(Entry::PostStop);
        // Drops the reply ports that its state may hold, so that their callers hear of it.
        drop(ACTOR.take());
        stopped
    }
}

/// The typed message, or none if it can't be understood: then a cast is dropped and logged, as in ractor, and a call fails for that
/// reason. The actor carries on.
fn decode<M: Message + DescribeMessage>(message: SerializedMessage) -> Option<M> {
    // Noted now, because decoding takes the message, and a failure has to say what it was.
    let (kind, variant, shape) = match &message {
        SerializedMessage::Cast { variant, args, .. } => {
            (Kind::Cast, Variant::of(variant, M::MESSAGES), Shape::of(args))
        }
        SerializedMessage::Call { variant, args, .. } => {
            (Kind::Call, Variant::of(variant, M::MESSAGES), Shape::of(args))
        }
        SerializedMessage::CallReply(..) => return None,
    };
    match M::deserialize(message) {
        Ok(message) => Some(message),
        Err(_) => {
            let reason = explain(M::MESSAGES, kind, variant, shape);
            match kind {
                Kind::Cast => tracing::warn!("dropped a message: {reason}"),
                Kind::Call => incoming::fail_undecoded(reason),
            }
            None
        }
    }
}

/// What the host calls the actor for besides messages.
enum Entry {
    /// The callback `post-start`.
    PostStart,
    Event(SupervisionEvent),
    /// Something has come that a handler may wait for.
    Arrival,
    /// The callback `post-stop`.
    PostStop,
}

/// What a callback of the actor results in.
type Handled = Result<(), ActorProcessingErr>;

/// An actor whose types are forgotten.
trait Running: Any {
    /// Handles a message, as far as that can be done now. Apart from the others, because a move costs as much as a small message.
    fn handle(&mut self, message: SerializedMessage) -> Handled;
    /// Does what the host calls it for, as far as that can be done now.
    fn enter(&mut self, entry: Entry) -> Handled;
}

/// The actor lives from now on.
fn begin<A>(actor: A, state: A::State)
where
    A: Exported,
    A::Msg: DescribeMessage,
{
    ACTOR.set(Some(if A::AWAITS {
        Box::new(Live::new(actor, state))
    } else {
        Box::new(Still { actor, state })
    }));
}

fn handle(message: SerializedMessage) -> Result<(), String> {
    with_actor(|actor| actor.handle(message))
}

fn enter(entry: Entry) -> Result<(), String> {
    with_actor(|actor| actor.enter(entry))
}

/// Calls the actor. It is out of its place meanwhile, so nothing that it calls can reach it twice.
fn with_actor(call: impl FnOnce(&mut dyn Running) -> Handled) -> Result<(), String> {
    let mut actor = ACTOR.take().ok_or(NOT_RUNNING)?;
    let result = call(&mut *actor);
    // Also after an error: whether this instance goes on is for the host to decide.
    ACTOR.set(Some(actor));
    result.map_err(to_text)
}

fn to_variant(message: &MessageDescription) -> MessageVariant {
    MessageVariant {
        name: message.name.to_owned(),
        arguments: message.arguments.iter().map(|argument| (argument.ty)()).collect(),
        reply: message.reply_name(),
    }
}

fn to_text(error: ActorProcessingErr) -> String {
    format!("{error:#}")
}
