//! Lines that a thread of their own writes, so that no part of the node waits for the reader of its log.
//!
//! A terminal that was stopped, a full disk, a pipe whose reader hangs or has gone: nobody in the process notices. Lines wait,
//! up to [`MOST_BYTES`]; beyond that they are counted and dropped, and once writing works again a note says how many are missing.
//! Failed writes are tried again as long as the process lives, since disks are emptied and log shippers come back.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, Write};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use parking_lot::{Condvar, Mutex, MutexGuard};

/// The most bytes that wait, [`OVERHEAD`] included.
const MOST_BYTES: usize = 4 << 20;

/// What a line that waits costs besides its bytes.
const OVERHEAD: usize = 32;

/// The size of one write, unless a single line is longer: what a pipe takes in one piece (`PIPE_BUF`), so that lines of several
/// programs that share the pipe don't end up within each other.
const WRITE: usize = 4096;

/// The pause after a write that failed.
const RETRY: Duration = Duration::from_secs(1);

/// The pause after a write that would have had to wait, on a descriptor that somebody made non-blocking.
const NOT_YET: Duration = Duration::from_millis(20);

/// What stands in for lines that were dropped.
pub(super) type Note = Box<dyn Fn(u64, &str) -> String + Send + Sync>;

/// Told of the first of several failed writes.
pub(super) type FailureHook = fn(&io::Error);

/// A queue of lines and the thread that writes them. It lives as long as the process.
pub(super) struct Lines(Arc<SharedQueue>);

struct SharedQueue {
    queue: Mutex<LineQueue>,
    changed: Condvar,
    limit: usize,
    note: Note,
}

#[derive(Default)]
struct LineQueue {
    lines: VecDeque<Box<[u8]>>,
    bytes: usize,
    /// Lines that were dropped since the last note.
    dropped: u64,
    /// Why the last write failed, if one did since lines are waiting for it.
    trouble: Option<String>,
    flush: Flush,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Flush {
    /// Nobody waits.
    #[default]
    Idle,
    Wanted,
    /// Everything is written, or can't be.
    Over,
}

impl Lines {
    /// Writes to `out` from now on. `note` makes the line about those that were dropped, from their number and the reason.
    ///
    /// # Errors
    /// The system has no thread to spare.
    pub(super) fn start(
        name: &str,
        out: impl Write + Send + 'static,
        note: Note,
        on_failure: FailureHook,
    ) -> io::Result<Self> {
        Self::with_limit(MOST_BYTES, name, out, note, on_failure)
    }

    fn with_limit(
        limit: usize,
        name: &str,
        out: impl Write + Send + 'static,
        note: Note,
        on_failure: FailureHook,
    ) -> io::Result<Self> {
        let shared = Arc::new(SharedQueue {
            queue: Mutex::default(),
            changed: Condvar::new(),
            limit,
            note,
        });
        let mut writer = LineWriter {
            shared: shared.clone(),
            out,
            on_failure,
            chunk: Vec::new(),
            written: 0,
            is_failing: false,
        };
        thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || writer.run())?;
        Ok(Self(shared))
    }

    /// Has a line written, line ending and all, or dropped. Never waits.
    pub(super) fn push(&self, line: &[u8]) {
        let mut queue = self.0.lock();
        // Once lines are dropped, all are until half of the room is free. Otherwise every other line would be a note.
        let room = if queue.dropped > 0 {
            self.0.limit / 2
        } else {
            self.0.limit
        };
        if queue.bytes + line.len() + OVERHEAD > room {
            queue.dropped += 1;
            metrics::counter!("ractor_host_output_lines_dropped_total").increment(1);
            return;
        }
        // In the place of the lines that are missing, and before those that come after them.
        queue.add_note(&self.0.note);
        queue.add(line.into());
        // All, because the writer and whoever flushes wait on one condition, and a single notice might wake the wrong one.
        self.0.changed.notify_all();
    }

    /// Waits until everything is written, or a write has failed, or this time is over.
    pub(super) fn flush(&self, patience: Duration) {
        let mut queue = self.0.lock();
        queue.flush = Flush::Wanted;
        self.0.changed.notify_all();
        self.0
            .changed
            .wait_while_for(&mut queue, |queue| queue.flush == Flush::Wanted, patience);
        queue.flush = Flush::Idle;
    }
}

impl SharedQueue {
    fn lock(&self) -> MutexGuard<'_, LineQueue> {
        self.queue.lock()
    }
}

impl LineQueue {
    fn add(&mut self, line: Box<[u8]>) {
        self.bytes += line.len() + OVERHEAD;
        self.lines.push_back(line);
    }

    fn take(&mut self) -> Option<Box<[u8]>> {
        let line = self.lines.pop_front()?;
        self.bytes -= line.len() + OVERHEAD;
        Some(line)
    }

    /// Puts in what stands for the lines that were dropped. A note is short, and may go over the limit.
    fn add_note(&mut self, note: &Note) {
        if self.dropped > 0 {
            let reason = self.trouble.take();
            let reason = reason.as_deref().unwrap_or("what reads it is too slow");
            let note = note(self.dropped, reason);
            self.dropped = 0;
            self.add(note.into_bytes().into());
        }
    }

    fn end_flush(&mut self, changed: &Condvar) {
        if self.flush == Flush::Wanted {
            self.flush = Flush::Over;
            changed.notify_all();
        }
    }
}

/// The thread's side.
struct LineWriter<W> {
    shared: Arc<SharedQueue>,
    out: W,
    on_failure: FailureHook,
    /// The lines that are being written.
    chunk: Vec<u8>,
    /// How many bytes of them are.
    written: usize,
    is_failing: bool,
}

impl<W: Write> LineWriter<W> {
    fn run(&mut self) {
        loop {
            self.fill();
            while let Some(rest) = self.chunk.get(self.written..).filter(|rest| !rest.is_empty()) {
                // No lock is held here: this may hang for as long as the reader does.
                match self.out.write(rest) {
                    Ok(0) => self.failed(&ErrorKind::WriteZero.into()),
                    Ok(count) => self.wrote(count),
                    Err(error) if error.kind() == ErrorKind::Interrupted => {}
                    Err(error) if error.kind() == ErrorKind::WouldBlock => thread::sleep(NOT_YET),
                    Err(error) => self.failed(&error),
                }
            }
        }
    }

    /// Waits for lines.
    fn fill(&mut self) {
        self.chunk.clear();
        self.written = 0;
        let mut queue = self.shared.lock();
        loop {
            // Perhaps nobody writes any more, so the note doesn't wait for a line to come with.
            if queue.lines.is_empty() {
                queue.add_note(&self.shared.note);
            }
            while let Some(next) = queue.lines.front()
                && (self.chunk.is_empty() || self.chunk.len() + next.len() <= WRITE)
                && let Some(line) = queue.take()
            {
                self.chunk.extend_from_slice(&line);
            }
            if !self.chunk.is_empty() {
                return;
            }
            queue.end_flush(&self.shared.changed);
            self.shared.changed.wait(&mut queue);
        }
    }

    fn wrote(&mut self, count: usize) {
        self.written += count;
        if std::mem::take(&mut self.is_failing) {
            let mut queue = self.shared.lock();
            // What was dropped meanwhile is still to be explained.
            if queue.dropped == 0 {
                queue.trouble = None;
            }
        }
    }

    /// Waits before the next attempt.
    fn failed(&mut self, error: &io::Error) {
        if error.kind() == ErrorKind::BrokenPipe {
            // A reader that comes later has nothing of what the last one got.
            self.written = 0;
        }
        if !std::mem::replace(&mut self.is_failing, true) {
            // Before the lock is taken, because it may log.
            (self.on_failure)(error);
        }
        let mut queue = self.shared.lock();
        queue.trouble = Some(error.to_string());
        // Whoever flushes at the end of the process must not wait for a disk that refuses.
        queue.end_flush(&self.shared.changed);
        // A flush cuts the pause short, since it is the last chance for the lines that wait.
        self.shared
            .changed
            .wait_while_for(&mut queue, |queue| queue.flush != Flush::Wanted, RETRY);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, Sender, channel};

    use super::*;

    /// What the test says of the next write, and where what is written goes.
    struct Script {
        steps: Receiver<WriterStep>,
        asked: Sender<()>,
        written: Arc<Mutex<Vec<u8>>>,
    }

    enum WriterStep {
        Take(usize),
        Fail(ErrorKind),
    }

    impl Write for Script {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.asked.send(()).ok();
            match self.steps.recv() {
                Ok(WriterStep::Take(most)) => {
                    let count = bytes.len().min(most);
                    self.written.lock().extend(&bytes[..count]);
                    Ok(count)
                }
                Ok(WriterStep::Fail(kind)) => Err(kind.into()),
                // The test is over.
                Err(_) => Ok(bytes.len()),
            }
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    struct WriterStage {
        lines: Lines,
        steps: Sender<WriterStep>,
        /// One for each write that has begun.
        asked: Receiver<()>,
        written: Arc<Mutex<Vec<u8>>>,
    }

    const PATIENCE: Duration = Duration::from_secs(30);

    impl WriterStage {
        fn new(limit: usize) -> Self {
            let (steps, to_do) = channel();
            let (asks, asked) = channel();
            let written = Arc::<Mutex<Vec<u8>>>::default();
            let script = Script {
                steps: to_do,
                asked: asks,
                written: written.clone(),
            };
            let note: Note = Box::new(|dropped, reason| format!("({dropped} dropped: {reason})\n"));
            Self {
                lines: Lines::with_limit(limit, "lines", script, note, |_| ()).unwrap(),
                steps,
                asked,
                written,
            }
        }

        fn push(&self, lines: &[&str]) {
            for line in lines {
                self.lines.push(format!("{line}\n").as_bytes());
            }
        }

        fn step(&self, step: WriterStep) {
            self.steps.send(step).unwrap();
        }

        /// Waits until a write has begun.
        fn begun(&self) {
            self.asked.recv_timeout(PATIENCE).unwrap();
        }

        fn written(&self) -> String {
            String::from_utf8(self.written.lock().clone()).unwrap()
        }
    }

    #[test]
    fn nobody_waits_for_a_reader_and_what_is_dropped_is_counted_in_its_place() {
        // Room for three lines of two bytes.
        let stage = WriterStage::new(3 * (OVERHEAD + 2));
        stage.push(&["a"]);
        stage.begun();
        stage.push(&["b", "c", "d", "e", "f"]);
        stage.step(WriterStep::Take(99));
        stage.begun();
        // The queue is empty, and there is room again.
        stage.push(&["g"]);
        for _ in 0..3 {
            stage.step(WriterStep::Take(99));
        }
        stage.lines.flush(PATIENCE);
        assert_eq!(
            stage.written(),
            "a\nb\nc\nd\n(2 dropped: what reads it is too slow)\ng\n"
        );
    }

    #[test]
    fn what_was_dropped_is_told_also_if_nothing_comes_after_it() {
        let stage = WriterStage::new(OVERHEAD + 2);
        stage.push(&["a"]);
        stage.begun();
        stage.push(&["b", "c"]);
        for _ in 0..3 {
            stage.step(WriterStep::Take(99));
        }
        stage.lines.flush(PATIENCE);
        assert_eq!(stage.written(), "a\nb\n(1 dropped: what reads it is too slow)\n");
    }

    #[test]
    fn a_line_that_was_begun_is_finished_when_there_is_room_on_the_disk_again() {
        let stage = WriterStage::new(1000);
        stage.push(&["hello"]);
        stage.step(WriterStep::Take(2));
        stage.step(WriterStep::Fail(ErrorKind::StorageFull));
        stage.step(WriterStep::Fail(ErrorKind::Interrupted));
        stage.step(WriterStep::Fail(ErrorKind::WouldBlock));
        stage.step(WriterStep::Take(99));
        // The failure may end this one.
        stage.lines.flush(PATIENCE);
        stage.lines.flush(PATIENCE);
        assert_eq!(stage.written(), "hello\n");
    }

    #[test]
    fn the_next_reader_of_a_pipe_gets_whole_lines_and_the_reason() {
        let stage = WriterStage::new(OVERHEAD + 6);
        stage.push(&["hello"]);
        stage.step(WriterStep::Take(2));
        stage.begun();
        stage.begun();
        stage.push(&["1", "2"]);
        stage.step(WriterStep::Fail(ErrorKind::BrokenPipe));
        for _ in 0..3 {
            stage.step(WriterStep::Take(99));
        }
        // The failure may end this one.
        stage.lines.flush(PATIENCE);
        stage.lines.flush(PATIENCE);
        assert_eq!(stage.written(), "hehello\n1\n(1 dropped: broken pipe)\n");
    }

    #[test]
    fn a_reader_that_hangs_holds_up_the_exit_no_longer_than_allowed() {
        let stage = WriterStage::new(1000);
        stage.push(&["a"]);
        stage.begun();
        // The write never ends.
        stage.lines.flush(Duration::from_millis(1));
        assert_eq!(stage.written(), "");
    }

    #[test]
    fn lines_that_wait_are_written_together_as_far_as_a_pipe_takes_them_in_one_piece() {
        let stage = WriterStage::new(100_000);
        let long = "x".repeat(WRITE / 2);
        stage.push(&["first"]);
        stage.begun();
        stage.push(&["a", "b", &long, &long]);
        for _ in 0..3 {
            stage.step(WriterStep::Take(usize::MAX));
        }
        stage.lines.flush(PATIENCE);
        assert_eq!(stage.written(), format!("first\na\nb\n{long}\n{long}\n"));
        assert_eq!(stage.asked.try_iter().count(), 2, "after the first");
    }
}
