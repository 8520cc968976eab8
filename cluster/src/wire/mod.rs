//! The wire: frames and messages. It turns bytes into checked [`Message`]s, and back.
//!
//! This is the only layer that knows protobuf. The frames in `golden/`, which were recorded from the published `ractor_cluster`
//! 0.16.5, pin it down.

mod control;
mod data;
mod error;
mod frame;
mod message;
mod parts;
mod proto;
mod varint;

pub(crate) use data::{FRAME_OVERHEAD, Payload, encode_call, encode_cast, encode_reply, large_payload};
pub use error::WireError;
use frame::frame_with;
#[cfg(any(test, feature = "fuzzing", feature = "simulation"))]
pub use frame::split_frame;
pub(crate) use frame::{FRAME_HEADER_BYTES, Frame, Split, frame_size};
pub use message::{
    Actor, Auth, CAPABILITY_CALL_FAILED, CAPABILITY_IDENTITY, CAPABILITY_NAME_TAKEN, Data, Message, NameMessage,
    NodeFlags, ServerStatus,
};
pub(crate) use message::{
    CAPABILITY_GROUPS, CAPABILITY_INTEREST, CAPABILITY_ON_DEMAND, CAPABILITY_TRACE, Call, Challenge, ChallengeReply,
    Control, CookieDigest, ENTITIES, GroupChange, HandshakeNonce, MAX_NAME_BYTES, MAX_NODE_NAME_BYTES, NameTaken,
    OWN_GROUPS, Timestamp, TraceFields, WantedGroups, is_of_entities, is_of_type,
};
pub(crate) use parts::Parts;

use bytes::{BufMut, BytesMut};

/// Decodes the payload of one frame, as a whole however large it is.
///
/// # Errors
/// The bytes aren't a `NetworkMessage`. What is well-formed but unknown to this version is [`Message::Unknown`].
#[cfg(any(test, feature = "fuzzing", feature = "simulation"))]
pub fn decode(payload: &[u8]) -> Result<Message, WireError> {
    match data::decode(payload) {
        Some(data) => Ok(Message::Data(data)),
        None => control::decode(payload),
    }
}

/// The contents of a frame.
#[derive(Debug)]
pub(crate) enum Decoded {
    /// One message.
    Message(Message),
    /// A message that is too large to be decoded as a whole.
    Parts(Parts),
}

/// As [`decode`], for a frame a part of which was read into a buffer of its own. In a message of the usual shape that
/// buffer becomes the message's.
///
/// # Errors
/// As [`decode`].
pub(crate) fn decode_frame(frame: Frame<'_>) -> Result<Decoded, WireError> {
    match frame {
        Frame::Whole(payload) => match data::decode(payload) {
            Some(data) => Ok(Decoded::Message(Message::Data(data))),
            None => decode_in_parts(payload),
        },
        Frame::Split(Split { around, at, mut apart }) => match data::decode_around(&around, at, &mut apart) {
            Some(data) => Ok(Decoded::Message(Message::Data(data))),
            None => {
                // `decode_around` has left the payload as it was. The copy is the price of an unusual shape.
                let (before, after) = around.split_at_checked(at).unwrap_or((&around, &[]));
                decode_in_parts(&[before, &apart, after].concat())
            }
        },
    }
}

fn decode_in_parts(payload: &[u8]) -> Result<Decoded, WireError> {
    match parts::parts(payload)? {
        Some(parts) => Ok(Decoded::Parts(parts)),
        None => control::decode(payload).map(Decoded::Message),
    }
}

/// As [`decode`], by the general decoder alone, to compare the decoder of the data plane with it.
#[cfg(any(test, feature = "fuzzing", feature = "simulation"))]
pub(crate) fn decode_as_protobuf(payload: &[u8]) -> Result<Message, WireError> {
    control::decode(payload)
}

/// Appends one whole frame, header included.
pub fn encode(message: &Message, out: &mut BytesMut) {
    match message {
        Message::Data(Data::Cast(cast)) => {
            let args = Payload::Within(&cast.args);
            encode_cast(
                out,
                cast.to,
                &cast.variant,
                args,
                cast.metadata.as_deref(),
                cast.trace.as_deref(),
            );
        }
        Message::Data(Data::Call(call)) => {
            encode_call(out, call, Payload::Within(&call.args));
        }
        Message::Data(Data::Reply(reply)) => {
            encode_reply(out, reply.to, reply.tag, Payload::Within(&reply.what));
        }
        Message::Data(Data::CallFailed { to, tag, reason }) => {
            frame_with(out, |payload| {
                control::encode_call_failed(*to, *tag, reason.as_deref(), payload);
            });
        }
        Message::Auth(auth) => frame_with(out, |payload| control::encode_auth(auth, payload)),
        Message::Control(control) => frame_with(out, |payload| control::encode_control(control, payload)),
        Message::Unknown => out.put_u64(0),
    }
}

#[cfg(test)]
mod tests;
#[cfg(test)]
pub(crate) use message::Cast;
