//! The types of a message as the source of an actor names them: `u64`, `Vec<f64>`, `std::string::String`.
//!
//! An actor describes its messages with names in the words of its language. Those that are known stand for one type on the
//! wire; what any other name stands for, such as that of an alias or of a type of the actor's own, can't be known here.

use super::wire_type::{Scalar, Type};

impl Type {
    /// The type that an actor's description means by this name: Rust's names, those of WIT, and those of literals. None if
    /// the name is not one of them.
    pub fn from_source(name: &str) -> Option<Self> {
        let name = name.trim();
        if let Ok(ty) = name.parse() {
            return Some(ty);
        }
        if let Some(element) = list_of(name) {
            return match from_source_scalar(element)? {
                Scalar::U8 => Some(Self::Bytes),
                scalar => Some(Self::List(scalar)),
            };
        }
        match last_segment(name) {
            "()" => Some(Self::Unit),
            "String" | "string" => Some(Self::Str),
            other => from_source_scalar(other).map(Self::One),
        }
    }
}

/// What a list is of: `Vec<T>`, `list<T>`.
fn list_of(name: &str) -> Option<&str> {
    let (list, rest) = name.split_once('<')?;
    let known = matches!(last_segment(list), "Vec" | "list");
    rest.strip_suffix('>').filter(|_| known).map(str::trim)
}

fn from_source_scalar(name: &str) -> Option<Scalar> {
    let name = last_segment(name);
    let wit = [
        ("s8", Scalar::I8),
        ("s16", Scalar::I16),
        ("s32", Scalar::I32),
        ("s64", Scalar::I64),
    ];
    match name.parse() {
        Ok(Type::One(scalar)) => Some(scalar),
        _ => wit.iter().find(|(known, _)| *known == name).map(|(_, scalar)| *scalar),
    }
}

fn last_segment(name: &str) -> &str {
    name.rsplit("::").next().unwrap_or(name).trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_rust_and_of_wit_are_types_and_others_are_not() {
        for (name, expected) in [
            ("u64", "u64"),
            ("i128", "i128"),
            ("f32", "f32"),
            ("bool", "bool"),
            ("char", "char"),
            ("()", "unit"),
            ("String", "str"),
            ("std::string::String", "str"),
            ("string", "str"),
            ("Vec<u8>", "bytes"),
            ("list<u8>", "bytes"),
            ("Vec<f64>", "[f64]"),
            ("alloc::vec::Vec<char>", "[char]"),
            ("std::vec::Vec<core::primitive::u16>", "[u16]"),
            ("list<s32>", "[i32]"),
            ("s64", "i64"),
            ("bytes", "bytes"),
            ("[u8]", "[u8]"),
        ] {
            let ty = Type::from_source(name).map(|ty| ty.to_string());
            assert_eq!(ty.as_deref(), Some(expected), "{name}");
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
        ] {
            assert_eq!(Type::from_source(name), None, "{name}");
        }
    }
}
