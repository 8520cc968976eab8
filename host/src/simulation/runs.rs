//! The runs: each seed by itself, and what is printed when one fails.

use std::fmt::Debug;
use std::str::FromStr;
use std::time::{Duration, Instant};

use super::plan::Plan;
use super::world::World;
use ractor_host_cluster::internals::random::Random;

/// The number of runs unless more are asked for.
const RUNS: u64 = 25;

fn variable<T: FromStr<Err: Debug>>(name: &str) -> Option<T> {
    let value = std::env::var(name).ok()?;
    Some(value.parse().expect("a number"))
}

fn run(seed: u64, start: Instant) -> World {
    let mut random = Random::new(seed);
    let plan = Plan::draw(&mut random);
    let mut world = World::new(plan, random, start);
    world.run();
    if world.history.violations.is_empty() {
        world.check();
    }
    world
}

#[test]
fn whole_nodes_keep_what_was_promised_whatever_goes_wrong() {
    let seed = variable("RACTOR_SIM_SEED");
    let minutes: Option<u64> = variable("RACTOR_SIM_MINUTES");
    let until = minutes.map(|minutes| Instant::now() + Duration::from_secs(60 * minutes));
    let runs = variable("RACTOR_SIM_RUNS").unwrap_or(if seed.is_some() { 1 } else { RUNS });
    let first: u64 = seed.unwrap_or(0);
    let start = Instant::now();
    let (mut handled, mut replied, mut restored, mut stopped, mut resumed) = (0, 0, 0, 0, 0);
    let (mut reloaded, mut rolled_back, mut given_again) = (0, 0, 0);
    let mut seeds = first..;
    let mut done = 0;
    while until.map_or(done < runs, |until| Instant::now() < until) {
        let seed = seeds.next().unwrap();
        let world = run(seed, start);
        let violations = &world.history.violations;
        if (runs == 1 && until.is_none()) || !violations.is_empty() {
            println!("{:#?}", world.plan);
            for (at, what) in &world.trace {
                println!("{at:>10} {what}");
            }
        }
        let again = format!("run it alone with RACTOR_SIM_SEED={seed}");
        assert!(violations.is_empty(), "seed {seed} ({again}): {violations:#?}");
        if done == 0 {
            let repeated = run(seed, start);
            assert!(world.trace == repeated.trace, "seed {seed} ({again}) gave two runs");
        }
        handled += world.history.handled;
        replied += world.history.replied;
        restored += world.history.restored;
        stopped += world.history.stopped;
        resumed += world.history.resumed;
        reloaded += world.history.reloaded;
        rolled_back += world.history.rolled_back;
        given_again += world.history.given_again;
        done += 1;
    }
    println!(
        "{done} runs from seed {first}: {handled} messages handled, {replied} calls answered, {restored} states restored, {resumed} guests restarted, {stopped} orderly stops, {reloaded} reloads, {rolled_back} rolled back, {given_again} messages given again"
    );
    assert!(
        runs == 1
            || (handled > 0
                && replied > 0
                && restored > 0
                && stopped > 0
                && resumed > 0
                && reloaded > 0
                && rolled_back > 0
                && given_again > 0),
        "nothing happened"
    );
}
