//! `ractor-host call` and `cast`, against our nodes and stock ones.

use std::net::TcpListener;

use ractor_host_tests::cli::{Ended, message};
use ractor_host_tests::host::{HostNode, NodeFolder, guest_counter};
use ractor_host_tests::peer::{Kind, Peer};
use ractor_host_tests::process::Stream;
use ractor_host_tests::{COOKIE, programs, wait};

/// A folder of which only the cookie is used.
fn keys(cookie: &str) -> NodeFolder {
    NodeFolder::new("", cookie)
}

#[track_caller]
fn call(address: &str, rest: &[&str]) -> Ended {
    message("call", address, &keys(COOKIE).path("cookie"), rest)
}

#[track_caller]
fn cast(address: &str, rest: &[&str]) -> Ended {
    message("cast", address, &keys(COOKIE).path("cookie"), rest)
}

#[test]
fn a_guest_of_our_node_is_cast_to_and_called() {
    let node = HostNode::start("alpha", &guest_counter("cli-counter", "counters", 10));
    counts_from_ten(node.address(), "group:counters", "cli-counter", TYPED);
}

#[test]
fn a_native_actor_of_a_stock_node_is_cast_to_and_called() {
    let peer = Peer::start(Kind::Stock, "alpha", &["--actor", "cli-counter:counters:10"]);
    counts_from_ten(peer.address(), "group:counters", "cli-counter", UNTYPED);
}

#[test]
fn a_guest_tells_its_whole_contract() {
    let node = HostNode::start("alpha", &guest_counter("cli-contract", "contracts", 10));
    let cookie = keys(COOKIE);
    let described = message("describe", node.address(), &cookie.path("cookie"), &["group:contracts"]);
    for line in [
        "  Counts up from its start argument. At `u64::MAX` it stays where it is.",
        "  starts with count: u64",
        "  call AddAndGet(u64) -> u64",
        "    Counts up by a number and replies with the new count.",
        "  cast AddTo(string, u64)",
    ] {
        assert!(
            described.answer().lines().any(|found| found == line),
            "{line}: {}",
            described.stdout
        );
    }
}

#[test]
fn an_actor_of_a_stock_node_is_found_by_its_pid() {
    let peer = Peer::start(Kind::Stock, "alpha", &["--actor", "cli-counter::10"]);
    counts_from_ten(peer.address(), "pid:0", "cli-counter", UNTYPED);
}

#[test]
fn a_guest_is_found_by_its_pid() {
    let node = HostNode::start("alpha", &guest_counter("cli-counter", "counters", 10));
    let mut peer = Peer::start(Kind::Stock, "beta", &["--connect", node.address()]);
    peer.wait("members counters", "remote:cli-counter");
    let pid = format!("pid:{}", peer.run("pid counters"));
    counts_from_ten(node.address(), &pid, "cli-counter", TYPED);
}

/// What a reply of 16 looks like without `--reply`: a guest says of which type it is, other actors don't.
const TYPED: &str = "16";
const UNTYPED: &str = "0000000000000010";

fn counts_from_ten(address: &str, target: &str, name: &str, sixteen: &str) {
    assert_eq!(cast(address, &[target, "Add", "u64:5"]).answer(), "");
    // The cast went through a session of its own, so nothing orders it before the call.
    let get = || call(address, &[target, "Get", "--reply", "u64"]).answer().to_owned();
    wait::until("the cast to arrive", get, |seen| seen == "15");
    assert_eq!(
        call(address, &[target, "AddAndGet", "u64:1", "--reply", "u64"]).answer(),
        "16"
    );
    assert_eq!(call(address, &[target, "Get"]).answer(), sixteen);
    assert_eq!(call(address, &[target, "Name", "--reply", "str"]).answer(), name);
}

#[test]
fn a_call_that_an_actor_fails_says_why_and_exits_with_a_code_of_its_own() {
    let parity = programs::guest("parity");
    let actor = "name = \"picky\"\nmodule = \"parity\"\narguments = \"str:hello\"\n";
    let mut node = HostNode::start(
        "alpha",
        &format!("[modules.parity]\npath = {parity:?}\n\n[[actors]]\n{actor}"),
    );
    let refused = call(node.address(), &["picky", "Refuse", "no such row\nINFO forged"]);
    assert_eq!(refused.code, Some(4), "{refused:?}");
    let said = refused.stderr.lines().last();
    assert_eq!(
        said,
        Some("error: the actor failed the call: no such row\\nINFO forged")
    );
    assert_eq!(refused.stdout, "");
    // Its log has it, too, on one line.
    let says_why = |line: &str| line.contains("the actor failed a call") && line.contains("no such row\\nINFO forged");
    node.process().wait_line(Stream::Stderr, 0, "the reason", says_why);
    // What the guest can't decode is a failed call as well.
    let undecodable = call(node.address(), &["picky", "Run", "bytes:ff", "str:x"]);
    assert_eq!(undecodable.code, Some(4), "{undecodable:?}");
    assert!(
        undecodable
            .stderr
            .contains("bytes of arguments of `Run` don't decode as (string, string)"),
        "{undecodable:?}"
    );
    assert_eq!(
        call(node.address(), &["picky", "Count"]).answer(),
        "2",
        "it was never restarted"
    );
}

#[test]
fn every_cast_that_succeeded_arrived_at_our_node() {
    let node = HostNode::start("alpha", &guest_counter("cli-counter", "counters", 0));
    every_cast_arrives(node.address());
}

#[test]
fn every_cast_that_succeeded_arrived_at_a_stock_node() {
    let peer = Peer::start(Kind::Stock, "alpha", &["--actor", "cli-counter:counters"]);
    every_cast_arrives(peer.address());
}

/// A node drops what it hasn't handled yet when the connection ends. So a command that is done with its cast has to know
/// more than that the bytes are sent.
fn every_cast_arrives(address: &str) {
    let casts = 30;
    for _ in 0..casts {
        assert_eq!(cast(address, &["group:counters", "Add", "u64:1"]).answer(), "");
    }
    let get = || {
        call(address, &["group:counters", "Get", "--reply", "u64"])
            .answer()
            .to_owned()
    };
    wait::until("every cast to arrive", get, |seen| *seen == casts.to_string());
}

#[test]
fn a_wrong_cookie_is_said_to_be_one() {
    let node = HostNode::start("alpha", &guest_counter("cli-counter", "counters", 0));
    is_refused(node.address());
}

#[test]
fn a_stock_node_that_refuses_the_cookie_is_said_to() {
    let peer = Peer::start(Kind::Stock, "alpha", &["--actor", "cli-counter:counters"]);
    is_refused(peer.address());
}

#[track_caller]
fn is_refused(address: &str) {
    let refused = message(
        "call",
        address,
        &keys("wrong").path("cookie"),
        &["group:counters", "Get"],
    );
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.stderr.contains("cookie"), "{}", refused.stderr);
    assert_eq!(refused.stdout, "");
}

#[test]
fn a_group_that_is_not_there_is_named() {
    let peer = Peer::start(Kind::Stock, "alpha", &["--actor", "cli-counter:counters"]);
    let ended = call(peer.address(), &["group:contours", "Get", "--timeout", "1s"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stderr.contains("contours"), "{}", ended.stderr);
}

#[test]
fn a_call_that_nobody_answers_fails() {
    let peer = Peer::start(Kind::Stock, "alpha", &["--actor", "cli-counter:counters"]);
    let ended = call(peer.address(), &["group:counters", "NoSuchVariant", "--timeout", "1s"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stderr.contains("NoSuchVariant"), "{}", ended.stderr);
}

#[test]
fn a_node_that_is_not_there_is_named() {
    let address = {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        listener.local_addr().expect("its address").to_string()
    };
    let ended = call(&address, &["group:counters", "Get"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stderr.contains(&address), "{}", ended.stderr);
}

#[test]
fn a_literal_that_is_not_one_is_a_usage_error() {
    let ended = call("127.0.0.1:1", &["group:counters", "AddAndGet", "u64:many"]);
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(ended.stderr.contains("u64:many"), "{}", ended.stderr);
}
