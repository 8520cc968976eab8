//! Other programs: run to their end, with what they say kept for the error.

use std::ffi::OsStr;
use std::io::{self, Read};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};

use crate::error::ProjectError;

/// The most of a program's output that an error repeats, in bytes: its end.
const MOST_OUTPUT: usize = 64 << 10;

/// The most lines of a failed installation that an error repeats.
const MOST_LINES: usize = 30;

/// A command that is about to run, without standard input.
pub(crate) struct Run {
    command: Command,
    purpose: &'static str,
}

/// What became of it.
struct Ended {
    command: String,
    status: ExitStatus,
    /// Both streams, as they came.
    output: String,
}

impl Run {
    /// `purpose` says what the program is needed for, as in "needed to compile".
    pub(crate) fn new(program: impl AsRef<OsStr>, purpose: &'static str) -> Self {
        let mut command = Command::new(program);
        // A program that asks something fails at once, and doesn't wait for an answer that nobody gives.
        command.stdin(Stdio::null());
        Self { command, purpose }
    }

    pub(crate) fn args<S: AsRef<OsStr>>(mut self, arguments: impl IntoIterator<Item = S>) -> Self {
        self.command.args(arguments);
        self
    }

    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    pub(crate) fn within(mut self, folder: &Path) -> Self {
        self.command.current_dir(folder);
        self
    }

    /// Runs what isn't about the project's own source, such as an installation. `doing` is as in "cannot install".
    pub(crate) fn finish(self, doing: &str) -> Result<(), ProjectError> {
        let ended = self.end()?;
        if ended.status.success() {
            return Ok(());
        }
        Err(ProjectError::Failed {
            doing: doing.to_owned(),
            command: ended.command,
            status: ended.status.to_string(),
            hint: hint(&ended.output),
            output: last_lines(&ended.output, MOST_LINES),
        })
    }

    /// Runs a compiler or a test of the project. Gives what it said; `what` says what it means if it fails, as in "counter does not
    /// compile".
    pub(crate) fn judge(self, what: &str) -> Result<String, ProjectError> {
        let ended = self.end()?;
        if ended.status.success() {
            return Ok(ended.output);
        }
        // Of what a program that runs may say by itself, only this is nothing of its own.
        let hint = hint(&ended.output).filter(|hint| *hint == DISK_IS_FULL);
        Err(ended.failure(what, hint))
    }

    /// Runs it with its output going where this process's goes.
    pub(crate) fn show(mut self, what: &str) -> Result<(), ProjectError> {
        let status = self.command.status().map_err(|error| self.not_started(error))?;
        if status.success() {
            return Ok(());
        }
        Err(ProjectError::Source {
            what: what.to_owned(),
            command: self.line(),
            status: status.to_string(),
            output: String::new(),
        })
    }

    /// Runs it, and gives its standard output; its errors go where they are said.
    pub(crate) fn answer(mut self, doing: &str) -> Result<String, ProjectError> {
        let output = self.command.output().map_err(|error| self.not_started(error))?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        if output.status.success() {
            return Ok(text(&output.stdout));
        }
        let said = text(&output.stderr);
        Err(ProjectError::Failed {
            doing: doing.to_owned(),
            command: self.line(),
            status: output.status.to_string(),
            hint: hint(&said),
            output: last_lines(&said, MOST_LINES),
        })
    }

    /// Runs a compiler that downloads what it needs, and gives its standard output. What it said besides is in the error.
    pub(crate) fn compile(mut self, what: &str) -> Result<String, ProjectError> {
        let output = self.command.output().map_err(|error| self.not_started(error))?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        let ended = Ended {
            command: self.line(),
            status: output.status,
            output: said.trim_end().to_owned(),
        };
        let hint = hint(&ended.output);
        Err(ended.failure(what, hint))
    }

    /// One pipe takes both streams, so that their lines stay in order.
    fn end(mut self) -> Result<Ended, ProjectError> {
        let pipe = || ProjectError::file("open", "a pipe");
        let (mut reader, writer) = io::pipe().map_err(pipe())?;
        self.command.stdout(writer.try_clone().map_err(pipe())?).stderr(writer);
        let command = self.line();
        let mut child = self.command.spawn().map_err(|error| self.not_started(error))?;
        // The command holds the writing ends; as long as it does, the pipe has no end.
        drop(self);
        let mut output = Vec::new();
        reader
            .read_to_end(&mut output)
            .map_err(ProjectError::file("read", "the output of a program"))?;
        let status = child.wait().map_err(ProjectError::file("wait for", &command))?;
        let from = output.len().saturating_sub(MOST_OUTPUT);
        let output = String::from_utf8_lossy(output.get(from..).unwrap_or_default());
        Ok(Ended {
            command,
            status,
            output: output.trim_end().to_owned(),
        })
    }

    fn not_started(&self, error: io::Error) -> ProjectError {
        let program = Path::new(self.command.get_program());
        if error.kind() == io::ErrorKind::NotFound {
            let program = program.file_name().unwrap_or(program.as_os_str()).to_string_lossy();
            let remedy = remedy(&program);
            return ProjectError::NoProgram {
                program: program.into_owned(),
                purpose: self.purpose,
                remedy,
            };
        }
        ProjectError::file("start", program)(error)
    }

    /// The program and its arguments as one would type them in its folder, without the program's own.
    fn line(&self) -> String {
        let program = Path::new(self.command.get_program());
        let line = std::iter::once(program.file_name().unwrap_or(program.as_os_str()))
            .chain(self.command.get_args())
            .map(OsStr::to_string_lossy)
            .collect::<Vec<_>>()
            .join(" ");
        match self.command.get_current_dir() {
            Some(folder) => line.replace(&format!("{}{}", folder.display(), std::path::MAIN_SEPARATOR), ""),
            None => line,
        }
    }
}

impl Ended {
    fn failure(self, what: &str, hint: Option<&'static str>) -> ProjectError {
        let Self {
            command,
            status,
            output,
        } = self;
        let status = status.to_string();
        match hint {
            // A compiler that downloads, or whose disk is full, says nothing of the source.
            hint @ Some(_) => ProjectError::Failed {
                doing: "compile".to_owned(),
                command,
                status,
                hint,
                output,
            },
            None => ProjectError::Source {
                what: what.to_owned(),
                command,
                status,
                output,
            },
        }
    }
}

/// What to install for a program that isn't there.
pub(crate) fn remedy(program: &str) -> &'static str {
    match program {
        "python3" | "python" => {
            "install Python 3.11 or later (Debian and Ubuntu: `apt install python3 python3-venv`; macOS: `brew install python`)"
        }
        "npm" | "node" => {
            "install Node.js 20 or later, which has npm (Debian and Ubuntu: `apt install nodejs npm`; or nodejs.org)"
        }
        "cargo" | "rustc" | "rustup" => "install Rust 1.95 or later with rustup (https://rustup.rs)",
        _ => "delete `.ractor-host` and build again, which installs it anew",
    }
}

/// The hint for a disk without room.
const DISK_IS_FULL: &str =
    "The disk is full. Free some space and try again; what was installed in part is installed anew.";

/// What programs say, and what it means. The first that is found counts.
const HINTS: &[(&[&str], &str)] = &[
    (
        &["No space left on device", "ENOSPC", "Disk quota exceeded"],
        DISK_IS_FULL,
    ),
    (
        &[
            "DO NOT MATCH THE HASHES",
            "EINTEGRITY",
            "checksum mismatch",
            "the listed checksum of",
        ],
        "What was downloaded isn't what is pinned here: its hash differs, and nothing of it was installed. Whoever provides the \
         packages (a mirror, a proxy, a cache) altered them. Clear the cache of the package manager, or use another registry.",
    ),
    (
        &[
            "ensurepip is not available",
            "No module named venv",
            "No module named ensurepip",
            "No module named pip",
        ],
        "This Python can't make virtual environments: install python3-venv (Debian and Ubuntu: `apt install python3-venv`).",
    ),
    (
        &[
            "Could not resolve host",
            "Temporary failure in name resolution",
            "Name or service not known",
            "Failed to establish a new connection",
            "Connection refused",
            "Network is unreachable",
            "ENOTFOUND",
            "EAI_AGAIN",
            "ECONNREFUSED",
            "ECONNRESET",
            "ETIMEDOUT",
            "ENETUNREACH",
            "failed to download from",
            "could not download file",
            "you may want to consider disabling --offline",
            "retry without the offline flag",
        ],
        "The registry can't be reached. Tools are downloaded once, and after that no network is needed: connect to one, or set up your \
         proxy or mirror for this package manager, and try again.",
    ),
    (
        &[
            "No matching distribution found",
            "has no wheel",
            "EBADPLATFORM",
            "notsup",
        ],
        "There is no such package for this system and this version of the language.",
    ),
];

fn hint(output: &str) -> Option<&'static str> {
    let found = HINTS
        .iter()
        .find(|(words, _)| words.iter().any(|word| output.contains(word)));
    found.map(|(_, hint)| *hint)
}

fn last_lines(text: &str, most: usize) -> String {
    let lines: Vec<&str> = text.trim_end().lines().collect();
    let from = lines.len().saturating_sub(most);
    lines.get(from..).unwrap_or_default().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Run {
        Run::new("sh", "to test").args(["-c", script])
    }

    #[test]
    fn what_a_compiler_says_is_repeated_in_full_and_in_order() {
        let error =
            shell("echo app.py:3; echo 'what is this' >&2; echo in app.py; exit 1").judge("counter does not compile");
        let error = error.unwrap_err();
        let ProjectError::Source { output, .. } = &error else {
            unreachable!("{error}")
        };
        assert_eq!(
            output.lines().collect::<Vec<_>>(),
            ["app.py:3", "what is this", "in app.py"]
        );
        assert!(
            error.to_string().contains("counter does not compile: `sh -c"),
            "{error}"
        );
    }

    #[test]
    fn a_failure_that_has_a_known_cause_says_what_to_do() {
        for (said, expected) in [
            ("OSError: [Errno 28] No space left on device", "The disk is full"),
            ("npm error code EINTEGRITY", "its hash differs"),
            ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM", "its hash differs"),
            ("ensurepip is not available. On Debian", "install python3-venv"),
            ("npm error code ECONNREFUSED", "can't be reached"),
            (
                "Failed to establish a new connection: [Errno 111] Connection refused",
                "can't be reached",
            ),
            (
                "warning: spurious network error: Could not resolve host: index.crates.io",
                "can't be reached",
            ),
            (
                "ERROR: No matching distribution found for x==1",
                "no such package for this system",
            ),
        ] {
            let error = shell(&format!("echo '{said}' >&2; exit 1"))
                .finish("install tools")
                .unwrap_err()
                .to_string();
            assert!(error.contains(expected) && error.contains(said), "{error}");
        }
    }

    #[test]
    fn what_a_program_says_while_it_is_compiled_is_about_the_program() {
        let judge = |said: &str| {
            shell(&format!("echo '{said}' >&2; exit 1"))
                .judge("counter does not compile")
                .unwrap_err()
        };
        assert!(matches!(
            judge("ConnectionRefusedError: Connection refused"),
            ProjectError::Source { .. }
        ));
        assert!(matches!(
            judge("OSError: No space left on device"),
            ProjectError::Failed { .. }
        ));
    }

    #[test]
    fn a_missing_program_says_what_to_install() {
        let error = Run::new("nowhere/python3", "to compile Python")
            .finish("install")
            .unwrap_err();
        let text = error.to_string();
        assert!(
            text.starts_with("`python3` is needed to compile Python, and isn't there: install Python 3."),
            "{text}"
        );
    }
}
