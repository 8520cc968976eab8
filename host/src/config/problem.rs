//! What is wrong with a file, and how it is shown: place, offending line with a caret, what was expected.

use std::fmt;
use std::ops::Range;
use std::path::PathBuf;

use super::source::{Piece, Source};
use crate::files::ReadError;

/// How much of a long line is quoted, in characters.
const QUOTE_LIMIT: usize = 120;

/// Why a configuration could not be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file could not be read.
    #[error("{}: cannot be read: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: ReadError,
    },
    /// The file is far larger than any configuration.
    #[error("{}: larger than {limit} bytes; is it a node.toml?", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The largest size that is read, in bytes.
        limit: u64,
    },
    /// The file is not text.
    #[error("{}:{line}: not UTF-8 text; is it a node.toml?", path.display())]
    NotUtf8 {
        /// The file.
        path: PathBuf,
        /// The first line that is not UTF-8.
        line: usize,
    },
    /// The file has these mistakes.
    #[error("{0}")]
    Wrong(Findings),
}

/// How many findings are kept. Who has more will fix these first.
const FINDINGS_LIMIT: usize = 50;

/// What was found in a file, in the order of its lines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// The first ones.
    pub first: Vec<Finding>,
    /// How many there are besides.
    pub more: usize,
}

/// One mistake or warning, at a place of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The file, as it was named by the user.
    pub file: PathBuf,
    /// Counted from 1.
    pub line: usize,
    /// In characters, counted from 1.
    pub column: usize,
    /// What is wrong.
    pub message: String,
    /// What was expected, or what to do.
    pub help: String,
    quote: String,
    caret: String,
}

/// The mistakes of one file while it is being checked.
#[derive(Clone, Debug, Default)]
pub(crate) struct Problems {
    errors: Vec<Problem>,
    warnings: Vec<Problem>,
    /// The strings in which variables were replaced, and which.
    substituted: Vec<(Range<usize>, Vec<String>)>,
    /// The strings in which variables could not be replaced. What else is wrong with them follows from that.
    broken: Vec<Range<usize>>,
}

#[derive(Clone, Debug)]
struct Problem {
    at: Range<usize>,
    message: String,
    help: String,
    quote: Quote,
}

/// How much of the offending line may be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Quote {
    Line,
    /// Not what follows the key: it could be a secret under a mistyped key.
    Key,
}

impl Problems {
    /// Something that makes the file unusable.
    pub(crate) fn error(&mut self, at: Range<usize>, message: impl Into<String>, help: impl Into<String>) {
        if self.broken.contains(&at) {
            return;
        }
        let problem = self.problem(at, message.into(), help.into(), Quote::Line);
        self.errors.push(problem);
    }

    /// A key that makes the file unusable.
    pub(super) fn key_error(&mut self, at: Range<usize>, message: impl Into<String>, help: impl Into<String>) {
        let problem = self.problem(at, message.into(), help.into(), Quote::Key);
        self.errors.push(problem);
    }

    /// Something that works but is hardly wanted.
    pub(super) fn warning(&mut self, at: Range<usize>, message: impl Into<String>, help: impl Into<String>) {
        let problem = self.problem(at, message.into(), help.into(), Quote::Line);
        self.warnings.push(problem);
    }

    /// The string at this place has what these variables stand for.
    pub(super) fn substituted(&mut self, at: Range<usize>, variables: Vec<String>) {
        self.substituted.push((at, variables));
    }

    /// The string at this place is not what was meant, which has been reported.
    pub(super) fn broken(&mut self, at: Range<usize>) {
        self.broken.push(at);
    }

    /// True if there is something that makes the file unusable.
    pub(crate) fn has_errors(&self) -> bool {
        !self.errors.is_empty()
    }

    /// A problem, with the variables that had a part in it.
    fn problem(&self, at: Range<usize>, message: String, mut help: String, quote: Quote) -> Problem {
        let within = |(span, _): &&(Range<usize>, Vec<String>)| span.contains(&at.start);
        if let Some((_, variables)) = self.substituted.iter().find(within) {
            let names: Vec<String> = variables.iter().map(|name| format!("${{{name}}}")).collect();
            let stand = if names.len() == 1 { "stands" } else { "stand" };
            help.push_str(&format!(" (the value has what {} {stand} for)", names.join(" and ")));
        }
        Problem {
            at,
            message,
            help,
            quote,
        }
    }

    /// As many as there are, but with no findings yet.
    pub(super) fn for_later(&self) -> Self {
        Self {
            substituted: self.substituted.clone(),
            ..Self::default()
        }
    }

    /// The warnings if there is no error, or else the errors.
    pub(super) fn into_result(self, source: &Source) -> Result<Findings, ConfigError> {
        if self.errors.is_empty() {
            Ok(Findings::new(source, self.warnings))
        } else {
            Err(ConfigError::Wrong(Findings::new(source, self.errors)))
        }
    }
}

impl Findings {
    fn new(source: &Source, mut problems: Vec<Problem>) -> Self {
        problems.sort_by_key(|problem| problem.at.start);
        let more = problems.len().saturating_sub(FINDINGS_LIMIT);
        problems.truncate(FINDINGS_LIMIT);
        Self {
            first: problems
                .into_iter()
                .map(|problem| Finding::new(&source.piece(problem.at.start), problem))
                .collect(),
            more,
        }
    }
}

impl Finding {
    fn new(piece: &Piece<'_>, problem: Problem) -> Self {
        let text = piece.text;
        let place = |at: usize| at.saturating_sub(piece.start);
        let start = floor_boundary(text, place(problem.at.start));
        let (before, rest) = text.split_at(start);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let head = before.get(line_start..).unwrap_or_default();
        let tail = rest.split(['\n', '\r']).next().unwrap_or_default();
        let marked = floor_boundary(text, place(problem.at.end).max(start)) - start;
        let marked = tail.get(..marked.min(tail.len())).unwrap_or_default();
        let line = format!("{head}{tail}");
        let visible = visible_length(
            &line,
            (problem.quote == Quote::Key).then_some(head.len() + marked.len()),
        );
        let (quote, caret) = quote(&line, head.chars().count(), marked.chars().count(), visible);
        Self {
            file: piece.file.to_owned(),
            line: before.matches('\n').count() + 1,
            column: head.chars().count() + 1,
            message: problem.message,
            help: problem.help,
            quote,
            caret,
        }
    }
}

/// How much of a line, in bytes, may be shown without showing a secret.
fn visible_length(line: &str, key_end: Option<usize>) -> usize {
    let from_key = key_end.and_then(|end| Some(end + line.get(end..)?.find('=')? + 1));
    let limits = [from_key, inline_cookie(line)];
    limits.into_iter().flatten().min().unwrap_or(line.len())
}

/// The place behind the `=` of a `cookie = …`, which may not be there but might be.
fn inline_cookie(line: &str) -> Option<usize> {
    line.match_indices("cookie").find_map(|(at, word)| {
        let is_word = |char: char| char.is_alphanumeric() || matches!(char, '_' | '-');
        let before = line.get(..at)?;
        let after = line.get(at + word.len()..)?;
        let spaces = after.len() - after.trim_start_matches([' ', '\t', '"', '\'']).len();
        let assigned = after.get(spaces..)?.starts_with('=');
        (assigned && !before.ends_with(is_word)).then_some(at + word.len() + spaces + 1)
    })
}

/// The line as it is shown, and the line below it with the carets.
fn quote(line: &str, column: usize, marked: usize, visible: usize) -> (String, String) {
    let skipped = if line.chars().count() > QUOTE_LIMIT {
        column.saturating_sub(QUOTE_LIMIT / 2)
    } else {
        0
    };
    let shown: String = line
        .get(..visible)
        .unwrap_or_default()
        .chars()
        .skip(skipped)
        .take(QUOTE_LIMIT)
        .collect();
    let hidden = visible < line.len() || line.chars().count() > skipped + QUOTE_LIMIT;
    let printable = |char: char| {
        if char.is_control() && char != '\t' {
            char::REPLACEMENT_CHARACTER
        } else {
            char
        }
    };
    let mut text: String = if skipped > 0 { "…".to_owned() } else { String::new() };
    text.extend(shown.chars().map(printable));
    let before = column - skipped + usize::from(skipped > 0);
    let mut caret: String = text
        .chars()
        .map(|char| if char == '\t' { '\t' } else { ' ' })
        .take(before)
        .collect();
    caret.extend(std::iter::repeat_n(' ', before.saturating_sub(text.chars().count())));
    let room = text.chars().count().saturating_sub(before);
    caret.extend(std::iter::repeat_n('^', marked.min(room).max(1)));
    if hidden {
        text.push_str(" …");
    }
    (text, caret)
}

/// The last character boundary that is not behind `at`.
fn floor_boundary(text: &str, at: usize) -> usize {
    (0..=at.min(text.len()))
        .rev()
        .find(|at| text.is_char_boundary(*at))
        .unwrap_or(0)
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = self.line.to_string();
        let margin = " ".repeat(number.len());
        writeln!(
            f,
            "{}:{}:{}: {}",
            self.file.display(),
            self.line,
            self.column,
            self.message
        )?;
        writeln!(f, " {number} | {}", self.quote.trim_end())?;
        write!(f, " {margin} | {} {}", self.caret, self.help)
    }
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, finding) in self.first.iter().enumerate() {
            if index > 0 {
                f.write_str("\n\n")?;
            }
            finding.fmt(f)?;
        }
        if self.more > 0 {
            write!(f, "\n\nand {} more", self.more)?;
        }
        Ok(())
    }
}
