//! ractor's own format: numbers big-endian, `bool` one byte, `char` as `u32`, strings as UTF-8, `()` as nothing, a vector as
//! its elements one after the other.

use super::{BytesConvertable, DecodeError, or_panic};

/// The body of `from_bytes` for a type whose decoding is fallible.
macro_rules! infallible {
    () => {
        fn from_bytes(bytes: Vec<u8>) -> Self {
            or_panic(Self::try_from_bytes(bytes))
        }
    };
}

/// The name of a type in the grammar of docs/types.md.
macro_rules! described_as {
    ($name:expr) => {
        fn described_as() -> String {
            $name.to_owned()
        }
    };
}

macro_rules! number {
    ($($ty:ty),*) => {$(
        impl BytesConvertable for $ty {
            fn into_bytes(self) -> Vec<u8> {
                self.to_be_bytes().to_vec()
            }

            infallible!();

            fn try_from_bytes(bytes: Vec<u8>) -> Result<Self, DecodeError> {
                fixed(&bytes).map(<$ty>::from_be_bytes)
            }

            described_as!(stringify!($ty));
        }
    )*};
}

macro_rules! vector {
    ($($ty:ty),*) => {$(
        impl BytesConvertable for Vec<$ty> {
            fn into_bytes(self) -> Vec<u8> {
                self.into_iter().flat_map(<$ty>::to_be_bytes).collect()
            }

            infallible!();

            fn try_from_bytes(bytes: Vec<u8>) -> Result<Self, DecodeError> {
                elements(&bytes, |element| Ok(<$ty>::from_be_bytes(element)))
            }

            described_as!(concat!("list<", stringify!($ty), ">"));
        }
    )*};
}

number!(u8, u16, u32, u64, u128, i8, i16, i32, i64, i128, f32, f64);
vector!(u16, u32, u64, u128, i8, i16, i32, i64, i128, f32, f64);

impl BytesConvertable for () {
    fn into_bytes(self) -> Vec<u8> {
        Vec::new()
    }

    infallible!();

    fn try_from_bytes(bytes: Vec<u8>) -> Result<Self, DecodeError> {
        fixed::<0>(&bytes).map(|_| ())
    }

    described_as!("unit");
}

impl BytesConvertable for bool {
    fn into_bytes(self) -> Vec<u8> {
        vec![u8::from(self)]
    }

    infallible!();

    fn try_from_bytes(bytes: Vec<u8>) -> Result<Self, DecodeError> {
        fixed(&bytes).and_then(to_bool)
    }

    described_as!("bool");
}

impl BytesConvertable for char {
    fn into_bytes(self) -> Vec<u8> {
        u32::from(self).into_bytes()
    }

    infallible!();

    fn try_from_bytes(bytes: Vec<u8>) -> Result<Self, DecodeError> {
        fixed(&bytes).and_then(to_char)
    }

    described_as!("char");
}

impl BytesConvertable for String {
    fn into_bytes(self) -> Vec<u8> {
        Self::into_bytes(self)
    }

    infallible!();

    fn try_from_bytes(bytes: Vec<u8>) -> Result<Self, DecodeError> {
        Self::from_utf8(bytes).map_err(|error| DecodeError::Utf8 {
            at: error.utf8_error().valid_up_to(),
        })
    }

    described_as!("string");
}

impl BytesConvertable for Vec<u8> {
    fn into_bytes(self) -> Vec<u8> {
        self
    }

    fn from_bytes(bytes: Vec<u8>) -> Self {
        bytes
    }

    described_as!("bytes");
}

impl BytesConvertable for Vec<bool> {
    fn into_bytes(self) -> Vec<u8> {
        self.into_iter().map(u8::from).collect()
    }

    infallible!();

    fn try_from_bytes(bytes: Vec<u8>) -> Result<Self, DecodeError> {
        elements(&bytes, to_bool)
    }

    described_as!("list<bool>");
}

impl BytesConvertable for Vec<char> {
    fn into_bytes(self) -> Vec<u8> {
        self.into_iter().flat_map(|c| u32::from(c).to_be_bytes()).collect()
    }

    infallible!();

    fn try_from_bytes(bytes: Vec<u8>) -> Result<Self, DecodeError> {
        elements(&bytes, to_char)
    }

    described_as!("list<char>");
}

fn fixed<const N: usize>(bytes: &[u8]) -> Result<[u8; N], DecodeError> {
    <[u8; N]>::try_from(bytes).map_err(|_| DecodeError::Length {
        found: bytes.len(),
        expected: N,
    })
}

fn elements<const N: usize, T>(
    bytes: &[u8],
    decode: impl Fn([u8; N]) -> Result<T, DecodeError>,
) -> Result<Vec<T>, DecodeError> {
    let (elements, rest) = bytes.as_chunks::<N>();
    if !rest.is_empty() {
        return Err(DecodeError::Elements {
            found: bytes.len(),
            element: N,
        });
    }
    elements.iter().map(|element| decode(*element)).collect()
}

fn to_bool([byte]: [u8; 1]) -> Result<bool, DecodeError> {
    match byte {
        0 => Ok(false),
        1 => Ok(true),
        other => Err(DecodeError::Bool(other)),
    }
}

fn to_char(bytes: [u8; 4]) -> Result<char, DecodeError> {
    let number = u32::from_be_bytes(bytes);
    char::from_u32(number).ok_or(DecodeError::Char(number))
}
