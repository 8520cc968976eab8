//! What commands show of nodes.

use ractor_host_tests::host::{HostNode, guest_counter};
use ractor_host_tests::wait;

use crate::operator::{at, json, node};

#[test]
fn actors_are_listed_with_what_they_are() {
    let alpha = node("alpha", "");
    let actors = json(&alpha, &["ps"]);
    let of_alpha = &actors[0];
    assert_eq!(of_alpha["node"], "alpha@localhost");
    let [counter] = &of_alpha["actors"].as_array().expect("a list")[..] else {
        panic!("one actor: {actors}");
    };
    assert_eq!(counter["name"], "counter");
    assert_eq!(counter["kind"], "guest");
    assert_eq!(counter["module"]["name"], "counter");
    assert_eq!(counter["groups"], serde_json::json!(["counters"]));
    assert_eq!(counter["waiting"], 0);
    // Its supervisor is one of those that `--all` adds.
    let all = json(&alpha, &["ps", "--all"]);
    let actors = all[0]["actors"].as_array().expect("a list");
    let supervisor = actors.iter().find(|actor| actor["pid"] == counter["supervisor"]);
    assert_eq!(supervisor.expect("the supervisor")["kind"], "supervisor");
    assert!(actors.iter().any(|actor| actor["kind"] == "local"));
}

#[test]
fn a_tree_shows_who_supervises_whom() {
    let alpha = node("alpha", "");
    let tree = at(&alpha, &["tree"]);
    let lines: Vec<&str> = tree.answer().lines().collect();
    assert_eq!(lines[0], "alpha@localhost");
    let supervisor = lines
        .iter()
        .position(|line| line.ends_with("supervisor"))
        .expect("the supervisor");
    assert!(
        lines[supervisor + 1].starts_with("   └─ counter  counter@"),
        "{lines:?}"
    );
}

#[test]
fn groups_say_where_their_members_are() {
    let alpha = node("alpha", "");
    let rest = format!(
        "peers = [{:?}]\n[runtime]\nstate_dir = \"state\"\n{}",
        alpha.address(),
        guest_counter("other", "counters", 0)
    );
    let beta = HostNode::start("beta", &rest);
    let shown = wait::until(
        "the groups of both nodes",
        || json(&beta, &["groups"]),
        |groups| groups[0]["groups"][0]["elsewhere"][0]["members"] == 1,
    );
    let group = &shown[0]["groups"][0];
    assert_eq!((&group["group"], &group["here"]), (&"counters".into(), &1.into()));
    assert_eq!(group["elsewhere"][0]["node"], "alpha@localhost");
    let table = at(&beta, &["groups"]);
    assert!(table.answer().contains("1 on alpha@localhost"), "{}", table.stdout);
}
