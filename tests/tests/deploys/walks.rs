//! The pages about languages, walked through as a newcomer would: the test takes the page itself, and types what it says in an empty
//! folder, with the program and nothing of this checkout. See `page` for what in a page tells it so.

mod page;

use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use ractor_host_tests::process::{Process, Stream};
use ractor_host_tests::{programs, wait};
use rustix::process::{Pid, Signal, kill_process_group};
use tempfile::TempDir;

use self::page::{Action, Step};
use crate::workshop::{COMPILATION, assert_no_checkout, lacks_tools, only_project_in, share_caches};

/// The address in the pages. In a test the system chooses the port, and from then on the pages are read with that.
const ADDRESS: &str = "127.0.0.1:4697";
/// What stands for it in a file before that.
const ANY_PORT: &str = "127.0.0.1:0";
/// What the shell writes when a command is done.
const DONE: &str = "=done= ";

/// A reader at a shell, in a folder that was empty.
struct Reader {
    page: &'static str,
    folder: TempDir,
    shell: Process,
    /// How many commands were typed.
    typed: usize,
    /// What the program in the background writes to, and how many lines of that were read.
    background: Option<(PathBuf, usize)>,
    /// Where the node is, once it has said so.
    address: Option<String>,
}

impl Reader {
    fn new(page: &'static str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let program = programs::ractor_host();
        let (bin, state) = (folder.path().join("bin"), folder.path().join("state"));
        for inner in [
            bin.clone(),
            folder.path().join("seen"),
            folder.path().join("here"),
            state.join("ractor-host"),
        ] {
            fs::create_dir_all(inner).expect("a folder");
        }
        symlink(program.get_program(), bin.join("ractor-host")).expect("a link");
        let mut shell = Command::new("bash");
        shell
            .args(["--noprofile", "--norc"])
            .current_dir(folder.path().join("here"));
        let path = std::env::var_os("PATH").unwrap_or_default();
        let path = std::env::join_paths(std::iter::once(bin).chain(std::env::split_paths(&path))).expect("folders");
        shell.env("PATH", path);
        for (name, value) in program.get_envs() {
            shell.env(name, value.unwrap_or_default());
        }
        // Readers don't share states. What was compiled is shared, under the key that it has.
        let key = programs::key_of_compiled_guests();
        if key.is_file() {
            fs::copy(key, state.join("ractor-host/cache.key")).expect("a copy");
        }
        shell.env("XDG_STATE_HOME", state);
        share_caches(&mut shell);
        // Whatever it starts is ended with it.
        shell.process_group(0);
        Self {
            page,
            folder,
            shell: Process::start(page, &mut shell),
            typed: 0,
            background: None,
            address: None,
        }
    }

    /// Where a file of the page is: in the folder in which the shell is now.
    fn file(&mut self, name: &str) -> PathBuf {
        let (said, _) = self.type_in("pwd -P");
        Path::new(said.trim()).join(name)
    }

    /// Types a command, and gives what it showed, and whether it succeeded. One that goes on in the background shows nothing yet.
    fn type_in(&mut self, command: &str) -> (String, bool) {
        self.typed += 1;
        let seen = self.folder.path().join(format!("seen/{}", self.typed));
        let output = seen.display();
        if let Some(command) = command.trim_end().strip_suffix('&') {
            self.shell.write_line(&format!("{command} >{output} 2>&1 </dev/null &"));
            self.background = Some((seen, 0));
            return (String::new(), true);
        }
        self.shell.write_line(&format!(
            "{{ {command}\n}} >{output} 2>&1 </dev/null; echo {DONE}{} $?",
            self.typed
        ));
        let done = format!("{DONE}{} ", self.typed);
        let deadline = Instant::now() + COMPILATION;
        let code = loop {
            let lines = self.shell.lines(Stream::Stdout);
            if let Some(code) = lines.iter().find_map(|line| line.strip_prefix(&done)) {
                break code.to_owned();
            }
            assert!(Instant::now() < deadline, "{}: {command}: it doesn't end", self.page);
            assert!(
                self.shell.ended().is_none(),
                "{}: {command}: the shell ended",
                self.page
            );
            std::thread::sleep(wait::POLL);
        };
        (fs::read_to_string(seen).unwrap_or_default(), code == "0")
    }

    /// Does one step. False if what the language needs can't be had here.
    fn follow(&mut self, step: &Step) -> bool {
        let place = format!("{}:{}", self.page, step.line);
        match &step.action {
            Action::Write { file, text } => {
                let file = self.file(file);
                fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
                fs::write(file, text).expect("a file");
            }
            Action::Compare { file, text } => {
                let path = self.file(file);
                let found = fs::read_to_string(path).unwrap_or_else(|error| panic!("{place}: {file}: {error}"));
                assert_eq!(found.replace(ANY_PORT, ADDRESS), *text, "{place}: {file}");
            }
            Action::Replace { file, old, new } => {
                let path = self.file(file);
                let found = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{place}: {file}: {error}"));
                assert_eq!(
                    found.matches(old).count(),
                    1,
                    "{place}: {file} has these lines once:\n{old}\n{found}"
                );
                fs::write(path, found.replace(old, new)).expect("a file");
            }
            Action::Type { command, shown } => return self.follow_command(&place, command, shown),
            Action::Await { shown } => return self.see_in_background(&place, shown),
        }
        true
    }

    fn follow_command(&mut self, place: &str, command: &str, shown: &[String]) -> bool {
        self.let_the_system_choose_ports();
        let command = match &self.address {
            Some(address) => command.replace(ADDRESS, address),
            None => command.to_owned(),
        };
        // A comment behind a command is for the reader.
        let command = command.split("  # ").next().unwrap_or_default().trim_end();
        let (said, succeeded) = self.type_in(command);
        if command.ends_with('&') {
            return self.see_in_background(place, shown);
        }
        // What a page shows as an error is to be one.
        let is_to_fail = shown.first().is_some_and(|line| line.starts_with("error: "));
        if !succeeded && !is_to_fail {
            assert!(lacks_tools(self.page, &said), "{place}: `{command}` fails:\n{said}");
            return false;
        }
        assert!(
            !(succeeded && is_to_fail),
            "{place}: `{command}` does not fail:\n{said}"
        );
        let mut lines = said.lines();
        for shown in shown {
            let pattern = page::pattern(shown).expect("a pattern");
            assert!(
                lines.any(|line| pattern.is_match(line.trim_end())),
                "{place}: `{command}` doesn't show {shown:?}, or not in that place:\n{said}"
            );
        }
        true
    }

    /// Waits until the program in the background has shown these lines.
    fn see_in_background(&mut self, place: &str, shown: &[String]) -> bool {
        let (output, mut read) = self.background.clone().expect("a program in the background");
        // A deadline since it last said anything: it builds, then compiles what it built.
        let (mut deadline, mut len) = (Instant::now() + COMPILATION, 0);
        for shown in shown {
            let pattern = page::pattern(shown).expect("a pattern");
            loop {
                let said = fs::read_to_string(&output).unwrap_or_default();
                if said.len() != len {
                    (deadline, len) = (Instant::now() + COMPILATION, said.len());
                }
                // The last line may not be whole yet.
                let whole = said.rfind('\n').map_or("", |end| said.get(..end).unwrap_or_default());
                let found = whole
                    .lines()
                    .enumerate()
                    .skip(read)
                    .find_map(|(at, line)| Some((at, pattern.captures(line)?)));
                if let Some((at, groups)) = found {
                    read = at + 1;
                    self.address = groups
                        .get(1)
                        .map(|group| group.as_str().to_owned())
                        .or(self.address.take());
                    break;
                }
                if said.contains("does not build") && lacks_tools(self.page, &said) {
                    return false;
                }
                assert!(
                    Instant::now() < deadline,
                    "{place}: the program in the background doesn't show {shown:?}:\n{said}"
                );
                std::thread::sleep(wait::POLL);
            }
        }
        self.background = Some((output, read));
        true
    }

    /// Tests run side by side, so none has a port of its own.
    fn let_the_system_choose_ports(&self) {
        let here = self.folder.path().join("here");
        let projects = fs::read_dir(&here).into_iter().flatten().flatten();
        for folder in projects.map(|entry| entry.path()).chain([here.clone()]) {
            let file = folder.join("node.toml");
            if let Ok(text) = fs::read_to_string(&file)
                && text.contains(ADDRESS)
            {
                fs::write(file, text.replace(ADDRESS, ANY_PORT)).expect("a file");
            }
        }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        // An error means that it has ended already.
        if let Some(group) = i32::try_from(self.shell.id()).ok().and_then(Pid::from_raw) {
            kill_process_group(group, Signal::KILL).unwrap_or_default();
        }
    }
}

/// Does what a page says, from its first line to its last.
#[track_caller]
fn walk_through(page: &'static str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(page);
    let text = fs::read_to_string(path).expect("a page");
    let walks = page::walks(&text).unwrap_or_else(|error| panic!("{page}: {error}"));
    assert!(!walks.is_empty(), "{page} has nothing to walk through");
    let language = if text.contains("--lang rust counter") {
        "rust"
    } else {
        ""
    };
    let _only = only_project_in(language);
    for walk in walks {
        let mut reader = Reader::new(page);
        if !walk.iter().all(|step| reader.follow(step)) {
            return;
        }
        assert_no_checkout(&reader.folder.path().join("here"));
    }
}

#[test]
fn the_page_about_rust_can_be_followed_to_the_letter() {
    walk_through("docs/guests/rust.md");
}

#[test]
fn the_page_about_python_can_be_followed_to_the_letter() {
    walk_through("docs/guests/python.md");
}

#[test]
fn the_page_about_javascript_and_typescript_can_be_followed_to_the_letter() {
    walk_through("docs/guests/javascript.md");
}

#[test]
fn the_page_about_c_can_be_followed_to_the_letter() {
    walk_through("docs/guests/c.md");
}

#[test]
fn the_page_about_go_can_be_followed_to_the_letter() {
    walk_through("docs/guests/go.md");
}

#[test]
fn the_page_about_projects_can_be_followed_to_the_letter() {
    walk_through("docs/projects.md");
}

#[test]
fn the_quick_start_of_the_page_about_languages_can_be_followed_to_the_letter() {
    walk_through("docs/languages.md");
}

/// The page for operators: every command in it, from its first line to its last, at a node that runs already.
///
/// Sections need no marks for that. What a section needs besides is in its own commands.
#[test]
fn every_command_of_the_page_about_operations_does_what_the_page_says() {
    const PAGE: &str = "docs/operations.md";
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(PAGE);
    let text = fs::read_to_string(path).expect("a page");
    let steps = page::commands(&text).unwrap_or_else(|error| panic!("{PAGE}: {error}"));
    assert!(steps.len() > 5, "{PAGE} has commands");
    let mut reader = Reader::new(PAGE);
    let counter = fs::read(programs::guest("tally")).expect("a component");
    // The same with a section that means nothing: other code, which takes the state and gives it back.
    let next = [&counter[..], b"\0\x05\x04next"].concat();
    for (name, component) in [("counter.wasm", counter), ("counter-next.wasm", next)] {
        fs::write(reader.file(name), component).expect("a component");
    }
    for step in &steps {
        assert!(reader.follow(step), "{PAGE}:{} lacks tools", step.line);
    }
}

#[test]
fn what_a_page_says_wrongly_is_found() {
    let step = |command: &str, shown: &str| Step {
        line: 1,
        action: Action::Type {
            command: command.to_owned(),
            shown: vec![shown.to_owned()],
        },
    };
    let follows = |step: &Step| {
        let mut reader = Reader::new("a page");
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| reader.follow(step))).is_ok()
    };
    assert!(follows(&step("echo one; echo two", "two")));
    assert!(!follows(&step("echo one; echo two", "three")));
    assert!(!follows(&step("false", "")));
    assert!(!follows(&step("ractor-host no-such-command", "")));
    assert!(!follows(&Step {
        line: 1,
        action: Action::Compare {
            file: "nothing.py".to_owned(),
            text: String::new(),
        },
    }));
}
