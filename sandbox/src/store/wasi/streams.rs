//! Streams of files, whose work is on the family's own threads like all work with files: see [`files`](super::files).
//!
//! What a guest begins without waiting for it keeps its thread by itself: a lane that is dropped comes back when its work ends. So
//! a guest that begins much and waits for none of it stands in nobody's way for longer than that.

use std::io;

use bytes::Bytes;
use wasmtime_wasi::p2::{
    DynInputStream, DynOutputStream, InputStream, OutputStream, Pollable, StreamError, StreamResult,
};

use crate::accounting::family::Family;
use crate::accounting::pools::Lane;

/// Awaits work on a thread of the family. Without one, which is an error of the system, it is met again by the work.
async fn in_lane<T>(family: &Family, work: impl Future<Output = T>) -> T {
    match family.share().lane().await {
        Ok(lane) => lane.run(work).await,
        Err(_) => work.await,
    }
}

/// Begins work that isn't waited for.
fn begin<T>(lane: &Lane, work: impl FnOnce() -> T) -> T {
    let _entered = lane.enter();
    work()
}

/// What a guest reads of a file.
pub(super) struct Input {
    inner: DynInputStream,
    family: Family,
    reading: Reading,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Reading {
    /// Nothing was begun, as far as is known.
    Idle,
    /// It was begun, and not waited for.
    Begun,
    /// It has ended, and what was read can be taken.
    Done,
}

impl Input {
    pub(super) fn new(inner: DynInputStream, family: Family) -> Self {
        Self {
            inner,
            family,
            reading: Reading::Idle,
        }
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for Input {
    async fn ready(&mut self) {
        match self.reading {
            Reading::Idle => in_lane(&self.family, self.inner.ready()).await,
            // The work has its thread already: another lane would be taken for a wait alone.
            Reading::Begun => self.inner.ready().await,
            Reading::Done => {}
        }
        self.reading = Reading::Done;
    }
}

#[wasmtime_wasi::async_trait]
impl InputStream for Input {
    fn read(&mut self, size: usize) -> StreamResult<Bytes> {
        match self.reading {
            Reading::Begun => return Ok(Bytes::new()),
            Reading::Done => {
                self.reading = Reading::Idle;
                return self.inner.read(size);
            }
            Reading::Idle => {}
        }
        // Not awaited, since `read` may not wait; what the guest does next is `ready`, which does.
        let Some(lane) = self.family.share().lane_now() else {
            // It is ready when there is one.
            return Ok(Bytes::new());
        };
        let read = begin(&lane, || self.inner.read(size));
        // Nothing was begun in these cases, so no work is left that the lane would have to outlive.
        if size == 0 || read.as_ref().map_or(true, |bytes| !bytes.is_empty()) {
            lane.give_back();
        } else {
            self.reading = Reading::Begun;
        }
        read
    }

    async fn blocking_read(&mut self, size: usize) -> StreamResult<Bytes> {
        let read = self.inner.blocking_read(size);
        let read = match self.reading {
            Reading::Idle => in_lane(&self.family, read).await,
            Reading::Begun | Reading::Done => read.await,
        };
        self.reading = Reading::Idle;
        read
    }

    async fn cancel(&mut self) {
        self.inner.cancel().await;
    }
}

/// What a guest writes to a file.
pub(super) struct Output {
    inner: DynOutputStream,
    family: Family,
    /// To be written when there is a lane.
    waiting: Option<Bytes>,
}

impl Output {
    pub(super) fn new(inner: DynOutputStream, family: Family) -> Self {
        Self {
            inner,
            family,
            waiting: None,
        }
    }

    async fn write_what_waits(&mut self) {
        if self.waiting.is_none() {
            return;
        }
        // Before the bytes are taken: dropped in this wait, they are still there.
        let lane: io::Result<Lane> = self.family.share().lane().await;
        let Some(bytes) = self.waiting.take() else { return };
        // That this may be written was asked before, so an error comes with the next question.
        drop(match lane {
            Ok(lane) => begin(&lane, || self.inner.write(bytes)),
            // An error of the system, which the write meets again by itself. The guest was told that its bytes are on their way.
            Err(_) => self.inner.write(bytes),
        });
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for Output {
    async fn ready(&mut self) {
        self.write_what_waits().await;
        self.inner.ready().await;
    }
}

#[wasmtime_wasi::async_trait]
impl OutputStream for Output {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        if self.waiting.is_some() {
            return Err(StreamError::trap("write not permitted: check_write not called first"));
        }
        match self.family.share().lane_now() {
            // The lane is dropped and not given back: it is free when the write, which nobody waits for here, has
            // ended.
            Some(lane) => begin(&lane, || self.inner.write(bytes)),
            None => {
                // One write at most waits here, because `check_write` permits nothing more until it is handed on.
                self.waiting = Some(bytes);
                Ok(())
            }
        }
    }

    async fn blocking_write_and_flush(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.ready().await;
        in_lane(&self.family, self.inner.blocking_write_and_flush(bytes)).await
    }

    fn flush(&mut self) -> StreamResult<()> {
        self.inner.flush()
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        match self.waiting {
            Some(_) => Ok(0),
            None => self.inner.check_write(),
        }
    }

    async fn cancel(&mut self) {
        self.write_what_waits().await;
        self.inner.cancel().await;
    }
}
