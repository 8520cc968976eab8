//! Entities as a user has them by node.toml: an actor for each key, whose state outlives it, the node's process, and a kill.
#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod guests;
mod keys;
mod lab;
mod peers;
mod reminders;

use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::json;

use crate::lab::Lab;

#[test]
fn two_keys_are_two_states_and_an_entity_is_looked_at_and_steered_as_an_actor_is() {
    let lab = Lab::start("durability = \"before-reply\"\nalways = [\"first\"]\n");
    assert_eq!(lab.add("a", 1), 1);
    assert_eq!(lab.add("b", 10), 10);
    assert_eq!((lab.add("a", 1), lab.get("b")), (2, 10));
    let types = lab.types();
    assert_eq!(
        (&types[0]["type"], &types[0]["active"]),
        (&json!("count"), &json!(3)),
        "{types}"
    );
    assert_eq!(types[0]["durability"], "before-reply");
    let shown = lab.json(&["show", "entity:count/a"]);
    assert_eq!(shown[0]["actor"]["row"]["name"], "entity:count/a", "{shown}");
    let actors = lab.json(&["ps"]);
    assert!(actors.to_string().contains("entity:count/first"), "{actors}");
    // What ends it costs it nothing.
    for verb in ["stop", "kill"] {
        lab.json(&[verb, "entity:count/a"]);
        assert_eq!(lab.get("a"), 2, "after `{verb}`");
    }
    let unknown = lab.call("entity:counts/a", "Get", &json!([]));
    assert_eq!(unknown.0, 404, "{}", unknown.1);
    assert!(unknown.1.contains("did you mean"), "{}", unknown.1);
}

#[test]
fn a_state_that_is_given_up_is_gone_and_the_others_are_listed() {
    let lab = Lab::start("durability = \"before-reply\"\n");
    for key in ["a", "b", "c"] {
        lab.add(key, 5);
    }
    let listed = lab.json(&["entities", "ls", "count", "--limit", "2"]);
    assert_eq!(listed[0]["entities"], json!(["entity:count/a", "entity:count/b"]));
    assert_eq!(listed[0]["more"], true);
    let deleted = lab.json(&["entities", "delete", "entity:count/a"]);
    assert_eq!(deleted[0]["deleted"], "entity:count/a");
    let listed = lab.json(&["entities", "ls", "count", "--after", "entity:count/a"]);
    assert_eq!(listed[0]["entities"], json!(["entity:count/b", "entity:count/c"]));
    assert_eq!((lab.get("a"), lab.get("b")), (0, 5));
}

/// Whatever reply was seen before the kill is in the state after it.
#[test]
fn each_reply_that_was_seen_is_in_the_state_after_the_process_is_killed() {
    let mut lab = Lab::start("durability = \"before-reply\"\n");
    let keys = ["a", "b", "c", "d"];
    for round in 0..3 {
        let seen: Vec<AtomicU64> = keys.iter().map(|_| AtomicU64::new(0)).collect();
        std::thread::scope(|scope| {
            for (key, seen) in keys.iter().zip(&seen) {
                let lab = &lab;
                // Until the node is gone.
                scope.spawn(move || {
                    while let Some(count) = lab.try_add(key) {
                        seen.store(count, Ordering::SeqCst);
                    }
                });
            }
            while seen.iter().any(|seen| seen.load(Ordering::SeqCst) < 20 * (round + 1)) {
                std::thread::yield_now();
            }
            lab.kill();
        });
        lab.restart();
        for (key, seen) in keys.iter().zip(&seen) {
            let (seen, kept) = (seen.load(Ordering::SeqCst), lab.get(key));
            // One more may have been written whose reply never left.
            assert!(
                (seen..=seen + 1).contains(&kept),
                "{key}: a reply said {seen}, and the state is {kept}"
            );
        }
    }
}

#[test]
fn states_outlive_a_stop_in_order_also_where_they_are_written_now_and_then() {
    let mut lab = Lab::start("durability = \"every 1h\"\n");
    assert_eq!(lab.add("a", 7), 7);
    lab.stop();
    lab.restart();
    assert_eq!(lab.get("a"), 7);
}

/// Far more keys than may be active: each has its own state all the same.
#[test]
fn five_hundred_keys_of_which_fifty_are_active_all_keep_their_states() {
    const KEYS: usize = 500;
    let lab = Lab::start("durability = \"every 1h\"\nmax_active = 50\n");
    let each = |work: &(dyn Fn(usize) + Sync)| {
        let next = AtomicU64::new(0);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    loop {
                        let key = usize::try_from(next.fetch_add(1, Ordering::SeqCst)).expect("a small number");
                        if key >= KEYS {
                            return;
                        }
                        work(key);
                    }
                });
            }
        });
    };
    each(&|key| assert_eq!(lab.add(&key.to_string(), key as u64), key as u64));
    let types = lab.types();
    // The limit is one for new activations, of which some go on at the same time.
    assert!(
        types[0]["active"].as_u64().is_some_and(|active| active <= 114),
        "{types}"
    );
    assert!(
        types[0]["passivations"].as_u64().is_some_and(|ended| ended >= 380),
        "{types}"
    );
    each(&|key| assert_eq!(lab.get(&key.to_string()), key as u64, "key {key}"));
    assert!(lab.types()[0]["crashes"] == 0);
}

#[test]
fn a_module_that_gives_no_state_is_refused_unless_its_states_are_not_kept() {
    let said = lab::check("greeter", "");
    assert!(said.contains("does not export the interface `reload`"), "{said}");
    assert!(
        said.contains("write `durability = \"none\"`, or export `reload`"),
        "{said}"
    );
}
