//! A node that is used for a while: messages, links that come and go, a guest that fails and restarts, code that is replaced, and
//! operators who ask how it is. What it takes of the machine must not grow with time: of memory, open files, threads and disk the
//! slopes are looked at, and not the sizes.
//!
//! `RACTOR_TEST_SECONDS` says for how long. The longer, the smaller a leak that shows.
#![cfg(target_os = "linux")]

mod cluster;
mod usage;

use std::time::{Duration, Instant};

use ractor_host_tests::wait;

use crate::cluster::Cluster;
use crate::usage::{Kind, Usage, growth};

/// The seconds for which the cluster is used, unless the environment names another time.
const SECONDS: u64 = 60;

/// Of the rounds, the first third is not looked at: caches fill, pools are made, the allocator finds its size.
const WARM_UP: usize = 3;

/// The fewest rounds that say something.
const LEAST_ROUNDS: usize = 12;

/// What may be there more at the end than at the beginning, as the line through all samples has it: noise, and no more however
/// long it takes.
const ROOM: [(Kind, f64); 4] = [
    (Kind::Memory, 6.0 * 1024.0 * 1024.0),
    (Kind::Files, 6.0),
    (Kind::Threads, 4.0),
    (Kind::Disk, 4.0 * 1024.0 * 1024.0),
];

#[test]
fn a_node_that_is_used_for_long_takes_no_more_of_the_machine() {
    let mut cluster = Cluster::start();
    let end = Instant::now() + Duration::from_secs(wait::seconds(SECONDS));
    let mut samples: Vec<Usage> = Vec::new();
    while Instant::now() < end || samples.len() < LEAST_ROUNDS {
        cluster.round(samples.len());
        samples.push(cluster.usage());
    }
    let measured = samples.get(samples.len() / WARM_UP..).unwrap_or_default();
    let (first, last) = (measured.first(), measured.last());
    println!("{} rounds; from {first:?} to {last:?}", samples.len());
    let too_much: Vec<String> = ROOM
        .iter()
        .filter_map(|(kind, room)| {
            let grown = growth(measured, *kind);
            println!("{kind:?} grew by {grown:.0}, {room:.0} are allowed");
            (grown > *room).then(|| format!("{kind:?} grew by {grown:.0} in {} rounds", measured.len()))
        })
        .collect();
    assert!(too_much.is_empty(), "{too_much:?}: {measured:?}");
}
