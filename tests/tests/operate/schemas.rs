//! What commands print for programs is as the schemas in docs/schemas say, down to the last property.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use ractor_host_tests::cli::{Ended, end, ractor_host};
use ractor_host_tests::host::{HostNode, NodeFolder, guest_counter};
use ractor_host_tests::{programs, wait};
use serde_json::Value;

use crate::operator::{at, json};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/schemas")
}

fn schema(name: &str) -> Value {
    let path = folder().join(format!("{name}.v1.json"));
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The same schema, which takes nothing that it doesn't describe. Programs are to ignore that, and we are to describe it.
pub(crate) fn closed(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            if object.contains_key("properties") && !object.contains_key("additionalProperties") {
                object.insert("additionalProperties".to_owned(), Value::Bool(false));
            }
            object.values_mut().for_each(closed);
        }
        Value::Array(items) => items.iter_mut().for_each(closed),
        _ => {}
    }
}

/// What a schema has to say against a value.
fn complaints(name: &str, value: &Value) -> Vec<String> {
    let mut schema = schema(name);
    closed(&mut schema);
    let validator = jsonschema::validator_for(&schema).unwrap_or_else(|error| panic!("{name}: {error}"));
    let errors = validator.iter_errors(value);
    errors
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect()
}

#[track_caller]
fn check(name: &str, value: &Value) {
    let complaints = complaints(name, value);
    assert!(complaints.is_empty(), "{name}.v1.json: {complaints:#?}\n{value:#}");
}

#[track_caller]
fn parsed(ended: &Ended) -> Value {
    serde_json::from_str(&ended.stdout).unwrap_or_else(|error| panic!("{error}: {}{}", ended.stdout, ended.stderr))
}

/// Two nodes with a session, keys, and a guest each.
fn pair() -> (HostNode, HostNode, NodeFolder) {
    // It is the key, too, and has to be a good one.
    const COOKIE: &str = "0f1e2d3c4b5a69788796a5b4c3d2e1f0";
    let kept = "restart = \"permanent\"\ncheckpoint = { every = \"100ms\" }";
    let counter = guest_counter("counter", "counters", 0).replace("restart = \"temporary\"", kept);
    let rest = format!("[control]\nkey_file = \"key\"\n[runtime]\nstate_dir = \"state\"\n{counter}");
    let keys = NodeFolder::new("", "a key that nobody can guess: 8f1a");
    let rest = rest.replace("\"key\"", &format!("{:?}", keys.path("cookie")));
    // What alpha wants of others is among what beta says of its sessions.
    let groups = "groups = [\"counters\", { pattern = \"x-*\", members = \"one-per-node\" }]\n";
    let first = HostNode::start_with_cookie("alpha", COOKIE, &format!("{groups}{rest}"));
    let peers = format!("peers = [{:?}]\n", first.address());
    let second = HostNode::start_with_cookie("beta", COOKIE, &format!("{peers}{rest}"));
    wait::until(
        "a session of the two",
        || json(&second, &["nodes"]),
        |nodes| nodes[0]["links"][0]["figures"].is_object(),
    );
    (first, second, keys)
}

#[test]
fn what_commands_show_of_a_node_is_as_their_schemas_say() {
    let (_alpha, beta, _keys) = pair();
    at(&beta, &["kill", "counter"]).answer();
    wait::until(
        "the actor to be there again",
        || json(&beta, &["ps"]),
        |nodes| {
            let actors = nodes[0]["actors"].as_array();
            actors.is_some_and(|actors| actors.iter().any(|actor| actor["name"] == "counter"))
        },
    );
    for (words, name) in [
        (&["ps", "--all"][..], "ps"),
        (&["tree"], "tree"),
        (&["groups"], "groups"),
        (&["nodes"], "nodes"),
        (&["node"], "node"),
        (&["show", "counter"], "show"),
        (&["status"], "status"),
        (&["loglevel", "debug", "--actor", "counter"], "loglevel"),
        (&["loglevel", "info,ractor_host=debug", "--for", "10m"], "loglevel"),
        (&["doctor"], "doctor"),
        (&["reload", "counter"], "rollout"),
        (&["reload", "counter", "--dry-run"], "rollout"),
        (&["restart", "counter"], "steer"),
        (&["stop", "counter"], "steer"),
        (&["status"], "status"),
        (&["ps"], "ps"),
        (&["start", "counter"], "steer"),
        (&["spawn", "counter", "another", "u64:0"], "spawn"),
        (&["apply"], "apply"),
    ] {
        let value = json(&beta, words);
        check(name, &value);
    }
    let kept = wait::until(
        "a state that is kept",
        || json(&beta, &["checkpoints", "counter"]),
        |nodes| nodes[0]["checkpoints"][0].is_object(),
    );
    check("checkpoints", &kept);
    let number = kept[0]["checkpoints"][0]["number"].to_string();
    check(
        "checkpoints",
        &json(&beta, &["checkpoints", "counter", "--back", &number]),
    );
    let refused = at(&beta, &["rollback", "counter", "--output", "json"]);
    check("rollout", &parsed(&refused));
    let trace = ["trace", "counter", "--for", "2s", "--output", "json"];
    for (words, name) in [
        (&["logs", "--output", "json"][..], "logs"),
        (&["events", "--output", "json"], "events"),
        (&trace, "trace"),
    ] {
        for line in at(&beta, words).answer().lines() {
            check(name, &serde_json::from_str(line).expect("an object on each line"));
        }
    }
    let address = beta.address();
    let cookie = beta.cookie_file().display().to_string();
    let described = ractor_host(&[
        "describe",
        "--node",
        address,
        "--cookie-file",
        &cookie,
        "counter",
        "--output",
        "json",
    ]);
    check("describe", &parsed(&described));
    check("drain", &json(&beta, &["drain", "--wait"]));
}

#[test]
fn what_is_said_of_a_component_is_as_the_schema_says() {
    let counter = programs::guest("counter").display().to_string();
    check(
        "inspect",
        &parsed(&ractor_host(&["inspect", &counter, "--output", "json"])),
    );
}

/// A schema that takes anything would find nothing.
#[test]
fn a_schema_complains_of_what_is_wrong_missing_or_not_described() {
    let good = serde_json::json!([{"node": "alpha@localhost", "down": true}]);
    assert_eq!(complaints("drain", &good), Vec::<String>::new());
    for bad in [
        serde_json::json!([{"node": "alpha@localhost", "down": "yes"}]),
        serde_json::json!([{"node": "alpha@localhost"}]),
        serde_json::json!([{"node": "alpha@localhost", "down": true, "more": 1}]),
        serde_json::json!({}),
    ] {
        assert!(!complaints("drain", &bad).is_empty(), "{bad}");
    }
}

/// A command that prints JSON, and the schema of that where it has another name.
const SHARED: [(&str, &str); 6] = [
    ("stop", "steer"),
    ("start", "steer"),
    ("kill", "steer"),
    ("restart", "steer"),
    ("reload", "rollout"),
    ("rollback", "rollout"),
];

#[test]
fn every_command_with_json_has_a_schema_and_every_schema_a_place_in_the_list() {
    let help = ractor_host(&["--help"]);
    let (_, commands) = help.answer().split_once("Commands:").expect("commands");
    let commands = commands.lines().skip(1).take_while(|line| !line.is_empty());
    let commands = commands.filter_map(|line| line.strip_prefix("  ")?.split(' ').next());
    let commands: Vec<&str> = commands.filter(|name| !name.is_empty()).collect();
    assert!(commands.contains(&"ps"), "{commands:?}");
    let list = fs::read_to_string(folder().join("README.md")).expect("the list");
    let mut wanted = BTreeSet::new();
    for command in commands {
        let help = end(command, programs::ractor_host().args([command, "--help"]));
        if !help.answer().contains("JSON for programs") {
            continue;
        }
        let shared = SHARED.iter().find(|(name, _)| *name == command);
        let name = shared.map_or(command, |(_, schema)| schema);
        wanted.insert(format!("{name}.v1.json"));
        let schema = schema(name);
        assert_eq!(schema["$id"], format!("urn:ractor-host:schema:{name}:v1"));
        assert!(list.contains(&format!("[{name}.v1.json]")), "{name} is not in the list");
    }
    // Of commands below a command.
    for name in ["entities-ls", "entities-delete"] {
        assert!(list.contains(&format!("[{name}.v1.json]")), "{name} is not in the list");
        wanted.insert(format!("{name}.v1.json"));
    }
    let there = fs::read_dir(folder()).expect("the folder").flatten();
    let there = there.map(|entry| entry.file_name().to_string_lossy().into_owned());
    let there: BTreeSet<String> = there.filter(|name| name.contains(".v1.")).collect();
    assert_eq!(there, wanted, "schemas, and commands that print JSON");
}
