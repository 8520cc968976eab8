//! Looking at types as tokens: what they mention, and how the source writes them.

use proc_macro2::{Delimiter, Ident, TokenStream, TokenTree};

/// The first identifier, at any depth, that `wanted` accepts.
pub(crate) fn find_ident(tokens: TokenStream, wanted: &dyn Fn(&Ident) -> bool) -> Option<Ident> {
    tokens.into_iter().find_map(|token| match token {
        TokenTree::Ident(ident) if wanted(&ident) => Some(ident),
        TokenTree::Group(group) => find_ident(group.stream(), wanted),
        _ => None,
    })
}

/// A type as a person would write it: `HashMap<String, Vec<u8>>`, `&'static str`, `(u8, [u16; 4])`.
pub(crate) fn type_name(tokens: TokenStream) -> String {
    let mut text = String::new();
    write_tokens(tokens, &mut text);
    text
}

fn write_tokens(tokens: TokenStream, text: &mut String) {
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        match &token {
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    Delimiter::Parenthesis => ("(", ")"),
                    Delimiter::Brace => ("{", "}"),
                    Delimiter::Bracket => ("[", "]"),
                    Delimiter::None => ("", ""),
                };
                text.push_str(open);
                write_tokens(group.stream(), text);
                text.push_str(close);
            }
            TokenTree::Punct(punct) => match punct.as_char() {
                mark @ (',' | ';') => {
                    text.push(mark);
                    if tokens.peek().is_some() {
                        text.push(' ');
                    }
                }
                mark @ ('+' | '=') => {
                    text.push(' ');
                    text.push(mark);
                    text.push(' ');
                }
                '-' => text.push_str(" -"),
                '>' if text.ends_with(" -") => text.push_str("> "),
                mark => text.push(mark),
            },
            TokenTree::Ident(_) | TokenTree::Literal(_) => {
                text.push_str(&token.to_string());
                if matches!(tokens.peek(), Some(TokenTree::Ident(_) | TokenTree::Literal(_)))
                    || is_spaced_keyword(&token)
                {
                    text.push(' ');
                }
            }
        }
    }
}

/// Whether what follows is set off even if it is no word: `dyn (Fn())`, `&mut [u8]`, `as ::core::fmt::Debug`.
fn is_spaced_keyword(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Ident(ident) if ["as", "const", "dyn", "mut"].iter().any(|word| ident == word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_named_as_a_person_writes_them() {
        for name in [
            "u64",
            "()",
            "Vec<u8>",
            "std::collections::HashMap<String, Vec<u8>>",
            "::std::vec::Vec<(u8, String)>",
            "&'static str",
            "&'static mut [u8]",
            "[u8; 4]",
            "fn(u8, u16) -> Vec<u8>",
            "Box<dyn Fn(u8) -> u8 + Send + 'static>",
            "Blob<{N}>",
            "<T as Trait>::Out",
            "Box<dyn Iterator<Item = u8>>",
            "*const u8",
        ] {
            let spread = name.replace('<', " < ").replace(',', " ,\n  ");
            let tokens: TokenStream = spread.parse().expect("a type is tokens");
            assert_eq!(type_name(tokens), name);
        }
    }
}
