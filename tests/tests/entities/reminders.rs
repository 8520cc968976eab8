//! Reminders of guests on a node, whose process is stopped and killed.

use std::time::{Duration, Instant};

use ractor_host_entities::{Entity, slot};
use ractor_host_tests::wait::PATIENCE;
use serde_json::{Value, json};

use crate::lab::Lab;

/// Entities that leave the memory soon.
const LINES: &str = "durability = \"before-reply\"\npassivate_after = \"100ms\"\n";

/// Keys of the first slots, which are not kept back for long after an outage.
fn early_keys(count: usize) -> Vec<String> {
    let is_early = |key: &String| slot(&Entity::new("count", key).unwrap()) < 2;
    (0..)
        .map(|key: u32| key.to_string())
        .filter(is_early)
        .take(count)
        .collect()
}

impl Lab {
    #[track_caller]
    fn remind(&self, key: &str, id: &str, after_ms: u64, period_ms: u64) {
        self.cast(key, "RemindToPut", &json!([id, after_ms, period_ms, 1]));
        // The reply says that it is written.
        let listed = self.call(&format!("entity:count/{key}"), "Reminders", &json!([]));
        assert!(listed.1.contains(id), "{}", listed.1);
    }

    fn of_type(&self, figure: &str) -> u64 {
        self.types()[0][figure].as_u64().unwrap()
    }

    fn shown(&self, key: &str) -> Value {
        self.json(&["show", &format!("entity:count/{key}")])[0]["actor"].clone()
    }

    #[track_caller]
    fn until(&self, what: &str, is_so: impl Fn() -> bool) {
        let begun = Instant::now();
        while !is_so() {
            assert!(begun.elapsed() < PATIENCE, "{what}: {}", self.types());
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

#[test]
fn a_reminder_wakes_an_entity_that_is_not_active_and_show_has_it_all_the_while() {
    let lab = Lab::start_of("carts", LINES);
    lab.remind("a", "tea", 2_000, 0);
    lab.until("it leaves the memory", || lab.of_type("active") == 0);
    let shown = lab.shown("a");
    assert_eq!(
        (&shown["row"]["pid"], &shown["row"]["name"]),
        (&json!(0), &json!("entity:count/a"))
    );
    assert_eq!(
        (&shown["reminders"][0]["id"], &shown["reminders"][0]["message"]),
        (&json!("tea"), &json!("Put"))
    );
    lab.until("it is reminded", || lab.of_type("reminders_fired") == 1);
    assert_eq!(lab.get("a"), 1);
    assert_eq!(lab.shown("a")["reminders"], json!([]));
    // One that is cancelled doesn't come.
    lab.remind("a", "cancelled", 3_000, 0);
    lab.cast("a", "CancelReminder", &json!(["cancelled"]));
    lab.remind("a", "later", 4_000, 0);
    lab.until("the later one comes", || lab.of_type("reminders_fired") == 2);
    assert_eq!(lab.get("a"), 2);
}

#[test]
fn a_reminder_that_was_due_while_the_node_was_gone_comes_once() {
    let mut lab = Lab::start_of("carts", LINES);
    let key = early_keys(1).remove(0);
    lab.remind(&key, "once", 500, 0);
    lab.remind(&key, "often", 1_000, 3_600_000);
    lab.kill();
    // It is due by then. What is asserted holds however long this takes.
    std::thread::sleep(Duration::from_millis(1_500));
    lab.restart();
    lab.until("both come", || lab.of_type("reminders_fired") == 2);
    assert_eq!(lab.get(&key), 2);
    let shown = lab.shown(&key);
    assert_eq!(shown["reminders"].as_array().map(Vec::len), Some(1), "{shown}");
    assert_eq!(
        (&shown["reminders"][0]["id"], &shown["reminders"][0]["period_ms"]),
        (&json!("often"), &json!(3_600_000))
    );
    lab.stop();
    lab.restart();
    assert_eq!(lab.get(&key), 2);
}

/// Whenever the process is killed, each reminder is in the state once: what was written of it is written with the state.
#[test]
fn each_reminder_is_in_the_state_once_though_the_process_is_killed_again_and_again() {
    let mut lab = Lab::start_of("carts", LINES);
    let keys = early_keys(3);
    for key in &keys {
        for id in 0..20_u64 {
            lab.cast(key, "RemindToPut", &json!([id.to_string(), 1_000 + id * 150, 0, 1]));
        }
        assert_eq!(lab.get(key), 0);
    }
    for _ in 0..3 {
        let before = lab.of_type("reminders_fired");
        lab.until("some come", || lab.of_type("reminders_fired") > before);
        lab.kill();
        lab.restart();
    }
    for key in &keys {
        lab.until("all come", || lab.shown(key)["reminders"] == json!([]));
        assert_eq!(lab.get(key), 20, "{key}");
    }
}

#[test]
fn a_guest_that_fails_at_a_reminder_is_given_it_again_and_has_no_more_of_them_than_it_may() {
    let lab = Lab::start_of("carts", &format!("{LINES}limits = {{ reminders = 5 }}\n"));
    lab.cast("a", "RemindToCrash", &json!(["bad", 100]));
    lab.until("it fails, and is tried again", || lab.of_type("reminders_failed") >= 2);
    assert_eq!(lab.get("a"), 0, "what it did is lost");
    lab.cast("a", "CancelReminder", &json!(["bad"]));
    let (status, body) = lab.call("entity:count/a", "RemindTooOften", &json!([]));
    assert_eq!(status, 200, "{body}");
    assert!(body.contains("5: the entity has as many reminders as it may"), "{body}");
}
