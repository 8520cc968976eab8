//! Entities of a cluster: one for each key, whichever node is asked, and there again when its node has gone.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use postgres_server::Server;
use ractor_host_tests::process::Signal;
use ractor_host_tests::{programs, wait};
use serde_json::{Value, json};

use crate::ring::{Answer, Member};

pub(crate) const KEYS: u64 = 24;

/// One that sleeps.
const BUSY: &str = "entity:kitchen/busy";

pub(crate) fn key(number: u64) -> String {
    format!("k{number}")
}

/// Waits until each entity answers by this node.
pub(crate) fn wait_for_all(member: &Member) {
    for number in 0..KEYS {
        member.get(&key(number));
    }
}

#[test]
fn an_entity_is_the_same_from_every_node_and_lives_on_one_of_them() {
    let Some(server) = Server::start() else { return };
    let url = server.url("postgres", "postgres");
    let lines = "durability = \"before-reply\"\n";
    let members = ["alpha", "beta", "gamma"].map(|name| Member::start(name, &url, lines));
    // A node that has none itself knows where they are, too.
    let without = Member::start_node("delta", &url, "");
    for member in members.iter().chain([&without]) {
        wait_for_all(member);
    }
    for number in 0..KEYS {
        let all = members.iter().chain([&without]);
        let counts: Vec<_> = all.map(|member| member.add(&key(number))).collect();
        assert_eq!(counts, [1, 2, 3, 4].map(Answer::Count), "{}", key(number));
    }
    let active = members.each_ref().map(Member::active);
    assert_eq!(active.iter().sum::<u64>(), KEYS, "{active:?}");
    // A call that is repeated by another node is the same.
    let calls = [&without, &members[0], &without, &members[2]];
    let counts = calls.map(|member| member.add_once(&key(1), "once"));
    assert_eq!(counts, [5, 5, 5, 5].map(Answer::Count));
    // Whatever node is asked: it knows of all, or whom to ask.
    let listed = without.json(&["entities", "ls", "count", "--limit", "2"]);
    assert_eq!(listed[0]["entities"].as_array().map(Vec::len), Some(2), "{listed}");
    let deleted = without.json(&["entities", "delete", "entity:count/k2"]);
    assert_eq!(deleted[0]["deleted"], "entity:count/k2");
    assert_eq!((members[1].get(&key(2)), members[1].get(&key(3))), (0, 4));
    // A counter that starts writes a line to the log of its node.
    for verb in ["show", "logs", "stop"] {
        let ended = members.each_ref().map(|member| member.run(&[verb, "entity:count/k3"]));
        let knows: Vec<_> = ended.iter().filter(|ended| ended.code == Some(0)).collect();
        assert_eq!(knows.len(), 1, "{verb}: {ended:?}");
        let others = ended.iter().filter(|ended| ended.code != Some(0));
        for other in others {
            assert!(
                other.stderr.contains("entity:count/k3 is on the node"),
                "{verb}: {}",
                other.stderr
            );
        }
    }
}

/// Says so when it is dropped.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// Callers that count keys up by one after the other of these nodes, until they are told to stop.
pub(crate) struct Callers {
    /// Of each key the calls that were made, and the highest count that one was answered.
    made: Vec<AtomicU64>,
    seen: Vec<AtomicU64>,
    failed: AtomicU64,
    is_over: AtomicBool,
}

impl Callers {
    pub(crate) fn new() -> Self {
        let none = || (0..KEYS).map(|_| AtomicU64::new(0)).collect();
        Self {
            made: none(),
            seen: none(),
            failed: AtomicU64::new(0),
            is_over: AtomicBool::new(false),
        }
    }

    /// Calls by these nodes while `work` is done.
    pub(crate) fn run_during(&self, members: &[&Member], work: impl FnOnce()) {
        std::thread::scope(|scope| {
            for (at, member) in members.iter().enumerate() {
                scope.spawn(move || {
                    for number in (at as u64..).step_by(members.len()) {
                        if self.is_over.load(Ordering::SeqCst) {
                            return;
                        }
                        self.call(member, number % KEYS);
                    }
                });
            }
            // However the work ends: a test that fails must not wait for its callers for ever.
            let _over = Over(&self.is_over);
            work();
        });
    }

    fn call(&self, member: &Member, number: u64) {
        let at = usize::try_from(number).expect("a small number");
        self.made[at].fetch_add(1, Ordering::SeqCst);
        match member.add(&key(number)) {
            Answer::Count(count) => {
                let before = self.seen[at].fetch_max(count, Ordering::SeqCst);
                assert_ne!(before, count, "two calls of {} were answered the same", key(number));
            }
            Answer::Failed(_, said) => {
                eprintln!("{}: {said}", key(number));
                self.failed.fetch_add(1, Ordering::SeqCst);
            }
            Answer::Gone => drop(self.failed.fetch_add(1, Ordering::SeqCst)),
        }
    }

    pub(crate) fn calls(&self) -> u64 {
        self.made.iter().map(|made| made.load(Ordering::SeqCst)).sum()
    }

    pub(crate) fn wait_for_more(&self, more: u64) {
        let enough = self.calls() + more;
        wait::until("calls", || self.calls(), |calls| *calls >= enough);
    }

    /// What was answered is in the states, and nothing is that nobody called for. Gives the calls that failed.
    #[track_caller]
    pub(crate) fn check(&self, member: &Member) -> u64 {
        for number in 0..KEYS {
            let at = usize::try_from(number).expect("a small number");
            let (made, seen) = (
                self.made[at].load(Ordering::SeqCst),
                self.seen[at].load(Ordering::SeqCst),
            );
            let count = member.get(&key(number));
            assert!(
                seen <= count && count <= made,
                "{}: {seen} <= {count} <= {made}",
                key(number)
            );
        }
        self.failed.load(Ordering::SeqCst)
    }
}

#[test]
fn a_node_that_stops_gives_its_entities_away_and_no_call_notices() {
    let Some(server) = Server::start() else { return };
    let url = server.url("postgres", "postgres");
    let lines = "durability = \"before-reply\"\n";
    // The first one has all shards, and keeps them until somebody has been there for half a minute.
    let mut beta = Member::start("beta", &url, lines);
    wait_for_all(&beta);
    let alpha = Member::start("alpha", &url, lines);
    wait_for_all(&alpha);
    assert_eq!((beta.active(), alpha.active()), (KEYS, 0));
    let callers = Callers::new();
    let mut gamma = None;
    callers.run_during(&[&alpha], || {
        callers.wait_for_more(60);
        beta.node.process().signal(Signal::TERM);
        beta.node.process().wait_exit();
        callers.wait_for_more(60);
        gamma = Some(Member::start("gamma", &url, lines));
        callers.wait_for_more(60);
    });
    assert_eq!(callers.check(&alpha), 0, "no call failed");
    assert_eq!(callers.check(&gamma.expect("a node")), 0);
    let calls = callers.calls();
    let counts: u64 = (0..KEYS).map(|number| alpha.get(&key(number))).sum();
    assert_eq!(counts, calls, "each call was handled once");
}

#[test]
fn what_a_node_has_answered_is_there_when_it_was_killed_or_stood_still_for_longer_than_its_lease() {
    let Some(server) = Server::start() else { return };
    let url = server.url("postgres", "postgres");
    let lines = "durability = \"before-reply\"\n";
    let mut beta = Member::start("beta", &url, lines);
    wait_for_all(&beta);
    let alpha = Member::start("alpha", &url, lines);
    let mut gamma = Member::start("gamma", &url, lines);
    for member in [&alpha, &gamma] {
        wait_for_all(member);
    }
    let callers = Callers::new();
    callers.run_during(&[&alpha], || {
        callers.wait_for_more(50);
        beta.node.process().kill();
        // The others have half of its shards each.
        wait_for_all(&alpha);
        assert!(gamma.active() > 0 && alpha.active() > 0);
        gamma.node.process().signal(Signal::STOP);
        // Its entities answer elsewhere.
        wait_for_all(&alpha);
        gamma.node.process().signal(Signal::CONT);
        callers.wait_for_more(60);
    });
    callers.check(&alpha);
    // It joins anew, and knows where the entities are.
    callers.check(&gamma);
}

#[test]
fn entities_outlive_the_store_and_the_cluster() {
    let Some(mut server) = Server::start() else { return };
    let url = server.url("postgres", "postgres");
    let lines = "durability = \"before-reply\"\n";
    let callers = Callers::new();
    {
        let alpha = Member::start("alpha", &url, lines);
        let beta = Member::start("beta", &url, lines);
        wait_for_all(&alpha);
        wait_for_all(&beta);
        callers.run_during(&[&alpha, &beta], || {
            callers.wait_for_more(50);
            server.kill();
            server.run();
            wait_for_all(&alpha);
            callers.wait_for_more(50);
        });
        callers.check(&beta);
    }
    let gamma = Member::start("gamma", &url, lines);
    callers.check(&gamma);
}

/// What is under way to an entity while its shard moves waits for the next owner, and so does what waits in its mailbox.
#[test]
fn what_is_sent_to_a_busy_entity_while_it_moves_arrives_in_order() {
    let Some(server) = Server::start() else { return };
    let url = server.url("postgres", "postgres");
    let kitchen = programs::guest("kitchen_rs");
    let kitchen = format!(
        "[modules.kitchen]\npath = {kitchen:?}\n[entities.kitchen]\nmodule = \"kitchen\"\narguments = \"str:x\"\nshards = 16\n"
    );
    let mut beta = Member::start_node("beta", &url, &kitchen);
    // Null until somebody answers.
    let marks = |member: &Member| member.ask(BUSY, "GetMarks", &json!([])).unwrap_or_default();
    wait::until("the entity", || marks(&beta), Value::is_array);
    let alpha = Member::start_node("alpha", &url, &kitchen);
    wait::until("the entity", || marks(&alpha), Value::is_array);
    std::thread::scope(|scope| {
        let sleeps = scope.spawn(|| alpha.ask(BUSY, "Sleep", &json!([4_000])));
        for mark in 0..3 {
            alpha.cast(BUSY, "Mark", &json!([mark]));
        }
        beta.node.process().signal(Signal::TERM);
        for mark in 3..6 {
            alpha.cast(BUSY, "Mark", &json!([mark]));
        }
        beta.node.process().wait_exit();
        assert!(
            sleeps.join().expect("a caller").is_ok(),
            "the call of before is answered"
        );
    });
    wait::until(
        "the marks",
        || marks(&alpha),
        |marks| *marks == json!([0, 1, 2, 3, 4, 5]),
    );
}
