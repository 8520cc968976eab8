//! The frames: a length like the cluster's, and as many bytes of header as its two envelopes and the fields of a small
//! message have, of which only a kind and a number mean something here.

use bytes::{Buf, BufMut, Bytes, BytesMut};

/// The length in front of a frame.
const LENGTH_BYTES: usize = 8;
/// What a cluster's frame has besides its length and its payload: a cast of `Blob` with 16 bytes is 46 bytes long.
const HEADER_BYTES: usize = 22;

/// What a frame is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Cast,
    Count,
    Echo,
    Reply,
}

/// A frame.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) kind: Kind,
    /// Which question a reply belongs to.
    pub(crate) tag: u64,
    pub(crate) payload: Bytes,
}

/// Appends a frame.
pub(crate) fn encode(out: &mut BytesMut, kind: Kind, tag: u64, payload: &[u8]) {
    let length = HEADER_BYTES + payload.len();
    out.reserve(LENGTH_BYTES + length);
    out.put_u64(length as u64);
    out.put_u8(kind as u8);
    out.put_u64(tag);
    out.put_bytes(0, HEADER_BYTES - 9);
    out.put_slice(payload);
}

/// Takes the first frame off, if it is there as a whole.
pub(crate) fn split(buffer: &mut BytesMut) -> anyhow::Result<Option<Frame>> {
    let Some((length, _)) = buffer.split_first_chunk::<LENGTH_BYTES>() else {
        return Ok(None);
    };
    let length = usize::try_from(u64::from_be_bytes(*length))?;
    if buffer.len() - LENGTH_BYTES < length {
        buffer.reserve(LENGTH_BYTES + length - buffer.len());
        return Ok(None);
    }
    buffer.advance(LENGTH_BYTES);
    let mut frame = buffer.split_to(length).freeze();
    let kind = match frame.try_get_u8()? {
        0 => Kind::Cast,
        1 => Kind::Count,
        2 => Kind::Echo,
        3 => Kind::Reply,
        kind => anyhow::bail!("unknown kind {kind}"),
    };
    let tag = frame.try_get_u64()?;
    anyhow::ensure!(frame.len() >= HEADER_BYTES - 9, "a frame ends within its header");
    frame.advance(HEADER_BYTES - 9);
    Ok(Some(Frame {
        kind,
        tag,
        payload: frame,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_come_out_as_they_went_in() -> anyhow::Result<()> {
        let mut sent = BytesMut::new();
        encode(&mut sent, Kind::Cast, 0, &[7; 16]);
        assert_eq!(sent.len(), 46);
        encode(&mut sent, Kind::Reply, 9, b"");
        let mut buffer = BytesMut::new();
        let mut kinds = Vec::new();
        for byte in sent {
            buffer.put_u8(byte);
            kinds.extend(split(&mut buffer)?.map(|frame| (frame.kind, frame.tag, frame.payload.len())));
        }
        assert_eq!(kinds, [(Kind::Cast, 0, 16), (Kind::Reply, 9, 0)]);
        Ok(())
    }
}
