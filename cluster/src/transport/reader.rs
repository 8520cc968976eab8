//! The reader of a connection: it takes many frames off each read, and reads large payloads straight into a buffer of their own.

use std::io;

use bytes::{Buf, BufMut, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt};

use super::LARGE_PAYLOAD;
use super::allocator::expect_large_payloads;
use crate::wire::{FRAME_HEADER_BYTES, Frame, Split, WireError, frame_size, large_payload};

/// The least space of a read, in bytes.
const READ_CHUNK: usize = 64 * 1024;

/// The bytes at the start of a frame that show where its payload is. If they don't, the payload is copied.
const START: usize = 64;

/// The most bytes by which the buffer of a large payload may be ahead of what has arrived.
const AHEAD: usize = 256 * 1024;

/// The largest frame, in bytes, after which the buffer stays as large as it has become.
const KEPT: usize = 1 << 20;

/// The bytes of the read after a large payload. They show where the next payload is, which then need not be copied.
const AFTER_LARGE: usize = 128;

/// Why no frame came.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FrameReadError {
    /// The socket failed.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The bytes are no frame.
    #[error(transparent)]
    Wire(#[from] WireError),
}

/// Takes frames off a byte stream.
#[derive(Debug)]
pub(crate) struct FrameReader<R> {
    stream: R,
    buffer: BytesMut,
    /// The bytes of `buffer` that the last frame had.
    taken: usize,
    large: Option<LargeFrame>,
    /// The last read completed a large payload.
    after_large: bool,
    /// All bytes that were read.
    read: u64,
}

/// A frame whose payload is on its way.
#[derive(Debug)]
struct LargeFrame {
    frame: Split,
    /// The length of the payload.
    len: usize,
    /// The bytes after the payload.
    rest: usize,
}

impl LargeFrame {
    fn missing(&self) -> usize {
        self.len - self.frame.apart.len()
    }
}

impl<R: AsyncRead + Unpin> FrameReader<R> {
    /// A reader of `stream`.
    pub(crate) fn new(stream: R) -> Self {
        Self {
            stream,
            buffer: BytesMut::new(),
            taken: 0,
            large: None,
            after_large: false,
            read: 0,
        }
    }

    /// The bytes that were read so far.
    pub(crate) fn read_bytes(&self) -> u64 {
        self.read
    }

    /// The next frame among the bytes read so far, if it is complete.
    ///
    /// # Errors
    /// The frame is larger than `limit` bytes.
    pub(crate) fn buffered_frame(&mut self, limit: u64) -> Result<Option<Frame<'_>>, WireError> {
        // The last frame was borrowed from the buffer, so its bytes can be taken off only now.
        let taken = std::mem::take(&mut self.taken);
        if taken > KEPT {
            // An advanced buffer would keep its size for as long as the connection lives.
            self.buffer = BytesMut::from(self.buffer.get(taken..).unwrap_or_default());
        } else {
            self.buffer.advance(taken);
        }
        if self.large.is_none() {
            // The announced size is checked before anything is allocated for it.
            let Some(size) = frame_size(&self.buffer, limit)? else {
                return Ok(None);
            };
            let end = FRAME_HEADER_BYTES.saturating_add(size);
            if self.buffer.len() >= end {
                self.taken = end;
                return Ok(self.buffer.get(FRAME_HEADER_BYTES..end).map(Frame::Whole));
            }
            self.large = self.begin_large(size);
        }
        Ok(self.finish_large().map(Frame::Split))
    }

    /// Takes what is there of a frame of `size` bytes that has a large payload.
    fn begin_large(&mut self, size: usize) -> Option<LargeFrame> {
        if size < LARGE_PAYLOAD || self.buffer.len() < FRAME_HEADER_BYTES + START {
            return None;
        }
        let place = large_payload(self.buffer.get(FRAME_HEADER_BYTES..)?, size, LARGE_PAYLOAD)?;
        expect_large_payloads();
        let around = BytesMut::from(self.buffer.get(FRAME_HEADER_BYTES..FRAME_HEADER_BYTES + place.at)?);
        self.buffer.advance(FRAME_HEADER_BYTES + place.at);
        let mut apart = Vec::with_capacity(place.len.min(self.buffer.len() + AHEAD));
        let there = self.buffer.len().min(place.len);
        apart.extend_from_slice(self.buffer.get(..there)?);
        self.buffer.advance(there);
        Some(LargeFrame {
            len: place.len,
            rest: size - place.at - place.len,
            frame: Split {
                around,
                at: place.at,
                apart,
            },
        })
    }

    fn finish_large(&mut self) -> Option<Split> {
        let large = self.large.as_ref()?;
        if large.missing() > 0 || self.buffer.len() < large.rest {
            return None;
        }
        let LargeFrame { mut frame, rest, .. } = self.large.take()?;
        frame.around.extend_from_slice(self.buffer.get(..rest)?);
        self.buffer.advance(rest);
        Some(frame)
    }

    /// Reads once, whatever is there. False at the end of the stream. Nothing is lost if this is dropped while waiting.
    ///
    /// The buffers grow with what arrives, not with what a header announces, except for [`AHEAD`].
    ///
    /// # Errors
    /// The socket failed, or the stream ended in the middle of a frame.
    pub(crate) async fn fill(&mut self) -> Result<bool, FrameReadError> {
        let read = match &mut self.large {
            Some(large) if large.missing() > 0 => {
                let missing = large.missing();
                let payload = &mut large.frame.apart;
                if payload.capacity() == payload.len() {
                    // The buffer doubles with what has come, so an announcement alone costs no more than `AHEAD`.
                    payload.reserve_exact(missing.min(payload.len().max(AHEAD)));
                }
                // Not beyond the payload: what follows it belongs in the other buffer.
                let read = self.stream.read_buf(&mut payload.limit(missing)).await?;
                self.after_large = read == missing;
                read
            }
            _ => {
                self.buffer.reserve(READ_CHUNK);
                let space = if self.after_large { AFTER_LARGE } else { READ_CHUNK };
                let read = self.stream.read_buf(&mut (&mut self.buffer).limit(space)).await?;
                self.after_large = false;
                read
            }
        };
        self.read = self.read.wrapping_add(read as u64);
        if read > 0 {
            return Ok(true);
        }
        // Complete frames were taken off before this read, so whatever is left is the start of one that will never be whole.
        if self.buffer.is_empty() && self.large.is_none() {
            Ok(false)
        } else {
            Err(io::Error::from(io::ErrorKind::UnexpectedEof).into())
        }
    }
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;
    use std::task::{Context, Poll};

    use bytes::BytesMut;
    use proptest::prelude::*;
    use tokio::io::{AsyncRead, ReadBuf};

    use super::{AHEAD, FrameReader, LARGE_PAYLOAD, START};
    use crate::wire::{
        Call, Cast, Data, Decoded, FRAME_HEADER_BYTES, Message, Payload, decode, decode_frame, encode, encode_reply,
    };

    /// A stream that gives so much a read, in turn.
    struct Pieces {
        bytes: Vec<u8>,
        at: usize,
        sizes: Vec<usize>,
        reads: usize,
    }

    impl AsyncRead for Pieces {
        fn poll_read(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
            buf: &mut ReadBuf<'_>,
        ) -> Poll<std::io::Result<()>> {
            let size = self.sizes[self.reads % self.sizes.len()];
            let end = self.bytes.len().min(self.at + size.min(buf.remaining()));
            buf.put_slice(&self.bytes[self.at..end]);
            self.at = end;
            self.reads += 1;
            Poll::Ready(Ok(()))
        }
    }

    fn message(kind: u8, payload: usize, other: usize) -> Message {
        let args: Vec<u8> = (0..payload).map(|at| (at % 251) as u8).collect();
        let metadata = Some(vec![7; other]);
        let variant = "v".repeat(other);
        match kind % 3 {
            0 => Message::Data(Data::Cast(Cast {
                to: 1,
                variant,
                args,
                metadata,
                trace: None,
            })),
            1 => Message::Data(Data::Call(Call {
                to: 1,
                tag: 1 << 40,
                timeout_ms: Some(9),
                variant,
                args,
                metadata,
                trace: None,
            })),
            _ => {
                let mut frame = BytesMut::new();
                encode_reply(&mut frame, 1, 1, Payload::Within(&args));
                decode(&frame[FRAME_HEADER_BYTES..]).unwrap()
            }
        }
    }

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_current_thread().build().unwrap()
    }

    async fn read_all(reader: &mut FrameReader<Pieces>) -> Vec<Message> {
        let mut messages = Vec::new();
        loop {
            while let Some(frame) = reader.buffered_frame(u64::MAX).unwrap() {
                let Decoded::Message(message) = decode_frame(frame).unwrap() else {
                    unreachable!("a message of the control plane");
                };
                messages.push(message);
            }
            if !reader.fill().await.unwrap() {
                return messages;
            }
        }
    }

    proptest! {
        #[test]
        fn messages_arrive_whatever_the_pieces(
            wanted in proptest::collection::vec((any::<u8>(), prop_oneof![0..200usize, LARGE_PAYLOAD - 3..LARGE_PAYLOAD + 3, 0..3 * LARGE_PAYLOAD], 0..START), 0..12),
            sizes in proptest::collection::vec(prop_oneof![1..100usize, 1..100_000usize], 1..9),
        ) {
            let wanted: Vec<_> = wanted.into_iter().map(|(kind, payload, other)| message(kind, payload, other)).collect();
            let mut bytes = BytesMut::new();
            wanted.iter().for_each(|message| encode(message, &mut bytes));
            let mut reader = FrameReader::new(Pieces { bytes: bytes.to_vec(), at: 0, sizes, reads: 0 });
            prop_assert_eq!(runtime().block_on(read_all(&mut reader)), wanted);
        }
    }

    #[test]
    fn a_payload_that_is_only_announced_gets_little_room() {
        let mut bytes = BytesMut::new();
        encode(&message(0, 8 * AHEAD, 1), &mut bytes);
        bytes.truncate(2 * LARGE_PAYLOAD);
        let sizes = vec![LARGE_PAYLOAD];
        let mut reader = FrameReader::new(Pieces {
            bytes: bytes.to_vec(),
            at: 0,
            sizes,
            reads: 0,
        });
        runtime().block_on(async {
            while reader.fill().await.is_ok() {
                assert!(reader.buffered_frame(u64::MAX).unwrap().is_none());
            }
        });
        let payload = &reader.large.as_ref().unwrap().frame.apart;
        assert!(payload.len() > LARGE_PAYLOAD && payload.capacity() <= 2 * LARGE_PAYLOAD + AHEAD);
    }
}
