//! Python: a class with the messages and without handlers.

use std::collections::BTreeSet;

use super::interface::{Interface, Message, OwnType, Type, own_type};
use super::names::{self, FreeNames};
use super::schema::{Definitions, Field, Presence, Record, Shape};

const KEYWORDS: &[&str] = &[
    "and", "as", "assert", "async", "await", "break", "class", "continue", "def", "del", "elif", "else", "except",
    "finally", "for", "from", "global", "if", "import", "in", "is", "lambda", "nonlocal", "not", "or", "pass", "raise",
    "return", "self", "try", "while", "with", "yield", "reply",
];

/// What an actor has already: see `_RESERVED` in the SDK.
const TAKEN: &[&str] = &[
    "pre_start",
    "post_start",
    "post_stop",
    "post_reload",
    "on_event",
    "migrate",
    "snapshot",
    "restore",
];

pub(super) fn client(interface: &Interface) -> String {
    let mut used = BTreeSet::from(["Actor"]);
    let class = FreeNames::new(CLASSES).take(interface.type_name());
    let reserved: Vec<&str> = CLASSES.iter().copied().chain([class.as_str()]).collect();
    let types = interface.own_types("", &reserved);
    let keywords: Vec<&str> = KEYWORDS.iter().chain(TAKEN).copied().collect();
    let mut free = FreeNames::new(&keywords);
    let mut body = String::new();
    for message in &interface.messages {
        body.push_str(&method(message, &types, &mut free, &mut used));
    }
    if body.is_empty() {
        body.push_str("    pass\n");
    }
    let mut aliases = String::new();
    for ty in &types {
        let about = match ty.format {
            "json" => continue,
            "protobuf" => "Put the message's class of google.protobuf here; until then, the bytes as they travel.",
            _ => "The bytes as they travel.",
        };
        aliases.push_str(&format!(
            "\n# {}<{}>. {about}\n{} = bytes\n",
            ty.format, ty.name, ty.called
        ));
    }
    let documentation: Vec<String> = names::lines(&interface.documentation)
        .iter()
        .map(|line| format!("    {line}").trim_end().to_owned())
        .collect();
    let about = if documentation.is_empty() {
        String::new()
    } else {
        format!("    \"\"\"{}\n    \"\"\"\n\n", documentation.join("\n").trim_start())
    };
    for ty in &types {
        if let Some(definitions) = &ty.definitions {
            aliases.push_str(&declaration(ty, definitions, &mut used));
        }
    }
    let typing: Vec<&str> = TYPING.iter().copied().filter(|name| used.remove(name)).collect();
    let typing = if typing.is_empty() {
        String::new()
    } else {
        format!("from typing import {}\n\n", typing.join(", "))
    };
    let imports = used.into_iter().collect::<Vec<_>>().join(", ");
    format!(
        "\"\"\"{}\n\nUse it as `find(NAME, {class})`.\n\"\"\"\n\n{typing}from ractor import {imports}\n{aliases}\n\nclass {class}(Actor):\n{about}{}\n",
        super::origin(interface).replace('"', "'"),
        body.trim_end()
    )
}

/// What no class and no type can be called: words of Python, and what the source imports.
const CLASSES: &[&str] = &[
    "Actor",
    "Annotated",
    "Any",
    "False",
    "Json",
    "JsonText",
    "None",
    "NotImplementedError",
    "NotRequired",
    "True",
    "TypedDict",
];

/// What comes from the module `typing`.
const TYPING: [&str; 4] = ["Annotated", "Any", "NotRequired", "TypedDict"];

/// The classes of a type of JSON, and its name where that isn't the first one's.
fn declaration(ty: &OwnType<'_>, definitions: &Definitions, used: &mut BTreeSet<&'static str>) -> String {
    let mut text = String::new();
    for record in definitions.records.iter().rev() {
        text.push_str(&class(record, used));
    }
    if !is_class(ty, definitions) {
        used.extend(["Annotated", "JsonText"]);
        let root = shape_type(&definitions.root, used);
        let name = names::literal(ty.name);
        text.push_str(&format!("\n{} = Annotated[{root}, JsonText({name})]\n", ty.called));
    }
    text
}

/// Whether a type is a class with its very name.
fn is_class(ty: &OwnType<'_>, definitions: &Definitions) -> bool {
    ty.called == ty.name && matches!(&definitions.root, Shape::Record(name, _) if *name == ty.called)
}

fn class(record: &Record, used: &mut BTreeSet<&'static str>) -> String {
    used.insert("TypedDict");
    let is_name = |field: &Field| names::is_identifier(&field.key) && !RESERVED.contains(&field.key.as_str());
    let mut annotation = |field: &Field| {
        let ty = format!("\"{}\"", shape_type(&field.shape, used));
        match field.presence {
            Presence::Required => ty,
            Presence::Optional => {
                used.insert("NotRequired");
                format!("NotRequired[{ty}]")
            }
        }
    };
    let name = &record.name;
    if !record.fields.iter().all(is_name) {
        let rows: String = record
            .fields
            .iter()
            .map(|field| format!("        \"{}\": {},\n", field.key, annotation(field)))
            .collect();
        return format!("\n{name} = TypedDict(\n    \"{name}\",\n    {{\n{rows}    }},\n)\n");
    }
    let about = names::lines(&record.documentation).join(" ");
    let about = about.trim_end_matches('"');
    let mut body = if about.is_empty() {
        String::new()
    } else {
        format!("    \"\"\"{about}\"\"\"\n\n")
    };
    for field in &record.fields {
        for line in names::lines(&field.documentation) {
            body.push_str(format!("    # {line}").trim_end());
            body.push('\n');
        }
        body.push_str(&format!("    {}: {}\n", field.key, annotation(field)));
    }
    if record.fields.is_empty() {
        body.push_str("    pass\n");
    }
    format!("\n\nclass {name}(TypedDict):\n{body}")
}

/// Keywords, which can be no attribute.
const RESERVED: &[&str] = &[
    "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue", "def", "del",
    "elif", "else", "except", "finally", "for", "from", "global", "if", "import", "in", "is", "lambda", "nonlocal",
    "not", "or", "pass", "raise", "return", "try", "while", "with", "yield",
];

fn shape_type(shape: &Shape, used: &mut BTreeSet<&'static str>) -> String {
    match shape {
        Shape::Any => {
            used.insert("Any");
            "Any".to_owned()
        }
        Shape::Bool => "bool".to_owned(),
        Shape::Integer(_) => "int".to_owned(),
        Shape::Number => "float".to_owned(),
        Shape::Text => "str".to_owned(),
        Shape::List(item) => format!("list[{}]", shape_type(item, used)),
        Shape::Map(value) => format!("dict[str, {}]", shape_type(value, used)),
        Shape::Record(name, _) => name.clone(),
        Shape::Option(inner) => format!("{} | None", shape_type(inner, used)),
    }
}

fn method(
    message: &Message,
    types: &[OwnType<'_>],
    free: &mut FreeNames<'_>,
    used: &mut BTreeSet<&'static str>,
) -> String {
    let verb = if message.reply.is_some() { "call" } else { "cast" };
    used.insert(verb);
    let usual = names::snake(&message.name);
    let name = free.take(usual.unwrap_or_else(|| format!("message_{:08x}", fingerprint(&message.name))));
    let tag = if names::tag_of(&name) == message.name {
        String::new()
    } else {
        format!("({})", names::literal(&message.name))
    };
    let mut parameters = String::new();
    for (name, ty) in message.parameters(KEYWORDS) {
        parameters.push_str(&format!(", {name}: {}", python_type(ty, types, used)));
    }
    let reply = message
        .reply
        .as_deref()
        .map_or_else(|| "None".to_owned(), |ty| python_type(ty, types, used));
    let lines = names::lines(&message.documentation);
    let documentation = if lines.is_empty() {
        String::new()
    } else {
        let end = if lines.len() == 1 { "\"\"\"" } else { "\n        \"\"\"" };
        // A quote at the end would be one of the three that end it.
        format!(
            "        \"\"\"{}{end}\n",
            lines.join("\n        ").trim_end_matches('"')
        )
    };
    let body = format!("\n{documentation}        raise NotImplementedError\n");
    format!("    @{verb}{tag}\n    def {name}(self{parameters}) -> {reply}:{body}\n")
}

/// A number for a tag that is no name.
fn fingerprint(tag: &str) -> u32 {
    tag.bytes().fold(0x811c_9dc5, |hash: u32, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    })
}

fn python_type(text: &str, types: &[OwnType<'_>], used: &mut BTreeSet<&'static str>) -> String {
    const OURS: [&str; 13] = [
        "u8", "u16", "u32", "u64", "u128", "i8", "i16", "i32", "i64", "i128", "f32", "f64", "char",
    ];
    let mut ours = |scalar: &str| {
        used.extend(OURS.iter().find(|known| **known == scalar));
        scalar.to_owned()
    };
    match Type::of(text) {
        Type::Unit => "None".to_owned(),
        Type::String => "str".to_owned(),
        Type::Bytes | Type::Unknown => "bytes".to_owned(),
        Type::Scalar(scalar) => ours(scalar),
        Type::List(scalar) => format!("list[{}]", ours(scalar)),
        Type::Named(format, name) => match own_type(types, format, name) {
            Some(ty) if format != "json" || ty.definitions.is_some() => ty.called.clone(),
            _ => {
                used.extend(["Json", "Any"]);
                "Json[Any]".to_owned()
            }
        },
    }
}
