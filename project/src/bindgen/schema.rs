//! JSON Schemas as types that every language has: records with fields, lists, maps and plain values.
//!
//! A schema may say much more. What has no such type is any value of JSON; nothing is refused.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::names::{self, FreeNames};

/// The most levels of types within types; anything deeper is any value.
const MOST_LEVELS: usize = 32;

/// A type of JSON values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Any,
    Bool,
    /// A whole number; true if it is never negative.
    Integer(Signed),
    Number,
    Text,
    List(Box<Shape>),
    /// An object with any keys.
    Map(Box<Shape>),
    /// One of the records, by its name.
    Record(String, Nesting),
    /// A value, or null.
    Option(Box<Shape>),
}

/// Whether a whole number may be negative.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Signed {
    Yes,
    No,
}

/// How a record is within another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Nesting {
    /// As a part of it.
    Part,
    /// The outer one is within the inner one as well, so one of them has to be somewhere else.
    Circle,
}

/// An object whose keys are known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) name: String,
    pub(super) documentation: String,
    pub(super) fields: Vec<Field>,
}

/// A key of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Field {
    /// As it is in JSON.
    pub(super) key: String,
    /// As an identifier in small letters.
    pub(super) name: String,
    pub(super) shape: Shape,
    pub(super) documentation: String,
    pub(super) presence: Presence,
}

/// Whether a key is always there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Presence {
    Required,
    Optional,
}

/// What a schema defines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Definitions {
    /// The type itself.
    pub(super) root: Shape,
    /// The records that it consists of, itself first.
    pub(super) records: Vec<Record>,
}

/// The types of a schema. `name` is that of the root, and begins the names of all others, which are `free`.
pub(super) fn read(name: &str, schema: &[u8], free: &FreeNames<'_>) -> Option<Definitions> {
    let schema: Value = serde_json::from_slice(schema).ok()?;
    let mut reader = Reader {
        root: &schema,
        name,
        records: Vec::new(),
        begun: Vec::new(),
        free,
    };
    let root = reader.shape(&schema, name, 0);
    // Nothing is known that wasn't before.
    let is_known = !matches!(root, Shape::Any | Shape::Option(_));
    is_known.then(|| Definitions {
        root,
        records: reader.records.into_iter().flatten().collect(),
    })
}

struct Reader<'a> {
    root: &'a Value,
    name: &'a str,
    /// Those that are begun have a place already.
    records: Vec<Option<Record>>,
    /// All that were begun, and what they are called, in the order of their places.
    begun: Vec<(&'a Map<String, Value>, String)>,
    free: &'a FreeNames<'a>,
}

impl<'a> Reader<'a> {
    fn shape(&mut self, schema: &'a Value, name: &str, level: usize) -> Shape {
        let Some(object) = schema.as_object().filter(|_| level < MOST_LEVELS) else {
            return Shape::Any;
        };
        if let Some(reference) = object.get("$ref").and_then(Value::as_str) {
            return self.reference(reference, level);
        }
        if let Some(cases) = object
            .get("anyOf")
            .or_else(|| object.get("oneOf"))
            .and_then(Value::as_array)
        {
            return self.cases(cases, name, level);
        }
        let types: Vec<&str> = match object.get("type") {
            Some(Value::String(one)) => vec![one],
            Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect(),
            _ if object.contains_key("properties") => vec!["object"],
            _ if is_of_texts(object) => vec!["string"],
            _ => return Shape::Any,
        };
        let others: Vec<&str> = types.iter().copied().filter(|each| *each != "null").collect();
        let [one] = others.as_slice() else { return Shape::Any };
        let shape = match *one {
            "boolean" => Shape::Bool,
            "integer" => Shape::Integer(match object.get("minimum").and_then(Value::as_f64) {
                Some(least) if least >= 0.0 => Signed::No,
                _ => Signed::Yes,
            }),
            "number" => Shape::Number,
            "string" => Shape::Text,
            "array" => Shape::List(Box::new(match object.get("items") {
                Some(items) => self.shape(items, &format!("{name}Item"), level + 1),
                None => Shape::Any,
            })),
            "object" => self.object(object, name, level),
            _ => Shape::Any,
        };
        match others.len() == types.len() {
            true => shape,
            false => optional(shape),
        }
    }

    /// One of several, of which this knows null beside another.
    fn cases(&mut self, cases: &'a [Value], name: &str, level: usize) -> Shape {
        let is_null = |case: &&Value| case.get("type").and_then(Value::as_str) == Some("null");
        let others: Vec<&Value> = cases.iter().filter(|case| !is_null(case)).collect();
        match others.as_slice() {
            [one] if others.len() < cases.len() => optional(self.shape(one, name, level + 1)),
            [one] => self.shape(one, name, level + 1),
            _ => Shape::Any,
        }
    }

    /// A type that the schema defines at another place of itself.
    fn reference(&mut self, reference: &str, level: usize) -> Shape {
        if reference == "#" {
            return self.shape(self.root, self.name, level + 1);
        }
        let inner = reference
            .strip_prefix("#/$defs/")
            .or_else(|| reference.strip_prefix("#/definitions/"));
        let found = reference.strip_prefix('#').and_then(|path| self.root.pointer(path));
        let (Some(inner), Some(found)) = (inner, found) else {
            return Shape::Any;
        };
        match names::capital(inner) {
            // The root is often only a reference to a definition of its own name.
            Some(inner) if self.name.ends_with(&inner) => self.shape(found, self.name, level + 1),
            Some(inner) => self.shape(found, &format!("{}{inner}", self.name), level + 1),
            None => Shape::Any,
        }
    }

    fn object(&mut self, object: &'a Map<String, Value>, name: &str, level: usize) -> Shape {
        let Some(properties) = object.get("properties").and_then(Value::as_object) else {
            return Shape::Map(Box::new(match object.get("additionalProperties") {
                Some(values) => self.shape(values, &format!("{name}Value"), level + 1),
                None => Shape::Any,
            }));
        };
        // What a key can't be called in every language is no field.
        if !properties.keys().all(|key| is_plain(key)) {
            return Shape::Map(Box::new(Shape::Any));
        }
        if let Some(place) = self.begun.iter().position(|(begun, _)| std::ptr::eq(*begun, object)) {
            let is_done = self.records.get(place).is_some_and(Option::is_some);
            let nesting = if is_done { Nesting::Part } else { Nesting::Circle };
            let name = self.begun.get(place).map(|(_, name)| name.clone()).unwrap_or_default();
            return Shape::Record(name, nesting);
        }
        let place = self.records.len();
        let name = &self.free_name(name);
        self.begun.push((object, name.clone()));
        self.records.push(None);
        let required = object.get("required").and_then(Value::as_array);
        let mut fields: Vec<Field> = Vec::new();
        // By name, whichever order a feature of serde_json has them in: the same schema makes the same client everywhere.
        let properties: BTreeMap<_, _> = properties.iter().collect();
        for (key, schema) in properties {
            let inner = names::capital(key).unwrap_or_else(|| format!("Field{}", fields.len() + 1));
            let shape = self.shape(schema, &format!("{name}{inner}"), level + 1);
            let is_required = required.is_some_and(|required| required.iter().any(|each| each == key));
            let usual = names::snake(&key.replace(['-', '.', ' '], "_"));
            let usual = usual.filter(|name| !fields.iter().any(|field| field.name == *name));
            fields.push(Field {
                name: usual.unwrap_or_else(|| format!("field_{}", fields.len() + 1)),
                key: key.clone(),
                shape,
                documentation: documentation(schema),
                presence: if is_required {
                    Presence::Required
                } else {
                    Presence::Optional
                },
            });
        }
        let record = Record {
            name: name.to_owned(),
            documentation: object
                .get("description")
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned(),
            fields,
        };
        if let Some(here) = self.records.get_mut(place) {
            *here = Some(record);
        }
        Shape::Record(name.to_owned(), Nesting::Part)
    }

    /// The name, or one like it that nothing has.
    fn free_name(&self, name: &str) -> String {
        // The root has the name that it was given.
        let is_taken = |name: &String| {
            self.begun.iter().any(|(_, begun)| begun == name) || (name != self.name && !self.free.is_free(name))
        };
        let mut free = name.to_owned();
        let mut number = 1;
        while is_taken(&free) {
            number += 1;
            free = format!("{name}{number}");
        }
        free
    }
}

/// Whether a key can stand in a source, whatever the language.
fn is_plain(key: &str) -> bool {
    key.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && key
            .chars()
            .all(|each| each.is_ascii_alphanumeric() || "_-. ".contains(each))
}

fn optional(shape: Shape) -> Shape {
    match shape {
        // Null is among these already.
        Shape::Any | Shape::Option(_) => shape,
        other => Shape::Option(Box::new(other)),
    }
}

fn documentation(schema: &Value) -> String {
    schema
        .get("description")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned()
}

/// One of some texts.
fn is_of_texts(object: &Map<String, Value>) -> bool {
    let values = object.get("enum").and_then(Value::as_array);
    values.is_some_and(|values| !values.is_empty() && values.iter().all(Value::is_string))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn shape(schema: &Value) -> Shape {
        read("Order", schema.to_string().as_bytes(), &FreeNames::new(&[])).map_or(Shape::Any, |read| read.root)
    }

    #[test]
    fn a_schema_becomes_the_types_that_languages_have() {
        let list = |inner| Shape::List(Box::new(inner));
        for (schema, expected) in [
            (json!({"type": "string"}), Shape::Text),
            (json!({"enum": ["a", "b"]}), Shape::Text),
            (json!({"type": "integer"}), Shape::Integer(Signed::Yes)),
            (json!({"type": "integer", "minimum": 0}), Shape::Integer(Signed::No)),
            (
                json!({"type": "array", "items": {"type": ["number", "null"]}}),
                list(Shape::Option(Box::new(Shape::Number))),
            ),
            (
                json!({"type": "array", "items": {"anyOf": [{"type": "null"}, {"type": "boolean"}]}}),
                list(Shape::Option(Box::new(Shape::Bool))),
            ),
            (json!({"type": "array"}), list(Shape::Any)),
            (json!({"type": "array", "items": {"type": "string"}}), list(Shape::Text)),
            (
                json!({"type": "object", "additionalProperties": {"type": "number"}}),
                Shape::Map(Box::new(Shape::Number)),
            ),
            (json!({"type": ["number", "string"]}), Shape::Any),
            (json!({"anyOf": [{"type": "number"}, {"type": "string"}]}), Shape::Any),
            (json!({"$ref": "elsewhere.json"}), Shape::Any),
            (json!(true), Shape::Any),
        ] {
            assert_eq!(shape(&schema), expected, "{schema}");
        }
        assert_eq!(read("Order", b"no json", &FreeNames::new(&[])), None);
    }

    #[test]
    fn records_within_records_have_names_of_their_own_and_may_be_circles() {
        let schema = json!({
            "$ref": "#/$defs/Order",
            "$defs": {
                "Order": { "type": "object", "required": ["line-items"], "properties": {
                    "line-items": { "type": "array", "items": { "$ref": "#/$defs/Item" } },
                    "before": { "anyOf": [{ "$ref": "#/$defs/Order" }, { "type": "null" }] },
                    "to": { "type": "object", "properties": { "street": { "type": "string" } } },
                } },
                "Item": { "type": "object", "properties": {}, "description": "One thing." },
            },
        });
        let read = read("Order", schema.to_string().as_bytes(), &FreeNames::new(&[])).unwrap();
        assert_eq!(read.root, Shape::Record("Order".to_owned(), Nesting::Part));
        let names: Vec<&str> = read.records.iter().map(|record| record.name.as_str()).collect();
        assert_eq!(names, ["Order", "OrderItem", "OrderTo"]);
        let fields = &read.records[0].fields;
        let field = |key: &str| fields.iter().find(|field| field.key == key).unwrap();
        let circle = Shape::Record("Order".to_owned(), Nesting::Circle);
        assert_eq!(field("before").shape, Shape::Option(Box::new(circle)));
        assert_eq!(
            (field("line-items").name.as_str(), field("line-items").presence),
            ("line_items", Presence::Required)
        );
        assert_eq!(field("to").presence, Presence::Optional);
        assert_eq!(read.records[1].documentation, "One thing.");
    }

    #[test]
    fn two_records_never_have_one_name() {
        let record = || json!({ "type": "object", "properties": { "n": { "type": "integer" } } });
        let schema = json!({ "properties": { "a-b": record(), "aB": record(), "c": record() } });
        let read = read("Order", schema.to_string().as_bytes(), &FreeNames::new(&["OrderC"])).unwrap();
        let mut names: Vec<&str> = read.records.iter().map(|record| record.name.as_str()).collect();
        names.sort_unstable();
        assert_eq!(names, ["Order", "OrderAB", "OrderAB2", "OrderC2"]);
        let evil = json!({ "properties": { "a\"; os.abort() //": { "type": "string" } } });
        assert_eq!(shape(&evil), Shape::Map(Box::new(Shape::Any)));
    }

    #[test]
    fn a_schema_without_an_end_has_one_here() {
        let endless = json!({"$ref": "#"});
        assert_eq!(shape(&endless), Shape::Any);
        let deep = (0..100).fold(json!({}), |inner, _| json!({"type": "array", "items": inner}));
        assert!(format!("{:?}", shape(&deep)).matches("List").count() <= MOST_LEVELS);
    }
}
