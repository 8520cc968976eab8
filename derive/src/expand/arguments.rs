//! The functions of an expansion that pack, unpack and decode arguments. One copy serves all variants.

use proc_macro2::TokenStream;
use quote::quote;

use super::{bytes, error};
use crate::model::MessageEnum;

/// The functions that the message needs, and no others: an unused one would be a warning.
pub(super) fn functions(message: &MessageEnum) -> TokenStream {
    let has_calls = message.calls().next().is_some();
    let has_arguments = message.any_arity(|arguments| arguments > 0);
    let functions = [
        message.any_arity(|arguments| arguments == 1).then(pack_only),
        message.any_arity(|arguments| arguments > 1).then(pack),
        message.any_arity(|arguments| arguments == 1).then(only_argument),
        message.any_arity(|arguments| arguments > 1).then(next_argument),
        message.any_arity(|arguments| arguments != 1).then(end),
        (has_arguments || has_calls).then(is_own_format),
        (has_arguments || has_calls).then(encode),
        (has_arguments || has_calls).then(well_formed),
        (has_arguments || has_calls).then(decode),
        has_calls.then(decode_in_a_guest),
    ];
    functions.into_iter().flatten().collect()
}

/// The length and bytes of the argument that is alone in a message, in the argument's own buffer.
fn pack_only() -> TokenStream {
    let (bytes, error) = (bytes(), error());
    quote! {
        fn __ractor_pack_only(mut __argument: #bytes) -> ::core::result::Result<#bytes, #error> {
            let __length = ::std::vec::Vec::len(&__argument);
            // Without the room this message fails; `reserve` would end the process.
            if ::core::result::Result::is_err(&::std::vec::Vec::try_reserve_exact(&mut __argument, 8)) {
                return ::core::result::Result::Err(#error);
            }
            let __prefix = ::core::primitive::u64::to_be_bytes(__length as ::core::primitive::u64);
            ::std::vec::Vec::extend_from_slice(&mut __argument, &__prefix);
            <[::core::primitive::u8]>::copy_within(&mut __argument, ..__length, 8);
            <[::core::primitive::u8]>::copy_from_slice(&mut __argument[..8], &__prefix);
            ::core::result::Result::Ok(__argument)
        }
    }
}

/// Each argument's length and bytes, in one buffer of the exact size.
fn pack() -> TokenStream {
    let (bytes, error) = (bytes(), error());
    quote! {
        fn __ractor_pack(__arguments: &[#bytes]) -> ::core::result::Result<#bytes, #error> {
            let mut __size: ::core::primitive::usize = 0;
            for __argument in __arguments {
                let __lengths = ::core::primitive::usize::saturating_add(::std::vec::Vec::len(__argument), 8);
                __size = ::core::primitive::usize::saturating_add(__size, __lengths);
            }
            let mut __packed = ::std::vec::Vec::new();
            if ::core::result::Result::is_err(&::std::vec::Vec::try_reserve_exact(&mut __packed, __size)) {
                return ::core::result::Result::Err(#error);
            }
            for __argument in __arguments {
                let __length = ::std::vec::Vec::len(__argument) as ::core::primitive::u64;
                ::std::vec::Vec::extend_from_slice(&mut __packed, &::core::primitive::u64::to_be_bytes(__length));
                ::std::vec::Vec::extend_from_slice(&mut __packed, __argument);
            }
            ::core::result::Result::Ok(__packed)
        }
    }
}

/// The argument that is alone in a message, in the message's own buffer.
fn only_argument() -> TokenStream {
    let (bytes, error) = (bytes(), error());
    quote! {
        fn __ractor_only_argument(mut __bytes: #bytes) -> ::core::result::Result<#bytes, #error> {
            let ::core::option::Option::Some((__length, __argument)) =
                <[::core::primitive::u8]>::split_first_chunk::<8>(&__bytes)
            else {
                return ::core::result::Result::Err(#error);
            };
            let __given = <[::core::primitive::u8]>::len(__argument);
            if ::core::primitive::u64::from_be_bytes(*__length) != __given as ::core::primitive::u64 {
                return ::core::result::Result::Err(#error);
            }
            <[::core::primitive::u8]>::copy_within(&mut __bytes, 8.., 0);
            ::std::vec::Vec::truncate(&mut __bytes, __given);
            ::core::result::Result::Ok(__bytes)
        }
    }
}

/// The next of several arguments, split off the bytes that are left.
fn next_argument() -> TokenStream {
    let (bytes, error) = (bytes(), error());
    quote! {
        fn __ractor_next_argument(__rest: &mut &[::core::primitive::u8]) -> ::core::result::Result<#bytes, #error> {
            let ::core::option::Option::Some((__length, __after)) =
                <[::core::primitive::u8]>::split_first_chunk::<8>(*__rest)
            else {
                return ::core::result::Result::Err(#error);
            };
            let __length = ::core::primitive::u64::from_be_bytes(*__length);
            let ::core::result::Result::Ok(__length) =
                <::core::primitive::usize as ::core::convert::TryFrom<::core::primitive::u64>>::try_from(__length)
            else {
                return ::core::result::Result::Err(#error);
            };
            let ::core::option::Option::Some((__argument, __after)) =
                <[::core::primitive::u8]>::split_at_checked(__after, __length)
            else {
                return ::core::result::Result::Err(#error);
            };
            *__rest = __after;
            ::core::result::Result::Ok(<[::core::primitive::u8]>::to_vec(__argument))
        }
    }
}

/// Nothing may follow the last argument.
fn end() -> TokenStream {
    let error = error();
    quote! {
        fn __ractor_end(__rest: &[::core::primitive::u8]) -> ::core::result::Result<(), #error> {
            if <[::core::primitive::u8]>::is_empty(__rest) {
                ::core::result::Result::Ok(())
            } else {
                ::core::result::Result::Err(#error)
            }
        }
    }
}

/// Whether bytes can be a `T`, for the types that ractor converts itself; true for all others. The comparisons of types
/// are decided at compile time, once for each `T`.
fn well_formed() -> TokenStream {
    let numbers = [
        quote!(i8),
        quote!(i16),
        quote!(i32),
        quote!(i64),
        quote!(i128),
        quote!(u8),
        quote!(u16),
        quote!(u32),
        quote!(u64),
        quote!(u128),
        quote!(f32),
        quote!(f64),
        quote!(bool),
    ];
    quote! {
        #[cfg(not(target_family = "wasm"))]
        fn __ractor_well_formed<T: 'static>(__bytes: &[::core::primitive::u8]) -> ::core::primitive::bool {
            let __type = ::core::any::TypeId::of::<T>();
            let __length = <[::core::primitive::u8]>::len(__bytes);
            #(
                if __type == ::core::any::TypeId::of::<::core::primitive::#numbers>() {
                    return __length == ::core::mem::size_of::<::core::primitive::#numbers>();
                }
                if __type == ::core::any::TypeId::of::<::std::vec::Vec<::core::primitive::#numbers>>() {
                    return __length % ::core::mem::size_of::<::core::primitive::#numbers>() == 0;
                }
            )*
            if __type == ::core::any::TypeId::of::<()>() {
                return __length == 0;
            }
            if __type == ::core::any::TypeId::of::<::std::string::String>() {
                return ::core::result::Result::is_ok(&::core::str::from_utf8(__bytes));
            }
            let __is_char = __type == ::core::any::TypeId::of::<::core::primitive::char>();
            if __is_char || __type == ::core::any::TypeId::of::<::std::vec::Vec<::core::primitive::char>>() {
                let (__chars, __rest) = <[::core::primitive::u8]>::as_chunks::<4>(__bytes);
                for __char in __chars {
                    let __char = ::core::primitive::u32::from_be_bytes(*__char);
                    if ::core::option::Option::is_none(&::core::primitive::char::from_u32(__char)) {
                        return false;
                    }
                }
                return <[::core::primitive::u8]>::is_empty(__rest) && (!__is_char || __length == 4);
            }
            true
        }
    }
}

/// Whether the format is ractor's own: `()` has bytes only in the format of `blanket_serde`.
fn is_own_format() -> TokenStream {
    quote! {
        fn __ractor_is_own_format() -> ::core::primitive::bool {
            ::std::vec::Vec::is_empty(&<() as ractor::BytesConvertable>::into_bytes(()))
        }
    }
}

/// A conversion to bytes. What is bytes already, and stays so in ractor's own format, is moved; ractor would copy it.
fn encode() -> TokenStream {
    let bytes = bytes();
    quote! {
        fn __ractor_encode<T: 'static, F: ::core::ops::FnOnce(T) -> #bytes>(__value: T, __into_bytes: F) -> #bytes {
            let mut __same = ::core::option::Option::None::<#bytes>;
            match <dyn ::core::any::Any>::downcast_mut::<::core::option::Option<T>>(&mut __same) {
                ::core::option::Option::Some(__place) if __ractor_is_own_format() => {
                    *__place = ::core::option::Option::Some(__value);
                    ::core::option::Option::unwrap_or_default(__same)
                }
                _ => __into_bytes(__value),
            }
        }
    }
}

/// A conversion, checked first where the format is ractor's own. There, what stays bytes is moved. The conversion is an
/// argument, and not a bound on `T`, for the sake of the compiler's message where there is none.
fn decode() -> TokenStream {
    let (bytes, error) = (bytes(), error());
    quote! {
        #[cfg(not(target_family = "wasm"))]
        fn __ractor_decode<T: 'static, F: ::core::ops::FnOnce(#bytes) -> T>(
            __bytes: #bytes,
            __from_bytes: F,
        ) -> ::core::result::Result<T, #error> {
            let mut __bytes = ::core::option::Option::Some(__bytes);
            if __ractor_is_own_format() {
                if let ::core::option::Option::Some(__same) =
                    <dyn ::core::any::Any>::downcast_mut::<::core::option::Option<T>>(&mut __bytes)
                {
                    return ::core::option::Option::ok_or(::core::option::Option::take(__same), #error);
                }
                let __bytes = ::core::option::Option::as_deref(&__bytes);
                // ractor's conversions panic on wrong bytes, and what a peer sends must not reach the panic hook.
                if !::core::option::Option::is_some_and(__bytes, __ractor_well_formed::<T>) {
                    return ::core::result::Result::Err(#error);
                }
            }
            let ::core::option::Option::Some(__bytes) = __bytes else {
                return ::core::result::Result::Err(#error);
            };
            match ::std::panic::catch_unwind(::std::panic::AssertUnwindSafe(move || __from_bytes(__bytes))) {
                ::core::result::Result::Ok(__value) => ::core::result::Result::Ok(__value),
                ::core::result::Result::Err(_) => ::core::result::Result::Err(#error),
            }
        }
    }
}

/// The conversion of a reply in a guest. It checks by itself: what it gives is a result, which the port behind takes apart.
fn decode_in_a_guest() -> TokenStream {
    let (bytes, error) = (bytes(), error());
    quote! {
        #[cfg(target_family = "wasm")]
        fn __ractor_decode<T, F: ::core::ops::FnOnce(#bytes) -> T>(
            __bytes: #bytes,
            __from_bytes: F,
        ) -> ::core::result::Result<T, #error> {
            ::core::result::Result::Ok(__from_bytes(__bytes))
        }
    }
}
