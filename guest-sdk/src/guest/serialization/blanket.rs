//! The format of ractor's feature `blanket_serde`: every type of serde, as `pot` writes it.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{BytesConvertable, DecodeError, or_panic};
use crate::guest::type_names::named;

impl<T: Serialize + DeserializeOwned> BytesConvertable for T {
    #[expect(
        clippy::panic,
        reason = "ractor's trait has no other way to report a value that has no bytes"
    )]
    fn into_bytes(self) -> Vec<u8> {
        pot::to_vec(&self).unwrap_or_else(|error| panic!("{} can't be encoded: {error}", std::any::type_name::<T>()))
    }

    fn from_bytes(bytes: Vec<u8>) -> Self {
        or_panic(Self::try_from_bytes(bytes))
    }

    fn try_from_bytes(bytes: Vec<u8>) -> Result<Self, DecodeError> {
        pot::from_slice(&bytes).map_err(|error| DecodeError::Pot(error.to_string()))
    }

    fn described_as() -> String {
        named("pot", std::any::type_name::<T>())
    }
}
