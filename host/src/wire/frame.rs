//! Frames: a 64-bit big-endian length and that many bytes.

use bytes::{Buf, BufMut, Bytes, BytesMut};

use super::WireError;

/// The bytes of a frame before its payload.
pub(crate) const FRAME_HEADER_BYTES: usize = 8;

/// Takes the payload of the next frame off the front of `buffer`, or none if it isn't complete yet.
///
/// # Errors
/// The frame announces a payload above `limit` bytes; nothing has been allocated for it.
pub(crate) fn split_frame(buffer: &mut BytesMut, limit: u64) -> Result<Option<Bytes>, WireError> {
    let Some(header) = buffer.first_chunk::<FRAME_HEADER_BYTES>() else {
        return Ok(None);
    };
    let announced = u64::from_be_bytes(*header);
    if announced > limit {
        return Err(WireError::FrameTooLarge { announced, limit });
    }
    let payload = usize::try_from(announced).map_err(|_| WireError::FrameTooLarge { announced, limit })?;
    if buffer.len() - FRAME_HEADER_BYTES < payload {
        return Ok(None);
    }
    buffer.advance(FRAME_HEADER_BYTES);
    Ok(Some(buffer.split_to(payload).freeze()))
}

/// Appends a frame whose payload `write` appends: the length is filled in afterwards.
pub(crate) fn frame_with(out: &mut BytesMut, write: impl FnOnce(&mut BytesMut)) {
    let start = out.len();
    out.put_u64(0);
    write(out);
    let payload = (out.len() - start - FRAME_HEADER_BYTES) as u64;
    if let Some(header) = out.get_mut(start..start + FRAME_HEADER_BYTES) {
        header.copy_from_slice(&payload.to_be_bytes());
    }
}
