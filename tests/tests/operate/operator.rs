//! Somebody at the machine of a node, and the nodes that they look at.

use std::path::Path;
use std::process::Command;

use ractor_host_tests::cli::{Ended, end};
use ractor_host_tests::host::{HostNode, guest_counter};
use ractor_host_tests::programs;
use serde_json::Value;

/// A node with its state in its own folder, and a guest `counter` that is in the group `counters`.
#[track_caller]
pub(crate) fn node(name: &str, more: &str) -> HostNode {
    let counter = guest_counter("counter", "counters", 0);
    HostNode::start(name, &format!("{more}\n[runtime]\nstate_dir = \"state\"\n{counter}"))
}

/// Runs a command in the folder of the node.
#[track_caller]
pub(crate) fn at(node: &HostNode, words: &[&str]) -> Ended {
    in_folder(&node.file(""), words)
}

#[track_caller]
pub(crate) fn in_folder(folder: &Path, words: &[&str]) -> Ended {
    end(&format!("ractor-host {}", words.join(" ")), &mut command(folder, words))
}

/// A command in this folder, without what the environment of the tests may say of nodes.
pub(crate) fn command(folder: &Path, words: &[&str]) -> Command {
    let mut command = programs::ractor_host();
    command.current_dir(folder).args(words);
    for variable in ["RACTOR_HOST_NODE", "RACTOR_HOST_COOKIE_FILE", "RACTOR_HOST_KEY_FILE"] {
        command.env_remove(variable);
    }
    command
}

/// What a command prints with `--output json`.
#[track_caller]
pub(crate) fn json(node: &HostNode, words: &[&str]) -> Value {
    let words = [words, &["--output", "json"]].concat();
    let ended = at(node, &words);
    match serde_json::from_str(ended.answer()) {
        Ok(value) => value,
        Err(error) => panic!("{words:?} printed no JSON ({error}): {}", ended.stdout),
    }
}
