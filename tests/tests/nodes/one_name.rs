//! Two nodes of one name, as two replicas of one node.toml are: everybody concerned says so, and how to mend it.

use ractor_host_tests::host::HostNode;
use ractor_host_tests::process::{Signal, Stream};

const TAKEN: &str = "a node twin@localhost is connected already, from 127.0.0.1:";
const ADVICE: &str = "names must differ; give one of the two another `name` or `hostname` in [node]";

/// A node that dials another.
fn twin(peer: &HostNode) -> HostNode {
    HostNode::start("twin", &dials(peer))
}

fn dials(peer: &HostNode) -> String {
    format!("peers = [{:?}]\n", peer.address())
}

#[track_caller]
fn says(node: &mut HostNode, words: &str) -> usize {
    let process = node.process();
    let (place, line) = process.wait_line(Stream::Stderr, 0, words, |line| line.contains(words));
    assert!(line.contains(ADVICE) || words.starts_with("session"), "{line}");
    place
}

#[test]
fn a_name_that_is_taken_is_said_to_be_by_all_three_nodes() {
    let mut third = HostNode::start("beta", "");
    let mut first = twin(&third);
    says(&mut first, "session ready");
    let mut second = twin(&third);
    says(&mut third, TAKEN);
    says(&mut second, TAKEN);
    says(
        &mut first,
        "another node twin@localhost tried to connect to that peer, from 127.0.0.1:",
    );
    // The one that was there first stays connected, however often the other tries.
    let closed = |line: &String| line.contains("session closed");
    assert!(!first.process().lines(Stream::Stderr).iter().any(closed));
}

#[test]
fn two_nodes_of_one_name_that_dial_each_other_are_not_taken_for_one() {
    let mut first = HostNode::start("twin", "");
    let mut second = twin(&first);
    says(&mut second, "has the name of this one, twin@localhost");
    says(&mut first, "has the name of this one, twin@localhost");
}

#[test]
fn a_node_that_was_started_again_has_its_own_name_back() {
    let mut third = HostNode::start("beta", "");
    let mut node = twin(&third);
    says(&mut node, "session ready");
    node.crash_and_restart(&dials(&third));
    says(&mut node, "session ready");
    let disputes = |line: &String| line.contains("names must differ");
    for node in [&mut third, &mut node] {
        assert!(!node.process().lines(Stream::Stderr).iter().any(disputes));
    }
}

/// Otherwise chance decides between the two, each time that the successor dials.
#[test]
fn the_successor_of_a_frozen_node_gets_its_name() {
    let third = HostNode::start("beta", "");
    let mut frozen = twin(&third);
    says(&mut frozen, "session ready");
    frozen.process().signal(Signal::STOP);
    let mut successor = twin(&third);
    says(&mut successor, "session ready");
    let lost = |line: &String| line.contains("another connection to the same node");
    assert!(!successor.process().lines(Stream::Stderr).iter().any(lost));
    frozen.process().signal(Signal::CONT);
    says(&mut frozen, TAKEN);
}
