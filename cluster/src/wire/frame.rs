//! Frames: a 64-bit big-endian length and that many bytes.

#[cfg(any(test, feature = "fuzzing", feature = "simulation"))]
use bytes::{Buf, Bytes};
use bytes::{BufMut, BytesMut};

use super::WireError;

/// The bytes of a frame before its payload.
pub(crate) const FRAME_HEADER_BYTES: usize = 8;

/// The bytes between two frame headers.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Frame<'a> {
    /// All of it, where it was read to.
    Whole(&'a [u8]),
    /// In two parts.
    Split(Split),
}

/// A frame of which a large part was read into a buffer of its own.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Split {
    /// The bytes before and after that part.
    pub(crate) around: BytesMut,
    /// Where in `around` it belongs.
    pub(crate) at: usize,
    /// The large part.
    pub(crate) apart: Vec<u8>,
}

/// How large the frame is that `buffer` begins with, without its header; none if the header isn't complete yet.
///
/// # Errors
/// It announces more than `limit` bytes; nothing has been allocated for it.
pub(crate) fn frame_size(buffer: &[u8], limit: u64) -> Result<Option<usize>, WireError> {
    let Some(header) = buffer.first_chunk::<FRAME_HEADER_BYTES>() else {
        return Ok(None);
    };
    let announced = u64::from_be_bytes(*header);
    match usize::try_from(announced) {
        Ok(size) if announced <= limit => Ok(Some(size)),
        _ => Err(WireError::FrameTooLarge { announced, limit }),
    }
}

/// Takes the payload of the next frame off the front of `buffer`, or none if it isn't complete yet.
///
/// # Errors
/// As [`frame_size`].
#[cfg(any(test, feature = "fuzzing", feature = "simulation"))]
pub fn split_frame(buffer: &mut BytesMut, limit: u64) -> Result<Option<Bytes>, WireError> {
    match frame_size(buffer, limit)? {
        Some(size) if buffer.len() - FRAME_HEADER_BYTES >= size => {
            buffer.advance(FRAME_HEADER_BYTES);
            Ok(Some(buffer.split_to(size).freeze()))
        }
        _ => Ok(None),
    }
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
