//! Messages that are larger than the peer accepts.

use ractor_host_tests::peer::{Kind, Peer};

use crate::{node, wait_logged};

/// One MiB more than stock nodes, and ours unless told otherwise, accept.
const TOO_LARGE: &str = "17825792";

#[test]
fn a_message_over_the_peers_limit_is_refused_at_the_sender_and_the_link_lives_on() {
    let consumer = node("consumer", &["--actor", "worker:workers"]);
    refuses_large_messages(&consumer, "worker@consumer@localhost", |sender| {
        assert_eq!(sender.run("echo worker 8"), "8");
        assert_eq!(sender.run("taken worker"), "0", "nothing of it arrived");
    });
}

#[test]
fn a_stock_peers_limit_is_known_to_the_sender_too() {
    let consumer = Peer::start(Kind::Stock, "consumer", &["--actor", "worker:workers"]);
    refuses_large_messages(&consumer, "worker@consumer@localhost", |sender| {
        assert_eq!(sender.run("raw-call worker Get 0"), "8");
    });
}

fn refuses_large_messages(consumer: &Peer, worker: &str, still_works: impl Fn(&mut Peer)) {
    let mut sender = node("sender", &["--peer", consumer.address()]);
    sender.wait("members workers", &format!("remote:{worker}"));
    assert_eq!(
        sender.try_run(&format!("raw-call worker Echo {TOO_LARGE}")),
        Err("dropped".to_owned())
    );
    sender.wait("dead-letters", "1");
    sender.run(&format!("flood worker 1 {TOO_LARGE}"));
    sender.wait("dead-letters", "2");
    wait_logged(&mut sender, "the peer accepts at most", 2);
    still_works(&mut sender);
    let events = sender.events();
    assert!(!events.iter().any(|event| event.starts_with("closed")), "{events:?}");
}

#[test]
fn a_reply_over_the_callers_limit_ends_the_call_and_the_link_lives_on() {
    let callee = node("callee", &["--actor", "worker:workers"]);
    let mut caller = node("caller", &["--peer", callee.address()]);
    caller.wait("members workers", "remote:worker@callee@localhost");
    // The largest reply that passes is a little smaller than the largest call; 16 MiB without what a frame adds.
    assert_eq!(caller.run("echo worker 16777000"), "16777000");
    assert_eq!(caller.run("echo worker 8"), "8");
}
