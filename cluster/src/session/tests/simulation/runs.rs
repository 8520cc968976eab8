//! The runs: each seed twice, and what is printed when one fails.

use std::fmt::Debug;
use std::str::FromStr;
use std::time::{Duration, Instant};

use super::scenario::Scenario;
use super::world::World;
use crate::internals::random::Random;

fn variable<T: FromStr<Err: Debug>>(name: &str) -> Option<T> {
    let value = std::env::var(name).ok()?;
    Some(value.parse().expect("a number"))
}

fn run(seed: u64, draw: fn(&mut Random) -> Scenario, start: Instant) -> World {
    let mut random = Random::new(seed);
    let scenario = draw(&mut random);
    let mut world = World::new(scenario, random, start);
    world.run();
    world.check_settled();
    world
}

/// Runs each seed twice and fails at the first that breaks a rule or does not repeat itself.
fn simulate(runs: u64, draw: fn(&mut Random) -> Scenario) {
    let seed = variable("RACTOR_SIM_SEED");
    let minutes: Option<u64> = variable("RACTOR_SIM_MINUTES");
    let until = minutes.map(|minutes| Instant::now() + Duration::from_secs(60 * minutes));
    let runs = variable("RACTOR_SIM_RUNS").unwrap_or(if seed.is_some() { 1 } else { runs });
    let first: u64 = seed.unwrap_or(0);
    let start = Instant::now();
    let mut done = 0;
    for seed in first.. {
        if until.map_or(done >= runs, |until| Instant::now() >= until) {
            break;
        }
        done += 1;
        let world = run(seed, draw, start);
        if (runs == 1 && until.is_none()) || !world.violations.is_empty() {
            println!("{:#?}", world.scenario);
            for (at, trace) in &world.trace {
                println!("{at:>10} {trace:?}");
            }
        }
        let again = "run it alone with RACTOR_SIM_SEED";
        assert!(
            world.violations.is_empty(),
            "seed {seed} ({again}={seed}): {:#?}",
            world.violations
        );
        let repeated = run(seed, draw, start);
        assert!(
            world.trace == repeated.trace,
            "seed {seed} ({again}={seed}) gave two runs"
        );
    }
    println!("{done} runs from seed {first}");
}

#[test]
fn of_many_connections_between_two_nodes_both_keep_the_same_one() {
    simulate(1_500, Scenario::race);
}

#[test]
fn what_a_node_believes_of_another_is_what_that_one_has() {
    simulate(400, Scenario::traffic);
}
