//! C and C++: a table of messages, and the functions that ractor.h makes of it.

use super::interface::{Interface, Message, OwnType, Type, own_type};
use super::names::{self, FreeNames};
use crate::error::ProjectError;
use crate::language::Language;

/// The most arguments of a row.
const MOST_ARGUMENTS: usize = 8;

const KEYWORDS: &[&str] = &[
    "alignas",
    "alignof",
    "and",
    "asm",
    "auto",
    "bool",
    "break",
    "case",
    "catch",
    "char",
    "class",
    "const",
    "constexpr",
    "continue",
    "default",
    "delete",
    "do",
    "double",
    "else",
    "enum",
    "explicit",
    "export",
    "extern",
    "false",
    "float",
    "for",
    "friend",
    "goto",
    "if",
    "inline",
    "int",
    "long",
    "mutable",
    "namespace",
    "new",
    "not",
    "nullptr",
    "operator",
    "or",
    "private",
    "protected",
    "public",
    "register",
    "restrict",
    "return",
    "short",
    "signed",
    "sizeof",
    "static",
    "struct",
    "switch",
    "template",
    "this",
    "throw",
    "true",
    "try",
    "typedef",
    "typeid",
    "typename",
    "union",
    "unsigned",
    "using",
    "virtual",
    "void",
    "volatile",
    "while",
    "xor",
];

pub(super) fn client(interface: &Interface) -> Result<String, ProjectError> {
    let name = interface.type_name();
    let small = names::snake(&name).unwrap_or_default();
    let large = small.to_ascii_uppercase();
    let mut declarations = String::new();
    let types = interface.own_types(&format!("{name}_"), &[]);
    for OwnType {
        format, name, called, ..
    } in &types
    {
        declarations.push_str(&match *format {
            "protobuf" => format!("RACTOR_PROTOBUF({called}, \"{name}\")\n"),
            "json" => format!("RACTOR_JSON({called}, \"{name}\")\n"),
            _ => format!("RACTOR_OPAQUE({called}, \"{format}<{name}>\")\n"),
        });
    }
    let mut free = FreeNames::new(KEYWORDS);
    let mut rows = String::new();
    for message in &interface.messages {
        rows.push_str(&format!(" \\\n    {}", row(message, &types, &mut free)?));
    }
    let about: String = names::lines(&interface.documentation)
        .iter()
        .map(|line| format!("// {line}").trim_end().to_owned() + "\n")
        .collect();
    Ok(format!(
        "// {}\n// Use it as `{small}_make_NAME(...)` and `{small}_call_NAME(...)`: see RACTOR_CLIENT in ractor.h.\n{about}#ifndef {large}_CLIENT_H\n#define \
         {large}_CLIENT_H\n\n#include \"ractor.h\"\n\n{declarations}#define {large}_MESSAGES(CAST, CALL){rows}\n\n#undef RACTOR_PREFIX\n#define RACTOR_PREFIX \
         {small}_\nRACTOR_CLIENT({large}_MESSAGES)\n#undef RACTOR_PREFIX\n#define RACTOR_PREFIX\n\n#endif\n",
        super::origin(interface),
    ))
}

fn row(message: &Message, types: &[OwnType<'_>], free: &mut FreeNames<'_>) -> Result<String, ProjectError> {
    let Some(small) = names::snake(&message.name).filter(|_| message.arguments.len() <= MOST_ARGUMENTS) else {
        return Err(ProjectError::Undeclarable {
            tag: names::one_line(&message.name),
            language: Language::C,
        });
    };
    let small = free.take(small);
    let name = if names::tag_of(&small) == message.name {
        small
    } else {
        format!("({small}, {})", names::literal(&message.name))
    };
    let mut parts = vec![name];
    parts.extend(message.reply.as_deref().map(|ty| c_type(types, ty)));
    let lines = names::lines(&message.documentation);
    if !lines.is_empty() {
        parts.push(names::literal(&lines.join(" ")));
    }
    parts.extend(
        message
            .parameters(KEYWORDS)
            .into_iter()
            .map(|(name, ty)| format!("({}, {name})", c_type(types, ty))),
    );
    let verb = if message.reply.is_some() { "CALL" } else { "CAST" };
    Ok(format!("{verb}({})", parts.join(", ")))
}

fn c_type(types: &[OwnType<'_>], text: &str) -> String {
    match Type::of(text) {
        Type::Unit => "unit".to_owned(),
        Type::String => "string".to_owned(),
        Type::Bytes | Type::Unknown => "bytes".to_owned(),
        Type::Scalar(scalar) => scalar.to_owned(),
        Type::List(scalar) => format!("list_{scalar}"),
        Type::Named(format, name) => {
            own_type(types, format, name).map_or_else(|| "bytes".to_owned(), |ty| ty.called.clone())
        }
    }
}
