//! What a configuration says, key by key, so that two of them can be told apart. It keeps no values, which may be secret, but what
//! they hash to: after variables and `--set`, so that it is about what counts.

use std::collections::{BTreeMap, BTreeSet};

use toml::de::{DeTable, DeValue};

use crate::guest::Digest;

/// The list of tables that a file may have. Its elements are known by their names.
const LIST: &str = "actors";

/// The words of a key, from the outermost table to itself. Words are apart, because names may have dots.
pub(crate) type KeyWords = Vec<String>;

/// See the module.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct WrittenKeys(BTreeMap<KeyWords, Digest>);

impl WrittenKeys {
    pub(super) fn of(document: &DeTable<'_>) -> Self {
        let mut keys = Self::default();
        for (key, value) in document.iter() {
            let path = vec![key.get_ref().to_string()];
            match value.get_ref() {
                DeValue::Array(elements) if path == [LIST] => {
                    for element in elements.iter() {
                        keys.enter_element(element.get_ref());
                    }
                }
                value => keys.enter(path, value),
            }
        }
        keys
    }

    /// What one actor is told is compared key by key, and each key as a whole.
    fn enter_element(&mut self, element: &DeValue<'_>) {
        let DeValue::Table(table) = element else { return };
        let name = table.get("name").and_then(|name| name.get_ref().as_str());
        for (key, value) in table.iter() {
            let path = vec![
                LIST.to_owned(),
                name.unwrap_or_default().to_owned(),
                key.get_ref().to_string(),
            ];
            self.0.insert(path, fingerprint(value.get_ref()));
        }
    }

    fn enter(&mut self, path: KeyWords, value: &DeValue<'_>) {
        match value {
            DeValue::Table(table) => {
                // A table without keys says something too, such as `[control]`.
                self.0.insert(path.clone(), Digest::of(b"table"));
                for (key, value) in table.iter() {
                    let mut path = path.clone();
                    path.push(key.get_ref().to_string());
                    self.enter(path, value.get_ref());
                }
            }
            value => {
                self.0.insert(path, fingerprint(value));
            }
        }
    }

    /// The keys whose values differ, those that only one of the two has included.
    pub(crate) fn changed(&self, other: &Self) -> BTreeSet<KeyWords> {
        let all = self.0.keys().chain(other.0.keys());
        let differ = all.filter(|key| self.0.get(*key) != other.0.get(*key));
        differ.cloned().collect()
    }

    /// The keys of this entry of `[[actors]]` that differ from those of another one, by their last word.
    pub(crate) fn changed_of_actor(&self, name: &str, other: &Self) -> BTreeSet<String> {
        let (own, others) = (self.of_actor(name), other.of_actor(name));
        let all = own.keys().chain(others.keys());
        let differ = all.filter(|key| own.get(*key) != others.get(*key));
        differ.map(|key| (*key).to_owned()).collect()
    }

    fn of_actor(&self, name: &str) -> BTreeMap<&str, Digest> {
        let above = vec![LIST.to_owned(), name.to_owned()];
        let entries = self.0.range(above.clone()..);
        let own = entries.take_while(|(key, _)| key.starts_with(&above));
        own.filter_map(|(key, value)| Some((key.get(above.len())?.as_str(), *value)))
            .collect()
    }

    /// Takes these keys as they are in another one.
    pub(crate) fn keep(&mut self, keys: &BTreeSet<KeyWords>, other: &Self) {
        for key in keys {
            match other.0.get(key) {
                Some(value) => self.0.insert(key.clone(), *value),
                None => self.0.remove(key),
            };
        }
    }
}

fn fingerprint(value: &DeValue<'_>) -> Digest {
    let mut text = String::new();
    write(value, &mut text);
    Digest::of(text.as_bytes())
}

/// One text for each value, however it is written.
fn write(value: &DeValue<'_>, text: &mut String) {
    match value {
        DeValue::String(string) => text.push_str(&format!("{:?}", string.as_ref())),
        DeValue::Integer(integer) => {
            // The same number may be written in several ways; one that is too large is a mistake, and reported.
            let number = i128::from_str_radix(integer.as_str(), integer.radix());
            text.push_str(&number.map_or_else(|_| integer.as_str().to_owned(), |number| number.to_string()));
        }
        DeValue::Float(float) => text.push_str(float.as_str()),
        DeValue::Boolean(boolean) => text.push_str(&boolean.to_string()),
        DeValue::Datetime(datetime) => text.push_str(&datetime.to_string()),
        DeValue::Array(elements) => {
            text.push('[');
            for element in elements.iter() {
                write(element.get_ref(), text);
                text.push(',');
            }
            text.push(']');
        }
        DeValue::Table(table) => {
            let mut entries: Vec<_> = table.iter().map(|(key, value)| (key.get_ref(), value)).collect();
            entries.sort_by_key(|(key, _)| key.to_string());
            text.push('{');
            for (key, value) in entries {
                text.push_str(&format!("{key:?}="));
                write(value.get_ref(), text);
                text.push(',');
            }
            text.push('}');
        }
    }
}
