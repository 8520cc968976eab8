//! Messages in formats that other languages know as well: JSON and protobuf.

#[cfg(feature = "json")]
mod json {
    use serde::Serialize;
    use serde::de::DeserializeOwned;

    use crate::BytesConvertable;

    /// A type of serde that travels as JSON: `json<Order>` in a contract. `Json(order)` makes one, and `Json(order): Json<Order>` in a
    /// pattern takes it apart.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
    pub struct Json<T>(pub T);

    impl<T: Serialize + DeserializeOwned> BytesConvertable for Json<T> {
        #[expect(
            clippy::panic,
            reason = "ractor's trait has no other way to report a value that has no bytes"
        )]
        fn into_bytes(self) -> Vec<u8> {
            serde_json::to_vec(&self.0)
                .unwrap_or_else(|error| panic!("{} is no JSON: {error}", std::any::type_name::<T>()))
        }

        #[expect(clippy::panic, reason = "ractor's trait has no other way to report wrong bytes")]
        fn from_bytes(bytes: Vec<u8>) -> Self {
            serde_json::from_slice(&bytes).map_or_else(
                |error| panic!("not JSON of {}: {error}", std::any::type_name::<T>()),
                Self,
            )
        }

        #[cfg(target_family = "wasm")]
        fn try_from_bytes(bytes: Vec<u8>) -> Result<Self, crate::serialization::DecodeError> {
            serde_json::from_slice(&bytes)
                .map(Self)
                .map_err(|error| crate::serialization::DecodeError::Json(error.to_string()))
        }

        #[cfg(target_family = "wasm")]
        fn described_as() -> String {
            crate::guest::type_names::named("json", std::any::type_name::<T>())
        }
    }
}

#[cfg(feature = "protobuf")]
mod protobuf {
    use prost::{Message, Name};

    use crate::BytesConvertable;

    /// A message of protobuf that travels as it is, behind its length: `protobuf<shop.Order>` in a contract. The types that prost-build
    /// makes with `enable_type_names` know their names.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
    pub struct Protobuf<T>(pub T);

    impl<T: Message + Name + Default> BytesConvertable for Protobuf<T> {
        fn into_bytes(self) -> Vec<u8> {
            self.0.encode_length_delimited_to_vec()
        }

        #[expect(clippy::panic, reason = "ractor's trait has no other way to report wrong bytes")]
        fn from_bytes(bytes: Vec<u8>) -> Self {
            decode(&bytes).map_or_else(|error| panic!("not a {}: {error}", T::full_name()), Self)
        }

        #[cfg(target_family = "wasm")]
        fn try_from_bytes(bytes: Vec<u8>) -> Result<Self, crate::serialization::DecodeError> {
            decode(&bytes).map(Self).map_err(|error| {
                let name = T::full_name();
                crate::serialization::DecodeError::Protobuf { name, error }
            })
        }

        #[cfg(target_family = "wasm")]
        fn described_as() -> String {
            format!("protobuf<{}>", T::full_name())
        }
    }

    /// One message, and nothing behind it.
    fn decode<T: Message + Default>(mut bytes: &[u8]) -> Result<T, String> {
        let length = prost::decode_length_delimiter(&mut bytes).map_err(|error| error.to_string())?;
        if length != bytes.len() {
            return Err(format!("it says {length} bytes, and {} follow", bytes.len()));
        }
        T::decode(bytes).map_err(|error| error.to_string())
    }
}

#[cfg(feature = "json")]
pub use json::Json;
#[cfg(feature = "protobuf")]
pub use protobuf::Protobuf;

#[cfg(all(test, feature = "json", feature = "protobuf"))]
mod tests {
    use ractor::BytesConvertable;

    use super::{Json, Protobuf};

    #[derive(Clone, PartialEq, prost::Message)]
    struct Order {
        #[prost(string, tag = "1")]
        id: String,
        #[prost(uint64, tag = "2")]
        quantity: u64,
    }

    impl prost::Name for Order {
        const NAME: &'static str = "Order";
        const PACKAGE: &'static str = "shop";
    }

    #[test]
    fn a_message_of_protobuf_is_behind_its_length_and_alone() {
        let order = Order {
            id: "a".to_owned(),
            quantity: 3,
        };
        let bytes = Protobuf(order.clone()).into_bytes();
        assert_eq!(hex::encode(&bytes), "050a01611003");
        assert_eq!(Protobuf::<Order>::from_bytes(bytes.clone()), Protobuf(order));
        let cut_off = bytes.get(..5).unwrap_or_default();
        for wrong in [cut_off, &[&bytes, &[0][..]].concat(), &[]] {
            let wrong = wrong.to_vec();
            assert!(std::panic::catch_unwind(|| Protobuf::<Order>::from_bytes(wrong)).is_err());
        }
    }

    #[test]
    fn a_type_of_serde_is_a_json_text() {
        let bytes = Json(vec![Some(1_u8), None]).into_bytes();
        assert_eq!(bytes, b"[1,null]");
        assert_eq!(Json::<Vec<Option<u8>>>::from_bytes(bytes), Json(vec![Some(1), None]));
    }
}
