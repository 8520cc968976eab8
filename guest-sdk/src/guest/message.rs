//! Messages: what an actor is sent, as a type and as bytes.

use std::any::Any;

use crate::guest::RpcReplyPort;
use crate::guest::serialization::BytesConvertable;

/// A message is not of the expected type, or its bytes don't decode.
#[derive(Debug, Eq, PartialEq, thiserror::Error)]
#[error("the message is not of the type that this actor handles, or its arguments don't decode")]
pub struct BoxedDowncastErr;

/// A message as it travels: the tag of its variant and the encoded arguments.
#[derive(Debug)]
pub enum SerializedMessage {
    /// A message that expects no reply.
    Cast {
        /// The tag of the variant; empty if the message type is itself [`BytesConvertable`].
        variant: String,
        /// Each argument in order, as a 64-bit big-endian length and that many bytes.
        args: Vec<u8>,
        /// Always none in a guest.
        metadata: Option<Vec<u8>>,
    },
    /// A message that expects a reply.
    Call {
        /// The tag of the variant.
        variant: String,
        /// Each argument in order, as a 64-bit big-endian length and that many bytes.
        args: Vec<u8>,
        /// Where the encoded reply goes.
        reply: RpcReplyPort<Vec<u8>>,
        /// Always none in a guest.
        metadata: Option<Vec<u8>>,
    },
    /// Never seen by an actor; here so that a `match` written for ractor compiles.
    CallReply(u64, Vec<u8>),
}

/// The message type of an actor, usually an enum with `#[derive(RactorClusterMessage)]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a message",
    note = "derive `RactorClusterMessage` for it, or `RactorMessage` if it never leaves the actor; for the enum of \
            `#[ractor::actor(message = enum …)]` write `impl ractor::Message for {Self} {{}}`"
)]
pub trait Message: Any + Send + Sized + 'static {
    /// True if the type has a serialized form. Only such messages reach other actors from inside a guest.
    fn serializable() -> bool {
        false
    }

    /// Turns the message into its serialized form.
    ///
    /// # Errors
    /// The type has none.
    fn serialize(self) -> Result<SerializedMessage, BoxedDowncastErr> {
        Err(BoxedDowncastErr)
    }

    /// Reads a message from its serialized form.
    ///
    /// # Errors
    /// The variant is unknown, or the arguments don't decode.
    fn deserialize(message: SerializedMessage) -> Result<Self, BoxedDowncastErr> {
        drop(message);
        Err(BoxedDowncastErr)
    }
}

/// A type with an encoding of its own is a cast without a tag.
impl<T: Any + Send + Sized + 'static + BytesConvertable> Message for T {
    fn serializable() -> bool {
        true
    }

    fn serialize(self) -> Result<SerializedMessage, BoxedDowncastErr> {
        Ok(SerializedMessage::Cast {
            variant: String::new(),
            args: self.into_bytes(),
            metadata: None,
        })
    }

    fn deserialize(message: SerializedMessage) -> Result<Self, BoxedDowncastErr> {
        match message {
            SerializedMessage::Cast { args, .. } => T::try_from_bytes(args).map_err(|_| BoxedDowncastErr),
            _ => Err(BoxedDowncastErr),
        }
    }
}
