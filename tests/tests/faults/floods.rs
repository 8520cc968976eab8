//! More than the other end can take: memory stays bounded, the loss is counted, everything else goes on.

use ractor_host_tests::peer::Peer;
use ractor_host_tests::wait;

use crate::{node, wait_log};

/// The limit of each outbox and mailbox in these tests.
const LIMIT: &str = "4194304";
/// How much more memory a node may have in use during a flood of [`FLOOD`]: the limits of outbox and mailbox, buffers on
/// the way, and what allocators keep. The flood itself is 256 MiB.
const ALLOWANCE: u64 = 96 * 1024 * 1024;
/// 64 KiB each.
const FLOOD: &str = "flood worker 4096 65536";

#[test]
fn a_slow_consumer_costs_neither_node_memory_nor_others_their_service() {
    let options = ["--outbox", LIMIT, "--mailbox", LIMIT];
    let actors = ["--actor", "worker:workers:20", "--actor", "other:others"];
    let mut consumer = node("consumer", &[&options[..], &actors[..]].concat());
    let peer = ["--peer", consumer.address()];
    let mut producer = node("producer", &[&options[..], &peer[..]].concat());
    let mut neighbour = node("neighbour", &peer);
    producer.wait("members workers", "remote:worker@consumer@localhost");
    neighbour.wait("members others", "remote:other@consumer@localhost");
    let before = [producer.process().memory(), consumer.process().memory()];

    producer.begin(FLOOD);
    let mut highest = before;
    while !producer.has_answered() {
        assert_eq!(neighbour.run("echo other 100"), "100");
        note(&mut highest, &mut [&mut producer, &mut consumer]);
    }
    producer.answer(FLOOD).expect("the flood is sent");
    // Behind what was taken of the flood, and long before the slow actor is through with it.
    let answer = wait::until(
        "the other actor to answer the producer",
        || producer.try_run("echo other 100"),
        Result::is_ok,
    );
    assert_eq!(answer.as_deref(), Ok("100"));
    note(&mut highest, &mut [&mut producer, &mut consumer]);
    for ((name, before), highest) in ["producer", "consumer"].iter().zip(before).zip(highest) {
        assert!(
            highest < before + ALLOWANCE,
            "the {name} grew from {before} to {highest} bytes"
        );
    }
    let lost = |node: &mut Peer| node.run("dead-letters").parse::<u64>().expect("a number");
    let lost = lost(&mut producer) + lost(&mut consumer);
    assert!(lost > 0, "what was lost is counted");
}

#[test]
fn a_peer_that_reads_nothing_costs_no_memory_and_no_service_for_others() {
    let mut frozen = node("frozen", &["--actor", "worker:workers"]);
    let other = node("other", &["--actor", "other:others"]);
    let options = ["--outbox", LIMIT, "--peer", frozen.address(), "--peer", other.address()];
    let mut producer = node("producer", &options);
    producer.wait("members workers", "remote:worker@frozen@localhost");
    producer.wait("members others", "remote:other@other@localhost");
    let before = producer.process().memory();

    frozen.process().freeze();
    producer.run(FLOOD);
    assert_eq!(producer.run("echo other 100"), "100");
    wait_log(&mut producer, "bytes are waiting for the peer already");
    let after = producer.process().memory();
    assert!(
        after < before + ALLOWANCE,
        "the producer grew from {before} to {after} bytes"
    );
    let lost: u64 = producer.run("dead-letters").parse().expect("a number");
    assert!(lost > 0, "what was lost is counted");

    frozen.process().thaw();
    producer.wait("members workers", "remote:worker@frozen@localhost");
    let answer = wait::until(
        "the thawed peer to answer",
        || producer.try_run("echo worker 100"),
        Result::is_ok,
    );
    assert_eq!(answer.as_deref(), Ok("100"));
}

fn note(highest: &mut [u64; 2], nodes: &mut [&mut Peer; 2]) {
    for (highest, node) in highest.iter_mut().zip(nodes) {
        *highest = (*highest).max(node.process().memory());
    }
}
