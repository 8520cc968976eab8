//! Stdout and stderr of the process: the only place that writes to them, so that no failure there is anybody's.
//!
//! A command that does one thing writes directly, and waits for its reader as every tool does. A node writes in the background
//! (see [`lines`](super::lines)): it must not wait for the reader of its log.

use std::fmt;
use std::io::{self, IsTerminal, Write};
use std::sync::OnceLock;
use std::time::Duration;

use tracing::{Level, Metadata};
use tracing_subscriber::fmt::MakeWriter;

use super::format::LogFormat;
use super::lines::Lines;
use super::{event, filter, tail};

/// The longest time for the last output to leave the process when that ends.
const FLUSH: Duration = Duration::from_secs(2);

/// The two of a node.
static BACKGROUND: OnceLock<Background> = OnceLock::new();

struct Background {
    stdout: Lines,
    stderr: Lines,
}

/// Whether what goes to this stream may have colours: if somebody looks, and does not object by the variable `NO_COLOR`
/// (<https://no-color.org>).
pub(crate) fn colours(stream: &impl IsTerminal) -> bool {
    let objects = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    stream.is_terminal() && !objects
}

/// Whether somebody looks at stderr.
pub(crate) fn is_terminal_stderr() -> bool {
    io::stderr().is_terminal()
}

/// From now on nobody waits for stdout and stderr. Notes on lines that were dropped have this format on stderr.
///
/// # Errors
/// The system has no threads to spare. Everything is written directly then.
pub(super) fn to_background(format: LogFormat) -> io::Result<()> {
    if BACKGROUND.get().is_some() {
        return Ok(());
    }
    let stderr = Lines::start(
        "stderr",
        own(io::stderr())?,
        Box::new(move |dropped, reason| {
            let message = format!("{dropped} lines were dropped here, because stderr could not be written: {reason}");
            event::line(format, "WARN", &message, &[])
        }),
        // There is nowhere else to say it.
        |_| (),
    )?;
    let stdout = Lines::start(
        "stdout",
        own(io::stdout())?,
        Box::new(|dropped, reason| format!("{dropped} lines were dropped here: {reason}\n")),
        |error| tracing::warn!(%error, "stdout can't be written; the node goes on, and tries again"),
    )?;
    // Whoever was first has done it.
    drop(BACKGROUND.set(Background { stdout, stderr }));
    Ok(())
}

/// The stream by a descriptor of our own: a write that hangs must not hold the lock that the rest of the process takes to write
/// there, and stdout must not keep what has no line ending yet.
#[cfg(unix)]
fn own(stream: impl std::os::fd::AsFd) -> io::Result<std::fs::File> {
    Ok(stream.as_fd().try_clone_to_owned()?.into())
}

#[cfg(not(unix))]
fn own<S>(stream: S) -> io::Result<S> {
    Ok(stream)
}

/// Writes a line to stdout, as far as that can be written.
pub(crate) fn print(line: fmt::Arguments<'_>) {
    match BACKGROUND.get() {
        Some(background) => background.stdout.push(format!("{line}\n").as_bytes()),
        None => directly(io::stdout().lock(), format!("{line}\n").as_bytes()),
    }
}

/// Writes a line to stderr, as far as that can be written.
pub(crate) fn eprint(line: fmt::Arguments<'_>) {
    write_stderr(format!("{line}\n").as_bytes());
}

/// Writes whole lines to stderr.
pub(super) fn write_stderr(lines: &[u8]) {
    match BACKGROUND.get() {
        Some(background) => background.stderr.push(lines),
        None => directly(io::stderr().lock(), lines),
    }
}

/// If it fails, there is nobody to tell.
fn directly(mut stream: impl Write, lines: &[u8]) {
    drop(stream.write_all(lines).and_then(|()| stream.flush()));
}

/// Lets what was written last leave the process, unless nobody takes it. For the end of the process.
pub(crate) fn flush() {
    if let Some(background) = BACKGROUND.get() {
        background.stdout.flush(FLUSH);
        background.stderr.flush(FLUSH);
    }
}

/// Writes a line of the log, and keeps it for those who ask the node for its last lines.
pub(super) fn write_log(level: Level, actor: Option<Box<str>>, line: &[u8]) {
    // A command has nobody who could ask it.
    if BACKGROUND.get().is_some() {
        tail::push(level, actor, line);
    }
    write_stderr(line);
}

/// Stderr for `tracing`.
#[derive(Debug)]
pub(super) struct LogWriter;

impl<'a> MakeWriter<'a> for LogWriter {
    type Writer = LogLineWriter;

    fn make_writer(&'a self) -> LogLineWriter {
        LogLineWriter(Level::INFO)
    }

    fn make_writer_for(&'a self, metadata: &Metadata<'_>) -> LogLineWriter {
        LogLineWriter(*metadata.level())
    }
}

/// Takes whole events of this level, and never fails.
#[derive(Debug)]
pub(super) struct LogLineWriter(Level);

impl Write for LogLineWriter {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        write_log(self.0, filter::about(), event);
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
