//! Reading files that users name: bounded in size, and never waiting for a file that nobody writes.
//!
//! What is read is a regular file. Opening anything else could wait for ever (a FIFO without a writer), be read without end
//! (`/dev/zero`) or do something (a tape), so it is refused at once. The one exception is a pipe that this process was started
//! with, `/dev/stdin` or `/dev/fd/N` as shells write it for `<(…)`: its writer is known to exist, and is given [`PIPE_WAIT`].

use std::fs::{File, FileType, OpenOptions};
use std::io::{self, Read as _};
use std::path::Path;
use std::time::Duration;

use super::{FileStep, point};

/// The time that the writer of a pipe has until all of it is there.
pub(crate) const PIPE_WAIT: Duration = Duration::from_secs(10);

/// The largest file that any limit allows, in bytes.
pub const LARGEST: u64 = 4 << 30;

/// The mark that some editors put at the start of a text.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// Why a file was not read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The system refused.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// It is no file.
    #[error("it is {0}, not a file")]
    NotAFile(&'static str),
    /// It is larger than what is read.
    #[error("it is larger than {0} bytes")]
    TooLarge(u64),
    /// It is a pipe whose writer took too long.
    #[error("it is a pipe that was not written to its end within {PIPE_WAIT:?}")]
    Unwritten,
}

impl ReadError {
    /// True if there is no such file.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Io(error) if error.kind() == io::ErrorKind::NotFound)
    }
}

impl From<ReadError> for io::Error {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Io(error) => error,
            ReadError::TooLarge(_) => Self::new(io::ErrorKind::FileTooLarge, error.to_string()),
            ReadError::Unwritten => Self::new(io::ErrorKind::TimedOut, error.to_string()),
            ReadError::NotAFile(_) => Self::new(io::ErrorKind::InvalidInput, error.to_string()),
        }
    }
}

/// Reads a file of at most `limit` bytes. Blocks as long as the disk takes, and for a pipe up to ten seconds.
///
/// # Errors
/// It can't be read, is no regular file, or is larger.
pub fn read(path: &Path, limit: u64) -> Result<Vec<u8>, ReadError> {
    let opened = open(path)?;
    point(FileStep::Read, path)?;
    read_opened(opened, limit)
}

/// Hands on a regular file of at most `limit` bytes piece by piece, so that it is never in memory as a whole.
///
/// # Errors
/// As for [`read`]. Some of it may have been handed on.
pub fn read_pieces(path: &Path, limit: u64, mut piece: impl FnMut(&[u8])) -> Result<(), ReadError> {
    /// The largest piece, in bytes.
    const PIECE: usize = 64 << 10;
    let OpenedFile { mut file, kind } = open(path)?;
    if matches!(kind, OpenedKind::Pipe) {
        return Err(ReadError::NotAFile(PIPE));
    }
    point(FileStep::Read, path)?;
    if file.metadata()?.len() > limit {
        return Err(ReadError::TooLarge(limit));
    }
    let mut buffer = vec![0; PIECE];
    let mut left = limit;
    loop {
        let read = match file.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error.into()),
        };
        // The file may have grown since it was asked for its length.
        left = left.checked_sub(read as u64).ok_or(ReadError::TooLarge(limit))?;
        piece(buffer.get(..read).unwrap_or_default());
    }
}

/// Says whether a file could be read by [`read`], without reading it.
///
/// # Errors
/// It can't be opened, or is no regular file.
pub fn check(path: &Path) -> Result<(), ReadError> {
    open(path).map(drop)
}

/// The text without the mark that some editors put at its start.
pub fn without_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes)
}

/// A file that was opened and found to be one that can be read.
pub(crate) struct OpenedFile {
    pub(crate) file: File,
    pub(crate) kind: OpenedKind,
}

pub(crate) enum OpenedKind {
    Regular,
    Pipe,
}

pub(crate) fn open(path: &Path) -> Result<OpenedFile, ReadError> {
    let mut options = OpenOptions::new();
    options.read(true);
    // What is at the path is known only once it is open, and to open a FIFO without a writer would wait for ever.
    without_waiting(&mut options);
    point(FileStep::Open, path)?;
    let file = options.open(path).map_err(|error| not_opened(error, path))?;
    // The open file is asked and not the path, which may lead to something else by now.
    let kind = file.metadata()?.file_type();
    if kind.is_file() {
        let kind = OpenedKind::Regular;
        return Ok(OpenedFile { file, kind });
    }
    match in_words(kind) {
        PIPE if is_inherited(path) => Ok(OpenedFile {
            file,
            kind: OpenedKind::Pipe,
        }),
        other => Err(ReadError::NotAFile(other)),
    }
}

/// Why a file was not opened. For a socket, the system's error only says that there is no such device.
#[cfg(unix)]
fn not_opened(error: io::Error, path: &Path) -> ReadError {
    if error.raw_os_error() == Some(rustix::io::Errno::NXIO.raw_os_error())
        && let Ok(metadata) = path.metadata()
        && !metadata.is_file()
    {
        return ReadError::NotAFile(in_words(metadata.file_type()));
    }
    error.into()
}

#[cfg(not(unix))]
fn not_opened(error: io::Error, _: &Path) -> ReadError {
    error.into()
}

pub(crate) fn read_opened(OpenedFile { file, kind }: OpenedFile, limit: u64) -> Result<Vec<u8>, ReadError> {
    // A file that is too large is refused before any of it is read, and one that grows meanwhile when the limit is reached.
    if matches!(kind, OpenedKind::Regular) && file.metadata()?.len() > limit {
        return Err(ReadError::TooLarge(limit));
    }
    let mut bytes = Vec::new();
    // One byte more than allowed tells a file that is too large from one that just fits.
    let mut file = file.take(limit.saturating_add(1));
    match kind {
        OpenedKind::Regular => {
            file.read_to_end(&mut bytes)?;
        }
        OpenedKind::Pipe => read_pipe(&mut file, &mut bytes)?,
    }
    if bytes.len() as u64 > limit {
        return Err(ReadError::TooLarge(limit));
    }
    Ok(bytes)
}

/// True for the names of the file descriptors that this process was started with.
fn is_inherited(path: &Path) -> bool {
    path == Path::new("/dev/stdin")
        || ["/dev/fd", "/proc/self/fd"]
            .iter()
            .any(|folder| path.starts_with(folder))
}

const PIPE: &str = "a pipe";

#[cfg(unix)]
fn in_words(kind: FileType) -> &'static str {
    use std::os::unix::fs::FileTypeExt as _;
    if kind.is_dir() {
        "a folder"
    } else if kind.is_fifo() {
        PIPE
    } else if kind.is_socket() {
        "a socket"
    } else {
        "a device"
    }
}

#[cfg(not(unix))]
fn in_words(kind: FileType) -> &'static str {
    if kind.is_dir() { "a folder" } else { "a device" }
}

/// Makes neither opening nor reading wait, which changes nothing for a regular file, and keeps a terminal from becoming this
/// process's.
#[cfg(unix)]
fn without_waiting(options: &mut OpenOptions) {
    use std::os::unix::fs::OpenOptionsExt as _;

    use rustix::fs::OFlags;
    let flags = (OFlags::NONBLOCK | OFlags::NOCTTY).bits();
    options.custom_flags(i32::try_from(flags).unwrap_or_default());
}

#[cfg(not(unix))]
fn without_waiting(_: &mut OpenOptions) {}

#[cfg(unix)]
fn read_pipe(pipe: &mut io::Take<File>, bytes: &mut Vec<u8>) -> Result<(), ReadError> {
    use std::time::Instant;

    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    let deadline = Instant::now() + PIPE_WAIT;
    loop {
        // What was read before it would have to wait is in `bytes`.
        match pipe.read_to_end(bytes) {
            Ok(_) => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error.into()),
        }
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(ReadError::Unwritten);
        }
        let timeout = Timespec::try_from(left).ok();
        let waited = poll(&mut [PollFd::new(pipe.get_ref(), PollFlags::IN)], timeout.as_ref());
        // A signal is no reason to give up, and the clock decides at the next round.
        if let Err(error) = waited
            && error != rustix::io::Errno::INTR
        {
            return Err(io::Error::from(error).into());
        }
    }
}

#[cfg(not(unix))]
fn read_pipe(pipe: &mut io::Take<File>, bytes: &mut Vec<u8>) -> Result<(), ReadError> {
    pipe.read_to_end(bytes)?;
    Ok(())
}
