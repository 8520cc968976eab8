//! Typed literals: how a person writes the bytes of a message argument, `u64:5`, and reads those of a reply.
//!
//! The bytes are those of ractor's `BytesConvertable`, the encoding that every actor of a cluster agrees on. A literal
//! is `TYPE:TEXT`; the types are listed by [`Type::ALL`].

use std::str::FromStr;

use super::wire_type::{Type, TypeError};

/// The bytes of one literal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Literal(Vec<u8>);

/// Text that is no literal.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LiteralError {
    /// There is no `TYPE:` in front.
    #[error("{0:?} does not say its type: write for example `u64:5`, `str:hi` or `unit`")]
    NoType(String),
    /// What is in front of the colon is no type.
    #[error("{0}")]
    Type(#[from] TypeError),
    /// The text is not a value of the type.
    #[error("{text:?} is not a value of type {ty}: {reason}")]
    Value {
        /// The type that the literal names.
        ty: Type,
        /// What follows the colon.
        text: String,
        /// What is wrong with it, or what the type takes.
        reason: String,
    },
}

impl Literal {
    /// The value of this type that the text stands for.
    ///
    /// # Errors
    /// The text is not a value of the type.
    pub fn of(ty: Type, text: &str) -> Result<Self, LiteralError> {
        ty.encode(text).map(Self).map_err(|reason| LiteralError::Value {
            ty,
            text: text.to_owned(),
            reason,
        })
    }

    /// A value whose bytes are these.
    pub fn from_bytes(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The bytes, as `BytesConvertable` makes them.
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    /// The arguments of a message, as a variant with these fields carries them: for each a `u64` big-endian length and
    /// its bytes.
    pub fn message_arguments(literals: &[Self]) -> Vec<u8> {
        let mut arguments = Vec::new();
        for Self(bytes) in literals {
            let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
            arguments.extend_from_slice(&length.to_be_bytes());
            arguments.extend_from_slice(bytes);
        }
        arguments
    }
}

impl FromStr for Literal {
    type Err = LiteralError;

    fn from_str(literal: &str) -> Result<Self, LiteralError> {
        let (ty, text) = match literal.split_once(':') {
            Some((name, text)) => (name.parse()?, text),
            None if literal == "unit" => (Type::Unit, ""),
            None => return Err(LiteralError::NoType(literal.to_owned())),
        };
        Self::of(ty, text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(literal: &str, expected_hex: &str) {
        let bytes = literal.parse::<Literal>().unwrap().into_bytes();
        assert_eq!(hex::encode(&bytes), expected_hex, "{literal}");
        let (ty, text) = literal.split_once(':').unwrap_or((literal, "()"));
        assert_eq!(
            ty.parse::<Type>().unwrap().decode(&bytes).unwrap(),
            text,
            "{literal}, back from its bytes"
        );
    }

    #[track_caller]
    fn check_named(literal: &str, expected_hex: &str) {
        let bytes = literal.parse::<Literal>().unwrap().into_bytes();
        assert_eq!(
            hex::encode(bytes),
            expected_hex,
            "{literal}, by the name of descriptions"
        );
    }

    #[test]
    fn a_literal_has_the_bytes_of_its_type_and_comes_back() {
        check("u8:255", "ff");
        check("u16:258", "0102");
        check("u32:1", "00000001");
        check("u64:5", "0000000000000005");
        check("u128:340282366920938463463374607431768211455", &"ff".repeat(16));
        check("i8:-1", "ff");
        check("i16:-2", "fffe");
        check("i32:-3", "fffffffd");
        check("i64:-9223372036854775808", "8000000000000000");
        check("i128:-1", &"ff".repeat(16));
        check("f32:1.5", "3fc00000");
        check("f64:1.5", "3ff8000000000000");
        check("bool:true", "01");
        check("bool:false", "00");
        check("char:ä", "000000e4");
        check("str:hi: there ", "68693a20746865726520");
        check("str:", "");
        check("bytes:00ff", "00ff");
        check("bytes:", "");
        check("unit", "");
        check("[u64]:1,2", "00000000000000010000000000000002");
        check("[i8]:-1,1", "ff01");
        check("[bool]:true,false", "0100");
        check("[u16]:", "");
        check_named("string:hi", "6869");
        check_named("list<u16>:1,2", "00010002");
    }

    #[track_caller]
    fn check_refused(literal: &str, expected: &str) {
        assert_eq!(literal.parse::<Literal>().unwrap_err().to_string(), expected);
    }

    #[test]
    fn a_wrong_literal_says_what_is_wrong() {
        check_refused(
            "5",
            r#""5" does not say its type: write for example `u64:5`, `str:hi` or `unit`"#,
        );
        check_refused(
            "u46:5",
            &format!(
                r#"there is no type "u46", did you mean "u64"?; the types are {}"#,
                Type::ALL
            ),
        );
        check_refused(
            "u64:-5",
            r#""-5" is not a value of type u64: invalid digit found in string"#,
        );
        check_refused(
            "u8:256",
            r#""256" is not a value of type u8: number too large to fit in target type"#,
        );
        check_refused(
            "bool:yes",
            r#""yes" is not a value of type bool: it is `true` or `false`"#,
        );
        check_refused(
            "char:ab",
            r#""ab" is not a value of type char: it takes exactly one character"#,
        );
        check_refused(
            "unit:1",
            r#""1" is not a value of type unit: it has no value, write `unit` alone"#,
        );
        check_refused(
            "bytes:abc",
            r#""abc" is not a value of type bytes: it takes hexadecimal digits in pairs (Odd number of digits)"#,
        );
        check_refused(
            "[u8]:1,x",
            r#""1,x" is not a value of type [u8]: element "x": invalid digit found in string"#,
        );
    }

    #[track_caller]
    fn check_reply(ty: &str, bytes: &[u8], expected: &str) {
        let error = ty.parse::<Type>().unwrap().decode(bytes).unwrap_err();
        assert_eq!(error.to_string(), expected);
    }

    #[test]
    fn a_reply_of_another_type_is_refused() {
        check_reply(
            "u64",
            &[1, 2, 3],
            "the reply has 3 bytes, u64 takes 8; try --reply bytes",
        );
        check_reply(
            "unit",
            &[1],
            "the reply has 1 bytes, unit takes none; try --reply bytes",
        );
        check_reply(
            "[u16]",
            &[1, 2, 3],
            "the reply has 3 bytes, [u16] takes a multiple of 2; try --reply bytes",
        );
        check_reply(
            "str",
            b"ab\xff",
            "the reply is not a value of type str: it is not UTF-8 from byte 2 on; try --reply bytes",
        );
        check_reply(
            "bool",
            &[2],
            "the reply is not a value of type bool: a boolean is the byte 0 or 1; try --reply bytes",
        );
        check_reply(
            "char",
            &[0, 0, 0xd8, 0],
            "the reply is not a value of type char: 0xd800 is not a character; try --reply bytes",
        );
    }

    #[test]
    fn arguments_of_a_message_carry_their_lengths() {
        let literals: Vec<Literal> = ["u8:7", "unit", "str:hi"]
            .iter()
            .map(|text| text.parse().unwrap())
            .collect();
        let expected = "000000000000000107\
                        0000000000000000\
                        00000000000000026869";
        assert_eq!(hex::encode(Literal::message_arguments(&literals)), expected);
    }
}
