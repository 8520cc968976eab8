//! What `ractor-host call` makes of its arguments: types that the actor says, busy or not, and bytes from elsewhere.

use std::path::Path;
use std::process::Command;

use ractor_host_tests::cli::{self, Ended, message};
use ractor_host_tests::host::{HostNode, NodeFolder, guest_counter};
use ractor_host_tests::{COOKIE, programs};

#[track_caller]
fn call(node: &HostNode, rest: &[&str]) -> Ended {
    message("call", node.address(), &node.cookie_file(), rest)
}

/// An actor that can be told to sleep for as long as a test takes.
fn sleeper() -> String {
    let path = programs::guest("parity");
    format!(
        "[modules.parity]\npath = {path:?}\n\n\
         [[actors]]\nname = \"sleeper\"\nmodule = \"parity\"\narguments = \"str:first\"\n"
    )
}

#[test]
fn an_actor_that_is_busy_says_which_types_its_messages_have() {
    let node = HostNode::start("alpha", &sleeper());
    let asleep = call(&node, &["sleeper", "Run", "sleep", "600000", "--timeout", "1s"]);
    assert_eq!(asleep.code, Some(1), "{asleep:?}");
    assert!(asleep.stderr.contains("no reply from sleeper"), "{asleep:?}");

    let described = message("describe", node.address(), &node.cookie_file(), &["sleeper"]);
    assert!(
        described.answer().contains("Run(string, string) -> string"),
        "{described:?}"
    );
    // It fails because nobody answers, and not because nobody said what `name` is.
    let called = call(&node, &["sleeper", "Run", "name", "x", "--timeout", "2s"]);
    assert!(called.stderr.contains("no reply from sleeper"), "{called:?}");
}

#[test]
fn an_argument_comes_from_a_file_or_from_standard_input() {
    let node = HostNode::start("alpha", &guest_counter("counter", "counters", 0));
    let folder = NodeFolder::new("", COOKIE);
    folder.write("five", 5_u64.to_be_bytes());
    let five = format!("bytes:@{}", folder.path("five").display());
    assert_eq!(call(&node, &["counter", "AddAndGet", &five]).answer(), "5");
    assert_eq!(piped(&node, &folder.path("five"), "bytes:@-").answer(), "10");
    // The shell's own way to say it.
    assert_eq!(piped(&node, &folder.path("five"), "bytes:@/dev/stdin").answer(), "15");

    let missing = format!("bytes:@{}", folder.path("six").display());
    let refused = call(&node, &["counter", "AddAndGet", &missing]);
    assert_eq!(refused.code, Some(2), "{refused:?}");
    assert!(
        refused.stderr.contains("six` can't be read: No such file"),
        "{refused:?}"
    );
}

/// Calls `AddAndGet` with what comes through a pipe.
#[track_caller]
fn piped(node: &HostNode, input: &Path, argument: &str) -> Ended {
    let host = programs::ractor_host();
    let mut shell = Command::new("sh");
    shell
        .args(["-c", "cat \"$0\" | \"$@\""])
        .arg(input)
        .arg(host.get_program())
        .args(["call", "--node", node.address(), "--cookie-file"])
        .arg(node.cookie_file())
        .args(["counter", "AddAndGet", argument]);
    cli::end("a call with an argument through a pipe", &mut shell)
}

#[test]
fn a_message_that_is_too_large_to_be_sent_is_no_success() {
    let node = HostNode::start("alpha", &guest_counter("counter", "counters", 0));
    let folder = NodeFolder::new("", COOKIE);
    // As large as a frame may be, which has more in it than this.
    folder.write("large", vec![0; 16 << 20]);
    let large = format!("bytes:@{}", folder.path("large").display());
    for (verb, variant) in [("cast", "Add"), ("call", "AddAndGet")] {
        let refused = message(verb, node.address(), &node.cookie_file(), &["counter", variant, &large]);
        assert_eq!(refused.code, Some(1), "{refused:?}");
        assert!(refused.stderr.contains("the message was not sent"), "{refused:?}");
    }
}
