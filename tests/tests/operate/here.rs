//! Messages of an operator on the node's own machine, who types no address and no cookie.

use std::fs;
use std::path::Path;

use ractor_host_tests::cli::{Ended, end};
use ractor_host_tests::host::{HostNode, NodeFolder, another_counter, guest_counter, node_toml, run};
use ractor_host_tests::process::{Process, Signal, Stream};
use ractor_host_tests::{COOKIE, programs, wait};

use crate::operator::{at, command, in_folder, node};

#[test]
fn an_actor_is_called_and_cast_to_with_its_name_alone() {
    let alpha = node("alpha", "");
    assert_eq!(at(&alpha, &["call", "counter", "Get"]).answer(), "0");
    assert_eq!(at(&alpha, &["cast", "counter", "Add", "5"]).answer(), "");
    assert_eq!(
        at(&alpha, &["call", "group:counters", "AddAndGet", "u64:2"]).answer(),
        "7"
    );
    let bytes = at(&alpha, &["call", "counter", "Get", "--reply", "bytes"]);
    assert_eq!(bytes.answer(), "0000000000000007");
    assert!(
        at(&alpha, &["describe", "counter"])
            .answer()
            .contains("call AddAndGet(u64) -> u64")
    );
    let client = at(&alpha, &["bindgen", "--lang", "python", "-f", "node.toml", "counter"]);
    assert!(client.answer().contains("def add_and_get"), "{}", client.stdout);
    let elsewhere = tempfile::tempdir().expect("a folder");
    let toml = alpha.file("node.toml").display().to_string();
    assert_eq!(
        in_folder(elsewhere.path(), &["call", "-f", &toml, "counter", "Get"]).answer(),
        "7"
    );
    // An actor of another node is one hop further, and its pid says nothing here.
    let beta = HostNode::start(
        "beta",
        &format!(
            "peers = [{:?}]\n{}",
            alpha.address(),
            guest_counter("other", "others", 3)
        ),
    );
    wait::until(
        "the other node's actor to be known",
        || at(&alpha, &["call", "group:others", "Get"]).code,
        |code| *code == Some(0),
    );
    assert_eq!(at(&alpha, &["call", "group:others", "Get"]).answer(), "3");
    assert_eq!(at(&alpha, &["call", "other@beta@localhost", "Get"]).answer(), "3");
    drop(beta);
}

#[test]
fn all_members_of_a_group_are_cast_to() {
    let alpha = node("alpha", &another_counter("second", "counters", 0));
    at(&alpha, &["cast", "group:counters", "Add", "1", "--all"]).answer();
    at(&alpha, &["cast", "group:counters", "Add", "1"]).answer();
    let count = |name| -> u64 {
        let said = at(&alpha, &["call", name, "Get"]);
        said.answer().parse().expect("a number")
    };
    let counts = || [count("counter"), count("second")];
    let seen = wait::until("both casts", counts, |[a, b]| a + b == 3);
    assert!(seen.iter().all(|count| *count >= 1), "{seen:?}");
}

#[test]
fn mistakes_are_explained() {
    let alpha = node("alpha", "");
    let lines = [
        (&["call", "countr", "Get"][..], 1, "did you mean `counter`"),
        (&["call", "counter", "Gett"], 1, "did you mean `Get`?"),
        (&["call", "counter", "Add", "5"], 1, "send it with `ractor-host cast`"),
        (&["cast", "counter", "Get"], 1, "send it with `ractor-host call`"),
        (&["cast", "counter", "Add", "many"], 1, "is not a value of type u64"),
        (
            &["call", "group:nobody", "Get"],
            1,
            "has no members that this node knows",
        ),
        (&["call", "entity:cart/1", "Get"], 1, "no entities of the type \"cart\""),
        (&["call", "pid:1", "Get"], 1, "no actor with pid 1"),
        (
            &["call", "--node", "127.0.0.1:1", "counter", "Get"],
            2,
            "needs the cookie",
        ),
        (
            &["call", "--node", "127.0.0.1:1,127.0.0.1:2", "counter", "Get"],
            2,
            "a message goes to one node",
        ),
    ];
    for (words, code, text) in lines {
        let ended = at(&alpha, words);
        assert_eq!(ended.code, Some(code), "{words:?}: {}", ended.stderr);
        assert!(ended.stderr.contains(text), "{words:?}: {}", ended.stderr);
    }
    let nowhere = tempfile::tempdir().expect("a folder");
    let ended = in_folder(nowhere.path(), &["call", "counter", "Get"]);
    assert_eq!(ended.code, Some(2));
    assert!(
        ended.stderr.contains("there is no node.toml in this folder"),
        "{}",
        ended.stderr
    );
}

#[test]
fn the_reason_of_an_actor_that_fails_a_call_is_said() {
    let parity = programs::guest("parity");
    let picky = "[[actors]]\nname = \"picky\"\nmodule = \"parity\"\narguments = \"str:hello\"";
    let alpha = node("alpha", &format!("[modules.parity]\npath = {parity:?}\n{picky}"));
    let refused = at(&alpha, &["call", "picky", "Refuse", "no such row"]);
    assert_eq!(refused.code, Some(4), "{refused:?}");
    assert_eq!(
        refused.stderr.lines().last(),
        Some("error: picky failed the call: no such row")
    );
}

#[test]
fn a_message_that_is_larger_than_an_upload_passes() {
    let alpha = node("alpha", "");
    fs::write(alpha.file("large"), vec![0; 10 << 20]).expect("a file");
    // It is no number, and the actor says so: it was there.
    let refused = at(&alpha, &["call", "counter", "AddAndGet", "bytes:@large"]);
    assert_eq!(refused.code, Some(4), "{}", refused.stderr);
    assert!(refused.stderr.contains("don't decode"), "{}", refused.stderr);
}

/// A node without a folder for states, in an environment without one for the user's session.
fn homeless(file: &Path) -> Process {
    let mut command = run(file);
    Process::start("homeless", command.env_remove("XDG_RUNTIME_DIR"))
}

#[test]
fn a_node_without_a_folder_of_its_own_is_found_too_and_leaves_nothing() {
    let toml = node_toml("homeless", &guest_counter("counter", "counters", 4));
    let folder = NodeFolder::new(&toml, COOKIE);
    let file = folder.path("node.toml");
    let mut process = homeless(&file);
    let is_said = |line: &str| line.contains("commands on this machine reach the node here");
    let (_, said) = process.wait_line(Stream::Stderr, 0, "its socket", is_said);
    let (_, path) = said.split_once("path=").expect("a path");
    let socket = Path::new(path.trim()).to_owned();
    assert!(socket.exists(), "{}", socket.display());
    let get = || -> Ended {
        let mut get = command(&folder.path(""), &["call", "counter", "Get"]);
        end("ractor-host call", get.env_remove("XDG_RUNTIME_DIR"))
    };
    wait::until("the actor", || get().stdout, |said| said.trim() == "4");
    process.signal(Signal::TERM);
    process.wait_exit();
    assert!(!socket.exists() && !socket.with_extension("lock").exists());
}
