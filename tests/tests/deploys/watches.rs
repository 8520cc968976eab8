//! `watch = true`: the file changes, and the actors with it.

use std::time::Duration;

use ractor_host_tests::host::HostNode;
use ractor_host_tests::process::Stream;

use crate::lab::Lab;
use crate::versions::{Fail, failing, padded, version};

fn watching(lab: &Lab) -> HostNode {
    lab.write("alpha.wasm", &version(1));
    let node = HostNode::start("alpha", &lab.toml("alpha", &[], "watch = true", ""));
    lab.add(&node, 5);
    lab.wait_for(&node, "get", 5);
    node
}

#[test]
fn a_file_that_changes_is_reloaded_with_the_state() {
    let lab = Lab::new();
    let mut node = watching(&lab);
    lab.write("alpha.wasm", &version(2));
    lab.wait_for(&node, "version", 2);
    // As most tools do it: a new file takes the place of the old one.
    lab.write("other.wasm", &version(3));
    std::fs::rename(lab.path("other.wasm"), lab.path("alpha.wasm")).expect("a file");
    lab.wait_for(&node, "version", 3);
    assert_eq!(lab.ask(&node, "get"), 5);
    let lines = node.process().lines(Stream::Stderr);
    assert_eq!(
        lines.iter().filter(|line| line.contains("module reloaded")).count(),
        2,
        "one line each: {lines:?}"
    );
}

#[test]
fn a_file_that_is_half_written_is_not_touched() {
    let lab = Lab::new();
    let mut node = watching(&lab);
    let bytes = padded(&version(2), 1 << 20, 3);
    for quarter in 1..=3 {
        lab.write("alpha.wasm", &bytes[..bytes.len() * quarter / 4]);
        // Longer than a file has to be at rest.
        std::thread::sleep(Duration::from_millis(600));
    }
    assert_eq!(lab.ask(&node, "version"), 1);
    lab.write("alpha.wasm", &bytes);
    lab.wait_for(&node, "version", 2);
    let log = node.process().lines(Stream::Stderr).join("\n");
    assert!(!log.contains("ERROR"), "{log}");
}

#[test]
fn a_version_that_fails_is_logged_and_the_old_one_goes_on() {
    let lab = Lab::new();
    let mut node = watching(&lab);
    lab.write("alpha.wasm", &failing(2, Fail::Restore));
    let is_told = |line: &str| line.contains("the reload failed") && line.contains("restore");
    node.process().wait_line(Stream::Stderr, 0, "the failure", is_told);
    assert_eq!((lab.ask(&node, "version"), lab.ask(&node, "get")), (1, 5));
    lab.write("alpha.wasm", &failing(3, Fail::Snapshot));
    lab.wait_for(&node, "version", 3);
}
