//! What the host is told of the actor: its contract.

use super::{Component, Exported};
use crate::guest::contract_bindings::exports::ractor::actor::contract::{Contract, Guest, Message, Parameter, Schema};
use crate::guest::describe::type_name;
use crate::guest::{ArgumentDescription, BytesConvertable, DescribeMessage, MessageDescription};

impl<A> Guest for Component<A>
where
    A: Exported + Default,
    A::Arguments: BytesConvertable,
    A::Msg: DescribeMessage,
{
    fn describe() -> Contract {
        let start = type_name::<A::Arguments>();
        Contract {
            name: A::NAME.to_owned(),
            version: A::VERSION.to_owned(),
            state_version: A::STATE_VERSION,
            documentation: documentation(A::DOCUMENTATION),
            start: (start != "unit").then(|| Parameter {
                name: A::START.to_owned(),
                type_: start,
            }),
            messages: A::Msg::MESSAGES.iter().map(message).collect(),
            schemas: A::PROTOBUF.iter().enumerate().map(schema).collect(),
        }
    }
}

fn message(message: &MessageDescription) -> Message {
    Message {
        name: message.name.to_owned(),
        documentation: message.documentation.to_owned(),
        arguments: message.arguments.iter().map(parameter).collect(),
        reply: message.reply_name(),
    }
}

fn parameter(argument: &ArgumentDescription) -> Parameter {
    Parameter {
        name: argument.name.to_owned(),
        type_: (argument.ty)(),
    }
}

/// A file of definitions: its own name is within it, where whoever needs it looks.
fn schema((number, bytes): (usize, &&[u8])) -> Schema {
    Schema {
        name: format!("descriptors-{}", number + 1),
        format: "protobuf".to_owned(),
        bytes: bytes.to_vec(),
    }
}

/// The lines of doc comments, without the space that each begins with.
fn documentation(lines: &[&str]) -> String {
    let lines: Vec<_> = lines
        .iter()
        .map(|line| line.strip_prefix(' ').unwrap_or(line).trim_end())
        .collect();
    lines.join("\n").trim().to_owned()
}
