//! What a command prints: its result on stdout, notes beside it on stderr.

use std::borrow::Cow;
use std::fmt::Display;
use std::io::{self, BufWriter, ErrorKind, IsTerminal as _, StdoutLock, Write};
use std::pin::pin;
use std::time::Duration;

use serde::Serialize;
use tokio::time::timeout;

use super::progress::Progress;
use crate::directory::acts;
use crate::ops::console;

/// The bytes that are written at once of a long result.
const PIECE: usize = 64 << 10;

/// Writes a result to stdout. A reader that has gone wanted no more of it, which is no failure (`ractor-host … | head`).
pub(super) fn write(result: impl FnOnce(&mut Stdout) -> io::Result<()>) -> Result<(), NotWritten> {
    write_part(result).map(drop)
}

/// Writes a part of a result to stdout, and says whether anybody wants another one.
pub(super) fn write_part(part: impl FnOnce(&mut Stdout) -> io::Result<()>) -> Result<Reader, NotWritten> {
    let inner = io::stdout().lock();
    let mut stdout = Out {
        is_terminal: inner.is_terminal(),
        inner,
    };
    match part(&mut stdout).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(Reader::Gone),
        Err(error) => Err(NotWritten(error)),
        Ok(()) => Ok(Reader::There),
    }
}

/// Stdout, as long as a part of a result is written.
pub(super) type Stdout = Out<StdoutLock<'static>>;

/// Where results go. A program gets them as they are; what people see on a terminal does nothing to it but to appear there, such as the reply
/// of an actor, which may be anything.
pub(super) struct Out<W> {
    inner: W,
    is_terminal: bool,
}

impl<W: Write> Out<W> {
    /// Has the terminal do something.
    pub(super) fn order(&mut self, sequence: &str) -> io::Result<()> {
        self.inner.write_all(sequence.as_bytes())
    }
}

impl<W: Write> Write for Out<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.is_terminal {
            let text = String::from_utf8_lossy(bytes);
            self.inner.write_all(without_orders(&text).as_bytes())?;
            return Ok(bytes.len());
        }
        self.inner.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// Text that is printable but for the colours that commands have.
fn without_orders(text: &str) -> Cow<'_, str> {
    if matches!(printable(text), Cow::Borrowed(_)) {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, sequence)) = rest.find('\u{1b}').and_then(|at| rest.split_at_checked(at)) {
        plain.push_str(&printable(before));
        let own = OWN.iter().find(|own| sequence.starts_with(**own)).copied();
        let (kept, shown) = own.map_or_else(|| ("\u{1b}", printable("\u{1b}")), |own| (own, Cow::Borrowed(own)));
        plain.push_str(&shown);
        rest = sequence.strip_prefix(kept).unwrap_or_default();
    }
    plain.push_str(&printable(rest));
    Cow::Owned(plain)
}

/// Writes text for people, which does nothing to a terminal but to appear there.
pub(super) fn write_printable(
    out: &mut impl Write,
    text: impl FnOnce(&mut Vec<u8>) -> io::Result<()>,
) -> io::Result<()> {
    let mut bytes = Vec::new();
    text(&mut bytes)?;
    out.write_all(printable(&String::from_utf8_lossy(&bytes)).as_bytes())
}

/// Writes a value for programs: as JSON for which there never is a text of its whole length, since a node may have very many actors.
pub(super) fn write_json(out: &mut impl Write, value: &impl Serialize) -> io::Result<()> {
    let mut out = BufWriter::with_capacity(PIECE, out);
    serde_json::to_writer_pretty(&mut out, value)?;
    out.write_all(b"\n")?;
    out.flush()
}

/// Whether anybody reads stdout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reader {
    There,
    Gone,
}

/// A result could not be written.
#[derive(Debug, thiserror::Error)]
#[error("the command did what it was asked, but can't write to stdout: {0}")]
pub(super) struct NotWritten(io::Error);

/// Says on stderr what the reader of a result should know besides.
pub(super) fn note(note: impl Display) {
    say("note", &note.to_string());
}

/// The time after which it is explained why components take long to load.
const QUICK: Duration = Duration::from_secs(2);

/// Loads components, and says on stderr what takes so long if it does.
pub(super) async fn explained<T>(load: impl Future<Output = T>, what: impl Display) -> T {
    // Pinned, so that the load goes on after the note and doesn't begin anew.
    let mut loading = pin!(load);
    match timeout(QUICK, &mut loading).await {
        Ok(loaded) => loaded,
        Err(_) => {
            let seconds = QUICK.as_secs();
            note(format_args!(
                "compiling {what} takes more than {seconds} s; the code is kept for the next time"
            ));
            let progress = Progress::new();
            let _spinner = progress.spinner(&format!("compiling {what}"));
            loading.await
        }
    }
}

/// The sequences by which commands have colours, and their end.
const OWN: [&str; 4] = ["\u{1b}[31m", "\u{1b}[32m", "\u{1b}[33m", "\u{1b}[0m"];

/// What a colour says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tone {
    Good,
    Doubtful,
    Bad,
}

/// A word on stdout in the colour that it deserves, where there are colours.
pub(super) fn coloured(word: &str, tone: Tone) -> Cow<'_, str> {
    if !console::colours(&io::stdout()) {
        return Cow::Borrowed(word);
    }
    let code = match tone {
        Tone::Good => 32,
        Tone::Doubtful => 33,
        Tone::Bad => 31,
    };
    Cow::Owned(format!("\u{1b}[{code}m{word}\u{1b}[0m"))
}

/// Says something on stderr, as the command's own words: `kind` comes before it.
pub(super) fn say(kind: &str, text: &str) {
    console::eprint(format_args!("{kind}: {}", printable(text)));
}

/// Text that does nothing to a terminal but to appear there. Names and reasons in it come from other nodes.
pub(super) fn printable(text: &str) -> Cow<'_, str> {
    escaped(text, |character| acts(character) && !matches!(character, '\n' | '\t'))
}

/// The same of what is a part of one line, and must not look like another one.
pub(super) fn in_line(text: &str) -> Cow<'_, str> {
    escaped(text, acts)
}

fn escaped(text: &str, acts: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(&acts) {
        return Cow::Borrowed(text);
    }
    let mut printable = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        if acts(character) {
            printable.extend(character.escape_default());
        } else {
            printable.push(character);
        }
    }
    Cow::Owned(printable)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::{Out, in_line, printable};

    #[test]
    fn on_a_terminal_nothing_acts_but_what_the_command_has_it_do() {
        let said = "\u{1b}[31mFAIL\u{1b}[0m a\u{1b}]0;title\u{7}\u{9b}2J\n\u{202e}b \u{1b}[1m\u{1b}";
        for (is_terminal, expected) in [
            (false, said),
            (
                true,
                "\u{1b}[31mFAIL\u{1b}[0m a\\u{1b}]0;title\\u{7}\\u{9b}2J\n\\u{202e}b \\u{1b}[1m\\u{1b}",
            ),
        ] {
            let mut out = Out {
                inner: Vec::new(),
                is_terminal,
            };
            write!(out, "{said}").unwrap();
            assert_eq!(String::from_utf8(out.inner).unwrap(), expected);
        }
        let mut out = Out {
            inner: Vec::new(),
            is_terminal: true,
        };
        out.order("\u{1b}[2J").unwrap();
        out.write_all(b"\xff\n").unwrap();
        assert_eq!(String::from_utf8(out.inner).unwrap(), "\u{1b}[2J\u{fffd}\n");
    }

    #[test]
    fn what_other_nodes_are_called_does_nothing_to_a_terminal() {
        assert_eq!(printable("two\nlines\tof ünïcode"), "two\nlines\tof ünïcode");
        assert_eq!(printable("a\u{1b}[2J\r\u{7}\u{9b}b"), "a\\u{1b}[2J\\r\\u{7}\\u{9b}b");
        assert_eq!(printable("a\u{202e}b\u{200b}"), "a\\u{202e}b\\u{200b}");
        assert_eq!(in_line("two\nlines\tof"), "two\\nlines\\tof");
    }
}
