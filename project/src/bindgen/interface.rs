//! What an actor says of itself, as `ractor-host inspect --output json` and `describe` write it.

use serde::Deserialize;

use super::names::{self, FreeNames};
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

/// A type of the actor's own, which its messages name.
pub(super) struct OwnType<'a> {
    /// `protobuf`, `json`, `pot` or `opaque`.
    pub(super) format: &'a str,
    /// Its name in the contract.
    pub(super) name: &'a str,
    /// What a program calls it. No other type of the actor is called so.
    pub(super) called: String,
    /// What it consists of, if it travels as JSON and the actor defines it.
    pub(super) definitions: Option<Definitions>,
}

/// The one of `types` that a message names so.
pub(super) fn own_type<'a, 'b>(types: &'b [OwnType<'a>], format: &str, name: &str) -> Option<&'b OwnType<'a>> {
    types.iter().find(|ty| ty.format == format && ty.name == name)
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

    /// Every type of the actor's own that its messages name, once. A program calls it by `prefix` and its name, and nothing in the source
    /// is called one of those that are `reserved`.
    pub(super) fn own_types(&self, prefix: &str, reserved: &[&str]) -> Vec<OwnType<'_>> {
        let arguments = self.messages.iter().flat_map(|message| &message.arguments);
        let types = arguments.map(|argument| argument.ty.as_str());
        let replies = self.messages.iter().filter_map(|message| message.reply.as_deref());
        let start = self.start.iter().map(|start| start.ty.as_str());
        let mut free = FreeNames::new(reserved);
        let mut own: Vec<OwnType<'_>> = Vec::new();
        for text in start.chain(types).chain(replies) {
            let Type::Named(format, name) = Type::of(text) else {
                continue;
            };
            if own_type(&own, format, name).is_none() {
                let called = names::capital(name).unwrap_or_else(|| "Named".to_owned());
                own.push(OwnType {
                    format,
                    name,
                    called: free.take(format!("{prefix}{called}")),
                    definitions: None,
                });
            }
        }
        // What they consist of has names as well, none of which is that of another type.
        for ty in own.iter_mut().filter(|ty| ty.format == "json") {
            let Some(definitions) = self.definitions(ty.name, &ty.called, &free) else {
                continue;
            };
            for record in &definitions.records {
                free.note(&record.name);
            }
            ty.definitions = Some(definitions);
        }
        own
    }

    /// What the actor's schema of a type defines.
    fn definitions(&self, name: &str, called: &str, free: &FreeNames<'_>) -> Option<Definitions> {
        let is_it = |schema: &&Schema| schema.name == name && schema.format == "json-schema";
        let schema = self.schemas.iter().find(is_it)?;
        schema::read(called, &hex::decode(&schema.hex).ok()?, free)
    }
}

impl Message {
    /// Its arguments with names that are identifiers and differ.
    pub(super) fn parameters(&self, keywords: &[&str]) -> Vec<(String, &str)> {
        let mut taken: Vec<String> = Vec::new();
        let named = self.arguments.iter().enumerate().map(|(at, argument)| {
            let usual = names::snake(&argument.name).map(|name| FreeNames::new(keywords).take(name));
            let name = usual.filter(|name| !taken.contains(name));
            let name = name.unwrap_or_else(|| format!("argument_{}", at + 1));
            taken.push(name.clone());
            (name, argument.ty.as_str())
        });
        named.collect()
    }
}
