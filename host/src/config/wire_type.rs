//! The types that literals and replies have on the wire, in the encoding of ractor's `BytesConvertable`.

use std::fmt;
use std::str::FromStr;

use ractor::BytesConvertable;

use super::nearest::nearest;

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

/// A value of a fixed size. Numbers are big-endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names of Rust's own types")]
pub enum Scalar {
    U8,
    U16,
    U32,
    U64,
    U128,
    I8,
    I16,
    I32,
    I64,
    I128,
    F32,
    F64,
    Bool,
    Char,
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

    /// The bytes of a value, or what is wrong with its text.
    pub(super) fn encode(self, text: &str) -> Result<Vec<u8>, String> {
        match self {
            Self::Unit if text.is_empty() => Ok(Vec::new()),
            Self::Unit => Err("it has no value, write `unit` alone".to_owned()),
            Self::Str => Ok(text.as_bytes().to_vec()),
            Self::Bytes => hex::decode(text).map_err(|error| format!("it takes hexadecimal digits in pairs ({error})")),
            Self::One(scalar) => scalar.encode(text),
            Self::List(_) if text.is_empty() => Ok(Vec::new()),
            Self::List(scalar) => {
                let mut bytes = Vec::new();
                for element in text.split(',') {
                    let element = if scalar == Scalar::Char {
                        element
                    } else {
                        element.trim()
                    };
                    bytes.extend(
                        scalar
                            .encode(element)
                            .map_err(|reason| format!("element {element:?}: {reason}"))?,
                    );
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
            Self::One(scalar) if bytes.len() == scalar.size() => scalar.decode(bytes).map_err(value),
            Self::One(scalar) => Err(length(scalar.size().to_string())),
            Self::List(scalar) => {
                let elements = bytes.chunks_exact(scalar.size());
                if !elements.remainder().is_empty() {
                    return Err(length(format!("a multiple of {}", scalar.size())));
                }
                let elements: Result<Vec<_>, _> = elements.map(|element| scalar.decode(element)).collect();
                Ok(elements.map_err(value)?.join(","))
            }
        }
    }
}

impl FromStr for Type {
    type Err = TypeError;

    fn from_str(name: &str) -> Result<Self, TypeError> {
        let scalar = |name: &str| {
            Scalar::NAMES
                .iter()
                .find(|(_, known)| *known == name)
                .map(|(scalar, _)| *scalar)
        };
        let ty = match name {
            "unit" => Some(Self::Unit),
            "str" => Some(Self::Str),
            "bytes" => Some(Self::Bytes),
            _ => match name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
                Some(element) => scalar(element).map(Self::List),
                None => scalar(name).map(Self::One),
            },
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

impl Scalar {
    const NAMES: [(Self, &str); 14] = [
        (Self::U8, "u8"),
        (Self::U16, "u16"),
        (Self::U32, "u32"),
        (Self::U64, "u64"),
        (Self::U128, "u128"),
        (Self::I8, "i8"),
        (Self::I16, "i16"),
        (Self::I32, "i32"),
        (Self::I64, "i64"),
        (Self::I128, "i128"),
        (Self::F32, "f32"),
        (Self::F64, "f64"),
        (Self::Bool, "bool"),
        (Self::Char, "char"),
    ];

    fn name(self) -> &'static str {
        Self::NAMES
            .iter()
            .find(|(scalar, _)| *scalar == self)
            .map_or("", |(_, name)| name)
    }

    /// In bytes.
    const fn size(self) -> usize {
        match self {
            Self::U8 | Self::I8 | Self::Bool => 1,
            Self::U16 | Self::I16 => 2,
            Self::U32 | Self::I32 | Self::F32 | Self::Char => 4,
            Self::U64 | Self::I64 | Self::F64 => 8,
            Self::U128 | Self::I128 => 16,
        }
    }

    fn encode(self, text: &str) -> Result<Vec<u8>, String> {
        match self {
            Self::U8 => number::<u8>(text),
            Self::U16 => number::<u16>(text),
            Self::U32 => number::<u32>(text),
            Self::U64 => number::<u64>(text),
            Self::U128 => number::<u128>(text),
            Self::I8 => number::<i8>(text),
            Self::I16 => number::<i16>(text),
            Self::I32 => number::<i32>(text),
            Self::I64 => number::<i64>(text),
            Self::I128 => number::<i128>(text),
            Self::F32 => number::<f32>(text),
            Self::F64 => number::<f64>(text),
            Self::Bool => match text {
                "true" => Ok(true.into_bytes()),
                "false" => Ok(false.into_bytes()),
                _ => Err("it is `true` or `false`".to_owned()),
            },
            Self::Char => {
                let mut chars = text.chars();
                match (chars.next(), chars.next()) {
                    (Some(char), None) => Ok(char.into_bytes()),
                    _ => Err("it takes exactly one character".to_owned()),
                }
            }
        }
    }

    /// `bytes` are as many as [`Scalar::size`] says.
    fn decode(self, bytes: &[u8]) -> Result<String, String> {
        match self {
            Self::U8 => Ok(shown::<u8>(bytes)),
            Self::U16 => Ok(shown::<u16>(bytes)),
            Self::U32 => Ok(shown::<u32>(bytes)),
            Self::U64 => Ok(shown::<u64>(bytes)),
            Self::U128 => Ok(shown::<u128>(bytes)),
            Self::I8 => Ok(shown::<i8>(bytes)),
            Self::I16 => Ok(shown::<i16>(bytes)),
            Self::I32 => Ok(shown::<i32>(bytes)),
            Self::I64 => Ok(shown::<i64>(bytes)),
            Self::I128 => Ok(shown::<i128>(bytes)),
            Self::F32 => Ok(shown::<f32>(bytes)),
            Self::F64 => Ok(shown::<f64>(bytes)),
            Self::Bool => match bytes {
                [0] => Ok("false".to_owned()),
                [1] => Ok("true".to_owned()),
                _ => Err("a boolean is the byte 0 or 1".to_owned()),
            },
            Self::Char => {
                let code = u32::from_bytes(bytes.to_vec());
                let char = char::from_u32(code).ok_or_else(|| format!("{code:#x} is not a character"))?;
                Ok(char.to_string())
            }
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
