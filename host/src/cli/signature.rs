//! An actor's messages, as a person reads them.

use std::io::{self, Write};

use crate::guest::{Descriptor, MessageVariant};

/// A message like a function of Rust: `AddAndGet(u64) -> u64`.
pub(super) fn signature(message: &MessageVariant) -> String {
    let call = format!("{}({})", message.name, message.arguments.join(", "));
    match &message.reply {
        Some(reply) => format!("{call} -> {reply}"),
        None => call,
    }
}

/// What the actor is, its start arguments and its messages.
pub(super) fn write_descriptor(out: &mut impl Write, descriptor: &Descriptor) -> io::Result<()> {
    let Descriptor {
        name,
        version,
        state_version,
        arguments,
        messages,
    } = descriptor;
    writeln!(out, "actor {name} {version}, version {state_version} of its state")?;
    let arguments = arguments.as_deref().unwrap_or("arguments of an unknown type");
    writeln!(out, "  starts with {arguments}")?;
    if messages.is_empty() {
        writeln!(out, "  does not say which messages it takes")?;
    }
    for message in messages {
        let kind = if message.reply.is_some() { "call" } else { "cast" };
        writeln!(out, "  {kind} {}", signature(message))?;
    }
    Ok(())
}

/// The same for programs.
pub(super) fn descriptor_json(descriptor: &Descriptor) -> serde_json::Value {
    let messages = descriptor.messages.iter().map(|message| {
        serde_json::json!({
            "name": message.name,
            "arguments": message.arguments,
            "reply": message.reply,
        })
    });
    serde_json::json!({
        "name": descriptor.name,
        "version": descriptor.version,
        "state_version": descriptor.state_version,
        "arguments": descriptor.arguments,
        "messages": messages.collect::<Vec<_>>(),
    })
}
