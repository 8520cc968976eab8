//! Calls that are repeated, by the admin HTTP, by the command line and by guests, on a node whose process is killed.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use crate::lab::Lab;

/// Entities that leave the memory soon.
const LINES: &str = "durability = \"before-reply\"\npassivate_after = \"100ms\"\n";

impl Lab {
    #[track_caller]
    fn keyed(&self, cart: &str, message: &str, arguments: &Value, key: &str) -> (u16, String) {
        let target = format!("entity:count/{cart}");
        let called = self.try_call(&target, message, arguments, Some(key));
        called.unwrap_or_else(|error| panic!("{target}: {error}"))
    }

    #[track_caller]
    fn put(&self, cart: &str, things: u64, key: &str) -> u64 {
        let (status, body) = self.keyed(cart, "PutAndGet", &json!([things]), key);
        assert_eq!(status, 200, "{body}");
        reply(&body)
    }
}

#[track_caller]
fn reply(body: &str) -> u64 {
    let answer: Value = serde_json::from_str(body).expect("JSON");
    answer["reply"].as_u64().unwrap_or_else(|| panic!("no number: {body}"))
}

#[test]
fn a_call_that_operators_repeat_is_handled_once_also_when_the_process_is_killed_between() {
    let mut lab = Lab::start_of("carts", LINES);
    let pay = ["call", "entity:count/a", "PutAndGet", "5", "--idempotency-key", "one"];
    assert_eq!((lab.put("a", 3, "one"), lab.put("a", 3, "one")), (3, 3));
    // Whoever uses the command line is another caller.
    assert_eq!((lab.says(&pay), lab.says(&pay)), ("8".to_owned(), "8".to_owned()));
    for _ in 0..2 {
        let refused = lab.keyed("a", "Refuse", &json!([2]), "two");
        assert!(
            refused.0 == 502 && refused.1.contains("the shop is closed"),
            "{refused:?}"
        );
    }
    let metrics = lab.metrics();
    assert!(
        metrics.contains("ractor_host_entities_repeated_calls_total{type=\"count\"} 3"),
        "{metrics}"
    );
    lab.kill();
    lab.restart();
    assert_eq!((lab.put("a", 3, "one"), lab.says(&pay)), (3, "8".to_owned()));
    let refused = lab.keyed("a", "Refuse", &json!([2]), "two");
    assert!(refused.1.contains("the shop is closed"), "{refused:?}");
    assert_eq!(lab.get("a"), 10);
    let other = lab.keyed("a", "PutAndGet", &json!([4]), "one");
    assert!(
        other.0 == 502 && other.1.contains("was used for another message"),
        "{other:?}"
    );
    assert_eq!((lab.put("b", 4, "one"), lab.get("a")), (4, 10));
}

#[test]
fn who_can_not_bear_a_key_is_told_so() {
    let mut lab = Lab::start_of("carts", "durability = \"every 1h\"\nalways = [\"a\"]\n");
    let refused = lab.keyed("a", "PutAndGet", &json!([1]), "one");
    assert_eq!(refused.0, 400, "{refused:?}");
    assert!(refused.1.contains("[entities.count] of node.toml"), "{refused:?}");
    let shown = lab.json(&["show", "entity:count/a"]);
    let pid = format!("pid:{}", shown[0]["actor"]["row"]["pid"]);
    let body = |target: &str, message: &str| json!({"target": target, "message": message, "arguments": [1]});
    let long = "x".repeat(256);
    for (path, body, key, said) in [
        ("/v1/call", body(&pid, "PutAndGet"), "one", "is no entity"),
        ("/v1/cast", body("entity:count/a", "Put"), "one", "and a cast can't"),
        ("/v1/call", body("entity:count/a", "PutAndGet"), &long, "1 to 255 bytes"),
        ("/v1/call", body("entity:count/a", "PutAndGet"), "", "1 to 255 bytes"),
    ] {
        let (status, answer) = lab.post_with_key(path, &body, key);
        assert!(status == 400 && answer.contains(said), "{path}: {status}: {answer}");
    }
    let words = ["entity:count/a", "PutAndGet", "1", "--idempotency-key", "one"];
    let ended = lab.message("call", &words);
    assert!(
        ended.code != Some(0) && ended.stderr.contains("on this machine"),
        "{}",
        ended.stderr
    );
    assert_eq!(lab.get("a"), 0);
    lab.stop();
}

#[test]
fn guests_that_repeat_calls_have_keys_of_their_own() {
    let mut lab = Lab::start_of(
        "carts",
        &format!("{LINES}capabilities = {{ messages = [\"entity:count/*\"] }}\n"),
    );
    let put_there = |lab: &Lab, cart: &str, things: u64, key: &str| {
        let arguments = json!(["entity:count/there", things, key]);
        let (status, body) = lab.call(&format!("entity:count/{cart}"), "PutThereOnce", &arguments);
        assert_eq!(status, 200, "{body}");
        let answer: Value = serde_json::from_str(&body).expect("JSON");
        answer["reply"].as_str().expect("a text").to_owned()
    };
    assert_eq!(put_there(&lab, "a", 4, "one"), "4; 4");
    assert_eq!(put_there(&lab, "b", 4, "one"), "8; 8", "it is another caller");
    lab.kill();
    lab.restart();
    assert_eq!(put_there(&lab, "a", 4, "one"), "4; 4");
    let said = put_there(&lab, "a", 5, "one");
    assert!(said.contains("was used for another message"), "{said}");
    assert_eq!(lab.get("there"), 8);
}

#[test]
fn who_repeats_a_call_while_it_is_handled_waits_for_the_same_reply() {
    let lab = Lab::start_of("carts", LINES);
    let answers = AtomicBool::new(true);
    std::thread::scope(|scope| {
        let calls: Vec<_> = (0..3)
            .map(|_| scope.spawn(|| lab.keyed("a", "PutAndWait", &json!([7]), "one")))
            .collect();
        let answering = scope.spawn(|| {
            while answers.load(Ordering::SeqCst) {
                lab.cast("a", "Answer", &json!([]));
                std::thread::sleep(Duration::from_millis(50));
            }
        });
        for call in calls {
            let (status, body) = call.join().expect("it ends");
            assert_eq!((status, reply(&body)), (200, 7), "{body}");
        }
        answers.store(false, Ordering::SeqCst);
        answering.join().expect("it ends");
    });
    assert_eq!(lab.get("a"), 7);
}

/// Whenever the process is killed: whoever repeats a call until there is a reply has done what it does once.
#[test]
fn each_call_that_is_repeated_is_in_the_state_once_though_the_process_is_killed_again_and_again() {
    const CALLS: u64 = 100;
    /// The calls that a sender has replies to before the process is killed.
    const AT_ONCE: usize = 5;
    let mut lab = Lab::start_of("carts", LINES);
    let mut seen: Vec<Option<u64>> = vec![None; CALLS as usize];
    for round in 0..4 {
        let is_killed = round < 3;
        let some_are_done = AtomicBool::new(false);
        let replies: Vec<(usize, u64)> = std::thread::scope(|scope| {
            let (lab, done) = (&lab, &some_are_done);
            let open = |sender| (0..seen.len()).filter(move |call| call % 4 == sender);
            let senders: Vec<_> = (0..4)
                .map(|sender| {
                    let open: Vec<usize> = open(sender).filter(|call| seen[*call].is_none()).collect();
                    scope.spawn(move || {
                        let mut had = Vec::new();
                        for call in open {
                            let key = format!("call {call}");
                            // None if the node is gone.
                            match lab.try_call("entity:count/a", "PutAndGet", &json!([1]), Some(&key)) {
                                Ok((200, body)) => had.push((call, reply(&body))),
                                Ok(refused) => panic!("{refused:?}"),
                                Err(_) => break,
                            }
                            if had.len() >= AT_ONCE {
                                done.store(true, Ordering::SeqCst);
                            }
                        }
                        had
                    })
                })
                .collect();
            if is_killed {
                // In the middle of what they do.
                while !done.load(Ordering::SeqCst) {
                    std::thread::yield_now();
                }
                lab.kill();
            }
            let had = senders.into_iter().map(|sender| sender.join().expect("it ends"));
            had.flatten().collect()
        });
        for (call, reply) in replies {
            seen[call] = Some(reply);
        }
        if is_killed {
            assert!(seen.iter().any(Option::is_none), "the process is killed in between");
            lab.restart();
        }
    }
    assert_eq!(lab.get("a"), CALLS);
    let mut replies: Vec<u64> = seen.into_iter().flatten().collect();
    replies.sort_unstable();
    assert!(replies.into_iter().eq(1..=CALLS), "each saw a state of its own");
}
