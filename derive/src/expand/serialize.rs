//! The body of `Message::serialize`.

use proc_macro2::TokenStream;
use quote::quote;

use super::{bindings, converter, variable};
use crate::model::{MessageEnum, MessageVariant, ReplyType, VariantArgument};

/// One arm a variant.
pub(super) fn body(message: &MessageEnum) -> TokenStream {
    let casts = message.casts().map(cast);
    let calls = message.calls().map(|(variant, reply)| call(variant, reply));
    quote! {
        match self {
            #(#casts)*
            #(#calls)*
        }
    }
}

fn cast(variant: &MessageVariant) -> TokenStream {
    let MessageVariant { ident, arguments, .. } = variant;
    let tag = variant.tag();
    let bindings = bindings(arguments);
    let encoded = encode(arguments);
    quote! {
        Self::#ident { #bindings } => ::core::result::Result::Ok(ractor::message::SerializedMessage::Cast {
            variant: <::std::string::String as ::core::convert::From<&::core::primitive::str>>::from(#tag),
            args: #encoded,
            metadata: ::core::option::Option::None,
        }),
    }
}

fn call(variant: &MessageVariant, reply: &ReplyType) -> TokenStream {
    let MessageVariant { ident, arguments, .. } = variant;
    let ReplyType { member, ty } = reply;
    let (from_bytes, try_from_bytes) = (converter(ty, "from_bytes"), converter(ty, "try_from_bytes"));
    let tag = variant.tag();
    let bindings = bindings(arguments);
    let encoded = encode(arguments);
    quote! {
        Self::#ident { #bindings #member: __reply } => {
            #[cfg(not(target_family = "wasm"))]
            let __reply = __ractor_bytes_port::<#ty, _>(__reply, #from_bytes);
            #[cfg(target_family = "wasm")]
            let __reply = __ractor_bytes_port(
                ractor::RpcReplyPort::map_reply(__reply, ::core::result::Result::ok),
                #try_from_bytes,
            );
            ::core::result::Result::Ok(ractor::message::SerializedMessage::Call {
                variant: <::std::string::String as ::core::convert::From<&::core::primitive::str>>::from(#tag),
                args: #encoded,
                reply: __reply,
                metadata: ::core::option::Option::None,
            })
        }
    }
}

fn encode(arguments: &[VariantArgument]) -> TokenStream {
    let fields = arguments.iter().enumerate().map(|(position, argument)| {
        let (variable, ty) = (variable(position), &argument.ty);
        let into_bytes = converter(ty, "into_bytes");
        quote!(__ractor_encode::<#ty, _>(#variable, #into_bytes))
    });
    match arguments.len() {
        0 => quote!(::std::vec::Vec::new()),
        1 => quote!(#(__ractor_pack_only(#fields)?)*),
        _ => quote!(__ractor_pack(&[#(#fields),*])?),
    }
}
