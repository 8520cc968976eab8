//! Runs an actor as a component: what the host calls, and what the actor's code needs from the host meanwhile.

mod batch;
mod calls;
mod contract;
pub(crate) mod executor;
pub(crate) mod incoming;
pub mod log;
pub(crate) mod outgoing;
#[cfg(feature = "reload")]
mod reload;
pub(crate) mod spans;
pub(crate) mod undecodable;

use std::cell::RefCell;
use std::marker::PhantomData;

use self::executor::block_on;
use self::undecodable::{Kind, Shape, Variant, explain};
use crate::guest::actor::myself;
use crate::guest::bindings::exports::ractor::actor::actor::{Descriptor, Guest, MessageVariant};
use crate::guest::bindings::exports::ractor::actor::calls::{Guest as Calls, Outcome};
use crate::guest::bindings::ractor::actor::messaging;
use crate::guest::bindings::ractor::actor::types::SupervisionEvent as HostEvent;
use crate::guest::describe::type_name;
use crate::guest::message::{Message, SerializedMessage};
use crate::guest::serialization::BytesConvertable;
use crate::guest::{Actor, ActorProcessingErr, ActorRef, DescribeMessage, MessageDescription, SupervisionEvent};

thread_local! {
    static ACTOR: RefCell<Option<Box<dyn Running>>> = const { RefCell::new(None) };
}

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
        ACTOR.set(Some(Box::new(Live { actor, state })));
        Ok(())
    }

    fn post_start() -> Result<(), String> {
        with_actor(|actor| actor.post_start())
    }

    fn handle_cast(variant: String, args: Vec<u8>) -> Result<(), String> {
        with_actor(|actor| {
            actor.handle(SerializedMessage::Cast {
                variant,
                args,
                metadata: None,
            })
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
        with_actor(|actor| actor.handle_supervisor_evt(event.into()))
    }

    fn post_stop() -> Result<(), String> {
        let stopped = with_actor(|actor| actor.post_stop());
        // Drops the reply ports that its state may hold, so that their callers hear of it.
        drop(ACTOR.take());
        stopped
    }
}

/// An actor whose types are forgotten.
trait Running: std::any::Any {
    fn post_start(&mut self) -> Result<(), ActorProcessingErr>;
    fn handle(&mut self, message: SerializedMessage) -> Result<(), ActorProcessingErr>;
    fn handle_supervisor_evt(&mut self, event: SupervisionEvent) -> Result<(), ActorProcessingErr>;
    fn post_stop(&mut self) -> Result<(), ActorProcessingErr>;
}

struct Live<A: Actor> {
    actor: A,
    state: A::State,
}

impl<A> Running for Live<A>
where
    A: Actor,
    A::Msg: DescribeMessage,
{
    fn post_start(&mut self) -> Result<(), ActorProcessingErr> {
        block_on(self.actor.post_start(myself().into(), &mut self.state))
    }

    fn handle(&mut self, message: SerializedMessage) -> Result<(), ActorProcessingErr> {
        let Some(message) = decode::<A::Msg>(message) else {
            return Ok(());
        };
        let myself: ActorRef<A::Msg> = myself().into();
        block_on(self.actor.handle(myself, message, &mut self.state))
    }

    fn handle_supervisor_evt(&mut self, event: SupervisionEvent) -> Result<(), ActorProcessingErr> {
        block_on(
            self.actor
                .handle_supervisor_evt(myself().into(), event, &mut self.state),
        )
    }

    fn post_stop(&mut self) -> Result<(), ActorProcessingErr> {
        block_on(self.actor.post_stop(myself().into(), &mut self.state))
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

/// Runs a callback of the actor. It is out of its place meanwhile, so nothing that it calls can reach it twice.
fn with_actor(callback: impl FnOnce(&mut dyn Running) -> Result<(), ActorProcessingErr>) -> Result<(), String> {
    let mut actor = ACTOR
        .take()
        .ok_or("the actor is not running: it was not started, or has stopped")?;
    let result = callback(&mut *actor);
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
