//! `--set KEY=VALUE`: values that take the place of those in the file.
//!
//! KEY is written as in TOML, with dots: `node.name`, `modules."my module".path`. Where the file has a list of tables, the
//! next word is the `name` of one of them: `actors.counter.count`. VALUE is TOML, and text if it is none, so that a string
//! needs no quotes.

use std::borrow::Cow;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::problem::Problems;

/// The list of tables that a file may have.
const LIST: &str = "actors";

/// What stands for a value while a key is parsed.
const ANY: &str = "=0";

/// One `--set`, with its texts at the places where they are in all the text of the configuration.
#[derive(Debug)]
pub(super) struct Override {
    at: Range<usize>,
    /// None if there is no `=`.
    padded: Option<Padded>,
}

#[derive(Debug)]
struct Padded {
    key: String,
    value: String,
    text: String,
    value_at: Range<usize>,
}

impl Override {
    /// `set` is KEY=VALUE, and begins at `at`.
    pub(super) fn new(set: &str, at: usize) -> Self {
        let padded = set.split_once('=').map(|(key, text)| {
            let value_at = at + key.len() + 1;
            Padded {
                key: format!("{}{key}{ANY}", " ".repeat(at)),
                // The place of the value becomes right by what is in front of it, which is at least as long as `x=`.
                value: format!("{}x={text}", " ".repeat(value_at.saturating_sub(2))),
                text: text.to_owned(),
                value_at: value_at..at + set.len(),
            }
        });
        Self {
            at: at..at + set.len(),
            padded,
        }
    }

    /// Puts the value into the document.
    pub(super) fn apply<'d>(&'d self, document: &mut DeTable<'d>, problems: &mut Problems) {
        let key = self
            .padded
            .as_ref()
            .and_then(|padded| Some((path(&padded.key)?, padded)));
        let Some((path, padded)) = key else {
            let help = "expected KEY=VALUE such as `node.name=beta` or `node.peers=[\"alpha:4697\"]`";
            return problems.error(self.at.clone(), "this can't be set", help);
        };
        let inserted = match path.split_first() {
            // A table made for it would be taken for a mistake of the file.
            Some((list, rest)) if !rest.is_empty() && list.get_ref() == LIST && !document.contains_key(LIST) => {
                insert_into_element(&mut [], list, rest, padded.value())
            }
            _ => insert(document, &path, padded.value()),
        };
        if let Err((at, message, help)) = inserted {
            problems.error(at, message, help);
        }
    }
}

impl Padded {
    /// The value as TOML has it, or as text.
    fn value(&self) -> Spanned<DeValue<'_>> {
        let parsed = DeTable::parse(&self.value).ok().map(Spanned::into_inner);
        // More than one would be lines that were smuggled in.
        let only = parsed.filter(|table| table.len() == 1);
        let value = only.and_then(|mut table| table.remove("x"));
        value.unwrap_or_else(|| Spanned::new(self.value_at.clone(), DeValue::String(self.text.as_str().into())))
    }
}

type KeyPath<'d> = Spanned<Cow<'d, str>>;

/// The words of a key; none if it is no key, or not one alone.
fn path(padded: &str) -> Option<Vec<KeyPath<'_>>> {
    let mut table = DeTable::parse(padded).ok()?.into_inner();
    let mut path = Vec::new();
    loop {
        let mut entries = table.into_iter();
        let (Some((key, value)), None) = (entries.next(), entries.next()) else {
            return None;
        };
        path.push(key);
        match value.into_inner() {
            DeValue::Table(inner) => table = inner,
            DeValue::Integer(_) => return Some(path),
            _ => return None,
        }
    }
}

type Mistake = (Range<usize>, String, String);

fn insert<'d>(table: &mut DeTable<'d>, path: &[KeyPath<'d>], value: Spanned<DeValue<'d>>) -> Result<(), Mistake> {
    let Some((key, rest)) = path.split_first() else {
        return Ok(());
    };
    if rest.is_empty() {
        table.insert(key.clone(), value);
        return Ok(());
    }
    let inner = table
        .entry(key.clone())
        .or_insert_with(|| Spanned::new(key.span(), DeValue::Table(DeTable::new())));
    match inner.get_mut() {
        DeValue::Table(inner) => insert(inner, rest, value),
        DeValue::Array(elements) => insert_into_element(elements, key, rest, value),
        other => {
            let message = format!("`{}` is {} in the file", key.get_ref(), super::section::kind(other));
            Err((key.span(), message, "expected the name of a table".to_owned()))
        }
    }
}

/// The next word chooses the element by its name.
fn insert_into_element<'d>(
    elements: &mut [Spanned<DeValue<'d>>],
    list: &KeyPath<'d>,
    path: &[KeyPath<'d>],
    value: Spanned<DeValue<'d>>,
) -> Result<(), Mistake> {
    let Some((wanted, rest)) = path.split_first() else {
        return Ok(());
    };
    let name = |element: &Spanned<DeValue<'d>>| {
        let name = element.get_ref().get("name")?.get_ref().as_str()?;
        Some(name.to_owned())
    };
    let names: Vec<String> = elements.iter().filter_map(name).collect();
    let found = elements
        .iter_mut()
        .find(|element| name(element).as_deref() == Some(wanted.get_ref()));
    match found.map(Spanned::get_mut) {
        Some(DeValue::Table(table)) if !rest.is_empty() => insert(table, rest, value),
        Some(_) => {
            let message = format!("`{}` is a whole table", wanted.get_ref());
            Err((wanted.span(), message, "name one of its keys too".to_owned()))
        }
        None => {
            let message = format!("no element of `{}` has the name `{}`", list.get_ref(), wanted.get_ref());
            let help = if names.is_empty() {
                format!("add a table with that name to the file: `[[{}]]`", list.get_ref())
            } else {
                format!("expected one of: {}", names.join(", "))
            };
            Err((wanted.span(), message, help))
        }
    }
}
