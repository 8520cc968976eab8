//! What a message enum is, once it has been checked.

use proc_macro2::Ident;
use syn::{Generics, LitStr, Member, Type};

/// An enum whose variants are casts and calls.
pub(crate) struct MessageEnum {
    pub(crate) ident: Ident,
    pub(crate) generics: Generics,
    pub(crate) variants: Vec<MessageVariant>,
}

/// One message: a call if it has a reply, a cast otherwise.
pub(crate) struct MessageVariant {
    pub(crate) ident: Ident,
    /// Its name on the wire, where that isn't its identifier.
    pub(crate) name: Option<LitStr>,
    /// Its doc comments, one line of text a line.
    pub(crate) documentation: String,
    /// The fields that travel, in the order of the source.
    pub(crate) arguments: Vec<VariantArgument>,
    pub(crate) reply: Option<ReplyType>,
}

/// A field that travels.
pub(crate) struct VariantArgument {
    pub(crate) member: Member,
    /// What descriptions call it, if that isn't the name of the field.
    pub(crate) name: Option<String>,
    pub(crate) ty: Type,
}

/// The reply port of a call.
pub(crate) struct ReplyType {
    pub(crate) member: Member,
    /// The `T` of `RpcReplyPort<T>`.
    pub(crate) ty: Type,
}

impl MessageEnum {
    pub(crate) fn casts(&self) -> impl Iterator<Item = &MessageVariant> {
        self.variants.iter().filter(|variant| variant.reply.is_none())
    }

    /// The calls, each with its reply.
    pub(crate) fn calls(&self) -> impl Iterator<Item = (&MessageVariant, &ReplyType)> {
        self.variants
            .iter()
            .filter_map(|variant| Some((variant, variant.reply.as_ref()?)))
    }

    /// Whether a variant has that many arguments.
    pub(crate) fn any_arity(&self, wanted: impl Fn(usize) -> bool) -> bool {
        self.variants.iter().any(|variant| wanted(variant.arguments.len()))
    }
}

impl MessageVariant {
    /// What names the variant on the wire: the name that it was given, or its identifier, a raw one with its `r#`, as the stock
    /// derive has it.
    pub(crate) fn tag(&self) -> String {
        self.name.as_ref().map_or_else(|| self.ident.to_string(), LitStr::value)
    }
}
