//! The text of a configuration: the file, and below it what the command line sets, one `--set` a line.
//!
//! Every place of the configuration is a range of this text, whatever it comes from.

use std::fmt;
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
        let Self { file, text, end } = self;
        f.debug_struct("Source")
            .field("file", file)
            .field("text", &Redacted(text.len()))
            .field("end", end)
            .finish()
    }
}

impl Source {
    pub(super) fn new(file: &Path, text: &str) -> Self {
        Self {
            file: file.to_owned(),
            text: text.to_owned(),
            end: text.len(),
        }
    }

    /// Adds what the command line sets, and says where it is.
    pub(super) fn append(&mut self, set: &str) -> usize {
        self.text.push('\n');
        let at = self.text.len();
        self.text.push_str(set);
        at
    }

    /// What is in the file.
    pub(super) fn file_text(&self) -> &str {
        self.text.get(..self.end).unwrap_or_default()
    }

    /// All of it.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// The file, or the lines of the command line.
    pub(super) fn piece(&self, at: usize) -> Piece<'_> {
        if at <= self.end {
            return Piece {
                file: &self.file,
                text: self.file_text(),
                start: 0,
            };
        }
        let start = self.end + 1;
        Piece {
            file: Path::new(SET),
            text: self.text.get(start..).unwrap_or_default(),
            start,
        }
    }
}
