//! docs/node-toml.schema.json is made of the keys that the parser knows, of the ranges and choices that it reads them by, and of what
//! docs/node-toml.md says of each.

mod agreement;
mod page;
mod rows;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::{Map, Value, json};

use self::page::Reference;
use self::rows::{Kind, TABLES, Table};

const BLESS: &str = "RACTOR_BLESS=1 cargo test -p ractor-host --lib schema";

#[test]
fn the_schema_is_what_the_parser_knows() {
    let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/node-toml.schema.json"));
    let schema = serde_json::to_string_pretty(&sorted(schema())).unwrap() + "\n";
    if std::env::var_os("RACTOR_BLESS").is_some() {
        std::fs::write(path, &schema).unwrap();
    }
    let written = std::fs::read_to_string(path).unwrap_or_default();
    let differs = written
        .lines()
        .zip(schema.lines())
        .position(|(is, should)| is != should);
    assert!(
        written == schema,
        "docs/node-toml.schema.json is not what the parser knows, from line {} on. If the code is right, `{BLESS}` writes the file",
        differs.unwrap_or(written.lines().count()) + 1
    );
}

/// The same with keys in order, whichever order a feature of serde_json has them in.
fn sorted(value: Value) -> Value {
    match value {
        Value::Object(object) => {
            let object: BTreeMap<String, Value> = object.into_iter().collect();
            object.into_iter().map(|(key, value)| (key, sorted(value))).collect()
        }
        Value::Array(list) => list.into_iter().map(sorted).collect(),
        other => other,
    }
}

#[test]
fn every_key_of_the_parser_has_a_row_and_no_other() {
    for table in TABLES {
        let known: BTreeSet<&str> = table.keys.known.iter().copied().collect();
        let rows = table.rows();
        let named: BTreeSet<&str> = rows.iter().map(|(key, _)| *key).collect();
        assert_eq!(named, known, "{}", table.name);
    }
}

fn schema() -> Value {
    let reference = Reference::read();
    let mut definitions = Map::new();
    for table in TABLES.iter().skip(1) {
        definitions.insert(table.name.to_owned(), of_table(table, &reference));
    }
    let Some(Value::Object(top)) = TABLES.first().map(|table| of_table(table, &reference)) else {
        panic!("the file has no table");
    };
    let mut schema = Map::new();
    schema.insert("$schema".to_owned(), json!("http://json-schema.org/draft-07/schema#"));
    schema.insert("title".to_owned(), json!("node.toml of ractor-host"));
    schema.extend(top);
    schema.insert("definitions".to_owned(), Value::Object(definitions));
    Value::Object(schema)
}

fn of_table(table: &Table, reference: &Reference) -> Value {
    let mut properties = Map::new();
    for (key, kind) in table.rows() {
        let mut property = of_kind(&kind);
        if let (Some(what), Value::Object(property)) = (reference.of(table, key), &mut property) {
            // Beside a reference, older validators look at nothing else.
            if let Some(reference) = property.remove("$ref") {
                property.insert("allOf".to_owned(), json!([{ "$ref": reference }]));
            }
            property.insert("description".to_owned(), json!(what));
        }
        properties.insert(key.to_owned(), property);
    }
    let mut schema = json!({
        "type": "object",
        "additionalProperties": false,
        "properties": properties,
    });
    if let (false, Value::Object(schema)) = (table.required.is_empty(), &mut schema) {
        schema.insert("required".to_owned(), json!(table.required));
    }
    schema
}

/// What a string may be besides what is meant: one with a variable, whatever that stands for.
const VARIABLE: &str = r"|\$\{";

fn of_kind(kind: &Kind) -> Value {
    let definition = |name: &str| json!({ "$ref": format!("#/definitions/{name}") });
    match kind {
        Kind::Text => json!({ "type": "string" }),
        Kind::Boolean => json!({ "type": "boolean" }),
        Kind::Texts => json!({ "type": "array", "items": { "type": "string" } }),
        Kind::Size(range) => json!({ "anyOf": [
            { "type": "integer", "minimum": range.start(), "maximum": range.end() },
            { "type": "string", "pattern": format!("^[0-9]+(KiB|MiB|GiB)${VARIABLE}") },
        ]}),
        Kind::Integer(range) => json!({ "type": "integer", "minimum": range.start(), "maximum": range.end() }),
        Kind::Time => json!({ "type": "string", "pattern": format!("^[0-9]+(ms|s|m|h)${VARIABLE}") }),
        Kind::Choice(choices) => json!({ "anyOf": [
            { "enum": choices },
            { "type": "string", "pattern": r"\$\{" },
        ]}),
        Kind::Table(name) => definition(name),
        Kind::Named(name) => json!({ "type": "object", "additionalProperties": definition(name) }),
        Kind::List(name) => json!({ "type": "array", "items": definition(name) }),
        Kind::TextsOrTables(name) => json!({
            "type": "array",
            "items": { "anyOf": [{ "type": "string" }, definition(name)] },
        }),
        Kind::Choices => json!({
            "type": "object",
            "additionalProperties": { "type": "array", "items": { "type": "string" }, "minItems": 1 },
        }),
        Kind::Settings => json!({
            "type": "object",
            "additionalProperties": { "type": ["string", "number", "boolean"] },
        }),
        Kind::Interfaces => json!({ "type": "object", "additionalProperties": { "type": "object" } }),
    }
}
