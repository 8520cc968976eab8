//! What a command prints: its result on stdout, notes beside it on stderr.

use std::fmt::Display;
use std::io::{self, ErrorKind, Write};

use super::failure::Failure;
use crate::ops::console;

/// Writes a result to stdout. A reader that has gone wanted no more of it, which is no failure (`ractor-host … | head`).
pub(super) fn write(result: impl FnOnce(&mut io::StdoutLock<'static>) -> io::Result<()>) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    match result(&mut stdout).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Failure::runtime(format_args!(
            "the command did what it was asked, but can't write to stdout: {error}"
        ))),
        _ => Ok(()),
    }
}

/// Says on stderr what the reader of a result should know besides.
pub(super) fn note(note: impl Display) {
    console::eprint(format_args!("note: {note}"));
}
