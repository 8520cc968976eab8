//! TypeScript, and JavaScript: a contract.

use std::collections::BTreeSet;

use super::interface::{Interface, Message, OwnType, Type, own_type};
use super::names;
use super::schema::{Presence, Record, Shape};
use crate::language::Language;

pub(super) fn client(interface: &Interface, language: Language) -> String {
    let mut used = BTreeSet::from(["contract"]);
    let class = interface.type_name();
    let mut types = interface.own_types("", &[&class]);
    if language != Language::TypeScript {
        // JavaScript has no types to write down.
        types.iter_mut().for_each(|ty| ty.definitions = None);
    }
    let mut declarations = String::new();
    for ty in &types {
        let (function, note) = match ty.format {
            "json" => ("json", ""),
            "pot" => ("pot", ""),
            "protobuf" => (
                "opaque",
                " // The bytes as they travel; protobuf(SCHEMA) of \"ractor-guest/protobuf\" makes messages of them.",
            ),
            _ => ("opaque", ""),
        };
        used.insert(function);
        let typed = ty.definitions.as_ref().map(|definitions| {
            for record in &definitions.records {
                declarations.push_str(&interface_of(record));
            }
            format!("<{}>", shape_type(&definitions.root))
        });
        let typed = typed.unwrap_or_default();
        declarations.push_str(&format!(
            "const {} = {function}{typed}(\"{}\");{note}\n",
            ty.called, ty.name
        ));
    }
    if !declarations.is_empty() {
        declarations.push('\n');
    }
    let start = interface.start.as_ref().filter(|start| start.ty != "unit");
    let start = start
        .map(|start| format!("  start: {},\n", typescript_type(&start.ty, &types, &mut used)))
        .unwrap_or_default();
    let rows: String = interface
        .messages
        .iter()
        .map(|message| row(message, &types, &mut used))
        .collect();
    let about = match names::lines(&interface.documentation).as_slice() {
        [] => String::new(),
        lines => format!("  doc: {},\n", names::literal(&lines.join(" "))),
    };
    format!(
        "// {}\n// Use it as `find(NAME, {class})`.\n\nimport {{ {} }} from \"ractor-guest\";\n\n{declarations}export const {class} = contract({{\n  \
         name: \"{class}\",\n  version: {},\n{about}{start}  messages: {{\n{rows}  }},\n}});\n",
        super::origin(interface),
        used.into_iter().collect::<Vec<_>>().join(", "),
        names::literal(&interface.version),
    )
}

fn interface_of(record: &Record) -> String {
    let about = |text: &str, indentation: &str| match names::lines(text).as_slice() {
        [] => String::new(),
        lines => format!("{indentation}/** {} */\n", lines.join(" ")),
    };
    let mut text = about(&record.documentation, "");
    text.push_str(&format!("export interface {} {{\n", record.name));
    for field in &record.fields {
        let key = if names::is_identifier(&field.key) {
            field.key.clone()
        } else {
            format!("\"{}\"", field.key)
        };
        let mark = match field.presence {
            Presence::Required => "",
            Presence::Optional => "?",
        };
        text.push_str(&about(&field.documentation, "  "));
        text.push_str(&format!("  {key}{mark}: {};\n", shape_type(&field.shape)));
    }
    text + "}\n"
}

fn shape_type(shape: &Shape) -> String {
    match shape {
        Shape::Any => "unknown".to_owned(),
        Shape::Bool => "boolean".to_owned(),
        Shape::Integer(_) | Shape::Number => "number".to_owned(),
        Shape::Text => "string".to_owned(),
        Shape::List(item) if matches!(**item, Shape::Option(_)) => format!("({})[]", shape_type(item)),
        Shape::List(item) => format!("{}[]", shape_type(item)),
        Shape::Map(value) => format!("{{ [key: string]: {} }}", shape_type(value)),
        Shape::Record(name, _) => name.clone(),
        Shape::Option(inner) => format!("{} | null", shape_type(inner)),
    }
}

fn row(message: &Message, types: &[OwnType<'_>], used: &mut BTreeSet<&'static str>) -> String {
    let verb = if message.reply.is_some() { "call" } else { "cast" };
    used.insert(verb);
    let is_named = !message.arguments.is_empty()
        && message
            .arguments
            .iter()
            .all(|argument| names::is_identifier(&argument.name));
    let arguments: Vec<String> = message
        .arguments
        .iter()
        .map(|argument| typescript_type(&argument.ty, types, used))
        .collect();
    let arguments = if is_named {
        let named = message
            .arguments
            .iter()
            .zip(&arguments)
            .map(|(argument, ty)| match argument.name == *ty {
                true => ty.clone(),
                false => format!("{}: {ty}", argument.name),
            });
        format!("{{ {} }}", named.collect::<Vec<_>>().join(", "))
    } else {
        arguments.join(", ")
    };
    let reply = message
        .reply
        .as_deref()
        .map(|ty| format!(".returns({})", typescript_type(ty, types, used)));
    let key = if names::is_identifier(&message.name) {
        message.name.clone()
    } else {
        names::literal(&message.name)
    };
    let tag = if names::tag_of(&message.name) == message.name && names::is_identifier(&message.name) {
        String::new()
    } else {
        format!(".tag({})", names::literal(&message.name))
    };
    let about = match names::lines(&message.documentation).as_slice() {
        [] => String::new(),
        lines => format!(".doc({})", names::literal(&lines.join(" "))),
    };
    format!(
        "    {key}: {verb}({arguments}){}{tag}{about},\n",
        reply.unwrap_or_default()
    )
}

fn typescript_type(text: &str, types: &[OwnType<'_>], used: &mut BTreeSet<&'static str>) -> String {
    const PLAIN: [&str; 17] = [
        "u8", "u16", "u32", "u64", "u128", "i8", "i16", "i32", "i64", "i128", "f32", "f64", "bool", "char", "string",
        "bytes", "unit",
    ];
    let mut plain = |name: &str| {
        used.extend(PLAIN.iter().find(|known| **known == name));
        name.to_owned()
    };
    match Type::of(text) {
        Type::Unit => plain("unit"),
        Type::String => plain("string"),
        Type::Bytes | Type::Unknown => plain("bytes"),
        Type::Scalar(scalar) => plain(scalar),
        Type::List(scalar) => {
            let element = plain(scalar);
            used.insert("list");
            format!("list({element})")
        }
        Type::Named(format, name) => match own_type(types, format, name) {
            Some(ty) => ty.called.clone(),
            None => plain("bytes"),
        },
    }
}
