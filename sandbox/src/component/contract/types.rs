//! The types of messages in words, by the grammar of docs/types.md: `u64`, `list<f64>`, `protobuf<shop.Order>`.
//!
//! A text that the grammar doesn't know stays what it is: a guest of tomorrow may say more than this host understands, and everything
//! else that it says is still of use.

use std::fmt;

/// The type of an argument, a reply or a start argument.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TypeExpr {
    /// `unit`: no bytes.
    Unit,
    /// `string`: UTF-8.
    String,
    /// `bytes`: as they are.
    Bytes,
    /// A number, a boolean or a character.
    Scalar(Scalar),
    /// `list<…>`, of anything but `u8`: the elements, one behind the other.
    List(Scalar),
    /// `protobuf<…>` and the like: a type of the actor's own, in this format and with this name.
    Named(Format, String),
    /// Text that is no type of the grammar.
    Unknown(String),
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

/// What the bytes of a type with a name are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// The length as a protobuf varint, then the message.
    Protobuf,
    /// UTF-8 of a JSON text.
    Json,
    /// A type of serde, in the format of ractor's feature `blanket_serde`.
    Pot,
    /// The type's own affair.
    Opaque,
}

impl TypeExpr {
    /// The type that a text of the grammar says. There is one text for each type, so spaces are none.
    pub fn parse(text: &str) -> Self {
        known(text).unwrap_or_else(|| Self::Unknown(text.to_owned()))
    }

    /// The type that a name in the words of the guest's language stands for: Rust's names, those of WIT, and those of the
    /// grammar. Components without the interface `contract` use these.
    pub fn from_source(name: &str) -> Self {
        let name = name.trim();
        let rust = || {
            if let Some(element) = argument_of(name, &["Vec", "list"]) {
                return match source_scalar(element)? {
                    Scalar::U8 => Some(Self::Bytes),
                    scalar => Some(Self::List(scalar)),
                };
            }
            // What guests in Rust called a type of serde before there were contracts.
            if let Some(name) = name.strip_prefix("pot(").and_then(|name| name.strip_suffix(')')) {
                return is_name(name).then(|| Self::Named(Format::Pot, name.to_owned()));
            }
            match last_segment(name) {
                "()" => Some(Self::Unit),
                "String" | "str" => Some(Self::String),
                other => source_scalar(other).map(Self::Scalar),
            }
        };
        known(name)
            .or_else(rust)
            .unwrap_or_else(|| Self::Unknown(name.to_owned()))
    }
}

impl fmt::Display for TypeExpr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unit => f.write_str("unit"),
            Self::String => f.write_str("string"),
            Self::Bytes => f.write_str("bytes"),
            Self::Scalar(scalar) => f.write_str(scalar.name()),
            Self::List(scalar) => write!(f, "list<{}>", scalar.name()),
            Self::Named(format, name) => write!(f, "{}<{name}>", format.name()),
            Self::Unknown(text) => f.write_str(text),
        }
    }
}

impl Scalar {
    /// Every scalar with its name.
    pub const NAMES: [(Self, &str); 14] = [
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

    /// The name, as the grammar has it.
    pub fn name(self) -> &'static str {
        let named = Self::NAMES.iter().find(|(scalar, _)| *scalar == self);
        named.map_or("", |(_, name)| name)
    }

    /// The scalar of this name.
    pub fn named(name: &str) -> Option<Self> {
        let named = Self::NAMES.iter().find(|(_, known)| *known == name);
        named.map(|(scalar, _)| *scalar)
    }

    /// The size of a value in bytes.
    pub const fn size(self) -> usize {
        match self {
            Self::U8 | Self::I8 | Self::Bool => 1,
            Self::U16 | Self::I16 => 2,
            Self::U32 | Self::I32 | Self::F32 | Self::Char => 4,
            Self::U64 | Self::I64 | Self::F64 => 8,
            Self::U128 | Self::I128 => 16,
        }
    }
}

impl Format {
    const NAMES: [(Self, &str); 4] = [
        (Self::Protobuf, "protobuf"),
        (Self::Json, "json"),
        (Self::Pot, "pot"),
        (Self::Opaque, "opaque"),
    ];

    /// The name, as the grammar has it.
    pub fn name(self) -> &'static str {
        let named = Self::NAMES.iter().find(|(format, _)| *format == self);
        named.map_or("", |(_, name)| name)
    }
}

/// The grammar, exactly.
fn known(text: &str) -> Option<TypeExpr> {
    match text {
        "unit" => return Some(TypeExpr::Unit),
        "string" => return Some(TypeExpr::String),
        "bytes" => return Some(TypeExpr::Bytes),
        _ => {}
    }
    let Some((head, rest)) = text.split_once('<') else {
        return Scalar::named(text).map(TypeExpr::Scalar);
    };
    let inner = rest.strip_suffix('>')?;
    if head == "list" {
        let element = Scalar::named(inner).filter(|element| *element != Scalar::U8);
        return element.map(TypeExpr::List);
    }
    let (format, _) = Format::NAMES.iter().find(|(_, name)| *name == head)?;
    is_name(inner).then(|| TypeExpr::Named(*format, inner.to_owned()))
}

/// Words of letters, digits, `_` and `-`, with dots in between.
fn is_name(text: &str) -> bool {
    let of_words = |character: char| character.is_alphanumeric() || matches!(character, '_' | '-');
    text.split('.')
        .all(|word| !word.is_empty() && word.chars().all(of_words))
}

/// The `T` of `Vec<T>`, whatever path leads to `Vec`.
fn argument_of<'a>(name: &'a str, lists: &[&str]) -> Option<&'a str> {
    let (list, rest) = name.split_once('<')?;
    let inner = rest.strip_suffix('>')?;
    lists.contains(&last_segment(list)).then(|| inner.trim())
}

fn source_scalar(name: &str) -> Option<Scalar> {
    let wit = [
        ("s8", Scalar::I8),
        ("s16", Scalar::I16),
        ("s32", Scalar::I32),
        ("s64", Scalar::I64),
    ];
    let name = last_segment(name);
    let of_wit = || wit.iter().find(|(known, _)| *known == name).map(|(_, scalar)| *scalar);
    Scalar::named(name).or_else(of_wit)
}

fn last_segment(name: &str) -> &str {
    name.rsplit("::").next().unwrap_or(name).trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_type_of_the_grammar_comes_back_from_its_text() {
        let mut types = vec![TypeExpr::Unit, TypeExpr::String, TypeExpr::Bytes];
        for (scalar, _) in Scalar::NAMES {
            types.push(TypeExpr::Scalar(scalar));
            if scalar != Scalar::U8 {
                types.push(TypeExpr::List(scalar));
            }
        }
        for (format, _) in Format::NAMES {
            for name in ["Order", "shop.Order", "shop.v1.Order-2_b", "Größe"] {
                types.push(TypeExpr::Named(format, name.to_owned()));
            }
        }
        for ty in types {
            assert_eq!(TypeExpr::parse(&ty.to_string()), ty);
            assert_eq!(TypeExpr::from_source(&ty.to_string()), ty);
        }
    }

    #[test]
    fn a_text_that_is_no_type_stays_as_it_is() {
        for text in [
            "",
            " u64",
            "u64 ",
            "U64",
            "usize",
            "list<u8>",
            "list<string>",
            "list<list<u64>>",
            "list<u64",
            "list<>",
            "protobuf<>",
            "protobuf<.Order>",
            "protobuf<a..b>",
            "json<a b>",
            "json<a<b>>",
            "avro<Order>",
            "option<u64>",
            "Vec<u64>",
            "()",
            "String",
            "pot(Order)",
        ] {
            let ty = TypeExpr::parse(text);
            assert_eq!(
                (&ty, ty.to_string().as_str()),
                (&TypeExpr::Unknown(text.to_owned()), text)
            );
        }
    }

    #[test]
    fn names_of_rust_and_of_wit_are_types_and_others_are_not() {
        for (name, expected) in [
            ("()", "unit"),
            ("String", "string"),
            ("str", "string"),
            ("std::string::String", "string"),
            ("Vec<u8>", "bytes"),
            ("list<u8>", "bytes"),
            ("Vec<f64>", "list<f64>"),
            ("alloc::vec::Vec<char>", "list<char>"),
            ("std::vec::Vec<core::primitive::u16>", "list<u16>"),
            ("list<s32>", "list<i32>"),
            ("s64", "i64"),
            (" u64 ", "u64"),
            ("pot(Order)", "pot<Order>"),
        ] {
            let ty = TypeExpr::from_source(name);
            assert!(!matches!(ty, TypeExpr::Unknown(_)), "{name}");
            assert_eq!(ty.to_string(), expected, "{name}");
        }
        for name in [
            "",
            "usize",
            "Count",
            "Vec<String>",
            "Vec<Vec<u8>>",
            "Option<u64>",
            "HashMap<u8, u8>",
            "Vec<u8",
            "pot(Vec<u8>)",
        ] {
            assert_eq!(TypeExpr::from_source(name), TypeExpr::Unknown(name.to_owned()));
        }
    }
}
