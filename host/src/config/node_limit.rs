//! A limit of the configuration that is not one of a single guest: its key, what may be written there, and its row in
//! docs/limits.md.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::problem::Problems;
use super::section::Section;
use super::{duration, size};

/// A limit with a key. `N` is how it is written: a size has `u64`, a number of things `u32`, a time [`Duration`].
#[derive(Debug)]
#[cfg_attr(
    not(test),
    expect(dead_code, reason = "the test that makes docs/limits.md reads all of it")
)]
pub(super) struct NodeLimit<N: 'static> {
    pub(super) key: &'static str,
    /// What may be written.
    pub(super) range: RangeInclusive<N>,
    pub(super) default: DefaultLimit<N>,
    /// What it bounds, in sentences.
    pub(super) what: &'static str,
    /// What happens beyond it, to follow "Beyond it".
    pub(super) beyond: &'static str,
}

/// What a limit is that the file leaves out.
#[derive(Debug)]
#[cfg_attr(not(test), expect(dead_code, reason = "the test that makes docs/limits.md reads it"))]
pub(super) enum DefaultLimit<N: 'static> {
    /// Always the same.
    Is(fn() -> N),
    /// It follows from the rest of the file.
    Follows(&'static str),
}

impl NodeLimit<u64> {
    /// The size that the table has, in bytes.
    pub(super) fn read(&self, section: &Section<'_>, problems: &mut Problems) -> Option<u64> {
        section.size(self.key, self.range.clone(), problems)
    }
}

impl NodeLimit<u32> {
    /// The number that the table has.
    pub(super) fn read(&self, section: &Section<'_>, problems: &mut Problems) -> Option<u32> {
        section.integer(self.key, self.range.clone(), problems)
    }
}

impl NodeLimit<Duration> {
    /// The time that the table has.
    pub(super) fn read(&self, section: &Section<'_>, problems: &mut Problems) -> Option<Duration> {
        let time = section.duration(self.key, problems)?;
        if !self.range.contains(&time) {
            let span = section.value(self.key).map(toml::Spanned::span).unwrap_or_default();
            let (least, most) = (self.range.start().written(), self.range.end().written());
            let message = format!("`{}` is out of range", self.key);
            problems.error(span, message, format!("expected `{least}` to `{most}`"));
            return None;
        }
        Some(time)
    }
}

/// What can be said as the file writes it.
pub(super) trait AsWritten {
    fn written(&self) -> String;
}

impl AsWritten for u64 {
    fn written(&self) -> String {
        size::written(*self)
    }
}

impl AsWritten for u32 {
    fn written(&self) -> String {
        self.to_string()
    }
}

impl AsWritten for Duration {
    fn written(&self) -> String {
        duration::written(*self)
    }
}
