//! The body of `Message::deserialize`.

use proc_macro2::TokenStream;
use quote::quote;

use super::{bindings, converter, decode_into, error, variable};
use crate::model::{MessageEnum, MessageVariant, ReplyType};

/// Casts and calls are told apart first, so a call's tag in a cast is unknown, and the other way round.
pub(super) fn body(message: &MessageEnum) -> TokenStream {
    let error = error();
    let casts: Vec<_> = message.casts().map(cast).collect();
    let calls: Vec<_> = message.calls().map(|(variant, reply)| call(variant, reply)).collect();
    let cast_arm = (!casts.is_empty()).then(|| {
        quote! {
            ractor::message::SerializedMessage::Cast { variant: __variant, args: __bytes, .. } => {
                match ::std::string::String::as_str(&__variant) {
                    #(#casts)*
                    _ => ::core::result::Result::Err(#error),
                }
            }
        }
    });
    let call_arm = (!calls.is_empty()).then(|| {
        quote! {
            ractor::message::SerializedMessage::Call { variant: __variant, args: __bytes, reply: __reply, .. } => {
                match ::std::string::String::as_str(&__variant) {
                    #(#calls)*
                    _ => ::core::result::Result::Err(#error),
                }
            }
        }
    });
    quote! {
        match __message {
            #cast_arm
            #call_arm
            _ => ::core::result::Result::Err(#error),
        }
    }
}

fn cast(variant: &MessageVariant) -> TokenStream {
    let MessageVariant { ident, arguments, .. } = variant;
    let tag = variant.tag();
    let decoded = decode(variant);
    let bindings = bindings(arguments);
    quote! {
        #tag => {
            #decoded
            ::core::result::Result::Ok(Self::#ident { #bindings })
        }
    }
}

fn call(variant: &MessageVariant, reply: &ReplyType) -> TokenStream {
    let MessageVariant { ident, arguments, .. } = variant;
    let ReplyType { member, ty } = reply;
    let into_bytes = converter(ty, "into_bytes");
    let tag = variant.tag();
    let decoded = decode(variant);
    let bindings = bindings(arguments);
    quote! {
        #tag => {
            #decoded
            let __port = __ractor_typed_port::<#ty, _>(__reply, #into_bytes);
            ::core::result::Result::Ok(Self::#ident { #bindings #member: __port })
        }
    }
}

/// Statements that leave every argument in its variable. A single argument takes over the message's buffer.
fn decode(variant: &MessageVariant) -> TokenStream {
    match variant.arguments.as_slice() {
        [] => quote!(__ractor_end(&__bytes)?;),
        [only] => decode_into(&variable(0), &only.ty, &quote!(__ractor_only_argument(__bytes)?)),
        several => {
            let next = quote!(__ractor_next_argument(&mut __rest)?);
            let decoded = several.iter().enumerate();
            let decoded = decoded.map(|(position, argument)| decode_into(&variable(position), &argument.ty, &next));
            quote! {
                let mut __rest: &[::core::primitive::u8] = &__bytes;
                #(#decoded)*
                __ractor_end(__rest)?;
            }
        }
    }
}
