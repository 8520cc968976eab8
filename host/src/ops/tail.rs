//! The last lines of the log, in memory, for whoever asks the node for them.
//!
//! A line comes in as it is written to stderr, and the oldest go when [`MOST_BYTES`] are reached. Readers come with the number of the
//! line that they want next; a slow one finds that lines are gone, and costs the node nothing.

use std::collections::VecDeque;
use std::sync::LazyLock;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::watch;
use tracing::Level;

/// The most bytes of lines that are kept, [`OVERHEAD`] included.
const MOST_BYTES: usize = 1 << 20;

/// What a line costs besides its text.
const OVERHEAD: usize = 96;

/// The most bytes of lines that are given at once. A single line may be longer.
const MOST_AT_ONCE: usize = 256 << 10;

static TAIL: LazyLock<LogTail> = LazyLock::new(LogTail::default);

/// A line of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LogLine {
    pub(crate) level: Level,
    /// The actor that it is about, by name.
    pub(crate) actor: Option<Box<str>>,
    /// Without its ending, and without colours.
    pub(crate) text: Box<str>,
}

/// Some of the lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LogExcerpt {
    pub(crate) lines: Vec<LogLine>,
    /// The number of the line to go on with.
    pub(crate) next: u64,
    /// How many lines have gone before they could be read, wanted ones and others.
    pub(crate) lost: u64,
    /// False if there are more already.
    pub(crate) is_all: bool,
}

/// Where a reader begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LogStart {
    /// Begins with the last lines that are wanted, this many of them.
    Last(usize),
    /// With the line of this number.
    At(u64),
}

#[derive(Debug, Default)]
struct LogTail {
    kept: Mutex<KeptLines>,
    /// The number of the line to come, for those who wait for it.
    next: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct KeptLines {
    lines: VecDeque<LogLine>,
    bytes: usize,
    /// The number of the first of them.
    first: u64,
}

/// Keeps a line, which may have colours and an ending.
pub(super) fn push(level: Level, actor: Option<Box<str>>, line: &[u8]) {
    let line = LogLine {
        level,
        actor,
        text: plain(&String::from_utf8_lossy(line)).into(),
    };
    let next = TAIL.kept.lock().push(line, MOST_BYTES);
    // A reader subscribes before it looks, so one that is not here yet will see the line.
    if TAIL.next.receiver_count() > 0 {
        TAIL.next.send_replace(next);
    }
}

/// Lines that are wanted. If there is none, waits for one, but no longer than this.
pub(crate) async fn read(start: LogStart, wait: Duration, wanted: impl Fn(&LogLine) -> bool) -> LogExcerpt {
    let mut next = TAIL.next.subscribe();
    let deadline = tokio::time::Instant::now() + wait;
    let mut excerpt = TAIL.kept.lock().excerpt(start, &wanted);
    while excerpt.lines.is_empty() && excerpt.is_all {
        let seen = excerpt.next;
        let more = next.wait_for(|next| *next > seen);
        // In one process the sender never ends.
        if tokio::time::timeout_at(deadline, more).await.is_err() {
            break;
        }
        let lost = excerpt.lost;
        excerpt = TAIL.kept.lock().excerpt(LogStart::At(seen), &wanted);
        excerpt.lost += lost;
    }
    excerpt
}

impl KeptLines {
    /// Gives the number of the line to come.
    fn push(&mut self, line: LogLine, most: usize) -> u64 {
        self.bytes += cost(&line);
        self.lines.push_back(line);
        while self.bytes > most
            && let Some(oldest) = self.lines.pop_front()
        {
            self.bytes -= cost(&oldest);
            self.first += 1;
        }
        self.end()
    }

    fn end(&self) -> u64 {
        self.first + self.lines.len() as u64
    }

    fn excerpt(&self, start: LogStart, wanted: &impl Fn(&LogLine) -> bool) -> LogExcerpt {
        let at = match start {
            LogStart::At(at) => at.min(self.end()),
            LogStart::Last(0) => self.end(),
            LogStart::Last(last) => {
                let from_end = self.lines.iter().enumerate().rev();
                let starts = from_end.filter(|(_, line)| wanted(line)).take(last);
                let start = starts.last().map_or(self.lines.len(), |(index, _)| index);
                self.first + start as u64
            }
        };
        let mut excerpt = LogExcerpt {
            lines: Vec::new(),
            next: at.max(self.first),
            lost: self.first.saturating_sub(at),
            is_all: true,
        };
        let skipped = usize::try_from(excerpt.next - self.first).unwrap_or(usize::MAX);
        let mut bytes = 0;
        for line in self.lines.iter().skip(skipped) {
            if wanted(line) {
                bytes += cost(line);
                if bytes > MOST_AT_ONCE && !excerpt.lines.is_empty() {
                    excerpt.is_all = false;
                    break;
                }
                excerpt.lines.push(line.clone());
            }
            excerpt.next += 1;
        }
        excerpt
    }
}

fn cost(line: &LogLine) -> usize {
    line.text.len() + line.actor.as_ref().map_or(0, |actor| actor.len()) + OVERHEAD
}

/// Without colours, and without the ending.
fn plain(line: &str) -> String {
    let mut plain = String::with_capacity(line.len());
    let mut rest = line.trim_end_matches('\n');
    while let Some((before, colour)) = rest.split_once("\u{1b}[") {
        plain.push_str(before);
        // What a guest writes comes with its control characters escaped, so every one that is there is a colour.
        rest = colour.split_once('m').map_or("", |(_, after)| after);
    }
    plain.push_str(rest);
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> LogLine {
        LogLine {
            level: Level::INFO,
            actor: None,
            text: text.into(),
        }
    }

    fn texts(excerpt: &LogExcerpt) -> Vec<&str> {
        excerpt.lines.iter().map(|line| &*line.text).collect()
    }

    #[test]
    fn a_slow_reader_is_told_how_many_lines_it_has_lost() {
        let mut kept = KeptLines::default();
        let room = 3 * (OVERHEAD + 1);
        for text in ["a", "b", "c", "d", "e"] {
            kept.push(line(text), room);
        }
        let excerpt = kept.excerpt(LogStart::At(1), &|_| true);
        assert_eq!(
            (texts(&excerpt), excerpt.lost, excerpt.next),
            (vec!["c", "d", "e"], 1, 5)
        );
        let none = kept.excerpt(LogStart::At(5), &|_| true);
        assert_eq!((texts(&none), none.lost, none.next), (vec![], 0, 5));
        let ahead = kept.excerpt(LogStart::At(1000), &|_| true);
        assert_eq!(ahead.next, 5, "the node has started anew since");
    }

    #[test]
    fn the_last_lines_are_those_that_are_wanted() {
        let mut kept = KeptLines::default();
        for text in ["a1", "b1", "a2", "b2", "a3", "b3"] {
            kept.push(line(text), MOST_BYTES);
        }
        let wanted = |line: &LogLine| line.text.starts_with('a');
        let excerpt = kept.excerpt(LogStart::Last(2), &wanted);
        assert_eq!((texts(&excerpt), excerpt.next), (vec!["a2", "a3"], 6));
        assert_eq!(texts(&kept.excerpt(LogStart::Last(9), &wanted)), ["a1", "a2", "a3"]);
        assert_eq!(kept.excerpt(LogStart::Last(0), &wanted).next, 6);
    }

    #[test]
    fn more_than_fits_at_once_comes_in_pieces() {
        let mut kept = KeptLines::default();
        let long = "x".repeat(MOST_AT_ONCE / 2);
        for _ in 0..3 {
            kept.push(line(&long), 3 * MOST_AT_ONCE);
        }
        let first = kept.excerpt(LogStart::At(0), &|_| true);
        assert_eq!((first.lines.len(), first.next, first.is_all), (1, 1, false));
        let rest = kept.excerpt(LogStart::At(2), &|_| true);
        assert_eq!((rest.lines.len(), rest.is_all), (1, true));
    }

    #[test]
    fn colours_are_left_out() {
        let coloured = "\u{1b}[2mtime\u{1b}[0m \u{1b}[32m INFO\u{1b}[0m text\n";
        assert_eq!(plain(coloured), "time  INFO text");
    }
}
