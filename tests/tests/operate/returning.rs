//! Commands that go on and on, beside nodes that restart and connections that drop.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use ractor_host_tests::host::{HostNode, another_counter, guest_counter};
use ractor_host_tests::process::{Process, Stream};
use ractor_host_tests::proxy::Proxy;
use ractor_host_tests::wait;

use crate::operator::{at, command, node};

/// The rest of a node.toml with these counters.
fn counters(names: &[&str]) -> String {
    let module = guest_counter("counter", "counters", 0);
    let others = names.iter().map(|name| another_counter(name, "others", 0));
    format!(
        "[runtime]\nstate_dir = \"state\"\n{module}{}",
        others.collect::<String>()
    )
}

fn follow(mut command: Command) -> Process {
    Process::start("a command that goes on", &mut command)
}

/// What it said on stderr that has this in it.
fn said(process: &Process, text: &str) -> usize {
    let lines = process.lines(Stream::Stderr);
    lines.iter().filter(|line| line.contains(text)).count()
}

#[test]
fn the_next_life_of_a_node_is_shown_from_its_beginning() {
    let mut alpha = HostNode::start("alpha", &counters(&["first", "second", "third"]));
    let here = |words: &[&str]| follow(command(&alpha.file(""), words));
    let mut logs = here(&["logs", "--follow", "--lines", "1"]);
    let mut events = here(&["events", "--follow"]);
    let mut ps = here(&["ps", "--watch", "200ms"]);
    ps.wait_line(Stream::Stdout, 0, "an actor", |line| line.contains("third"));
    events.wait_line(Stream::Stdout, 0, "the start", |line| line.contains("4 actors"));
    logs.wait_line(Stream::Stdout, 0, "the last line", |_| true);
    // With fewer lines and events than before: the numbers of the first life would skip these.
    alpha.crash_and_restart(&counters(&["late"]));
    for (process, text) in [
        (&mut logs, "actor=\"late\""),
        (&mut events, "the node is up with 2 actors"),
        (&mut ps, " late "),
    ] {
        process.wait_line(Stream::Stdout, 0, text, |line| line.contains(text));
        for news in ["trying again for 60s", "is back"] {
            wait::until(news, || said(process, news), |times| *times == 1);
        }
    }
    alpha.process().kill();
}

#[test]
fn a_connection_that_drops_costs_no_line_and_none_is_shown_twice() {
    let keys = tempfile::tempdir().expect("a folder");
    let key = keys.path().join("key");
    fs::write(&key, "observe 0f1e2d3c4b5a69788796a5b4c3d2e1f0").expect("a key");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).expect("permissions");
    let alpha = node("alpha", &format!("[control]\nkey_file = {key:?}\n"));
    let proxy = Proxy::to(alpha.address());
    let mut command = command(keys.path(), &["logs", "--follow", "counter"]);
    command.args(["--node", &proxy.address()]);
    command.arg("--cookie-file").arg(alpha.cookie_file());
    command.arg("--key-file").arg(&key);
    let mut logs = follow(command);
    logs.wait_line(Stream::Stdout, 0, "the start", |line| line.contains("actor started"));
    for times in 1..=2 {
        proxy.cut();
        assert_eq!(at(&alpha, &["restart", "counter"]).code, Some(0));
        let lines = || logs.lines(Stream::Stdout);
        let restarts = |lines: &Vec<String>| {
            let restarts = lines.iter().filter(|line| line.contains("restarted by an operator"));
            restarts.count() == times
        };
        wait::until("the line about the restart, once", lines, restarts);
    }
    let starts = logs.lines(Stream::Stdout);
    let starts = starts.iter().filter(|line| line.contains("actor started")).count();
    assert_eq!(starts, 1, "{:?}", logs.lines(Stream::Stdout));
}

#[test]
fn a_node_that_is_gone_for_good_ends_the_command() {
    let mut alpha = node("alpha", "");
    let here = |words: &[&str]| follow(command(&alpha.file(""), words));
    let mut all = [
        (here(&["logs", "--follow", "--retry-for", "1s"]), "within 1s"),
        (
            here(&["events", "--follow", "--retry-for", "0s"]),
            "the connection ended",
        ),
        (here(&["ps", "--watch", "--retry-for", "1s"]), "within 1s"),
    ];
    for (process, _) in &mut all {
        process.wait_line(Stream::Stdout, 0, "a line", |_| true);
    }
    alpha.process().kill();
    for (process, text) in &mut all {
        assert_eq!(process.wait_exit().code(), Some(1));
        wait::until(text, || said(process, text), |times| *times == 1);
    }
}

#[test]
fn a_wrong_name_is_told_at_once() {
    let alpha = node("alpha", "");
    let wrong = at(&alpha, &["logs", "--follow", "conuter"]);
    assert_eq!(wrong.code, Some(1));
    assert!(wrong.stderr.contains("did you mean `counter`?"), "{}", wrong.stderr);
    assert!(!wrong.stderr.contains("trying again"), "{}", wrong.stderr);
}
