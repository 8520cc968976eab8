//! The SDK for Go, as components of it meet their callers: `kitchen-go`. What every language's kitchen does is in the conformance suite;
//! here is what Go's own machinery has to do on a node, and does nowhere else: its panics, its stack, its collector.

use ractor_host_tests::wait;

use crate::asked::{AskedNode, counts};

/// What node.toml says of each kitchen: it may send to the other, and spawn.
const ENTRY: &str = "restart = \"permanent\"\narguments = \"str:a note\"\nconfig = { peer = \"other\" }\n\
                     capabilities = { messages = [\"*\"], spawn = [\"kitchen\"] }";

/// Two kitchens, `one` and `other`.
fn kitchens() -> Option<AskedNode> {
    AskedNode::kitchens("kitchen_go", ["one", "other"], ENTRY)
}

#[test]
fn a_panic_in_go_fails_its_call_and_is_logged_with_its_line() {
    let Some(mut kitchens) = kitchens() else { return };
    kitchens.cast(&["one", "Add", "5"]);
    kitchens.fails(&["one", "FailIt", "no soup"], "no soup");
    kitchens.fails(&["one", "FailLater", "no bread"], "no bread");
    kitchens.fails(&["one", "Throw", "burnt"], "panic: burnt");
    kitchens.fails(&["one", "DropIt"], "without a reply");
    kitchens.answers(&["one", "Get"], "5");
    let logged = kitchens.wait_logged("the stack of the panic", &["Throw panicked: burnt"]);
    assert!(logged.contains("kitchen.go:"), "{logged}");
    // A cast that fails is another thing, and so is a stack that overflows.
    kitchens.cast(&["one", "ThrowCast", "enough"]);
    kitchens.wait_logged("the failure", &["failed in", "enough"]);
    kitchens.answers(&["other", "Recurse", "1000"], "1000");
    kitchens.fails(&["other", "Recurse", "4294967295"], "without a reply");
    kitchens.wait_logged("what overflowed", &["main.recurse", "stack_bytes"]);
    wait::until(
        "the actors to be restarted",
        || ["one", "other"].map(|name| kitchens.send("call", &[name, "Get"]).stdout.trim().to_owned()),
        |counts| counts.iter().all(|count| count == "0"),
    );
}

#[test]
fn what_handlers_in_go_no_longer_need_is_collected() {
    let Some(kitchens) = kitchens() else { return };
    // In all many times of what an actor may have at once.
    for _ in 0..40 {
        kitchens.answers(&["one", "Allocate", "16000000"], "16000000");
    }
    kitchens.answers(&["one", "Big", "8000000"], "8000000");
}

#[test]
fn a_counter_in_go_counts() {
    counts("go_counter");
}
