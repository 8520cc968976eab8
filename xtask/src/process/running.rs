//! A child process that never outlives its owner.

use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use rustix::process::{Pid, Signal, kill_process};

use super::{POLL, poll};

/// The time that a child has to end by itself after SIGTERM before it gets SIGKILL.
const GRACE: Duration = Duration::from_secs(5);

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
        poll(limit, || self.ended())
    }

    /// Asks it to stop (SIGTERM).
    pub(crate) fn terminate(&self) -> Result<()> {
        let pid = i32::try_from(self.0.id())
            .ok()
            .and_then(Pid::from_raw)
            .context("not a process id")?;
        kill_process(pid, Signal::TERM).context("cannot send SIGTERM")
    }

    /// The other ends of its stdin and stdout, the first time and if they are pipes.
    pub(crate) fn pipes(&mut self) -> Option<(ChildStdin, ChildStdout)> {
        self.0.stdin.take().zip(self.0.stdout.take())
    }

    /// Ends it without asking.
    pub(crate) fn kill(&mut self) {
        // The only failure is that it has ended, which is what is wanted.
        drop(self.0.kill());
        drop(self.0.wait());
    }

    fn still_runs(&mut self) -> bool {
        matches!(self.0.try_wait(), Ok(None))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.still_runs() && self.terminate().is_ok() {
            let deadline = Instant::now() + GRACE;
            while self.still_runs() && Instant::now() < deadline {
                std::thread::sleep(POLL);
            }
        }
        if self.still_runs() {
            self.kill();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::process::Stdio;

    use super::*;

    /// Starts a shell script, waits for its first line, drops it, and expects its process to be gone.
    fn check(script: &str) -> Result<()> {
        use std::io::Read;
        let mut child = Running::start(Command::new("sh").args(["-c", script]).stdout(Stdio::piped()))?;
        let pid = i32::try_from(child.0.id())
            .ok()
            .and_then(Pid::from_raw)
            .context("not a process id")?;
        child
            .0
            .stdout
            .take()
            .context("stdout is piped")?
            .read_exact(&mut [0; 6])?;
        drop(child);
        assert!(
            rustix::process::test_kill_process(pid).is_err(),
            "`{script}` still runs"
        );
        Ok(())
    }

    #[test]
    fn dropping_it_ends_the_process() -> Result<()> {
        check("echo ready; exec sleep 60")
    }

    #[test]
    fn dropping_it_leaves_no_zombie() -> Result<()> {
        check("echo ready")
    }
}
