//! What an operator does by HTTP and by `events`: steers, reads the log and the history, and follows the node live.

use std::io::{BufRead as _, BufReader};
use std::time::Duration;

use ractor_host_tests::cli::message;
use ractor_host_tests::host::HostNode;
use ractor_host_tests::process::{Process, Stream};
use ractor_host_tests::wait;
use serde_json::{Value, json};
use ureq::Agent;

use crate::http::{admin_node, get, post, url};
use crate::operator::{at, command, node};

/// The kinds of the events of a node, in their order.
fn kinds(events: &Value) -> Vec<&str> {
    let events = events["events"].as_array().map_or(&[][..], Vec::as_slice);
    events.iter().filter_map(|event| event["event"].as_str()).collect()
}

#[test]
fn actors_are_steered_by_http_and_what_became_of_them_is_in_the_history() {
    let mut alpha = admin_node("alpha", &["operate"], "");
    let url = url(&mut alpha);
    let steer = |action: &str| {
        let body = json!({"action": action, "target": "counter"});
        post(&format!("{url}/v1/steer"), Some("operate"), &body).json()
    };
    let shown = get(&format!("{url}/v1/actors/counter"), None).json();
    assert_eq!(shown["row"]["name"], "counter");
    assert_eq!(steer("stop")["actors"][0]["done"], true);
    let stopped = get(&format!("{url}/v1/stopped"), None).json();
    assert_eq!(stopped["actors"][0]["name"], "counter", "{stopped}");
    let started = steer("start");
    assert_eq!(started["actors"][0]["done"], true, "{started}");
    assert_ne!(started["actors"][0]["pid"], shown["row"]["pid"]);
    let events = get(&format!("{url}/v1/events"), None).json();
    assert_eq!(kinds(&events), ["node-up", "actor-ended", "actor-started"], "{events}");
    assert_eq!(events["events"][2]["actor"], "counter");
    // The command has a session of its own for as long as it takes, which is no news.
    message("call", alpha.address(), &alpha.cookie_file(), &["counter", "Get"]).answer();
    let events = get(&format!("{url}/v1/events"), None).json();
    assert_eq!(kinds(&events).len(), 3, "{events}");
    let none = post(
        &format!("{url}/v1/steer"),
        Some("operate"),
        &json!({"action": "stop", "target": "conuter"}),
    );
    let (status, kind, detail) = none.problem();
    assert_eq!((status, kind.as_str()), (409, "refused"), "{detail}");
    assert!(detail.contains("counter"), "{detail}");
}

#[test]
fn the_command_shows_what_happened_the_last_of_it_or_as_json() {
    let alpha = node("alpha", "");
    assert_eq!(at(&alpha, &["stop", "counter"]).code, Some(0));
    assert_eq!(at(&alpha, &["start", "counter"]).code, Some(0));
    let shown = at(&alpha, &["events"]);
    let lines: Vec<&str> = shown.answer().lines().collect();
    assert_eq!(lines.len(), 3, "{lines:?}");
    assert!(lines[0].ends_with(" ago  the node is up with 1 actor"), "{lines:?}");
    assert!(
        lines[1].contains("ago  counter (pid ") && lines[1].contains(") ended: "),
        "{lines:?}"
    );
    assert!(lines[2].ends_with(") started"), "{lines:?}");
    let last = at(&alpha, &["events", "--lines", "1", "--output", "json"]);
    let last: Value = serde_json::from_str(last.answer()).expect("one object");
    assert_eq!(
        (&last["node"], &last["event"]),
        (&json!("alpha@localhost"), &json!("actor-started"))
    );
    // One who follows gets what happens meanwhile.
    let mut follower = Process::start(
        "events --follow",
        &mut command(&alpha.file(""), &["events", "--follow", "-n", "1"]),
    );
    // It has begun once the last event is there.
    follower.wait_line(Stream::Stdout, 0, "the start", |line| line.ends_with(") started"));
    at(&alpha, &["restart", "counter"]);
    follower.wait_line(Stream::Stdout, 0, "the restart", |line| {
        line.contains("was restarted in place")
    });
}

#[test]
fn a_restart_in_place_a_reload_and_sessions_are_events_with_their_reasons() {
    let mut alpha = admin_node("alpha", &["operate", "deploy"], "");
    let url = url(&mut alpha);
    let events = || get(&format!("{url}/v1/events?last=500"), None).json();
    let beta = HostNode::start("beta", &format!("peers = [{:?}]\n", alpha.address()));
    wait::until("beta", events, |events| kinds(events).contains(&"session-up"));
    drop(beta);
    let seen = wait::until("beta to be gone", events, |events| {
        kinds(events).contains(&"session-down")
    });
    let last = seen["events"]
        .as_array()
        .and_then(|events| events.last())
        .cloned()
        .unwrap_or_default();
    assert_eq!(last["peer"], "beta@localhost");
    assert!(
        last["reason"].as_str().is_some_and(|reason| !reason.is_empty()),
        "{last}"
    );
    let restart = json!({"action": "restart", "target": "counter"});
    assert_eq!(post(&format!("{url}/v1/steer"), Some("operate"), &restart).status, 200);
    wait::until("the restart", events, |events| {
        kinds(events).contains(&"actor-restarted")
    });
    let reload = post(
        &format!("{url}/v1/modules/counter/reload"),
        Some("deploy"),
        &json!({"force": true}),
    );
    assert_eq!(reload.json()["report"]["verdict"], "reloaded", "{}", reload.body);
    // What was planned is done, or nothing.
    let planned = json!({"planned": format!("sha256:{}", "0".repeat(64))});
    let changed = post(&format!("{url}/v1/modules/counter/reload"), Some("deploy"), &planned);
    assert!(changed.problem().2.contains("was asked for"), "{}", changed.body);
    let planned = json!({"planned": reload.json()["report"]["new"]});
    let unchanged = post(&format!("{url}/v1/modules/counter/reload"), Some("deploy"), &planned);
    assert_eq!(unchanged.json()["report"]["verdict"], "reloaded", "{}", unchanged.body);
    let refused = post(&format!("{url}/v1/modules/other/reload"), Some("deploy"), &json!({}));
    assert_eq!(refused.status, 409);
    let seen = events();
    let ends = kinds(&seen);
    assert_eq!(ends[ends.len() - 2..], ["module-reloaded", "reload-refused"], "{seen}");
}

#[test]
fn the_log_and_the_history_are_followed_by_asking_for_what_comes_next() {
    let mut alpha = admin_node("alpha", &["operate"], "");
    let url = url(&mut alpha);
    let log = get(&format!("{url}/v1/logs?last=1000&target=counter"), None).json();
    let lines = log["lines"].as_array().expect("lines");
    assert!(
        lines
            .iter()
            .any(|line| line["text"].as_str().is_some_and(|text| text.contains("actor started"))),
        "{log}"
    );
    let next = log["next"].as_u64().expect("a number");
    let levels = get(&format!("{url}/v1/loglevels"), None).json();
    assert_eq!(levels["directive"], levels["at_start"]);
    let change = json!({"change": "all", "directive": "debug", "seconds": 600});
    let changed = post(&format!("{url}/v1/loglevels"), Some("operate"), &change).json();
    assert_eq!(changed["directive"], "debug");
    assert!(
        changed["seconds_left"].as_u64().is_some_and(|left| left <= 601),
        "{changed}"
    );
    let more = get(&format!("{url}/v1/logs?next={next}&wait_ms=20000"), None).json();
    assert!(more["next"].as_u64().is_some_and(|number| number > next), "{more}");
    // A reader who waits is told as soon as something happens.
    let seen = get(&format!("{url}/v1/events"), None).json();
    let next = seen["next"].clone();
    let waiting = {
        let path = format!("{url}/v1/events?next={next}&wait_ms=25000");
        std::thread::spawn(move || get(&path, None).json())
    };
    let kill = json!({"action": "kill", "target": "counter"});
    assert_eq!(post(&format!("{url}/v1/steer"), Some("operate"), &kill).status, 200);
    let told = waiting.join().expect("an answer");
    assert_eq!(told["events"][0]["actor"], "counter", "{told}");
    for (path, says) in [
        (
            "logs?lats=1",
            "there is no `lats` here; there is: `next`, `last`, `target`, `level`, `wait_ms`",
        ),
        ("logs?level=loud", "expected error, warn, info, debug or trace"),
        (
            "events?next=soon",
            "`next` is \"soon\"; expected the number of an event",
        ),
        ("events?last=1&last=2", "`last` comes twice"),
    ] {
        let (status, _, detail) = get(&format!("{url}/v1/{path}"), None).problem();
        assert!(status == 400 && detail.contains(says), "{path}: {detail}");
    }
}

/// Reads frames of `/v1/stream`, as (event, data).
struct Frames(Box<dyn std::io::BufRead + Send>);

impl Frames {
    fn open(url: &str) -> Self {
        let agent: Agent = Agent::config_builder()
            .timeout_global(Some(wait::PATIENCE + Duration::from_secs(60)))
            .build()
            .into();
        let response = agent.get(format!("{url}/v1/stream")).call().expect("a stream");
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self(Box::new(BufReader::new(response.into_body().into_reader())))
    }

    fn next(&mut self) -> Option<(String, Value)> {
        let mut event = String::new();
        for line in (&mut self.0).lines() {
            let line = line.ok()?;
            if let Some(name) = line.strip_prefix("event: ") {
                name.clone_into(&mut event);
            } else if let Some(data) = line.strip_prefix("data: ") {
                return Some((event, serde_json::from_str(data).expect("JSON")));
            }
        }
        None
    }
}

#[test]
fn a_stream_tells_the_whole_node_first_then_what_changes_and_why_it_ends() {
    let mut alpha = admin_node("alpha", &["operate"], "");
    let url = url(&mut alpha);
    let mut frames = Frames::open(&url);
    let (first, whole) = frames.next().expect("a snapshot");
    assert_eq!(first, "snapshot");
    let counter = whole["actors"]
        .as_array()
        .expect("actors")
        .iter()
        .find(|actor| actor["name"] == "counter");
    let pid = counter.expect("the counter")["pid"].clone();
    let cast = json!({"target": "counter", "message": "Add", "arguments": [1]});
    for _ in 0..3 {
        assert_eq!(post(&format!("{url}/v1/cast"), Some("operate"), &cast).status, 200);
    }
    let mut messages = 0;
    while messages < 3 {
        let (event, data) = frames.next().expect("an update");
        assert_eq!(event, "update");
        let rows = data["numbers"].as_array().cloned().unwrap_or_default();
        messages += rows
            .iter()
            .filter(|row| row[0] == pid)
            .filter_map(|row| row[1].as_u64())
            .sum::<u64>();
    }
    assert_eq!(
        post(&format!("{url}/v1/drain"), Some("operate"), &json!({})).status,
        200
    );
    let mut names = Vec::new();
    let mut end = Value::Null;
    while let Some((event, data)) = frames.next() {
        if event == "happened" {
            names.push(data["event"].as_str().unwrap_or_default().to_owned());
        }
        end = data;
    }
    assert!(names.starts_with(&["node-leaves".to_owned()]), "{names:?}");
    assert_eq!(end, json!({"reason": "the node has stopped"}));
}
