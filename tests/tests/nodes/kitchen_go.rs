//! The SDK for Go, as components of it meet their callers: `kitchen-go`. What every language's kitchen does is in the conformance suite;
//! here is what Go's own machinery has to do on a node: its goroutines, its panics, its collector, its log.

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
fn values_of_every_type_come_back_from_go_as_they_went() {
    let Some(kitchens) = Kitchens::start() else { return };
    for (call, value) in [
        ("EchoU8", "255"),
        ("EchoU64", "18446744073709551615"),
        ("EchoU128", "340282366920938463463374607431768211455"),
        ("EchoI8", "-128"),
        ("EchoI128", "-170141183460469231731687303715884105728"),
        ("EchoF32", "0.1"),
        ("EchoF64", "-1.5"),
        ("EchoBool", "true"),
        ("EchoString", "häß 🦀"),
        ("EchoListU16", "1,65535"),
        ("EchoListI128", "1,-170141183460469231731687303715884105728"),
        ("EchoListF64", "0.5,-1.5"),
        ("EchoListBool", "true,false"),
    ] {
        kitchens.answers(&["one", call, value], value);
    }
    kitchens.answers(&["one", "Two", "7", "soup"], "7:soup");
    kitchens.answers(&["one", "Big", "1000000"], "1000000");
    // An id of one letter and a quantity of 1000, with their length in front.
    kitchens.answers(&["one", "EchoProto", "bytes:060a016110e807"], "060a016110e907");
}

#[test]
fn handlers_in_go_await_calls_sleeps_and_timeouts() {
    let Some(kitchens) = Kitchens::start() else { return };
    kitchens.cast(&["other", "Add", "7"]);
    for way in ["CallOther", "AskOther"] {
        kitchens.answers(&["one", way, "other", "get", "20000"], "ok:7");
        kitchens.answers(&["one", way, "other", "fail", "20000"], "error:failed:no soup");
        kitchens.answers(&["one", way, "other", "drop", "20000"], "error:no-reply");
        kitchens.answers(&["one", way, "other", "never", "50"], "error:timeout");
        kitchens.answers(&["one", way, "nobody", "get", "50"], "error:not-found");
    }
    kitchens.answers(&["one", "Ring", "other"], "ok:error:would-deadlock");
    kitchens.answers(&["one", "AskRing", "other"], "ok:error:would-deadlock");
    kitchens.answers(&["one", "Gather", "other", "10"], "70");
    kitchens.answers(&["one", "Sleep", "20"], "20");
    kitchens.answers(&["one", "Cancel", "other"], "cancelled");
    kitchens.answers(&["one", "TimeoutAwait", "other"], "timeout");
    kitchens.answers(&["one", "Later", "10", "at last"], "at last");
    // What comes meanwhile is handled behind it.
    std::thread::scope(|scope| {
        let steps = scope.spawn(|| kitchens.send("call", &["one", "Steps", "done"]));
        wait::until(
            "the first step",
            || kitchens.send("call", &["one", "GetMarks"]).answer().to_owned(),
            |marks| marks.starts_with('1'),
        );
        assert_eq!(steps.join().expect("the command ends").answer(), "done");
    });
    kitchens.answers(&["one", "GetMarks"], "1,2");
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
fn go_logs_prints_and_draws_random_numbers_of_its_own() {
    let Some(mut kitchens) = Kitchens::start() else { return };
    kitchens.cast(&["one", "Print", "printed"]);
    kitchens.wait_logged("what was printed", &["INFO", "printed", "one"]);
    for (level, shown) in [("info", "INFO"), ("warn", "WARN"), ("error", "ERROR")] {
        let text = format!("logged at {level}");
        kitchens.cast(&["one", "Log", level, &text]);
        kitchens.wait_logged("what was logged", &[shown, &text, "Kitchen"]);
    }
    let numbers = ["one", "other"].map(|name| kitchens.send("call", &[name, "Random"]).answer().to_owned());
    assert_ne!(numbers[0], numbers[1]);
}

#[test]
fn go_collects_what_a_handler_no_longer_needs_in_the_middle_of_it() {
    let Some(kitchens) = Kitchens::start() else { return };
    // In all many times of what an actor may have at once.
    for _ in 0..40 {
        kitchens.answers(&["one", "Allocate", "16000000"], "16000000");
    }
    kitchens.answers(&["one", "Big", "8000000"], "8000000");
}

#[test]
fn children_of_an_actor_in_go_are_its_own() {
    let Some(kitchens) = Kitchens::start() else { return };
    kitchens.answers(&["one", "Spawn", "kitchen", "kid", ""], "ok");
    kitchens.answers(&["one", "Spawn", "kitchen", "kid", ""], "error:name-taken");
    kitchens.answers(&["one", "Spawn", "bakery", "kid", ""], "error:denied");
    let refused = kitchens.send("call", &["one", "Spawn", "kitchen", "late", "fail:too hot"]);
    assert!(refused.answer().contains("too hot"), "{}", refused.stdout);
    kitchens.answers(&["one", "Children"], "1");
    kitchens.answers(&["one", "KillChild", "kid"], "true");
    wait::until(
        "the end of the child",
        || kitchens.send("call", &["one", "Events"]).answer().to_owned(),
        |events| events.contains("terminated:kid"),
    );
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
