//! Looking at types as tokens: what they mention.

use proc_macro2::{Ident, TokenStream, TokenTree};

/// The first identifier, at any depth, that `wanted` accepts.
pub(crate) fn find_ident(tokens: TokenStream, wanted: &dyn Fn(&Ident) -> bool) -> Option<Ident> {
    tokens.into_iter().find_map(|token| match token {
        TokenTree::Ident(ident) if wanted(&ident) => Some(ident),
        TokenTree::Group(group) => find_ident(group.stream(), wanted),
        _ => None,
    })
}
