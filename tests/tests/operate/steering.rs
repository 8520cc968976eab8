//! Stopping, starting, killing and restarting actors of a node that runs.

use ractor_host_tests::cli::{Ended, message};
use ractor_host_tests::host::{HostNode, another_counter, guest_counter};
use ractor_host_tests::wait;
use serde_json::Value;

use crate::operator::{at, json, node};

/// Asks the counter for its number, which it adds to first.
#[track_caller]
fn add(alpha: &HostNode, target: &str) -> Ended {
    message(
        "call",
        alpha.address(),
        &alpha.cookie_file(),
        &[target, "AddAndGet", "1"],
    )
}

#[track_caller]
fn pid(alpha: &HostNode, name: &str) -> Option<u64> {
    let actors = json(alpha, &["ps"]);
    let actors = actors[0]["actors"].as_array().expect("a list");
    let actor = actors.iter().find(|actor| actor["name"] == name)?;
    actor["pid"].as_u64()
}

#[track_caller]
fn refused(alpha: &HostNode, words: &[&str], expected: &str) {
    let ended = at(alpha, words);
    assert_eq!(ended.code, Some(1), "{words:?}: {}", ended.stdout);
    let says = format!("{}{}", ended.stdout, ended.stderr);
    assert!(
        says.contains(expected),
        "{words:?} should say {expected:?}, and says: {says}"
    );
}

#[test]
fn what_an_operator_stops_stays_down_and_is_shown_until_it_is_started() {
    let alpha = node("alpha", "");
    let before = pid(&alpha, "counter").expect("a pid");
    let stopped = at(&alpha, &["stop", "counter"]);
    assert_eq!(stopped.answer(), "counter@alpha@localhost: stopped");
    assert_eq!(pid(&alpha, "counter"), None);
    assert_ne!(add(&alpha, "counter").code, Some(0));

    let status = json(&alpha, &["status"]);
    assert_eq!(status[0]["stopped"][0]["name"], "counter");
    assert_eq!(
        status[0]["ready"], true,
        "an operator does not miss what they have stopped"
    );
    assert!(
        at(&alpha, &["ps"])
            .answer()
            .contains("`ractor-host start counter` starts it")
    );
    assert!(at(&alpha, &["status"]).answer().contains("was stopped by an operator"));
    refused(&alpha, &["stop", "counter"], "it was stopped already");
    refused(
        &alpha,
        &["restart", "counter"],
        "it does not run; `ractor-host start` starts it",
    );

    let started = json(&alpha, &["start", "counter"]);
    let actor = &started[0]["actors"][0];
    assert_eq!(actor["done"], true, "{started}");
    assert_ne!(actor["pid"].as_u64(), Some(before));
    assert_eq!(add(&alpha, "counter").answer(), "1");
    assert_eq!(json(&alpha, &["status"])[0]["stopped"], Value::Array(Vec::new()));
    refused(&alpha, &["start", "counter"], "it runs already");
}

#[test]
fn a_killed_guest_is_another_actor_and_a_restarted_one_the_same() {
    let permanent = guest_counter("counter", "counters", 0).replace("temporary", "permanent");
    let alpha = HostNode::start("alpha", &format!("[runtime]\nstate_dir = \"state\"\n{permanent}"));
    assert_eq!(add(&alpha, "counter").answer(), "1");
    let first = pid(&alpha, "counter");
    assert_eq!(
        at(&alpha, &["restart", "counter"]).answer(),
        "counter@alpha@localhost: restarted"
    );
    assert_eq!(pid(&alpha, "counter"), first);
    assert_eq!(add(&alpha, "counter").answer(), "1", "it counts afresh");

    assert_eq!(
        at(&alpha, &["kill", "group:counters"]).answer(),
        "counter@alpha@localhost: killed"
    );
    wait::until(
        "the supervisor to start it again",
        || pid(&alpha, "counter"),
        |now| now.is_some() && *now != first,
    );
    assert_eq!(add(&alpha, "counter").answer(), "1");
}

#[test]
fn a_group_with_several_members_is_meant_only_if_that_is_said() {
    let (first, second) = (
        guest_counter("first", "counters", 0),
        another_counter("second", "counters", 0),
    );
    let beta = HostNode::start("beta", &format!("[runtime]\nstate_dir = \"state\"\n{first}{second}"));
    refused(
        &beta,
        &["stop", "group:counters"],
        "has 2 members here (first, second): say `--all`",
    );
    assert!(pid(&beta, "first").is_some() && pid(&beta, "second").is_some());
    let all = json(&beta, &["stop", "group:counters", "--all"]);
    assert_eq!(all[0]["actors"].as_array().expect("a list").len(), 2, "{all}");
    assert_eq!((pid(&beta, "first"), pid(&beta, "second")), (None, None));
}

#[test]
fn a_target_that_is_none_is_answered_with_what_may_have_been_meant() {
    let alpha = node("alpha", "");
    refused(
        &alpha,
        &["stop", "conuter"],
        "there is no actor `conuter` here; did you mean `counter`?",
    );
    refused(&alpha, &["kill", "group:counter"], "did you mean `counters`?");
    refused(&alpha, &["kill", "pid:999999"], "no actor here has the pid 999999");
    refused(
        &alpha,
        &["stop", "counter@beta"],
        "there is no actor `counter@beta` here",
    );
    let wrong = at(&alpha, &["stop", "grup:counters"]);
    assert_eq!(wrong.code, Some(2), "{}", wrong.stderr);
    // The node may be named with it.
    let here = at(&alpha, &["restart", "counter@alpha"]);
    assert_eq!(here.answer(), "counter@alpha@localhost: restarted");
    let supervisor = json(&alpha, &["ps", "--all"]);
    let actors = supervisor[0]["actors"].as_array().expect("a list");
    let root = actors
        .iter()
        .find(|actor| actor["kind"] == "supervisor")
        .expect("a supervisor");
    refused(
        &alpha,
        &["kill", &format!("pid:{}", root["pid"])],
        "is a part of the node itself",
    );
}

#[test]
fn what_is_stopped_stays_so_when_its_supervisor_starts_anew() {
    let under = |actor: String| {
        actor.replace(
            "restart = \"temporary\"",
            "restart = \"permanent\"\nsupervisor = \"pair\"",
        )
    };
    let first = under(guest_counter("first", "counters", 0));
    let second = under(another_counter("second", "counters", 0));
    let alpha = HostNode::start(
        "alpha",
        &format!("[runtime]\nstate_dir = \"state\"\n[supervisors.pair]\nstrategy = \"one-for-all\"\n{first}{second}"),
    );
    assert_eq!(at(&alpha, &["stop", "second"]).code, Some(0));
    let before = pid(&alpha, "first").expect("a pid");
    assert_eq!(
        at(&alpha, &["restart", "pair"]).answer(),
        "pair@alpha@localhost: restarted"
    );
    let after = pid(&alpha, "first").expect("a pid");
    assert_ne!(before, after, "all below the supervisor is new");
    assert_eq!(pid(&alpha, "second"), None);
    // And with the supervisor itself: `stop` and `start` are about all of its actors.
    assert_eq!(at(&alpha, &["stop", "pair"]).code, Some(0));
    assert_eq!(pid(&alpha, "first"), None);
    refused(
        &alpha,
        &["start", "first"],
        "its supervisor `pair` does not run; `ractor-host start pair`",
    );
    assert_eq!(at(&alpha, &["start", "pair"]).code, Some(0));
    assert!(pid(&alpha, "first").is_some());
    assert_eq!(pid(&alpha, "second"), None);
    assert_eq!(at(&alpha, &["start", "second"]).code, Some(0));
    assert!(pid(&alpha, "second").is_some());
}
