//! Many actors that nobody asked for.

use ractor_host_tests::peer::{Kind, Peer};

/// What the receiving node may keep of each advertised actor, in bytes: a few table entries. An actor, which a stock node
/// keeps of each, takes some ten thousand.
const KEPT: u64 = 600;

const CROWD: u64 = 100_000;

#[test]
fn a_hundred_thousand_advertised_actors_cost_table_entries_and_others_are_served() {
    let mut crowded = Peer::start(Kind::DropIn, "crowded", &["--actor", "known:known"]);
    crowded.run(&format!("crowd {CROWD}"));
    let mut receiver = Peer::start(Kind::DropIn, "receiver", &[]);
    let before = receiver.process().memory();

    receiver.run(&format!("connect {}", crowded.address()));
    receiver.wait_session("crowded@localhost");
    receiver.run("cast known Add 5");
    assert_eq!(receiver.run("call known Get"), "5");
    let kept = receiver.process().memory().saturating_sub(before);
    assert!(kept < CROWD * KEPT, "{CROWD} actors cost {kept} bytes");
}
