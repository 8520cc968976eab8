//! What commands show of nodes.

use std::os::unix::fs::PermissionsExt as _;

use ractor_host_tests::host::{HostNode, guest_counter};
use ractor_host_tests::wait;

use crate::operator::{at, in_folder, json, node};

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

#[test]
fn one_of_several_nodes_is_shown_if_it_is_named_with_its_actor() {
    let keys = tempfile::tempdir().expect("a folder");
    let key = keys.path().join("key");
    std::fs::write(&key, "observe 0f1e2d3c4b5a69788796a5b4c3d2e1f0").expect("a key");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).expect("permissions");
    let control = format!("[control]\nkey_file = {key:?}\n");
    let (alpha, beta) = (node("alpha", &control), node("beta", &control));
    let (cookie, key) = (alpha.cookie_file().display().to_string(), key.display().to_string());
    let show = |target: &str| {
        let words = ["show", target, "--node", alpha.address(), "--node", beta.address()];
        let reach = ["--cookie-file", &cookie, "--key-file", &key, "--output", "json"];
        in_folder(keys.path(), &[&words[..], &reach[..]].concat())
    };
    let nodes = |target: &str| {
        let shown: serde_json::Value = serde_json::from_str(show(target).answer()).expect("JSON");
        let all = shown.as_array().expect("a list");
        all.iter().map(|of| of["node"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(nodes("counter"), ["alpha@localhost", "beta@localhost"]);
    assert_eq!(nodes("counter@beta"), ["beta@localhost"]);
    assert_eq!(nodes("counter@alpha@localhost"), ["alpha@localhost"]);
    let wrong = show("conuter@beta");
    assert_eq!(wrong.code, Some(1));
    assert!(
        wrong.stderr.contains("did you mean") && wrong.stderr.matches("error").count() == 1,
        "beta alone was asked: {}",
        wrong.stderr
    );
    // Another @ is a part of the name.
    assert_eq!(show("counter@gamma").code, Some(1));
}
