//! What a Rust file uses from outside its own module, read from its tokens: comments and strings don't count, the
//! insides of macros do.

use std::str::FromStr;

use proc_macro2::{Delimiter, Ident, TokenStream, TokenTree};

/// The names by which this crate can call itself.
const OURSELVES: [&str; 2] = ["crate", "ractor_host"];

/// A path that begins outside the file's own module.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Use {
    pub(crate) line: usize,
    pub(crate) of: Root,
    /// It is part of a module named `tests`.
    pub(crate) by_tests: bool,
}

/// The first name of such a path that says where it leads.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Root {
    /// A module at the root of the crate: `crate::wire`, `super::super::wire`.
    Module(String),
    /// Another crate: `tokio::…`. Names of enums and of modules in scope look the same and are given too. With the names
    /// that follow: one, or each of a `{…}`.
    Name(String, Vec<String>),
}

/// Reads the file at `path` (from the crate's `src`, with `/`).
///
/// # Errors
/// It isn't Rust.
pub(crate) fn uses(path: &str, text: &str) -> Result<Vec<Use>, String> {
    let tokens = TokenStream::from_str(text).map_err(|error| error.to_string())?;
    let mut found = Vec::new();
    let by_tests = path.split('/').any(|part| ["tests", "tests.rs"].contains(&part));
    walk(
        tokens,
        Place {
            depth: depth(path),
            by_tests,
        },
        &mut found,
    );
    Ok(found)
}

/// Where in the tree of modules a token is.
#[derive(Clone, Copy)]
struct Place {
    /// How many `super` lead to the root of the crate.
    depth: usize,
    by_tests: bool,
}

impl Place {
    fn inside(self, module: &TokenTree) -> Self {
        Self {
            depth: self.depth + 1,
            by_tests: self.by_tests || is_ident(module, "tests"),
        }
    }
}

/// How many `super` lead from a file to the root of the crate.
fn depth(path: &str) -> usize {
    let parts = path.split('/').count();
    match path.rsplit('/').next() {
        Some("mod.rs" | "lib.rs" | "main.rs") => parts - 1,
        _ => parts,
    }
}

fn walk(tokens: TokenStream, place: Place, found: &mut Vec<Use>) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    for (at, token) in tokens.iter().enumerate() {
        match token {
            // The `{…}` of a path belongs to the path.
            TokenTree::Group(_) if is_inside_path(&tokens, at) => {}
            TokenTree::Group(group) => {
                let is_module = at >= 2 && is_ident(&tokens[at - 2], "mod") && group.delimiter() == Delimiter::Brace;
                let inside = if is_module {
                    place.inside(&tokens[at - 1])
                } else {
                    place
                };
                walk(group.stream(), inside, found);
            }
            TokenTree::Ident(ident) if is_type(ident) || !is_inside_path(&tokens, at) => {
                let line = ident.span().start().line;
                let after_use = at > 0 && is_ident(&tokens[at - 1], "use");
                let roots = roots(&ident.to_string(), &tokens[at + 1..], place.depth, after_use);
                found.extend(roots.into_iter().map(|of| Use {
                    line,
                    of,
                    by_tests: place.by_tests,
                }));
            }
            _ => {}
        }
    }
}

/// Where a path leads that begins with `first` and goes on with `rest`.
fn roots(first: &str, rest: &[TokenTree], depth: usize, after_use: bool) -> Vec<Root> {
    let Some(mut rest) = after_separator(rest) else {
        return if after_use {
            vec![Root::Name(first.to_owned(), Vec::new())]
        } else {
            Vec::new()
        };
    };
    let modules = |rest| names(rest).into_iter().map(Root::Module).collect();
    match first {
        "self" | "Self" => Vec::new(),
        "super" => {
            let mut supers = 1;
            while let Some((_, after)) = rest.split_first().filter(|(next, _)| is_ident(next, "super")) {
                supers += 1;
                rest = after_separator(after).unwrap_or_default();
            }
            if supers >= depth { modules(rest) } else { Vec::new() }
        }
        _ if OURSELVES.contains(&first) => modules(rest),
        _ => vec![Root::Name(first.to_owned(), names(rest))],
    }
}

/// The names that a path goes on with: one, or each of a `{…}`.
fn names(rest: &[TokenTree]) -> Vec<String> {
    match rest.first() {
        Some(TokenTree::Ident(ident)) => vec![ident.to_string()],
        Some(TokenTree::Group(group)) => {
            let inner: Vec<TokenTree> = group.stream().into_iter().collect();
            inner.split(|token| is_punct(token, ',')).flat_map(names).collect()
        }
        Some(token) if is_punct(token, '*') => vec!["*".to_owned()],
        _ => Vec::new(),
    }
}

/// What follows `::`, if that comes first.
fn after_separator(tokens: &[TokenTree]) -> Option<&[TokenTree]> {
    match tokens {
        [one, two, rest @ ..] if is_punct(one, ':') && is_punct(two, ':') => Some(rest),
        _ => None,
    }
}

/// True if the token at this place goes on with a path or is a field or method.
fn is_inside_path(tokens: &[TokenTree], at: usize) -> bool {
    let before = |steps: usize, what: char| at >= steps && is_punct(&tokens[at - steps], what);
    // `a::b` is inside; in `::b` nothing comes before that could be a path.
    let goes_on = before(1, ':') && before(2, ':') && at >= 3 && matches!(&tokens[at - 3], TokenTree::Ident(_));
    goes_on || before(1, '.')
}

/// True for what is written like a type. `Instant` says as much in `std::time::Instant::now` as at the beginning.
fn is_type(ident: &Ident) -> bool {
    ident.to_string().starts_with(char::is_uppercase)
}

fn is_ident(token: &TokenTree, name: &str) -> bool {
    matches!(token, TokenTree::Ident(ident) if ident == name)
}

fn is_punct(token: &TokenTree, what: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == what)
}

#[test]
fn reads_uses_from_tokens() {
    let check = |path: &str, text: &str, expected: &str| {
        let found = uses(path, text).expect("the sample is Rust");
        let spoken = |each: &Use| match &each.of {
            Root::Module(name) => format!("{} crate::{name}", each.line),
            Root::Name(name, then) if then.is_empty() => format!("{} {name}", each.line),
            Root::Name(name, then) => format!("{} {name}::{}", each.line, then.join("|")),
        };
        let found: Vec<String> = found.iter().map(spoken).collect();
        assert_eq!(found.join(", "), expected, "{path}: {text}");
    };
    check(
        "wire/frame.rs",
        "use bytes::Bytes;\nuse tokio;",
        "1 bytes::Bytes, 2 tokio",
    );
    check("wire/frame.rs", "use std::{fs, io::Read};", "1 std::fs|io");
    check(
        "wire/frame.rs",
        "use crate::{node::A, wire};",
        "1 crate::node, 1 crate::wire",
    );
    check("wire/frame.rs", "use crate::*;", "1 crate::*");
    check("wire/frame.rs", "// use tokio::x;\nlet text = \"tokio::spawn\";", "");
    check(
        "wire/frame.rs",
        "macro_rules! m { () => { $crate::node::X } }",
        "1 crate::node",
    );
    check(
        "wire/frame.rs",
        "#[tokio::test] fn f() { tokio::select! {} }",
        "1 tokio::test, 1 tokio::select",
    );
    check("wire/frame.rs", "fn f(x: &a::b::C) { x.tokio; self::y() }", "1 a::b");
    check(
        "wire/frame.rs",
        "fn f() { g::h::<u8>(a.f(tokio::x)) }",
        "1 g::h, 1 tokio::x",
    );
    check("wire/frame.rs", "let x = ::tokio::spawn;", "1 tokio::spawn");
    check(
        "wire/frame.rs",
        "std::time::Instant::now()",
        "1 std::time, 1 Instant::now",
    );
    check("wire/frame.rs", "use ractor_host::guest::X;", "1 crate::guest");
    check(
        "wire/frame.rs",
        "use super::proto; use super::super::node;",
        "1 crate::node",
    );
    check("wire/mod.rs", "use super::node;", "1 crate::node");
    check(
        "wire/mod.rs",
        "mod m { use super::*; use super::super::node; }",
        "1 crate::node",
    );
    check("directory.rs", "use super::node;", "1 crate::node");
    assert!(uses("wire/frame.rs", "fn f( {").is_err());
}

#[test]
fn knows_what_tests_use() {
    let check = |path: &str, text: &str, expected: bool| {
        let found = uses(path, text).expect("the sample is Rust");
        assert_eq!(
            found.iter().map(|each| each.by_tests).collect::<Vec<_>>(),
            [expected],
            "{path}: {text}"
        );
    };
    check("wire/frame.rs", "use bytes::X;", false);
    check("wire/frame.rs", "mod tests { use bytes::X; }", true);
    check("wire/frame.rs", "mod tests { mod inner { use bytes::X; } }", true);
    check("wire/tests.rs", "use bytes::X;", true);
    check("wire/tests/golden.rs", "use bytes::X;", true);
}
