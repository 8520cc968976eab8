//! The wire: frames and messages. Bytes come in, checked [`Message`]s go out, and the other way round.
//!
//! This is the only layer that knows protobuf. Everything is written from the facts of the protocol and pinned by the
//! frames in `golden/`, which were recorded from the published `ractor_cluster` 0.16.5.

mod control;
mod data;
mod error;
mod frame;
mod message;
mod proto;
mod varint;

pub(crate) use data::{encode_call, encode_cast, encode_reply};
pub use error::WireError;
use frame::frame_with;
pub(crate) use frame::split_frame;
pub(crate) use message::{
    Actor, Auth, CAPABILITY_CALL_FAILED, Call, Challenge, ChallengeReply, Control, Data, Digest, GroupChange, Message,
    Timestamp,
};
pub use message::{NameMessage, NodeFlags, ServerStatus};

use bytes::{BufMut, Bytes, BytesMut};

/// Decodes the payload of one frame.
///
/// # Errors
/// The bytes aren't a `NetworkMessage`. What is well-formed but unknown to this version is [`Message::Unknown`].
pub(crate) fn decode(payload: &Bytes) -> Result<Message, WireError> {
    match data::decode(payload) {
        Some(data) => Ok(Message::Data(data)),
        None => control::decode(payload.as_ref()),
    }
}

/// As [`decode`], by the general decoder alone: what the decoder of the data plane is measured against.
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) fn decode_as_protobuf(payload: &Bytes) -> Result<Message, WireError> {
    control::decode(payload.as_ref())
}

/// Appends one whole frame, header included.
pub(crate) fn encode(message: &Message, out: &mut BytesMut) {
    match message {
        Message::Data(Data::Cast(cast)) => {
            encode_cast(out, cast.to, &cast.variant, &cast.args, cast.metadata.as_deref())
        }
        Message::Data(Data::Call(call)) => encode_call(out, call),
        Message::Data(Data::Reply(reply)) => encode_reply(out, reply.to, reply.tag, &reply.what),
        Message::Data(Data::CallFailed { to, tag }) => {
            frame_with(out, |payload| control::encode_call_failed(*to, *tag, payload));
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
