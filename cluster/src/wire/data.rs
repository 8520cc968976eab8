//! The codec of the data plane: casts, calls and replies straight from and to the connection's buffers.
//!
//! These are nearly all the frames of a busy link, and each is three nested protobuf messages of a few fields. Writing them by hand
//! costs one pass and no intermediate structs. Decoding takes only the shape that every known sender writes. Everything else that
//! is legal protobuf (unknown fields, merged submessages) is left to prost.

use bytes::BytesMut;

use super::frame::FRAME_HEADER_BYTES;
use super::message::{Call, Cast, Data, Reply, TraceFields};
use super::varint::{MAX_VARINT_BYTES, put_varint, take_varint, varint_len};

/// The key of `NetworkMessage.node`, length-delimited.
const NODE: u8 = 0x12;
/// The keys of `NodeMessage.cast`, `.call` and `.reply`, length-delimited.
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

/// The keys of the fields of a trace, length-delimited: 100 and 101, each of two bytes.
const TRACE_PARENT: [u8; 2] = [0xa2, 0x06];
const TRACE_STATE: [u8; 2] = [0xaa, 0x06];

impl TraceFields {
    /// The bytes that it takes on the wire.
    pub(crate) fn wire_len(&self) -> usize {
        [&self.parent, &self.state]
            .into_iter()
            .filter(|value| !value.is_empty())
            .map(|value| TRACE_PARENT.len() + varint_len(value.len() as u64) + value.len())
            .sum()
    }

    fn put(&self, out: &mut BytesMut) {
        for (key, value) in [(TRACE_PARENT, &self.parent), (TRACE_STATE, &self.state)] {
            if !value.is_empty() {
                out.extend_from_slice(&key);
                let mut part = FramePart::new();
                part.varint(value.len() as u64);
                part.flush(out);
                out.extend_from_slice(value);
            }
        }
    }
}

fn trace_len(trace: Option<&TraceFields>) -> usize {
    trace.map_or(0, TraceFields::wire_len)
}

/// Keys, numbers and lengths of a frame, collected before they are appended: most are a byte or two, and appending each to a
/// growing buffer would cost more than the bytes do.
struct FramePart {
    bytes: [u8; PART],
    len: usize,
}

/// The most bytes of a frame beside its variant, arguments and metadata: the header, the keys and lengths of the two enclosing messages
/// and of these three, and the keys and values of three numbers.
pub(crate) const FRAME_OVERHEAD: usize = FRAME_HEADER_BYTES + 8 * (1 + MAX_VARINT_BYTES);

/// The most bytes between two texts of a frame: the header and five numbers with their keys.
const PART: usize = FRAME_HEADER_BYTES + 5 * (1 + MAX_VARINT_BYTES);

impl FramePart {
    fn new() -> Self {
        Self {
            bytes: [0; PART],
            len: 0,
        }
    }

    fn byte(&mut self, byte: u8) {
        if let Some(place) = self.bytes.get_mut(self.len) {
            *place = byte;
            self.len += 1;
        }
    }

    fn varint(&mut self, value: u64) {
        put_varint(value, |byte| self.byte(byte));
    }

    fn number(&mut self, field: u8, value: u64) {
        if value != 0 {
            self.byte(varint_key(field));
            self.varint(value);
        }
    }

    /// Puts what goes before `len` bytes of a field.
    fn length(&mut self, field: u8, len: usize) {
        self.byte(bytes_key(field));
        self.varint(len as u64);
    }

    /// The frame header and the two enclosing messages for `body` bytes of the message `arm`.
    fn envelope(&mut self, arm: u8, body: usize) {
        let node = 1 + varint_len(body as u64) + body;
        let payload = 1 + varint_len(node as u64) + node;
        for byte in (payload as u64).to_be_bytes() {
            self.byte(byte);
        }
        self.byte(NODE);
        self.varint(node as u64);
        self.byte(arm);
        self.varint(body as u64);
    }

    /// Appends what was put together, and begins anew.
    fn flush(&mut self, out: &mut BytesMut) {
        out.extend_from_slice(self.bytes.get(..self.len).unwrap_or_default());
        self.len = 0;
    }

    /// Appends what was put together, and a text unless it is empty.
    fn text(&mut self, out: &mut BytesMut, field: u8, value: &[u8]) {
        if !value.is_empty() {
            self.length(field, value.len());
        }
        self.flush(out);
        out.extend_from_slice(value);
    }

    fn metadata(&mut self, out: &mut BytesMut, metadata: Option<&[u8]>) {
        if let Some(metadata) = metadata {
            self.length(6, metadata.len());
            self.flush(out);
            out.extend_from_slice(metadata);
        }
    }
}

/// The arguments of a message, or a reply.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Payload<'a> {
    /// Copied into the frame.
    Within(&'a [u8]),
    /// Left out of the frame. There are this many bytes, at least one, and they are written at the position that the encoder gives
    /// back.
    Apart(usize),
}

impl Payload<'_> {
    fn field_len(self) -> usize {
        match self {
            Self::Within(bytes) => bytes_len(bytes),
            Self::Apart(len) => 1 + varint_len(len as u64) + len,
        }
    }

    /// Appends `before` and itself. Gives back where in `out` it ends, or would begin.
    fn put(self, mut before: FramePart, out: &mut BytesMut, field: u8) -> usize {
        match self {
            Self::Within(bytes) => before.text(out, field, bytes),
            Self::Apart(len) => {
                before.length(field, len);
                before.flush(out);
            }
        }
        out.len()
    }
}

/// Appends one frame with a cast.
pub(crate) fn encode_cast(
    out: &mut BytesMut,
    to: u64,
    variant: &str,
    args: Payload<'_>,
    metadata: Option<&[u8]>,
    trace: Option<&TraceFields>,
) -> usize {
    let body = number_len(to)
        + args.field_len()
        + bytes_len(variant.as_bytes())
        + optional_bytes_len(metadata)
        + trace_len(trace);
    let mut part = FramePart::new();
    part.envelope(CAST, body);
    part.number(1, to);
    let at = args.put(part, out, 2);
    let mut part = FramePart::new();
    part.text(out, 3, variant.as_bytes());
    part.metadata(out, metadata);
    if let Some(trace) = trace {
        trace.put(out);
    }
    at
}

/// Appends one frame with a call, whose own arguments don't count.
pub(crate) fn encode_call(out: &mut BytesMut, call: &Call, args: Payload<'_>) -> usize {
    let timeout = call.timeout_ms.map_or(0, |ms| 1 + varint_len(ms));
    let body = number_len(call.to)
        + args.field_len()
        + number_len(call.tag)
        + timeout
        + bytes_len(call.variant.as_bytes())
        + optional_bytes_len(call.metadata.as_deref())
        + trace_len(call.trace.as_deref());
    let mut part = FramePart::new();
    part.envelope(CALL, body);
    part.number(1, call.to);
    let at = args.put(part, out, 2);
    let mut part = FramePart::new();
    part.number(3, call.tag);
    if let Some(ms) = call.timeout_ms {
        // The field is optional, so a limit of 0 is written: it means something else than no limit.
        part.byte(varint_key(4));
        part.varint(ms);
    }
    part.text(out, 5, call.variant.as_bytes());
    part.metadata(out, call.metadata.as_deref());
    if let Some(trace) = &call.trace {
        trace.put(out);
    }
    at
}

/// Appends one frame with the reply to the call `tag` of the actor `to`.
pub(crate) fn encode_reply(out: &mut BytesMut, to: u64, tag: u64, what: Payload<'_>) -> usize {
    let mut part = FramePart::new();
    part.envelope(REPLY, number_len(to) + number_len(tag) + what.field_len());
    part.number(1, to);
    part.number(2, tag);
    what.put(part, out, 3)
}

/// The position in a frame of a large part that was read into a buffer of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PayloadRange {
    pub(crate) at: usize,
    pub(crate) len: usize,
}

/// The arguments or the reply in a frame of `total` bytes that begins with `start`, if they have at least `least` bytes
/// and their place shows.
pub(crate) fn large_payload(start: &[u8], total: usize, least: usize) -> Option<PayloadRange> {
    let mut fields = FieldReader::new(start, total, None);
    let arm = fields.enter_data()?;
    let payload = if arm == REPLY { 3 } else { 2 };
    loop {
        let key = take_varint(start, &mut fields.at)?;
        let value = take_varint(start, &mut fields.at)?;
        match key & 7 {
            0 => {}
            2 => {
                let (at, len) = (fields.at, usize::try_from(value).ok()?);
                // The length is whatever the peer says, and the reader sizes a buffer by it, so it must lie within the frame, whose
                // size was checked.
                let end = at.checked_add(len).filter(|end| *end <= total)?;
                if key >> 3 == payload && len >= least {
                    return Some(PayloadRange { at, len });
                }
                fields.at = end;
            }
            _ => return None,
        }
    }
}

/// A message's fields, one after the other.
struct FieldReader<'a> {
    bytes: &'a [u8],
    at: usize,
    /// The bytes of the message, with what is apart.
    total: usize,
    /// What `bytes` leaves out, until the field that it belongs to has come.
    apart: Option<PayloadRange>,
    /// The bytes that were left out of `bytes` before `at`.
    passed: usize,
}

enum Value<'a> {
    Number(u64),
    Bytes(&'a [u8]),
    /// A value that is apart, in a buffer of its own.
    Apart,
}

impl<'a> FieldReader<'a> {
    fn new(bytes: &'a [u8], total: usize, apart: Option<PayloadRange>) -> Self {
        Self {
            bytes,
            at: 0,
            total,
            apart,
            passed: 0,
        }
    }

    /// Goes into a message of a node, and into the one within; gives back which that is.
    fn enter_data(&mut self) -> Option<u8> {
        self.enter(NODE)?;
        let arm = *self.bytes.get(self.at)?;
        self.enter(arm)?;
        matches!(arm, CAST | CALL | REPLY).then_some(arm)
    }

    /// Goes into a length-delimited message that fills the rest.
    fn enter(&mut self, key: u8) -> Option<()> {
        if *self.bytes.get(self.at)? != key {
            return None;
        }
        self.at += 1;
        let len = usize::try_from(take_varint(self.bytes, &mut self.at)?).ok()?;
        // If the message doesn't fill the rest, another field follows that has to be merged with it. prost knows those rules.
        (self.total.checked_sub(self.at)? == len).then_some(())
    }

    fn next(&mut self) -> Option<(u64, Value<'a>)> {
        let key = take_varint(self.bytes, &mut self.at)?;
        let value = match key & 7 {
            0 => Value::Number(take_varint(self.bytes, &mut self.at)?),
            2 => {
                let len = usize::try_from(take_varint(self.bytes, &mut self.at)?).ok()?;
                self.bytes_of(len)?
            }
            _ => return None,
        };
        Some((key >> 3, value))
    }

    fn bytes_of(&mut self, len: usize) -> Option<Value<'a>> {
        if self.apart == Some(PayloadRange { at: self.at, len }) {
            self.apart = None;
            self.passed = len;
            return Some(Value::Apart);
        }
        let end = self.at.checked_add(len)?;
        let bytes = self.bytes.get(self.at..end)?;
        self.at = end;
        Some(Value::Bytes(bytes))
    }

    /// Takes the value of a field that may be apart. If it is, its bytes are filled in later, so it must be the last of
    /// its kind.
    fn payload(&self, value: Value<'_>, payload: &mut Vec<u8>) -> Option<()> {
        match value {
            Value::Apart => *payload = Vec::new(),
            Value::Bytes(bytes) if self.passed == 0 => *payload = bytes.to_vec(),
            Value::Bytes(_) | Value::Number(_) => return None,
        }
        Some(())
    }

    fn is_done(&self) -> bool {
        self.at + self.passed == self.total
    }
}

/// Decodes a message of the usual shape. None for anything else, which prost decodes then.
pub(crate) fn decode(bytes: &[u8]) -> Option<Data> {
    decode_fields(FieldReader::new(bytes, bytes.len(), None))
}

/// As [`decode`], of a message whose payload is apart: it is `payload` afterwards. If this fails, `payload` is as it was.
pub(super) fn decode_around(bytes: &[u8], at: usize, payload: &mut Vec<u8>) -> Option<Data> {
    let place = PayloadRange { at, len: payload.len() };
    let fields = FieldReader::new(bytes, bytes.len().checked_add(place.len)?, Some(place));
    let mut data = decode_fields(fields)?;
    match &mut data {
        Data::Cast(cast) => cast.args = std::mem::take(payload),
        Data::Call(call) => call.args = std::mem::take(payload),
        Data::Reply(reply) => reply.what = std::mem::take(payload),
        Data::CallFailed { .. } => return None,
    }
    Some(data)
}

fn decode_fields(mut fields: FieldReader<'_>) -> Option<Data> {
    let data = match fields.enter_data()? {
        CAST => decode_cast(&mut fields).map(Data::Cast),
        CALL => decode_call(&mut fields).map(Data::Call),
        REPLY => decode_reply(&mut fields).map(Data::Reply),
        _ => None,
    };
    // A part that is apart must have belonged to a field.
    data.filter(|_| fields.apart.is_none())
}

/// Takes a field of a trace. None for any other field, and for an empty one, which nobody writes.
fn take_trace(trace: &mut Option<Box<TraceFields>>, field: u64, value: &[u8]) -> Option<()> {
    if value.is_empty() {
        return None;
    }
    match field {
        100 => trace.get_or_insert_default().parent = value.to_vec(),
        101 => trace.get_or_insert_default().state = value.to_vec(),
        _ => return None,
    }
    Some(())
}

fn text(bytes: &[u8]) -> Option<String> {
    std::str::from_utf8(bytes).ok().map(str::to_owned)
}

fn decode_cast(fields: &mut FieldReader<'_>) -> Option<Cast> {
    let mut cast = Cast::default();
    while !fields.is_done() {
        match fields.next()? {
            (1, Value::Number(to)) => cast.to = to,
            (2, args) => fields.payload(args, &mut cast.args)?,
            (3, Value::Bytes(variant)) => cast.variant = text(variant)?,
            (6, Value::Bytes(metadata)) => cast.metadata = Some(metadata.to_vec()),
            (field, Value::Bytes(value)) => take_trace(&mut cast.trace, field, value)?,
            _ => return None,
        }
    }
    Some(cast)
}

fn decode_call(fields: &mut FieldReader<'_>) -> Option<Call> {
    let mut call = Call::default();
    while !fields.is_done() {
        match fields.next()? {
            (1, Value::Number(to)) => call.to = to,
            (2, args) => fields.payload(args, &mut call.args)?,
            (3, Value::Number(tag)) => call.tag = tag,
            (4, Value::Number(ms)) => call.timeout_ms = Some(ms),
            (5, Value::Bytes(variant)) => call.variant = text(variant)?,
            (6, Value::Bytes(metadata)) => call.metadata = Some(metadata.to_vec()),
            (field, Value::Bytes(value)) => take_trace(&mut call.trace, field, value)?,
            _ => return None,
        }
    }
    Some(call)
}

fn decode_reply(fields: &mut FieldReader<'_>) -> Option<Reply> {
    let mut reply = Reply::default();
    while !fields.is_done() {
        match fields.next()? {
            (1, Value::Number(to)) => reply.to = to,
            (2, Value::Number(tag)) => reply.tag = tag,
            (3, what) => fields.payload(what, &mut reply.what)?,
            _ => return None,
        }
    }
    Some(reply)
}
