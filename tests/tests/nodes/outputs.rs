//! Commands whose output goes nowhere: `ractor-host … | head -0`, a full disk, closed streams.

use std::fs::OpenOptions;
use std::io::pipe;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use ractor_host_tests::host::{HostNode, guest_counter};
use ractor_host_tests::process::{Process, Stream};
use ractor_host_tests::programs;
use ractor_host_tests::streams::in_shell;
use tempfile::TempDir;

/// A node that takes deployments, and every command that prints something.
struct Commands {
    node: HostNode,
    key: PathBuf,
    _folder: TempDir,
}

impl Commands {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let key = folder.path().join("deploy.key");
        std::fs::write(&key, "0f1e2d3c4b5a69788796a5b4c3d2e1f0").expect("a key");
        let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        std::fs::set_permissions(&key, private).expect("permissions");
        let state = folder.path().join("state");
        let control = format!("[control]\nkey_file = {key:?}\n[runtime]\nstate_dir = {state:?}\n");
        let rest = control + &guest_counter("a-counter", "counters", 0);
        Self {
            node: HostNode::start_with_cookie("alpha", "a cookie that no command warns of", &rest),
            key,
            _folder: folder,
        }
    }

    fn all(&self) -> Vec<(&'static str, Command)> {
        let guest = programs::guest("counter");
        let (guest, node_toml) = (text(&guest), self.node.file("node.toml"));
        let remote = ["--node", self.node.address(), "--cookie-file"];
        let cookie = self.node.cookie_file();
        let to_node = |verb, rest: &[&str]| {
            let mut command = programs::ractor_host();
            command.arg(verb).args(remote).arg(&cookie).args(rest);
            (verb, command)
        };
        let alone = |verb, rest: &[&str]| {
            let mut command = programs::ractor_host();
            command.arg(verb).args(rest);
            (verb, command)
        };
        let key = text(&self.key);
        vec![
            to_node("call", &["a-counter", "Get"]),
            to_node("describe", &["a-counter"]),
            to_node("describe", &["a-counter", "--output", "json"]),
            to_node("status", &["--key-file", key]),
            to_node("status", &["--key-file", key, "--output", "json"]),
            to_node("reload", &["--key-file", key, "counter", "--dry-run"]),
            alone("check", &[text(&node_toml)]),
            alone("inspect", &[guest]),
            alone("inspect", &[guest, "--output", "json"]),
            alone("--help", &[]),
            alone("--version", &[]),
        ]
    }
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a temporary path is text")
}

/// Runs it to its end, and gives its exit code and what it wrote to stderr.
#[track_caller]
fn end(verb: &str, command: &mut Command) -> (Option<i32>, String) {
    let label = format!("ractor-host {verb}");
    let mut process = Process::start_as_is(&label, command.env("RUST_LOG", "off").stdin(Stdio::null()));
    let code = process.wait_exit().code();
    (code, process.lines(Stream::Stderr).join("\n"))
}

#[test]
fn a_reader_that_goes_away_is_no_failure_of_any_command() {
    for (verb, mut command) in Commands::new().all() {
        let (reader, writer) = pipe().expect("a pipe");
        drop(reader);
        let ended = end(verb, command.stdout(writer).stderr(Stdio::piped()));
        assert_eq!(ended, (Some(0), String::new()), "{verb}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_result_that_can_not_be_written_is_a_failure_of_every_command() {
    for (verb, mut command) in Commands::new().all() {
        let full = OpenOptions::new().write(true).open("/dev/full").expect("a full disk");
        let (code, said) = end(verb, command.stdout(full).stderr(Stdio::piped()));
        assert_eq!(code, Some(1), "{verb}: {said}");
        assert!(said.contains("can't write to stdout: No space left"), "{verb}: {said}");
    }
}

#[test]
fn an_error_that_nobody_reads_has_its_exit_code_all_the_same() {
    let mut wrong = programs::ractor_host();
    wrong.args(["check", "no-such-node.toml"]);
    let mut nobody_there = programs::ractor_host();
    nobody_there.args(["inspect", "no-such.wasm"]);
    let mut unknown = programs::ractor_host();
    unknown.arg("--no-such-option");
    for (code, mut command) in [(2, wrong), (2, nobody_there), (2, unknown)] {
        let mut closed = in_shell(&command, "", "2>&-");
        assert_eq!(end("with an error", &mut closed).0, Some(code));
        let (reader, writer) = pipe().expect("a pipe");
        drop(reader);
        assert_eq!(end("with an error", command.stderr(writer)).0, Some(code));
    }
}
