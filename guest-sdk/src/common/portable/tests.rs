//! The examples that every language checks its own implementation against: `tests/portable-state`.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

use std::collections::{BTreeMap, HashMap};

use serde_json::Value as Case;

use super::json::Json;
use super::*;

const VALID: &str = include_str!("../../../../tests/portable-state/valid.json");
const INVALID: &str = include_str!("../../../../tests/portable-state/invalid.json");

/// A type in a format of its own, by its number among those in the examples.
#[derive(Debug, PartialEq)]
struct Encoded<const TYPE: usize>(Vec<u8>);

const ENCODED: [&str; 3] = ["protobuf<shop.Order>", "pot<Order>", "opaque<Thing>"];

impl<const TYPE: usize> Portable for Encoded<TYPE> {
    fn portable_type() -> String {
        ENCODED[TYPE].to_owned()
    }

    fn write(&self, sink: &mut Sink) -> Result<(), String> {
        sink.bytes(&self.0);
        Ok(())
    }

    fn read(value: &Value<'_>) -> Result<Self, String> {
        value.bytes().map(Self)
    }
}

#[derive(Debug, PartialEq)]
struct Order(Case);

impl Portable for Order {
    fn portable_type() -> String {
        "json<Order>".to_owned()
    }

    fn write(&self, sink: &mut Sink) -> Result<(), String> {
        sink.json(&self.0.to_string())
    }

    fn read(value: &Value<'_>) -> Result<Self, String> {
        let text = value.json()?;
        serde_json::from_str(&text).map(Self).map_err(|error| error.to_string())
    }
}

/// A value as the examples say what it means.
trait Meaning: Portable {
    fn of(meaning: &Case) -> Self;
    fn is(&self, meaning: &Case) -> bool;
}

fn hex_of(meaning: &Case) -> Vec<u8> {
    hex::decode(meaning["hex"].as_str().unwrap()).unwrap()
}

macro_rules! scalars {
    ($($ty:ty),*) => {$(
        impl Meaning for $ty {
            fn of(meaning: &Case) -> Self {
                <Self as ractor::BytesConvertable>::from_bytes(hex_of(meaning))
            }

            fn is(&self, meaning: &Case) -> bool {
                <Self as ractor::BytesConvertable>::into_bytes(self.clone()) == hex_of(meaning)
            }
        }
    )*};
}

scalars!(
    u8,
    u16,
    u32,
    u64,
    u128,
    i8,
    i16,
    i32,
    i64,
    i128,
    f32,
    f64,
    bool,
    char,
    String,
    (),
    Vec<u8>
);
scalars!(Vec<u16>, Vec<u64>, Vec<i8>, Vec<f64>, Vec<bool>, Vec<char>, Vec<i64>);

macro_rules! lists {
    ($($ty:ty),*) => {$(
        impl Meaning for Vec<$ty> {
            fn of(meaning: &Case) -> Self {
                meaning["list"].as_array().unwrap().iter().map(<$ty>::of).collect()
            }

            fn is(&self, meaning: &Case) -> bool {
                let meanings = meaning["list"].as_array().unwrap();
                self.len() == meanings.len() && self.iter().zip(meanings).all(|(element, meaning)| element.is(meaning))
            }
        }
    )*};
}

lists!(String, Vec<u8>, Vec<u16>, (), Encoded<0>, Option<i8>);

impl<const TYPE: usize> Meaning for Encoded<TYPE> {
    fn of(meaning: &Case) -> Self {
        Self(hex_of(meaning))
    }

    fn is(&self, meaning: &Case) -> bool {
        self.0 == hex_of(meaning)
    }
}

impl Meaning for Order {
    fn of(meaning: &Case) -> Self {
        Self(meaning["json"].clone())
    }

    fn is(&self, meaning: &Case) -> bool {
        self.0 == meaning["json"]
    }
}

impl<T: Meaning> Meaning for Option<T> {
    fn of(meaning: &Case) -> Self {
        meaning.get("some").map(T::of)
    }

    fn is(&self, meaning: &Case) -> bool {
        match (self, meaning.get("some")) {
            (Some(some), Some(meaning)) => some.is(meaning),
            (none, meaning) => none.is_none() && meaning.is_none(),
        }
    }
}

impl<K: Meaning + PortableKey + Ord, V: Meaning> Meaning for BTreeMap<K, V> {
    fn of(meaning: &Case) -> Self {
        let entries = meaning["map"].as_array().unwrap();
        entries
            .iter()
            .map(|entry| (K::of(&entry[0]), V::of(&entry[1])))
            .collect()
    }

    fn is(&self, meaning: &Case) -> bool {
        let entries = meaning["map"].as_array().unwrap();
        let has = |entry: &Case| self.get(&K::of(&entry[0])).is_some_and(|value| value.is(&entry[1]));
        self.len() == entries.len() && entries.iter().all(has)
    }
}

/// What is done with a field whose type is known.
trait Task {
    fn on<T: Meaning>(&mut self) -> Result<(), PortableError>;
}

/// Does it with the type of this name. None if no field of the examples has such a type.
fn with_type(name: &str, task: &mut impl Task) -> Option<Result<(), PortableError>> {
    macro_rules! choose {
        ($($ty:ty),* $(,)?) => {{
            $(if name == <$ty>::portable_type() {
                return Some(task.on::<$ty>());
            })*
            None
        }};
    }
    choose!(
        u8, u16, u32, u64, u128, i8, i16, i32, i64, i128, f32, f64, bool, char, String, (), Vec<u8>,
        Vec<u16>, Vec<u64>, Vec<i8>, Vec<i64>, Vec<f64>, Vec<bool>, Vec<char>,
        Vec<String>, Vec<Vec<u8>>, Vec<Vec<u16>>, Vec<()>, Vec<Encoded<0>>,
        Encoded<0>, Encoded<1>, Encoded<2>, Order,
        Option<u64>, Option<()>, Option<Option<bool>>, Option<Order>,
        BTreeMap<String, u64>, BTreeMap<u32, bool>, BTreeMap<String, ()>, BTreeMap<i64, String>, BTreeMap<Vec<u8>, u8>,
        BTreeMap<bool, BTreeMap<char, u8>>, BTreeMap<String, Vec<Option<i8>>>, BTreeMap<u32, u64>,
    )
}

/// Reads one field and compares it.
struct ReadField<'a> {
    fields: &'a mut FieldsReader,
    name: &'a str,
    default: Option<&'a Case>,
    means: Option<&'a Case>,
}

impl Task for ReadField<'_> {
    fn on<T: Meaning>(&mut self) -> Result<(), PortableError> {
        let value = match self.default {
            Some(default) => self.fields.read_or(self.name, || T::of(default))?,
            None => self.fields.read::<T>(self.name)?,
        };
        if let Some(means) = self.means {
            assert!(value.is(means), "{} is not {means}", self.name);
        }
        Ok(())
    }
}

/// Writes one field that has this meaning.
struct WriteField<'a> {
    fields: &'a mut FieldsWriter,
    name: &'a str,
    means: &'a Case,
}

impl Task for WriteField<'_> {
    fn on<T: Meaning>(&mut self) -> Result<(), PortableError> {
        self.fields.write(self.name, &T::of(self.means))
    }
}

fn cases(text: &str) -> Vec<Case> {
    serde_json::from_str(text).unwrap()
}

fn state(case: &Case) -> Vec<u8> {
    match case["state"].as_str() {
        Some(text) => text.as_bytes().to_vec(),
        None => hex::decode(case["state-hex"].as_str().unwrap()).unwrap(),
    }
}

/// As `from_portable` of a struct with the declared fields.
fn read(case: &Case) -> Result<(), PortableError> {
    let mut fields = FieldsReader::of(&state(case))?;
    for declared in case["declared"].as_array().unwrap() {
        let name = declared["name"].as_str().unwrap();
        let mut task = ReadField {
            fields: &mut fields,
            name,
            default: declared.get("default"),
            means: case.get("means").map(|means| &means[name]),
        };
        let ty = declared["type"].as_str().unwrap();
        with_type(ty, &mut task).unwrap_or_else(|| panic!("{case}: no type is {ty}"))?;
    }
    match fields.0.first() {
        None => Ok(()),
        Some((undeclared, _)) => Err(PortableError::Undeclared(undeclared.clone())),
    }
}

fn written(case: &Case) -> Json {
    let mut fields = FieldsWriter::default();
    for declared in case["declared"].as_array().unwrap() {
        let name = declared["name"].as_str().unwrap();
        let mut task = WriteField {
            fields: &mut fields,
            name,
            means: &case["means"][name],
        };
        with_type(declared["type"].as_str().unwrap(), &mut task)
            .unwrap()
            .unwrap();
    }
    json::parse(&format!("{{\"ractor-state\":1,\"fields\":{{{}}}}}", fields.0.0)).unwrap()
}

/// Numbers by their value, objects in any order.
fn is_same(one: &Json, other: &Json) -> bool {
    match (one, other) {
        (Json::Number(one), Json::Number(other)) => one.parse::<f64>() == other.parse::<f64>(),
        (Json::Array(one), Json::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| is_same(one, other))
        }
        (Json::Object(one), Json::Object(other)) => {
            let find = |name| other.iter().find(|(other, _)| other == name).map(|(_, value)| value);
            one.len() == other.len()
                && one
                    .iter()
                    .all(|(name, value)| find(name).is_some_and(|other| is_same(value, other)))
        }
        (one, other) => one == other,
    }
}

#[test]
fn each_valid_example_means_what_it_should_and_is_written_so() {
    for case in cases(VALID) {
        if let Err(error) = read(&case) {
            panic!("{case}: {error}");
        }
        if case["written"] == true {
            let expected = json::parse(case["state"].as_str().unwrap()).unwrap();
            assert!(is_same(&written(&case), &expected), "{case}: {:?}", written(&case));
        }
    }
}

#[test]
fn each_invalid_example_is_refused_with_the_field_and_the_reason() {
    for case in cases(INVALID) {
        let error = read(&case).expect_err(case["name"].as_str().unwrap());
        let reason = match &error {
            PortableError::Format(_) | PortableError::Field { .. } => "format",
            PortableError::Missing(_) => "missing",
            PortableError::Undeclared(_) => "undeclared",
            PortableError::Type { .. } => "type",
            PortableError::Value { .. } => "value",
        };
        assert!(case["reason"].as_str().unwrap().contains(reason), "{case}: {error}");
        if let Some(field) = case["field"].as_str() {
            assert_eq!(error.field(), Some(field), "{case}: {error}");
            assert!(error.to_string().contains(&format!("`{field}`")), "{error}");
        }
    }
}

/// Every number keeps its bits, whichever form its digits take.
#[test]
fn numbers_come_back_to_the_bit() {
    fn back<T: Portable>(value: &T) -> T {
        let mut fields = FieldsWriter::default();
        fields.write("it", value).unwrap();
        let text = format!("{{\"ractor-state\":1,\"fields\":{{{}}}}}", fields.0.0);
        FieldsReader::of(text.as_bytes()).unwrap().read("it").unwrap()
    }
    let mut bits = 0x9e37_79b9_7f4a_7c15_u64;
    for _ in 0..20_000 {
        bits = bits
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let double = f64::from_bits(bits);
        assert!(back(&double).to_bits() == bits || double.is_nan(), "{double:e}");
        let single = f32::from_bits((bits >> 32) as u32);
        assert!(
            back(&single).to_bits() == single.to_bits() || single.is_nan(),
            "{single:e}"
        );
        assert_eq!(back(&bits), bits);
        let large = i128::from(bits.cast_signed()) << 64 | i128::from(bits);
        assert_eq!(back(&large), large);
    }
    let map: HashMap<String, f64> = [("a\"\n".to_owned(), 0.1), ("🦀".to_owned(), 1e300)].into();
    assert_eq!(back(&map), map);
}

/// Whatever a byte becomes, the state is read or refused.
#[test]
fn a_state_that_was_tampered_with_does_no_harm() {
    for case in cases(VALID) {
        let whole = state(&case);
        for at in 0..whole.len() {
            drop(FieldsReader::of(&whole[..at]).map(drop));
            for byte in [b'"', b'{', b']', b'\\', b'9', 0x80] {
                let mut changed = whole.clone();
                changed[at] = byte;
                if let Ok(mut fields) = FieldsReader::of(&changed) {
                    drop(fields.read::<BTreeMap<String, u64>>("it"));
                    drop(fields.read::<Order>("it"));
                }
            }
        }
    }
    let deep = "[".repeat(1_000_000);
    assert!(FieldsReader::of(deep.as_bytes()).is_err());
}

#[test]
fn fields_without_number_are_read_once_each() {
    use std::fmt::Write as _;
    let mut state = "{\"ractor-state\":1,\"fields\":{".to_owned();
    for number in 0..400_000 {
        write!(state, "\"{number}\":0,").unwrap();
    }
    state += "\"0\":0}}";
    // Each compared with each would take minutes.
    let error = FieldsReader::of(state.as_bytes()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "field `0` of the state has not the form of one: it is there twice"
    );
}
