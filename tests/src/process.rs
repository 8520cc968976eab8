//! A child process whose output is collected while it runs.

use std::fmt;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

pub use rustix::process::Signal;
use rustix::process::{Pid, WaitOptions, kill_process, waitpid};

use crate::wait;

/// Where a line was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// The answers of a program.
    Stdout,
    /// Its log.
    Stderr,
}

/// A running program. Dropping it kills it, and prints its output if the test is failing.
pub struct Process {
    label: String,
    child: Child,
    stdin: Option<ChildStdin>,
    output: Arc<Mutex<Vec<(Stream, String)>>>,
    readers: Vec<thread::JoinHandle<()>>,
}

impl Process {
    /// Starts a program. The label names it in messages.
    ///
    /// # Panics
    /// It can't be started.
    #[track_caller]
    pub fn start(label: &str, command: &mut Command) -> Self {
        let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped());
        Self::start_as_is(label, piped.stderr(Stdio::piped()))
    }

    /// Starts a program with the standard streams that the command has. What it writes is known of those that are pipes.
    ///
    /// # Panics
    /// It can't be started.
    #[track_caller]
    pub fn start_as_is(label: &str, command: &mut Command) -> Self {
        let mut child = match command.spawn() {
            Ok(child) => child,
            Err(error) => panic!("starting {label} ({command:?}): {error}"),
        };
        let output = Arc::default();
        let readers = [
            child.stdout.take().map(|pipe| collect(Stream::Stdout, pipe, &output)),
            child.stderr.take().map(|pipe| collect(Stream::Stderr, pipe, &output)),
        ];
        Self {
            label: label.to_owned(),
            stdin: child.stdin.take(),
            child,
            output,
            readers: readers.into_iter().flatten().collect(),
        }
    }

    /// The name in messages.
    pub fn label(&self) -> &str {
        &self.label
    }

    /// Writes one line to its stdin.
    ///
    /// # Panics
    /// It doesn't read any more.
    #[track_caller]
    pub fn write_line(&mut self, line: &str) {
        let written = self.stdin.as_mut().map(|stdin| writeln!(stdin, "{line}"));
        if !matches!(written, Some(Ok(()))) {
            panic!("{} doesn't take the line {line:?}: {written:?}", self.label);
        }
    }

    /// The lines that it wrote so far.
    pub fn lines(&self, stream: Stream) -> Vec<String> {
        let output = self.output.lock().unwrap_or_else(PoisonError::into_inner);
        output
            .iter()
            .filter(|(from, _)| *from == stream)
            .map(|(_, line)| line.clone())
            .collect()
    }

    /// Waits for a line that is accepted, past the first `from` lines, and gives its place and text.
    ///
    /// # Panics
    /// It doesn't come, or the process ends without having written it.
    #[track_caller]
    pub fn wait_line(
        &mut self,
        stream: Stream,
        from: usize,
        what: &str,
        accept: impl Fn(&str) -> bool,
    ) -> (usize, String) {
        let found = wait::until(
            &format!("{what} from {}", self.label),
            || {
                let ended = self.ended().is_some();
                let lines = self.lines(stream);
                let found = lines.into_iter().enumerate().skip(from).find(|(_, line)| accept(line));
                (found, ended)
            },
            |(found, ended)| found.is_some() || *ended,
        );
        match found {
            (Some(line), _) => line,
            (None, _) => panic!("{} ended without {what}", self.label),
        }
    }

    /// How it ended, if it did. All of its output is there then.
    ///
    /// # Panics
    /// The system doesn't say.
    #[track_caller]
    pub fn ended(&mut self) -> Option<ExitStatus> {
        match self.child.try_wait() {
            Ok(None) => None,
            Ok(Some(status)) => {
                self.drain();
                Some(status)
            }
            Err(error) => panic!("asking after {}: {error}", self.label),
        }
    }

    /// Waits until it ended by itself.
    ///
    /// # Panics
    /// It goes on running.
    #[track_caller]
    pub fn wait_exit(&mut self) -> ExitStatus {
        let what = format!("the end of {}", self.label);
        match wait::until(&what, || self.ended(), Option::is_some) {
            Some(status) => status,
            None => unreachable!("what was accepted is there"),
        }
    }

    /// Its number.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The memory that it has in use now, in bytes.
    ///
    /// # Panics
    /// It isn't there any more, or the system doesn't say.
    #[track_caller]
    pub fn memory(&self) -> u64 {
        let status = format!("/proc/{}/status", self.child.id());
        let text = match std::fs::read_to_string(&status) {
            Ok(text) => text,
            Err(error) => panic!("reading {status} of {}: {error}", self.label),
        };
        let resident = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kibibytes = resident.and_then(|text| text.trim().trim_end_matches(" kB").parse::<u64>().ok());
        match kibibytes {
            Some(kibibytes) => kibibytes * 1024,
            None => panic!("{status} of {} has no VmRSS", self.label),
        }
    }

    /// Sends it a signal.
    ///
    /// # Panics
    /// It isn't there any more.
    #[track_caller]
    pub fn signal(&self, signal: Signal) {
        if let Err(error) = kill_process(Pid::from_child(&self.child), signal) {
            panic!("sending {signal:?} to {}: {error}", self.label);
        }
    }

    /// Stops it from running, as a machine under a hypervisor may be stopped, until [`Self::thaw`]. Its connections stay.
    ///
    /// # Panics
    /// It isn't there any more.
    #[track_caller]
    pub fn freeze(&self) {
        self.signal(Signal::STOP);
        // The signal is on its way; the system tells the parent once every thread has stopped.
        match waitpid(Some(Pid::from_child(&self.child)), WaitOptions::UNTRACED) {
            Ok(Some((_, status))) if status.stopped() => {}
            other => panic!("freezing {}: {other:?}", self.label),
        }
    }

    /// Lets it run again after [`Self::freeze`].
    ///
    /// # Panics
    /// It isn't there any more.
    #[track_caller]
    pub fn thaw(&self) {
        self.signal(Signal::CONT);
    }

    /// Ends it the hard way, as a crash of the machine would.
    pub fn kill(&mut self) {
        // An error means that it has ended already.
        drop(self.child.kill());
        drop(self.child.wait());
        self.drain();
    }

    /// The readers end with the pipes, which end with the process.
    fn drain(&mut self) {
        for reader in self.readers.drain(..) {
            drop(reader.join());
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
        if thread::panicking() {
            eprintln!("{self}");
        }
    }
}

impl fmt::Display for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "---- output of {} ----", self.label)?;
        let output = self.output.lock().unwrap_or_else(PoisonError::into_inner);
        // A polled program says the same thing many times.
        for same in output.chunk_by(|a, b| a == b) {
            let Some((stream, line)) = same.first() else { continue };
            let mark = if *stream == Stream::Stdout { ">" } else { " " };
            match same.len() {
                1 => writeln!(f, "{mark} {line}")?,
                times => writeln!(f, "{mark} {line} ({times} times)")?,
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Process")
            .field("label", &self.label)
            .finish_non_exhaustive()
    }
}

fn collect(
    stream: Stream,
    pipe: impl Read + Send + 'static,
    output: &Arc<Mutex<Vec<(Stream, String)>>>,
) -> thread::JoinHandle<()> {
    let output = Arc::clone(output);
    thread::spawn(move || {
        // Bytes that aren't text must not end the reading: a full pipe would block the program.
        for line in BufReader::new(pipe).split(b'\n').map_while(Result::ok) {
            let line = String::from_utf8_lossy(&line).into_owned();
            output
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push((stream, line));
        }
    })
}
