//! Two nodes that dial each other at the same time: of the two connections, both keep the same one.

use ractor_host_tests::peer::{Kind, Peer};
use ractor_host_tests::wait;

behaviours!(
    both_dial_at_once_and_keep_one_session,
    both_dial_twice_at_once_and_keep_one_session,
    new_nodes_dial_each_other_at_once_and_keep_one_session,
);

/// The number of times that they find each other and part again.
const ROUNDS: usize = 30;

fn both_dial_at_once_and_keep_one_session(one: Kind, other: Kind) {
    rounds(one, other, 1, ROUNDS);
}

fn both_dial_twice_at_once_and_keep_one_session(one: Kind, other: Kind) {
    rounds(one, other, 2, ROUNDS / 3);
}

fn new_nodes_dial_each_other_at_once_and_keep_one_session(one: Kind, other: Kind) {
    for _ in 0..ROUNDS / 3 {
        rounds(one, other, 1, 1);
    }
}

/// Two nodes dial each other `dials` times at once, are connected, and part: again and again.
fn rounds(one: Kind, other: Kind, dials: usize, rounds: usize) {
    let mut one = Peer::start(one, "one", &["--actor", "one:all:1"]);
    let mut other = Peer::start(other, "other", &["--actor", "other:all:2"]);
    for round in 1..=rounds {
        dial_each_other(&mut one, &mut other, dials);
        // Every connection was seen at both ends, and all but one are gone.
        let opened = round * 2 * dials;
        for node in [&mut one, &mut other] {
            connections(node, round, opened, opened - 1);
        }
        one_session(&mut one, "one", "other", 2);
        one_session(&mut other, "other", "one", 1);
        // They part; which of them ends it, alternates.
        match round % 2 {
            0 => one.run("disconnect other@localhost"),
            _ => other.run("disconnect one@localhost"),
        };
        for (node, name) in [(&mut one, "one"), (&mut other, "other")] {
            connections(node, round, opened, opened);
            node.wait("sessions", "");
            node.wait("members all", &format!("local:{name}"));
        }
    }
}

fn dial_each_other(one: &mut Peer, other: &mut Peer, dials: usize) {
    let connects = [other.address(), one.address()].map(|address| format!("connect {address}"));
    let [to_other, to_one] = &connects;
    for _ in 0..dials {
        one.begin(to_other);
        other.begin(to_one);
    }
    for _ in 0..dials {
        assert_eq!(one.answer(to_other), Ok(String::new()));
        assert_eq!(other.answer(to_one), Ok(String::new()));
    }
}

/// Waits until the node has had this many connections in all, and seen the end of that many.
#[track_caller]
fn connections(node: &mut Peer, round: usize, opened: usize, ended: usize) {
    let what = format!(
        "{}, round {round}: {opened} connections, {ended} of them ended",
        node.name()
    );
    wait::until(
        &what,
        || (node.count_events("opened"), node.count_events("disconnected")),
        |seen| *seen == (opened, ended),
    );
}

/// There is one session, ready, and through it the other node's counter is seen once and answers.
#[track_caller]
fn one_session(node: &mut Peer, name: &str, far: &str, count: u64) {
    node.wait("sessions", &format!("{far}@localhost=ready"));
    node.wait("members all", &format!("local:{name} remote:{far}"));
    assert_eq!(node.run("call all Get"), count.to_string());
}
