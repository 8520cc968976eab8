//! Rust: the enum of the messages, for `cast!` and `call!`.

use super::Audience;
use super::interface::{Interface, Message, Type};
use super::names;
use crate::error::ProjectError;
use crate::language::Language;

/// Keywords that no variant can be called: `r#` doesn't help there.
const KEYWORDS: &[&str] = &["Self", "self", "super", "crate"];

pub(super) fn client(interface: &Interface, audience: Audience) -> Result<String, ProjectError> {
    let name = interface.type_name();
    let mut variants = String::new();
    for message in &interface.messages {
        variants.push_str(&variant(message)?);
    }
    let mut aliases = String::new();
    for (format, named, called) in interface.named() {
        aliases.push_str(&format!(
            "\n/// `{format}<{named}>`: the bytes as they travel. Any type that is `BytesConvertable` to the same bytes may stand here.\npub type {called} = \
             Vec<u8>;\n"
        ));
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

fn variant(message: &Message) -> Result<String, ProjectError> {
    let tag = &message.name;
    if !names::is_identifier(tag) || KEYWORDS.contains(&tag.as_str()) {
        return Err(ProjectError::Undeclarable {
            tag: names::one_line(tag),
            language: Language::Rust,
        });
    }
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
    let mut fields: Vec<String> = message
        .arguments
        .iter()
        .map(|argument| rust_type(&argument.ty))
        .collect();
    if let Some(reply) = &message.reply {
        text.push_str("    #[rpc]\n");
        fields.push(format!("RpcReplyPort<{}>", rust_type(reply)));
    }
    let fields = if fields.is_empty() {
        String::new()
    } else {
        format!("({})", fields.join(", "))
    };
    Ok(text + &format!("    {tag}{fields},\n"))
}

fn rust_type(text: &str) -> String {
    match Type::of(text) {
        Type::Unit => "()".to_owned(),
        Type::String => "String".to_owned(),
        Type::Bytes | Type::Unknown => "Vec<u8>".to_owned(),
        Type::Scalar(scalar) => scalar.to_owned(),
        Type::List(scalar) => format!("Vec<{scalar}>"),
        Type::Named(_, name) => names::capital(name).unwrap_or_else(|| "Vec<u8>".to_owned()),
    }
}
