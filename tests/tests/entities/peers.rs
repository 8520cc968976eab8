//! Entities as peers reach them, which know nothing of entities: stock nodes, drop-in nodes, and the commands.

use ractor_host_tests::host::HostNode;
use ractor_host_tests::peer::{Kind, Peer};
use ractor_host_tests::process::Stream;
use ractor_host_tests::wait;
use serde_json::{Value, json};

use crate::lab::Lab;

const WRITTEN: &str = "durability = \"before-reply\"\n";

fn connect(lab: &mut Lab, kind: Kind) -> Peer {
    let address = lab.node().address().to_owned();
    let mut peer = Peer::start(kind, "peer", &["--actor", "worker:workers:0", "--connect", &address]);
    peer.wait("members entity:count", "remote:entity:count");
    peer
}

/// The members of the group of the type, as the node sees them: its own, and those of others.
fn members(lab: &Lab) -> Value {
    let groups = lab.json(&["groups"]);
    let all = groups[0]["groups"].as_array().expect("groups").clone();
    let of_type = all.into_iter().find(|group| group["group"] == "entity:count");
    let of_type = of_type.unwrap_or_else(|| panic!("no group of the type: {groups}"));
    json!([of_type["here"], of_type["elsewhere"]])
}

#[track_caller]
fn wait_log(node: &mut HostNode, text: &str) {
    let process = node.process();
    wait::until(
        text,
        || process.lines(Stream::Stderr),
        |lines| lines.iter().any(|line| line.contains(text)),
    );
}

#[test]
fn peers_reach_entities_by_the_actor_of_their_type() {
    for kind in [Kind::Stock, Kind::DropIn] {
        let mut lab = Lab::start(WRITTEN);
        let mut peer = connect(&mut lab, kind);
        assert_eq!(peer.run("entity-call count a AddAndGet 5"), "5", "{kind:?}");
        peer.run("entity-cast count a Add 2");
        peer.run("entity-cast count b Add 30");
        assert_eq!(
            peer.run("entity-call count a Get"),
            "7",
            "in the order in which they were sent"
        );
        assert_eq!((lab.get("a"), lab.get("b")), (7, 30), "{kind:?}");
        // What is wrong ends the call, and nothing else. A stock node can't be told, as of no call that fails here.
        let (ms, ends) = match kind {
            Kind::Stock => (300, &["timeout", "the reply port was dropped"][..]),
            Kind::DropIn => (20_000, &["the reply port was dropped"][..]),
        };
        let long = "k".repeat(256);
        for wrong in [
            format!("entity-call-timeout {ms} count a Nothing"),
            format!("entity-call-timeout {ms} count {long} Get"),
            // To the actor of the type itself.
            format!("call-timeout {ms} entity:count Get"),
        ] {
            let refused = peer.try_run(&wrong).expect_err(&wrong);
            assert!(ends.contains(&&*refused), "{kind:?} {wrong}: {refused}");
        }
        peer.run(&format!("entity-cast count {long} Add 1"));
        wait_log(lab.node(), "the key of an entity has 256 bytes, and may have 255");
        peer.run("cast entity:count Add 1");
        wait_log(lab.node(), "takes the call `Call` and the cast `Cast`");
        assert_eq!(peer.run("entity-call count a Get"), "7");
        assert_eq!(members(&lab), json!([1, []]), "{kind:?}");
    }
}

#[test]
fn commands_call_cast_and_describe_an_entity_with_arguments_by_the_contract() {
    let lab = Lab::start(WRITTEN);
    let call = |words: &[&str]| lab.message("call", words);
    assert_eq!(call(&["entity:count/a", "AddAndGet", "5"]).answer(), "5");
    assert_eq!(call(&["entity:count/a@alpha", "Get"]).answer(), "5");
    lab.message("cast", &["entity:count/a%20b@alpha@localhost", "Add", "7"])
        .answer();
    assert_eq!(call(&["entity:count/a%20b", "Get"]).answer(), "7");
    assert_eq!(lab.get("a%20b"), 7);
    let described = lab.message("describe", &["entity:count/never-active"]);
    assert!(described.answer().contains("AddAndGet"), "{described:?}");
    assert_eq!(lab.types()[0]["active"], 2, "a description activates nobody");
    for (words, said) in [
        (&["entity:count/a", "Gett"][..], "Gett"),
        // The entity's own word.
        (&["entity:count/a", "AddAndGet", "str:five"], "don't decode as (u64)"),
        (
            &["entity:counts/a", "Get"],
            "alpha@localhost has no entities of the type \"counts\"; did you mean `count`?",
        ),
        (
            &["entity:count/a@beta", "Get"],
            "is asked of the node alpha@localhost, and not of beta",
        ),
        (&["entity:count/", "Get"], "names no entity"),
        (&["group:entity:count", "Get"], "name it as `entity:TYPE/KEY`"),
    ] {
        let ended = call(words);
        assert_ne!(ended.code, Some(0), "{words:?}");
        assert!(ended.stderr.contains(said), "{words:?}: {}", ended.stderr);
    }
}

#[test]
fn the_actors_of_types_and_what_stands_above_entities_are_seen_and_nobody_steers_them() {
    let lab = Lab::start(WRITTEN);
    lab.add("a", 1);
    let actors = lab.json(&["ps", "--all"]);
    let rows = actors[0]["actors"].as_array().expect("actors").clone();
    let row = |name: &str| {
        let found = rows.iter().find(|row| row["name"] == name);
        found.unwrap_or_else(|| panic!("{name} is not among {actors}")).clone()
    };
    let (above, of_type, entity) = (row("ractor-host.entities"), row("entity:count"), row("entity:count/a"));
    assert_eq!(of_type["supervisor"], above["pid"]);
    assert_eq!(entity["supervisor"], above["pid"]);
    assert_eq!(of_type["groups"], json!(["entity:count"]));
    assert_eq!(rows.iter().filter(|row| row["name"] == "entity:count/a").count(), 1);
    let said = lab.fails(&["stop", "name:entity:count"]);
    assert!(said.contains("is not steered"), "{said}");
    assert_eq!(lab.get("a"), 1);
}

#[test]
fn what_waits_and_what_went_wrong_last_is_shown_by_type() {
    let lab = Lab::start(WRITTEN);
    assert_eq!(lab.types()[0]["last_error"], Value::Null);
    lab.message("cast", &["entity:count/a", "Crash", "str:no paper"])
        .answer();
    let types = wait::until(
        "the failure",
        || lab.types(),
        |types| types[0]["last_error"].is_string(),
    );
    let said = types[0]["last_error"].as_str().expect("text");
    assert!(said.contains("entity:count/a") && said.contains("no paper"), "{said}");
    assert_eq!(
        (&types[0]["waiting"], &types[0]["crashes"]),
        (&json!(0), &json!(1)),
        "{types}"
    );
    let page = lab.metrics();
    for line in [
        "ractor_host_entities_activations_total{type=\"count\",outcome=\"activated\"} 1",
        "ractor_host_entities_crashes_total{type=\"count\"} 1",
    ] {
        assert!(page.contains(line), "{line} is not in {page}");
    }
    let (status, listed) = lab.get_json("/v1/entities");
    assert_eq!(
        (status, &listed["types"][0]["type"]),
        (200, &json!("count")),
        "{listed}"
    );
}

/// A stock node can say whatever it wants of its actors.
#[test]
fn nobody_joins_the_group_of_a_type_and_what_is_for_entities_stays_here() {
    let mut lab = Lab::start(WRITTEN);
    let mut peer = connect(&mut lab, Kind::Stock);
    peer.run("join entity:count worker");
    wait_log(
        lab.node(),
        "did not take a member of the group entity:count of this peer",
    );
    assert_eq!(members(&lab), json!([1, []]));
    assert_eq!(lab.message("call", &["entity:count/a", "AddAndGet", "3"]).answer(), "3");
    // The session goes on.
    assert_eq!(peer.run("entity-call count a Get"), "3");
    peer.run("leave entity:count worker");
    assert_eq!(peer.run("entity-call count a AddAndGet 1"), "4");
    assert_eq!(members(&lab), json!([1, []]));
}

/// Two nodes with entities of one type are two worlds. A third one reaches each by its name.
#[test]
fn the_entities_of_another_node_are_not_taken_for_own_ones_and_are_reached_from_nodes_without() {
    let mut alpha = Lab::start(WRITTEN);
    let peers = format!("peers = [{:?}]\n", alpha.node().address());
    let beta = Lab::start_as("beta", &peers, WRITTEN);
    wait_log(alpha.node(), "this node has entities of that type itself");
    assert_eq!((alpha.add("a", 1), beta.add("a", 20)), (1, 20));
    assert_eq!((members(&alpha), members(&beta)), (json!([1, []]), json!([1, []])));
    let mut gamma = Lab::start_without("gamma", &peers);
    let reply = |gamma: &Lab, target: &str| gamma.call(target, "Get", &json!([]));
    let found = wait::until(
        "the link to alpha",
        || reply(&gamma, "entity:count/a"),
        |(status, _)| *status == 200,
    );
    assert_eq!(serde_json::from_str::<Value>(&found.1).unwrap()["reply"], 1);
    let (status, body) = reply(&gamma, "entity:count/a@alpha@localhost");
    assert_eq!(status, 200, "{body}");
    let (status, body) = reply(&gamma, "entity:count/a@nobody@localhost");
    assert_eq!(status, 404, "{body}");
    assert!(body.contains("has no entities of the type"), "{body}");
    gamma.stop();
}
