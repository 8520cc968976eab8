//! `trace`: an operator sees what passes an actor, no more of it than they asked for, and nobody else pays.
#![cfg(target_os = "linux")]

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use ractor_host_tests::cli::message;
use ractor_host_tests::host::HostNode;
use ractor_host_tests::process::{Process, Signal, Stream};
use ractor_host_tests::programs;
use serde_json::{Value, json};

use crate::operator::{at, command};

fn kitchens(name: &str, more: &str) -> HostNode {
    let path = programs::guest("kitchen_rs");
    let entry = |name: &str| {
        format!(
            "[[actors]]\nname = \"{name}\"\nmodule = \"kitchen\"\narguments = \"str:a note\"\ngroups = [\"cooks\"]\n\
             capabilities = {{ messages = [\"*\"] }}\n"
        )
    };
    let text = format!(
        "{more}[runtime]\nstate_dir = \"state\"\n[modules.kitchen]\npath = {path:?}\n{}{}",
        entry("one"),
        entry("other")
    );
    HostNode::start(name, &text)
}

fn call(node: &HostNode, words: &[&str]) {
    message("call", node.address(), &node.cookie_file(), words).answer();
}

fn cast(node: &HostNode, words: &[&str]) {
    message("cast", node.address(), &node.cookie_file(), words).answer();
}

/// A trace that has begun.
fn begin(node: &HostNode, words: &[&str]) -> Process {
    let words = [&["trace"], words].concat();
    let mut command = command(&node.file(""), &words);
    let mut trace = Process::start(&format!("ractor-host {}", words.join(" ")), &mut command);
    trace.wait_line(Stream::Stderr, 0, "that it traces", |line| line.contains("tracing "));
    trace
}

/// What a trace with `--output json` has told, to its end.
fn told(mut trace: Process) -> Vec<Value> {
    assert_eq!(trace.wait_exit().code(), Some(0));
    let lines = trace.lines(Stream::Stdout);
    let entries = lines
        .iter()
        .map(|line| serde_json::from_str(line).expect("a line of JSON"));
    entries.collect()
}

fn of<'e>(entries: &'e [Value], event: &str, message: &str) -> &'e Value {
    let found = entries
        .iter()
        .find(|entry| entry["event"] == event && entry["message"] == message);
    found.unwrap_or_else(|| panic!("no {event} of {message} in {entries:#?}"))
}

#[test]
fn messages_in_and_out_are_shown_with_what_is_in_them_and_who_sends_them() {
    let alpha = kitchens("alpha", "");
    // got cast, handled; got call, sent call, got reply, handled, replied.
    let one = begin(&alpha, &["one", "--count", "7", "--output", "json"]);
    // got call, handled, replied: of `Get`, which one sends.
    let other = begin(&alpha, &["other", "--count", "3", "--output", "json"]);
    cast(&alpha, &["one", "Add", "5"]);
    call(&alpha, &["one", "CallOther", "other", "get", "5000"]);
    let one = told(one);
    let add = of(&one, "cast-in", "Add");
    assert_eq!((&add["actor"], &add["values"]), (&json!("one"), &json!([5])));
    assert_eq!((&add["bytes"], &add["node"]), (&json!(16), &json!("alpha@localhost")));
    assert!(
        add["peer"].as_str().expect("a node").contains('@'),
        "it came from another node: {add}"
    );
    assert!(of(&one, "handled", "Add")["took_us"].is_u64());
    let asked = of(&one, "call-in", "CallOther");
    assert_eq!(asked["values"], json!(["other", "get", 5000]));
    let sent = of(&one, "call-out", "Get");
    assert_eq!((&sent["peer"], &sent["values"]), (&json!("other"), &json!([])));
    let got = of(&one, "reply-in", "Get");
    assert_eq!((&got["values"], &got["peer"]), (&json!(0), &json!("other")));
    let replied = of(&one, "reply-out", "CallOther");
    assert_eq!((&replied["values"], &replied["call"]), (&json!("ok:0"), &asked["call"]));
    assert_eq!(one.last().expect("an end")["ended"], "count");
    let other = told(other);
    assert_eq!(
        of(&other, "call-in", "Get")["peer"],
        "one",
        "the guest that asked is known"
    );
}

#[test]
fn outcomes_that_are_failures_say_why() {
    let alpha = kitchens("alpha", "");
    let trace = begin(&alpha, &["one", "--count", "13", "--output", "json"]);
    // Got, handled and replied; then with a call to another.
    assert_ne!(
        message(
            "call",
            alpha.address(),
            &alpha.cookie_file(),
            &["one", "FailIt", "no soup"]
        )
        .code,
        Some(0)
    );
    call(&alpha, &["one", "AskOther", "other", "fail", "5000"]);
    assert_ne!(
        message("call", alpha.address(), &alpha.cookie_file(), &["one", "DropIt"]).code,
        Some(0)
    );
    cast(&alpha, &["one", "Trap"]);
    let told = told(trace);
    assert_eq!(of(&told, "reply-out", "FailIt")["failed"], "no soup");
    assert_eq!(of(&told, "reply-in", "FailIt")["failed"], "no soup");
    assert_eq!(of(&told, "reply-out", "AskOther")["values"], "error:failed:no soup");
    assert!(of(&told, "reply-out", "DropIt")["failed"].is_string());
    let trapped = of(&told, "handled", "Trap")["failed"].as_str().expect("why");
    assert!(trapped.contains("trapped"), "{trapped}");
}

#[test]
fn a_filter_leaves_out_other_messages_and_no_values_what_is_in_them() {
    let alpha = kitchens("alpha", "");
    let trace = begin(&alpha, &["one", "--filter", "Add", "--count", "2", "--no-values"]);
    call(&alpha, &["one", "Get"]);
    cast(&alpha, &["one", "Add", "77"]);
    let mut trace = trace;
    assert_eq!(trace.wait_exit().code(), Some(0));
    let lines = trace.lines(Stream::Stdout);
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines[0].contains("one  got cast   Add  16 B  from "), "{lines:?}");
    assert!(lines[1].contains("one  handled    Add  after "), "{lines:?}");
}

#[test]
fn a_trace_never_shows_more_in_a_second_than_it_may_and_ends_by_itself() {
    let alpha = kitchens("alpha", "");
    let trace = begin(
        &alpha,
        &["group:cooks", "--rate", "3", "--for", "3s", "--output", "json"],
    );
    for _ in 0..3 {
        call(&alpha, &["one", "Gather", "other", "50"]);
    }
    let told = told(trace);
    assert_eq!(told.last().expect("an end")["ended"], "time");
    let mut times: Vec<u64> = told.iter().filter_map(|entry| entry["at_us"].as_u64()).collect();
    times.sort_unstable();
    // A second of the limit begins with its first event.
    assert!(times.len() <= 12 && times.len() >= 3, "{times:?}");
    let left_out: u64 = told.iter().filter_map(|entry| entry["left_out"].as_u64()).sum();
    assert!(left_out > 100, "{told:?}");
}

#[test]
fn a_trace_goes_on_with_the_actor_that_takes_the_place_of_one() {
    let alpha = kitchens("alpha", "");
    let mut trace = begin(&alpha, &["one", "--for", "60s", "--count", "100000"]);
    assert_eq!(at(&alpha, &["kill", "one"]).code, Some(0));
    ractor_host_tests::wait::until(
        "a message of the new actor in the trace",
        || {
            let answered = message("call", alpha.address(), &alpha.cookie_file(), &["one", "Get"]);
            (answered.code, trace.lines(Stream::Stdout).len())
        },
        |(code, lines)| *code == Some(0) && *lines > 0,
    );
    trace.kill();
}

#[test]
fn a_trace_that_is_interrupted_is_over_on_its_node() {
    let keys = tempfile::tempdir().expect("a folder");
    let deploy = key(keys.path(), "deploy");
    let alpha = kitchens("alpha", &format!("[control]\nkey_file = {deploy:?}\n"));
    let (cookie, deploy) = (alpha.cookie_file().display().to_string(), deploy.display().to_string());
    let elsewhere = [
        "--node",
        alpha.address(),
        "--cookie-file",
        &cookie,
        "--key-file",
        &deploy,
    ];
    for from in [&[][..], &elsewhere] {
        let words = [&["one", "--for", "5m"], from].concat();
        // More than a node runs at once, so that those before them have to be over. By itself one is after ten seconds.
        for round in 0..3 {
            let mut traces: Vec<_> = (0..8).map(|_| begin(&alpha, &words)).collect();
            let ended = Instant::now();
            for (number, trace) in traces.iter_mut().enumerate() {
                trace.signal(if number % 2 == 0 { Signal::INT } else { Signal::TERM });
            }
            for (number, trace) in traces.iter_mut().enumerate() {
                let code = if number % 2 == 0 { 130 } else { 143 };
                assert_eq!(trace.wait_exit().code(), Some(code), "{round} {from:?}");
            }
            assert!(
                ended.elapsed() < Duration::from_secs(10),
                "that they end by themselves proves nothing"
            );
        }
    }
}

/// A file with the key of a role.
fn key(folder: &Path, role: &str) -> PathBuf {
    let path = folder.join(role);
    std::fs::write(&path, format!("{role} 0f1e2d3c4b5a69788796a5b4c3d2e1f0")).expect("a key");
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).expect("permissions");
    path
}

#[test]
fn whoever_may_only_look_sees_sizes_and_no_values() {
    let keys = tempfile::tempdir().expect("a folder");
    let (deploy, key) = (key(keys.path(), "deploy"), key(keys.path(), "observe"));
    let alpha = kitchens(
        "alpha",
        &format!("[control]\nkey_file = {deploy:?}\nobserve_key_file = {key:?}\n"),
    );
    let key = key.display().to_string();
    let cookie = alpha.cookie_file().display().to_string();
    let from = ["--node", alpha.address(), "--cookie-file", &cookie, "--key-file", &key];
    let elsewhere = |words: &[&str]| {
        let words = [words, &from].concat();
        crate::operator::in_folder(keys.path(), &words)
    };
    let refused = elsewhere(&["trace", "one"]);
    assert_eq!(refused.code, Some(1));
    assert!(
        refused.stderr.contains("this takes the role `operate`"),
        "{}",
        refused.stderr
    );
    let seen = elsewhere(&["trace", "one", "--no-values", "--for", "1s"]);
    assert_eq!(seen.code, Some(0), "{}", seen.stderr);
    for words in [&["spawn", "kitchen", "third"][..], &["checkpoints", "one", "--back"]] {
        let refused = elsewhere(words);
        assert!(
            refused.stderr.contains("this takes the role `operate`"),
            "{}",
            refused.stderr
        );
    }
}

#[test]
fn what_cannot_be_traced_is_said() {
    let keys = tempfile::tempdir().expect("a folder");
    let deploy = key(keys.path(), "deploy");
    let alpha = kitchens("alpha", &format!("[control]\nkey_file = {deploy:?}\n"));
    let unknown = at(&alpha, &["trace", "oen"]);
    assert!(unknown.stderr.contains("did you mean `one`?"), "{}", unknown.stderr);
    let native = at(&alpha, &["trace", "ractor-host.control"]);
    assert!(native.stderr.contains("is native"), "{}", native.stderr);
}
