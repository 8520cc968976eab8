//! Arguments and replies as bytes.

use std::collections::BTreeMap;

/// A value as bytes: those of ractor's `BytesConvertable`, and what a test makes by hand.
pub(crate) trait Value {
    fn bytes(self) -> Vec<u8>;
}

impl Value for &str {
    fn bytes(self) -> Vec<u8> {
        self.as_bytes().to_vec()
    }
}

impl Value for &String {
    fn bytes(self) -> Vec<u8> {
        self.as_bytes().to_vec()
    }
}

impl Value for &[u8] {
    fn bytes(self) -> Vec<u8> {
        self.to_vec()
    }
}

macro_rules! values {
    ($($number:ty),*) => {$(
        impl Value for $number {
            fn bytes(self) -> Vec<u8> {
                self.to_be_bytes().to_vec()
            }
        }

        impl Value for &[$number] {
            fn bytes(self) -> Vec<u8> {
                self.iter().flat_map(|number| number.to_be_bytes()).collect()
            }
        }
    )*};
}

values!(u16, u32, u64, u128, i8, i16, i32, i64, i128, f32, f64);

impl Value for u8 {
    fn bytes(self) -> Vec<u8> {
        vec![self]
    }
}

impl Value for bool {
    fn bytes(self) -> Vec<u8> {
        vec![u8::from(self)]
    }
}

impl Value for char {
    fn bytes(self) -> Vec<u8> {
        u32::from(self).bytes()
    }
}

impl Value for &[bool] {
    fn bytes(self) -> Vec<u8> {
        self.iter().map(|value| u8::from(*value)).collect()
    }
}

impl Value for &[char] {
    fn bytes(self) -> Vec<u8> {
        self.iter().flat_map(|value| value.bytes()).collect()
    }
}

/// Arguments, each behind its length.
macro_rules! args {
    ($($value:expr),* $(,)?) => {{
        #[allow(unused_mut, reason = "there may be none")]
        let mut arguments: Vec<u8> = Vec::new();
        $(crate::wire::push(&mut arguments, &crate::wire::Value::bytes($value));)*
        arguments
    }};
}

pub(crate) use args;

pub(crate) fn push(arguments: &mut Vec<u8>, value: &[u8]) {
    arguments.extend_from_slice(&(value.len() as u64).to_be_bytes());
    arguments.extend_from_slice(value);
}

/// A reply as a number.
pub(crate) fn number(bytes: &[u8]) -> u64 {
    match bytes.len() {
        4 => u32::from_be_bytes(bytes.try_into().expect("four bytes")).into(),
        _ => u64::from_be_bytes(bytes.try_into().expect("eight bytes")),
    }
}

/// A reply as a text.
pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("a text")
}

/// A reply as numbers.
pub(crate) fn numbers(bytes: &[u8]) -> Vec<u64> {
    bytes.chunks(8).map(number).collect()
}

/// The fields of a protobuf message that is behind its length: for each number what came, in order. Numbers are as they are, the
/// rest are bytes.
pub(crate) fn fields(mut bytes: &[u8]) -> BTreeMap<u64, Vec<Vec<u8>>> {
    let mut fields: BTreeMap<u64, Vec<Vec<u8>>> = BTreeMap::new();
    assert_eq!(varint(&mut bytes), bytes.len() as u64, "the length in front");
    while !bytes.is_empty() {
        let key = varint(&mut bytes);
        let number = varint(&mut bytes);
        let value = match key & 7 {
            0 => number.to_be_bytes().to_vec(),
            2 => {
                let (value, rest) = bytes.split_at(usize::try_from(number).expect("a length"));
                bytes = rest;
                value.to_vec()
            }
            other => panic!("a field of the wire type {other}"),
        };
        fields.entry(key >> 3).or_default().push(value);
    }
    fields
}

fn varint(bytes: &mut &[u8]) -> u64 {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first().expect("a varint goes on");
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if *byte < 0x80 {
            return value;
        }
    }
    panic!("a varint of more than ten bytes")
}

/// An order as protobuf, behind its length.
pub(crate) fn order(id: &str, quantity: u64, items: &[&str], blob: &[u8]) -> Vec<u8> {
    let mut message = Vec::new();
    let mut field = |key: u8, value: &[u8]| {
        message.push(key);
        put_varint(&mut message, value.len() as u64);
        message.extend_from_slice(value);
    };
    if !id.is_empty() {
        field(0x0a, id.as_bytes());
    }
    for item in items {
        field(0x1a, item.as_bytes());
    }
    if !blob.is_empty() {
        field(0x22, blob);
    }
    if quantity != 0 {
        message.push(0x10);
        put_varint(&mut message, quantity);
    }
    let mut whole = Vec::new();
    put_varint(&mut whole, message.len() as u64);
    whole.extend(message);
    whole
}

fn put_varint(bytes: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        bytes.push(0x80 | u8::try_from(value & 0x7f).expect("seven bits"));
        value >>= 7;
    }
    bytes.push(u8::try_from(value).expect("seven bits"));
}
