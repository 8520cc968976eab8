//! Actors found by name, and addresses of actors in messages, across nodes.

use ractor_host_tests::host::{HostNode, guest_counter};

use crate::{logged, node, wait_log};

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

/// A process counts its pids from the beginning, so the same program has the same names and pids in its next life.
#[test]
fn the_address_of_an_actor_is_nobodys_after_its_node_has_restarted() {
    let options = ["--actor", "worker:workers"];
    let mut mortal = node("mortal", &options);
    let address = mortal.address().to_owned();
    let port = address.rsplit(':').next().expect("an address has a port").to_owned();
    let mut keeper = node("keeper", &["--peer", &address]);
    keeper.wait("members workers", "remote:worker@mortal@localhost");
    keeper.run("keep worker");
    let place = keeper.run("where worker");
    assert_eq!(keeper.run("resolve"), place);

    mortal.process().kill();
    keeper.wait("members workers", "");
    let _mortal = node("mortal", &[&options[..], &["--port", &port]].concat());
    keeper.wait("members workers", "remote:worker@mortal@localhost");
    assert_eq!(keeper.run("where worker"), place, "the same pid");
    assert_eq!(keeper.run("resolve"), "nobody");
}

/// What the log says when ractor's registry has lost a local actor.
const LOST: &str = "took the local actor of the same name off ractor's registry";

#[test]
fn the_end_of_remote_actors_leaves_a_local_namesake_that_was_there_first_its_name() {
    let mut other = node("other", &["--actor", "twin:twins"]);
    let options = [
        "--stand-ins",
        "bare",
        "--actor",
        "twin:twins",
        "--peer",
        other.address(),
    ];
    let mut here = node("here", &options);
    here.wait("members twins", "local:twin remote:twin@other@localhost");
    let local = here.run("registered twin");
    other.run("stop twin");
    here.wait("members twins", "local:twin");
    assert_eq!(here.run("registered twin"), local);
    assert_eq!(here.run("where twin"), local);
    assert_eq!(logged(&mut here, LOST), 0);
}

/// However a stand-in ends, alone or with its node.
#[test]
fn a_local_actor_that_took_the_name_of_a_remote_one_is_found_after_the_ends_of_that() {
    for end_of_node in [false, true] {
        let mut other = node("other", &["--actor", "twin:twins"]);
        let mut third = node("third", &["--actor", "twin:twins"]);
        let options = [
            "--stand-ins",
            "bare",
            "--peer",
            other.address(),
            "--peer",
            third.address(),
        ];
        let mut here = node("here", &options);
        here.wait("members twins", "remote:twin remote:twin");
        here.run("spawn twin twins");
        let local = here.run("where twin");
        assert!(local.starts_with("local:"), "{local}");
        if end_of_node {
            other.process().kill();
        } else {
            other.run("stop twin");
        }
        here.wait("members twins", "local:twin remote:twin");
        wait_log(&mut here, LOST);
        assert_eq!(here.run("where twin"), local);
        assert_eq!(here.run("taken twin"), "0", "it is reached by its name");
        // Once is enough.
        third.run("stop twin");
        here.wait("members twins", "local:twin");
        assert_eq!(logged(&mut here, LOST), 1);

        here.run("stop twin");
        assert_eq!(here.run("where twin"), "nobody");
        here.run("spawn twin twins");
        assert_eq!(here.run("where twin"), here.run("registered twin"));
    }
}

#[test]
fn with_qualified_names_no_local_actor_ever_loses_its_registration() {
    let mut other = node("other", &["--actor", "twin:twins"]);
    let options = ["--stand-ins", "qualified", "--peer", other.address()];
    let mut here = node("here", &options);
    here.wait("members twins", "remote:twin@other@localhost");
    here.run("spawn twin twins");
    let local = here.run("registered twin");
    other.run("stop twin");
    here.wait("members twins", "local:twin");
    assert_eq!(here.run("registered twin"), local);
}
