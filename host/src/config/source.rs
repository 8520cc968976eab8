//! The text of a configuration: the file, below it what the command line sets, one `--set` a line, and below that the files that are
//! included.
//!
//! Every place of the configuration is a range of this text, whatever it comes from.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// What takes the place of a file's name for what the command line sets.
const SET: &str = "--set";

/// See the module. `Debug` doesn't show the text: it may have secrets.
#[derive(Clone)]
pub(super) struct Source {
    file: PathBuf,
    text: String,
    /// Where the file ends.
    end: usize,
    /// The files that it includes, and where they are.
    included: Vec<(PathBuf, Range<usize>)>,
}

/// A piece of the text that has lines of its own.
#[derive(Debug)]
pub(super) struct Piece<'s> {
    pub(super) file: &'s Path,
    pub(super) text: &'s str,
    /// Where it begins.
    pub(super) start: usize,
}

/// A number of bytes, in place of those that are not to be shown.
pub(super) struct Redacted(pub(super) usize);

impl fmt::Debug for Redacted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "({} bytes)", self.0)
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            file,
            text,
            end,
            included,
        } = self;
        f.debug_struct("Source")
            .field("file", file)
            .field("text", &Redacted(text.len()))
            .field("end", end)
            .field("included", included)
            .finish()
    }
}

impl Source {
    pub(super) fn new(file: &Path, text: &str) -> Self {
        Self {
            file: file.to_owned(),
            text: text.to_owned(),
            end: text.len(),
            included: Vec::new(),
        }
    }

    /// Adds what the command line sets, and says where it is.
    pub(super) fn append(&mut self, set: &str) -> usize {
        self.text.push('\n');
        let at = self.text.len();
        self.text.push_str(set);
        at
    }

    /// Adds a file that is included, and says where it is. What the command line sets has been added before.
    pub(super) fn include(&mut self, file: &Path, text: &str) -> usize {
        let at = self.append(text);
        self.included.push((file.to_owned(), at..self.text.len()));
        at
    }

    /// The files that are included.
    pub(super) fn included(&self) -> &[(PathBuf, Range<usize>)] {
        &self.included
    }

    /// The file that is included at this place.
    fn included_at(&self, at: usize) -> Option<&(PathBuf, Range<usize>)> {
        let mut included = self.included.iter();
        included.find(|(_, range)| range.start <= at && at <= range.end)
    }

    /// The folder of the file that is included at this place, if one is.
    pub(super) fn folder_at(&self, at: usize) -> Option<&Path> {
        let (file, _) = self.included_at(at)?;
        Some(file.parent().unwrap_or(Path::new("")))
    }

    /// What is in the file.
    pub(super) fn file_text(&self) -> &str {
        self.text.get(..self.end).unwrap_or_default()
    }

    /// All of it.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// The file, the lines of the command line, or a file that is included.
    pub(super) fn piece(&self, at: usize) -> Piece<'_> {
        if at <= self.end {
            return Piece {
                file: &self.file,
                text: self.file_text(),
                start: 0,
            };
        }
        if let Some((file, range)) = self.included_at(at) {
            return Piece {
                file,
                text: self.text.get(range.clone()).unwrap_or_default(),
                start: range.start,
            };
        }
        let start = self.end + 1;
        let end = self
            .included
            .first()
            .map_or(self.text.len(), |(_, range)| range.start.saturating_sub(1));
        Piece {
            file: Path::new(SET),
            text: self.text.get(start..end).unwrap_or_default(),
            start,
        }
    }
}
