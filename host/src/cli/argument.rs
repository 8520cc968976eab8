//! One argument of a message, as it stands on the command line: the value, or where it is.

use std::io::{self, Read};
use std::path::PathBuf;
use std::str::FromStr;

use crate::config::{Literal, LiteralError};
use crate::control::MAX_REQUEST;
use crate::files;
use crate::node::DEFAULT_MAX_INBOUND_FRAME_SIZE;
use crate::typing::Argument;

/// What stands before the name of a file whose contents are the value.
const FILE_MARK: &str = "bytes:@";

/// The name that stands for stdin.
const STDIN: &str = "-";

/// The most bytes that are read. Nodes accept no larger message by default, so more would be read for nothing.
const MOST_BYTES: u64 = DEFAULT_MAX_INBOUND_FRAME_SIZE;

const _: () = assert!(
    MAX_REQUEST as u64 >= MOST_BYTES + 64 * 1024,
    "the node on this machine takes as much"
);

/// An argument as it was typed: the value itself, or where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Word {
    Value(Argument),
    Bytes(ByteSource),
}

/// Where the bytes of an argument are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ByteSource {
    /// In a file, or a pipe that this process was started with.
    File(PathBuf),
    /// On standard input, to its end.
    Stdin,
}

/// The bytes of an argument can't be had.
#[derive(Debug, thiserror::Error)]
pub(super) enum ArgumentError {
    #[error("`{FILE_MARK}{}` can't be read: {reason}", path.display())]
    File { path: PathBuf, reason: files::ReadError },
    #[error("`{FILE_MARK}{STDIN}`: standard input can't be read: {0}")]
    Stdin(io::Error),
    #[error("`{FILE_MARK}{STDIN}` is given more than once, but standard input can be read only once")]
    StdinTwice,
    #[error("`{FILE_MARK}{0}` has more than {MOST_BYTES} bytes, which is more than a node accepts in one message")]
    TooLarge(String),
}

impl FromStr for Word {
    type Err = LiteralError;

    fn from_str(text: &str) -> Result<Self, LiteralError> {
        Ok(match text.strip_prefix(FILE_MARK) {
            None => Self::Value(text.parse()?),
            Some(STDIN) => Self::Bytes(ByteSource::Stdin),
            Some(path) => Self::Bytes(ByteSource::File(path.into())),
        })
    }
}

/// The values of all words, read from where they are.
pub(super) fn read_all(words: &[Word]) -> Result<Vec<Argument>, ArgumentError> {
    let from_stdin = |word: &&Word| matches!(word, Word::Bytes(ByteSource::Stdin));
    // Before anything is read: the second one would find nothing left, and no bytes at all are a value too.
    if words.iter().filter(from_stdin).count() > 1 {
        return Err(ArgumentError::StdinTwice);
    }
    words
        .iter()
        .map(|word| match word {
            Word::Value(argument) => Ok(argument.clone()),
            Word::Bytes(source) => source.read().map(Literal::from_bytes).map(Argument::Typed),
        })
        .collect()
}

impl ByteSource {
    fn read(&self) -> Result<Vec<u8>, ArgumentError> {
        match self {
            Self::Stdin => {
                let bytes = read_bounded(io::stdin().lock()).map_err(ArgumentError::Stdin)?;
                bytes.ok_or_else(|| ArgumentError::TooLarge(STDIN.to_owned()))
            }
            Self::File(path) => match files::read(path, MOST_BYTES) {
                Ok(bytes) => Ok(bytes),
                Err(files::ReadError::TooLarge(_)) => Err(ArgumentError::TooLarge(path.display().to_string())),
                Err(reason) => {
                    let path = path.clone();
                    Err(ArgumentError::File { path, reason })
                }
            },
        }
    }
}

/// All bytes; none if there are more than [`MOST_BYTES`].
fn read_bounded(source: impl Read) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    // One byte more than fits, which tells a source that is too long from one that just fits.
    source.take(MOST_BYTES + 1).read_to_end(&mut bytes)?;
    Ok((bytes.len() as u64 <= MOST_BYTES).then_some(bytes))
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::path::Path;

    use super::*;

    #[test]
    fn bytes_come_from_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a:b");
        let read = |path: &Path| read_all(&[format!("bytes:@{}", path.display()).parse().unwrap()]);
        std::fs::write(&file, b"\x00@\n").unwrap();
        assert_eq!(read(&file).unwrap(), ["bytes:00400a".parse().unwrap()]);

        let error = read(&folder.path().join("none")).unwrap_err().to_string();
        assert!(error.contains("none` can't be read: No such file"), "{error}");
        let error = read(folder.path()).unwrap_err().to_string();
        assert!(error.contains("can't be read: it is a folder"), "{error}");

        let largest = MOST_BYTES;
        File::create(&file).unwrap().set_len(largest).unwrap();
        assert!(read(&file).is_ok());
        File::create(&file).unwrap().set_len(largest + 1).unwrap();
        let error = read(&file).unwrap_err().to_string();
        assert!(error.contains("has more than 16777216 bytes"), "{error}");
        let error = read(Path::new("/dev/zero")).unwrap_err().to_string();
        assert!(
            error.contains("can't be read: it is a device"),
            "it has no end: {error}"
        );
    }

    #[test]
    fn stdin_is_read_once() {
        let twice = ["bytes:@-".parse().unwrap(), "bytes:@-".parse().unwrap()];
        assert!(matches!(read_all(&twice), Err(ArgumentError::StdinTwice)));
    }
}
