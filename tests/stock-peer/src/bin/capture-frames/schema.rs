//! Says what a frame holds, from the protocol's field numbers alone.
//!
//! This is on purpose not the product's decoder and not the published one either: the golden index is only worth
//! something if what it expects was found another way.

use anyhow::{Context, bail, ensure};

/// The bytes of the length in front of every frame.
pub(crate) const PREFIX: usize = 8;

struct Field {
    number: u64,
    name: &'static str,
    label: Label,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq)]
enum Label {
    /// Absent means the default value.
    Plain,
    /// Absent is not the same as the default value.
    Optional,
    Repeated,
}

#[derive(Clone, Copy)]
enum Kind {
    Integer,
    Text,
    Bytes,
    Message(&'static [Field]),
}

const fn field(number: u64, name: &'static str, label: Label, kind: Kind) -> Field {
    Field {
        number,
        name,
        label,
        kind,
    }
}

use Kind::{Bytes, Integer, Message, Text};
use Label::{Optional, Plain, Repeated};

const FLAGS: &[Field] = &[field(1, "version", Plain, Integer)];
const NAME: &[Field] = &[
    field(1, "name", Plain, Text),
    field(2, "flags", Optional, Message(FLAGS)),
    field(3, "connection_string", Plain, Text),
    field(4, "connection_id", Plain, Integer),
];
const STATUS: &[Field] = &[field(1, "status", Plain, Integer)];
const CHALLENGE: &[Field] = &[
    field(1, "name", Plain, Text),
    field(2, "flags", Optional, Message(FLAGS)),
    field(3, "challenge", Plain, Integer),
    field(4, "connection_string", Plain, Text),
];
const CHALLENGE_REPLY: &[Field] = &[field(1, "challenge", Plain, Integer), field(2, "digest", Plain, Bytes)];
const CHALLENGE_ACK: &[Field] = &[field(1, "digest", Plain, Bytes)];
const ACTOR: &[Field] = &[field(1, "pid", Plain, Integer), field(2, "name", Optional, Text)];
const TIMESTAMP: &[Field] = &[field(1, "seconds", Plain, Integer), field(2, "nanos", Plain, Integer)];
const PING: &[Field] = &[field(1, "timestamp", Optional, Message(TIMESTAMP))];
const SPAWN: &[Field] = &[field(1, "actors", Repeated, Message(ACTOR))];
const TERMINATE: &[Field] = &[field(1, "ids", Repeated, Integer)];
const MEMBERSHIP: &[Field] = &[
    field(1, "group", Plain, Text),
    field(2, "actors", Repeated, Message(ACTOR)),
    field(3, "scope", Plain, Text),
];
const NODE_SESSIONS: &[Field] = &[field(1, "sessions", Repeated, Message(NAME))];
const CAST: &[Field] = &[
    field(1, "to", Plain, Integer),
    field(2, "what", Plain, Bytes),
    field(3, "variant", Plain, Text),
    field(6, "metadata", Optional, Bytes),
];
const CALL: &[Field] = &[
    field(1, "to", Plain, Integer),
    field(2, "what", Plain, Bytes),
    field(3, "tag", Plain, Integer),
    field(4, "timeout_ms", Optional, Integer),
    field(5, "variant", Plain, Text),
    field(6, "metadata", Optional, Bytes),
];
const REPLY: &[Field] = &[
    field(1, "to", Plain, Integer),
    field(2, "tag", Plain, Integer),
    field(3, "what", Plain, Bytes),
];

/// Every message by its place in the two nested unions.
const MESSAGES: &[(u64, u64, &str, &[Field])] = &[
    (1, 1, "auth.name", NAME),
    (1, 2, "auth.server_status", STATUS),
    (1, 3, "auth.client_status", STATUS),
    (1, 4, "auth.server_challenge", CHALLENGE),
    (1, 5, "auth.client_challenge", CHALLENGE_REPLY),
    (1, 6, "auth.server_ack", CHALLENGE_ACK),
    (2, 1, "node.cast", CAST),
    (2, 2, "node.call", CALL),
    (2, 3, "node.reply", REPLY),
    (3, 1, "control.spawn", SPAWN),
    (3, 2, "control.terminate", TERMINATE),
    (3, 3, "control.ping", PING),
    (3, 4, "control.pong", PING),
    (3, 5, "control.pg_join", MEMBERSHIP),
    (3, 6, "control.pg_leave", MEMBERSHIP),
    (3, 7, "control.enumerate_node_sessions", NAME),
    (3, 8, "control.node_sessions", NODE_SESSIONS),
    (3, 9, "control.ready", &[]),
];

/// What a frame holds.
#[derive(Debug)]
pub(crate) struct Description {
    /// The message, `layer.message`.
    pub(crate) kind: &'static str,
    /// Every field as `key=value`, defaults written out, absent optional fields left out.
    pub(crate) fields: Vec<String>,
}

/// Describes a whole frame, its length included.
pub(crate) fn describe(frame: &[u8]) -> anyhow::Result<Description> {
    let (_, body) = frame
        .split_at_checked(PREFIX)
        .context("shorter than its length prefix")?;
    let (layer, body) = only_message(body)?;
    let (number, body) = only_message(body)?;
    let (_, _, kind, fields) = MESSAGES
        .iter()
        .find(|(a, b, _, _)| (*a, *b) == (layer, number))
        .with_context(|| format!("no message {number} in layer {layer}"))?;
    let mut description = Description {
        kind,
        fields: Vec::new(),
    };
    describe_fields(body, fields, "", &mut description.fields)?;
    Ok(description)
}

fn describe_fields(body: &[u8], fields: &'static [Field], prefix: &str, out: &mut Vec<String>) -> anyhow::Result<()> {
    let parts = split(body)?;
    for (number, _) in &parts {
        ensure!(
            fields.iter().any(|field| field.number == *number),
            "unknown field {prefix}{number}"
        );
    }
    for field in fields {
        let values: Vec<&Value<'_>> = parts
            .iter()
            .filter(|(number, _)| *number == field.number)
            .map(|(_, value)| value)
            .collect();
        if field.label == Label::Repeated {
            for (at, value) in flatten(field, &values)?.iter().enumerate() {
                describe_value(value, field.kind, &format!("{prefix}{}[{at}]", field.name), out)?;
            }
            continue;
        }
        let key = format!("{prefix}{}", field.name);
        match (values.last(), field.label) {
            (Some(value), _) => describe_value(value, field.kind, &key, out)?,
            (None, Label::Plain) => out.push(match field.kind {
                Kind::Integer => format!("{key}=0"),
                _ => format!("{key}="),
            }),
            (None, _) => {}
        }
    }
    Ok(())
}

/// The elements of a repeated field; integers come packed into one value.
fn flatten<'a>(field: &Field, values: &[&Value<'a>]) -> anyhow::Result<Vec<Value<'a>>> {
    let mut elements = Vec::new();
    for value in values {
        match (field.kind, **value) {
            (Kind::Integer, Value::Bytes(mut packed)) => {
                while !packed.is_empty() {
                    elements.push(Value::Integer(varint(&mut packed)?));
                }
            }
            (_, value) => elements.push(value),
        }
    }
    Ok(elements)
}

fn describe_value(value: &Value<'_>, kind: Kind, key: &str, out: &mut Vec<String>) -> anyhow::Result<()> {
    match (kind, value) {
        (Kind::Integer, Value::Integer(value)) => out.push(format!("{key}={value}")),
        (Kind::Text, Value::Bytes(bytes)) => out.push(format!("{key}={}", std::str::from_utf8(bytes)?)),
        (Kind::Bytes, Value::Bytes(bytes)) => out.push(format!("{key}={}", hex::encode(bytes))),
        (Kind::Message(fields), Value::Bytes(bytes)) => {
            describe_fields(bytes, fields, &format!("{key}."), out)?;
        }
        _ => bail!("{key} has the wrong wire type"),
    }
    Ok(())
}

#[derive(Clone, Copy)]
enum Value<'a> {
    Integer(u64),
    Bytes(&'a [u8]),
}

fn only_message(body: &[u8]) -> anyhow::Result<(u64, &[u8])> {
    match split(body)?.as_slice() {
        [(number, Value::Bytes(body))] => Ok((*number, body)),
        _ => bail!("expected a single nested message"),
    }
}

fn split(mut body: &[u8]) -> anyhow::Result<Vec<(u64, Value<'_>)>> {
    let mut parts = Vec::new();
    while !body.is_empty() {
        let key = varint(&mut body)?;
        let value = match key & 7 {
            0 => Value::Integer(varint(&mut body)?),
            2 => {
                let length = usize::try_from(varint(&mut body)?)?;
                let (bytes, rest) = body.split_at_checked(length).context("a field is cut short")?;
                body = rest;
                Value::Bytes(bytes)
            }
            other => bail!("wire type {other}"),
        };
        parts.push((key >> 3, value));
    }
    Ok(parts)
}

fn varint(body: &mut &[u8]) -> anyhow::Result<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = body.split_first().context("an integer is cut short")?;
        *body = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
    bail!("an integer of more than ten bytes")
}
