//! Bytes of a connection, in whatever pieces they arrive.

use bytes::{Bytes, BytesMut};

use super::input::Input;
use crate::wire::{self, Message, WireError};

/// Splits bytes into frames and decodes them. In one piece they must give the same frames as in many, no frame may be
/// larger than allowed, and what was decoded must survive being encoded again.
pub fn frame(data: &[u8]) {
    let mut input = Input::new(data);
    let limit = 1 << (input.byte() % 20);
    let (mut buffer, mut whole) = (BytesMut::new(), BytesMut::new());
    let (mut frames, mut end) = (Vec::new(), Ok(()));
    while end.is_ok() && !input.is_empty() {
        let piece = input.bytes();
        buffer.extend_from_slice(piece);
        whole.extend_from_slice(piece);
        end = split(&mut buffer, limit, &mut frames);
    }
    let mut at_once = Vec::new();
    assert_eq!(
        split(&mut whole, limit, &mut at_once),
        end,
        "the end depends on the pieces"
    );
    assert_eq!(at_once, frames, "the frames depend on the pieces");
    frames.iter().for_each(decode);
}

fn split(buffer: &mut BytesMut, limit: u64, frames: &mut Vec<Bytes>) -> Result<(), WireError> {
    while let Some(payload) = wire::split_frame(buffer, limit)? {
        assert!(payload.len() as u64 <= limit, "a frame above the limit");
        frames.push(payload);
    }
    Ok(())
}

fn decode(payload: &Bytes) {
    let Ok(message) = wire::decode(payload) else {
        return;
    };
    if let Message::Data(data) = &message {
        assert_eq!(
            wire::decode_as_protobuf(payload).as_ref(),
            Ok(&message),
            "the two decoders disagree about {data:?}"
        );
    }
    let mut frame = BytesMut::new();
    wire::encode(&message, &mut frame);
    let again = wire::split_frame(&mut frame, u64::MAX);
    let again = again.map(|payload| payload.map(|payload| wire::decode(&payload)));
    assert_eq!(again, Ok(Some(Ok(message))), "it changed on the way");
    assert!(frame.is_empty(), "more than one frame for a message");
}
