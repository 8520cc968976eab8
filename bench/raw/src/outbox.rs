//! What is to be written: one buffer that a writer swaps for an empty one, or that is written at once if nothing waits.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::{Buf, BytesMut};
use tokio::net::tcp::OwnedWriteHalf;
use tokio::sync::Notify;

use crate::frame::{Kind, encode};

/// The size with which the two buffers start.
const BUFFER_BYTES: usize = 256 * 1024;

/// When a frame is to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum When {
    /// Now if possible: nothing else is coming.
    Now,
    /// Together with what others have to say.
    Soon,
    /// At the next flush.
    Later,
}

/// The sending side of a connection.
pub(crate) struct Outbox {
    state: Mutex<State>,
    filled: Notify,
    socket: OwnedWriteHalf,
}

struct State {
    waiting: BytesMut,
    /// The writer has bytes that come before those that wait.
    writing: bool,
}

impl Outbox {
    /// An empty one, and its writer, which ends with the connection.
    pub(crate) fn start(socket: OwnedWriteHalf) -> Arc<Self> {
        let outbox = Arc::new(Self {
            state: Mutex::new(State {
                waiting: BytesMut::with_capacity(BUFFER_BYTES),
                writing: false,
            }),
            filled: Notify::new(),
            socket,
        });
        let writer = Arc::clone(&outbox);
        tokio::spawn(async move {
            if let Err(error) = writer.write().await {
                eprintln!("the connection ended: {error}");
            }
        });
        outbox
    }

    /// Puts a frame in.
    pub(crate) fn push(&self, kind: Kind, tag: u64, payload: &[u8], when: When) -> io::Result<()> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        encode(&mut state.waiting, kind, tag, payload);
        match when {
            When::Later => return Ok(()),
            When::Now => self.write_now(&mut state)?,
            When::Soon => {}
        }
        if !state.waiting.is_empty() && !state.writing {
            self.filled.notify_one();
        }
        Ok(())
    }

    /// Writes what waits, as far as that is possible at once.
    pub(crate) fn flush(&self) -> io::Result<()> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        self.write_now(&mut state)?;
        if !state.waiting.is_empty() && !state.writing {
            self.filled.notify_one();
        }
        Ok(())
    }

    fn write_now(&self, state: &mut State) -> io::Result<()> {
        while !state.writing && !state.waiting.is_empty() {
            match self.socket.try_write(&state.waiting) {
                Ok(written) => state.waiting.advance(written),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    async fn write(&self) -> io::Result<()> {
        let mut chunk = BytesMut::with_capacity(BUFFER_BYTES);
        loop {
            self.swap(&mut chunk);
            if chunk.is_empty() {
                self.filled.notified().await;
                continue;
            }
            let mut rest = chunk.as_ref();
            while !rest.is_empty() {
                self.socket.writable().await?;
                match self.socket.try_write(rest) {
                    Ok(written) => rest = rest.get(written..).unwrap_or_default(),
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                    Err(error) => return Err(error),
                }
            }
            chunk.clear();
        }
    }

    fn swap(&self, chunk: &mut BytesMut) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::swap(&mut state.waiting, chunk);
        state.writing = !chunk.is_empty();
    }
}
