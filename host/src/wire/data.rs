//! The codec of the data plane: casts, calls and replies straight from and to the connection's buffers.
//!
//! These are nearly all the frames of a busy link, and each is three nested protobuf messages of a few fields. Writing
//! them by hand costs one pass and no intermediate structs. Decoding takes only the shape that every known sender
//! writes; whatever else is legal protobuf (unknown fields, merged submessages) is left to prost.

use bytes::{BufMut, Bytes, BytesMut};

use super::frame::FRAME_HEADER_BYTES;
use super::message::{Call, Cast, Data, Reply};
use super::varint::{put_varint, take_varint, varint_len};

/// `NetworkMessage.node`, length-delimited.
const NODE: u8 = 0x12;
/// `NodeMessage.cast`, `.call`, `.reply`, length-delimited.
const CAST: u8 = 0x0a;
const CALL: u8 = 0x12;
const REPLY: u8 = 0x1a;

const fn varint_key(field: u8) -> u8 {
    field << 3
}

const fn bytes_key(field: u8) -> u8 {
    (field << 3) | 2
}

// Proto3 leaves a field with its default value off the wire, unless it is marked optional.

fn number_len(value: u64) -> usize {
    if value == 0 { 0 } else { 1 + varint_len(value) }
}

fn bytes_len(value: &[u8]) -> usize {
    if value.is_empty() {
        0
    } else {
        optional_bytes_len(Some(value))
    }
}

fn optional_bytes_len(value: Option<&[u8]>) -> usize {
    value.map_or(0, |bytes| 1 + varint_len(bytes.len() as u64) + bytes.len())
}

fn put_number(out: &mut BytesMut, field: u8, value: u64) {
    if value != 0 {
        out.put_u8(varint_key(field));
        put_varint(out, value);
    }
}

fn put_bytes(out: &mut BytesMut, field: u8, value: &[u8]) {
    if !value.is_empty() {
        put_optional_bytes(out, field, Some(value));
    }
}

fn put_optional_bytes(out: &mut BytesMut, field: u8, value: Option<&[u8]>) {
    if let Some(bytes) = value {
        out.put_u8(bytes_key(field));
        put_varint(out, bytes.len() as u64);
        out.put_slice(bytes);
    }
}

/// Appends the frame header and the two enclosing messages for `body` bytes of the message `arm`.
fn put_envelope(out: &mut BytesMut, arm: u8, body: usize) {
    let node = 1 + varint_len(body as u64) + body;
    let payload = 1 + varint_len(node as u64) + node;
    out.reserve(FRAME_HEADER_BYTES + payload);
    out.put_u64(payload as u64);
    out.put_u8(NODE);
    put_varint(out, node as u64);
    out.put_u8(arm);
    put_varint(out, body as u64);
}

/// Appends one frame with a cast.
pub(crate) fn encode_cast(out: &mut BytesMut, to: u64, variant: &str, args: &[u8], metadata: Option<&[u8]>) {
    let body = number_len(to) + bytes_len(args) + bytes_len(variant.as_bytes()) + optional_bytes_len(metadata);
    put_envelope(out, CAST, body);
    put_number(out, 1, to);
    put_bytes(out, 2, args);
    put_bytes(out, 3, variant.as_bytes());
    put_optional_bytes(out, 6, metadata);
}

/// Appends one frame with a call.
pub(crate) fn encode_call(out: &mut BytesMut, call: &Call) {
    let timeout = call.timeout_ms.map_or(0, |ms| 1 + varint_len(ms));
    let body = number_len(call.to)
        + bytes_len(&call.args)
        + number_len(call.tag)
        + timeout
        + bytes_len(call.variant.as_bytes())
        + optional_bytes_len(call.metadata.as_deref());
    put_envelope(out, CALL, body);
    put_number(out, 1, call.to);
    put_bytes(out, 2, &call.args);
    put_number(out, 3, call.tag);
    if let Some(ms) = call.timeout_ms {
        out.put_u8(varint_key(4));
        put_varint(out, ms);
    }
    put_bytes(out, 5, call.variant.as_bytes());
    put_optional_bytes(out, 6, call.metadata.as_deref());
}

/// Appends one frame with the reply to the call `tag` of the actor `to`.
pub(crate) fn encode_reply(out: &mut BytesMut, to: u64, tag: u64, what: &[u8]) {
    put_envelope(out, REPLY, number_len(to) + number_len(tag) + bytes_len(what));
    put_number(out, 1, to);
    put_number(out, 2, tag);
    put_bytes(out, 3, what);
}

/// A payload's fields, one after the other.
struct Fields<'a> {
    bytes: &'a [u8],
    at: usize,
}

enum Value<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

impl<'a> Fields<'a> {
    /// The bytes of a length-delimited message that fills the rest of the payload.
    fn rest_as_message(bytes: &'a [u8], key: u8) -> Option<&'a [u8]> {
        let (&first, _) = bytes.split_first()?;
        if first != key {
            return None;
        }
        let mut at = 1;
        let len = usize::try_from(take_varint(bytes, &mut at)?).ok()?;
        let body = bytes.get(at..)?;
        (body.len() == len).then_some(body)
    }

    fn next(&mut self) -> Option<(u64, Value<'a>)> {
        let key = take_varint(self.bytes, &mut self.at)?;
        let value = match key & 7 {
            0 => Value::Number(take_varint(self.bytes, &mut self.at)?),
            2 => {
                let len = usize::try_from(take_varint(self.bytes, &mut self.at)?).ok()?;
                let end = self.at.checked_add(len)?;
                let bytes = self.bytes.get(self.at..end)?;
                self.at = end;
                Value::Bytes(bytes)
            }
            _ => return None,
        };
        Some((key >> 3, value))
    }

    fn is_done(&self) -> bool {
        self.at == self.bytes.len()
    }
}

/// Decodes a payload of the usual shape; none for anything else, which is prost's then.
pub(super) fn decode(payload: &Bytes) -> Option<Data> {
    let node = Fields::rest_as_message(payload, NODE)?;
    let arm = *node.first()?;
    let mut fields = Fields {
        bytes: Fields::rest_as_message(node, arm)?,
        at: 0,
    };
    match arm {
        CAST => decode_cast(&mut fields).map(Data::Cast),
        CALL => decode_call(&mut fields).map(Data::Call),
        REPLY => decode_reply(&mut fields).map(Data::Reply),
        _ => None,
    }
}

fn text(bytes: &[u8]) -> Option<String> {
    std::str::from_utf8(bytes).ok().map(str::to_owned)
}

fn decode_cast(fields: &mut Fields<'_>) -> Option<Cast> {
    let mut cast = Cast::default();
    while !fields.is_done() {
        match fields.next()? {
            (1, Value::Number(to)) => cast.to = to,
            (2, Value::Bytes(args)) => cast.args = args.to_vec(),
            (3, Value::Bytes(variant)) => cast.variant = text(variant)?,
            (6, Value::Bytes(metadata)) => cast.metadata = Some(metadata.to_vec()),
            _ => return None,
        }
    }
    Some(cast)
}

fn decode_call(fields: &mut Fields<'_>) -> Option<Call> {
    let mut call = Call::default();
    while !fields.is_done() {
        match fields.next()? {
            (1, Value::Number(to)) => call.to = to,
            (2, Value::Bytes(args)) => call.args = args.to_vec(),
            (3, Value::Number(tag)) => call.tag = tag,
            (4, Value::Number(ms)) => call.timeout_ms = Some(ms),
            (5, Value::Bytes(variant)) => call.variant = text(variant)?,
            (6, Value::Bytes(metadata)) => call.metadata = Some(metadata.to_vec()),
            _ => return None,
        }
    }
    Some(call)
}

fn decode_reply(fields: &mut Fields<'_>) -> Option<Reply> {
    let mut reply = Reply::default();
    while !fields.is_done() {
        match fields.next()? {
            (1, Value::Number(to)) => reply.to = to,
            (2, Value::Number(tag)) => reply.tag = tag,
            (3, Value::Bytes(what)) => reply.what = what.to_vec(),
            _ => return None,
        }
    }
    Some(reply)
}
