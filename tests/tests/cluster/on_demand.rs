//! Nodes that have sessions with those whose entities they speak to, and with no others.

use std::collections::BTreeSet;

use postgres_server::Server;
use ractor_host_tests::wait;

use crate::ring::{Answer, Member};
use crate::{names, store};

const KEYS: u64 = 16;

/// Sessions end when they have rested for two seconds.
const ON_DEMAND: [&str; 2] = ["cluster.links=\"on-demand\"", "cluster.links_idle=\"2s\""];

fn start(name: &str, url: &str) -> Member {
    Member::start_set(name, url, "durability = \"before-reply\"\n", &ON_DEMAND)
}

fn key(number: u64) -> String {
    format!("k{number}")
}

/// Counts each key up by one, by this node.
#[track_caller]
fn add_to_all(member: &Member) -> Vec<u64> {
    let add = |number| match member.add(&key(number)) {
        Answer::Count(count) => count,
        other => panic!("{}: {other:?}", key(number)),
    };
    (0..KEYS).map(add).collect()
}

#[track_caller]
fn wait_for_no_links(members: &[&Member]) {
    for member in members {
        wait::until("no session", || names(&member.node), Vec::is_empty);
    }
}

#[test]
fn sessions_are_there_while_entities_are_spoken_to_and_nothing_is_lost_when_they_end() {
    let Some(server) = Server::start() else { return };
    let url = server.url("postgres", "postgres");
    let members = ["alpha", "beta", "gamma", "delta"].map(|name| start(name, &url));
    // Each shard has an owner before anybody is asked, and no node has a session.
    let all = members.each_ref();
    let listed = || store("status", &members[0].node.file("node.toml"), &url).stdout;
    let are_listed = |said: &String| {
        ["alpha", "beta", "gamma", "delta"]
            .iter()
            .all(|name| said.contains(name))
    };
    wait::until("all nodes to be there", listed, are_listed);
    wait_for_no_links(&all);
    for number in 0..KEYS {
        members[0].get(&key(number));
    }
    // Several times: in between the sessions end, and are opened again by the next message.
    let mut expected = 0;
    for round in 0..2 {
        for member in &members {
            expected += 1;
            assert_eq!(add_to_all(member), vec![expected; 16], "round {round}");
        }
        assert!(
            all.iter().any(|member| !names(&member.node).is_empty()),
            "round {round}"
        );
        wait_for_no_links(&all);
    }
}

#[test]
fn a_node_that_is_killed_is_replaced_and_found_without_a_session_with_all() {
    let Some(server) = Server::start() else { return };
    let url = server.url("postgres", "postgres");
    let mut members: Vec<Member> = ["alpha", "beta", "gamma"]
        .iter()
        .map(|name| start(name, &url))
        .collect();
    for member in &members {
        for number in 0..KEYS {
            member.get(&key(number));
        }
    }
    assert_eq!(add_to_all(&members[0]), vec![1; 16]);
    let mut killed = members.pop().expect("three nodes");
    killed.node.process().kill();
    for member in &members {
        for number in 0..KEYS {
            assert_eq!(member.get(&key(number)), 1, "{}", key(number));
        }
    }
    assert_eq!(add_to_all(&members[1]), vec![2; 16]);
}

/// Groups and names of users are those of `peers`; one that is in there has a session with all of that.
#[test]
fn groups_and_names_reach_as_far_as_peers() {
    let Some(server) = Server::start() else { return };
    let url = server.url("postgres", "postgres");
    let group =
        "[[actors]]\nname = \"clerk-NAME\"\nmodule = \"counter\"\narguments = \"u64:0\"\ngroups = [\"clerks\"]\n";
    let lines = |name: &str| format!("durability = \"before-reply\"\n{}", group.replace("NAME", name));
    let alpha = Member::start_set("alpha", &url, &lines("alpha"), &ON_DEMAND);
    let beta = Member::start_set("beta", &url, &lines("beta"), &ON_DEMAND);
    let peers = format!("node.peers=[\"{}\"]", alpha.node.address());
    let gamma_keys = [ON_DEMAND[0], ON_DEMAND[1], &peers];
    let gamma = Member::start_set("gamma", &url, &lines("gamma"), &gamma_keys);
    for member in [&alpha, &beta, &gamma] {
        for number in 0..KEYS {
            member.get(&key(number));
        }
        add_to_all(member);
    }
    let clerks = |member: &Member| -> BTreeSet<String> {
        let groups = member.json(&["groups"]);
        let all = groups[0]["groups"].as_array().cloned().unwrap_or_default();
        let clerks = all.into_iter().filter(|group| group["group"] == "clerks");
        let elsewhere = clerks.flat_map(|group| group["elsewhere"].as_array().cloned().unwrap_or_default());
        elsewhere
            .filter_map(|other| Some(other["node"].as_str()?.to_owned()))
            .collect()
    };
    let only = |name: &str| BTreeSet::from([name.to_owned()]);
    wait::until(
        "the clerk of gamma",
        || clerks(&alpha),
        |clerks| *clerks == only("gamma@localhost"),
    );
    assert_eq!(clerks(&gamma), only("alpha@localhost"));
    assert_eq!(clerks(&beta), BTreeSet::new());
    // The session with a peer stays, however long nobody says anything.
    wait::until(
        "the other sessions to end",
        || names(&gamma.node),
        |names| *names == ["alpha@localhost"],
    );
    wait_for_no_links(&[&beta]);
}
