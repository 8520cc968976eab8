//! The outbox of a connection: senders encode straight into it, one writer drains it.
//!
//! It is a queue of chunks behind one lock. Nobody awaits while holding the lock, and the writer takes the whole queue at
//! once and leaves an empty one, so a busy connection makes few, large writes.

use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::BytesMut;
use tokio::sync::Notify;

use super::chunks::Chunks;

/// What the control plane may add to a full outbox, in bytes.
const CONTROL_HEADROOM: usize = 16 * 1024 * 1024;

/// Why a frame was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum OutboxError {
    /// As many bytes as allowed are waiting for the peer.
    #[error("{limit} bytes are waiting for the peer already")]
    Full {
        /// The limit in bytes.
        limit: usize,
    },
    /// The connection is closed or closing.
    #[error("the connection is closed")]
    Closed,
}

#[derive(Debug, Default)]
struct State {
    waiting: Chunks,
    /// Handed to the writer and not on its way yet.
    in_flight: usize,
    closed: bool,
}

/// Frames that wait to be written.
#[derive(Debug)]
pub(crate) struct Outbox {
    state: Mutex<State>,
    work: Notify,
    room: Notify,
    limit: usize,
}

impl Outbox {
    /// An outbox that holds at most about `limit` bytes: the frame that reaches the limit is the last one taken.
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            state: Mutex::default(),
            work: Notify::new(),
            room: Notify::new(),
            limit,
        }
    }

    /// The limit in bytes.
    pub(crate) fn limit(&self) -> usize {
        self.limit
    }

    /// Appends what `encode` writes: one or more whole frames.
    ///
    /// # Errors
    /// Nothing was appended: the outbox is full or closed.
    pub(crate) fn push(&self, encode: impl FnOnce(&mut BytesMut)) -> Result<(), OutboxError> {
        self.append_below(self.limit, |waiting| waiting.append(encode))
    }

    /// Appends a frame whose payload is written from where it is: `encode` writes the rest and gives back the position at
    /// which the payload belongs.
    ///
    /// # Errors
    /// As [`Outbox::push`].
    pub(crate) fn push_around(
        &self,
        payload: Vec<u8>,
        encode: impl FnOnce(&mut BytesMut) -> usize,
    ) -> Result<(), OutboxError> {
        self.append_below(self.limit, |waiting| waiting.append_around(payload, encode))
    }

    /// As [`Outbox::push`] for the control plane, which has some room of its own: it must not starve behind data.
    ///
    /// # Errors
    /// As [`Outbox::push`].
    pub(crate) fn push_control(&self, encode: impl FnOnce(&mut BytesMut)) -> Result<(), OutboxError> {
        let limit = self.limit.saturating_add(CONTROL_HEADROOM);
        self.append_below(limit, |waiting| waiting.append(encode))
    }

    fn append_below(&self, limit: usize, append: impl FnOnce(&mut Chunks)) -> Result<(), OutboxError> {
        let mut state = self.lock();
        if state.closed {
            return Err(OutboxError::Closed);
        }
        if state.waiting.len() + state.in_flight >= limit {
            return Err(OutboxError::Full { limit });
        }
        let was_empty = state.waiting.is_empty();
        append(&mut state.waiting);
        drop(state);
        if was_empty {
            // The writer sleeps only on an empty queue.
            self.work.notify_one();
        }
        Ok(())
    }

    /// Waits until there is room, or the outbox is closed. Others may take the room before the caller does.
    pub(crate) async fn room(&self) {
        loop {
            let room = self.room.notified();
            tokio::pin!(room);
            room.as_mut().enable();
            if self.has_room() {
                return;
            }
            room.await;
        }
    }

    fn has_room(&self) -> bool {
        let state = self.lock();
        state.closed || state.waiting.len() + state.in_flight < self.limit
    }

    /// Takes no more frames. The writer still writes those that were taken, and then ends.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.work.notify_one();
        self.room.notify_waiters();
    }

    /// As [`Outbox::close`], and throws away what was taken: the connection is broken.
    pub(crate) fn abandon(&self) {
        let mut state = self.lock();
        state.closed = true;
        state.waiting = Chunks::default();
        drop(state);
        self.work.notify_one();
        self.room.notify_waiters();
    }

    /// Swaps everything that waits into `drained`, which must be empty, and waits while there is nothing. False once the
    /// outbox is closed and empty.
    pub(super) async fn drain_into(&self, drained: &mut Chunks) -> bool {
        loop {
            {
                let mut state = self.lock();
                if !state.waiting.is_empty() {
                    std::mem::swap(&mut state.waiting, drained);
                    state.in_flight = drained.len();
                    return true;
                }
                if state.closed {
                    return false;
                }
            }
            self.work.notified().await;
        }
    }

    /// So many of the bytes that were drained are on their way.
    pub(super) fn wrote(&self, bytes: usize) {
        let mut state = self.lock();
        state.in_flight = state.in_flight.saturating_sub(bytes);
        drop(state);
        self.room.notify_waiters();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use bytes::BufMut;

    use super::{Chunks, Outbox, OutboxError};

    /// What is written of `drained`, which is empty then.
    fn written(drained: &mut Chunks) -> Vec<u8> {
        let bytes: Vec<u8> = drained
            .slices(usize::MAX)
            .iter()
            .flat_map(|slice| slice.to_vec())
            .collect();
        drained.advance(bytes.len());
        bytes
    }

    #[tokio::test]
    async fn what_is_pushed_comes_out_in_order_and_then_the_end() {
        let outbox = Outbox::new(100);
        outbox.push(|out| out.put_slice(b"one ")).unwrap();
        outbox.push(|out| out.put_slice(b"two")).unwrap();
        outbox.close();
        let mut drained = Chunks::default();
        assert!(outbox.drain_into(&mut drained).await);
        assert_eq!(written(&mut drained), b"one two");
        assert!(!outbox.drain_into(&mut drained).await);
        assert_eq!(outbox.push(|_| ()), Err(OutboxError::Closed));
    }

    #[tokio::test]
    async fn what_is_being_written_counts_towards_the_limit() {
        let outbox = Outbox::new(4);
        outbox.push(|out| out.put_slice(b"1234")).unwrap();
        assert_eq!(outbox.push(|_| ()), Err(OutboxError::Full { limit: 4 }));
        let mut drained = Chunks::default();
        assert!(outbox.drain_into(&mut drained).await);
        assert_eq!(outbox.push(|_| ()), Err(OutboxError::Full { limit: 4 }));
        outbox.wrote(1);
        outbox.push(|out| out.put_slice(b"5")).unwrap();
        assert_eq!(outbox.push(|_| ()), Err(OutboxError::Full { limit: 4 }));
        outbox.wrote(written(&mut drained).len() - 1);
        assert!(outbox.drain_into(&mut drained).await);
        assert_eq!(written(&mut drained), b"5");
    }
}
