//! The outbox of a connection: senders encode straight into it, one writer drains it.
//!
//! It is one buffer behind one lock. Nobody awaits while holding the lock, and the writer takes the whole buffer at once
//! and leaves an empty one, so a busy connection makes few, large writes.

use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::BytesMut;
use tokio::sync::Notify;

/// Capacity kept for reuse once a burst is over.
const KEPT_CAPACITY: usize = 256 * 1024;

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
    buffer: BytesMut,
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
        self.push_below(self.limit, encode)
    }

    /// As [`Outbox::push`] for the control plane, which has some room of its own: it must not starve behind data.
    ///
    /// # Errors
    /// As [`Outbox::push`].
    pub(crate) fn push_control(&self, encode: impl FnOnce(&mut BytesMut)) -> Result<(), OutboxError> {
        self.push_below(self.limit.saturating_add(CONTROL_HEADROOM), encode)
    }

    fn push_below(&self, limit: usize, encode: impl FnOnce(&mut BytesMut)) -> Result<(), OutboxError> {
        let mut state = self.lock();
        if state.closed {
            return Err(OutboxError::Closed);
        }
        if state.buffer.len() + state.in_flight >= limit {
            return Err(OutboxError::Full { limit });
        }
        let was_empty = state.buffer.is_empty();
        encode(&mut state.buffer);
        drop(state);
        if was_empty {
            // The writer sleeps only on an empty buffer.
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
        state.closed || state.buffer.len() + state.in_flight < self.limit
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
        state.buffer = BytesMut::new();
        drop(state);
        self.work.notify_one();
        self.room.notify_waiters();
    }

    /// Swaps everything that waits into `drained`, which must be empty, and waits while there is nothing. False once the
    /// outbox is closed and empty.
    pub(super) async fn drain_into(&self, drained: &mut BytesMut) -> bool {
        if drained.capacity() > KEPT_CAPACITY {
            *drained = BytesMut::new();
        }
        self.lock().in_flight = 0;
        self.room.notify_waiters();
        loop {
            {
                let mut state = self.lock();
                if !state.buffer.is_empty() {
                    std::mem::swap(&mut state.buffer, drained);
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

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use bytes::{BufMut, BytesMut};

    use super::{Outbox, OutboxError};

    #[tokio::test]
    async fn what_is_pushed_comes_out_in_order_and_then_the_end() {
        let outbox = Outbox::new(100);
        outbox.push(|out| out.put_slice(b"one ")).unwrap();
        outbox.push(|out| out.put_slice(b"two")).unwrap();
        outbox.close();
        let mut drained = BytesMut::new();
        assert!(outbox.drain_into(&mut drained).await);
        assert_eq!(&drained[..], b"one two");
        drained.clear();
        assert!(!outbox.drain_into(&mut drained).await);
        assert_eq!(outbox.push(|_| ()), Err(OutboxError::Closed));
    }

    #[tokio::test]
    async fn what_is_being_written_counts_towards_the_limit() {
        let outbox = Outbox::new(4);
        outbox.push(|out| out.put_slice(b"1234")).unwrap();
        assert_eq!(outbox.push(|_| ()), Err(OutboxError::Full { limit: 4 }));
        let mut drained = BytesMut::new();
        assert!(outbox.drain_into(&mut drained).await);
        assert_eq!(outbox.push(|_| ()), Err(OutboxError::Full { limit: 4 }));
        drained.clear();
        let next = outbox.drain_into(&mut drained);
        tokio::pin!(next);
        assert!(futures_poll_pending(&mut next).await);
        outbox.push(|out| out.put_slice(b"5")).unwrap();
        assert!(next.await);
    }

    async fn futures_poll_pending(future: &mut (impl Future<Output = bool> + Unpin)) -> bool {
        std::future::poll_fn(|cx| std::task::Poll::Ready(std::pin::Pin::new(&mut *future).poll(cx).is_pending())).await
    }
}
