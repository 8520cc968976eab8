//! What a cluster does when something breaks: nodes that die, freeze and return, networks that lose and delay, messages
//! that are too large or too many, strangers that talk nonsense. Real processes, and a proxy as the bad network.
#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test says that it failed by panicking"
)]

mod calls;
mod crashes;
mod crowds;
mod floods;
mod freezes;
mod impostors;
mod names;
mod networks;
mod partitions;
mod sizes;
mod strangers;

use std::process::Command;

use ractor_host_tests::peer::Peer;
use ractor_host_tests::process::Stream;
use ractor_host_tests::{COOKIE, wait};

/// Starts the fault tests' own node. Its options are listed in `tests/test-node/options.rs`, its commands in
/// `tests/test-node/commands.rs`.
#[track_caller]
fn node(name: &str, options: &[&str]) -> Peer {
    let mut command = Command::new(env!("CARGO_BIN_EXE_test-node"));
    command.args(["--name", name, "--cookie", COOKIE]).args(options);
    Peer::start_program(&format!("{name} (test-node)"), &mut command)
}

/// Waits until a node's log has a line with this text.
#[track_caller]
fn wait_log(node: &mut Peer, text: &str) {
    let what = format!("{text:?} in the log");
    node.process()
        .wait_line(Stream::Stderr, 0, &what, |line| line.contains(text));
}

/// How many lines of a node's log have this text.
fn logged(node: &mut Peer, text: &str) -> usize {
    let lines = node.process().lines(Stream::Stderr);
    lines.iter().filter(|line| line.contains(text)).count()
}

/// Waits until this many lines of a node's log have this text; more are too many.
#[track_caller]
fn wait_logged(node: &mut Peer, text: &str, lines: usize) {
    let what = format!("{lines} lines with {text:?} in the log");
    let seen = wait::until(&what, || logged(node, text), |seen| *seen >= lines);
    assert_eq!(seen, lines, "lines with {text:?}");
}

/// The place of an event among those that a node reported.
#[track_caller]
fn place_of(events: &[String], event: &str, from: usize) -> usize {
    match events.iter().skip(from).position(|seen| seen == event) {
        Some(place) => from + place,
        None => panic!("no {event:?} from {from} on in {events:?}"),
    }
}
