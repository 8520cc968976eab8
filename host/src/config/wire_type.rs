//! The types that literals and replies have on the wire, in the encoding of ractor's `BytesConvertable`.

use std::fmt;
use std::str::FromStr;

use ractor::BytesConvertable;

use super::nearest::nearest;
use crate::guest::{Scalar, TypeExpr};

/// What a literal or a reply is on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// No bytes.
    Unit,
    /// UTF-8 text.
    Str,
    /// Bytes as they are; written in hexadecimal.
    Bytes,
    /// One number, boolean or character.
    One(Scalar),
    /// Scalars one after the other; written `[u64]:1,2,3`.
    List(Scalar),
}

/// A word that names no type.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no type {name:?}{}; the types are {}", did_you_mean(name), Type::ALL)]
pub struct TypeError {
    name: String,
}

/// Bytes that are not what they were said to be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// Too many or too few.
    #[error("the reply has {found} bytes, {ty} takes {takes}; try --reply bytes")]
    Length {
        /// The type asked for.
        ty: Type,
        /// The size of the reply.
        found: usize,
        /// The size of the type, in words.
        takes: String,
    },
    /// The right number of bytes, but not a value.
    #[error("the reply is not a value of type {ty}: {reason}; try --reply bytes")]
    Value {
        /// The type asked for.
        ty: Type,
        /// What is wrong.
        reason: String,
    },
}

impl DecodeError {
    /// What is wrong, where the bytes are not those of a reply.
    pub fn reason(&self) -> String {
        match self {
            Self::Length { ty, found, takes } => format!("there are {found} bytes, {ty} takes {takes}"),
            Self::Value { reason, .. } => reason.clone(),
        }
    }
}

impl Type {
    /// Every type, as messages list them.
    pub const ALL: &str = "u8 u16 u32 u64 u128 i8 i16 i32 i64 i128 f32 f64 bool char str bytes unit, and lists of the \
                           first fourteen such as [u64]";

    /// The type that a description names; none if it is of the actor's own.
    pub fn of(ty: &TypeExpr) -> Option<Self> {
        match ty {
            TypeExpr::Unit => Some(Self::Unit),
            TypeExpr::String => Some(Self::Str),
            TypeExpr::Bytes => Some(Self::Bytes),
            TypeExpr::Scalar(scalar) => Some(Self::One(*scalar)),
            TypeExpr::List(scalar) => Some(Self::List(*scalar)),
            TypeExpr::Named(..) | TypeExpr::Unknown(_) => None,
        }
    }

    /// The bytes of a value, or what is wrong with its text.
    pub(super) fn encode(self, text: &str) -> Result<Vec<u8>, String> {
        match self {
            Self::Unit if text.is_empty() => Ok(Vec::new()),
            Self::Unit => Err("it has no value, write `unit` alone".to_owned()),
            Self::Str => Ok(text.as_bytes().to_vec()),
            Self::Bytes => hex::decode(text).map_err(|error| format!("it takes hexadecimal digits in pairs ({error})")),
            Self::One(scalar) => encode(scalar, text),
            Self::List(_) if text.is_empty() => Ok(Vec::new()),
            Self::List(scalar) => {
                let mut bytes = Vec::new();
                for element in text.split(',') {
                    let element = if scalar == Scalar::Char {
                        element
                    } else {
                        element.trim()
                    };
                    let encoded = encode(scalar, element).map_err(|reason| format!("element {element:?}: {reason}"))?;
                    bytes.extend(encoded);
                }
                Ok(bytes)
            }
        }
    }

    /// The value in words. Bytes are shown in hexadecimal.
    ///
    /// # Errors
    /// The bytes are not exactly one value of this type.
    pub fn decode(self, bytes: &[u8]) -> Result<String, DecodeError> {
        let value = |reason: String| DecodeError::Value { ty: self, reason };
        let length = |takes: String| DecodeError::Length {
            ty: self,
            found: bytes.len(),
            takes,
        };
        match self {
            Self::Unit if bytes.is_empty() => Ok("()".to_owned()),
            Self::Unit => Err(length("none".to_owned())),
            Self::Str => std::str::from_utf8(bytes)
                .map(str::to_owned)
                .map_err(|error| value(format!("it is not UTF-8 from byte {} on", error.valid_up_to()))),
            Self::Bytes => Ok(hex::encode(bytes)),
            Self::One(scalar) if bytes.len() == scalar.size() => decode(scalar, bytes).map_err(value),
            Self::One(scalar) => Err(length(scalar.size().to_string())),
            Self::List(scalar) => {
                let elements = bytes.chunks_exact(scalar.size());
                if !elements.remainder().is_empty() {
                    return Err(length(format!("a multiple of {}", scalar.size())));
                }
                let elements: Result<Vec<_>, _> = elements.map(|element| decode(scalar, element)).collect();
                Ok(elements.map_err(value)?.join(","))
            }
        }
    }
}

/// What is wrong with bytes that should be one value of the type, in words; nothing if they are one, or if the type is of the actor's own.
pub fn misfit(ty: &TypeExpr, bytes: &[u8]) -> Option<String> {
    let decoded = Type::of(ty)?.decode(bytes);
    decoded.err().map(|error| error.reason())
}

impl FromStr for Type {
    type Err = TypeError;

    fn from_str(name: &str) -> Result<Self, TypeError> {
        let element = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        let ty = match (name, element) {
            ("str", _) => Some(Self::Str),
            (_, Some(element)) => Scalar::named(element).map(Self::List),
            // The names of the grammar, by which actors are described.
            _ => Self::of(&TypeExpr::parse(name)),
        };
        ty.ok_or_else(|| TypeError { name: name.to_owned() })
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unit => f.write_str("unit"),
            Self::Str => f.write_str("str"),
            Self::Bytes => f.write_str("bytes"),
            Self::One(scalar) => f.write_str(scalar.name()),
            Self::List(scalar) => write!(f, "[{}]", scalar.name()),
        }
    }
}

/// The bytes of one scalar, or what is wrong with its text.
fn encode(scalar: Scalar, text: &str) -> Result<Vec<u8>, String> {
    match scalar {
        Scalar::U8 => number::<u8>(text),
        Scalar::U16 => number::<u16>(text),
        Scalar::U32 => number::<u32>(text),
        Scalar::U64 => number::<u64>(text),
        Scalar::U128 => number::<u128>(text),
        Scalar::I8 => number::<i8>(text),
        Scalar::I16 => number::<i16>(text),
        Scalar::I32 => number::<i32>(text),
        Scalar::I64 => number::<i64>(text),
        Scalar::I128 => number::<i128>(text),
        Scalar::F32 => number::<f32>(text),
        Scalar::F64 => number::<f64>(text),
        Scalar::Bool => match text {
            "true" => Ok(true.into_bytes()),
            "false" => Ok(false.into_bytes()),
            _ => Err("it is `true` or `false`".to_owned()),
        },
        Scalar::Char => {
            let mut chars = text.chars();
            match (chars.next(), chars.next()) {
                (Some(char), None) => Ok(char.into_bytes()),
                _ => Err("it takes exactly one character".to_owned()),
            }
        }
    }
}

/// `bytes` are as many as [`Scalar::size`] says.
fn decode(scalar: Scalar, bytes: &[u8]) -> Result<String, String> {
    match scalar {
        Scalar::U8 => Ok(shown::<u8>(bytes)),
        Scalar::U16 => Ok(shown::<u16>(bytes)),
        Scalar::U32 => Ok(shown::<u32>(bytes)),
        Scalar::U64 => Ok(shown::<u64>(bytes)),
        Scalar::U128 => Ok(shown::<u128>(bytes)),
        Scalar::I8 => Ok(shown::<i8>(bytes)),
        Scalar::I16 => Ok(shown::<i16>(bytes)),
        Scalar::I32 => Ok(shown::<i32>(bytes)),
        Scalar::I64 => Ok(shown::<i64>(bytes)),
        Scalar::I128 => Ok(shown::<i128>(bytes)),
        Scalar::F32 => Ok(shown::<f32>(bytes)),
        Scalar::F64 => Ok(shown::<f64>(bytes)),
        Scalar::Bool => match bytes {
            [0] => Ok("false".to_owned()),
            [1] => Ok("true".to_owned()),
            _ => Err("a boolean is the byte 0 or 1".to_owned()),
        },
        Scalar::Char => {
            let code = u32::from_bytes(bytes.to_vec());
            let char = char::from_u32(code).ok_or_else(|| format!("{code:#x} is not a character"))?;
            Ok(char.to_string())
        }
    }
}

fn number<N: FromStr<Err: fmt::Display> + BytesConvertable>(text: &str) -> Result<Vec<u8>, String> {
    text.parse::<N>()
        .map(BytesConvertable::into_bytes)
        .map_err(|error| error.to_string())
}

fn shown<N: BytesConvertable + fmt::Display>(bytes: &[u8]) -> String {
    N::from_bytes(bytes.to_vec()).to_string()
}

fn did_you_mean(name: &str) -> String {
    let names = Scalar::NAMES
        .iter()
        .map(|(_, name)| *name)
        .chain(["str", "bytes", "unit"]);
    nearest(name, names).map_or_else(String::new, |nearest| format!(", did you mean {nearest:?}?"))
}
