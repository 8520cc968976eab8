//! The kitchen in C: what an actor in C can do, as its callers see it. And counters in C++ and Zig, on the same SDK.

use std::path::Path;

use ractor_host_tests::cli::{Ended, message};
use ractor_host_tests::host::{HostNode, counter_of};
use ractor_host_tests::languages::component;
use ractor_host_tests::wait;

/// A node with the kitchens `a` and `b`. None where the tools of C are missing, which was said.
fn kitchens() -> Option<HostNode> {
    let path = component("kitchen_c")?;
    let kitchen = |name: &str| {
        format!(
            "\n[[actors]]\nname = \"{name}\"\nmodule = \"kitchen\"\nrestart = \"permanent\"\narguments = \"string:hello\"\n\
             config = {{ peer = \"b\" }}\ncapabilities = {{ messages = [\"*\"], spawn = [\"kitchen\"] }}\n"
        )
    };
    let module = format!("[modules.kitchen]\npath = {path:?}\n");
    Some(HostNode::start("node", &(module + &kitchen("a") + &kitchen("b"))))
}

fn ask(node: &HostNode, rest: &[&str]) -> Ended {
    message("call", node.address(), &node.cookie_file(), rest)
}

#[track_caller]
fn answers(node: &HostNode, rest: &[&str], expected: &str) {
    assert_eq!(ask(node, rest).answer(), expected, "{rest:?}");
}

#[track_caller]
fn fails(node: &HostNode, rest: &[&str], expected: &str) {
    let ended = ask(node, rest);
    assert_ne!(ended.code, Some(0), "{rest:?}: {}", ended.stdout);
    assert!(ended.stderr.contains(expected), "{rest:?}: {}", ended.stderr);
}

fn send(node: &HostNode, rest: &[&str]) {
    message("cast", node.address(), &node.cookie_file(), rest).answer();
}

#[test]
fn values_of_every_type_come_back_from_c_as_they_went() {
    let Some(node) = kitchens() else { return };
    for (call, value) in [
        ("EchoU8", "255"),
        ("EchoU64", "18446744073709551615"),
        ("EchoU128", "340282366920938463463374607431768211455"),
        ("EchoI8", "-128"),
        ("EchoI128", "-170141183460469231731687303715884105728"),
        ("EchoF64", "-1.5"),
        ("EchoBool", "true"),
        ("EchoString", "häß 🦀"),
        ("EchoListU64", "1,18446744073709551615"),
    ] {
        answers(&node, &["a", call, value], value);
    }
    answers(&node, &["a", "Two", "7", "soup"], "7:soup");
    answers(&node, &["a", "Big", "1000000"], "1000000");
    answers(&node, &["a", "Self"], &format!("a@{}", node.name()));
}

#[test]
fn a_call_that_c_cannot_serve_fails_with_its_reason_and_the_actor_lives() {
    let Some(node) = kitchens() else { return };
    send(&node, &["a", "Add", "5"]);
    fails(&node, &["a", "FailIt", "no soup"], "no soup");
    fails(&node, &["a", "FailLater", "no bread"], "no bread");
    fails(&node, &["a", "Throw", "no salt"], "no salt");
    fails(&node, &["a", "DropIt"], "without a reply");
    answers(&node, &["a", "Get"], "5");
    // A cast that fails is another thing, and so is a trap.
    send(&node, &["a", "ThrowCast", "enough"]);
    wait::until(
        "the actor to be restarted",
        || ask(&node, &["a", "Get"]).stdout.trim().to_owned(),
        |count| count == "0",
    );
    fails(&node, &["b", "TrapCall"], "without a reply");
}

#[test]
fn an_actor_in_c_calls_another_and_is_told_why_there_is_no_reply() {
    let Some(node) = kitchens() else { return };
    send(&node, &["b", "Add", "3"]);
    for verb in ["CallOther", "AskOther"] {
        answers(&node, &["a", verb, "b", "get", "20000"], "ok:3");
        answers(&node, &["a", verb, "b", "fail", "20000"], "error:failed:no soup");
        answers(&node, &["a", verb, "b", "drop", "20000"], "error:no-reply");
        answers(&node, &["a", verb, "b", "never", "50"], "error:timeout");
        answers(&node, &["a", verb, "nobody", "get", "50"], "error:not-found");
    }
    answers(&node, &["a", "Ring", "b"], "ok:error:would-deadlock");
    answers(&node, &["a", "AskRing", "b"], "ok:error:would-deadlock");
}

#[test]
fn a_handler_in_c_waits_and_goes_on_where_it_was() {
    let Some(node) = kitchens() else { return };
    send(&node, &["b", "Add", "3"]);
    answers(&node, &["a", "Gather", "b", "5"], "15");
    answers(&node, &["a", "Sleep", "20"], "20");
    answers(&node, &["a", "Cancel", "b"], "cancelled");
    answers(&node, &["a", "TimeoutAwait", "b"], "timeout");
    answers(&node, &["a", "Later", "10", "at last"], "at last");
    // What comes meanwhile is handled behind it.
    std::thread::scope(|scope| {
        let steps = scope.spawn(|| ask(&node, &["a", "Steps", "done"]));
        wait::until(
            "the first step",
            || ask(&node, &["a", "GetMarks"]).answer().to_owned(),
            |marks| marks.starts_with('1'),
        );
        assert_eq!(steps.join().expect("the command ends").answer(), "done");
    });
    answers(&node, &["a", "GetMarks"], "1,2");
}

#[test]
fn children_of_an_actor_in_c_are_its_own() {
    let Some(node) = kitchens() else { return };
    answers(&node, &["a", "Spawn", "kitchen", "kid", ""], "ok");
    answers(&node, &["a", "Spawn", "kitchen", "kid", ""], "error:name-taken");
    answers(&node, &["a", "Spawn", "bakery", "kid", ""], "error:denied");
    let refused = ask(&node, &["a", "Spawn", "kitchen", "other", "fail:too hot"]);
    assert!(refused.answer().contains("too hot"), "{}", refused.stdout);
    answers(&node, &["a", "Children"], "1");
    answers(&node, &["a", "KillChild", "kid"], "true");
    wait::until(
        "the end of the child",
        || ask(&node, &["a", "Events"]).answer().to_owned(),
        |events| events.contains("terminated:kid"),
    );
    // Each instance draws numbers of its own.
    assert_ne!(ask(&node, &["a", "Random"]).stdout, ask(&node, &["b", "Random"]).stdout);
}

/// The part of the counter that C++ and Zig have, too.
fn counts(component: &Path) {
    let node = HostNode::start("node", &counter_of(component, "counter", "counters", 10));
    send(&node, &["counter", "Add", "5"]);
    answers(&node, &["counter", "Get"], "15");
    answers(&node, &["counter", "Name"], "counter");
    send(&node, &["counter", "Crash", "enough"]);
    wait::until(
        "its end",
        || ask(&node, &["counter", "Get"]).code,
        |code| *code != Some(0),
    );
}

#[test]
fn a_counter_in_cpp_counts() {
    if let Some(counter) = component("cpp_counter") {
        counts(&counter);
    }
}

#[test]
fn a_counter_in_zig_counts() {
    if let Some(counter) = component("zig_counter") {
        counts(&counter);
    }
}
