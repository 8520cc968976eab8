//! Values as bytes, in the formats of ractor's `BytesConvertable`: its own, or with the feature `blanket_serde` that of `pot`
//! for every type of serde.
//!
//! In a guest a panic ends the actor, so decoding has a fallible form here, and it is strict: bytes that are no value of the
//! type are an error.

#[cfg(feature = "blanket_serde")]
mod blanket;
#[cfg(not(feature = "blanket_serde"))]
mod own;

use thiserror::Error;

use crate::guest::type_names::named;

/// Why bytes are not a value of a type.
#[derive(Clone, Debug, Eq, PartialEq, Error)]
pub enum DecodeError {
    /// The type has a fixed size.
    #[error("{found} bytes, expected {expected}")]
    Length {
        /// How many bytes there were.
        found: usize,
        /// How many there must be.
        expected: usize,
    },
    /// The elements of a vector have a fixed size.
    #[error("{found} bytes, expected a multiple of {element}")]
    Elements {
        /// How many bytes there were.
        found: usize,
        /// The size of one element.
        element: usize,
    },
    /// A string is not UTF-8.
    #[error("not UTF-8: byte {at} is wrong")]
    Utf8 {
        /// The index of the first wrong byte.
        at: usize,
    },
    /// No character has this number.
    #[error("{0:#x} is not a character")]
    Char(u32),
    /// A `bool` is neither 0 nor 1.
    #[error("{0} is not a bool, expected 0 or 1")]
    Bool(u8),
    /// A type of serde, in the format of `blanket_serde`; what `pot` says.
    #[error("not a value in the format `pot`: {0}")]
    Pot(String),
    /// A reference to an [entity](crate::entity).
    #[error("no reference to an entity: {0}")]
    Entity(String),
    /// A [`Json`](crate::Json); what its reader says.
    #[error("not JSON of this type: {0}")]
    Json(String),
    /// A [`Protobuf`](crate::Protobuf).
    #[error("not a {name} behind its length: {error}")]
    Protobuf {
        /// The message.
        name: String,
        /// What is wrong.
        error: String,
    },
}

/// A type with an encoding: arguments of messages, replies, and start arguments.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no form as bytes",
    note = "an argument or a reply has to be `BytesConvertable`, which with the feature `blanket_serde` every type of serde is",
    note = "the message type of an exported actor has to derive `RactorClusterMessage`, which the enum of \
            `#[ractor::actor(message = enum …)]` can't: write the enum yourself, and name it with `message = …`"
)]
pub trait BytesConvertable: Sized {
    /// Encodes the value.
    fn into_bytes(self) -> Vec<u8>;

    /// Decodes a value. May panic if the bytes are wrong.
    fn from_bytes(bytes: Vec<u8>) -> Self;

    /// Decodes a value, with an error instead of a panic. Only guests have this; for a type that implements ractor's
    /// two methods alone it calls [`BytesConvertable::from_bytes`], and a panic there fails the actor.
    ///
    /// # Errors
    /// The bytes are not a value of this type.
    fn try_from_bytes(bytes: Vec<u8>) -> Result<Self, DecodeError> {
        Ok(Self::from_bytes(bytes))
    }

    /// The name by which contracts call the type, in the grammar of docs/types.md.
    #[doc(hidden)]
    fn described_as() -> String {
        named("opaque", std::any::type_name::<Self>())
    }
}

#[expect(clippy::panic, reason = "ractor's trait has no other way to report wrong bytes")]
fn or_panic<T>(decoded: Result<T, DecodeError>) -> T {
    decoded.unwrap_or_else(|error| panic!("{error}"))
}
