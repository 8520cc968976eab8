//! What the demo says, and the record of it in the README of the example.

use std::env;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::report;

/// The variable with which what is compared is written instead.
pub(super) const BLESS: &str = "RACTOR_BLESS";
/// Where the record ends in the README.
const END: &str = "```\n";
/// In a line that is said: a place for what differs from run to run.
const VARIES: &str = "{}";
/// The most characters of what differs.
const MOST: usize = 24;

/// What was said so far.
#[derive(Default)]
pub(super) struct Transcript(Vec<Line>);

/// A line as it was said, and with the places for what differs.
struct Line {
    said: String,
    pattern: String,
}

impl Transcript {
    /// A step begins.
    pub(super) fn step(&mut self, title: &str) {
        report::step(title);
        self.push(format!("==> {title}"), format!("==> {title}"));
    }

    /// Something that is the same in every run.
    pub(super) fn note(&mut self, text: &str) {
        self.note_with(text, &[]);
    }

    /// Something of which parts differ: each `{}` is one of these values.
    pub(super) fn note_with(&mut self, text: &str, values: &[&str]) {
        let said = values
            .iter()
            .fold(text.to_owned(), |said, value| said.replacen(VARIES, value, 1));
        report::note(&said);
        for (said, pattern) in said.lines().zip(text.lines()) {
            self.push(format!("    {said}"), format!("    {pattern}"));
        }
    }

    fn push(&mut self, said: String, pattern: String) {
        self.0.push(Line { said, pattern });
    }

    /// Compares the record of this demo in a README, or writes it there.
    ///
    /// # Errors
    /// The README has no record, or another one.
    pub(super) fn compare(&self, demo: &str, readme: &Path) -> Result<()> {
        let begin = format!("<!-- What `cargo xtask demo {demo}` says; {BLESS}=1 writes it. -->\n```text\n");
        let text = fs::read_to_string(readme).with_context(|| format!("cannot read {}", readme.display()))?;
        let (before, rest) = text
            .split_once(&begin)
            .with_context(|| format!("{} has no place for the transcript: {begin}", readme.display()))?;
        let (record, after) = rest
            .split_once(END)
            .context("the transcript in the README has no end")?;
        if is_to_be_written() {
            let said: String = self.0.iter().map(|line| format!("{}\n", line.said)).collect();
            return fs::write(readme, format!("{before}{begin}{said}{END}{after}"))
                .with_context(|| format!("cannot write {}", readme.display()));
        }
        match self.difference(record) {
            None => Ok(()),
            Some(difference) => bail!(
                "the transcript in {} isn't what was said; {BLESS}=1 writes it: {difference}",
                readme.display()
            ),
        }
    }

    /// The first line that isn't as it was said.
    fn difference(&self, record: &str) -> Option<String> {
        let recorded: Vec<&str> = record.lines().collect();
        if recorded.len() != self.0.len() {
            return Some(format!("{} lines instead of {}", recorded.len(), self.0.len()));
        }
        let mut lines = recorded.iter().zip(&self.0);
        let (recorded, line) = lines.find(|(recorded, line)| !fits(recorded, &line.pattern))?;
        Some(format!("`{}` instead of `{}`", recorded.trim(), line.said.trim()))
    }
}

/// Whether files that are compared are to be written instead.
pub(super) fn is_to_be_written() -> bool {
    env::var_os(BLESS).is_some()
}

/// Whether a line is this one, whatever stands in the places for what differs.
fn fits(line: &str, pattern: &str) -> bool {
    let Some((start, rest)) = pattern.split_once(VARIES) else {
        return line == pattern;
    };
    let Some(line) = line.strip_prefix(start) else {
        return false;
    };
    let ends = line.char_indices().map(|(at, _)| at).skip(1).take(MOST);
    let ends: Vec<usize> = ends.chain([line.len()]).collect();
    ends.iter()
        .any(|end| line.get(*end..).is_some_and(|line| fits(line, rest)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_fits_with_other_figures_and_with_no_other_words() {
        let pattern = "saved; in the actors after {} s, {} orders meanwhile";
        assert!(fits("saved; in the actors after 7.1 s, 93 orders meanwhile", pattern));
        for other in [
            "saved; in the actors after 7.1 s, 93 orders",
            "saved; in the actors after  s, 93 orders meanwhile, or so",
            "in the actors after 7.1 s, 93 orders meanwhile",
        ] {
            assert!(!fits(other, pattern), "{other}");
        }
        assert!(fits("as it is", "as it is") && !fits("as it was", "as it is"));
    }

    #[test]
    fn a_record_of_another_run_is_good_and_one_of_another_story_is_not() {
        let mut transcript = Transcript::default();
        transcript.step("one");
        transcript.note_with("{} orders\nall decided", &["12"]);
        assert_eq!(transcript.difference("==> one\n    7 orders\n    all decided\n"), None);
        let difference = transcript.difference("==> one\n    7 orders\n    some decided\n");
        assert_eq!(difference.as_deref(), Some("`some decided` instead of `all decided`"));
        assert!(transcript.difference("==> one\n").is_some());
    }
}
