//! `ps`, `show`, `nodes` and `node`: what an operator reads is what the actors, the links and the process did.
#![cfg(target_os = "linux")]

use std::path::Path;

use ractor_host_tests::cli::{Ended, end, message};
use ractor_host_tests::host::HostNode;
use ractor_host_tests::{programs, wait};
use serde_json::Value;
use tempfile::TempDir;

/// A node, and where commands on its machine find it.
pub(crate) struct Shown {
    node: HostNode,
    runtime: TempDir,
}

impl Shown {
    /// `rest` begins behind `state_dir` in `[runtime]`.
    pub(crate) fn start(name: &str, node: &str, rest: &str) -> Self {
        let runtime = tempfile::tempdir().expect("a folder for sockets");
        let rest = format!("{node}[runtime]\nstate_dir = \"state\"\n{rest}");
        let node = HostNode::start_in(name, &rest, &[("XDG_RUNTIME_DIR", runtime.path())]);
        Self { node, runtime }
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        let mut command = programs::ractor_host();
        command
            .args(arguments)
            .arg("-f")
            .arg(self.node.file("node.toml"))
            .env("XDG_RUNTIME_DIR", self.runtime.path());
        end(&format!("ractor-host {}", arguments.join(" ")), &mut command)
    }

    /// What a command says as JSON of its one node.
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        let arguments = [arguments, &["--output", "json"]].concat();
        let all: Value = serde_json::from_str(self.run(&arguments).answer()).expect("JSON");
        all[0].clone()
    }

    fn actor(&self, name: &str) -> Value {
        let actors = self.json(&["ps"]);
        let actors = actors["actors"].as_array().expect("actors");
        let found = actors.iter().find(|actor| actor["name"] == name);
        found.expect("the actor is among those of the node").clone()
    }

    fn call(&self, rest: &[&str]) -> Ended {
        message("call", self.node.address(), &self.node.cookie_file(), rest)
    }

    pub(crate) fn cast(&self, rest: &[&str]) {
        message("cast", self.node.address(), &self.node.cookie_file(), rest).answer();
    }
}

fn kitchens(more: &str) -> String {
    let path = programs::guest("kitchen_rs");
    let entry = |name: &str| {
        format!(
            "[[actors]]\nname = \"{name}\"\nmodule = \"kitchen\"\narguments = \"str:a note\"\ngroups = [\"cooks\"]\n\
             capabilities = {{ messages = [\"*\"], spawn = [\"kitchen\"] }}\n"
        )
    };
    format!(
        "{more}[modules.kitchen]\npath = {path:?}\n{}{}",
        entry("one"),
        entry("other")
    )
}

fn number(value: &Value) -> u64 {
    value.as_u64().expect("a number")
}

#[test]
fn what_becomes_of_a_guests_children_is_among_the_events_within_limits() {
    let shown = Shown::start("alpha", "", &kitchens(""));
    let of_children = || {
        let events = shown.run(&["events", "--lines", "500", "--output", "json"]);
        let events = events.answer().lines().map(serde_json::from_str::<Value>);
        let told = events.map(|event| event.expect("JSON")).filter_map(|event| {
            let actor = event["actor"].as_str()?;
            let kind = event["event"].as_str()?;
            actor.starts_with("one/").then(|| format!("{actor} {kind}"))
        });
        told.collect::<Vec<_>>()
    };
    let becomes = |expected: &[&str]| wait::until("the events", of_children, |told| *told == expected);
    let spawn = |child: &str| {
        let answered = shown.call(&["one", "Spawn", "kitchen", child, "a note"]);
        assert_eq!(answered.answer(), "ok");
    };
    spawn("worker");
    becomes(&["one/worker actor-started"]);
    assert_eq!(shown.run(&["restart", "one/worker"]).code, Some(0));
    becomes(&["one/worker actor-started", "one/worker actor-restarted"]);
    // The kitchen's children are temporary.
    shown.cast(&["one/worker", "Trap"]);
    becomes(&[
        "one/worker actor-started",
        "one/worker actor-restarted",
        "one/worker actor-failed",
    ]);
    // It goes on and on, and what happens to others is told all the same.
    for _ in 0..12 {
        spawn("another");
        assert_eq!(shown.call(&["one", "StopChild", "another"]).answer(), "true");
        wait::until(
            "the name to be free",
            || shown.run(&["ps"]).stdout,
            |actors| !actors.contains("one/another"),
        );
    }
    assert_eq!(shown.run(&["restart", "other"]).code, Some(0));
    let told = of_children();
    assert!(told.contains(&"one/another actor-ended".to_owned()), "{told:?}");
    assert!((20..=21).contains(&told.len()), "{told:?}");
    let events = shown.run(&["events"]);
    assert!(events.answer().contains("other (pid "), "{}", events.stdout);
}

#[test]
fn everything_that_an_actor_did_and_holds_is_shown() {
    let shown = Shown::start("shown", "", &kitchens(""));
    shown.call(&["one", "EchoU64", "5"]).answer();
    assert_ne!(shown.call(&["one", "FailIt", "no soup"]).code, Some(0));
    shown.cast(&["one", "Every", "3600000", "1"]);
    shown.cast(&["one", "MonitorActor", "other"]);
    // It answers once all that was cast before is handled.
    shown.call(&["one", "Get"]).answer();
    let one = shown.actor("one");
    let figures = &one["figures"];
    assert_eq!(number(&figures["messages"]), 5, "{one}");
    assert_eq!(number(&figures["calls_answered"]), 2, "{one}");
    assert_eq!(number(&figures["calls_failed"]), 1, "{one}");
    assert_eq!(number(&figures["timers"]), 1, "{one}");
    assert_eq!(number(&figures["monitors"]), 1, "{one}");
    assert!(number(&figures["lately"]["messages"]) <= 5, "{one}");
    shown.cast(&["one", "Trap"]);
    shown.call(&["one", "Get"]).answer();
    let detail = shown.json(&["show", "one"]);
    let detail = &detail["actor"];
    assert_eq!(number(&detail["row"]["figures"]["restarts"]), 1, "{detail}");
    assert_eq!(
        number(&detail["row"]["figures"]["timers"]),
        0,
        "they went with the instance: {detail}"
    );
    assert_eq!(detail["last_failure"]["during"], "handle-cast `Trap`", "{detail}");
    let frames = detail["last_failure"]["backtrace"].as_array().expect("frames");
    assert!(!frames.is_empty(), "{detail}");
    let text = shown.run(&["show", "one"]);
    let text = text.answer();
    for line in [
        "one  guest",
        "1 restarts in place",
        "in handle-cast `Trap`: ",
        "    at ",
        "groups       cooks",
    ] {
        assert!(text.contains(line), "{line:?} in:\n{text}");
    }
}

#[test]
fn an_actor_that_is_not_there_is_refused_with_the_nearest_name() {
    let shown = Shown::start("nearest", "", &kitchens(""));
    let ended = shown.run(&["show", "othr"]);
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("did you mean `other`?"), "{}", ended.stderr);
    let ended = shown.run(&["show", "pid:7"]);
    assert!(
        ended.stderr.contains("there is no actor with the pid 7"),
        "{}",
        ended.stderr
    );
    let ended = shown.run(&["show", "group:cooks"]);
    assert_eq!(ended.code, Some(2), "{}", ended.stderr);
}

#[test]
fn ps_sorts_and_filters() {
    let shown = Shown::start("sorted", "", &kitchens(""));
    shown.call(&["other", "Allocate", "20000000"]).answer();
    let names = |arguments: &[&str]| -> Vec<String> {
        let actors = shown.json(arguments);
        let actors = actors["actors"].as_array().expect("actors");
        actors
            .iter()
            .filter_map(|actor| Some(actor["name"].as_str()?.to_owned()))
            .collect()
    };
    assert_eq!(names(&["ps", "--sort", "memory"]), ["other", "one"]);
    assert_eq!(names(&["ps", "--sort", "name"]), ["one", "other"]);
    assert_eq!(names(&["ps", "--filter", "oth"]), ["other"]);
    assert_eq!(names(&["ps", "--filter", "cooks"]).len(), 2);
    assert!(names(&["ps", "--filter", "bank"]).is_empty());
}

#[test]
fn memory_that_a_guest_fills_is_shown_as_the_guests_and_as_the_process_has_it() {
    const BYTES: u64 = 50_000_000;
    let shown = Shown::start("filled", "", &kitchens(""));
    shown.call(&["one", "Get"]).answer();
    let look = || {
        let node = shown.json(&["node"]);
        let guest = shown.actor("one");
        (
            number(&node["process"]["resident_bytes"]),
            number(&node["guests_memory_bytes"]),
            number(&guest["figures"]["memory_bytes"]),
        )
    };
    let before = look();
    shown.call(&["one", "Allocate", &BYTES.to_string()]).answer();
    let after = look();
    let (process, guests, guest) = (after.0 - before.0, after.1 - before.1, after.2 - before.2);
    assert_eq!(guests, guest);
    assert!(guest >= BYTES, "{guest}");
    let (least, most) = (guest / 10 * 9, guest / 10 * 11);
    assert!(
        (least..=most).contains(&process),
        "the process grew by {process}, and the guest by {guest}"
    );
}

#[test]
fn a_node_says_what_it_takes_and_has_done() {
    let shown = Shown::start("summed", "", &kitchens("max_guests = 8\n"));
    shown.call(&["one", "EchoU64", "5"]).answer();
    let node = shown.json(&["node"]);
    assert_eq!(node["node"], "summed@localhost");
    assert_eq!((number(&node["guests"]), number(&node["guests_limit"])), (2, 8));
    let sum = number(&node["guests_busy_us"]) + number(&node["own"]["cpu_us"]);
    assert!(sum >= number(&node["process"]["cpu_us"]), "{node}");
    let cache = &node["compile_cache"];
    assert_eq!(number(&cache["hits"]) + number(&cache["misses"]), 1, "{node}");
    let kitchen = &node["modules"][0];
    assert_eq!(kitchen["module"], "kitchen");
    assert_eq!(number(&kitchen["messages"]), 1, "{node}");
    let text = shown.run(&["node"]);
    assert!(text.answer().contains("guests       2 of 8"), "{}", text.stdout);
}

#[test]
fn links_show_what_passes_over_them() {
    let beta = Shown::start("beta", "", &kitchens(""));
    let peers = format!("peers = [\"{}\"]\n", beta.node.address());
    let alpha = Shown::start("alpha", &peers, "");
    let link_of = |shown: &Shown, peer: &str| {
        let links = shown.json(&["nodes"]);
        let links = links["links"].as_array().expect("links");
        links.iter().find(|link| link["name"] == peer).cloned()
    };
    // A pong comes with the first ping, some seconds after the session.
    let link = wait::until(
        "a ping to be answered",
        || link_of(&alpha, "beta@localhost"),
        |link| {
            link.as_ref()
                .is_some_and(|link| link["figures"]["round_trip_us"].is_u64())
        },
    );
    let link = link.expect("the session");
    assert_eq!(link["version"], "ractor-host");
    assert_eq!(link["opened"], "us");
    assert_ne!(number(&link["incarnation"]), 0);
    let figures = &link["figures"];
    assert!(
        number(&figures["sent"]["control"]) > 0 && number(&figures["received"]["control"]) > 0,
        "{link}"
    );
    assert!(
        number(&figures["sent"]["bytes"]) > 0 && number(&figures["received"]["bytes"]) > 0,
        "{link}"
    );
    assert_eq!(number(&figures["outbox_limit"]), 64 << 20);
    let other = link_of(&beta, "alpha@localhost").expect("the same session, from its other end");
    assert_eq!(other["opened"], "peer");
}

#[test]
fn what_commands_send_over_a_link_is_counted_by_kind() {
    let shown = Shown::start("kinds", "", &kitchens(""));
    let path: &Path = &shown.node.cookie_file();
    assert!(path.exists());
    // A command is a node for a moment: while it waits, its link is there.
    let waiting = std::thread::scope(|scope| {
        let waits = scope.spawn(|| {
            message(
                "call",
                shown.node.address(),
                path,
                &["one", "Later", "3000", "soup", "--timeout", "60s"],
            )
        });
        let link = wait::until(
            "the link of the command",
            || {
                let links = shown.json(&["nodes"]);
                links["links"].as_array().and_then(|links| links.first().cloned())
            },
            |link| {
                link.as_ref()
                    .is_some_and(|link| link["figures"]["received"]["calls"].as_u64() > Some(0))
            },
        );
        assert_eq!(waits.join().expect("the command").answer(), "soup");
        link
    });
    assert!(waiting.is_some());
}
