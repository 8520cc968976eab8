//! The kitchen in C: what an actor in C can do, as its callers see it. And counters in C++ and Zig, on the same SDK.

use ractor_host_tests::wait;

use crate::asked::{AskedNode, counts};

/// What node.toml says of each kitchen.
const ENTRY: &str = "restart = \"permanent\"\narguments = \"string:hello\"\nconfig = { peer = \"b\" }\n\
                     capabilities = { messages = [\"*\"], spawn = [\"kitchen\"] }";

/// A node with the kitchens `a` and `b`. None where the tools of C are missing, which was said.
fn kitchens() -> Option<AskedNode> {
    AskedNode::kitchens("kitchen_c", ["a", "b"], ENTRY)
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
        node.answers(&["a", call, value], value);
    }
    node.answers(&["a", "Two", "7", "soup"], "7:soup");
    node.answers(&["a", "Big", "1000000"], "1000000");
    node.answers(&["a", "Self"], &format!("a@{}", node.0.name()));
}

#[test]
fn a_call_that_c_cannot_serve_fails_with_its_reason_and_the_actor_lives() {
    let Some(node) = kitchens() else { return };
    node.cast(&["a", "Add", "5"]);
    node.fails(&["a", "FailIt", "no soup"], "no soup");
    node.fails(&["a", "FailLater", "no bread"], "no bread");
    node.fails(&["a", "Throw", "no salt"], "no salt");
    node.fails(&["a", "DropIt"], "without a reply");
    node.answers(&["a", "Get"], "5");
    // A cast that fails is another thing, and so is a trap.
    node.cast(&["a", "ThrowCast", "enough"]);
    wait::until(
        "the actor to be restarted",
        || node.send("call", &["a", "Get"]).stdout.trim().to_owned(),
        |count| count == "0",
    );
    node.fails(&["b", "TrapCall"], "without a reply");
}

#[test]
fn an_actor_in_c_calls_another_and_is_told_why_there_is_no_reply() {
    let Some(node) = kitchens() else { return };
    node.cast(&["b", "Add", "3"]);
    for verb in ["CallOther", "AskOther"] {
        node.answers(&["a", verb, "b", "get", "20000"], "ok:3");
        node.answers(&["a", verb, "b", "fail", "20000"], "error:failed:no soup");
        node.answers(&["a", verb, "b", "drop", "20000"], "error:no-reply");
        node.answers(&["a", verb, "b", "never", "50"], "error:timeout");
        node.answers(&["a", verb, "nobody", "get", "50"], "error:not-found");
    }
    node.answers(&["a", "Ring", "b"], "ok:error:would-deadlock");
    node.answers(&["a", "AskRing", "b"], "ok:error:would-deadlock");
}

#[test]
fn a_handler_in_c_waits_and_goes_on_where_it_was() {
    let Some(node) = kitchens() else { return };
    node.cast(&["b", "Add", "3"]);
    node.answers(&["a", "Gather", "b", "5"], "15");
    node.answers(&["a", "Sleep", "20"], "20");
    node.answers(&["a", "Cancel", "b"], "cancelled");
    node.answers(&["a", "TimeoutAwait", "b"], "timeout");
    node.answers(&["a", "Later", "10", "at last"], "at last");
    // What comes meanwhile is handled behind it.
    std::thread::scope(|scope| {
        let steps = scope.spawn(|| node.send("call", &["a", "Steps", "done"]));
        wait::until(
            "the first step",
            || node.send("call", &["a", "GetMarks"]).answer().to_owned(),
            |marks| marks.starts_with('1'),
        );
        assert_eq!(steps.join().expect("the command ends").answer(), "done");
    });
    node.answers(&["a", "GetMarks"], "1,2");
}

#[test]
fn children_of_an_actor_in_c_are_its_own() {
    let Some(node) = kitchens() else { return };
    node.answers(&["a", "Spawn", "kitchen", "kid", ""], "ok");
    node.answers(&["a", "Spawn", "kitchen", "kid", ""], "error:name-taken");
    node.answers(&["a", "Spawn", "bakery", "kid", ""], "error:denied");
    let refused = node.send("call", &["a", "Spawn", "kitchen", "other", "fail:too hot"]);
    assert!(refused.answer().contains("too hot"), "{}", refused.stdout);
    node.answers(&["a", "Children"], "1");
    node.answers(&["a", "KillChild", "kid"], "true");
    wait::until(
        "the end of the child",
        || node.send("call", &["a", "Events"]).answer().to_owned(),
        |events| events.contains("terminated:kid"),
    );
    // Each instance draws numbers of its own.
    assert_ne!(
        node.send("call", &["a", "Random"]).stdout,
        node.send("call", &["b", "Random"]).stdout
    );
}

#[test]
fn a_counter_in_cpp_counts() {
    counts("cpp_counter");
}

#[test]
fn a_counter_in_zig_counts() {
    counts("zig_counter");
}
