//! Go: a type with a method for each message.

use super::interface::{Interface, Message, Type};
use super::names;
use crate::error::ProjectError;
use crate::language::Language;

/// What an argument can't be called: keywords, and what the methods use.
const KEYWORDS: &[&str] = &[
    "any",
    "append",
    "bool",
    "break",
    "byte",
    "case",
    "chan",
    "client",
    "const",
    "continue",
    "default",
    "defer",
    "else",
    "error",
    "fallthrough",
    "false",
    "for",
    "func",
    "go",
    "goto",
    "if",
    "import",
    "int",
    "interface",
    "len",
    "map",
    "nil",
    "package",
    "ractor",
    "range",
    "return",
    "rune",
    "select",
    "string",
    "struct",
    "switch",
    "time",
    "timeout",
    "true",
    "type",
    "var",
];

pub(super) fn client(interface: &Interface) -> Result<String, ProjectError> {
    let name = format!("{}Client", interface.type_name());
    let mut named = String::new();
    for (format, inner, called) in interface.named() {
        let called = format!("{name}{called}");
        named.push_str(&format!(
            "\n// {called} is {format}<{inner}>, as bytes. Give it the methods MarshalBinary and UnmarshalBinary, and it is what you like.\n\
             type {called} []byte\n\n// RactorType is its name in contracts.\nfunc ({called}) RactorType() string {{ return \"{format}<{inner}>\" \
             }}\n",
        ));
    }
    // What a type of Go has once: its field, and its methods.
    let mut taken = vec!["Pid".to_owned()];
    let mut methods = String::new();
    for message in &interface.messages {
        methods.push_str(&method(&name, message, &mut taken)?);
    }
    let has_calls = interface.messages.iter().any(|message| message.reply.is_some());
    let imports = if has_calls {
        "import (\n\t\"time\"\n\n\t\"ractor-host/ractor\"\n)"
    } else {
        "import \"ractor-host/ractor\""
    };
    let about: String = comment(&interface.documentation);
    Ok(format!(
        "// {}\n\npackage main\n\n{imports}\n\n// {name} sends to an actor: {name}{{pid}}.\n{about}type {name} struct{{ Pid ractor.Pid \
         }}\n{named}{methods}",
        super::origin(interface),
    ))
}

/// The method of a cast, or the two of a call: one that stands still, and one that doesn't.
fn method(client: &str, message: &Message, taken: &mut Vec<String>) -> Result<String, ProjectError> {
    let Some(name) = names::capital(&message.name) else {
        return Err(ProjectError::Undeclarable {
            tag: names::one_line(&message.name),
            language: Language::Go,
        });
    };
    let mut free = |name: String| {
        let mut name = name;
        while taken.contains(&name) {
            name.push('_');
        }
        taken.push(name.clone());
        name
    };
    let parameters: Vec<(String, String)> = message
        .parameters(KEYWORDS)
        .into_iter()
        .map(|(name, ty)| (camel(&name), go_type(client, ty)))
        .collect();
    let declared: Vec<String> = parameters.iter().map(|(name, ty)| format!("{name} {ty}")).collect();
    let passed: String = parameters.iter().map(|(name, _)| format!(", {name}")).collect();
    let tag = names::literal(&message.name);
    let about = comment(&message.documentation);
    let Some(reply) = &message.reply else {
        let name = free(name);
        return Ok(format!(
            "\n{about}func (client {client}) {name}({}) error {{\n\treturn ractor.Cast(client.Pid, {tag}{passed})\n}}\n",
            declared.join(", "),
        ));
    };
    let reply = go_type(client, reply);
    let declared: String = declared.iter().map(|each| format!(", {each}")).collect();
    let (call, ask) = (free(name.clone()), free(format!("Ask{name}")));
    Ok(format!(
        "\n{about}func (client {client}) {call}(timeout time.Duration{declared}) ({reply}, error) {{\n\treturn ractor.Call[{reply}](client.Pid, \
         timeout, {tag}{passed})\n}}\n\n// {ask} is {call} for handlers that wait.\nfunc (client {client}) {ask}(timeout \
         time.Duration{declared}) *ractor.Future[{reply}] {{\n\treturn ractor.Ask[{reply}](client.Pid, timeout, {tag}{passed})\n}}\n",
    ))
}

fn comment(text: &str) -> String {
    let lines = names::lines(text);
    lines
        .iter()
        .map(|line| format!("// {line}").trim_end().to_owned() + "\n")
        .collect()
}

/// `add_all` as `addAll`. One that ends with `_` is no keyword only because of that.
fn camel(name: &str) -> String {
    let (words, end) = match name.strip_suffix('_') {
        Some(words) => (words, "_"),
        None => (name, ""),
    };
    let mut parts = words.split('_');
    let first = parts.next().unwrap_or_default().to_owned();
    let rest: String = parts.map(names::tag_of).collect();
    first + &rest + end
}

fn go_type(client: &str, text: &str) -> String {
    match Type::of(text) {
        Type::Unit => "ractor.Unit".to_owned(),
        Type::String => "string".to_owned(),
        Type::Bytes | Type::Unknown => "[]byte".to_owned(),
        Type::Scalar(scalar) => go_scalar(scalar),
        Type::List(scalar) => format!("[]{}", go_scalar(scalar)),
        Type::Named(_, name) => format!("{client}{}", names::capital(name).unwrap_or_else(|| "Named".to_owned())),
    }
}

fn go_scalar(scalar: &str) -> String {
    match scalar {
        "u128" => "ractor.U128".to_owned(),
        "i128" => "ractor.I128".to_owned(),
        "char" => "ractor.Char".to_owned(),
        "bool" => "bool".to_owned(),
        number => {
            let (kind, bits) = number.split_at(1);
            let kind = match kind {
                "u" => "uint",
                "i" => "int",
                _ => "float",
            };
            format!("{kind}{bits}")
        }
    }
}
