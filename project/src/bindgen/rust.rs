//! Rust: the enum of the messages, for `cast!` and `call!`.

use super::Audience;
use super::interface::{Interface, Message, OwnType, Type, own_type};
use super::names::{self, FreeNames};
use super::schema::{Definitions, Nesting, Presence, Record, Shape, Signed};
use crate::error::ProjectError;
use crate::language::Language;

/// What no variant and no field can be called.
const KEYWORDS: &[&str] = &[
    "Self", "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate", "do", "dyn",
    "else", "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop", "macro",
    "match", "mod", "move", "mut", "override", "priv", "pub", "ref", "return", "self", "static", "struct", "super",
    "trait", "true", "try", "type", "typeof", "unsafe", "unsized", "use", "virtual", "where", "while", "yield",
];

/// What no type can be called: a word of Rust, and what the source uses.
const TYPES: &[&str] = &["Box", "Option", "RpcReplyPort", "Self", "String", "Vec"];

pub(super) fn client(interface: &Interface, audience: Audience) -> Result<String, ProjectError> {
    let name = interface.type_name();
    let messages = format!("{name}Msg");
    let reserved: Vec<&str> = TYPES.iter().copied().chain([messages.as_str()]).collect();
    let mut types = interface.own_types("", &reserved);
    if audience == Audience::Natives {
        // Natively a type of its own has to be one that can travel; a list of somebody else can't be made that.
        let travels = |definitions: &Definitions| matches!(definitions.root, Shape::Record(..));
        for ty in &mut types {
            ty.definitions = ty.definitions.take().filter(travels);
        }
    }
    let mut free = FreeNames::new(KEYWORDS);
    let mut variants = String::new();
    for message in &interface.messages {
        variants.push_str(&variant(message, &types, &mut free)?);
    }
    let mut aliases = String::new();
    for ty in &types {
        aliases.push_str(&match &ty.definitions {
            Some(definitions) => declaration(ty, definitions, audience),
            None => format!(
                "\n/// `{}<{}>`: the bytes as they travel. Any type that is `BytesConvertable` to the same bytes may stand here.\npub type {} = \
                 Vec<u8>;\n",
                ty.format, ty.name, ty.called
            ),
        });
    }
    let derive = match audience {
        Audience::Guests => "ractor::RactorClusterMessage",
        Audience::Natives => "ractor_cluster::RactorClusterMessage",
    };
    let replies = interface.messages.iter().any(|message| message.reply.is_some());
    let imports = if replies { "use ractor::RpcReplyPort;\n" } else { "" };
    let about: String = names::lines(&interface.documentation)
        .iter()
        .map(|line| format!("/// {line}").trim_end().to_owned() + "\n")
        .collect();
    let about = if about.is_empty() { about } else { about + "///\n" };
    Ok(format!(
        "//! {}\n//!\n//! Use it with an `ActorRef<{name}Msg>`: `cast!(actor, {name}Msg::…)`, `call!(actor, {name}Msg::…)`.\n\n{imports}{aliases}\n{about}/// \
         The messages of {name}.\n#[derive({derive})]\n#[allow(non_camel_case_types, reason = \"the tags are the actor's own\")]\npub enum {name}Msg {{\n{variants}}}\n",
        super::origin(interface),
    )
    .replace('…', "..."))
}

/// The structs of a type of JSON, and what the enum calls it.
fn declaration(ty: &OwnType<'_>, definitions: &Definitions, audience: Audience) -> String {
    let mut text: String = definitions.records.iter().map(structure).collect();
    let root = shape_type(&definitions.root);
    let called = format!("{}Json", ty.called);
    text.push_str(&match audience {
        Audience::Guests => format!(
            "\n/// `json<{}>`: needs the feature `json` of the SDK, and serde with its feature `derive`.\npub type {called} = \
             ractor::Json<{root}>;\n",
            ty.name
        ),
        Audience::Natives => format!(
            "\n/// `json<{}>`: needs serde_json, and serde with its feature `derive`.\npub type {called} = {root};\n\n\
             impl ractor::BytesConvertable for {root} {{\n    fn into_bytes(self) -> Vec<u8> {{\n        \
             serde_json::to_vec(&self).unwrap_or_default()\n    }}\n\n    fn from_bytes(bytes: Vec<u8>) -> Self {{\n        \
             serde_json::from_slice(&bytes).unwrap_or_else(|error| panic!(\"not JSON of {root}: {{error}}\"))\n    }}\n}}\n",
            ty.name
        ),
    });
    text
}

fn structure(record: &Record) -> String {
    let about = |text: &str, indentation: &str| -> String {
        let lines = names::lines(text);
        lines
            .iter()
            .map(|line| format!("{indentation}/// {line}").trim_end().to_owned() + "\n")
            .collect()
    };
    let mut text = format!(
        "\n{}#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]\npub struct {} {{\n",
        about(&record.documentation, ""),
        record.name
    );
    let mut free = FreeNames::new(KEYWORDS);
    for field in &record.fields {
        text.push_str(&about(&field.documentation, "    "));
        let name = free.take(field.name.clone());
        let mut marks = Vec::new();
        if name != field.key {
            marks.push(format!("rename = \"{}\"", field.key));
        }
        let mut ty = shape_type(&field.shape);
        if field.presence == Presence::Optional {
            if !matches!(field.shape, Shape::Option(_)) {
                ty = format!("Option<{ty}>");
            }
            marks.push("default, skip_serializing_if = \"Option::is_none\"".to_owned());
        }
        if !marks.is_empty() {
            text.push_str(&format!("    #[serde({})]\n", marks.join(", ")));
        }
        text.push_str(&format!("    pub {name}: {ty},\n"));
    }
    text + "}\n"
}

fn shape_type(shape: &Shape) -> String {
    match shape {
        Shape::Any => "serde_json::Value".to_owned(),
        Shape::Bool => "bool".to_owned(),
        Shape::Integer(Signed::Yes) => "i64".to_owned(),
        Shape::Integer(Signed::No) => "u64".to_owned(),
        Shape::Number => "f64".to_owned(),
        Shape::Text => "String".to_owned(),
        Shape::List(item) => format!("Vec<{}>", shape_type(item)),
        Shape::Map(value) => format!("std::collections::BTreeMap<String, {}>", shape_type(value)),
        Shape::Record(name, Nesting::Part) => name.clone(),
        Shape::Record(name, Nesting::Circle) => format!("Box<{name}>"),
        Shape::Option(inner) => format!("Option<{}>", shape_type(inner)),
    }
}

fn variant(message: &Message, types: &[OwnType<'_>], free: &mut FreeNames<'_>) -> Result<String, ProjectError> {
    let tag = &message.name;
    if !names::is_identifier(tag) {
        return Err(ProjectError::Undeclarable {
            tag: names::one_line(tag),
            language: Language::Rust,
        });
    }
    let name = free.take(tag.clone());
    let mut text = String::new();
    for line in names::lines(&message.documentation) {
        text.push_str(format!("    /// {line}").trim_end());
        text.push('\n');
    }
    let named: Vec<String> = message
        .arguments
        .iter()
        .filter_map(|argument| names::snake(&argument.name))
        .collect();
    if named.len() == message.arguments.len() && !named.is_empty() {
        text.push_str(&format!("    /// Arguments: {}.\n", named.join(", ")));
    }
    if name != *tag {
        text.push_str(&format!("    #[wire(name = \"{tag}\")]\n"));
    }
    let mut fields: Vec<String> = message
        .arguments
        .iter()
        .map(|argument| rust_type(&argument.ty, types))
        .collect();
    if let Some(reply) = &message.reply {
        text.push_str("    #[rpc]\n");
        fields.push(format!("RpcReplyPort<{}>", rust_type(reply, types)));
    }
    let fields = if fields.is_empty() {
        String::new()
    } else {
        format!("({})", fields.join(", "))
    };
    Ok(text + &format!("    {name}{fields},\n"))
}

fn rust_type(text: &str, types: &[OwnType<'_>]) -> String {
    match Type::of(text) {
        Type::Unit => "()".to_owned(),
        Type::String => "String".to_owned(),
        Type::Bytes | Type::Unknown => "Vec<u8>".to_owned(),
        Type::Scalar(scalar) => scalar.to_owned(),
        Type::List(scalar) => format!("Vec<{scalar}>"),
        Type::Named(format, name) => match own_type(types, format, name) {
            Some(ty) if ty.definitions.is_some() => format!("{}Json", ty.called),
            Some(ty) => ty.called.clone(),
            None => "Vec<u8>".to_owned(),
        },
    }
}
