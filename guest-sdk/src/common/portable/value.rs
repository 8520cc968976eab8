//! The types of portable state, and their values as JSON.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::hash::Hash;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::json::{self, Json};

/// The largest integer of which every JSON library makes the same number.
const LARGEST_INTEGER: f64 = 9_007_199_254_740_991.0;

/// A value of a state, as it was read.
#[derive(Debug)]
pub struct Value<'a>(pub(super) &'a Json);

impl<'a> Value<'a> {
    /// The bytes behind a text in base64: what types in a format of their own are.
    ///
    /// # Errors
    /// It isn't one.
    pub fn bytes(&self) -> Result<Vec<u8>, String> {
        let text = self.text()?;
        STANDARD
            .decode(text)
            .map_err(|error| format!("it is no base64 with padding: {error}"))
    }

    /// The text of a JSON value, of a type `json<…>`.
    ///
    /// # Errors
    /// It has a number or a string that not every language reads alike.
    pub fn json(&self) -> Result<String, String> {
        let mut text = String::new();
        rewrite(self.0, &mut text)?;
        Ok(text)
    }

    fn text(&self) -> Result<&'a str, String> {
        match self.0 {
            Json::String(Some(text)) => Ok(text),
            Json::String(None) => Err("the string has half of a surrogate pair".to_owned()),
            other => Err(format!("expected a string, found {}", kind(other))),
        }
    }

    fn elements(&self) -> Result<&'a [Json], String> {
        match self.0 {
            Json::Array(elements) => Ok(elements),
            other => Err(format!("expected an array, found {}", kind(other))),
        }
    }

    fn number(&self) -> Result<f64, String> {
        match self.0 {
            Json::Number(text) => text
                .parse::<f64>()
                .ok()
                .filter(|number| number.is_finite())
                .ok_or_else(|| format!("{text} is larger than any double")),
            other => Err(format!("expected a number, found {}", kind(other))),
        }
    }
}

/// What a value of a state is written to.
#[derive(Debug, Default)]
pub struct Sink(pub(super) String);

impl Sink {
    /// Bytes, in base64: what types in a format of their own are.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.text(&STANDARD.encode(bytes));
    }

    /// A JSON value, of a type `json<…>`.
    ///
    /// # Errors
    /// It is no JSON, or has a number or a string that not every language reads alike.
    pub fn json(&mut self, text: &str) -> Result<(), String> {
        rewrite(&json::parse(text)?, &mut self.0)
    }

    fn text(&mut self, text: &str) {
        json::write_string(&mut self.0, text);
    }

    fn display(&mut self, value: impl std::fmt::Display) {
        // Writing to a string can't fail.
        _ = write!(self.0, "{value}");
    }

    fn array<T>(
        &mut self,
        elements: impl IntoIterator<Item = T>,
        mut write: impl FnMut(&mut Self, T) -> Result<(), String>,
    ) -> Result<(), String> {
        self.0.push('[');
        for (at, element) in elements.into_iter().enumerate() {
            if at > 0 {
                self.0.push(',');
            }
            write(self, element)?;
        }
        self.0.push(']');
        Ok(())
    }
}

/// A type that a field of portable state can have: those of the grammar in docs/types.md, lists, options and maps of them.
///
/// A type of your own is one too if you implement this: with the bytes of its own format ([`Sink::bytes`], [`Value::bytes`]) under a name
/// such as `protobuf<shop.Order>` or `opaque<Order>`, or as JSON ([`Sink::json`], [`Value::json`]) under `json<Order>`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no type of portable state",
    note = "numbers, `bool`, `char`, `String`, `()`, and `Vec`, `Option`, `BTreeMap` and `HashMap` of them are; a type of your own can \
            implement `ractor::reload::Portable`"
)]
pub trait Portable: Sized {
    /// The type's name.
    fn portable_type() -> String;

    /// Writes the value.
    ///
    /// # Errors
    /// What not every language would read alike.
    fn write(&self, sink: &mut Sink) -> Result<(), String>;

    /// Reads a value.
    ///
    /// # Errors
    /// It is not exactly a value of this type.
    fn read(value: &Value<'_>) -> Result<Self, String>;

    /// The name of a list of these. Only that of `u8` isn't `list<…>`.
    #[doc(hidden)]
    fn list_type() -> String {
        format!("list<{}>", Self::portable_type())
    }

    /// Writes a list of these.
    #[doc(hidden)]
    fn write_list(list: &[Self], sink: &mut Sink) -> Result<(), String> {
        sink.array(list, |sink, element| element.write(sink))
    }

    /// Reads a list of these.
    #[doc(hidden)]
    fn read_list(value: &Value<'_>) -> Result<Vec<Self>, String> {
        let elements = value.elements()?.iter().enumerate();
        elements
            .map(|(at, element)| Self::read(&Value(element)).map_err(|reason| format!("element {at}: {reason}")))
            .collect()
    }
}

/// A type that the keys of a map in portable state can have.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be the key of a map in portable state",
    note = "integers, `bool`, `char`, `String` and `Vec<u8>` can"
)]
pub trait PortableKey: Portable + Eq {}

impl<T: Portable> Portable for Vec<T> {
    fn portable_type() -> String {
        T::list_type()
    }

    fn write(&self, sink: &mut Sink) -> Result<(), String> {
        T::write_list(self, sink)
    }

    fn read(value: &Value<'_>) -> Result<Self, String> {
        T::read_list(value)
    }
}

impl<T: Portable> Portable for Option<T> {
    fn portable_type() -> String {
        format!("option<{}>", T::portable_type())
    }

    fn write(&self, sink: &mut Sink) -> Result<(), String> {
        match self {
            Some(some) => sink.array([some], |sink, some| some.write(sink)),
            None => {
                sink.0.push_str("null");
                Ok(())
            }
        }
    }

    fn read(value: &Value<'_>) -> Result<Self, String> {
        if *value.0 == Json::Null {
            return Ok(None);
        }
        match value.elements()? {
            [some] => T::read(&Value(some)).map(Some),
            other => Err(format!("expected null or an array of one value, found {}", other.len())),
        }
    }
}

macro_rules! map {
    ($map:ident, $($bound:path),*) => {
        impl<K: PortableKey $(+ $bound)*, V: Portable> Portable for $map<K, V> {
            fn portable_type() -> String {
                format!("map<{}, {}>", K::portable_type(), V::portable_type())
            }

            fn write(&self, sink: &mut Sink) -> Result<(), String> {
                write_map(self.iter(), sink)
            }

            fn read(value: &Value<'_>) -> Result<Self, String> {
                let mut map = Self::new();
                for entry in value.elements()? {
                    let [key, value] = Value(entry).elements()? else {
                        return Err("expected arrays of a key and a value".to_owned());
                    };
                    let key = K::read(&Value(key)).map_err(|reason| format!("a key: {reason}"))?;
                    let value = V::read(&Value(value)).map_err(|reason| format!("the value of a key: {reason}"))?;
                    if map.insert(key, value).is_some() {
                        return Err("a key is there twice".to_owned());
                    }
                }
                Ok(map)
            }
        }
    };
}

map!(BTreeMap, Ord);
map!(HashMap, Hash);

fn write_map<'a, K: PortableKey + 'a, V: Portable + 'a>(
    entries: impl Iterator<Item = (&'a K, &'a V)>,
    sink: &mut Sink,
) -> Result<(), String> {
    let mut sorted = Vec::new();
    for (key, value) in entries {
        let mut written = Sink::default();
        key.write(&mut written)?;
        // By the text and not by its JSON, where an escape would change the order.
        let text = match json::parse(&written.0)? {
            Json::String(Some(text)) => text,
            _ => written.0.clone(),
        };
        sorted.push((text, written.0, value));
    }
    sorted.sort_by(|(one, ..), (other, ..)| one.cmp(other));
    sink.array(sorted, |sink, (_, key, value)| {
        sink.0.push('[');
        sink.0.push_str(&key);
        sink.0.push(',');
        value.write(sink)?;
        sink.0.push(']');
        Ok(())
    })
}

/// The type's name is Rust's, and lists of it are those of `Portable`.
macro_rules! named {
    ($name:expr) => {
        fn portable_type() -> String {
            $name.to_owned()
        }
    };
}

macro_rules! small_integer {
    ($($ty:ty),*) => {$(
        impl Portable for $ty {
            named!(stringify!($ty));

            fn write(&self, sink: &mut Sink) -> Result<(), String> {
                sink.display(self);
                Ok(())
            }

            fn read(value: &Value<'_>) -> Result<Self, String> {
                small(value)
            }
        }

        impl PortableKey for $ty {}
    )*};
}

macro_rules! large_integer {
    ($($ty:ty),*) => {$(
        impl Portable for $ty {
            named!(stringify!($ty));

            fn write(&self, sink: &mut Sink) -> Result<(), String> {
                sink.text(&self.to_string());
                Ok(())
            }

            fn read(value: &Value<'_>) -> Result<Self, String> {
                let text = value.text()?;
                let number = text.parse::<Self>().ok();
                // There is one text for each number, which the parser of Rust doesn't insist on.
                number.filter(|number| number.to_string() == text).ok_or_else(|| out_of_range(text))
            }
        }

        impl PortableKey for $ty {}
    )*};
}

small_integer!(u16, u32, i8, i16, i32);
large_integer!(u64, u128, i64, i128);

/// As the others, but that a list of it is `bytes`.
impl Portable for u8 {
    named!("u8");

    fn write(&self, sink: &mut Sink) -> Result<(), String> {
        sink.display(self);
        Ok(())
    }

    fn read(value: &Value<'_>) -> Result<Self, String> {
        small(value)
    }

    fn list_type() -> String {
        "bytes".to_owned()
    }

    fn write_list(list: &[Self], sink: &mut Sink) -> Result<(), String> {
        sink.bytes(list);
        Ok(())
    }

    fn read_list(value: &Value<'_>) -> Result<Vec<Self>, String> {
        value.bytes()
    }
}

fn small<T: TryFrom<i64>>(value: &Value<'_>) -> Result<T, String> {
    let number = value.number()?;
    let whole = (number.fract() == 0.0 && number.abs() <= LARGEST_INTEGER).then(|| {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "it is whole, and far from the bounds of an i64"
        )]
        let whole = number as i64;
        whole
    });
    whole
        .and_then(|whole| T::try_from(whole).ok())
        .ok_or_else(|| out_of_range(&number.to_string()))
}

fn out_of_range(text: &str) -> String {
    format!("{text:?} is no number that the type has")
}

impl Portable for f64 {
    named!("f64");

    fn write(&self, sink: &mut Sink) -> Result<(), String> {
        write_float(*self, sink);
        Ok(())
    }

    fn read(value: &Value<'_>) -> Result<Self, String> {
        let special = match value.0 {
            Json::String(Some(text)) => match text.as_str() {
                "NaN" => Some(Self::NAN),
                "Infinity" => Some(Self::INFINITY),
                "-Infinity" => Some(Self::NEG_INFINITY),
                "-0" => Some(-0.0),
                _ => None,
            },
            _ => None,
        };
        match special {
            Some(special) => Ok(special),
            // A number has no sign of zero: not every JSON library keeps it.
            None => value.number().map(|number| number + 0.0),
        }
    }
}

impl Portable for f32 {
    named!("f32");

    fn write(&self, sink: &mut Sink) -> Result<(), String> {
        write_float(f64::from(*self), sink);
        Ok(())
    }

    fn read(value: &Value<'_>) -> Result<Self, String> {
        let double = f64::read(value)?;
        #[expect(
            clippy::cast_possible_truncation,
            reason = "that nothing is lost is seen right below"
        )]
        let single = double as Self;
        if f64::from(single) == double || double.is_nan() {
            Ok(single)
        } else {
            Err(format!("{double} is no f32"))
        }
    }
}

fn write_float(number: f64, sink: &mut Sink) {
    match number {
        _ if number.is_nan() => sink.text("NaN"),
        f64::INFINITY => sink.text("Infinity"),
        f64::NEG_INFINITY => sink.text("-Infinity"),
        _ if number == 0.0 && number.is_sign_negative() => sink.text("-0"),
        // With an exponent where the digits would be many; always JSON, and read back as the same number.
        _ => _ = write!(sink.0, "{number:?}"),
    }
}

impl Portable for bool {
    named!("bool");

    fn write(&self, sink: &mut Sink) -> Result<(), String> {
        sink.display(self);
        Ok(())
    }

    fn read(value: &Value<'_>) -> Result<Self, String> {
        match value.0 {
            Json::Bool(value) => Ok(*value),
            other => Err(format!("expected true or false, found {}", kind(other))),
        }
    }
}

impl Portable for char {
    named!("char");

    fn write(&self, sink: &mut Sink) -> Result<(), String> {
        sink.text(self.encode_utf8(&mut [0; 4]));
        Ok(())
    }

    fn read(value: &Value<'_>) -> Result<Self, String> {
        let text = value.text()?;
        let mut characters = text.chars();
        match (characters.next(), characters.next()) {
            (Some(character), None) => Ok(character),
            _ => Err(format!("{text:?} is not one character")),
        }
    }
}

impl Portable for String {
    named!("string");

    fn write(&self, sink: &mut Sink) -> Result<(), String> {
        sink.text(self);
        Ok(())
    }

    fn read(value: &Value<'_>) -> Result<Self, String> {
        value.text().map(str::to_owned)
    }
}

impl Portable for () {
    named!("unit");

    fn write(&self, sink: &mut Sink) -> Result<(), String> {
        sink.0.push_str("null");
        Ok(())
    }

    fn read(value: &Value<'_>) -> Result<Self, String> {
        match value.0 {
            Json::Null => Ok(()),
            other => Err(format!("expected null, found {}", kind(other))),
        }
    }
}

impl PortableKey for u8 {}
impl PortableKey for bool {}
impl PortableKey for char {}
impl PortableKey for String {}
impl PortableKey for Vec<u8> {}

/// A JSON value as text, if every language reads it alike.
fn rewrite(value: &Json, out: &mut String) -> Result<(), String> {
    match value {
        Json::Null => out.push_str("null"),
        Json::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Json::Number(text) => {
            let number = Value(value).number()?;
            if number.fract() == 0.0 && number.abs() > LARGEST_INTEGER {
                return Err(format!(
                    "{text} is an integer that not every language reads alike; make it a string"
                ));
            }
            out.push_str(text);
        }
        Json::String(_) => json::write_string(out, Value(value).text()?),
        Json::Array(elements) => {
            out.push('[');
            rewrite_all(&mut elements.iter().map(|element| (None, element)), out)?;
            out.push(']');
        }
        Json::Object(entries) => {
            out.push('{');
            rewrite_all(&mut entries.iter().map(|(key, value)| (Some(key), value)), out)?;
            out.push('}');
        }
    }
    Ok(())
}

fn rewrite_all(
    values: &mut dyn Iterator<Item = (Option<&Option<String>>, &Json)>,
    out: &mut String,
) -> Result<(), String> {
    for (at, (key, value)) in values.enumerate() {
        if at > 0 {
            out.push(',');
        }
        if let Some(key) = key {
            let key = key.as_deref().ok_or("a key has half of a surrogate pair")?;
            json::write_string(out, key);
            out.push(':');
        }
        rewrite(value, out)?;
    }
    Ok(())
}

fn kind(value: &Json) -> &'static str {
    match value {
        Json::Null => "null",
        Json::Bool(_) => "a boolean",
        Json::Number(_) => "a number",
        Json::String(_) => "a string",
        Json::Array(_) => "an array",
        Json::Object(_) => "an object",
    }
}
