//! The outbox of a connection: senders encode straight into it, one writer drains it.
//!
//! It is a queue of chunks behind one lock. No task awaits while it holds the lock, and the writer takes the whole queue at once
//! and leaves an empty one, so a busy connection makes few, large writes.

use bytes::BytesMut;
use tokio::sync::Notify;

use super::chunks::Chunks;
use crate::sync::Mutex;
use crate::sync::atomic::{AtomicUsize, Ordering};

/// The room, in bytes, that the control plane has beyond a full outbox.
const CONTROL_HEADROOM: usize = 16 * 1024 * 1024;

/// Why a frame was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OutboxError {
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

/// The state in which a frame that was taken found the outbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Enqueued {
    /// The frame was queued, behind others or alone.
    Queued,
    /// The outbox was empty, and more frames are about to come. The writer waits a little for them, and so may the sender if it has
    /// more to send.
    FirstOfBatch,
}

/// Whether a frame needs room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Room {
    /// It is taken if there is room.
    Needed,
    /// Its sender has waited for [room](Outbox::room) and sends it without another wait. It is taken although somebody may have
    /// been faster, because its sender was told that there is room. So the limit may be exceeded by a frame for each thread.
    Found,
}

#[derive(Debug, Default)]
struct OutboxState {
    waiting: Chunks,
    /// The bytes that were handed to the writer and are not on their way yet.
    in_flight: usize,
    /// True if the writer was last handed several frames.
    busy: bool,
    closed: bool,
}

/// Frames that wait to be written.
#[derive(Debug)]
pub struct Outbox {
    state: Mutex<OutboxState>,
    /// The number of frames that came in since the last drain and make a local actor send: calls that are to be answered, and
    /// replies that callers have waited for.
    expected: AtomicUsize,
    work: Notify,
    room: Notify,
    limit: usize,
}

impl Outbox {
    /// An outbox that holds at most about `limit` bytes: the frame that reaches the limit is the last one taken.
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            state: Mutex::default(),
            expected: AtomicUsize::new(0),
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
    pub(crate) fn push(&self, room: Room, encode: impl FnOnce(&mut BytesMut)) -> Result<Enqueued, OutboxError> {
        self.append_below(self.limit_with(room), |waiting| waiting.append(encode))
    }

    /// Appends a frame whose payload is written from where it is: `encode` writes the rest and gives back the position at
    /// which the payload belongs.
    ///
    /// # Errors
    /// As [`Outbox::push`].
    pub(crate) fn push_around(
        &self,
        room: Room,
        payload: Vec<u8>,
        encode: impl FnOnce(&mut BytesMut) -> usize,
    ) -> Result<Enqueued, OutboxError> {
        self.append_below(self.limit_with(room), |waiting| waiting.append_around(payload, encode))
    }

    fn limit_with(&self, room: Room) -> usize {
        match room {
            Room::Needed => self.limit,
            Room::Found => usize::MAX,
        }
    }

    /// As [`Outbox::push`] for the control plane, which has some room of its own: it must not starve behind data.
    ///
    /// # Errors
    /// As [`Outbox::push`].
    pub fn push_control(&self, encode: impl FnOnce(&mut BytesMut)) -> Result<(), OutboxError> {
        let limit = self.limit.saturating_add(CONTROL_HEADROOM);
        self.append_below(limit, |waiting| waiting.append(encode)).map(|_| ())
    }

    fn append_below(&self, limit: usize, append: impl FnOnce(&mut Chunks)) -> Result<Enqueued, OutboxError> {
        let mut state = self.state.lock();
        if state.closed {
            return Err(OutboxError::Closed);
        }
        // The size of a frame shows only when it is encoded, so the check is about those before it, and one frame may exceed the
        // limit.
        if state.waiting.len() + state.in_flight >= limit {
            return Err(OutboxError::Full { limit });
        }
        let was_empty = state.waiting.is_empty();
        // Encoded under the lock, straight to its place: a frame of its own would be allocated and copied.
        append(&mut state.waiting);
        let several = state.busy || self.expected() > 1;
        // Before the wake-up: the writer would run into the lock.
        drop(state);
        if !was_empty {
            return Ok(Enqueued::Queued);
        }
        // The writer sleeps only on an empty queue.
        self.work.notify_one();
        Ok(if several {
            Enqueued::FirstOfBatch
        } else {
            Enqueued::Queued
        })
    }

    /// As many calls or replies as `frames` have come in, and each is likely to make a local actor send a frame soon.
    pub(crate) fn expect(&self, frames: usize) {
        // The number is a hint and guards nothing: a stale one costs a yield or a small write.
        self.expected.fetch_add(frames, Ordering::Relaxed);
    }

    fn expected(&self) -> usize {
        self.expected.load(Ordering::Relaxed)
    }

    /// True if more frames are about to come than those that wait.
    pub(crate) fn expects_more(&self) -> bool {
        let state = self.state.lock();
        state.busy || self.expected() > state.waiting.appended()
    }

    /// Waits until there is room, or the outbox is closed. Whoever sends a frame right then says so by [`Room::Found`].
    pub(crate) async fn room(&self) {
        loop {
            // Enabled before the look: room that is made in between is not missed.
            let room = self.room.notified();
            tokio::pin!(room);
            room.as_mut().enable();
            if self.has_room() {
                return;
            }
            room.await;
        }
    }

    pub(crate) fn has_room(&self) -> bool {
        let state = self.state.lock();
        state.closed || state.waiting.len() + state.in_flight < self.limit
    }

    /// Takes no more frames. The writer still writes those that were taken, and then ends.
    pub fn close(&self) {
        // First the mark, then the wake-ups: everyone who is woken looks at it.
        self.state.lock().closed = true;
        self.work.notify_one();
        self.room.notify_waiters();
    }

    /// As [`Outbox::close`], and throws away what was taken: the connection is broken.
    pub fn abandon(&self) {
        let mut state = self.state.lock();
        state.closed = true;
        // Freed here, because stand-ins and reply ports may keep the outbox itself for some time.
        state.waiting = Chunks::default();
        drop(state);
        self.work.notify_one();
        self.room.notify_waiters();
    }

    /// Waits until something waits to be written, or the outbox is closed.
    pub(crate) async fn work(&self) {
        // `notify_one` leaves a permit if nobody sleeps, so a frame between the look and the sleep isn't missed. A permit from
        // earlier makes for one look too many.
        while !self.has_work() {
            self.work.notified().await;
        }
    }

    fn has_work(&self) -> bool {
        let state = self.state.lock();
        state.closed || !state.waiting.is_empty()
    }

    /// Swaps everything that waits into `drained`, which must be empty. Frames that were expected and haven't come are not waited
    /// for again: their senders take longer.
    pub fn drain_into(&self, drained: &mut Chunks) {
        let mut state = self.state.lock();
        std::mem::swap(&mut state.waiting, drained);
        // What is being written counts towards the limit until it is on its way.
        state.in_flight = drained.len();
        state.busy = drained.take_appended() > 1;
        self.expected.store(0, Ordering::Relaxed);
    }

    /// This many of the bytes that were drained are on their way.
    pub fn wrote(&self, bytes: usize) {
        let mut state = self.state.lock();
        state.in_flight = state.in_flight.saturating_sub(bytes);
        drop(state);
        self.room.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use bytes::BufMut;

    use super::{Chunks, Enqueued, Outbox, OutboxError, Room};

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
        outbox.push(Room::Needed, |out| out.put_slice(b"one ")).unwrap();
        outbox.push(Room::Needed, |out| out.put_slice(b"two")).unwrap();
        outbox.close();
        let mut drained = Chunks::default();
        outbox.work().await;
        outbox.drain_into(&mut drained);
        assert_eq!(written(&mut drained), b"one two");
        outbox.work().await;
        outbox.drain_into(&mut drained);
        assert!(drained.is_empty());
        assert_eq!(outbox.push(Room::Needed, |_| ()), Err(OutboxError::Closed));
    }

    #[test]
    fn the_first_frame_after_several_says_so() {
        let outbox = Outbox::new(100);
        let push = |frames: usize| -> Vec<_> {
            (0..frames)
                .map(|_| outbox.push(Room::Needed, |out| out.put_u8(b'.')))
                .collect()
        };
        let mut drained = Chunks::default();
        let mut drain = || {
            outbox.drain_into(&mut drained);
            written(&mut drained);
            outbox.expects_more()
        };
        assert_eq!(push(2), [Ok(Enqueued::Queued); 2], "nothing was written before");
        assert!(drain());
        assert_eq!(push(2), [Ok(Enqueued::FirstOfBatch), Ok(Enqueued::Queued)]);
        assert!(drain());
        assert_eq!(push(1), [Ok(Enqueued::FirstOfBatch)]);
        assert!(!drain());
        assert_eq!(push(1), [Ok(Enqueued::Queued)], "the last write took one");
    }

    #[test]
    fn as_many_frames_are_expected_as_calls_and_replies_came_in() {
        let outbox = Outbox::new(100);
        let push = || outbox.push(Room::Needed, |out| out.put_u8(b'.'));
        outbox.expect(1);
        assert_eq!(push(), Ok(Enqueued::Queued));
        assert!(!outbox.expects_more(), "one came in, one goes out");
        outbox.expect(2);
        assert!(outbox.expects_more());
        assert_eq!(push(), Ok(Enqueued::Queued), "it is not the first");
        assert!(outbox.expects_more());
        push().unwrap();
        assert!(!outbox.expects_more());
        outbox.drain_into(&mut Chunks::default());

        outbox.expect(2);
        assert_eq!(push(), Ok(Enqueued::FirstOfBatch));
        let mut drained = Chunks::default();
        outbox.drain_into(&mut drained);
        assert!(!outbox.expects_more(), "what takes its time is not waited for again");
    }

    #[tokio::test]
    async fn what_is_being_written_counts_towards_the_limit() {
        let outbox = Outbox::new(4);
        outbox.push(Room::Needed, |out| out.put_slice(b"1234")).unwrap();
        assert_eq!(outbox.push(Room::Needed, |_| ()), Err(OutboxError::Full { limit: 4 }));
        let mut drained = Chunks::default();
        outbox.work().await;
        outbox.drain_into(&mut drained);
        assert_eq!(outbox.push(Room::Needed, |_| ()), Err(OutboxError::Full { limit: 4 }));
        outbox.wrote(1);
        outbox.push(Room::Needed, |out| out.put_slice(b"5")).unwrap();
        assert_eq!(outbox.push(Room::Needed, |_| ()), Err(OutboxError::Full { limit: 4 }));
        outbox.wrote(written(&mut drained).len() - 1);
        outbox.work().await;
        outbox.drain_into(&mut drained);
        assert_eq!(written(&mut drained), b"5");
    }
}
