//! docs/node-toml.schema.json, by which an editor completes and checks node.toml.

use std::fs;
use std::path::{Path, PathBuf};

use jsonschema::Validator;
use ractor_host_tests::host::node_toml;
use serde_json::Value;

use crate::config::FILES;

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn schema() -> Validator {
    let text = fs::read_to_string(repository().join("docs/node-toml.schema.json")).unwrap();
    jsonschema::validator_for(&serde_json::from_str::<Value>(&text).unwrap()).unwrap()
}

/// What the schema says against a file.
fn faults(schema: &Validator, text: &str) -> Vec<String> {
    let table: toml::Table = text.parse().unwrap();
    let value = serde_json::to_value(table).unwrap();
    let errors = schema.iter_errors(&value);
    errors
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect()
}

#[test]
fn every_node_toml_of_the_repository_is_valid_by_the_schema() {
    let schema = schema();
    let examples = [
        "node/node",
        "key-value/node",
        "router/node",
        "shop/shop",
        "shop/alpha",
        "shop/beta",
    ];
    let examples = examples.map(|name| format!("examples/{name}.toml"));
    let templates = ["go", "python", "rust", "c", "js"].map(|name| format!("project/templates/{name}/node.toml"));
    for path in examples.iter().chain(&templates) {
        let text = fs::read_to_string(repository().join(path)).unwrap();
        // A new project puts its name into a template.
        let text = text.replace("{{name}}", "alpha");
        assert_eq!(faults(&schema, &text), Vec::<String>::new(), "{path}");
    }
    for (key, rest) in FILES {
        let text = node_toml("alpha", rest);
        // The usual beginning and the rest may both say where the cookie is.
        let text = if rest.starts_with("cookie_file") {
            text.replace("cookie_file = \"cookie\"\n", "")
        } else {
            text
        };
        assert_eq!(faults(&schema, &text), Vec::<String>::new(), "{key}");
    }
}

#[test]
fn what_is_no_key_or_of_another_type_is_invalid_by_the_schema() {
    let schema = schema();
    let wrong = [
        ("[node]\nlisen = \"127.0.0.1:0\"", "lisen"),
        ("[node]\npeers = \"beta:4697\"", "/node/peers"),
        ("[node]\non_give_up = \"never\"", "/node/on_give_up"),
        (
            "[runtime]\nmemory_reservation = \"64MB\"",
            "/runtime/memory_reservation",
        ),
        ("[[actors]]\nmodule = \"a\"", "name"),
        ("[[actors]]\nname = \"a\"\ncount = 0", "/actors/0/count"),
        ("[actors]\nname = \"a\"", "/actors"),
        ("[defaults.limits]\nmessage_time = 5", "/defaults/limits/message_time"),
    ];
    for (text, expected) in wrong {
        let faults = faults(&schema, text);
        assert!(
            faults.iter().any(|fault| fault.contains(expected)),
            "{text}: {faults:?}"
        );
    }
    let variables =
        "[node]\non_give_up = \"${THEN:-exit}\"\n[runtime]\nepoch_tick = \"${TICK}\"\ncache_bytes = \"${BYTES}\"";
    assert_eq!(faults(&schema, variables), Vec::<String>::new());
}

#[test]
fn the_program_prints_the_schema_of_its_version() {
    let printed = ractor_host_tests::cli::ractor_host(&["schema"]);
    let printed: Value = serde_json::from_str(printed.answer()).unwrap();
    let written = fs::read_to_string(repository().join("docs/node-toml.schema.json")).unwrap();
    assert_eq!(printed, serde_json::from_str::<Value>(&written).unwrap());
}
