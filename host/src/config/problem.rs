//! What is wrong with a file, and how it is shown: place, offending line with a caret, what was expected.

use std::fmt;
use std::ops::Range;
use std::path::PathBuf;

use super::source::{Piece, Source};
use crate::files::ReadError;

/// The part of a long line that is quoted, in characters.
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

/// The number of findings that are kept. Whoever has more will fix these first.
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
    /// Not the value: it could be a secret in the place of a name.
    BeforeValue,
    /// The key or the header that the line begins with. It is not TOML, so that anything else could be a secret.
    Syntax,
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

    /// A value that makes the file unusable and is not shown.
    pub(super) fn hidden_error(&mut self, at: Range<usize>, message: impl Into<String>, help: impl Into<String>) {
        if self.broken.contains(&at) {
            return;
        }
        let problem = self.problem(at, message.into(), help.into(), Quote::BeforeValue);
        self.errors.push(problem);
    }

    /// Something that is not TOML.
    pub(super) fn syntax_error(&mut self, at: Range<usize>, message: impl Into<String>, help: impl Into<String>) {
        let problem = self.problem(at, message.into(), help.into(), Quote::Syntax);
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
        // In the order of the file, which is not the one in which its sections are checked.
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
        let above = before.get(..line_start).unwrap_or_default();
        let visible = visible_length(&line, above, head.len()..head.len() + marked.len(), problem.quote);
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

/// How much of a line, in bytes, may be shown without showing a secret. `above` is what stands before the line, and `marked`
/// the part of the line that the finding is about.
fn visible_length(line: &str, above: &str, marked: Range<usize>, quote: Quote) -> usize {
    let opener = open_string(above);
    let is_hidden = match quote {
        Quote::Syntax => opener.is_some(),
        Quote::Line | Quote::Key | Quote::BeforeValue => opener.is_some_and(|line| inline_secret(line).is_some()),
    };
    if is_hidden {
        return 0;
    }
    let of_quote = match quote {
        Quote::Line => None,
        Quote::Key => line
            .get(marked.end..)
            .and_then(|rest| Some(marked.end + rest.find('=')? + 1)),
        Quote::BeforeValue => line.get(..marked.start).map(|head| head.trim_end().len()),
        Quote::Syntax => Some(key_or_header(line)),
    };
    let limits = [of_quote, inline_secret(line)];
    limits.into_iter().flatten().min().unwrap_or(line.len())
}

/// The line in which a string of several lines begins that does not end in this text.
fn open_string(text: &str) -> Option<&str> {
    let is_open = |quotes: &&str| text.matches(*quotes).count() % 2 == 1;
    let quotes = ["\"\"\"", "'''"].into_iter().find(is_open)?;
    text.get(..text.rfind(quotes)?)?.rsplit('\n').next()
}

/// How much of a line is the header of a table or a key with its `=` that the line begins with.
fn key_or_header(line: &str) -> usize {
    let start = line.len() - line.trim_start().len();
    let rest = line.trim_start();
    let is_header = rest.starts_with('[');
    let fits = |char: char| is_word(char) || char == '.' || (is_header && matches!(char, '[' | ']'));
    let after = rest.trim_start_matches(fits);
    let end = start + rest.len() - after.len();
    if is_header {
        return end;
    }
    let assigned = after.trim_start().strip_prefix(['=', ':']);
    match assigned {
        // `==` ends what is encoded in Base64.
        Some(value) if end > start && !value.starts_with('=') => line.len() - value.len(),
        _ => 0,
    }
}

/// The keys that people write secrets behind, none of which may be there.
const SECRETS: [&str; 2] = ["cookie", "key"];

/// The place behind the `=` or `:` of a `cookie = …` or `key = …`.
fn inline_secret(line: &str) -> Option<usize> {
    let places = SECRETS.into_iter().filter_map(|key| {
        line.match_indices(key).find_map(|(at, word)| {
            let before = line.get(..at)?;
            let after = line.get(at + word.len()..)?;
            let assigned = after
                .trim_start_matches([' ', '\t', '"', '\''])
                .strip_prefix(['=', ':'])?;
            (!before.ends_with(is_word)).then_some(line.len() - assigned.len())
        })
    });
    places.min()
}

/// True for what the keys of a file are made of.
fn is_word(char: char) -> bool {
    char.is_alphanumeric() || matches!(char, '_' | '-')
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
        text.push_str(if text.is_empty() { "…" } else { " …" });
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_shown_up_to_what_could_be_a_secret() {
        let cases = [
            ("", "name = \"a", Quote::Syntax, "name ="),
            ("", "  a.b-c: x", Quote::Syntax, "  a.b-c:"),
            ("", "[node", Quote::Syntax, "[node"),
            ("", "[[actors] x", Quote::Syntax, "[[actors]"),
            ("", "[\"x\"", Quote::Syntax, "["),
            ("", "\"name\" = x", Quote::Syntax, ""),
            ("", "x", Quote::Syntax, ""),
            ("", "x==", Quote::Syntax, ""),
            ("", "a x = 1", Quote::Syntax, ""),
            ("a = \"\"\"\n", "x = 1", Quote::Syntax, ""),
            ("a = \"\"\"b\"\"\"\n", "x = 1", Quote::Syntax, "x ="),
            ("a = '''\n", "x = 1", Quote::Line, "x = 1"),
            ("a = { key = '''\n", "x''', b = 1 }", Quote::Line, ""),
            ("", "a = { key = 1, b = 2 }", Quote::Line, "a = { key ="),
            ("", "key_file = 5, my-key = 1", Quote::Line, "key_file = 5, my-key = 1"),
            (
                "",
                "b = 1, node.\"cookie\": x, key=1",
                Quote::Line,
                "b = 1, node.\"cookie\":",
            ),
        ];
        for (above, line, quote, shown) in cases {
            let visible = visible_length(line, above, 0..0, quote);
            assert_eq!(line.get(..visible), Some(shown), "{above}{line}");
        }
        assert_eq!(visible_length("a = x, b = 1", "", 0..1, Quote::Key), 3);
        assert_eq!(visible_length("a = x", "", 4..5, Quote::BeforeValue), 3);
    }
}
