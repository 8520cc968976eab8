//! `include = ["common.toml", "actors/*.toml"]`: other files that a configuration is made of.
//!
//! A file wins over those that it includes, and of these a later one over an earlier one: tables are merged key by key, and any other
//! value takes the place of the one before. The entries of `[[actors]]` add up. Each file is part of the text of the configuration, so
//! that every place is one of a file; its relative paths start at its own folder.

use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::problem::Problems;
use super::reading::read_text;
use super::section::kind;
use super::source::Source;
use super::{MAX_FILE_SIZE, path};

/// The key, which is at the top of a file.
pub(super) const KEY: &str = "include";

/// The list of tables whose elements add up.
const LIST: &str = "actors";

/// The most files that one configuration includes.
const MOST_FILES: usize = 256;

/// The most files that include each other in a row.
const DEEPEST: usize = 8;

const EXPECTED: &str = "expected a list of files: `include = [\"common.toml\", \"actors/*.toml\"]`";

/// The files that a configuration includes, by whatever way.
#[derive(Debug, Default)]
pub(super) struct IncludedFiles {
    files: Vec<IncludedFile>,
    /// Those that the first file includes itself.
    of_first: Vec<usize>,
}

#[derive(Debug)]
struct IncludedFile {
    text: String,
    /// The place that it has in all the text.
    start: usize,
    includes: Vec<usize>,
}

/// Where files are looked for.
struct Gathering<'a> {
    files: Vec<IncludedFile>,
    /// Their real paths.
    seen: Vec<PathBuf>,
    /// Those that are being read: each includes the next one.
    chain: Vec<PathBuf>,
    bytes: u64,
    source: &'a mut Source,
    problems: &'a mut Problems,
}

impl IncludedFiles {
    /// Reads them, and makes them part of the text. `text` is that of the first file.
    pub(super) fn gather(file: &Path, text: &str, folder: &Path, source: &mut Source, problems: &mut Problems) -> Self {
        let (document, errors) = DeTable::parse_recoverable(text);
        if !errors.is_empty() {
            return Self::default();
        }
        let mut gathering = Gathering {
            files: Vec::new(),
            seen: Vec::new(),
            chain: vec![real(file)],
            bytes: text.len() as u64,
            source,
            problems,
        };
        let of_first = gathering.all_of(document.get_ref(), folder);
        Self {
            files: gathering.files,
            of_first,
        }
    }

    /// Puts what the first file says over what the others say.
    pub(super) fn merge_below<'d>(&'d self, document: DeTable<'d>) -> DeTable<'d> {
        if self.of_first.is_empty() {
            return document;
        }
        let mut merged = self.merged(&self.of_first);
        overlay(&mut merged, document, Level::File);
        merged
    }

    fn merged(&self, files: &[usize]) -> DeTable<'_> {
        let mut merged = DeTable::new();
        for file in files.iter().filter_map(|index| self.files.get(*index)) {
            // Those below it come before it.
            let mut own = self.merged(&file.includes);
            // What is wrong with it was reported when it was read.
            let (document, _) = DeTable::parse_recoverable(&file.text);
            let mut document = moved(document.into_inner(), file.start);
            document.remove(KEY);
            overlay(&mut own, document, Level::File);
            overlay(&mut merged, own, Level::File);
        }
        merged
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Level {
    File,
    Table,
}

/// What is over something else wins.
fn overlay<'d>(below: &mut DeTable<'d>, over: DeTable<'d>, level: Level) {
    for (key, value) in over {
        let name = key.get_ref().to_string();
        match (below.get_mut(name.as_str()).map(Spanned::get_mut), value.get_ref()) {
            (Some(DeValue::Table(below)), DeValue::Table(_)) => {
                if let DeValue::Table(over) = value.into_inner() {
                    overlay(below, over, Level::Table);
                }
            }
            (Some(DeValue::Array(below)), DeValue::Array(_)) if level == Level::File && name == LIST => {
                if let DeValue::Array(over) = value.into_inner() {
                    over.into_iter().for_each(|element| below.push(element));
                }
            }
            _ => {
                below.insert(key, value);
            }
        }
    }
}

impl Gathering<'_> {
    /// The files that a document of this folder names, in its order.
    fn all_of(&mut self, document: &DeTable<'_>, folder: &Path) -> Vec<usize> {
        let Some(value) = document.get(KEY) else {
            return Vec::new();
        };
        let DeValue::Array(elements) = value.get_ref() else {
            let message = format!("`{KEY}` is {}", kind(value.get_ref()));
            self.problems.error(value.span(), message, EXPECTED);
            return Vec::new();
        };
        let mut files = Vec::new();
        for element in elements.iter() {
            let DeValue::String(written) = element.get_ref() else {
                let message = format!("an element of `{KEY}` is {}", kind(element.get_ref()));
                self.problems.error(element.span(), message, EXPECTED);
                continue;
            };
            let named = Spanned::new(element.span(), written.as_ref());
            for path in self.paths(&named, folder) {
                files.extend(self.enter(&path, &named, folder));
            }
        }
        files
    }

    /// The files of one element: in the order of their names, if it has a `*`.
    fn paths(&mut self, written: &Spanned<&str>, folder: &Path) -> Vec<PathBuf> {
        let text = *written.get_ref();
        if text.contains("${") {
            let message = format!("variables are not replaced in `{KEY}`");
            self.problems.error(written.span(), message, "write the path as it is");
            return Vec::new();
        }
        let path = folder.join(text);
        let Some(pattern) = path
            .file_name()
            .and_then(|name| name.to_str())
            .filter(|name| name.contains('*'))
        else {
            return vec![path];
        };
        let above = path.parent().unwrap_or(Path::new("")).to_owned();
        if above.to_string_lossy().contains('*') {
            let help = "a `*` stands in the name of the file only, such as `actors/*.toml`";
            self.problems.error(written.span(), "a folder has a `*`", help);
            return Vec::new();
        }
        let above = if above == Path::new("") {
            PathBuf::from(".")
        } else {
            above
        };
        let listed = match std::fs::read_dir(&above) {
            Ok(listed) => listed,
            Err(error) => {
                let message = format!("the folder {} can't be read: {error}", above.display());
                self.problems
                    .error(written.span(), message, path::missing(text, folder));
                return Vec::new();
            }
        };
        // One more than may be: then there are too many, and that is said.
        let entries = listed.filter_map(Result::ok).filter(|entry| {
            let name = entry.file_name();
            name.to_str()
                .is_some_and(|name| !name.starts_with('.') && matches(pattern, name))
        });
        let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).take(MOST_FILES + 1).collect();
        paths.sort();
        paths
    }

    /// Reads one file, and what it includes. None if it was included before, or can't be.
    fn enter(&mut self, path: &Path, written: &Spanned<&str>, folder: &Path) -> Option<usize> {
        let at = written.span();
        let own = real(path);
        if let Some(begin) = self.chain.iter().position(|above| *above == own) {
            let circle = self.chain.iter().skip(begin).chain([&own]);
            let circle: Vec<String> = circle.map(|file| file.display().to_string()).collect();
            let message = format!("these files include each other: {}", circle.join(" -> "));
            self.problems.error(at, message, "leave out one of them");
            return None;
        }
        if self.seen.contains(&own) {
            return None;
        }
        if self.chain.len() > DEEPEST {
            let message = format!("more than {DEEPEST} files include each other in a row");
            self.problems.error(at, message, "name the files in the first one");
            return None;
        }
        if self.seen.len() >= MOST_FILES {
            let message = format!("more than {MOST_FILES} files are included");
            self.problems.error(at, message, "put several of them together");
            return None;
        }
        let text = match read_text(path) {
            Ok(text) => text,
            Err(error) => {
                self.problems
                    .error(at, error.to_string(), path::missing(written.get_ref(), folder));
                return None;
            }
        };
        self.bytes = self.bytes.saturating_add(text.len() as u64);
        if self.bytes > MAX_FILE_SIZE {
            let message = format!("the files have more than {MAX_FILE_SIZE} bytes together");
            self.problems.error(at, message, "is each of them part of a node.toml?");
            return None;
        }
        let start = self.source.include(path, &text);
        let includes = self.of_text(&text, start, path, &own);
        self.files.push(IncludedFile { text, start, includes });
        Some(self.files.len() - 1)
    }

    fn of_text(&mut self, text: &str, start: usize, path: &Path, own: &Path) -> Vec<usize> {
        self.seen.push(own.to_owned());
        let (document, errors) = DeTable::parse_recoverable(text);
        for error in &errors {
            let at = error.span().unwrap_or(0..0);
            let at = at.start + start..at.end + start;
            self.problems
                .syntax_error(at, error.message(), "this is not valid TOML");
        }
        if !errors.is_empty() {
            return Vec::new();
        }
        let document = moved(document.into_inner(), start);
        self.chain.push(own.to_owned());
        let includes = self.all_of(&document, path.parent().unwrap_or(Path::new("")));
        self.chain.pop();
        includes
    }
}

/// A document whose text stands that many bytes further back, with everything in it.
fn moved(document: DeTable<'_>, by: usize) -> DeTable<'_> {
    let moved = document.into_iter().map(|(key, value)| {
        let at = key.span();
        let key = Spanned::new(at.start + by..at.end + by, key.into_inner());
        (key, moved_value(value, by))
    });
    moved.collect()
}

fn moved_value(value: Spanned<DeValue<'_>>, by: usize) -> Spanned<DeValue<'_>> {
    let at = value.span();
    let inner = match value.into_inner() {
        DeValue::Table(table) => DeValue::Table(moved(table, by)),
        DeValue::Array(elements) => {
            DeValue::Array(elements.into_iter().map(|element| moved_value(element, by)).collect())
        }
        other => other,
    };
    Spanned::new(at.start + by..at.end + by, inner)
}

/// The file itself, whatever leads to it.
fn real(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}

/// Whether a name is like this, where each `*` stands for any characters.
fn matches(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| name.strip_prefix(first)) else {
        return false;
    };
    let mut parts = parts.peekable();
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        match rest.split_once(part) {
            Some((_, after)) => rest = after,
            None => return false,
        }
    }
    rest.is_empty()
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn a_star_stands_for_any_characters_of_a_name() {
        let cases = [
            ("*.toml", "a.toml", true),
            ("*.toml", ".toml", true),
            ("*.toml", "a.tom", false),
            ("a*b*c", "abc", true),
            ("a*b*c", "axxbyyc", true),
            ("a*b*c", "ac", false),
            ("a*a", "a", false),
        ];
        for (pattern, name, expected) in cases {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        }
    }
}
