//! One table of the file: typed access to its keys, and the complaints about keys and types that all tables share.

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::duration::{self, NoDuration};
use super::nearest::nearest;
use super::problem::Problems;
use super::size::{self, NoSize};

/// The keys that a table may have.
#[derive(Clone, Copy, Debug)]
pub(super) struct Keys {
    /// Those that are read.
    pub(super) known: &'static [&'static str],
    /// Those that people write all the same, each with what to write instead.
    pub(super) explained: &'static [(&'static str, &'static str)],
}

/// A table of the file whose keys were checked.
#[derive(Debug)]
pub(super) struct Section<'d> {
    /// As it is written in the file: `[node]`.
    pub(super) title: String,
    /// The header of the table.
    pub(super) span: Range<usize>,
    table: &'d DeTable<'d>,
    /// The keys that unknown ones were taken for. They are not reported as missing too.
    mistyped: Vec<&'static str>,
}

impl<'d> Section<'d> {
    /// The table at the top of a file, or any other that was found to be one. Complains about every unknown key.
    pub(super) fn new(
        title: impl Into<String>,
        span: Range<usize>,
        table: &'d DeTable<'d>,
        keys: Keys,
        problems: &mut Problems,
    ) -> Self {
        let mut section = Self {
            title: title.into(),
            span,
            table,
            mistyped: Vec::new(),
        };
        for key in table.keys() {
            section.check_key(key, keys, problems);
        }
        section
    }

    /// A value that must be a table.
    pub(super) fn open(
        title: impl Into<String>,
        value: &'d Spanned<DeValue<'d>>,
        keys: Keys,
        problems: &mut Problems,
    ) -> Option<Self> {
        let title = title.into();
        match value.get_ref() {
            DeValue::Table(table) => Some(Self::new(title, value.span(), table, keys, problems)),
            other => {
                let message = format!("{title} is {}", kind(other));
                problems.error(value.span(), message, "expected a table of keys and values");
                None
            }
        }
    }

    fn check_key(&mut self, key: &Spanned<std::borrow::Cow<'_, str>>, keys: Keys, problems: &mut Problems) {
        let name = key.get_ref().as_ref();
        if keys.known.contains(&name) {
            return;
        }
        let message = format!("unknown key `{}` in {}", name.escape_debug(), self.title);
        let help = if let Some((_, instead)) = keys.explained.iter().find(|(explained, _)| *explained == name) {
            (*instead).to_owned()
        } else if let Some(nearest) = nearest(name, keys.known.iter().copied()) {
            // Whoever meant this key is not told, in addition, that it is missing.
            self.mistyped.push(nearest);
            format!("did you mean `{nearest}`?")
        } else {
            format!("expected one of: {}", keys.known.join(", "))
        };
        problems.key_error(key.span(), message, help);
    }

    /// The value of a key as it is.
    pub(super) fn value(&self, key: &str) -> Option<&'d Spanned<DeValue<'d>>> {
        self.table.get(key)
    }

    /// Where the value of each of its keys is.
    pub(super) fn spans(&self) -> BTreeMap<String, Range<usize>> {
        let entries = self.table.iter();
        entries
            .map(|(key, value)| (key.get_ref().to_string(), value.span()))
            .collect()
    }

    /// True if the key isn't there, not even mistyped.
    pub(super) fn lacks(&self, key: &str) -> bool {
        !self.table.contains_key(key) && !self.mistyped.contains(&key)
    }

    /// A key that must be a string.
    pub(super) fn text(&self, key: &str, problems: &mut Problems) -> Option<Spanned<&'d str>> {
        text(&format!("`{key}`"), self.value(key)?, problems)
    }

    /// A key that must be a string and must be there.
    pub(super) fn required_text(&self, key: &str, example: &str, problems: &mut Problems) -> Option<Spanned<&'d str>> {
        if self.lacks(key) {
            let message = format!("{} has no `{key}`", self.title);
            problems.error(
                self.span.clone(),
                message,
                format!("add for example `{key} = {example}`"),
            );
        }
        self.text(key, problems)
    }

    /// A key that must be a list of strings; none when it is absent.
    pub(super) fn texts(&self, key: &str, problems: &mut Problems) -> Vec<Spanned<&'d str>> {
        let Some(value) = self.value(key) else {
            return Vec::new();
        };
        let DeValue::Array(elements) = value.get_ref() else {
            let message = format!("`{key}` is {}", kind(value.get_ref()));
            problems.error(
                value.span(),
                message,
                format!("expected a list of strings: `{key} = [\"…\"]`"),
            );
            return Vec::new();
        };
        let title = format!("an element of `{key}`");
        elements
            .iter()
            .filter_map(|element| text(&title, element, problems))
            .collect()
    }

    /// A key that must be true or false.
    pub(super) fn boolean(&self, key: &str, problems: &mut Problems) -> Option<bool> {
        let value = self.value(key)?;
        let DeValue::Boolean(boolean) = value.get_ref() else {
            let message = format!("`{key}` is {}", kind(value.get_ref()));
            problems.error(value.span(), message, "expected `true` or `false`");
            return None;
        };
        Some(*boolean)
    }

    /// A key that must be a time.
    pub(super) fn duration(&self, key: &str, problems: &mut Problems) -> Option<Duration> {
        let text = self.text(key, problems)?;
        let what = match duration::parse(text.get_ref()) {
            Ok(duration) => return Some(duration),
            Err(NoDuration::Malformed) => "is not a time",
            Err(NoDuration::TooLong) => "is too long",
        };
        problems.error(text.span(), format!("`{key}` {what}"), duration::EXPECTED);
        None
    }

    /// A key that must be a time, and not none at all.
    pub(super) fn time(&self, key: &str, problems: &mut Problems) -> Option<Duration> {
        let time = self.duration(key, problems)?;
        if let (true, Some(value)) = (time.is_zero(), self.value(key)) {
            let message = format!("`{key}` can't be zero");
            problems.error(value.span(), message, "expected for example `10s`");
            return None;
        }
        Some(time)
    }

    /// A key that must be a number of bytes in a range: an integer, or text with a unit.
    pub(super) fn size(&self, key: &str, range: std::ops::RangeInclusive<u64>, problems: &mut Problems) -> Option<u64> {
        let value = self.value(key)?;
        let read = match value.get_ref() {
            DeValue::Integer(integer) => {
                u64::from_str_radix(integer.as_str(), integer.radix()).map_err(|_| NoSize::TooLarge)
            }
            DeValue::String(text) => size::parse(text),
            other => {
                let message = format!("`{key}` is {}", kind(other));
                problems.error(value.span(), message, size::EXPECTED);
                return None;
            }
        };
        match read {
            Ok(bytes) if range.contains(&bytes) => return Some(bytes),
            Ok(_) | Err(NoSize::TooLarge) => {
                let (least, most) = (size::written(*range.start()), size::written(*range.end()));
                problems.error(
                    value.span(),
                    format!("`{key}` is out of range"),
                    format!("expected {least} to {most}"),
                );
            }
            Err(NoSize::Malformed) => problems.error(value.span(), format!("`{key}` is not a size"), size::EXPECTED),
        }
        None
    }

    /// A key that must be an integer in a range.
    pub(super) fn integer(
        &self,
        key: &str,
        range: std::ops::RangeInclusive<u32>,
        problems: &mut Problems,
    ) -> Option<u32> {
        let value = self.value(key)?;
        let expected = format!("expected an integer from {} to {}", range.start(), range.end());
        let DeValue::Integer(integer) = value.get_ref() else {
            problems.error(value.span(), format!("`{key}` is {}", kind(value.get_ref())), expected);
            return None;
        };
        let number = u32::from_str_radix(integer.as_str(), integer.radix()).ok();
        let number = number.filter(|number| range.contains(number));
        if number.is_none() {
            problems.error(value.span(), format!("`{key}` is out of range"), expected);
        }
        number
    }
}

/// What a value is, in words.
pub(super) fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "an integer",
        DeValue::Float(_) => "a float",
        DeValue::Boolean(_) => "a boolean",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

fn text<'d>(title: &str, value: &'d Spanned<DeValue<'d>>, problems: &mut Problems) -> Option<Spanned<&'d str>> {
    match value.get_ref() {
        DeValue::String(text) => Some(Spanned::new(value.span(), text.as_ref())),
        other => {
            problems.error(
                value.span(),
                format!("{title} is {}", kind(other)),
                "expected a string in quotes",
            );
            None
        }
    }
}
