//! `checkpoints` and `spawn`: an actor goes back to a state that was kept, and others are started besides those of node.toml.
#![cfg(target_os = "linux")]

use ractor_host_tests::cli::message;
use ractor_host_tests::host::HostNode;
use ractor_host_tests::{programs, wait};

use crate::operator::{at, json};

fn keeper(keep: u32) -> HostNode {
    let path = programs::guest("kitchen_rs");
    let text = format!(
        "[runtime]\nstate_dir = \"state\"\n[modules.kitchen]\npath = {path:?}\n[[actors]]\nname = \"one\"\nmodule = \"kitchen\"\n\
         arguments = \"str:\"\ncheckpoint = {{ every = \"50ms\", keep = {keep} }}\n[[actors]]\nname = \"other\"\nmodule = \"kitchen\"\n\
         arguments = \"str:\"\n"
    );
    HostNode::start("alpha", &text)
}

fn get(node: &HostNode, actor: &str) -> u64 {
    let got = message("call", node.address(), &node.cookie_file(), &[actor, "Get"]);
    got.answer().trim().parse().expect("a number")
}

/// Adds to the count, and waits until that is kept. Gives the number of the checkpoint.
fn add(node: &HostNode, n: &str) -> u64 {
    let newest = || numbers(node).first().copied();
    // Only states that differ are kept. So what comes after the state before has this in it, and not what the actor started with.
    let before = wait::until("a checkpoint of the state before", newest, Option::is_some);
    message("cast", node.address(), &node.cookie_file(), &["one", "Add", n]).answer();
    let kept = wait::until("a checkpoint of the new state", newest, |now| *now > before);
    kept.expect("a checkpoint")
}

/// The numbers of the checkpoints, the newest first.
fn numbers(node: &HostNode) -> Vec<u64> {
    let listed = json(node, &["checkpoints", "one"]);
    let kept = listed[0]["checkpoints"].as_array().expect("checkpoints");
    kept.iter()
        .map(|kept| kept["number"].as_u64().expect("a number"))
        .collect()
}

#[test]
fn an_actor_goes_back_to_a_kept_state_and_forward_again() {
    let alpha = keeper(10);
    let first = add(&alpha, "5");
    add(&alpha, "2");
    assert_eq!(get(&alpha, "one"), 7);
    let listed = at(&alpha, &["checkpoints", "one"]);
    assert!(listed.answer().contains("STATE VERSION"), "{}", listed.stdout);
    let back = json(&alpha, &["checkpoints", "one", "--back", &first.to_string()]);
    assert_eq!((&back["to"]["number"], &back["kept"]), (&first.into(), &true.into()));
    assert_eq!(get(&alpha, "one"), 5);
    // The newest that it does not know now is what it had been.
    let forward = at(&alpha, &["checkpoints", "one", "--back"]);
    assert!(
        forward
            .answer()
            .contains("one@alpha@localhost: went back to checkpoint"),
        "{}",
        forward.stdout
    );
    assert_eq!(get(&alpha, "one"), 7);
    // And it is where it is after a failure, too.
    assert_eq!(at(&alpha, &["restart", "one"]).code, Some(0));
    assert_eq!(get(&alpha, "one"), 7);
}

#[test]
fn an_actor_that_cannot_go_back_stays_as_it_is() {
    let alpha = keeper(3);
    add(&alpha, "5");
    for (words, says) in [
        (
            &["checkpoints", "one", "--back", "999"][..],
            "there is no such checkpoint",
        ),
        (&["checkpoints", "other", "--back"], "its state is not kept"),
        (&["checkpoints", "oen"], "did you mean `one`?"),
    ] {
        let refused = at(&alpha, words);
        assert_eq!(refused.code, Some(1), "{words:?}");
        assert!(refused.stderr.contains(says), "{}", refused.stderr);
    }
    assert_eq!(get(&alpha, "one"), 5);
    let none = at(&alpha, &["checkpoints", "other"]);
    assert!(
        none.answer().contains("other@alpha@localhost has no checkpoints"),
        "{}",
        none.stdout
    );
    let shown = json(&alpha, &["show", "one"]);
    let kept = shown[0]["actor"]["checkpoints"].as_array().expect("checkpoints");
    assert!(!kept.is_empty(), "{shown}");
}

#[test]
fn an_operator_starts_another_guest_until_the_node_stops() {
    let alpha = keeper(3);
    let started = at(&alpha, &["spawn", "kitchen", "third", "hello", "--group", "cooks"]);
    assert!(
        started.answer().contains("third@alpha@localhost: started with pid "),
        "{}",
        started.stdout
    );
    let note = message("call", alpha.address(), &alpha.cookie_file(), &["third", "GetNote"]);
    assert_eq!(note.answer().trim(), "hello");
    let listed = json(&alpha, &["ps", "--filter", "cooks"]);
    assert_eq!(listed[0]["actors"][0]["name"], "third", "{listed}");
    // It fails, and goes on as those of node.toml do.
    message("cast", alpha.address(), &alpha.cookie_file(), &["third", "Trap"]).answer();
    wait::until("it to go on", || get_code(&alpha, "third"), |code| *code == Some(0));
    for (words, says) in [
        (&["spawn", "kitchen", "third", "str:"][..], "`third` does not start"),
        (
            &["spawn", "kitchen", "one", "str:"],
            "is the name of an actor of node.toml",
        ),
        (&["spawn", "kichten", "fourth", "str:"], "did you mean `kitchen`?"),
        (&["spawn", "kitchen", "fourth", "str:fail:no soup"], "no soup"),
        (
            &["spawn", "kitchen", "fourth", "a", "b"],
            "a guest starts with one argument",
        ),
    ] {
        let refused = at(&alpha, words);
        assert_eq!(refused.code, Some(1), "{words:?}: {}", refused.stdout);
        assert!(refused.stderr.contains(says), "{words:?}: {}", refused.stderr);
    }
    assert_eq!(at(&alpha, &["stop", "third"]).code, Some(0));
    wait::until("it to be gone", || get_code(&alpha, "third"), |code| *code != Some(0));
}

fn get_code(node: &HostNode, actor: &str) -> Option<i32> {
    message("call", node.address(), &node.cookie_file(), &[actor, "Get"]).code
}
