//! Actors that fail too often: what becomes of their node.

use std::process::{Command, Stdio};

use ractor_host_tests::cli::{end, message};
use ractor_host_tests::host::{HostNode, NodeFolder, guest_counter};
use ractor_host_tests::process::{Process, Stream};
use ractor_host_tests::streams::{IfFull, full_pipe};
use ractor_host_tests::{COOKIE, programs, wait};

/// The exit code of a node whose essential actor was given up.
const GIVEN_UP: Option<i32> = Some(3);

const NO_RESTARTS: &str = "[supervisors.root]\nmax_restarts = 0\n";

/// The same node, as a program that has a native counter.
fn with_natives(command: &Command) -> Command {
    let mut native = Command::new(programs::example("native_node"));
    native.args(command.get_args());
    let set = command.get_envs().filter_map(|(name, value)| Some((name, value?)));
    native.envs(set);
    native
}

#[test]
fn a_native_permanent_actor_that_is_given_up_ends_its_node_in_order() {
    let actor =
        "[[actors]]\nname = \"root-of-all\"\nnative = \"counter\"\nrestart = \"permanent\"\narguments = \"u64:0\"\n";
    let mut node = HostNode::start_by("alpha", COOKIE, &format!("{NO_RESTARTS}{actor}"), |command| {
        Process::start("alpha (with natives)", &mut with_natives(&command))
    });
    crash(&node, "root-of-all");
    assert_eq!(node.process().wait_exit().code(), GIVEN_UP);
    let log = node.process().lines(Stream::Stderr).join("\n");
    assert!(log.contains("node is down"), "it stopped in order: {log}");
    let last = log.lines().last().unwrap_or_default();
    assert!(last.starts_with("error: the actor `root-of-all` was given up"), "{log}");
}

/// The hook of std would wait for the reader of stderr, in the thread of the actor.
#[test]
fn a_panic_waits_for_no_reader_of_the_log() {
    let actor = "[[actors]]\nname = \"panicking\"\nnative = \"panicking\"\nessential = true\n";
    let (_reader, stderr) = full_pipe(IfFull::Wait);
    let mut node = HostNode::start_by("alpha", COOKIE, &format!("{NO_RESTARTS}{actor}"), |command| {
        let mut native = with_natives(&command);
        Process::start_as_is("alpha (it panics)", native.stdout(Stdio::piped()).stderr(stderr))
    });
    assert_eq!(node.process().wait_exit().code(), GIVEN_UP);
}

#[test]
fn a_panic_is_a_line_of_the_log() {
    let actor = "[[actors]]\nname = \"panicking\"\nnative = \"panicking\"\n";
    let mut node = HostNode::start_by("alpha", COOKIE, actor, |command| {
        Process::start("alpha (it panics)", &mut with_natives(&command))
    });
    node.process().wait_line(Stream::Stderr, 0, "the panic", |line| {
        line.contains("ERROR ractor_host::ops: panic: on purpose location=\"") && line.contains("native_node.rs:")
    });
}

#[test]
fn an_essential_guest_that_is_given_up_ends_its_node_too() {
    let guest = guest_counter("a-counter", "counters", 0).replace("\"temporary\"", "\"transient\"\nessential = true");
    let mut node = HostNode::start("alpha", &format!("{NO_RESTARTS}{guest}"));
    crash(&node, "a-counter");
    assert_eq!(node.process().wait_exit().code(), GIVEN_UP);
}

#[test]
fn a_guest_that_is_given_up_leaves_its_node_running_and_not_ready() {
    let keys = NodeFolder::new("", "0f1e2d3c4b5a69788796a5b4c3d2e1f0");
    let (key, state) = (keys.path("cookie"), keys.path("state"));
    let control = format!("[control]\nkey_file = {key:?}\n[runtime]\nstate_dir = {state:?}\n{NO_RESTARTS}");
    let guest = guest_counter("a-counter", "counters", 0).replace("temporary", "permanent");
    let mut node = HostNode::start("alpha", &format!("{control}{guest}"));
    let (address, cookie) = (node.address().to_owned(), node.cookie_file());
    let status = || {
        let mut command = programs::ractor_host();
        command
            .args(["status", "--node", &address, "--cookie-file"])
            .arg(&cookie);
        let ended = end("ractor-host status", command.arg("--key-file").arg(&key));
        ended.answer().to_owned()
    };
    assert!(!status().contains("NOT READY"), "{}", status());
    crash(&node, "a-counter");
    let seen = wait::until("the end of the guest", status, |seen| seen.contains("NOT READY"));
    assert!(
        seen.contains("actor a-counter was given up by the supervisor root"),
        "{seen}"
    );
    let log = node.process().lines(Stream::Stderr);
    let said = log
        .iter()
        .filter(|line| line.contains("the node is not ready without it"));
    assert_eq!(said.count(), 1, "{log:?}");
    node.process().signal(ractor_host_tests::process::Signal::TERM);
    assert_eq!(node.process().wait_exit().code(), Some(0));
}

#[track_caller]
fn crash(node: &HostNode, actor: &str) {
    let rest = [actor, "Crash", "str:on purpose"];
    // The node may be gone before it confirms that the cast has arrived.
    drop(message("cast", node.address(), &node.cookie_file(), &rest));
}
