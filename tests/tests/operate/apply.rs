//! A node.toml that is changed while its node runs, and applied.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use ractor_host_tests::cli::{Ended, message};
use ractor_host_tests::host::{HostNode, another_counter, counter_of, guest_counter, node_toml};
use ractor_host_tests::process::{Signal, Stream};
use ractor_host_tests::{programs, wait};
use serde_json::Value;

use crate::operator::{at, command, json, node};

const STATE: &str = "[runtime]\nstate_dir = \"state\"\n";

/// The file of the node has this from now on: `rest` is as for [`HostNode::start`].
#[track_caller]
fn rewrite(node: &HostNode, name: &str, rest: &str) {
    fs::write(node.file("node.toml"), node_toml(name, rest)).expect("its file");
}

#[track_caller]
fn add(node: &HostNode, target: &str, number: &str) -> Ended {
    message(
        "call",
        node.address(),
        &node.cookie_file(),
        &[target, "AddAndGet", number],
    )
}

/// What `apply` says as JSON, whatever it exits with.
#[track_caller]
fn applied(node: &HostNode, words: &[&str], code: i32) -> Value {
    let ended = at(node, &[&["apply", "--output", "json"], words].concat());
    assert_eq!(ended.code, Some(code), "{}{}", ended.stdout, ended.stderr);
    let all: Value = serde_json::from_str(&ended.stdout).expect("JSON");
    all[0].clone()
}

#[track_caller]
fn pid(node: &HostNode, name: &str) -> Option<u64> {
    let actors = json(node, &["ps"]);
    let actors = actors[0]["actors"].as_array().expect("a list");
    let actor = actors.iter().find(|actor| actor["name"] == name)?;
    actor["pid"].as_u64()
}

#[test]
fn actors_come_and_go_while_the_others_lose_no_message() {
    let alpha = node("alpha", "");
    let counter = guest_counter("counter", "counters", 0);
    let before = pid(&alpha, "counter");
    let is_over = AtomicBool::new(false);
    let answered = thread::scope(|scope| {
        let caller = scope.spawn(|| {
            let mut answered = 0_u64;
            while !is_over.load(Ordering::Relaxed) {
                answered += 1;
                assert_eq!(add(&alpha, "counter", "1").answer(), answered.to_string());
            }
            answered
        });
        let other = another_counter("other", "others", 5);
        rewrite(&alpha, "alpha", &format!("\n{STATE}{counter}{other}"));
        let planned = at(&alpha, &["apply", "--dry-run"]);
        let file = alpha.file("node.toml");
        let file = file.file_name().expect("a name").to_str().expect("UTF-8");
        assert!(
            planned.answer().contains("alpha@localhost: would apply"),
            "{}",
            planned.stdout
        );
        assert!(planned.answer().contains(file), "{}", planned.stdout);
        assert!(planned.answer().ends_with("  + actor `other`"), "{}", planned.stdout);
        assert_eq!(pid(&alpha, "other"), None, "only the plan was asked for");

        assert_eq!(applied(&alpha, &[], 0)["outcome"], "applied");
        assert_eq!(add(&alpha, "other", "1").answer(), "6");
        assert_eq!(applied(&alpha, &[], 0)["outcome"], "unchanged");

        rewrite(&alpha, "alpha", &format!("\n{STATE}{counter}"));
        let gone = at(&alpha, &["apply"]);
        assert!(gone.answer().ends_with("  - actor `other`"), "{}", gone.stdout);
        assert_eq!(pid(&alpha, "other"), None);
        assert_eq!(json(&alpha, &["status"])[0]["stopped"], Value::Array(Vec::new()));
        is_over.store(true, Ordering::Relaxed);
        caller.join().expect("every call to be answered, in order")
    });
    assert!(answered > 0);
    assert_eq!(pid(&alpha, "counter"), before, "nobody touched the other one");
}

#[test]
fn an_actor_with_other_arguments_or_limits_starts_anew_with_them() {
    let counter = |start: u64, limits: &str| guest_counter("counter", "counters", start) + limits;
    let alpha = HostNode::start("alpha", &format!("{STATE}{}", counter(0, "")));
    assert_eq!(add(&alpha, "counter", "1").answer(), "1");
    let first = pid(&alpha, "counter");
    rewrite(&alpha, "alpha", &format!("{STATE}{}", counter(40, "")));
    let report = applied(&alpha, &[], 0);
    assert_eq!(
        report["changes"][0]["keys"],
        serde_json::json!(["arguments"]),
        "{report}"
    );
    assert_eq!(add(&alpha, "counter", "1").answer(), "41");
    let second = pid(&alpha, "counter");
    assert_ne!(first, second);

    let limits = "limits = { mailbox_messages = 77 }\n";
    rewrite(&alpha, "alpha", &format!("{STATE}{}", counter(40, limits)));
    assert_eq!(
        applied(&alpha, &[], 0)["changes"][0]["keys"],
        serde_json::json!(["limits"])
    );
    assert_ne!(pid(&alpha, "counter"), second);
    let limits = json(&alpha, &["show", "counter"])[0]["actor"]["limits"].to_string();
    assert!(limits.contains("77"), "{limits}");
    // What is said for all guests at once is in force too, and who has limits of their own keeps them.
    let defaults = "[defaults.limits]\nmailbox_messages = 55\n";
    let other = another_counter("other", "counters", 0);
    let limits = "limits = { mailbox_messages = 77 }\n";
    rewrite(
        &alpha,
        "alpha",
        &format!("{STATE}{}{other}{defaults}", counter(40, limits)),
    );
    let third = pid(&alpha, "counter");
    assert_eq!(applied(&alpha, &[], 0)["changes"].as_array().map(Vec::len), Some(1));
    assert_eq!(pid(&alpha, "counter"), third);
    let limits = json(&alpha, &["show", "other"])[0]["actor"]["limits"].to_string();
    assert!(limits.contains("55"), "{limits}");
}

#[test]
fn a_file_with_a_mistake_changes_nothing() {
    let alpha = node("alpha", "");
    let before = pid(&alpha, "counter");
    let counter = guest_counter("counter", "counters", 9);
    // A part of it is good, and a part is wrong in a way that only the module can tell.
    let other = another_counter("other", "counters", 0).replace("u64:0", "str:many");
    rewrite(&alpha, "alpha", &format!("{STATE}{counter}{other}"));
    let report = applied(&alpha, &[], 2);
    assert_eq!(report["outcome"], "wrong-file");
    let reason = report["reasons"][0].as_str().expect("a reason");
    assert!(
        reason.contains("actor `other` starts with a value of type u64"),
        "{reason}"
    );
    assert!(reason.contains("node.toml:"), "{reason}");
    assert_eq!((pid(&alpha, "counter"), pid(&alpha, "other")), (before, None));

    rewrite(&alpha, "alpha", &format!("lisen = 1\n{STATE}{counter}"));
    let ended = at(&alpha, &["apply"]);
    assert_eq!(ended.code, Some(2));
    assert!(ended.stderr.contains("did you mean `listen`?"), "{}", ended.stderr);
    assert_eq!(add(&alpha, "counter", "1").answer(), "1");
}

#[test]
fn what_fails_on_its_way_is_taken_back() {
    // There is room for one guest, and only the start of the second finds that out.
    let room = |guests: u32| format!("{STATE}max_guests = {guests}\n");
    let counter = |start: u64| guest_counter("counter", "counters", start);
    let alpha = HostNode::start("alpha", &format!("{}{}", room(1), counter(0)));
    assert_eq!(add(&alpha, "counter", "1").answer(), "1");
    let greeter = programs::guest("greeter");
    let broken = another_counter("broken", "counters", 0);
    let broken = format!("[modules.greeter]\npath = {greeter:?}\n{broken}");
    rewrite(&alpha, "alpha", &format!("{}{}{broken}", room(2), counter(70)));
    let report = applied(&alpha, &[], 1);
    assert_eq!(report["outcome"], "taken-back", "{report}");
    let reason = report["reasons"][0].as_str().expect("a reason");
    assert!(reason.contains("`broken` does not start"), "{reason}");
    assert_eq!(pid(&alpha, "broken"), None);
    let modules = json(&alpha, &["status"])[0]["modules"].as_array().map(Vec::len);
    assert_eq!(modules, Some(1));
    // The counter had started anew with its new arguments, and has the old ones again.
    assert_eq!(add(&alpha, "counter", "1").answer(), "1");
}

#[test]
fn what_only_a_start_can_change_is_named_and_the_rest_is_done() {
    let alpha = node("alpha", "");
    let counter = guest_counter("counter", "counters", 0);
    let other = another_counter("other", "counters", 0);
    rewrite(
        &alpha,
        "alpha",
        &format!("stock_peers = false\n{STATE}max_guests = 2000\n[supervisors.pair]\n{counter}{other}"),
    );
    let report = applied(&alpha, &[], 5);
    let keys = report["needs_restart"].as_array().expect("a list").iter();
    let keys: Vec<_> = keys.map(|needed| needed["key"].as_str().unwrap_or_default()).collect();
    assert_eq!(keys, ["node.stock_peers", "runtime.max_guests", "supervisors"]);
    assert_eq!(add(&alpha, "other", "1").answer(), "1");
    // It is still true at the next time, and nothing else is to be done.
    let again = applied(&alpha, &[], 5);
    assert_eq!(again["outcome"], "unchanged");
    assert_eq!(again["needs_restart"].as_array().map(Vec::len), Some(3));
}

#[test]
fn modules_come_go_and_are_exchanged_and_their_actors_keep_their_state() {
    let path = |name: &str| programs::guest(name);
    let alpha = HostNode::start(
        "alpha",
        &format!("{STATE}{}", counter_of(&path("tally"), "counter", "c", 0)),
    );
    let copy = alpha.file("copy.wasm");
    fs::copy(path("tally_next"), &copy).expect("a copy");
    let pid_before = pid(&alpha, "counter");
    rewrite(
        &alpha,
        "alpha",
        &format!("{STATE}{}", counter_of(&copy, "counter", "c", 0)),
    );
    let report = applied(&alpha, &[], 0);
    assert_eq!(report["changes"][0]["of"], "module", "{report}");
    assert_eq!(report["changes"][0]["keys"], serde_json::json!(["path"]), "{report}");
    assert_eq!(pid(&alpha, "counter"), pid_before, "it goes on with its state");
    let greeter = path("greeter");
    rewrite(
        &alpha,
        "alpha",
        &format!(
            "{STATE}{}[modules.greeter]\npath = {greeter:?}\n",
            counter_of(&copy, "counter", "c", 0)
        ),
    );
    assert_eq!(applied(&alpha, &[], 0)["changes"][0]["action"], "add");
    let modules = |alpha: &HostNode| json(alpha, &["status"])[0]["modules"].as_array().map(Vec::len);
    assert_eq!(modules(&alpha), Some(2));
    rewrite(
        &alpha,
        "alpha",
        &format!("{STATE}{}", counter_of(&copy, "counter", "c", 0)),
    );
    assert_eq!(applied(&alpha, &[], 0)["changes"][0]["action"], "remove");
    assert_eq!(modules(&alpha), Some(1));
}

#[test]
fn a_hangup_applies_the_file_and_says_so_in_the_log() {
    let counter = guest_counter("counter", "counters", 0);
    let mut alpha = HostNode::start("alpha", &format!("{STATE}{counter}"));
    let beta = HostNode::start("beta", "");
    let listens = beta.address();
    rewrite(&alpha, "alpha", &format!("peers = [{listens:?}]\n{STATE}{counter}"));
    alpha.process().signal(Signal::HUP);
    alpha
        .process()
        .wait_line(Stream::Stderr, 0, "that it is applied", |line| {
            line.contains("node.toml is applied")
        });
    let sessions = || json(&alpha, &["nodes"])[0]["links"].to_string();
    wait::until("a session with the new peer", sessions, |links| {
        links.contains("beta@localhost")
    });

    rewrite(&alpha, "alpha", &format!("peers = [\n{STATE}{counter}"));
    alpha.process().signal(Signal::HUP);
    alpha.process().wait_line(Stream::Stderr, 0, "what is wrong", |line| {
        line.contains("the file is wrong")
    });
    assert_eq!(add(&alpha, "counter", "1").answer(), "1", "it goes on");
}

#[test]
fn an_actor_that_an_operator_has_stopped_stays_so() {
    let alpha = node("alpha", "");
    assert_eq!(at(&alpha, &["stop", "counter"]).code, Some(0));
    rewrite(
        &alpha,
        "alpha",
        &format!("{STATE}{}", guest_counter("counter", "counters", 30)),
    );
    assert_eq!(applied(&alpha, &[], 0)["outcome"], "applied");
    assert_eq!(pid(&alpha, "counter"), None);
    assert_eq!(json(&alpha, &["status"])[0]["stopped"][0]["name"], "counter");
    assert_eq!(at(&alpha, &["start", "counter"]).code, Some(0));
    assert_eq!(add(&alpha, "counter", "1").answer(), "31");
    let none = command(&alpha.file(""), &["apply", "--request", "0123456789abcdef"])
        .output()
        .expect("output");
    assert_eq!(none.status.code(), Some(1));
}

#[test]
fn a_module_becomes_another_actor_when_those_that_ran_it_are_gone() {
    let room = |guests: u32| format!("{STATE}max_guests = {guests}\n");
    let alpha = HostNode::start(
        "alpha",
        &format!("{}{}", room(1), guest_counter("counter", "counters", 0)),
    );
    let digest = || json(&alpha, &["status"])[0]["modules"][0]["digest"].to_string();
    let counter = digest();
    let greeter = |count: u32| {
        let path = programs::guest("greeter");
        let actor = format!("[[actors]]\nname = \"greeter\"\nmodule = \"counter\"\ncount = {count}\n");
        format!("{}[modules.counter]\npath = {path:?}\n{actor}", room(2))
    };
    // There is room for one of them, and the start of the second finds that out.
    rewrite(&alpha, "alpha", &greeter(2));
    let report = applied(&alpha, &[], 1);
    assert_eq!(report["outcome"], "taken-back", "{report}");
    assert_eq!(digest(), counter);
    assert_eq!(add(&alpha, "counter", "1").answer(), "1");
    rewrite(&alpha, "alpha", &greeter(1));
    // The room is what waits for the next start.
    let report = applied(&alpha, &[], 5);
    assert_eq!(report["outcome"], "applied", "{report}");
    assert_eq!(pid(&alpha, "counter"), None);
    assert!(pid(&alpha, "greeter").is_some());
    assert_ne!(digest(), counter);
}

#[test]
fn guests_that_are_started_later_go_by_the_file_that_was_applied() {
    let counters = guest_counter("counter", "counters", 0);
    let other = another_counter("other", "counters", 0);
    let alpha = HostNode::start("alpha", &format!("{STATE}{counters}{other}"));
    let spawn = || at(&alpha, &["spawn", "counter", "other", "u64:0"]);
    assert_ne!(spawn().code, Some(0), "it is the name of an actor");
    rewrite(
        &alpha,
        "alpha",
        &format!("{STATE}{counters}[defaults.limits]\nmailbox_messages = 77\n"),
    );
    assert_eq!(applied(&alpha, &[], 0)["outcome"], "applied");
    let started = spawn();
    assert_eq!(started.code, Some(0), "{}", started.stderr);
    let shown = json(&alpha, &["show", "other"]).to_string();
    assert!(shown.contains("77"), "{shown}");
}
