//! Macros for message types.

/// Makes a prost message usable as an argument or a reply: its bytes are the length-delimited encoding.
///
/// `prost` has to be in scope where the macro is called, as with the stock crate; that one needs `bytes` too.
///
/// ```
/// #[derive(Clone, PartialEq, prost::Message)]
/// struct Point {
///     #[prost(int32, tag = "1")]
///     x: i32,
/// }
///
/// ractor_host_cluster::derive_serialization_for_prost_type! {Point}
/// ```
#[macro_export]
macro_rules! derive_serialization_for_prost_type {
    {$ty:ty} => {
        #[allow(non_local_definitions, reason = "the type may be defined outside the function that calls the macro")]
        impl $crate::BytesConvertable for $ty {
            fn into_bytes(self) -> ::std::vec::Vec<u8> {
                <Self as prost::Message>::encode_length_delimited_to_vec(&self)
            }

            fn from_bytes(bytes: ::std::vec::Vec<u8>) -> Self {
                // The trait has no way to fail; the derive macros turn a panic here into an error.
                match <Self as prost::Message>::decode_length_delimited(bytes.as_slice()) {
                    ::std::result::Result::Ok(message) => message,
                    ::std::result::Result::Err(error) => {
                        ::std::panic!("{} cannot be decoded: {error}", ::std::any::type_name::<Self>())
                    }
                }
            }
        }
    };
}
