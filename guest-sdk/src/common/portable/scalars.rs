//! Numbers, texts and the other types that hold one value.

use std::fmt::Write as _;

use super::json::Json;
use super::value::{LARGEST_INTEGER, Portable, PortableKey, Sink, Value, kind};

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
