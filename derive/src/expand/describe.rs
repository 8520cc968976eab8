//! The description of a message enum for tools that have only the compiled guest.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::Type;

use crate::model::{MessageEnum, MessageVariant};
use crate::tokens::type_name;

/// The items of `ractor::DescribeMessage`, in the order of the source.
pub(super) fn messages(message: &MessageEnum) -> TokenStream {
    let variants = message.variants.iter().map(description);
    quote! {
        const MESSAGES: &'static [ractor::MessageDescription] = &[#(#variants),*];
    }
}

fn description(variant: &MessageVariant) -> TokenStream {
    let name = variant.tag();
    let arguments = variant.arguments.iter().map(|argument| name_of(&argument.ty));
    let reply = match variant.reply.as_ref().map(|reply| name_of(&reply.ty)) {
        Some(reply) => quote!(::core::option::Option::Some(#reply)),
        None => quote!(::core::option::Option::None),
    };
    quote! {
        ractor::MessageDescription { name: #name, arguments: &[#(#arguments),*], reply: #reply }
    }
}

fn name_of(ty: &Type) -> String {
    type_name(ty.to_token_stream())
}
