//! The description of a message enum for tools that have only the compiled guest.
//!
//! Types are named by the SDK, and not by their tokens. So an alias or a parameter has the name of the type that it stands for, and
//! the format shows: a tool has to know both to encode a value.

use proc_macro2::TokenStream;
use quote::quote;
use syn::ext::IdentExt as _;
use syn::{Member, Type};

use crate::model::{MessageEnum, MessageVariant, VariantArgument};

/// The items of `ractor::DescribeMessage`, in the order of the source.
pub(super) fn messages(message: &MessageEnum) -> TokenStream {
    let variants = message.variants.iter().map(description);
    quote! {
        const MESSAGES: &'static [ractor::MessageDescription] = &[#(#variants),*];
    }
}

fn description(variant: &MessageVariant) -> TokenStream {
    let name = variant.tag();
    let documentation = &variant.documentation;
    let arguments = variant.arguments.iter().map(argument);
    let reply = match variant.reply.as_ref().map(|reply| name_of(&reply.ty)) {
        Some(reply) => quote!(::core::option::Option::Some(#reply)),
        None => quote!(::core::option::Option::None),
    };
    quote! {
        ractor::MessageDescription {
            name: #name,
            documentation: #documentation,
            arguments: &[#(#arguments),*],
            reply: #reply,
        }
    }
}

fn argument(argument: &VariantArgument) -> TokenStream {
    let name = match (&argument.name, &argument.member) {
        (Some(name), _) => name.clone(),
        // Without the `r#` of a name that is also a keyword: that is Rust's affair.
        (None, Member::Named(name)) => name.unraw().to_string(),
        (None, Member::Unnamed(_)) => String::new(),
    };
    let ty = name_of(&argument.ty);
    quote! {
        ractor::ArgumentDescription { name: #name, ty: #ty }
    }
}

fn name_of(ty: &Type) -> TokenStream {
    quote!(ractor::describe::type_name::<#ty>)
}
