//! The SDK for Python, as a component of it meets its callers: `kitchen-py`. What every language's kitchen does is in the conformance
//! suite; here is what Python's own machinery has to do on a node, and does nowhere else: its event loop, its log, its stacks.

use ractor_host_tests::process::Stream;

use crate::asked::AskedNode;

/// What node.toml says of each kitchen: it may send to the other, and spawn.
const ENTRY: &str = "arguments = \"str:a note\"\n\
                     capabilities = { messages = [\"*\"], spawn = [\"kitchen\"] }";

/// Two kitchens, `one` and `other`.
fn kitchens() -> Option<AskedNode> {
    AskedNode::kitchens("kitchen_py", ["one", "other"], ENTRY)
}

#[test]
fn handlers_in_python_await_calls_sleeps_and_timeouts() {
    let Some(kitchens) = kitchens() else {
        return;
    };
    kitchens.cast(&["other", "Add", "7"]);
    for (what, expected) in [
        ("get", "ok:7"),
        ("fail", "error:failed:no soup"),
        ("drop", "error:no-reply"),
        ("never", "error:timeout"),
    ] {
        for way in ["CallOther", "AskOther"] {
            assert_eq!(
                kitchens.call(&["one", way, "other", what, "300"]),
                expected,
                "{way} {what}"
            );
        }
    }
    assert_eq!(kitchens.call(&["one", "Gather", "other", "10"]), "70");
    assert_eq!(kitchens.call(&["one", "Cancel", "other"]), "cancelled");
    assert_eq!(kitchens.call(&["one", "TimeoutAwait", "other"]), "timeout");
    assert_eq!(kitchens.call(&["one", "AskRing", "other"]), "ok:error:would-deadlock");
    assert_eq!(kitchens.call(&["one", "Sleep", "50"]), "50");
    assert_eq!(kitchens.call(&["one", "Later", "20", "soup"]), "soup");
    // Steps holds the mailbox: the cast comes after it.
    assert_eq!(kitchens.call(&["one", "Steps", "done"]), "done");
    kitchens.cast(&["one", "Mark", "3"]);
    assert_eq!(kitchens.call(&["one", "GetMarks"]), "1,2,3");
}

#[test]
fn an_exception_in_python_fails_its_call_and_is_logged_with_its_line() {
    let Some(mut kitchens) = kitchens() else {
        return;
    };
    for (variant, expected) in [
        ("Throw", "RuntimeError: burnt"),
        ("FailIt", "burnt"),
        ("FailLater", "burnt"),
    ] {
        let ended = kitchens.send("call", &["one", variant, "burnt"]);
        assert_ne!(ended.code, Some(0), "{variant}");
        assert!(ended.stderr.contains(expected), "{variant}: {}", ended.stderr);
    }
    let endless = kitchens.send("call", &["one", "Recurse", "4294967295"]);
    assert!(endless.stderr.contains("RecursionError"), "{}", endless.stderr);
    assert_eq!(kitchens.call(&["one", "GetNote"]), "a note", "the actor is the same");
    let logged = kitchens.wait_logged("the stack of the exception", &["Throw failed a call", "Traceback"]);
    assert!(logged.contains("File \"app.py\", line "), "{logged}");
    assert!(logged.contains("raise RuntimeError(text)"), "{logged}");
}

#[test]
fn python_logs_prints_and_draws_random_numbers_of_its_own() {
    let Some(mut kitchens) = kitchens() else {
        return;
    };
    kitchens.cast(&["one", "Print", "printed"]);
    kitchens.wait_logged("what was printed", &["INFO", "printed", "one"]);
    for (level, shown) in [("info", "INFO"), ("warn", "WARN"), ("error", "ERROR")] {
        let text = format!("logged at {level}");
        kitchens.cast(&["one", "Log", level, &text]);
        kitchens.wait_logged("what was logged", &[shown, &text, "kitchen"]);
    }
    assert_ne!(kitchens.call(&["one", "Random"]), kitchens.call(&["other", "Random"]));
    // Each of these needs a part of Python that it would load from a file when it is used first, and there are no files.
    assert_eq!(kitchens.call(&["one", "EchoChar", "ü"]), "ü");
    assert_eq!(kitchens.call(&["one", "EchoListChar", "a,b"]), "a,b");
    let denied = kitchens.0.process().lines(Stream::Stderr);
    let denied: Vec<_> = denied
        .iter()
        .filter(|line| line.contains("may not use files"))
        .collect();
    assert!(denied.is_empty(), "it looks for files: {denied:?}");
}

#[test]
fn children_in_python_live_and_say_why_they_fail() {
    let Some(kitchens) = kitchens() else {
        return;
    };
    assert_eq!(kitchens.call(&["one", "Spawn", "kitchen", "kid", ""]), "ok");
    assert_eq!(kitchens.call(&["one", "Children"]), "1");
    let failed = kitchens.call(&["one", "Spawn", "kitchen", "bad", "fail:no gas"]);
    assert!(
        failed.starts_with("error:failed:") && failed.ends_with("no gas"),
        "{failed}"
    );
    assert_eq!(kitchens.call(&["one", "Spawn", "none", "kid2", ""]), "error:denied");
    assert_eq!(kitchens.call(&["one", "StopChild", "kid"]), "true");
}
