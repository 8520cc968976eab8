//! The runs, and what is printed when one fails.

use std::collections::HashMap;
use std::fmt::Debug;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::str::FromStr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::check::Counted;
use super::random::Random;
use super::scenario::Scenario;
use super::world::World;
use crate::node::{Planner, plan};

/// Seeds from here on are for long runs, which begin there.
const MILLION: u64 = 1_000_000;

fn variable<T: FromStr<Err: Debug>>(name: &str) -> Option<T> {
    let value = std::env::var(name).ok()?;
    Some(value.parse().expect("a number"))
}

/// Computes each assignment once, however many nodes ask for it.
fn remembering() -> Planner {
    let plan = plan();
    let known = Mutex::new(HashMap::new());
    Arc::new(move |type_id, candidates, present| {
        let mut hasher = DefaultHasher::new();
        (type_id.0, present).hash(&mut hasher);
        candidates.iter().for_each(|one| one.incarnation.hash(&mut hasher));
        let mut known = known.lock().expect("nobody panics with it");
        let key = hasher.finish();
        if known.len() > 1_000 {
            known.clear();
        }
        Arc::clone(known.entry(key).or_insert_with(|| plan(type_id, candidates, present)))
    })
}

pub(super) type Draw = fn(&mut Random, usize) -> Scenario;

pub(super) fn run(seed: u64, nodes: usize, draw: Draw, traced: bool) -> World {
    let mut random = Random::new(seed);
    let scenario = draw(&mut random, nodes);
    let planner = if nodes > 20 { remembering() } else { plan() };
    let mut world = World::new(scenario, random, planner, traced);
    world.run();
    world
}

fn print(world: &World) {
    println!("{:#?}", world.scenario);
    for (at, what) in world.trace.iter().flatten() {
        println!("{:>12.6} {what}", *at as f64 / 1e9);
    }
}

/// Runs seeds until one breaks a rule; says how much happened in all of them.
fn simulate(runs: u64, nodes: usize, draw: Draw) -> Counted {
    let seed = variable("RACTOR_SIM_SEED");
    let minutes: Option<u64> = variable("RACTOR_SIM_MINUTES");
    let until = minutes.map(|minutes| Instant::now() + Duration::from_secs(60 * minutes));
    let runs = variable("RACTOR_SIM_RUNS").unwrap_or(if seed.is_some_and(|seed| seed < MILLION) {
        1
    } else {
        runs
    });
    let first: u64 = seed.unwrap_or(0);
    let (start, mut done, mut steps, mut sum) = (Instant::now(), 0, 0, Counted::default());
    for seed in first.. {
        if until.map_or(done >= runs, |until| Instant::now() >= until) {
            break;
        }
        done += 1;
        let world = run(seed, nodes, draw, false);
        let failed = !world.oracle.violations.is_empty();
        if failed || (runs == 1 && until.is_none()) {
            print(&run(seed, nodes, draw, true));
        }
        assert!(
            world.oracle.violations.is_empty(),
            "seed {seed} (run it alone with RACTOR_SIM_SEED={seed}): {:#?}",
            world.oracle.violations
        );
        steps += world.steps;
        sum.add(world.oracle.counted);
    }
    println!(
        "{done} runs of {nodes} nodes from seed {first}, {steps} steps, {:?}: {sum:?}",
        start.elapsed()
    );
    sum
}

impl Counted {
    fn add(&mut self, other: Self) {
        self.begun += other.begun;
        self.replied += other.replied;
        self.written += other.written;
        self.taken += other.taken;
        self.ended += other.ended;
        self.reminders += other.reminders;
        self.lost += other.lost;
        self.overloaded += other.overloaded;
        self.unowned += other.unowned;
    }
}

#[test]
fn whatever_fails_no_two_nodes_act_for_one_shard() {
    let sum = simulate(1_000, 10, Scenario::trouble);
    assert!(
        sum.begun > 0 && sum.written > 0 && sum.ended > 0 && sum.lost > 0,
        "{sum:?}"
    );
}

#[test]
fn nodes_that_fail_and_join_every_second_keep_every_promise() {
    simulate(100, 10, Scenario::churn);
}

#[test]
fn an_outage_of_the_store_moves_nothing() {
    simulate(150, 6, Scenario::outage);
}

#[test]
fn what_a_lost_node_had_is_served_within_a_lease_and_two_seconds() {
    simulate(100, 6, Scenario::failover);
}

#[test]
fn a_clock_of_the_store_that_steps_within_the_margin_harms_nothing() {
    simulate(15, 6, Scenario::skew);
}

#[test]
fn a_node_that_stands_still_without_knowing_it_writes_nothing_late() {
    simulate(20, 6, Scenario::naps);
}

#[test]
fn a_store_that_loses_commits_has_its_cluster_back() {
    simulate(50, 6, Scenario::lost_commits);
}

#[test]
fn nodes_on_the_brink_of_their_lease_keep_every_promise() {
    simulate(15, 6, Scenario::brinks);
}

#[test]
fn order_holds_while_shards_move_under_load() {
    simulate(20, 4, Scenario::moves);
}

#[test]
fn very_many_entities_are_activated_in_turns() {
    simulate(2, 2, Scenario::stampede);
}

#[test]
fn a_hundred_nodes_keep_every_promise() {
    simulate(4, 100, Scenario::trouble);
}

#[test]
#[ignore = "takes two minutes"]
fn a_thousand_nodes_keep_every_promise() {
    simulate(1, 1_000, Scenario::churn);
}

/// `RACTOR_SIM_SEED=1000000 cargo test --release -p ractor-host-placement simulation::runs::a_million -- --ignored --nocapture`; with
/// `RACTOR_SIM_RUNS` or `RACTOR_SIM_MINUTES` as many as that.
#[test]
#[ignore = "takes hours"]
fn a_million_runs() {
    simulate(1_000_000, 10, Scenario::trouble);
}
