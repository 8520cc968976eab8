//! `[actors.config]`, what an actor is told by its `config` interface, and labels. Every value becomes text.

use std::collections::{BTreeMap, BTreeSet};

use toml::Spanned;
use toml::de::{DeInteger, DeValue};

use super::problem::Problems;
use super::section::kind;

const EXPECTED_LIST: &str = "expected a list of strings";

const EXPECTED: &str = "expected a string, a number or a boolean";

/// Reads the table with this title, whatever its keys are.
pub(super) fn read(title: &str, value: &Spanned<DeValue<'_>>, problems: &mut Problems) -> BTreeMap<String, String> {
    let DeValue::Table(table) = value.get_ref() else {
        let message = format!("{title} is {}", kind(value.get_ref()));
        problems.error(value.span(), message, "expected a table of keys and values");
        return BTreeMap::new();
    };
    let mut values = BTreeMap::new();
    for (key, value) in table.iter() {
        let text = match value.get_ref() {
            DeValue::String(text) => Some(text.to_string()),
            DeValue::Integer(integer) => decimal(integer),
            DeValue::Float(float) => Some(float.as_str().to_owned()),
            DeValue::Boolean(boolean) => Some(boolean.to_string()),
            DeValue::Datetime(_) | DeValue::Array(_) | DeValue::Table(_) => None,
        };
        match text {
            Some(text) => {
                values.insert(key.get_ref().to_string(), text);
            }
            None => {
                let message = format!("`{}` is {}", key.get_ref().escape_debug(), kind(value.get_ref()));
                problems.error(value.span(), message, EXPECTED);
            }
        }
    }
    values
}

/// The integer in decimal, however it is written.
fn decimal(integer: &DeInteger<'_>) -> Option<String> {
    let number = i128::from_str_radix(integer.as_str(), integer.radix()).ok()?;
    Some(number.to_string())
}

/// Reads the table with this title, whatever its keys are, whose values are lists of strings, none of them empty.
pub(super) fn read_lists(
    title: &str,
    value: &Spanned<DeValue<'_>>,
    problems: &mut Problems,
) -> BTreeMap<String, BTreeSet<String>> {
    let DeValue::Table(table) = value.get_ref() else {
        let message = format!("{title} is {}", kind(value.get_ref()));
        problems.error(value.span(), message, "expected a table of keys and lists");
        return BTreeMap::new();
    };
    let mut values = BTreeMap::new();
    for (key, value) in table.iter() {
        let name = key.get_ref();
        let DeValue::Array(list) = value.get_ref() else {
            let message = format!("`{}` is {}", name.escape_debug(), kind(value.get_ref()));
            problems.error(value.span(), message, EXPECTED_LIST);
            continue;
        };
        let mut texts = BTreeSet::new();
        for one in list.iter() {
            match one.get_ref() {
                DeValue::String(text) => drop(texts.insert(text.to_string())),
                other => {
                    let message = format!("`{}` has {} in its list", name.escape_debug(), kind(other));
                    problems.error(one.span(), message, EXPECTED_LIST);
                }
            }
        }
        if list.is_empty() {
            let message = format!("`{}` has an empty list", name.escape_debug());
            problems.error(value.span(), message, "expected one value at least");
        }
        values.insert(name.to_string(), texts);
    }
    values
}
