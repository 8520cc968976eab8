//! The kitchen in TypeScript as a component on a node: what the SDK's own tests can't show, which run it without WebAssembly.

use ractor_host_tests::process::Stream;

use crate::asked::AskedNode;

/// What node.toml says of each kitchen.
const ENTRY: &str = "arguments = \"str:a note\"\nrestart = \"temporary\"\ncapabilities = { messages = [\"*\"] }";

/// Runs a test with the kitchens `one` and `other`, unless the tools of the language are missing, which was said.
#[track_caller]
fn with_kitchens(test: impl FnOnce(AskedNode)) {
    if let Some(kitchens) = AskedNode::kitchens("kitchen_ts", ["one", "other"], ENTRY) {
        test(kitchens);
    }
}

#[test]
fn a_handler_that_awaits_goes_on_and_others_wait_for_it() {
    with_kitchens(|kitchens| {
        assert_eq!(kitchens.call(&["one", "Sleep", "10"]), "10");
        assert_eq!(kitchens.call(&["one", "Steps", "done"]), "done");
        assert_eq!(kitchens.call(&["one", "GetMarks"]), "1,2");
        kitchens.send("cast", &["other", "Add", "7"]).answer();
        assert_eq!(kitchens.call(&["other", "Get"]), "7");
        assert_eq!(kitchens.call(&["one", "Gather", "other", "20"]), "140");
        assert_eq!(kitchens.call(&["one", "AskOther", "other", "get", "20000"]), "ok:7");
        assert_eq!(kitchens.call(&["one", "CallOther", "other", "get", "20000"]), "ok:7");
    });
}

#[test]
fn waits_end_at_their_timeout_and_when_they_are_cancelled() {
    with_kitchens(|kitchens| {
        assert_eq!(
            kitchens.call(&["one", "AskOther", "other", "never", "50"]),
            "error:timeout"
        );
        assert_eq!(
            kitchens.call(&["one", "CallOther", "other", "never", "50"]),
            "error:timeout"
        );
        assert_eq!(kitchens.call(&["one", "Cancel", "other"]), "cancelled");
        assert_eq!(kitchens.call(&["one", "TimeoutAwait", "other"]), "timeout");
        assert_eq!(kitchens.call(&["one", "Later", "10", "later"]), "later");
    });
}

#[test]
fn an_error_fails_the_call_with_its_text_and_its_stack_is_in_lines_of_the_source() {
    with_kitchens(|mut kitchens| {
        for (message, expected) in [
            (["one", "FailIt", "no soup"], "no soup"),
            (["one", "FailLater", "no bread"], "no bread"),
            (["one", "Throw", "no salt"], "no salt"),
        ] {
            let ended = kitchens.send("call", &message);
            assert_ne!(ended.code, Some(0));
            assert!(ended.stderr.contains(expected), "{}", ended.stderr);
        }
        assert_eq!(
            kitchens.call(&["one", "AskOther", "other", "fail", "20000"]),
            "error:failed:no soup"
        );
        assert_eq!(kitchens.call(&["one", "GetNote"]), "a note", "it lives on");
        kitchens.0.process().wait_line(
            Stream::Stderr,
            0,
            "the stack of the error, in lines of kitchen.ts",
            |line| line.contains("no salt") && line.contains("kitchen.ts:"),
        );
    });
}

#[test]
fn instances_have_randomness_of_their_own() {
    with_kitchens(|kitchens| {
        let [first, other, second] = ["one", "other", "one"].map(|kitchen| kitchens.call(&[kitchen, "Random"]));
        assert_ne!(first, other, "of two instances");
        assert_ne!(first, second, "of one instance");
    });
}

#[test]
fn values_come_back_as_they_went() {
    with_kitchens(|kitchens| {
        for (message, value) in [
            ("EchoU64", "18446744073709551615"),
            ("EchoI128", "-170141183460469231731687303715884105728"),
            ("EchoF64", "1.5"),
            ("EchoString", "añ🦀"),
            ("EchoChar", "🦀"),
            ("EchoBool", "true"),
            ("EchoBytes", "00ff"),
            ("EchoListI64", "9223372036854775807,0,1"),
            ("EchoListF64", "1.5,2.5"),
        ] {
            assert_eq!(kitchens.call(&["one", message, "--", value]), value, "{message}");
        }
        assert_eq!(kitchens.call(&["one", "Two", "5", "text"]), "5:text");
    });
}
