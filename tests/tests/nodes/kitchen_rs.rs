//! The kitchen in Rust as a component on a node: what its handlers await, as its callers see it.

use ractor_host_tests::host::HostNode;
use ractor_host_tests::{programs, wait};

use crate::asked::AskedNode;

/// A node with the kitchens `a` and `b`.
fn kitchens() -> AskedNode {
    let entry = |name: &str| {
        format!(
            "[[actors]]\nname = \"{name}\"\nmodule = \"kitchen\"\narguments = \"string:hello\"\n\
             capabilities = {{ messages = [\"*\"], spawn = [\"kitchen\"] }}\n"
        )
    };
    let path = programs::guest("kitchen_rs");
    let rest = format!("[modules.kitchen]\npath = {path:?}\n{}{}", entry("a"), entry("b"));
    AskedNode(HostNode::start("node", &rest))
}

#[test]
fn what_a_handler_in_rust_awaits_goes_on_side_by_side_and_can_be_given_up() {
    let node = kitchens();
    node.cast(&["b", "Add", "3"]);
    node.answers(&["a", "Gather", "b", "1000"], "3000");
    node.answers(&["a", "Cancel", "b"], "cancelled");
    node.answers(&["a", "TimeoutAwait", "b"], "timeout");
    node.answers(&["a", "AskOther", "b", "never", "50"], "error:timeout");
    // Whose wait closes the circle is a matter of who is first.
    let ring = node.call(&["a", "AskRing", "b"]);
    assert!(ring.ends_with("error:would-deadlock"), "{ring}");
    node.answers(&["a", "Self"], &format!("a@{}", node.0.name()));
}

#[test]
fn news_of_a_child_wait_for_a_handler_in_rust_that_awaits_and_then_come() {
    let node = kitchens();
    node.answers(&["a", "Spawn", "kitchen", "kid", ""], "ok");
    std::thread::scope(|scope| {
        let asks = scope.spawn(|| node.call(&["a", "AskOther", "b", "never", "4000"]));
        wait::until(
            "the call of the handler that awaits",
            || node.call(&["b", "GetNote"]),
            |note| note == "hello",
        );
        // It ends meanwhile, and so does the handler: at its own time, as if nothing had come.
        node.cast(&["a/kid", "StopSelf", "tired"]);
        assert_eq!(asks.join().expect("the command ends"), "error:timeout");
    });
    wait::until(
        "the news of the child",
        || node.call(&["a", "Events"]),
        |events| events == "started:kid;terminated:kid:tired",
    );
    node.answers(&["a", "Children"], "0");
}

#[test]
fn an_actor_in_rust_knows_its_children_by_their_names() {
    let node = kitchens();
    for kid in ["one", "other"] {
        node.answers(&["a", "Spawn", "kitchen", kid, ""], "ok");
    }
    node.answers(&["a", "StopChild", "nobody"], "false");
    node.answers(&["a", "KillChild", "other"], "true");
    wait::until(
        "the end of the child",
        || node.call(&["a", "Events"]),
        |events| events.contains("terminated:other"),
    );
    node.answers(&["a", "Children"], "1");
}
