//! The outbox of a connection: senders encode straight into it, one writer drains it.
//!
//! It is a queue of chunks behind one lock. No task awaits while it holds the lock, and the writer takes the whole queue at once
//! and leaves an empty one, so a busy connection makes few, large writes.

use std::sync::atomic::AtomicU64;

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

/// What kind of message a frame has: for the counts, and for nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FrameKind {
    /// A message that nobody answers.
    Cast,
    /// A message that is to be answered.
    Call,
    /// An answer, or that there is none.
    Reply,
    /// Everything else: handshake, actors and groups, pings.
    Control,
}

/// How many frames there were of each [`FrameKind`], in that order.
pub(crate) type FrameCounts = [u64; 4];

/// What is shown of an outbox to whoever looks without its lock. Not of `sync`: nothing waits for these numbers.
#[derive(Debug, Default)]
struct Shown {
    frames: [AtomicU64; 4],
    written: AtomicU64,
    waiting: AtomicU64,
}

#[derive(Debug, Default)]
struct OutboxState {
    waiting: Chunks,
    /// The bytes that were handed to the writer and are not on their way yet.
    in_flight: usize,
    /// True if the writer was last handed several frames.
    busy: bool,
    closed: bool,
    /// All frames that were taken, by kind.
    frames: FrameCounts,
    /// All bytes that went on their way.
    written: u64,
}

impl OutboxState {
    fn bytes(&self) -> usize {
        self.waiting.len() + self.in_flight
    }
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
    shown: Shown,
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
            shown: Shown::default(),
        }
    }

    /// The limit in bytes.
    pub(crate) fn limit(&self) -> usize {
        self.limit
    }

    /// The bytes that wait, or were handed to the writer and are not on their way yet.
    pub(crate) fn waiting_bytes(&self) -> u64 {
        self.shown.waiting.load(Ordering::Relaxed)
    }

    /// The bytes that went on their way.
    pub(crate) fn written_bytes(&self) -> u64 {
        self.shown.written.load(Ordering::Relaxed)
    }

    /// The frames that were handed to the writer.
    pub(crate) fn frames(&self) -> FrameCounts {
        self.shown.frames.each_ref().map(|count| count.load(Ordering::Relaxed))
    }

    /// Appends what `encode` writes: one or more whole frames.
    ///
    /// # Errors
    /// Nothing was appended: the outbox is full or closed.
    pub(crate) fn push(
        &self,
        (kind, room): (FrameKind, Room),
        encode: impl FnOnce(&mut BytesMut),
    ) -> Result<Enqueued, OutboxError> {
        self.append_below(self.limit_with(room), kind, |waiting| waiting.append(encode))
    }

    /// Appends a frame whose payload is written from where it is: `encode` writes the rest and gives back the position at
    /// which the payload belongs.
    ///
    /// # Errors
    /// As [`Outbox::push`].
    pub(crate) fn push_around(
        &self,
        (kind, room): (FrameKind, Room),
        payload: Vec<u8>,
        encode: impl FnOnce(&mut BytesMut) -> usize,
    ) -> Result<Enqueued, OutboxError> {
        self.append_below(self.limit_with(room), kind, |waiting| {
            waiting.append_around(payload, encode)
        })
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
        self.append_below(limit, FrameKind::Control, |waiting| waiting.append(encode))
            .map(|_| ())
    }

    fn append_below(
        &self,
        limit: usize,
        kind: FrameKind,
        append: impl FnOnce(&mut Chunks),
    ) -> Result<Enqueued, OutboxError> {
        let mut state = self.state.lock();
        if state.closed {
            return Err(OutboxError::Closed);
        }
        // The size of a frame shows only when it is encoded, so the check is about those before it, and one frame may exceed the
        // limit.
        if state.bytes() >= limit {
            return Err(OutboxError::Full { limit });
        }
        let was_empty = state.waiting.is_empty();
        // Encoded under the lock, straight to its place: a frame of its own would be allocated and copied.
        append(&mut state.waiting);
        let [casts, calls, replies, control] = &mut state.frames;
        *match kind {
            FrameKind::Cast => casts,
            FrameKind::Call => calls,
            FrameKind::Reply => replies,
            FrameKind::Control => control,
        } += 1;
        self.show_waiting(&state);
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
        state.closed || state.bytes() < self.limit
    }

    /// Called with the lock held, so the stores come in order. In the same place as the lock, which each sender has to have anyway.
    fn show_waiting(&self, state: &OutboxState) {
        self.shown.waiting.store(state.bytes() as u64, Ordering::Relaxed);
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
        self.show_waiting(&state);
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
        // Once a drain, and not for each frame.
        for (shown, count) in self.shown.frames.iter().zip(state.frames) {
            shown.store(count, Ordering::Relaxed);
        }
        self.show_waiting(&state);
    }

    /// This many of the bytes that were drained are on their way.
    pub fn wrote(&self, bytes: usize) {
        let mut state = self.state.lock();
        state.in_flight = state.in_flight.saturating_sub(bytes);
        state.written = state.written.wrapping_add(bytes as u64);
        self.shown.written.store(state.written, Ordering::Relaxed);
        self.show_waiting(&state);
        drop(state);
        self.room.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use bytes::BufMut;

    use super::{Chunks, Enqueued, FrameKind, Outbox, OutboxError, Room};

    /// A cast whose sender has not waited for room.
    const CAST: (FrameKind, Room) = (FrameKind::Cast, Room::Needed);

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
        outbox.push(CAST, |out| out.put_slice(b"one ")).unwrap();
        outbox.push(CAST, |out| out.put_slice(b"two")).unwrap();
        outbox.close();
        let mut drained = Chunks::default();
        outbox.work().await;
        outbox.drain_into(&mut drained);
        assert_eq!(written(&mut drained), b"one two");
        outbox.work().await;
        outbox.drain_into(&mut drained);
        assert!(drained.is_empty());
        assert_eq!(outbox.push(CAST, |_| ()), Err(OutboxError::Closed));
    }

    #[test]
    fn the_first_frame_after_several_says_so() {
        let outbox = Outbox::new(100);
        let push =
            |frames: usize| -> Vec<_> { (0..frames).map(|_| outbox.push(CAST, |out| out.put_u8(b'.'))).collect() };
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
        let push = || outbox.push(CAST, |out| out.put_u8(b'.'));
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
        outbox.push(CAST, |out| out.put_slice(b"1234")).unwrap();
        assert_eq!(outbox.push(CAST, |_| ()), Err(OutboxError::Full { limit: 4 }));
        let mut drained = Chunks::default();
        outbox.work().await;
        outbox.drain_into(&mut drained);
        assert_eq!(outbox.push(CAST, |_| ()), Err(OutboxError::Full { limit: 4 }));
        outbox.wrote(1);
        outbox.push(CAST, |out| out.put_slice(b"5")).unwrap();
        assert_eq!(outbox.push(CAST, |_| ()), Err(OutboxError::Full { limit: 4 }));
        outbox.wrote(written(&mut drained).len() - 1);
        outbox.work().await;
        outbox.drain_into(&mut drained);
        assert_eq!(written(&mut drained), b"5");
    }

    #[test]
    fn what_is_shown_of_an_outbox_is_what_went_through_it() {
        let outbox = Outbox::new(100);
        outbox
            .push((FrameKind::Call, Room::Needed), |out| out.put_slice(b"call"))
            .unwrap();
        outbox
            .push((FrameKind::Cast, Room::Needed), |out| out.put_slice(b"cast!"))
            .unwrap();
        outbox.push_control(|out| out.put_slice(b"ping")).unwrap();
        assert_eq!((outbox.waiting_bytes(), outbox.written_bytes()), (13, 0));
        let mut drained = Chunks::default();
        outbox.drain_into(&mut drained);
        assert_eq!(outbox.frames(), [1, 1, 0, 1]);
        assert_eq!(outbox.waiting_bytes(), 13, "what is being written still takes room");
        outbox.wrote(9);
        assert_eq!((outbox.waiting_bytes(), outbox.written_bytes()), (4, 9));
        outbox
            .push((FrameKind::Reply, Room::Needed), |out| out.put_slice(b"lost"))
            .unwrap();
        outbox.abandon();
        assert_eq!(outbox.waiting_bytes(), 4);
    }
}
