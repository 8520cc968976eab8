//! Histories: numbered messages from several senders to a guest and a native actor on other nodes, while links break, processes
//! pause, fail, are killed and are stopped in order, disks are full and code is replaced. What the senders were told and what the
//! receivers have is recorded, and checked by `check`, which `checker` tests.
//!
//! `RACTOR_TEST_SECONDS` says how long runs are made, one after the other, and `RACTOR_HISTORY_SEED` where the choices of the first
//! begin. Each next one has the next seed.
#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test says that it failed by panicking"
)]

mod check;
mod checker;
mod cluster;
mod history;

use std::time::{Duration, Instant};

use ractor_host_tests::random::{self, Random};
use ractor_host_tests::wait;

use crate::cluster::Cluster;
use crate::history::{Burst, Disturbance, Step, Stopped};

/// The time for which runs are made, in seconds, unless the environment says otherwise. The last one is finished.
const SECONDS: u64 = 15;

/// What goes wrong in one run, in an order that is drawn.
const DISTURBANCES: [Disturbance; 11] = [
    Disturbance::Nothing,
    Disturbance::Pause,
    Disturbance::Reload,
    Disturbance::FullDisk,
    Disturbance::Cut,
    Disturbance::Cut,
    Disturbance::Partition,
    Disturbance::Trap,
    Disturbance::Kill,
    // How it ends is seen then.
    Disturbance::Stop(Stopped::Kept),
    Disturbance::Stop(Stopped::Kept),
];

#[test]
fn whatever_happens_messages_come_in_order_and_once_and_none_is_lost_without_a_reason() {
    let end = Instant::now() + Duration::from_secs(wait::seconds(SECONDS));
    let first = random::seed();
    for seed in first.. {
        println!("history with RACTOR_HISTORY_SEED={seed}");
        run(seed);
        if Instant::now() > end {
            return;
        }
    }
}

fn run(seed: u64) {
    let mut random = Random::new(seed);
    let mut cluster = Cluster::start();
    let mut steps: Vec<Step> = Vec::new();
    let mut left = DISTURBANCES.to_vec();
    for at in 0..DISTURBANCES.len() {
        let disturbance = left.swap_remove(random.below(left.len()));
        println!("step {at}: {disturbance:?}");
        steps.push(cluster.step(disturbance, &mut random));
        let violations = check::check(&steps);
        assert!(
            violations.is_empty(),
            "RACTOR_HISTORY_SEED={seed}, step {at}: {violations:?}\n{}",
            told(&steps, at)
        );
    }
}

/// What happened in a step, for whoever looks for the reason.
fn told(steps: &[Step], at: usize) -> String {
    let step = &steps[at];
    let bursts = step.bursts.iter().map(|burst| {
        let Burst {
            sender,
            receiver,
            from,
            outcomes,
        } = burst;
        format!("{sender} to {receiver:?} from {from}: {outcomes:?}")
    });
    let reads = step.reads.iter().map(|(receiver, entries)| {
        let last = entries.len().saturating_sub(60);
        format!(
            "{receiver:?} has {} messages, the last {:?}",
            entries.len(),
            &entries[last..]
        )
    });
    let disturbances: Vec<_> = steps.iter().map(|step| step.disturbance).collect();
    bursts
        .chain(reads)
        .chain([format!("{disturbances:?}")])
        .collect::<Vec<_>>()
        .join("\n")
}
