//! Go: a type with a method for each message.

use super::interface::{Interface, Message, OwnType, Type, own_type};
use super::names::{self, FreeNames};
use super::schema::{Definitions, Nesting, Presence, Record, Shape, Signed};
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
    let types = interface.own_types(&name, &[&name]);
    for ty in &types {
        named.push_str(&match &ty.definitions {
            Some(definitions) => declaration(ty, definitions),
            None => of_bytes(ty),
        });
    }
    // What a type of Go has once: its field, and its methods.
    let mut taken = FreeNames::new(&["Pid"]);
    let mut methods = String::new();
    for message in &interface.messages {
        methods.push_str(&method(&name, message, &types, &mut taken)?);
    }
    let has_json = types.iter().any(|ty| ty.definitions.is_some());
    let has_calls = interface.messages.iter().any(|message| message.reply.is_some());
    let mut imports = String::from("import (\n");
    for (package, is_used) in [("encoding/json", has_json), ("time", has_calls)] {
        if is_used {
            imports.push_str(&format!("\t\"{package}\"\n"));
        }
    }
    imports.push_str("\n\t\"ractor-host/ractor\"\n)");
    let about: String = comment(&interface.documentation);
    Ok(format!(
        "// {}\n\npackage main\n\n{imports}\n\n// {name} sends to an actor: {name}{{pid}}.\n{about}type {name} struct{{ Pid ractor.Pid \
         }}\n{named}{methods}",
        super::origin(interface),
    ))
}

/// A type whose bytes are known, and no more.
fn of_bytes(ty: &OwnType<'_>) -> String {
    let OwnType {
        format, name, called, ..
    } = ty;
    format!(
        "\n// {called} is {format}<{name}>, as bytes. Give it the methods MarshalBinary and UnmarshalBinary, and it is what you like.\n\
         type {called} []byte\n\n// RactorType is its name in contracts.\nfunc ({called}) RactorType() string {{ return \"{format}<{name}>\" \
         }}\n",
    )
}

/// The structs of a type of JSON. The first of them says how it travels.
fn declaration(ty: &OwnType<'_>, definitions: &Definitions) -> String {
    let called = &ty.called;
    let mut text: String = definitions.records.iter().map(structure).collect();
    if !matches!(definitions.root, Shape::Record(..)) {
        text.push_str(&format!(
            "\n// {called} is json<{}>.\ntype {called} {}\n",
            ty.name,
            shape_type(&definitions.root)
        ));
    }
    text + &format!(
        "\n// RactorType is its name in contracts.\nfunc ({called}) RactorType() string {{ return \"json<{}>\" }}\n\n\
         // MarshalBinary writes it as JSON.\nfunc (value {called}) MarshalBinary() ([]byte, error) {{ return json.Marshal(value) }}\n\n\
         // UnmarshalBinary reads it.\nfunc (value *{called}) UnmarshalBinary(data []byte) error {{ return json.Unmarshal(data, value) }}\n",
        ty.name
    )
}

fn structure(record: &Record) -> String {
    let mut taken: Vec<String> = Vec::new();
    let mut rows = String::new();
    for (at, field) in record.fields.iter().enumerate() {
        let usual = names::capital(&field.key.replace(' ', "_"))
            .filter(|name| !taken.contains(name) && !METHODS.contains(&name.as_str()));
        let name = usual.unwrap_or_else(|| format!("Field{}", at + 1));
        let (mut ty, mut end) = (shape_type(&field.shape), "");
        if field.presence == Presence::Optional {
            end = ",omitempty";
            // Nothing, and not a value that is there and zero.
            let has_nil = matches!(
                field.shape,
                Shape::Any | Shape::List(_) | Shape::Map(_) | Shape::Option(_)
            ) || matches!(field.shape, Shape::Record(_, Nesting::Circle));
            ty = if has_nil { ty } else { format!("*{ty}") };
        }
        for line in names::lines(&field.documentation) {
            rows.push_str(format!("\t// {line}").trim_end());
            rows.push('\n');
        }
        rows.push_str(&format!("\t{name} {ty} `json:\"{}{end}\"`\n", field.key));
        taken.push(name);
    }
    let about = comment(&record.documentation);
    let name = &record.name;
    format!("\n// {name} is an object of JSON.\n{about}type {name} struct {{\n{rows}}}\n")
}

/// What a struct's fields can't be called.
const METHODS: &[&str] = &["RactorType", "MarshalBinary", "UnmarshalBinary"];

fn shape_type(shape: &Shape) -> String {
    match shape {
        Shape::Any => "any".to_owned(),
        Shape::Bool => "bool".to_owned(),
        Shape::Integer(Signed::Yes) => "int64".to_owned(),
        Shape::Integer(Signed::No) => "uint64".to_owned(),
        Shape::Number => "float64".to_owned(),
        Shape::Text => "string".to_owned(),
        Shape::List(item) => format!("[]{}", shape_type(item)),
        Shape::Map(value) => format!("map[string]{}", shape_type(value)),
        Shape::Record(name, Nesting::Part) => name.clone(),
        Shape::Record(name, Nesting::Circle) => format!("*{name}"),
        Shape::Option(inner) => match shape_type(inner) {
            pointer if pointer.starts_with('*') => pointer,
            other => format!("*{other}"),
        },
    }
}

/// The method of a cast, or the two of a call: one that stands still, and one that doesn't.
fn method(
    client: &str,
    message: &Message,
    types: &[OwnType<'_>],
    taken: &mut FreeNames<'_>,
) -> Result<String, ProjectError> {
    let Some(name) = names::capital(&message.name) else {
        return Err(ProjectError::Undeclarable {
            tag: names::one_line(&message.name),
            language: Language::Go,
        });
    };
    let parameters: Vec<(String, String)> = message
        .parameters(KEYWORDS)
        .into_iter()
        .map(|(name, ty)| (camel(&name), go_type(types, ty)))
        .collect();
    let declared: Vec<String> = parameters.iter().map(|(name, ty)| format!("{name} {ty}")).collect();
    let passed: String = parameters.iter().map(|(name, _)| format!(", {name}")).collect();
    let tag = names::literal(&message.name);
    let about = comment(&message.documentation);
    let Some(reply) = &message.reply else {
        let name = taken.take(name);
        return Ok(format!(
            "\n{about}func (client {client}) {name}({}) error {{\n\treturn ractor.Cast(client.Pid, {tag}{passed})\n}}\n",
            declared.join(", "),
        ));
    };
    let reply = go_type(types, reply);
    let declared: String = declared.iter().map(|each| format!(", {each}")).collect();
    let (call, ask) = (taken.take(name.clone()), taken.take(format!("Ask{name}")));
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

fn go_type(types: &[OwnType<'_>], text: &str) -> String {
    match Type::of(text) {
        Type::Unit => "ractor.Unit".to_owned(),
        Type::String => "string".to_owned(),
        Type::Bytes | Type::Unknown => "[]byte".to_owned(),
        Type::Scalar(scalar) => go_scalar(scalar),
        Type::List(scalar) => format!("[]{}", go_scalar(scalar)),
        Type::Named(format, name) => {
            own_type(types, format, name).map_or_else(|| "[]byte".to_owned(), |ty| ty.called.clone())
        }
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
