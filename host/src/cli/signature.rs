//! An actor's contract, as a person reads it and as a program does.

use std::io::{self, Write};

use crate::guest::{Contract, Parameter, Start};

/// What the actor is, its start argument, its messages and the types that it defines.
pub(super) fn write_contract(out: &mut impl Write, contract: &Contract) -> io::Result<()> {
    let Contract {
        name,
        version,
        state_version,
        documentation,
        start,
        messages,
        schemas,
        schemas_left_out,
    } = contract;
    writeln!(out, "actor {name} {version}, version {state_version} of its state")?;
    write_documentation(out, documentation, "  ")?;
    match start {
        Start::Unknown => writeln!(out, "  starts with arguments of an unknown type")?,
        Start::Nothing => writeln!(out, "  starts without an argument")?,
        Start::Argument(start) => writeln!(out, "  starts with {start}")?,
    }
    if messages.is_empty() {
        writeln!(out, "  does not say which messages it takes")?;
    }
    for message in messages {
        let kind = if message.reply.is_some() { "call" } else { "cast" };
        writeln!(out, "  {kind} {message}")?;
        write_documentation(out, &message.documentation, "    ")?;
    }
    for schema in schemas {
        writeln!(
            out,
            "  defines {} ({}, {} bytes)",
            schema.name,
            schema.format,
            schema.bytes.len()
        )?;
    }
    match schemas_left_out {
        0 => Ok(()),
        1 => writeln!(
            out,
            "  defines one more type, whose definition is too large to be shown"
        ),
        several => writeln!(
            out,
            "  defines {several} more types, whose definitions are too large to be shown"
        ),
    }
}

fn write_documentation(out: &mut impl Write, documentation: &str, indentation: &str) -> io::Result<()> {
    documentation
        .lines()
        .try_for_each(|line| writeln!(out, "{}", format!("{indentation}{line}").trim_end()))
}

/// The same for programs. Definitions are in hexadecimal.
pub(super) fn contract_json(contract: &Contract) -> serde_json::Value {
    let messages = contract.messages.iter().map(|message| {
        serde_json::json!({
            "name": message.name,
            "documentation": message.documentation,
            "arguments": message.arguments.iter().map(parameter_json).collect::<Vec<_>>(),
            "reply": message.reply.as_ref().map(ToString::to_string),
        })
    });
    let schemas = contract.schemas.iter().map(|schema| {
        serde_json::json!({
            "name": schema.name,
            "format": schema.format,
            "hex": hex::encode(&schema.bytes),
        })
    });
    let start = match &contract.start {
        Start::Argument(start) => Some(parameter_json(start)),
        Start::Unknown | Start::Nothing => None,
    };
    serde_json::json!({
        "name": contract.name,
        "version": contract.version,
        "state_version": contract.state_version,
        "documentation": contract.documentation,
        "start": start,
        "start_is_known": contract.start != Start::Unknown,
        "messages": messages.collect::<Vec<_>>(),
        "schemas": schemas.collect::<Vec<_>>(),
        "schemas_left_out": contract.schemas_left_out,
    })
}

fn parameter_json(parameter: &Parameter) -> serde_json::Value {
    serde_json::json!({ "name": parameter.name, "type": parameter.ty.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guest::{Message, Schema, TypeExpr};

    #[test]
    fn a_contract_is_shown_with_its_documentation_and_what_is_left_out() {
        let contract = Contract {
            name: "Shop".to_owned(),
            version: "1.0.0".to_owned(),
            state_version: 2,
            documentation: "Sells.\n\nAll day.".to_owned(),
            start: Start::Nothing,
            messages: vec![Message {
                name: "Place".to_owned(),
                documentation: "Places an order.".to_owned(),
                arguments: vec![Parameter {
                    name: "order".to_owned(),
                    ty: TypeExpr::parse("protobuf<shop.Order>"),
                }],
                reply: Some(TypeExpr::Bytes),
            }],
            schemas: vec![Schema {
                name: "shop.Order".to_owned(),
                format: "protobuf".to_owned(),
                bytes: vec![1, 255],
            }],
            schemas_left_out: 1,
        };
        let mut text = Vec::new();
        write_contract(&mut text, &contract).unwrap();
        assert_eq!(
            String::from_utf8(text).unwrap(),
            "actor Shop 1.0.0, version 2 of its state\n  Sells.\n\n  All day.\n  starts without an argument\n  \
             call Place(order: protobuf<shop.Order>) -> bytes\n    Places an order.\n  \
             defines shop.Order (protobuf, 2 bytes)\n  \
             defines one more type, whose definition is too large to be shown\n"
        );
        let json = contract_json(&contract);
        assert_eq!(json["messages"][0]["arguments"][0]["type"], "protobuf<shop.Order>");
        assert_eq!(json["schemas"][0]["hex"], "01ff");
        assert_eq!(
            (&json["start"], &json["start_is_known"]),
            (&serde_json::Value::Null, &true.into())
        );
    }
}
