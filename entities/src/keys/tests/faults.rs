//! Calls that are repeated until they have a reply, while everything that can fail does.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::*;

/// The calls of one run.
const CALLS: u64 = 40;

/// Repeats a call until it has a reply.
async fn until_it_has_a_reply(till: EntityRef<TillMsg>, number: u64, mut random: StdRng) -> u64 {
    let key = format!("call {number}");
    for _ in 0..10_000 {
        tokio::time::sleep(Duration::from_millis(random.random_range(0..2_000))).await;
        let wait = Some(Duration::from_millis(random.random_range(1..3_000)));
        let keyed = till.with_idempotency_key(&key);
        match keyed.call(|reply| TillMsg::Count(number, reply), wait).await {
            Ok(reply) => return reply,
            Err(CallError::Failed(reason)) => assert!(!reason.contains("not handled again"), "{reason}"),
            Err(_) => {}
        }
    }
    panic!("call {number} never had a reply");
}

/// Whatever fails and whenever it does: a call is in the state once, and everybody who has made it has one reply.
#[tokio::test(start_paused = true)]
async fn whatever_fails_a_call_that_is_repeated_is_in_the_state_once() {
    for seed in 0..12 {
        println!("seed {seed}");
        let mut random = StdRng::seed_from_u64(seed);
        let mut world = World::new().await;
        let mut calls = tokio::task::JoinSet::new();
        for number in 0..CALLS {
            for _ in 0..2 {
                let (till, random) = (world.till(), StdRng::from_rng(&mut random));
                calls.spawn(async move { (number, until_it_has_a_reply(till, number, random).await) });
            }
        }
        for _ in 0..30 {
            tokio::time::sleep(Duration::from_millis(random.random_range(0..400))).await;
            match random.random_range(0..6) {
                0 => world.crashes.store(true, Ordering::SeqCst),
                1 => drop(passivate(world.till().entity())),
                2 => drop(active(world.till().entity()).inspect(|actor| actor.kill())),
                3 => world.store.fails.store(true, Ordering::SeqCst),
                4 => world.store.fails.store(false, Ordering::SeqCst),
                _ => world.loses_its_node().await,
            }
        }
        world.store.fails.store(false, Ordering::SeqCst);
        let mut replies: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
        while let Some(call) = calls.join_next().await {
            let (number, reply) = call.unwrap();
            replies.entry(number).or_default().push(reply);
        }
        for (number, seen) in &replies {
            assert_eq!(world.counted(*number).await, 1, "seed {seed}: call {number}");
            assert_eq!(seen.first(), seen.last(), "seed {seed}: call {number}");
        }
        let mut all: Vec<u64> = replies.into_values().map(|seen| seen[0]).collect();
        all.sort_unstable();
        assert!(
            all.into_iter().eq(1..=CALLS),
            "seed {seed}: each saw a state of its own"
        );
    }
}
