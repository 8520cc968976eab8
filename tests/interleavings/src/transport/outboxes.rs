//! Senders, a writer and the end of a connection.

use std::sync::Arc;

use bytes::BufMut as _;
use shuttle::future::{block_on, spawn};

use super::chunks::Chunks;
use super::outbox::{FrameKind, Outbox, OutboxError, Room};

/// The limit of the outbox, in bytes: small enough for senders to wait.
const LIMIT: usize = 3;

/// The number of frames of each sender. A frame is a byte: its sender, and its number among the sender's frames.
const FRAMES: u8 = 4;

/// Sends all frames, and waits for room where there is none. Gives those that were taken.
async fn send(outbox: Arc<Outbox>, sender: u8) -> Vec<u8> {
    let mut taken = Vec::new();
    for number in 0..FRAMES {
        let frame = sender << 4 | number;
        loop {
            match outbox.push((FrameKind::Cast, Room::Needed), |out| out.put_u8(frame)) {
                Ok(_) => taken.push(frame),
                Err(OutboxError::Full { .. }) => {
                    outbox.room().await;
                    continue;
                }
                Err(OutboxError::Closed) => {}
            }
            break;
        }
    }
    taken
}

/// Sends all frames, each as soon as it has waited for room. None of them is refused, however many others were faster.
async fn send_patiently(outbox: Arc<Outbox>, sender: u8) {
    for number in 0..FRAMES {
        outbox.room().await;
        // Between the wait and this is nothing but what others do.
        let taken = outbox.push((FrameKind::Cast, Room::Found), |out| out.put_u8(sender << 4 | number));
        assert!(taken.is_ok(), "{taken:?}");
    }
}

/// What the writer of a connection does. Gives all that it wrote.
async fn write(outbox: Arc<Outbox>) -> Vec<u8> {
    let mut written = Vec::new();
    let mut chunks = Chunks::default();
    loop {
        outbox.work().await;
        outbox.drain_into(&mut chunks);
        if chunks.is_empty() {
            return written;
        }
        while !chunks.is_empty() {
            // One byte of the first chunk, so that room comes in pieces.
            let byte = chunks.slices(1).first().and_then(|slice| slice.first().copied());
            written.extend(byte);
            chunks.advance(1);
            outbox.wrote(1);
        }
    }
}

fn of(sender: u8, frames: &[u8]) -> Vec<u8> {
    frames.iter().copied().filter(|frame| frame >> 4 == sender).collect()
}

/// Every sender that waits for room gets it, and every frame is written, each sender's in order.
pub fn every_frame_is_written() {
    let outbox = Arc::new(Outbox::new(LIMIT));
    let writer = spawn(write(outbox.clone()));
    let senders = [1, 2].map(|sender| (sender, spawn(send(outbox.clone(), sender))));
    let mut taken = Vec::new();
    for (sender, task) in senders {
        taken.push((sender, block_on(task).unwrap_or_default()));
    }
    outbox.close();
    let written = block_on(writer).unwrap_or_default();
    for (sender, taken) in taken {
        assert_eq!(taken.len(), usize::from(FRAMES));
        assert_eq!(of(sender, &written), taken);
    }
}

/// Whoever was told that there is room is not refused because another took it.
pub fn room_that_was_found_is_there() {
    let outbox = Arc::new(Outbox::new(LIMIT));
    let writer = spawn(write(outbox.clone()));
    for task in [1, 2, 3].map(|sender| spawn(send_patiently(outbox.clone(), sender))) {
        assert!(block_on(task).is_ok());
    }
    outbox.close();
    let written = block_on(writer).unwrap_or_default();
    for sender in [1, 2, 3] {
        let frames: Vec<u8> = (0..FRAMES).map(|number| sender << 4 | number).collect();
        assert_eq!(of(sender, &written), frames);
    }
}

/// Closing the outbox ends every wait, and what was taken before is written.
pub fn what_was_taken_before_the_end_is_written() {
    let outbox = Arc::new(Outbox::new(LIMIT));
    let senders = [1, 2].map(|sender| (sender, spawn(send(outbox.clone(), sender))));
    let writer = spawn(write(outbox.clone()));
    let closer = {
        let outbox = outbox.clone();
        spawn(async move { outbox.close() })
    };
    let mut taken = Vec::new();
    for (sender, task) in senders {
        taken.push((sender, block_on(task).unwrap_or_default()));
    }
    assert!(block_on(closer).is_ok());
    let written = block_on(writer).unwrap_or_default();
    for (sender, taken) in taken {
        assert_eq!(of(sender, &written), taken);
    }
}

/// A connection that breaks leaves nobody waiting.
pub fn nobody_waits_for_a_broken_connection() {
    let outbox = Arc::new(Outbox::new(LIMIT));
    let senders = [1, 2].map(|sender| spawn(send(outbox.clone(), sender)));
    let breaker = {
        let outbox = outbox.clone();
        spawn(async move { outbox.abandon() })
    };
    for task in senders {
        assert!(block_on(task).is_ok());
    }
    assert!(block_on(breaker).is_ok());
    assert!(block_on(write(outbox)).is_empty());
}
