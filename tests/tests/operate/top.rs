//! `top`: what an operator sees on a terminal, and that the terminal is theirs again afterwards. The terminal is tmux.
#![cfg(target_os = "linux")]

use std::process::{Command, Output};

use ractor_host_tests::host::{HostNode, guest_counter};
use ractor_host_tests::{programs, wait};
use tempfile::TempDir;

use crate::operator::{at, node};

/// A terminal in which a shell runs.
struct Terminal {
    /// Where its server has its socket.
    folder: TempDir,
}

impl Terminal {
    /// Of this size, with a shell that runs these lines in the folder of a node and stays.
    fn start(node: &HostNode, (columns, lines): (u16, u16), script: &str) -> Self {
        let terminal = Self {
            folder: tempfile::tempdir().expect("a folder"),
        };
        let script = format!("cd {:?}; {script}; echo ended $?; sleep 600", node.file(""));
        let (columns, lines) = (columns.to_string(), lines.to_string());
        terminal.run(&[
            "-u",
            "-f",
            "/dev/null",
            "new-session",
            "-d",
            "-x",
            &columns,
            "-y",
            &lines,
            &script,
        ]);
        terminal
    }

    fn run(&self, words: &[&str]) -> Output {
        let mut command = Command::new("tmux");
        command
            .args(words)
            .env("TMUX_TMPDIR", self.folder.path())
            .env_remove("TMUX");
        for variable in ["RACTOR_HOST_NODE", "RACTOR_HOST_COOKIE_FILE", "RACTOR_HOST_KEY_FILE"] {
            command.env_remove(variable);
        }
        let output = command.output();
        output.expect("tmux runs; this test needs it: `apt-get install tmux`")
    }

    fn press(&self, keys: &[&str]) {
        self.run(&[&["send-keys"], keys].concat());
    }

    fn screen(&self) -> String {
        String::from_utf8_lossy(&self.run(&["capture-pane", "-p"]).stdout).into_owned()
    }

    /// The screen, once this is on it.
    fn shows(&self, text: &str) -> String {
        wait::until(text, || self.screen(), |screen| screen.contains(text))
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.run(&["kill-server"]);
    }
}

fn top(rest: &str) -> String {
    let program = programs::ractor_host();
    format!("{:?} top --interval 200ms {rest}", program.get_program())
}

#[test]
fn actors_are_shown_live_and_keys_do_what_they_say() {
    let alpha = node("alpha", "");
    let terminal = Terminal::start(&alpha, (100, 20), &format!("echo before; {}", top("")));
    let screen = terminal.shows("counter ");
    assert!(screen.contains("alpha@localhost"), "{screen}");
    assert!(!screen.contains("before"), "it has a screen of its own: {screen}");
    terminal.press(&["/", "n", "o", "b"]);
    terminal.shows("0 actors by messages  with \"nob\"");
    terminal.press(&["Escape"]);
    terminal.shows("1 actors by messages");
    terminal.press(&["m"]);
    terminal.shows("1 actors by memory");
    terminal.press(&["Enter"]);
    terminal.shows("counter  guest");
    terminal.shows("mailbox_messages 0 of");
    terminal.press(&["Escape"]);
    terminal.shows("MEMORY▼");
    terminal.run(&["resize-window", "-x", "40", "-y", "10"]);
    wait::until(
        "a narrow table",
        || terminal.screen(),
        |screen| screen.contains("counter ") && !screen.contains("MEMORY▼"),
    );
    terminal.press(&["q"]);
    let screen = terminal.shows("ended 0");
    assert!(screen.contains("before"), "the screen from before is back: {screen}");
}

#[test]
fn an_actor_that_comes_while_somebody_looks_is_seen() {
    let alpha = node("alpha", "");
    let terminal = Terminal::start(&alpha, (100, 20), &top(""));
    terminal.shows("1 actors");
    assert_eq!(at(&alpha, &["spawn", "counter", "late", "u64:0"]).code, Some(0));
    terminal.shows("late ");
    terminal.press(&["Space"]);
    terminal.shows("PAUSED");
    assert_eq!(at(&alpha, &["stop", "late"]).code, Some(0));
    terminal.press(&["Space"]);
    terminal.shows("1 actors");
}

#[test]
fn a_signal_gives_the_terminal_back() {
    let alpha = node("alpha", "");
    let script = format!("sh -c 'echo $$ > top.pid; exec {}'", top(""));
    let terminal = Terminal::start(&alpha, (100, 20), &format!("{script}; stty -a"));
    terminal.shows("counter ");
    let pid = std::fs::read_to_string(alpha.file("top.pid")).expect("a pid");
    let killed = Command::new("kill").args(["-TERM", pid.trim()]).status();
    assert!(killed.expect("kill runs").success());
    // It echoes what is typed again, and takes it line by line.
    let screen = terminal.shows("ended 0");
    assert!(screen.contains(" icanon ") && screen.contains(" echo "), "{screen}");
}

#[test]
fn a_node_that_ends_leaves_what_was_seen_last_and_is_there_again_when_it_is_back() {
    let mut alpha = node("alpha", "");
    let terminal = Terminal::start(&alpha, (100, 20), &top(""));
    terminal.shows("counter ");
    alpha.process().kill();
    let gone = |screen: &String| screen.contains("alpha@localhost  alpha@localhost: ") && screen.contains("counter ");
    wait::until("why nothing more is seen", || terminal.screen(), gone);
    let actors = format!(
        "[runtime]\nstate_dir = \"state\"\n{}",
        guest_counter("late", "counters", 0)
    );
    alpha.crash_and_restart(&actors);
    terminal.shows("late ");
    terminal.press(&["q"]);
    terminal.shows("ended 0");
}

#[test]
fn without_a_terminal_it_is_refused_with_what_there_is_instead() {
    let alpha = node("alpha", "");
    let refused = at(&alpha, &["top"]);
    assert_eq!(refused.code, Some(2));
    assert!(
        refused.stderr.contains("`ractor-host ps --watch`"),
        "{}",
        refused.stderr
    );
}
