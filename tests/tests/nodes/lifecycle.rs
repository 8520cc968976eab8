//! `ractor-host run` and `check`: what is accepted, what is said, how it ends.

use std::net::TcpStream;

use ractor_host_tests::host::{HostNode, NodeFolder, guest_counter, node_toml, run};
use ractor_host_tests::process::Signal;
use ractor_host_tests::{COOKIE, cli};

/// The exit code for a wrong file or a wrong command line.
const USAGE: Option<i32> = Some(2);

#[test]
fn a_ready_node_says_its_name_and_listens_where_it_says() {
    let node = HostNode::start("alpha", "");
    assert_eq!(node.name(), "alpha@localhost");
    TcpStream::connect(node.address()).expect("the address of the ready line accepts connections");
}

#[test]
fn stdout_has_the_ready_line_and_nothing_else() {
    let mut node = HostNode::start("alpha", &guest_counter("quiet-counter", "counters", 0));
    node.process().signal(Signal::TERM);
    node.process().wait_exit();
    let lines = node.process().lines(ractor_host_tests::process::Stream::Stdout);
    assert_eq!(lines.len(), 1, "{lines:?}");
}

#[test]
fn sigterm_ends_a_node_gracefully() {
    ends_gracefully(Signal::TERM);
}

#[test]
fn sigint_ends_a_node_gracefully() {
    ends_gracefully(Signal::INT);
}

fn ends_gracefully(signal: Signal) {
    let mut node = HostNode::start("alpha", &guest_counter("a-counter", "counters", 0));
    node.process().signal(signal);
    assert_eq!(node.process().wait_exit().code(), Some(0));
}

#[test]
fn check_accepts_a_right_file() {
    let folder = NodeFolder::new(&node_toml("alpha", &guest_counter("a-counter", "counters", 5)), COOKIE);
    let checked = check(&folder);
    assert_eq!(checked.code, Some(0), "{checked:?}");
}

#[test]
fn an_unknown_key_is_an_error_with_its_place_and_the_nearest_right_name() {
    let folder = NodeFolder::new(&node_toml("alpha", "pears = [\"127.0.0.1:4698\"]\n"), COOKIE);
    is_refused(&folder, &["node.toml:5:1", "pears", "peers"]);
}

#[test]
fn a_value_of_the_wrong_type_is_an_error_with_its_place() {
    let folder = NodeFolder::new("[node]\nname = 7\ncookie_file = \"cookie\"\n", COOKIE);
    is_refused(&folder, &["node.toml:2:8", "string"]);
}

#[test]
fn what_is_not_toml_is_an_error_with_its_place() {
    let folder = NodeFolder::new("[node]\nname = \"alpha\nlisten = \"127.0.0.1:0\"\n", COOKIE);
    is_refused(&folder, &["node.toml:2:"]);
}

#[test]
fn an_actor_of_an_unknown_module_is_an_error_with_the_nearest_right_name() {
    let actors = guest_counter("a-counter", "counters", 0).replace("module = \"counter\"", "module = \"countr\"");
    let folder = NodeFolder::new(&node_toml("alpha", &actors), COOKIE);
    is_refused(&folder, &["node.toml:", "countr", "counter"]);
}

#[test]
fn a_digest_that_does_not_match_stops_the_start_before_anything_runs() {
    let digest = format!("digest = \"sha256:{}\"\n\n[[actors]]", "0".repeat(64));
    let actors = guest_counter("a-counter", "counters", 0).replace("[[actors]]", &digest);
    let folder = NodeFolder::new(&node_toml("alpha", &actors), COOKIE);
    let ended = cli::end(
        "ractor-host run with a wrong digest",
        &mut run(&folder.path("node.toml")),
    );
    assert_ne!(ended.code, Some(0), "{ended:?}");
    assert!(ended.stderr.contains("digest"), "{}", ended.stderr);
    assert!(!ended.stdout.contains("ready"), "{}", ended.stdout);
}

#[test]
fn a_missing_file_is_an_error_that_names_it() {
    let ended = cli::ractor_host(&["run", "no-such-node.toml"]);
    assert_eq!(ended.code, USAGE, "{ended:?}");
    assert!(ended.stderr.contains("no-such-node.toml"), "{}", ended.stderr);
}

/// `check` and `run` say the same, and neither starts anything.
#[track_caller]
fn is_refused(folder: &NodeFolder, said: &[&str]) {
    let ran = cli::end("ractor-host run with a wrong file", &mut run(&folder.path("node.toml")));
    for ended in [check(folder), ran] {
        assert_eq!(ended.code, USAGE, "{ended:?}");
        for text in said {
            assert!(ended.stderr.contains(text), "{text:?} isn't in:\n{}", ended.stderr);
        }
        assert_eq!(ended.stdout, "");
    }
}

#[track_caller]
fn check(folder: &NodeFolder) -> cli::Ended {
    let file = folder.path("node.toml");
    cli::ractor_host(&["check", file.to_str().expect("a temporary path is text")])
}
