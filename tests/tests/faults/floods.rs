//! More than the other end can take: memory stays bounded, the loss is counted, everything else goes on.

use ractor_host_tests::peer::Peer;
use ractor_host_tests::wait;

use crate::{node, wait_log};

/// The limit of each outbox and mailbox in these tests.
const LIMIT: &str = "4194304";
/// The additional memory that a node may have in use during [`FLOOD`]: the limits of outbox and mailbox, what waits for its
/// turn on a busy machine, and what allocators keep.
const ALLOWANCE: u64 = 160 * 1024 * 1024;
/// 512 MiB, 64 KiB each.
const FLOOD: &str = "flood worker 8192 65536";

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

#[test]
fn a_sender_that_waits_for_room_loses_nothing_while_its_peer_reads_nothing() {
    // 64 MiB: more than the outbox and the system's buffers hold.
    const WAITING_FLOOD: &str = "flood-waiting worker 1024 65536";
    let mut frozen = node("frozen", &["--actor", "worker:workers", "--mailbox", "1073741824"]);
    let mut producer = node("producer", &["--outbox", LIMIT, "--peer", frozen.address()]);
    producer.wait("members workers", "remote:worker@frozen@localhost");
    let before = producer.process().memory();
    frozen.process().freeze();
    producer.begin(WAITING_FLOOD);
    let full = before + 3 * 1024 * 1024;
    wait::until(
        "the outbox to be full",
        || producer.process().memory(),
        |memory| *memory > full,
    );
    assert!(!producer.has_answered(), "it waits");
    frozen.process().thaw();
    producer.answer(WAITING_FLOOD).expect("everything is sent");
    assert_eq!(producer.run("taken worker"), "1024");
    assert_eq!(producer.run("dead-letters"), "0");
}

fn note(highest: &mut [u64; 2], nodes: &mut [&mut Peer; 2]) {
    for (highest, node) in highest.iter_mut().zip(nodes) {
        *highest = (*highest).max(node.process().memory());
    }
}
