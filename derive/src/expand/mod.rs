//! From a checked message to the code of its impls.
//!
//! The code is for any crate: it names everything by full path (`::core`, `::std`, `ractor`), calls no method by its
//! bare name, which a trait in scope could take over, and starts every name of its own with two underscores. Variants
//! are built and matched in braces (`Variant { 0: … }`), which fits unit, tuple and named ones alike.

mod arguments;
mod describe;
mod deserialize;
mod reply_ports;
mod serialize;

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{DeriveInput, Type};

use crate::bounds;
use crate::model::{MessageEnum, VariantArgument};

/// The impl of `Message` of a type that is never serialized.
pub(crate) fn local_message(input: &DeriveInput) -> TokenStream {
    let ident = &input.ident;
    let generics = bounds::local(&input.generics);
    let (impl_generics, ty_generics, where_clause) = generics.split_for_impl();
    quote! {
        #[automatically_derived]
        impl #impl_generics ractor::Message for #ident #ty_generics #where_clause {}
    }
}

/// The impls of a message enum, in a block with the functions that they share.
pub(crate) fn cluster_message(message: &MessageEnum) -> TokenStream {
    let ident = &message.ident;
    let generics = bounds::cluster(message);
    let (impl_generics, ty_generics, where_clause) = generics.split_for_impl();
    let argument_functions = arguments::functions(message);
    let reply_port_functions = reply_ports::functions(message);
    let serialize = serialize::body(message);
    let deserialize = deserialize::body(message);
    let describe = describe::messages(message);
    quote! {
        const _: () = {
            #argument_functions
            #reply_port_functions

            #[automatically_derived]
            impl #impl_generics ractor::Message for #ident #ty_generics #where_clause {
                fn serializable() -> ::core::primitive::bool {
                    true
                }

                fn serialize(
                    self,
                ) -> ::core::result::Result<ractor::message::SerializedMessage, ractor::message::BoxedDowncastErr> {
                    #serialize
                }

                fn deserialize(
                    __message: ractor::message::SerializedMessage,
                ) -> ::core::result::Result<Self, ractor::message::BoxedDowncastErr> {
                    #deserialize
                }
            }

            #[cfg(target_family = "wasm")]
            #[automatically_derived]
            impl #impl_generics ractor::DescribeMessage for #ident #ty_generics #where_clause {
                #describe
            }
        };
    }
}

/// The variable for the argument at a position.
fn variable(position: usize) -> Ident {
    format_ident!("__argument{position}")
}

/// `0: __argument0, name: __argument1`: the arguments, as a pattern or as an expression.
fn bindings(arguments: &[VariantArgument]) -> TokenStream {
    let members = arguments.iter().map(|argument| &argument.member);
    let variables = (0..arguments.len()).map(variable);
    quote!(#(#members: #variables,)*)
}

/// A call of a field's conversion. Where the field's type has none, the compiler's error points at the type.
fn convert(ty: &Type, name: &str, value: &TokenStream) -> TokenStream {
    let span = Span::call_site().located_at(ty.span());
    let name = Ident::new(name, span);
    quote_spanned!(span=> <#ty as ractor::BytesConvertable>::#name(#value))
}

/// The same as a function. It is a closure, because an error about a path as a value would be longer, and would not point at the
/// type.
fn converter(ty: &Type, name: &str) -> TokenStream {
    let converted = convert(ty, name, &quote!(__value));
    quote!(|__value| #converted)
}

/// A statement that binds a variable to the value that bytes stand for, or returns.
///
/// A panic of a conversion is caught natively and ends a guest, so a guest uses the SDK's form that returns an error.
fn decode_into(variable: &Ident, ty: &Type, bytes: &TokenStream) -> TokenStream {
    let (from_bytes, error) = (converter(ty, "from_bytes"), error());
    let in_a_guest = convert(ty, "try_from_bytes", bytes);
    quote! {
        #[cfg(not(target_family = "wasm"))]
        let #variable = __ractor_decode::<#ty, _>(#bytes, #from_bytes)?;
        #[cfg(target_family = "wasm")]
        let #variable = ::core::result::Result::map_err(#in_a_guest, |_| #error)?;
    }
}

/// The type of encoded values.
fn bytes() -> TokenStream {
    quote!(::std::vec::Vec<::core::primitive::u8>)
}

/// The error of values that don't decode.
fn error() -> TokenStream {
    quote!(ractor::message::BoxedDowncastErr)
}
