//! Arguments and replies as JSON values.
//!
//! Numbers are numbers, up to 64 bits; those of 128 bits, and what JSON has no number for (`NaN`), are strings. Every number may be
//! written as a string, since some programs can't write large ones otherwise. Bytes are hexadecimal digits, no value is `null`.

use serde_json::{Number, Value};

use super::encoding::{Encoding, NotDecoded, NotEncoded};
use crate::config::{Literal, LiteralError, Type};
use crate::guest::Scalar;

/// The bytes of a value.
pub(crate) fn encode(encoding: &Encoding, value: &Value) -> Result<Literal, NotEncoded> {
    match (encoding, value) {
        (Encoding::Plain(ty), value) => Ok(plain(*ty, value)?),
        (Encoding::Json | Encoding::Protobuf(_), value) => encoding.encode(&value.to_string()),
    }
}

/// The value that these bytes are.
pub(crate) fn decode(encoding: &Encoding, bytes: &[u8]) -> Result<Value, NotDecoded> {
    match encoding {
        Encoding::Plain(Type::List(scalar)) => {
            // The whole first, which says what is wrong with the number of bytes.
            encoding.decode(bytes)?;
            let elements = bytes.chunks(scalar.size());
            let elements = elements.map(|element| Ok(shown(*scalar, Type::One(*scalar).decode(element)?)));
            Ok(Value::Array(elements.collect::<Result<_, NotDecoded>>()?))
        }
        Encoding::Plain(Type::One(scalar)) => Ok(shown(*scalar, encoding.decode(bytes)?)),
        Encoding::Plain(Type::Unit) => encoding.decode(bytes).map(|_| Value::Null),
        Encoding::Plain(Type::Str | Type::Bytes) => encoding.decode(bytes).map(Value::String),
        Encoding::Json | Encoding::Protobuf(_) => {
            let text = encoding.decode(bytes)?;
            serde_json::from_str(&text).map_err(|error| NotDecoded::Json(error.to_string()))
        }
    }
}

fn plain(ty: Type, value: &Value) -> Result<Literal, LiteralError> {
    match (ty, value) {
        (Type::Unit, Value::Null) => Literal::of(ty, ""),
        (Type::List(scalar), Value::Array(elements)) => {
            let mut bytes = Vec::new();
            for element in elements {
                bytes.extend(plain(Type::One(scalar), element)?.into_bytes());
            }
            Ok(Literal::from_bytes(bytes))
        }
        (Type::Str | Type::Bytes, Value::String(text)) => Literal::of(ty, text),
        (Type::One(Scalar::Bool), Value::Bool(value)) => Literal::of(ty, &value.to_string()),
        (Type::One(Scalar::Char), Value::String(text)) => Literal::of(ty, text),
        (Type::One(scalar), Value::String(text)) if is_number(scalar) => Literal::of(ty, text),
        (Type::One(scalar), Value::Number(number)) if is_number(scalar) => Literal::of(ty, &number.to_string()),
        _ => Err(LiteralError::Value {
            ty,
            text: value.to_string(),
            reason: format!("it takes {}", takes(ty)),
        }),
    }
}

fn is_number(scalar: Scalar) -> bool {
    !matches!(scalar, Scalar::Bool | Scalar::Char)
}

/// What a type takes, in the words of JSON.
fn takes(ty: Type) -> &'static str {
    match ty {
        Type::Unit => "null",
        Type::Str => "a string",
        Type::Bytes => "a string of hexadecimal digits",
        Type::One(Scalar::Bool) => "true or false",
        Type::One(Scalar::Char) => "a string of one character",
        Type::One(_) => "a number, or a string that has one",
        Type::List(_) => "an array",
    }
}

/// A scalar whose text is given.
fn shown(scalar: Scalar, text: String) -> Value {
    match scalar {
        Scalar::Bool => Value::Bool(text == "true"),
        Scalar::Char | Scalar::U128 | Scalar::I128 => Value::String(text),
        _ => match text.parse::<Number>() {
            Ok(number) => Value::Number(number),
            Err(_) => Value::String(text),
        },
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(ty: &str, value: &Value, expected_hex: &str) {
        let encoding = Encoding::Plain(ty.parse().unwrap());
        let bytes = encode(&encoding, value).unwrap().into_bytes();
        assert_eq!(hex::encode(&bytes), expected_hex, "{ty} {value}");
        assert_eq!(
            decode(&encoding, &bytes).unwrap(),
            *value,
            "{ty} {value}, back from its bytes"
        );
    }

    #[test]
    fn a_value_becomes_bytes_and_comes_back() {
        check("u64", &json!(5), "0000000000000005");
        check("u64", &json!(u64::MAX), "ffffffffffffffff");
        check("i8", &json!(-1), "ff");
        check("u128", &json!(u128::MAX.to_string()), &"ff".repeat(16));
        check("f64", &json!(1.5), "3ff8000000000000");
        check("f64", &json!("NaN"), "7ff8000000000000");
        check("bool", &json!(true), "01");
        check("char", &json!("ä"), "000000e4");
        check("string", &json!("u64:5"), "7536343a35");
        check("bytes", &json!("00ff"), "00ff");
        check("unit", &Value::Null, "");
        check("list<u16>", &json!([1, 2]), "00010002");
        check("list<char>", &json!([",", "a"]), "0000002c00000061");
        check("list<bool>", &json!([]), "");
        let json = Encoding::Json;
        let value = json!({"a": [1, null]});
        let bytes = encode(&json, &value).unwrap().into_bytes();
        assert_eq!(decode(&json, &bytes).unwrap(), value);
    }

    #[test]
    fn a_large_number_may_be_a_string() {
        let encoding = Encoding::Plain("u64".parse().unwrap());
        assert_eq!(
            encode(&encoding, &json!("9007199254740993")).unwrap(),
            "u64:9007199254740993".parse().unwrap()
        );
    }

    #[test]
    fn a_value_of_another_kind_is_refused() {
        for (ty, value, expected) in [
            (
                "u64",
                json!(true),
                "\"true\" is not a value of type u64: it takes a number, or a string that has one",
            ),
            (
                "u64",
                json!(-1),
                "\"-1\" is not a value of type u64: invalid digit found in string",
            ),
            (
                "u8",
                json!(1.5),
                "\"1.5\" is not a value of type u8: invalid digit found in string",
            ),
            (
                "string",
                json!(5),
                "\"5\" is not a value of type str: it takes a string",
            ),
            (
                "bool",
                json!("true"),
                "\"\\\"true\\\"\" is not a value of type bool: it takes true or false",
            ),
            ("unit", json!({}), "\"{}\" is not a value of type unit: it takes null"),
            (
                "list<u16>",
                json!([1, "x"]),
                "\"x\" is not a value of type u16: invalid digit found in string",
            ),
            (
                "bytes",
                json!("0g"),
                "\"0g\" is not a value of type bytes: it takes hexadecimal digits in pairs (Invalid character 'g' at position 1)",
            ),
        ] {
            let encoding = Encoding::Plain(ty.parse().unwrap());
            let error = encode(&encoding, &value).unwrap_err();
            assert_eq!(error.to_string(), expected, "{ty} {value}");
        }
    }
}
