//! The body of `Message::deserialize`.

use proc_macro2::TokenStream;
use quote::quote;

use super::{bindings, converter, error, variable};
use crate::model::{MessageEnum, MessageVariant, Reply};

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

fn call(variant: &MessageVariant, reply: &Reply) -> TokenStream {
    let MessageVariant { ident, arguments, .. } = variant;
    let Reply { member, ty } = reply;
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
        [only] => {
            let ty = &only.ty;
            let from_bytes = converter(ty, "from_bytes");
            let variable = variable(0);
            quote!(let #variable = __ractor_decode::<#ty, _>(__ractor_only_argument(__bytes)?, #from_bytes)?;)
        }
        several => {
            let types = several.iter().map(|argument| &argument.ty);
            let converters = several.iter().map(|argument| converter(&argument.ty, "from_bytes"));
            let variables = (0..several.len()).map(variable);
            quote! {
                let mut __rest: &[::core::primitive::u8] = &__bytes;
                #(let #variables = __ractor_decode::<#types, _>(__ractor_next_argument(&mut __rest)?, #converters)?;)*
                __ractor_end(__rest)?;
            }
        }
    }
}
