//! Guests of `ractor-host run` and stock programs: typed messages both ways, and what each sees of the other's ends.

use ractor_host_tests::host::{HostNode, another_counter, guest_counter};
use ractor_host_tests::peer::{Kind, Peer};
use ractor_host_tests::process::{Signal, Stream};

/// A node with the guest `guest` in `guests`, and a stock program with the native `native` in `natives`, connected.
struct Pair {
    node: HostNode,
    stock: Peer,
}

impl Pair {
    fn stock_dials() -> Self {
        let node = HostNode::start("node", &guest_counter("guest", "guests", 100));
        let address = node.address().to_owned();
        let stock = Peer::start(
            Kind::Stock,
            "stock",
            &["--actor", "native:natives:200", "--connect", &address],
        );
        Self { node, stock }.connected()
    }

    fn node_dials() -> Self {
        let stock = Peer::start(Kind::Stock, "stock", &["--actor", "native:natives:200"]);
        let peers = format!("peers = [\"{}\"]\n\n", stock.address());
        let node = HostNode::start("node", &(peers + &guest_counter("guest", "guests", 100)));
        Self { node, stock }.connected()
    }

    fn connected(mut self) -> Self {
        self.stock.wait_session("node@localhost");
        self.stock.wait("members guests", "remote:guest");
        self
    }
}

#[test]
fn a_stock_program_that_dials_calls_a_guest() {
    calls_a_guest(Pair::stock_dials());
}

#[test]
fn a_stock_program_that_is_dialled_calls_a_guest() {
    calls_a_guest(Pair::node_dials());
}

fn calls_a_guest(Pair { mut stock, .. }: Pair) {
    assert_eq!(stock.run("call guests Get"), "100");
    stock.run("cast guests Add 5");
    assert_eq!(stock.run("call guests Get"), "105");
    assert_eq!(stock.run("call-timeout 20000 guests AddAndGet 1"), "106");
    assert_eq!(stock.run("call guests Name"), "guest");
}

#[test]
fn a_guest_calls_and_casts_to_the_actors_of_a_stock_program_that_dials() {
    guest_reaches_natives(Pair::stock_dials());
}

#[test]
fn a_guest_calls_and_casts_to_the_actors_of_a_stock_program_that_is_dialled() {
    guest_reaches_natives(Pair::node_dials());
}

fn guest_reaches_natives(Pair { mut stock, .. }: Pair) {
    stock.wait("call guests SumOf natives", "200");
    stock.run("cast guests AddTo natives 11");
    stock.wait("call natives/native Get", "211");
}

#[test]
fn a_guest_that_fails_disappears_and_its_node_lives() {
    let (mut node, mut stock) = guest_and_bystander();
    fails_and_its_node_lives(&mut node, &mut stock);
}

/// The guest in `guests` fails and says why in the log; the stock program loses it and nothing else.
pub(crate) fn fails_and_its_node_lives(node: &mut HostNode, stock: &mut Peer) {
    stock.run("cast guests Crash because the test wants");
    node.process().wait_line(
        Stream::Stderr,
        0,
        "a log line that names the actor and why it failed",
        |line| line.contains("guest") && line.contains("because the test wants"),
    );
    stock.wait("members guests", "");
    assert_eq!(stock.run("call bystanders Get"), "7");
}

#[test]
fn arguments_that_do_not_decode_harm_nobody_else() {
    let (_node, mut stock) = guest_and_bystander();
    for message in [
        "NoSuchVariant -",
        "Add -",
        "Add 00",
        "Add ffffffffffffffff00",
        "- -",
        "Crash 0000000000000001ff",
    ] {
        // Once such a message has ended the guest, there is nobody to send the next one to.
        drop(stock.try_run(&format!("raw-cast guests {message}")));
    }
    drop(stock.try_run("raw-call 1000 guests AddAndGet 00"));
    assert_eq!(stock.run("call bystanders Get"), "7");
    assert!(!stock.events().contains(&"disconnected node@localhost".to_owned()));
}

#[test]
fn a_stock_caller_of_a_call_that_fails_waits_as_it_always_did_and_the_log_says_why() {
    let (mut node, mut stock) = guest_and_bystander();
    let waited = stock.try_run("raw-call 300 guests AddAndGet 00");
    assert_eq!(waited, Err("timeout".to_owned()));
    node.process().wait_line(
        Stream::Stderr,
        0,
        "a warning with the reason of the failed call",
        |line| {
            line.contains("WARN")
                && line.contains("its caller hears only that there is no reply")
                && line.contains("argument 1 of `AddAndGet`, u64, is cut off")
        },
    );
    assert_eq!(stock.run("call guests Get"), "100", "the guest goes on");
}

/// A node with two guests, and a stock program that knows both.
fn guest_and_bystander() -> (HostNode, Peer) {
    let guests = guest_counter("guest", "guests", 100) + &another_counter("bystander", "bystanders", 7);
    let node = HostNode::start("node", &guests);
    let mut stock = Peer::start(Kind::Stock, "stock", &["--connect", node.address()]);
    stock.wait("members guests", "remote:guest");
    stock.wait("members bystanders", "remote:bystander");
    (node, stock)
}

#[test]
fn several_of_one_kind_are_several_actors() {
    let several = guest_counter("worker", "workers", 1) + "count = 3\n";
    let node = HostNode::start("node", &several);
    let mut stock = Peer::start(Kind::Stock, "stock", &["--connect", node.address()]);
    stock.wait("members workers", "remote:worker-1 remote:worker-2 remote:worker-3");
    stock.run("cast workers/worker-2 Add 41");
    assert_eq!(stock.run("call workers/worker-2 Get"), "42");
    assert_eq!(stock.run("call workers/worker-3 Get"), "1");
    // Each sums the other two, its neighbours in the same node.
    assert_eq!(stock.run("call workers/worker-1 SumOf workers"), "43");
    assert_eq!(stock.run("call workers/worker-2 SumOf workers"), "2");
}

#[test]
fn guests_of_two_nodes_reach_each_other() {
    let first = HostNode::start("first", &guest_counter("left", "lefts", 100));
    let peers = format!("peers = [\"{}\"]\n\n", first.address());
    let second = HostNode::start("second", &(peers + &guest_counter("right", "rights", 200)));
    let options = ["--connect", first.address(), "--connect", second.address()];
    let mut stock = Peer::start(Kind::Stock, "stock", &options);
    stock.wait("members lefts", "remote:left");
    stock.wait("members rights", "remote:right");

    stock.wait("call lefts SumOf rights", "200");
    stock.wait("call rights SumOf lefts", "100");
    stock.run("cast lefts AddTo rights 5");
    stock.wait("call rights Get", "205");
    stock.run("cast rights AddTo lefts 6");
    stock.wait("call lefts Get", "106");
}

#[test]
fn a_node_that_ends_takes_its_guests_along() {
    let Pair { mut stock, mut node } = Pair::stock_dials();
    node.process().signal(Signal::TERM);
    stock.wait_event("disconnected node@localhost");
    stock.wait("members guests", "");
    assert_eq!(stock.run("call natives/native Name"), "native");
}

#[test]
fn a_killed_node_takes_its_guests_along() {
    let Pair { mut stock, mut node } = Pair::node_dials();
    node.process().kill();
    stock.wait_event("disconnected node@localhost");
    stock.wait("members guests", "");
}

#[test]
fn a_node_with_another_cookie_gets_no_session() {
    let mut node = HostNode::start_with_cookie("node", "another", &guest_counter("guest", "guests", 100));
    let address = node.address().to_owned();
    let mut stock = Peer::start(
        Kind::Stock,
        "stock",
        &["--actor", "native:natives:200", "--connect", &address],
    );
    stock.wait_event("disconnected");
    stock.wait("sessions", "");
    assert_eq!(stock.run("members guests"), "");
    node.process()
        .wait_line(Stream::Stderr, 0, "a log line about the cookie", |line| {
            line.contains("cookie")
        });
}
