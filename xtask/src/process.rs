//! Child processes that end: each has a time limit, and none outlives this process, whether it fails, panics or is
//! interrupted.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use rustix::process::{Pid, Signal, kill_process};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

/// How long a child may take to end by itself after SIGTERM before it gets SIGKILL.
const GRACE: Duration = Duration::from_secs(5);
/// How often a waiting function looks again.
const POLL: Duration = Duration::from_millis(25);
/// How much of a failed child's output an error shows.
const TAIL_LINES: usize = 20;

static INTERRUPTED: OnceLock<Arc<AtomicBool>> = OnceLock::new();

/// From now on SIGINT, SIGTERM and SIGHUP make every wait of this module fail, so that children are stopped by the
/// way out. The second signal of a kind ends the process at once.
pub(crate) fn stop_on_signals() -> Result<()> {
    let flag = INTERRUPTED.get_or_init(Arc::default);
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        signal_hook::flag::register_conditional_default(signal, Arc::clone(flag))
            .and_then(|_| signal_hook::flag::register(signal, Arc::clone(flag)))
            .with_context(|| format!("cannot handle signal {signal}"))?;
    }
    Ok(())
}

/// Waits a moment; an error once the user asked to stop.
pub(crate) fn pause() -> Result<()> {
    std::thread::sleep(POLL);
    match INTERRUPTED.get() {
        Some(flag) if flag.load(Ordering::Relaxed) => bail!("interrupted"),
        _ => Ok(()),
    }
}

/// Calls `attempt` until it gives a value; an error after `limit`.
pub(crate) fn poll<T>(limit: Duration, mut attempt: impl FnMut() -> Result<Option<T>>) -> Result<T> {
    let deadline = Instant::now() + limit;
    loop {
        if let Some(value) = attempt()? {
            return Ok(value);
        }
        if Instant::now() >= deadline {
            bail!("nothing after {} s", limit.as_secs());
        }
        pause()?;
    }
}

/// One command line to run to its end.
pub(crate) struct Run {
    command: Command,
    limit: Duration,
}

impl Run {
    /// `program` with no arguments, reading nothing, and ten minutes to end.
    pub(crate) fn new(program: impl AsRef<OsStr>) -> Self {
        let mut command = Command::new(program);
        command.stdin(Stdio::null());
        Self {
            command,
            limit: Duration::from_secs(600),
        }
    }

    pub(crate) fn args<S: AsRef<OsStr>>(mut self, arguments: impl IntoIterator<Item = S>) -> Self {
        self.command.args(arguments);
        self
    }

    pub(crate) fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    pub(crate) fn without_env(mut self, name: impl AsRef<OsStr>) -> Self {
        self.command.env_remove(name);
        self
    }

    pub(crate) fn within(mut self, directory: &Path) -> Self {
        self.command.current_dir(directory);
        self
    }

    pub(crate) fn limit_minutes(mut self, minutes: u64) -> Self {
        self.limit = Duration::from_secs(minutes * 60);
        self
    }

    /// Runs it with its output shown as it comes.
    ///
    /// # Errors
    /// It can't be started, exits with anything but 0, or outruns its limit.
    pub(crate) fn show(mut self) -> Result<()> {
        let line = self.line();
        let status = self.finish().with_context(|| format!("`{line}` did not finish"))?;
        match status.success() {
            true => Ok(()),
            false => bail!("`{line}` failed ({status}); its output is above"),
        }
    }

    /// Runs it silently and gives what it wrote to stdout.
    ///
    /// # Errors
    /// As [`Run::show`]; the error holds the end of what it wrote.
    pub(crate) fn capture(mut self) -> Result<String> {
        let line = self.line();
        let (mut out, mut err) = (tempfile::tempfile()?, tempfile::tempfile()?);
        self.command.stdout(out.try_clone()?).stderr(err.try_clone()?);
        let status = self.finish().with_context(|| format!("`{line}` did not finish"))?;
        let written = contents(&mut out)?;
        if status.success() {
            return Ok(written);
        }
        let complaint = contents(&mut err)?;
        let said = if complaint.trim().is_empty() {
            written
        } else {
            complaint
        };
        bail!("`{line}` failed ({status}), saying\n{}", tail(&said))
    }

    fn finish(&mut self) -> Result<ExitStatus> {
        let mut child = Running::start(&mut self.command)?;
        child.wait(self.limit)
    }

    /// The program and its arguments as one would type them, without the program's folder.
    fn line(&self) -> String {
        let program = Path::new(self.command.get_program());
        std::iter::once(program.file_name().unwrap_or(program.as_os_str()))
            .chain(self.command.get_args())
            .map(OsStr::to_string_lossy)
            .collect::<Vec<_>>()
            .join(" ")
    }
}

/// A child process that is stopped when this is dropped.
pub(crate) struct Running(Child);

impl Running {
    /// Starts the command.
    pub(crate) fn start(command: &mut Command) -> Result<Self> {
        let name = command.get_program().to_string_lossy().into_owned();
        command
            .spawn()
            .map(Self)
            .map_err(|error| anyhow!("cannot start `{name}`: {error}"))
    }

    /// Its exit status if it has ended.
    pub(crate) fn ended(&mut self) -> Result<Option<ExitStatus>> {
        Ok(self.0.try_wait()?)
    }

    /// Waits for its end; an error after `limit`.
    pub(crate) fn wait(&mut self, limit: Duration) -> Result<ExitStatus> {
        let deadline = Instant::now() + limit;
        loop {
            if let Some(status) = self.ended()? {
                return Ok(status);
            }
            if Instant::now() >= deadline {
                bail!("it still ran after {} s and was stopped", limit.as_secs());
            }
            pause()?;
        }
    }

    /// Asks it to stop (SIGTERM).
    pub(crate) fn terminate(&self) -> Result<()> {
        let pid = i32::try_from(self.0.id())
            .ok()
            .and_then(Pid::from_raw)
            .context("not a process id")?;
        kill_process(pid, Signal::TERM).context("cannot send SIGTERM")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !matches!(self.0.try_wait(), Ok(None)) {
            return;
        }
        let asked = self.terminate();
        let deadline = Instant::now() + GRACE;
        while asked.is_ok() && Instant::now() < deadline {
            if !matches!(self.0.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(POLL);
        }
        // The only failures left are "it has just ended", which is what is wanted.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// The last lines of a text.
pub(crate) fn tail(text: &str) -> String {
    let lines: Vec<&str> = text.trim_end().lines().collect();
    lines
        .get(lines.len().saturating_sub(TAIL_LINES)..)
        .unwrap_or_default()
        .join("\n")
}

fn contents(file: &mut File) -> Result<String> {
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(0))?;
    file.read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Run {
        Run::new("sh").args(["-c", script])
    }

    #[test]
    fn captures_stdout_of_a_success() -> Result<()> {
        assert_eq!(shell("echo out; echo err >&2").capture()?, "out\n");
        Ok(())
    }

    #[test]
    fn a_failure_names_the_command_and_shows_what_it_said() {
        let error = shell("echo the disk is full >&2; exit 3")
            .capture()
            .expect_err("exit code 3")
            .to_string();
        assert!(
            error.contains("sh -c") && error.contains("the disk is full") && error.contains('3'),
            "{error}"
        );
    }

    #[test]
    fn a_missing_program_is_named() {
        let error = format!(
            "{:#}",
            Run::new("no-such-program-here").capture().expect_err("does not exist")
        );
        assert!(error.contains("cannot start `no-such-program-here`"), "{error}");
    }

    #[test]
    fn a_child_that_outruns_its_limit_is_stopped() {
        let mut run = shell("exec sleep 60");
        run.limit = Duration::ZERO;
        let error = format!("{:#}", run.capture().expect_err("outran its limit"));
        assert!(error.contains("still ran"), "{error}");
    }

    #[test]
    fn tail_keeps_the_end() {
        let text = (0..100).map(|line| line.to_string()).collect::<Vec<_>>().join("\n");
        assert!(tail(&text).starts_with("80\n") && tail(&text).ends_with("\n99"));
        assert_eq!(tail("one"), "one");
    }
}
