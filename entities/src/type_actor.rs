//! The actor of a type: to whom peers send what is for entities, which they know nothing of.
//!
//! It is in the process group `entity:TYPE`, has that name, too, and understands what this enum is as a message:
//!
//! ```text
//! Cast(key, message, arguments)
//! Call(key, message, arguments, RpcReplyPort<Vec<u8>>)
//! ```
//!
//! The key is a string or bytes, which have one form. What is in the arguments and the reply is as the entity itself would have it.
//!
//! It has no mailbox: whoever hands it a message has put it into that of the entity, or where messages wait for its activation. So a
//! message through it is in its order, and is bounded by the entity's limits, those of the type, and no further ones.

use std::sync::Arc;

use parking_lot::Mutex;
use ractor::message::SerializedMessage;
use ractor::{Actor, ActorCell, ActorProcessingErr, ActorRef, ActorRuntime, SpawnErr, pg};
use ractor_host_directory::{
    Audience, DESCRIBE_VARIANT, FailureReason, Hosted, Inbox, NotPut, PROBE_VARIANT, Placed, PutRefused, fail,
    register_hosted, reserve_hosted_id,
};
use ractor_host_placement::words::{BadEntity, Entity, EntityKey, EntityType};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;

use crate::native::Opaque;
use crate::node::{NotSent, TypeState, send};
use crate::seat::told;

/// The variant of a message to an entity.
const CAST: &str = "Cast";

/// The variant of a call of an entity.
const CALL: &str = "Call";

/// Why a message to the actor of a type is for no entity.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
enum NotAddressed {
    #[error(
        "the actor of a type of entities takes the call `{CALL}` and the cast `{CAST}`, with a key, the name of a message and its arguments, and \
         no other message"
    )]
    Variant,
    #[error("the arguments are not a key, the name of a message and its arguments, each with its length before it")]
    Arguments,
    #[error("the name of the message is not UTF-8")]
    Message,
    #[error(transparent)]
    Key(#[from] BadEntity),
}

/// The name of the actor of a type, and of the process group that it is in: `entity:TYPE`.
pub fn type_group(of: &EntityType) -> String {
    Entity::group_of(of)
}

/// A message to an entity in the form in which the actor of its type takes it, for a node that has no entities of that type.
pub fn to_type_actor(key: &EntityKey, message: SerializedMessage) -> SerializedMessage {
    let packed = |variant: String, args: Vec<u8>| pack([key.bytes(), variant.as_bytes(), &args]);
    match message {
        SerializedMessage::Cast {
            variant,
            args,
            metadata,
        } => SerializedMessage::Cast {
            variant: CAST.to_owned(),
            args: packed(variant, args),
            metadata,
        },
        SerializedMessage::Call {
            variant,
            args,
            reply,
            metadata,
        } => SerializedMessage::Call {
            variant: CALL.to_owned(),
            args: packed(variant, args),
            reply,
            metadata,
        },
        reply @ SerializedMessage::CallReply(..) => reply,
    }
}

/// Each part with its length before it, as the arguments of a message are.
pub(crate) fn pack<const N: usize>(parts: [&[u8]; N]) -> Vec<u8> {
    let mut packed = Vec::with_capacity(parts.iter().map(|part| part.len() + 8).sum());
    for part in parts {
        packed.extend_from_slice(&(part.len() as u64).to_be_bytes());
        packed.extend_from_slice(part);
    }
    packed
}

/// What [`pack`] made: none if anything is left over or missing.
pub(crate) fn unpack<const N: usize>(mut packed: &[u8]) -> Option<[&[u8]; N]> {
    let mut next = || {
        let (length, rest) = packed.split_first_chunk::<8>()?;
        let (part, rest) = rest.split_at_checked(usize::try_from(u64::from_be_bytes(*length)).ok()?)?;
        packed = rest;
        Some(part)
    };
    let mut parts = [&[][..]; N];
    for part in &mut parts {
        *part = next()?;
    }
    packed.is_empty().then_some(parts)
}

/// A message for an entity: its key, the name of the message and its arguments.
type Addressed = (EntityKey, String, Vec<u8>);

/// Reads the arguments of a message to the actor of a type.
fn addressed(packed: &[u8]) -> Result<Addressed, NotAddressed> {
    let [key, variant, args] = unpack(packed).ok_or(NotAddressed::Arguments)?;
    let variant = std::str::from_utf8(variant).map_err(|_| NotAddressed::Message)?;
    Ok((EntityKey::new(key)?, variant.to_owned(), args.to_vec()))
}

/// Questions what its entities are that are being answered at a time. A module is asked once; then its answer is known.
const QUESTIONS: usize = 16;

/// Where the messages to the actor of a type go.
struct Door {
    of: Arc<TypeState>,
    questions: Arc<Semaphore>,
}

impl Door {
    fn cast(&self, packed: Vec<u8>, metadata: Option<Vec<u8>>) -> Result<Placed, NotPut> {
        let (key, variant, args) = match addressed(&packed) {
            Ok(addressed) => addressed,
            Err(error) => {
                self.note_dropped(&error);
                return Ok(Placed::Nowhere);
            }
        };
        let message = SerializedMessage::Cast {
            variant,
            args,
            metadata,
        };
        let Err(refused) = send(&self.of.entity(&key), message) else {
            return Ok(Placed::Nowhere);
        };
        let metadata = match refused.message {
            SerializedMessage::Cast { metadata, .. } => metadata,
            SerializedMessage::Call { .. } | SerializedMessage::CallReply(..) => None,
        };
        Err(NotPut {
            message: SerializedMessage::Cast {
                variant: CAST.to_owned(),
                args: packed,
                metadata,
            },
            reason: match refused.reason {
                NotSent::Overloaded => PutRefused::Full,
                // The entities end, or the node doesn't know where they are.
                NotSent::UnknownType | NotSent::NotJoined | NotSent::NotHere => PutRefused::Ended,
            },
        })
    }

    /// Whoever calls hears whatever is wrong as the end of the call: a mailbox has no words for it.
    fn call(&self, packed: &[u8], reply: Port, metadata: Option<Vec<u8>>) {
        let (key, variant, args) = match addressed(packed) {
            Ok(addressed) => addressed,
            Err(error) => return refuse(reply, &error.to_string()),
        };
        let message = SerializedMessage::Call {
            variant,
            args,
            reply,
            metadata,
        };
        let entity = self.of.entity(&key);
        if let Err(refused) = send(&entity, message)
            && let SerializedMessage::Call { reply, .. } = refused.message
        {
            refuse(reply, &format!("{entity}: {}", refused.reason));
        }
    }

    /// Of what its entities take, and not of what it takes itself: that is the same for all types.
    fn describe(&self, question: Vec<u8>, reply: Port) {
        // Without a runtime, or where too many ask, whoever asks hears that there is no answer.
        let (Ok(runtime), Ok(turn)) = (Handle::try_current(), self.questions.clone().try_acquire_owned()) else {
            return;
        };
        let of = self.of.clone();
        drop(runtime.spawn(async move {
            if let Some(answer) = of.describe(&question).await {
                // The caller may have given up meanwhile, which is its own affair.
                reply.send(answer).ok();
            }
            drop(turn);
        }));
    }

    fn note_dropped(&self, error: &NotAddressed) {
        let entities = type_group(&self.of.of);
        tracing::warn!(entities, %error, "a message for an entity is dropped");
    }
}

/// Where the reply to a call goes.
type Port = ractor::RpcReplyPort<Vec<u8>>;

fn refuse(reply: Port, reason: &str) {
    told(fail(reply, FailureReason::new(reason)));
}

impl Inbox for Door {
    fn put(&self, message: SerializedMessage) -> Result<Placed, NotPut> {
        match message {
            SerializedMessage::Cast {
                variant,
                args,
                metadata,
            } if variant == CAST => return self.cast(args, metadata),
            SerializedMessage::Cast { .. } => self.note_dropped(&NotAddressed::Variant),
            SerializedMessage::Call {
                variant,
                args,
                reply,
                metadata,
            } => match &*variant {
                CALL => self.call(&args, reply, metadata),
                DESCRIBE_VARIANT => self.describe(args, reply),
                // All before it has been passed on: the end of its port says so.
                PROBE_VARIANT => drop(reply),
                _ => refuse(reply, &NotAddressed::Variant.to_string()),
            },
            SerializedMessage::CallReply(..) => {}
        }
        Ok(Placed::Nowhere)
    }
}

/// The actor of a type.
pub(crate) struct TypeActor {
    door: Arc<Door>,
    hosted: Mutex<Option<Hosted>>,
}

impl TypeActor {
    /// Peers hear of the actor of this type from now on.
    ///
    /// # Errors
    /// An actor of this process has its name.
    pub(crate) async fn spawn(of: Arc<TypeState>, supervisor: ActorCell) -> Result<ActorCell, SpawnErr> {
        let name = type_group(&of.of);
        let actor = Self {
            door: Arc::new(Door {
                of,
                questions: Arc::new(Semaphore::new(QUESTIONS)),
            }),
            hosted: Mutex::new(None),
        };
        let (actor, _) =
            ActorRuntime::<Self>::spawn_linked_remote(Some(name), actor, reserve_hosted_id(), (), supervisor).await?;
        Ok(actor.get_cell())
    }
}

#[cfg_attr(feature = "async-trait", ractor::async_trait)]
impl Actor for TypeActor {
    type Msg = Opaque;
    type State = ();
    type Arguments = ();

    async fn pre_start(&self, myself: ActorRef<Opaque>, (): ()) -> Result<(), ActorProcessingErr> {
        let cell = myself.get_cell();
        let inbox: Arc<dyn Inbox> = self.door.clone();
        *self.hosted.lock() = Some(register_hosted(cell.clone(), Some(inbox), Audience::Everyone)?);
        pg::join(type_group(&self.door.of.of), vec![cell]);
        Ok(())
    }

    /// From whoever sends to the actor itself, and so past its door.
    async fn handle_serialized(
        &self,
        _: ActorRef<Opaque>,
        message: SerializedMessage,
        (): &mut (),
    ) -> Result<(), ActorProcessingErr> {
        if let Err(not_put) = self.door.put(message) {
            let entities = type_group(&self.door.of.of);
            tracing::warn!(entities, reason = %not_put.reason, "a message for an entity is dropped");
        }
        Ok(())
    }

    async fn post_stop(&self, _: ActorRef<Opaque>, (): &mut ()) -> Result<(), ActorProcessingErr> {
        *self.hosted.lock() = None;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use ractor::Message;
    use ractor_host_derive::RactorClusterMessage;

    use super::*;

    /// What a stock peer writes, as the guide has it.
    #[derive(RactorClusterMessage)]
    enum CartsMsg {
        Cast(String, String, Vec<u8>),
        #[rpc]
        Call(Vec<u8>, String, Vec<u8>, ractor::RpcReplyPort<Vec<u8>>),
    }

    #[test]
    fn what_the_derive_macros_write_is_read_and_what_is_written_here_is_the_same() {
        let key = EntityKey::new("Stra\u{df}e 7".as_bytes()).unwrap();
        let text = String::from_utf8(key.bytes().to_vec()).unwrap();
        let inner = || SerializedMessage::Cast {
            variant: "Put".to_owned(),
            args: vec![1, 2, 3],
            metadata: Some(vec![9]),
        };
        let SerializedMessage::Cast {
            variant,
            args,
            metadata,
        } = to_type_actor(&key, inner())
        else {
            panic!("a cast");
        };
        assert_eq!((&*variant, metadata), (CAST, Some(vec![9])));
        let expected = (key.clone(), "Put".to_owned(), vec![1, 2, 3]);
        assert_eq!(addressed(&args), Ok(expected.clone()));
        let written = CartsMsg::Cast(text, "Put".to_owned(), vec![1, 2, 3]).serialize();
        assert!(matches!(written, Ok(SerializedMessage::Cast { args: written, .. }) if written == args));
        let (port, _reply) = ractor::concurrency::oneshot();
        let call = CartsMsg::Call(key.bytes().to_vec(), "Put".to_owned(), vec![1, 2, 3], port.into());
        let Ok(SerializedMessage::Call { variant, args, .. }) = call.serialize() else {
            panic!("a call");
        };
        assert_eq!((&*variant, addressed(&args)), (CALL, Ok(expected)));
    }

    #[test]
    fn what_is_for_no_entity_is_said_to_be() {
        let packed = |key: &[u8], variant: &[u8]| addressed(&pack([key, variant, b""]));
        assert_eq!(packed(b"", b"Put"), Err(NotAddressed::Key(BadEntity::NoKey)));
        assert_eq!(
            packed(&[7; 256], b"Put"),
            Err(NotAddressed::Key(BadEntity::LongKey(256)))
        );
        assert_eq!(packed(b"1", &[0xff]), Err(NotAddressed::Message));
        let whole = pack([b"1", b"Put", b"x"]);
        for end in 0..whole.len() {
            assert_eq!(
                addressed(whole.get(..end).unwrap()),
                Err(NotAddressed::Arguments),
                "{end}"
            );
        }
        let mut more = whole;
        more.push(0);
        assert_eq!(addressed(&more), Err(NotAddressed::Arguments));
        assert_eq!(addressed(&[0xff; 24]), Err(NotAddressed::Arguments));
    }
}
