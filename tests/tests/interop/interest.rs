//! Nodes that say which groups they want to know of, with nodes of their own kind and stock ones.

use std::process::Command;

use ractor_host_tests::peer::{Kind, Peer};
use ractor_host_tests::{COOKIE, wait};

/// A node of this program's own cluster layer, with stand-ins that are called `NAME@NODE@localhost`.
fn node(name: &str, options: &[&str]) -> Peer {
    let mut command = Command::new(env!("CARGO_BIN_EXE_test-node"));
    command.args(["--name", name, "--cookie", COOKIE]).args(options);
    Peer::start_program(&format!("{name} (test-node)"), &mut command)
}

/// A node that wants everything, and one that is told of what these options say.
fn pair(wants: &[&str]) -> (Peer, Peer) {
    let mut teller = node("teller", &[]);
    let address = teller.address().to_owned();
    let mut wanting = node("wanting", &[&["--peer", &address], wants].concat());
    wanting.wait_session("teller@localhost");
    teller.wait_session("wanting@localhost");
    (teller, wanting)
}

/// What is said behind this has been heard: the control plane keeps its order.
fn heard(teller: &mut Peer, wanting: &mut Peer, number: u32) {
    teller.run(&format!("spawn mark-{number} orders"));
    let mark = format!("remote:mark-{number}@teller@localhost");
    wait::until(
        &mark,
        || wanting.run("members orders"),
        |members| members.split(' ').any(|member| member == mark),
    );
}

#[test]
fn a_node_hears_of_the_groups_that_it_wants_and_of_no_others() {
    let mut teller = node("teller", &["--actor", "early:orders", "--actor", "other:stock"]);
    let address = teller.address().to_owned();
    let mut wanting = node(
        "wanting",
        &["--peer", &address, "--wants", "orders", "--actor", "own:anything"],
    );
    wanting.wait_session("teller@localhost");
    wanting.wait("members orders", "remote:early@teller@localhost");
    teller.wait("members anything", "remote:own@wanting@localhost");
    assert_eq!(wanting.run("members stock"), "");

    for (member, group) in [("late", "orders"), ("another", "stock"), ("-", "stock")] {
        teller.run(&format!("spawn {member} {group}"));
    }
    heard(&mut teller, &mut wanting, 1);
    assert_eq!(wanting.run("members stock"), "");
    let both = "remote:early@teller@localhost remote:late@teller@localhost remote:mark-1@teller@localhost";
    assert_eq!(wanting.run("members orders"), both);

    // An interest is in groups: who has a name is found by it, and comes into a wanted group as anybody else does.
    assert!(wanting.run("where another").starts_with("remote:"));
    assert_eq!(wanting.run("echo other 100"), "100");
    teller.run("join orders another");
    teller.run("leave orders early");
    teller.run("stop late");
    wanting.wait(
        "members orders",
        "remote:another@teller@localhost remote:mark-1@teller@localhost",
    );
    assert_eq!(wanting.run("left-out"), "0");
}

#[test]
fn one_member_stands_for_its_node_and_then_another() {
    let (mut teller, mut wanting) = pair(&["--wants", "orders", "--wants-one", "worker-*"]);
    for worker in ["one", "two", "three"] {
        teller.run(&format!("spawn {worker} worker-a"));
    }
    teller.run("join worker-b one");
    heard(&mut teller, &mut wanting, 1);
    assert_eq!(wanting.run("members worker-b"), "remote:one@teller@localhost");

    let mut left = vec!["one", "two", "three"];
    while !left.is_empty() {
        let names: Vec<String> = left
            .iter()
            .map(|name| format!("remote:{name}@teller@localhost"))
            .collect();
        let shown = wait::until(
            "one of those that are left",
            || wanting.run("members worker-a"),
            |members| names.contains(members),
        );
        let at = names.iter().position(|name| *name == shown).expect("one of them");
        // By an end and by a leave.
        let how = if left.len() == 2 { "stop" } else { "leave worker-a" };
        teller.run(&format!("{how} {}", left.remove(at)));
    }
    wanting.wait("members worker-a", "");
    assert_eq!(wanting.run("members worker-b"), "remote:one@teller@localhost");
}

#[test]
fn what_a_node_wants_holds_again_when_its_peer_is_back() {
    let mut wanting = node("wanting", &["--wants", "orders", "--wants-one", "worker-*"]);
    let address = wanting.address().to_owned();
    for round in ["first", "second"] {
        let actors = ["order:orders", "one:worker-a", "two:worker-a", "other:stock"];
        let actors = actors.iter().flat_map(|actor| ["--actor", actor]);
        let options: Vec<&str> = ["--peer", &address].into_iter().chain(actors).collect();
        let mut teller = node("teller", &options);
        wanting.wait_session("teller@localhost");
        wanting.wait("members orders", "remote:order@teller@localhost");
        wanting.wait("known worker-a", "1");
        assert_eq!(wanting.run("known stock"), "0", "{round}");
        teller.process().kill();
        wanting.wait("members orders", "");
        wanting.wait("known worker-a", "0");
    }
}

/// It is called through its address: the node that gets that asks for the actor, of which it was told nothing.
#[test]
fn an_actor_that_nobody_asked_for_is_reached_by_its_address() {
    let (mut teller, mut wanting) = pair(&["--wants", "orders", "--actor", "caller:callers"]);
    let pid = teller.run("spawn - stock");
    assert_eq!(wanting.run("known stock"), "0");
    for _ in 0..2 {
        assert_eq!(teller.run(&format!("taken-at caller@wanting@localhost pid:{pid}")), "0");
    }
    assert_eq!(wanting.run("known stock"), "0", "it isn't in the group there by that");
    assert_eq!(wanting.run("left-out"), "0");
}

#[test]
fn a_stock_node_is_told_of_everything_and_what_it_tells_is_taken_as_it_is_wanted() {
    let mut stock = Peer::start(
        Kind::Stock,
        "stock",
        &["--actor", "theirs:orders:1", "--actor", "unwanted:stock:1"],
    );
    let address = stock.address().to_owned();
    let mut wanting = node(
        "wanting",
        &["--peer", &address, "--wants", "orders", "--actor", "own:anything"],
    );
    wanting.wait_session("stock@localhost");
    wanting.wait("members orders", "remote:theirs@stock@localhost");
    assert_eq!(wanting.run("known stock"), "0");
    stock.wait("members anything", "remote:own");
    wanting.run("spawn late anything");
    stock.wait("members anything", "remote:late remote:own");
    assert!(wanting.run("where unwanted").starts_with("remote:"), "it has a name");
}
