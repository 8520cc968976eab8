//! Nodes that stop to run for a while, connections and all.

use ractor_host_tests::host::{HostNode, guest_counter};
use ractor_host_tests::peer::{Kind, Peer};
use ractor_host_tests::process::Stream;

use crate::{node, place_of};

/// With the limits that every node has unless told otherwise.
#[test]
fn a_frozen_peer_counts_as_down_and_comes_back_when_it_runs_again() {
    let mut frozen = node("frozen", &["--actor", "worker:workers"]);
    let address = frozen.address().to_owned();
    let mut watcher = node("watcher", &["--peer", &address]);
    let peers = format!("peers = [\"{address}\"]\n");
    let mut host = HostNode::start("host", &(peers + &guest_counter("a-counter", "counters", 0)));
    watcher.wait("members workers", "remote:worker@frozen@localhost");
    frozen.wait("members counters", "remote:a-counter@host@localhost");
    watcher.run("pend worker Never 10");

    frozen.process().freeze();
    watcher.wait_event("closed frozen@localhost peer_silent");
    watcher.wait("pending", "0");
    watcher.wait("members workers", "");
    host.process()
        .wait_line(Stream::Stderr, 0, "why the session ended", |line| {
            line.contains("peer_silent") && line.contains("frozen@localhost")
        });

    frozen.process().thaw();
    watcher.wait("members workers", "remote:worker@frozen@localhost");
    frozen.wait("members counters", "remote:a-counter@host@localhost");
    assert_eq!(watcher.run("echo worker 5"), "5");
    // The actor lived on all the while; what stands for it here is another one.
    let events = watcher.events();
    let left = place_of(&events, "left workers worker@frozen@localhost", 0);
    place_of(&events, "joined workers worker@frozen@localhost", left);
}

#[test]
fn a_frozen_stock_peer_counts_as_down_and_an_idle_one_does_not() {
    let mut idle = Peer::start(Kind::Stock, "idle", &["--actor", "idle:idlers"]);
    let mut frozen = Peer::start(Kind::Stock, "frozen", &["--actor", "frozen:workers"]);
    let (first, second) = (idle.address().to_owned(), frozen.address().to_owned());
    let options = ["--silence", "3000", "--peer", &first, "--peer", &second];
    let mut watcher = node("watcher", &options);
    watcher.wait("members workers", "remote:frozen@frozen@localhost");
    watcher.wait("members idlers", "remote:idle@idle@localhost");
    watcher.begin("await-down frozen@localhost");
    frozen.process().freeze();
    watcher.wait_event("closed frozen@localhost peer_silent");
    assert_eq!(watcher.answer("await-down").as_deref(), Ok("peer_silent"));
    watcher.wait("members workers", "");
    assert_eq!(watcher.run("members idlers"), "remote:idle@idle@localhost");
    frozen.process().thaw();
    watcher.wait("members workers", "remote:frozen@frozen@localhost");
    let events = watcher.events();
    assert!(
        !events.iter().any(|event| event.starts_with("closed idle")),
        "{events:?}"
    );
    idle.run("sessions");
}
