//! One command line, run to its end.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::{Running, poll, tail};

/// How a command that has a time to work in came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    ByItself,
    WithItsTime,
}

/// A command line before it runs.
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

    /// Appends arguments.
    pub(crate) fn args<S: AsRef<OsStr>>(mut self, arguments: impl IntoIterator<Item = S>) -> Self {
        self.command.args(arguments);
        self
    }

    /// Sets an environment variable.
    pub(crate) fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Takes an environment variable away.
    pub(crate) fn without_env(mut self, name: impl AsRef<OsStr>) -> Self {
        self.command.env_remove(name);
        self
    }

    /// Sets the folder to run in.
    pub(crate) fn within(mut self, directory: &Path) -> Self {
        self.command.current_dir(directory);
        self
    }

    /// Sets how long it may take.
    pub(crate) fn limit_minutes(mut self, minutes: u64) -> Self {
        self.limit = Duration::from_secs(minutes * 60);
        self
    }

    /// Runs it with its output shown as it comes.
    ///
    /// # Errors
    /// It can't be started, exits with anything but 0, or outruns its limit and is stopped.
    pub(crate) fn show(mut self) -> Result<()> {
        let status = self.finish()?;
        if !status.success() {
            bail!("`{}` failed ({status}); its output is above", self.line());
        }
        Ok(())
    }

    /// Runs it with all that it writes going to `file`.
    ///
    /// # Errors
    /// As [`Run::show`].
    pub(crate) fn show_later(mut self, file: &File) -> Result<()> {
        self.command.stdout(file.try_clone()?).stderr(file.try_clone()?);
        self.show()
    }

    /// Runs it as [`Run::show`] does, and stops it when its time is over.
    ///
    /// # Errors
    /// It can't be started, or exits with anything but 0 before that.
    pub(crate) fn show_for(mut self, time: Duration) -> Result<Ended> {
        let mut child = Running::start(&mut self.command)?;
        let end = Instant::now() + time;
        let status = poll(time + self.limit, || match child.ended()? {
            Some(status) => Ok(Some(Some(status))),
            None => Ok((Instant::now() >= end).then_some(None)),
        })?;
        match status {
            None => Ok(Ended::WithItsTime),
            Some(status) if status.success() => Ok(Ended::ByItself),
            Some(status) => bail!("`{}` failed ({status}); its output is above", self.line()),
        }
    }

    /// Runs it silently and gives what it wrote to stdout.
    ///
    /// # Errors
    /// As [`Run::show`]; the error holds the end of what it wrote.
    pub(crate) fn capture(mut self) -> Result<String> {
        let (mut out, mut err) = (tempfile::tempfile()?, tempfile::tempfile()?);
        self.command.stdout(out.try_clone()?).stderr(err.try_clone()?);
        let status = self.finish()?;
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
        bail!("`{}` failed ({status}), saying\n{}", self.line(), tail(&said))
    }

    fn finish(&mut self) -> Result<ExitStatus> {
        let mut child = Running::start(&mut self.command)?;
        child
            .wait(self.limit)
            .with_context(|| format!("`{}` was stopped", self.line()))
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
    fn what_has_a_time_to_work_in_is_stopped_when_that_is_over() -> Result<()> {
        assert_eq!(shell("exec sleep 60").show_for(Duration::ZERO)?, Ended::WithItsTime);
        assert_eq!(shell("exit 0").show_for(Duration::from_secs(60))?, Ended::ByItself);
        assert!(shell("exit 3").show_for(Duration::from_secs(60)).is_err());
        Ok(())
    }

    #[test]
    fn failures_say_which_command_and_why() {
        let check = |run: Run, expected: &[&str]| {
            let error = format!("{:#}", run.capture().expect_err("this can't succeed"));
            for part in expected {
                assert!(error.contains(part), "{error}\nshould contain\n{part}");
            }
        };
        check(
            shell("echo the disk is full >&2; exit 3"),
            &["`sh -c", "the disk is full", "exit status: 3"],
        );
        check(shell("echo only on stdout; exit 1"), &["only on stdout"]);
        check(
            Run::new("no-such-program-here"),
            &["cannot start `no-such-program-here`"],
        );
        check(
            shell("exec sleep 60").limit_minutes(0),
            &["`sh -c exec sleep 60` was stopped", "not within 0 s"],
        );
    }
}
