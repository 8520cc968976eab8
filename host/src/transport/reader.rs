//! The reader of a connection: many frames a read.

use std::io;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt};

use crate::wire::{WireError, split_frame};

/// Space that every read has at least.
const READ_CHUNK: usize = 64 * 1024;

/// Why no frame came.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadError {
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
}

impl<R: AsyncRead + Unpin> FrameReader<R> {
    /// A reader of `stream`.
    pub(crate) fn new(stream: R) -> Self {
        Self {
            stream,
            buffer: BytesMut::new(),
        }
    }

    /// The next frame among the bytes read so far, if it is complete.
    ///
    /// # Errors
    /// The frame is larger than `limit` bytes.
    pub(crate) fn buffered_frame(&mut self, limit: u64) -> Result<Option<Bytes>, WireError> {
        split_frame(&mut self.buffer, limit)
    }

    /// Reads once, whatever is there. False at the end of the stream. Nothing is lost if this is dropped while waiting.
    ///
    /// The buffer grows with what arrives, never with what a header announces.
    ///
    /// # Errors
    /// The socket failed, or the stream ended in the middle of a frame.
    pub(crate) async fn fill(&mut self) -> Result<bool, ReadError> {
        self.buffer.reserve(READ_CHUNK);
        if self.stream.read_buf(&mut self.buffer).await? > 0 {
            return Ok(true);
        }
        if self.buffer.is_empty() {
            Ok(false)
        } else {
            Err(io::Error::from(io::ErrorKind::UnexpectedEof).into())
        }
    }
}
