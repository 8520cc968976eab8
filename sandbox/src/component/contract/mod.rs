//! What an actor understands: its contract, whichever way its component says it.
//!
//! Components of today export the interface `contract`, and those before it describe themselves by `actor.describe`, with less. Here
//! is one type for both, so that nobody else asks which it was.

mod types;

use std::fmt;

use super::bindings::{Descriptor, MessageVariant};

pub use types::{Format, Scalar, TypeExpr};

/// All that is known of an actor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contract {
    /// The actor's type, e.g. `Counter`.
    pub name: String,
    /// The version of its code, e.g. `1.2.0`.
    pub version: String,
    /// The version of its state.
    pub state_version: u32,
    /// What it is for; empty if its source doesn't say.
    pub documentation: String,
    /// What it starts with.
    pub start: Start,
    /// The messages that it understands, or none if they are unknown.
    pub messages: Vec<Message>,
    /// The definitions of types that it names.
    pub schemas: Vec<Schema>,
    /// The number of definitions that were left out, because the contract would have been too large with them.
    pub schemas_left_out: u32,
}

/// What an actor starts with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Start {
    /// It doesn't say.
    Unknown,
    /// No argument, which is no bytes.
    Nothing,
    /// This argument.
    Argument(Parameter),
}

/// An argument, of a message or of the start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// What the source calls it; empty if it has no name.
    pub name: String,
    /// Its type.
    pub ty: TypeExpr,
}

/// One message that an actor understands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The tag that travels on the wire.
    pub name: String,
    /// What it does; empty if its source doesn't say.
    pub documentation: String,
    /// Its arguments, in order.
    pub arguments: Vec<Parameter>,
    /// The type of the reply if it is a call.
    pub reply: Option<TypeExpr>,
}

/// The definition of a type that has a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schema {
    /// The name as types have it within `<…>`, or that of a file that defines several.
    pub name: String,
    /// What the bytes are: `protobuf` or `json-schema`, or something that came after this program.
    pub format: String,
    /// The definition.
    pub bytes: Vec<u8>,
}

impl Contract {
    /// The message with this tag.
    pub fn message(&self, name: &str) -> Option<&Message> {
        self.messages.iter().find(|message| message.name == name)
    }

    /// What a component without the interface `contract` says.
    pub(crate) fn of_descriptor(descriptor: Descriptor) -> Self {
        let parameter = |name: String| Parameter {
            name: String::new(),
            ty: TypeExpr::from_source(&name),
        };
        let message = |message: MessageVariant| Message {
            name: message.name,
            documentation: String::new(),
            arguments: message.arguments.into_iter().map(parameter).collect(),
            reply: message.reply.map(|name| TypeExpr::from_source(&name)),
        };
        Self {
            name: descriptor.name,
            version: descriptor.version,
            state_version: descriptor.state_version,
            documentation: String::new(),
            start: descriptor
                .arguments
                .map_or(Start::Unknown, |name| Start::Argument(parameter(name))),
            messages: descriptor.messages.into_iter().map(message).collect(),
            schemas: Vec::new(),
            schemas_left_out: 0,
        }
    }

    /// As much of it as a descriptor has room for.
    pub(crate) fn to_descriptor(&self) -> Descriptor {
        let message = |message: &Message| MessageVariant {
            name: message.name.clone(),
            arguments: message
                .arguments
                .iter()
                .map(|argument| argument.ty.to_string())
                .collect(),
            reply: message.reply.as_ref().map(TypeExpr::to_string),
        };
        Descriptor {
            name: self.name.clone(),
            version: self.version.clone(),
            state_version: self.state_version,
            arguments: match &self.start {
                Start::Unknown => None,
                Start::Nothing => Some(TypeExpr::Unit.to_string()),
                Start::Argument(start) => Some(start.ty.to_string()),
            },
            messages: self.messages.iter().map(message).collect(),
        }
    }
}

impl Start {
    /// The type of the start argument; none if it is unknown.
    pub fn ty(&self) -> Option<&TypeExpr> {
        match self {
            Self::Unknown => None,
            Self::Nothing => Some(&TypeExpr::Unit),
            Self::Argument(start) => Some(&start.ty),
        }
    }
}

/// `n: u64`, or the type alone.
impl fmt::Display for Parameter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.name.is_empty() {
            write!(f, "{}: ", self.name)?;
        }
        self.ty.fmt(f)
    }
}

/// The message like a function: `AddAndGet(n: u64) -> u64`.
impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}(", self.name)?;
        for (at, argument) in self.arguments.iter().enumerate() {
            let comma = if at == 0 { "" } else { ", " };
            write!(f, "{comma}{argument}")?;
        }
        f.write_str(")")?;
        match &self.reply {
            Some(reply) => write!(f, " -> {reply}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_written_like_a_function() {
        let parameter = |name: &str, ty: &str| Parameter {
            name: name.to_owned(),
            ty: TypeExpr::parse(ty),
        };
        let mut message = Message {
            name: "Add".to_owned(),
            documentation: String::new(),
            arguments: vec![parameter("n", "u64"), parameter("", "json<Why>")],
            reply: None,
        };
        assert_eq!(message.to_string(), "Add(n: u64, json<Why>)");
        message.arguments.clear();
        message.reply = Some(TypeExpr::Unit);
        assert_eq!(message.to_string(), "Add() -> unit");
    }

    #[test]
    fn names_of_rust_in_an_old_descriptor_become_types() {
        let contract = Contract::of_descriptor(Descriptor {
            name: "Old".to_owned(),
            version: "1.0.0".to_owned(),
            state_version: 3,
            arguments: Some("Vec<String>".to_owned()),
            messages: vec![MessageVariant {
                name: "Put".to_owned(),
                arguments: vec!["String".to_owned(), "Vec<u8>".to_owned(), "Shape".to_owned()],
                reply: Some("()".to_owned()),
            }],
        });
        assert_eq!(contract.messages[0].to_string(), "Put(string, bytes, Shape) -> unit");
        assert_eq!(contract.start.ty(), Some(&TypeExpr::Unknown("Vec<String>".to_owned())));
        let old = contract.to_descriptor();
        assert_eq!(old.arguments.as_deref(), Some("Vec<String>"));
        assert_eq!(old.messages[0].arguments, ["string", "bytes", "Shape"]);
    }
}
