//! Entities of five nodes, as their callers see them while nodes, links and PostgreSQL fail: registers, counters, logs and accounts.
//! What the callers saw is checked: that one call after the other explains it (`linear`, which `checker` tests), and that what the
//! promises say of order, of repeated calls and of lost messages holds.
//!
//! `RACTOR_TEST_SECONDS` says how long runs are made, one after the other, and `RACTOR_HISTORY_SEED` where the choices of the first
//! begin. Each next one has the next seed. `RACTOR_TEST_FAULTS` names the faults that there are to be, if not all (`nemesis` has
//! their names). With `RACTOR_TEST_BROKEN` the nodes are a build that is broken on purpose, and the test fails unless a run finds that.
#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test says that it failed by panicking"
)]

mod caller;
mod checker;
mod cluster;
mod faketime;
mod linear;
mod member;
mod nemesis;
mod workloads;

use std::time::{Duration, Instant};

use ractor_host_tests::random::{self, Random};
use ractor_host_tests::wait;

use crate::cluster::Cluster;
use crate::workloads::Run;

/// The time for which runs are made, in seconds, unless the environment says otherwise.
const SECONDS: u64 = 60;
/// The longest time for which things go wrong in one run: the histories of a key get longer, and those that are checked longer still.
const RUN: Duration = Duration::from_secs(60);

/// Says that the nodes are broken on purpose: a run has to find that.
const BROKEN: &str = "RACTOR_TEST_BROKEN";

#[test]
fn whatever_fails_callers_see_entities_that_handle_one_call_after_the_other_and_lose_none() {
    let end = Instant::now() + Duration::from_secs(wait::seconds(SECONDS));
    for seed in random::seed().. {
        println!("run with RACTOR_HISTORY_SEED={seed}");
        let until = end.min(Instant::now() + RUN);
        let Some([wrong, unanswered]) = run(seed, until) else {
            return;
        };
        let told = format!("RACTOR_HISTORY_SEED={seed}: {}", wrong.join("\n"));
        if let Ok(what) = std::env::var(BROKEN) {
            // That nobody answers isn't what it has to find.
            if !wrong.is_empty() {
                println!("{what} is broken, and found: {told}");
                return;
            }
            assert!(Instant::now() < end, "{what} is broken, and no run has found that");
        } else {
            assert!(wrong.is_empty(), "{told}");
            assert!(
                unanswered.is_empty(),
                "RACTOR_HISTORY_SEED={seed}: {}",
                unanswered.join("\n")
            );
            if Instant::now() > end {
                return;
            }
        }
    }
}

/// What is wrong with what the callers of one run saw, and what nobody answered them. None if there is no PostgreSQL.
fn run(seed: u64, until: Instant) -> Option<[Vec<String>; 2]> {
    let mut cluster = Cluster::start()?;
    let (run, callers) = (Run::new(), cluster.callers());
    let mut random = Random::new(seed);
    let seen = workloads::run_during(&run, &callers, seed, || {
        nemesis::run(&mut cluster, &nemesis::faults(), &mut random, until);
    });
    println!("{}", seen.counted());
    for (said, times) in run.said() {
        println!("{times} times: {said}");
    }
    Some([seen.check(), run.unanswered()])
}
