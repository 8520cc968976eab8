//! The SDK for Go, as components of it meet their callers: `kitchen-go`. What every language's kitchen does is in the conformance suite;
//! here is what Go's own machinery has to do on a node, and does nowhere else: its panics, its stack, its collector.

use ractor_host_tests::cli::{Ended, message};
use ractor_host_tests::host::{HostNode, counter_of};
use ractor_host_tests::languages::component;
use ractor_host_tests::process::Stream;
use ractor_host_tests::wait;

/// A node with two kitchens in Go, `one` and `other`, each of which may send to the other.
struct Kitchens {
    node: HostNode,
}

impl Kitchens {
    /// None where the tools of the language are missing, which was said.
    fn start() -> Option<Self> {
        let path = component("kitchen_go")?;
        let actor = |name: &str| {
            format!(
                "[[actors]]\nname = \"{name}\"\nmodule = \"kitchen\"\nrestart = \"permanent\"\narguments = \"str:a note\"\n\
                 config = {{ peer = \"other\" }}\ncapabilities = {{ messages = [\"*\"], spawn = [\"kitchen\"] }}\n"
            )
        };
        let rest = format!("[modules.kitchen]\npath = {path:?}\n{}{}", actor("one"), actor("other"));
        Some(Self {
            node: HostNode::start("node", &rest),
        })
    }

    fn send(&self, verb: &str, rest: &[&str]) -> Ended {
        message(verb, self.node.address(), &self.node.cookie_file(), rest)
    }

    #[track_caller]
    fn answers(&self, rest: &[&str], expected: &str) {
        assert_eq!(self.send("call", rest).answer(), expected, "{rest:?}");
    }

    #[track_caller]
    fn fails(&self, rest: &[&str], expected: &str) {
        let ended = self.send("call", rest);
        assert_ne!(ended.code, Some(0), "{rest:?}: {}", ended.stdout);
        assert!(ended.stderr.contains(expected), "{rest:?}: {}", ended.stderr);
    }

    #[track_caller]
    fn cast(&self, rest: &[&str]) {
        self.send("cast", rest).answer();
    }

    /// Waits for a line of the node's log with all of these texts.
    #[track_caller]
    fn wait_logged(&mut self, what: &str, texts: &[&str]) -> String {
        let has_all = |line: &str| texts.iter().all(|text| line.contains(text));
        self.node.process().wait_line(Stream::Stderr, 0, what, has_all).1
    }
}

#[test]
fn a_panic_in_go_fails_its_call_and_is_logged_with_its_line() {
    let Some(mut kitchens) = Kitchens::start() else { return };
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
    let Some(kitchens) = Kitchens::start() else { return };
    // In all many times of what an actor may have at once.
    for _ in 0..40 {
        kitchens.answers(&["one", "Allocate", "16000000"], "16000000");
    }
    kitchens.answers(&["one", "Big", "8000000"], "8000000");
}

#[test]
fn a_counter_in_go_counts() {
    let Some(counter) = component("go_counter") else { return };
    let node = HostNode::start("node", &counter_of(&counter, "counter", "counters", 10));
    let send = |verb, rest: &[&str]| message(verb, node.address(), &node.cookie_file(), rest);
    send("cast", &["counter", "Add", "5"]).answer();
    assert_eq!(send("call", &["counter", "Get"]).answer(), "15");
    assert_eq!(send("call", &["counter", "Name"]).answer(), "counter");
    send("cast", &["counter", "Crash", "enough"]).answer();
    wait::until(
        "its end",
        || send("call", &["counter", "Get"]).code,
        |code| *code != Some(0),
    );
}
