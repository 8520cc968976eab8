//! Nodes that die, and come back.

use ractor_host_tests::cli;
use ractor_host_tests::host::{HostNode, NodeFolder, guest_counter};
use ractor_host_tests::peer::{Kind, Peer};
use ractor_host_tests::{COOKIE, wait};

use crate::{node, place_of};

#[test]
fn a_node_of_node_toml_reconnects_to_a_peer_that_crashed_and_returned() {
    let actors = |start| guest_counter("beta-counter", "counters", start);
    let mut beta = HostNode::start("beta", &actors(100));
    let peers = format!("peers = [\"{}\"]\n", beta.address());
    let alpha = HostNode::start("alpha", &(peers + &guest_counter("alpha-counter", "counters", 0)));
    let cookie = NodeFolder::new("", COOKIE);
    // What alpha's counter hears from the counters of other nodes, asked from outside.
    let sum = || {
        let question = ["group:counters", "SumOf", "str:counters", "--reply", "u64"];
        let ended = cli::message("call", alpha.address(), &cookie.path("cookie"), &question);
        ended.stdout.trim().to_owned()
    };
    wait::until("beta's counter to be there", sum, |sum| sum == "100");
    beta.crash_and_restart(&actors(7));
    // Never 107: the old counter is not counted together with the new one.
    let last = wait::until("beta's new counter to be there", sum, |sum| sum == "7" || sum == "107");
    assert_eq!(last, "7");
}

#[test]
fn the_actors_of_a_crashed_peer_are_gone_before_those_of_its_next_life_appear() {
    let options = ["--actor", "worker:workers"];
    let mut beta = node("beta", &options);
    let address = beta.address().to_owned();
    let port = address.rsplit(':').next().expect("an address has a port").to_owned();
    let mut alpha = node("alpha", &["--peer", &address]);
    alpha.wait("members workers", "remote:worker@beta@localhost");
    beta.process().kill();
    alpha.wait("members workers", "");
    let _beta = node("beta", &["--port", &port, "--actor", "worker:workers"]);
    alpha.wait("members workers", "remote:worker@beta@localhost");
    assert_eq!(alpha.run("echo worker@beta@localhost 3"), "3");
    alpha.wait_event("joined workers worker@beta@localhost");

    let events = alpha.events();
    let joined = "joined workers worker@beta@localhost";
    let first = place_of(&events, joined, 0);
    let left = place_of(&events, "left workers worker@beta@localhost", first);
    let gone = place_of(&events, "disconnected beta@localhost", first);
    let second = place_of(&events, joined, first + 1);
    assert!(left < second && gone < second, "{events:?}");
}

#[test]
fn calls_that_wait_for_a_peer_end_when_it_crashes() {
    let mut beta = node("beta", &["--actor", "worker:workers"]);
    let address = beta.address().to_owned();
    let mut alpha = node("alpha", &["--peer", &address]);
    alpha.wait("members workers", "remote:worker@beta@localhost");
    alpha.run("pend worker Never 100");
    assert_eq!(alpha.run("pending"), "100");
    beta.process().kill();
    // They have no timeout of their own.
    alpha.wait("pending", "0");
    alpha.wait_event("closed beta@localhost");
}

#[test]
fn calls_that_wait_for_a_stock_peer_end_when_it_crashes() {
    let mut beta = Peer::start(Kind::Stock, "beta", &["--actor", "beta:workers"]);
    let address = beta.address().to_owned();
    let mut alpha = node("alpha", &["--peer", &address]);
    alpha.wait("members workers", "remote:beta@beta@localhost");
    // It doesn't answer while it is frozen.
    beta.process().freeze();
    alpha.run("pend beta Get 10");
    assert_eq!(alpha.run("pending"), "10");
    beta.process().kill();
    alpha.wait("pending", "0");
}
