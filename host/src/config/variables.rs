//! `${NAME}` in the strings of a configuration: what the environment has for it.
//!
//! It is replaced in values that are strings, once, after the file was parsed: what a variable has is never read as TOML, and
//! never replaced again. `${NAME:-TEXT}` is TEXT where the variable is unset or empty, and `$${` is `${` itself. A `$`
//! that no `{` follows is one. Variables are not nested.

use std::env::VarError;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::problem::Problems;

/// The most bytes that variables may add to one configuration.
const MOST_BYTES: usize = 4 << 20;

const FORMS: &str = "expected `${NAME}` or `${NAME:-DEFAULT}`; write `$${` for `${` itself";

/// The value of a variable of the environment.
pub(super) type Lookup<'a> = dyn Fn(&str) -> Result<String, VarError> + 'a;

/// Replaces every `${NAME}` in the strings of this document, which `text` was parsed to.
pub(super) fn substitute(document: &mut DeTable<'_>, text: &str, lookup: &Lookup<'_>, problems: &mut Problems) {
    let mut substitution = Substitution {
        text,
        lookup,
        left: MOST_BYTES,
        problems,
    };
    for (_, value) in document.iter_mut() {
        substitution.value(value);
    }
}

struct Substitution<'a> {
    text: &'a str,
    lookup: &'a Lookup<'a>,
    /// Bytes that variables may still add.
    left: usize,
    problems: &'a mut Problems,
}

/// One place of a string.
#[derive(Debug, PartialEq, Eq)]
enum StringPart<'v> {
    Text(&'v str),
    /// `$${`
    Literal,
    Variable {
        name: &'v str,
        default: Option<&'v str>,
    },
    /// What begins like a variable and is none.
    Malformed(&'v str),
}

impl Substitution<'_> {
    fn value(&mut self, value: &mut Spanned<DeValue<'_>>) {
        let span = value.span();
        match value.get_mut() {
            DeValue::String(text) if text.contains("${") => {
                if let Some(replaced) = self.string(text, &span) {
                    *text = replaced.into();
                }
            }
            DeValue::Array(elements) => elements.iter_mut().for_each(|element| self.value(element)),
            DeValue::Table(table) => table.iter_mut().for_each(|(_, value)| self.value(value)),
            DeValue::String(_)
            | DeValue::Integer(_)
            | DeValue::Float(_)
            | DeValue::Boolean(_)
            | DeValue::Datetime(_) => {}
        }
    }

    /// None if the string stays as it is, because of a mistake.
    fn string(&mut self, text: &str, span: &Range<usize>) -> Option<String> {
        let mut replaced = String::new();
        let mut names = Vec::new();
        let mut is_good = true;
        // Where in the file each `${` of the string stands, if none is written with escapes.
        let places: Vec<usize> = self
            .text
            .get(span.clone())
            .map(|raw| raw.match_indices("${").map(|(at, _)| span.start + at).collect())
            .unwrap_or_default();
        let places = (places.len() == text.matches("${").count()).then_some(places);
        let mut index = 0;
        for part in parts(text) {
            let mut opened = 1;
            let at = |length: usize| match places.as_ref().and_then(|places| places.get(index)) {
                Some(start) => *start..(*start + length).min(span.end),
                None => span.clone(),
            };
            match part {
                StringPart::Text(text) => {
                    replaced.push_str(text);
                    continue;
                }
                StringPart::Literal => replaced.push_str("${"),
                StringPart::Malformed(text) => {
                    is_good = false;
                    opened = text.matches("${").count();
                    let message = match opened {
                        2.. if text.ends_with('}') => "variables are not nested",
                        _ => "this is not a variable",
                    };
                    self.problems.error(at(text.len()), message, FORMS);
                }
                StringPart::Variable { name, default } => {
                    let written = name.len() + default.map_or(0, |default| default.len() + 2) + 3;
                    match self.lookup(name, default) {
                        Ok(value) => {
                            replaced.push_str(&value);
                            names.push(name.to_owned());
                        }
                        Err((message, help)) => {
                            is_good = false;
                            self.problems.error(at(written), message, help);
                        }
                    }
                }
            }
            // What is malformed may span several `${`, each of which has a place.
            index += opened;
        }
        if !is_good {
            self.problems.broken(span.clone());
        } else if !names.is_empty() {
            self.problems.substituted(span.clone(), names);
        }
        is_good.then_some(replaced)
    }

    fn lookup(&mut self, name: &str, default: Option<&str>) -> Result<String, (String, String)> {
        let value = match ((self.lookup)(name), default) {
            (Ok(value), None) => value,
            (Ok(value), Some(default)) if value.is_empty() => default.to_owned(),
            (Ok(value), Some(_)) => value,
            (Err(VarError::NotPresent), Some(default)) => default.to_owned(),
            (Err(VarError::NotPresent), None) => {
                let message = format!("the environment variable {name} is not set");
                let help = format!(
                    "set it, or write `${{{name}:-DEFAULT}}`; if no variable is meant, write `$${{` for `${{` itself"
                );
                return Err((message, help));
            }
            (Err(VarError::NotUnicode(_)), _) => {
                let message = format!("the environment variable {name} is not UTF-8 text");
                return Err((message, "set it to text".to_owned()));
            }
        };
        // Counted where a value is put in: a short file could ask for a long variable again and again.
        match self.left.checked_sub(value.len()) {
            Some(left) => {
                self.left = left;
                Ok(value)
            }
            None => Err((
                format!("variables add more than {MOST_BYTES} bytes to this configuration"),
                "expected names, paths and addresses".to_owned(),
            )),
        }
    }
}

fn parts(mut text: &str) -> Vec<StringPart<'_>> {
    let mut parts = Vec::new();
    while let Some(at) = text.find("${") {
        let (before, rest) = text.split_at(at);
        if let Some(before) = before.strip_suffix('$') {
            parts.extend([StringPart::Text(before), StringPart::Literal]);
            text = rest.get(2..).unwrap_or_default();
            continue;
        }
        parts.push(StringPart::Text(before));
        let Some((inner, after)) = rest.get(2..).and_then(|rest| rest.split_once('}')) else {
            parts.push(StringPart::Malformed(rest));
            return parts;
        };
        let (name, default) = match inner.split_once(":-") {
            Some((name, default)) => (name, Some(default)),
            None => (inner, None),
        };
        let whole = rest.get(..inner.len() + 3).unwrap_or(rest);
        parts.push(match default {
            Some(default) if default.contains("${") => StringPart::Malformed(whole),
            _ if is_name(name) => StringPart::Variable { name, default },
            _ => StringPart::Malformed(whole),
        });
        text = after;
    }
    parts.push(StringPart::Text(text));
    parts
}

/// As POSIX has the names of variables.
fn is_name(name: &str) -> bool {
    let is_word = |char: char| char.is_ascii_alphanumeric() || char == '_';
    name.chars().all(is_word) && name.starts_with(|first: char| !first.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_string_has_text_variables_and_literals() {
        let variable = |name, default| StringPart::Variable { name, default };
        let cases: [(&str, &[StringPart<'_>]); 10] = [
            ("a $b $$c", &[StringPart::Text("a $b $$c")]),
            (
                "${A}",
                &[StringPart::Text(""), variable("A", None), StringPart::Text("")],
            ),
            (
                "x${A_1:-}y",
                &[StringPart::Text("x"), variable("A_1", Some("")), StringPart::Text("y")],
            ),
            (
                "${A:-b:-c}",
                &[StringPart::Text(""), variable("A", Some("b:-c")), StringPart::Text("")],
            ),
            (
                "$${A}",
                &[StringPart::Text(""), StringPart::Literal, StringPart::Text("A}")],
            ),
            (
                "$$${A}",
                &[StringPart::Text("$"), StringPart::Literal, StringPart::Text("A}")],
            ),
            (
                "${1}",
                &[
                    StringPart::Text(""),
                    StringPart::Malformed("${1}"),
                    StringPart::Text(""),
                ],
            ),
            ("a${B", &[StringPart::Text("a"), StringPart::Malformed("${B")]),
            (
                "${A:-${B}}",
                &[
                    StringPart::Text(""),
                    StringPart::Malformed("${A:-${B}"),
                    StringPart::Text("}"),
                ],
            ),
            (
                "${A${B}c",
                &[
                    StringPart::Text(""),
                    StringPart::Malformed("${A${B}"),
                    StringPart::Text("c"),
                ],
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(parts(text), expected, "{text}");
        }
    }
}
