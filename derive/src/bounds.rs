//! The bounds under which a generic type is a message.
//!
//! The bounds are on the field types, and not on the parameters, so they are no narrower than what the conversions need. Types
//! without parameters get no bounds, since the compiler's error at the field says more.

use proc_macro2::Ident;
use quote::ToTokens;
use syn::{GenericParam, Generics, Type, WherePredicate, parse_quote};

use crate::model::MessageEnum;
use crate::tokens::find_ident;

/// The generics of the impl of `Message` for any type: what the trait itself asks for.
pub(crate) fn local(generics: &Generics) -> Generics {
    let mut generics = generics.clone();
    if generics.type_params().next().is_some() {
        push(&mut generics, parse_quote!(Self: ::core::marker::Send + 'static));
    }
    generics
}

/// The generics of the impl of `Message` for a message enum.
pub(crate) fn cluster(message: &MessageEnum) -> Generics {
    let mut generics = local(&message.generics);
    let parameters = parameters(&message.generics);
    for variant in &message.variants {
        for argument in &variant.arguments {
            if needs_bound(&argument.ty, &parameters, &message.ident) {
                let ty = &argument.ty;
                push(&mut generics, parse_quote!(#ty: ractor::BytesConvertable + 'static));
            }
        }
        if let Some(reply) = &variant.reply
            && needs_bound(&reply.ty, &parameters, &message.ident)
        {
            let ty = &reply.ty;
            push(
                &mut generics,
                parse_quote!(#ty: ractor::BytesConvertable + ::core::marker::Send + 'static),
            );
        }
    }
    generics
}

fn push(generics: &mut Generics, predicate: WherePredicate) {
    generics.make_where_clause().predicates.push(predicate);
}

/// The names that make a type depend on the enum's parameters.
fn parameters(generics: &Generics) -> Vec<Ident> {
    let names = generics.params.iter().filter_map(|parameter| match parameter {
        GenericParam::Type(ty) => Some(ty.ident.clone()),
        GenericParam::Const(value) => Some(value.ident.clone()),
        _ => None,
    });
    names.collect()
}

/// A type that contains the enum itself gets no bound: proving it could need the impl that the bound is for.
fn needs_bound(ty: &Type, parameters: &[Ident], message: &Ident) -> bool {
    let mentions = |wanted: &dyn Fn(&Ident) -> bool| find_ident(ty.to_token_stream(), wanted).is_some();
    mentions(&|ident| parameters.contains(ident)) && !mentions(&|ident| ident == message || ident == "Self")
}
