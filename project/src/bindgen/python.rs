//! Python: a class with the messages and without handlers.

use std::collections::BTreeSet;

use super::interface::{Interface, Message, Type};
use super::names;

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
    let class = interface.type_name();
    let mut body = String::new();
    for message in &interface.messages {
        body.push_str(&method(message, &mut used));
    }
    if body.is_empty() {
        body.push_str("    pass\n");
    }
    let mut aliases = String::new();
    for (format, name, called) in interface.named() {
        let (what, ty) = if format == "json" {
            continue;
        } else if format == "protobuf" {
            (
                "Put the message's class of google.protobuf here; until then, the bytes as they travel.",
                "bytes",
            )
        } else {
            ("The bytes as they travel.", "bytes")
        };
        aliases.push_str(&format!("\n# {format}<{name}>. {what}\n{called} = {ty}\n"));
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
    let any = if used.remove("Any") {
        "from typing import Any\n\n"
    } else {
        ""
    };
    let imports = used.into_iter().collect::<Vec<_>>().join(", ");
    format!(
        "\"\"\"{}\n\nUse it as `find(NAME, {class})`.\n\"\"\"\n\n{any}from ractor import {imports}\n{aliases}\n\nclass {class}(Actor):\n{about}{}\n",
        super::origin(interface).replace('"', "'"),
        body.trim_end()
    )
}

fn method(message: &Message, used: &mut BTreeSet<&'static str>) -> String {
    let verb = if message.reply.is_some() { "call" } else { "cast" };
    used.insert(verb);
    let usual = names::snake(&message.name).map(|name| names::no_keyword(names::no_keyword(name, KEYWORDS), TAKEN));
    let name = usual.unwrap_or_else(|| format!("message_{:08x}", fingerprint(&message.name)));
    let tag = if names::tag_of(&name) == message.name {
        String::new()
    } else {
        format!("({})", names::literal(&message.name))
    };
    let mut parameters = String::new();
    for (name, ty) in message.parameters(KEYWORDS) {
        parameters.push_str(&format!(", {name}: {}", python_type(ty, used)));
    }
    let reply = message
        .reply
        .as_deref()
        .map_or_else(|| "None".to_owned(), |ty| python_type(ty, used));
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

fn python_type(text: &str, used: &mut BTreeSet<&'static str>) -> String {
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
        Type::Named("json", _) => {
            used.extend(["Json", "Any"]);
            "Json[Any]".to_owned()
        }
        Type::Named(_, name) => names::capital(name).unwrap_or_else(|| "Named".to_owned()),
    }
}
