//! `[actors.config]`, what an actor is told by its `config` interface, and labels. Every value becomes text.

use std::collections::BTreeMap;

use toml::Spanned;
use toml::de::{DeInteger, DeValue};

use super::problem::Problems;
use super::section::kind;

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
