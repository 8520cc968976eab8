//! The writer of a connection: drains the outbox in large writes.

use std::io;

use tokio::io::{AsyncWrite, AsyncWriteExt};

use super::chunks::Chunks;
use super::outbox::Outbox;

/// The most chunks that one write takes.
const SLICES: usize = 16;

/// The number of times that the writer lets other tasks run before it writes, if more frames are about to come: its last write took
/// several, or more calls and replies came in than frames wait, and each makes an actor send. Those actors then add their frames.
/// Where one frame comes at a time, the writer writes at once.
const YIELDS: usize = 2;

/// Writes what the outbox takes until it is closed and empty, then closes the sending direction.
///
/// # Errors
/// The socket failed. The outbox is closed then, and what it held is lost.
pub(crate) async fn write_outbox(outbox: &Outbox, mut stream: impl AsyncWrite + Unpin) -> io::Result<()> {
    let result = drain(outbox, &mut stream).await;
    if result.is_err() {
        // Senders must not fill an outbox that nobody drains any more.
        outbox.abandon();
    }
    result
}

async fn drain(outbox: &Outbox, stream: &mut (impl AsyncWrite + Unpin)) -> io::Result<()> {
    let mut chunks = Chunks::default();
    loop {
        outbox.work().await;
        // Before the drain: what comes during the yields is part of this write.
        if outbox.expects_more() {
            for _ in 0..YIELDS {
                tokio::task::yield_now().await;
            }
        }
        outbox.drain_into(&mut chunks);
        // Work without chunks is the end: the outbox is closed, and all that it took is written.
        if chunks.is_empty() {
            return stream.shutdown().await;
        }
        while !chunks.is_empty() {
            let written = stream.write_vectored(&chunks.slices(SLICES)).await?;
            if written == 0 {
                // Another attempt at a stream that takes nothing would be a busy loop.
                return Err(io::ErrorKind::WriteZero.into());
            }
            // After each write and not after the last one: senders that wait for room go on meanwhile.
            chunks.advance(written);
            outbox.wrote(written);
        }
        // Once a drain: TLS would otherwise keep the last record.
        stream.flush().await?;
    }
}
