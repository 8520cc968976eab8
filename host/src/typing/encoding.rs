//! How values are written on a command line and shown: plain types as words, JSON and protobuf as JSON.

mod definitions;

use std::fmt;

use prost::Message as _;
use prost_reflect::{DynamicMessage, MessageDescriptor, SerializeOptions};
use serde::de::IgnoredAny;

use self::definitions::{guarded, pool};
use crate::config::{DecodeError, Literal, LiteralError, Type};
use crate::guest::{Contract, Format, TypeExpr};

/// The format of a schema that is a serialized `google.protobuf.FileDescriptorSet`.
const PROTOBUF_SCHEMA: &str = "protobuf";

/// How the values of a type become bytes.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Encoding {
    /// As `BytesConvertable` has it.
    Plain(Type),
    /// A JSON text.
    Json,
    /// A message of protobuf behind its length.
    Protobuf(MessageDescriptor),
}

impl fmt::Display for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain(ty) => ty.fmt(f),
            Self::Json => f.write_str("json"),
            Self::Protobuf(message) => write!(f, "protobuf<{}>", message.full_name()),
        }
    }
}

/// Why it isn't known here how the values of a type become bytes. Goes behind a comma.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum UnknownEncoding {
    #[error("whose encoding is not known here")]
    Type,
    #[error("a type of serde in the format pot, which is not known here")]
    Pot,
    #[error("which the actor's contract doesn't define")]
    NoSchema,
    #[error("whose definition was left out of the actor's contract, because it is too large")]
    LeftOut,
    #[error("whose definition in the actor's contract is no descriptor of protobuf ({0})")]
    BadSchema(String),
}

/// What is wrong with a value that was typed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotEncoded {
    #[error(transparent)]
    Literal(#[from] LiteralError),
    #[error("it takes JSON, for example `{{\"id\": 1}}`: {0}")]
    Json(String),
    #[error("it takes a {name} as JSON: {reason}")]
    Protobuf { name: String, reason: String },
}

/// What is wrong with the bytes of a reply.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotDecoded {
    #[error(transparent)]
    Plain(#[from] DecodeError),
    #[error("the reply is not JSON: {0}; try --reply bytes")]
    Json(String),
    #[error("the reply is not a {name} behind its length: {reason}; try --reply bytes")]
    Protobuf { name: String, reason: String },
}

impl Encoding {
    /// That of a type, with what the contract says of it.
    pub(crate) fn of(ty: &TypeExpr, contract: &Contract) -> Result<Self, UnknownEncoding> {
        if let Some(plain) = Type::of(ty) {
            return Ok(Self::Plain(plain));
        }
        match ty {
            TypeExpr::Named(Format::Json, _) => Ok(Self::Json),
            TypeExpr::Named(Format::Protobuf, name) => message_of(name, contract).map(Self::Protobuf),
            TypeExpr::Named(Format::Pot, _) => Err(UnknownEncoding::Pot),
            _ => Err(UnknownEncoding::Type),
        }
    }

    /// The bytes of a value as a person writes it.
    pub(crate) fn encode(&self, text: &str) -> Result<Literal, NotEncoded> {
        match self {
            // How the value of a type without values is written.
            Self::Plain(Type::Unit) if matches!(text, "unit" | "()") => Ok(Literal::of(Type::Unit, "")?),
            Self::Plain(ty) => Ok(Literal::of(*ty, text)?),
            Self::Json => match serde_json::from_str::<IgnoredAny>(text) {
                // As it was typed: numbers of any size and the order of keys are the actor's affair.
                Ok(_) => Ok(Literal::from_bytes(text.trim().as_bytes().to_vec())),
                Err(error) => Err(NotEncoded::Json(error.to_string())),
            },
            Self::Protobuf(message) => {
                let encoded = guarded(|| from_json(message, text).map_err(|error| error.to_string()));
                encoded.map(Literal::from_bytes).map_err(|reason| NotEncoded::Protobuf {
                    name: message.full_name().to_owned(),
                    reason,
                })
            }
        }
    }

    /// The value in words.
    pub(crate) fn decode(&self, bytes: &[u8]) -> Result<String, NotDecoded> {
        match self {
            Self::Plain(ty) => Ok(ty.decode(bytes)?),
            Self::Json => {
                let text = std::str::from_utf8(bytes).map_err(|error| NotDecoded::Json(error.to_string()))?;
                let checked = serde_json::from_str::<IgnoredAny>(text);
                checked.map_err(|error| NotDecoded::Json(error.to_string()))?;
                Ok(text.trim().to_owned())
            }
            Self::Protobuf(message) => guarded(|| to_json(message, bytes)).map_err(|reason| NotDecoded::Protobuf {
                name: message.full_name().to_owned(),
                reason,
            }),
        }
    }
}

fn from_json(message: &MessageDescriptor, text: &str) -> Result<Vec<u8>, serde_json::Error> {
    let mut json = serde_json::Deserializer::from_str(text);
    let value = DynamicMessage::deserialize(message.clone(), &mut json)?;
    json.end()?;
    Ok(value.encode_length_delimited_to_vec())
}

fn to_json(message: &MessageDescriptor, mut bytes: &[u8]) -> Result<String, String> {
    let length = prost::decode_length_delimiter(&mut bytes).map_err(|error| error.to_string())?;
    if length != bytes.len() {
        return Err(format!("it says {length} bytes, and {} follow", bytes.len()));
    }
    let value = DynamicMessage::decode(message.clone(), bytes).map_err(|error| error.to_string())?;
    json(&value)
}

/// A message as JSON, also those fields that have the value that they have by default: whoever looks wants to see them.
fn json(value: &DynamicMessage) -> Result<String, String> {
    let mut written = Vec::new();
    let mut serializer = serde_json::Serializer::new(&mut written);
    let options = SerializeOptions::new().skip_default_fields(false);
    value
        .serialize_with_options(&mut serializer, &options)
        .map_err(|error| error.to_string())?;
    String::from_utf8(written).map_err(|error| error.to_string())
}

/// The definition of a message among the schemas of a contract, whichever of them has it.
fn message_of(name: &str, contract: &Contract) -> Result<MessageDescriptor, UnknownEncoding> {
    let mut bad = None;
    let schemas = contract
        .schemas
        .iter()
        .filter(|schema| schema.format == PROTOBUF_SCHEMA);
    for schema in schemas {
        match pool(&schema.bytes) {
            Ok(pool) => {
                if let Some(message) = pool.get_message_by_name(name) {
                    return Ok(message);
                }
            }
            Err(error) => bad = Some(error),
        }
    }
    Err(match bad {
        Some(error) => UnknownEncoding::BadSchema(error),
        None if contract.schemas_left_out > 0 => UnknownEncoding::LeftOut,
        None => UnknownEncoding::NoSchema,
    })
}

#[cfg(test)]
pub(crate) mod tests;
