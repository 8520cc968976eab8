//! What an actor says of itself, as `ractor-host inspect --output json` and `describe` write it.

use serde::Deserialize;

use super::names;
use super::schema::{self, Definitions};

/// What an actor understands.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub struct Interface {
    /// The actor's type, e.g. `Counter`.
    pub name: String,
    /// The version of its code.
    pub version: String,
    /// What it is for; empty if it doesn't say.
    #[serde(default)]
    pub documentation: String,
    /// Its start argument, if it has one that is known.
    pub start: Option<Parameter>,
    /// Its messages.
    pub messages: Vec<Message>,
    /// The definitions of types that have a name.
    #[serde(default)]
    pub schemas: Vec<Schema>,
}

/// The definition of a type.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub struct Schema {
    /// The name of the type.
    pub name: String,
    /// What the definition is: `protobuf`, `json-schema`, or something that came later.
    pub format: String,
    /// Its bytes, in hexadecimal.
    pub hex: String,
}

/// A type that travels as JSON and that the actor defines.
pub(super) struct JsonType {
    /// Its name in the contract.
    pub(super) name: String,
    /// What a program calls it.
    pub(super) called: String,
    pub(super) definitions: Definitions,
}

/// An argument.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub struct Parameter {
    /// Its name, or nothing.
    pub name: String,
    /// Its type, in the grammar of docs/types.md.
    #[serde(rename = "type")]
    pub ty: String,
}

/// A message.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub struct Message {
    /// The tag that travels on the wire.
    pub name: String,
    /// What it does; empty if the actor doesn't say.
    #[serde(default)]
    pub documentation: String,
    /// Its arguments, in order.
    pub arguments: Vec<Parameter>,
    /// The type of the reply if it is a call.
    pub reply: Option<String>,
}

/// A type of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Type<'a> {
    Unit,
    String,
    Bytes,
    Scalar(&'a str),
    List(&'a str),
    /// A type of the actor's own: the format and the name.
    Named(&'a str, &'a str),
    /// Not in the grammar: its bytes are known, and no more.
    Unknown,
}

const SCALARS: [&str; 14] = [
    "u8", "u16", "u32", "u64", "u128", "i8", "i16", "i32", "i64", "i128", "f32", "f64", "bool", "char",
];

impl<'a> Type<'a> {
    pub(super) fn of(text: &'a str) -> Self {
        match text {
            "unit" => return Self::Unit,
            "string" => return Self::String,
            "bytes" => return Self::Bytes,
            scalar if SCALARS.contains(&scalar) => return Self::Scalar(scalar),
            _ => {}
        }
        let inner = text.strip_suffix('>').and_then(|text| text.split_once('<'));
        match inner {
            Some(("list", element)) if SCALARS.contains(&element) && element != "u8" => Self::List(element),
            Some((format @ ("protobuf" | "json" | "pot" | "opaque"), name)) if is_path(name) => {
                Self::Named(format, name)
            }
            _ => Self::Unknown,
        }
    }
}

/// Words with dots in between.
fn is_path(name: &str) -> bool {
    let is_word = |word: &str| {
        !word.is_empty()
            && word
                .chars()
                .all(|each| each.is_ascii_alphanumeric() || "_-".contains(each))
    };
    name.split('.').all(is_word)
}

impl Interface {
    /// The actor's type as an identifier, with a capital letter in front.
    pub(super) fn type_name(&self) -> String {
        names::capital(&self.name).unwrap_or_else(|| "Client".to_owned())
    }

    /// Every type of the actor's own that its messages name, once: format, name and what a program calls it.
    pub(super) fn named(&self) -> Vec<(&str, &str, String)> {
        let mut named = Vec::new();
        let arguments = self.messages.iter().flat_map(|message| &message.arguments);
        let types = arguments.map(|argument| argument.ty.as_str());
        let replies = self.messages.iter().filter_map(|message| message.reply.as_deref());
        let start = self.start.iter().map(|start| start.ty.as_str());
        for text in start.chain(types).chain(replies) {
            if let Type::Named(format, name) = Type::of(text) {
                let called = names::capital(name).unwrap_or_else(|| "Named".to_owned());
                if !named.contains(&(format, name, called.clone())) {
                    named.push((format, name, called));
                }
            }
        }
        named
    }
}

impl Interface {
    /// Those types of JSON that the actor defines, each called by `prefix` and its name. No other name is one of those that are `taken`.
    pub(super) fn json_types(&self, prefix: &str, taken: &[&str]) -> Vec<JsonType> {
        let named = self.named();
        let mut taken: Vec<String> = taken.iter().map(|name| (*name).to_owned()).collect();
        taken.extend(named.iter().map(|(_, _, called)| format!("{prefix}{called}")));
        let mut types = Vec::new();
        for (_, name, called) in named.iter().filter(|(format, ..)| *format == "json") {
            let is_it = |schema: &&Schema| schema.name == *name && schema.format == "json-schema";
            let bytes = self
                .schemas
                .iter()
                .find(is_it)
                .and_then(|schema| hex::decode(&schema.hex).ok());
            let called = format!("{prefix}{called}");
            let Some(definitions) = bytes.and_then(|bytes| schema::read(&called, &bytes, &taken)) else {
                continue;
            };
            taken.extend(definitions.records.iter().map(|record| record.name.clone()));
            types.push(JsonType {
                name: (*name).to_owned(),
                called,
                definitions,
            });
        }
        types
    }
}

impl Message {
    /// Its arguments with names that are identifiers and differ.
    pub(super) fn parameters(&self, keywords: &[&str]) -> Vec<(String, &str)> {
        let mut taken: Vec<String> = Vec::new();
        let named = self.arguments.iter().enumerate().map(|(at, argument)| {
            let usual = names::snake(&argument.name).map(|name| names::no_keyword(name, keywords));
            let name = usual.filter(|name| !taken.contains(name));
            let name = name.unwrap_or_else(|| format!("argument_{}", at + 1));
            taken.push(name.clone());
            (name, argument.ty.as_str())
        });
        named.collect()
    }
}
