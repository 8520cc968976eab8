//! Actors found by name, and addresses of actors in messages, across nodes.

use ractor_host_tests::host::{HostNode, guest_counter};

use crate::node;

#[test]
fn a_name_finds_the_actor_wherever_it_is() {
    let native = node("native", &["--actor", "worker:workers"]);
    let guests = HostNode::start("guests", &guest_counter("a-counter", "counters", 1));
    let options = [
        "--peer",
        native.address(),
        "--peer",
        guests.address(),
        "--actor",
        "mine:own",
    ];
    let mut asking = node("asking", &options);
    asking.wait("sessions", "guests@localhost=ready native@localhost=ready");
    assert!(asking.run("where mine").starts_with("local:"));
    for name in [
        "worker",
        "worker@native@localhost",
        "a-counter",
        "a-counter@guests@localhost",
    ] {
        assert!(asking.run(&format!("where {name}")).starts_with("remote:"), "{name}");
    }
    for name in [
        "nobody",
        "worker@guests@localhost",
        "worker@nowhere@localhost",
        "mine@native@localhost",
    ] {
        assert_eq!(asking.run(&format!("where {name}")), "nobody", "{name}");
    }
}

#[test]
fn of_actors_with_one_name_the_own_one_is_found_and_then_that_of_the_first_node() {
    let first = node("alpha", &["--actor", "twin:twins:0"]);
    let second = node("beta", &["--actor", "twin:twins:0"]);
    let options = [
        "--peer",
        second.address(),
        "--peer",
        first.address(),
        "--actor",
        "twin:twins",
    ];
    let mut asking = node("asking", &options);
    asking.wait("sessions", "alpha@localhost=ready beta@localhost=ready");
    for node in ["alpha", "beta"] {
        asking.run(&format!(
            "flood twin@{node}@localhost {} 1",
            if node == "alpha" { 1 } else { 2 }
        ));
    }
    assert!(asking.run("where twin").starts_with("local:"));
    assert_eq!(asking.run("taken twin"), "0", "its own");
    asking.run("stop twin");
    assert_eq!(asking.run("taken twin"), "1", "alpha's");
    drop(first);
    asking.wait("sessions", "beta@localhost=ready");
    assert_eq!(asking.run("taken twin"), "2", "beta's");
}

#[test]
fn the_address_of_an_actor_of_a_third_node_works_where_it_is_received() {
    let third = node("third", &["--actor", "target:targets"]);
    let options = ["--peer", third.address(), "--actor", "friend:friends"];
    let mut receiver = node("receiver", &options);
    receiver.wait("members targets", "remote:target@third@localhost");
    let options = [
        "--peer",
        third.address(),
        "--peer",
        receiver.address(),
        "--actor",
        "own:owns",
    ];
    let mut sender = node("sender", &options);
    sender.wait("members targets", "remote:target@third@localhost");
    sender.wait("members friends", "remote:friend@receiver@localhost");
    receiver.wait("members owns", "remote:own@sender@localhost");
    sender.run("flood target 3 1");
    sender.run("flood own 2 1");
    sender.run("flood friend 4 1");
    assert_eq!(sender.run("taken target"), "3");
    assert_eq!(sender.run("taken-at friend target"), "3", "an actor of a third node");
    assert_eq!(sender.run("taken-at friend own"), "2", "an actor of the sender's node");
}
