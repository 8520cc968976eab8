//! The writer of a connection: drains the outbox in large writes.

use std::io;

use tokio::io::{AsyncWrite, AsyncWriteExt};

use super::chunks::Chunks;
use super::outbox::Outbox;

/// The most chunks that one write takes.
const SLICES: usize = 16;

/// The number of times that the writer lets others run before it writes, if more frames are about to come: because its last write took
/// several, or because as many calls or replies came in, each of which makes somebody send. Those who are at it then add
/// theirs. Where one frame comes at a time it writes at once.
const YIELDS: usize = 2;

/// Writes what the outbox takes until it is closed and empty, then closes the sending direction.
///
/// # Errors
/// The socket failed. The outbox is closed then, and what it held is lost.
pub(crate) async fn write_outbox(outbox: &Outbox, mut stream: impl AsyncWrite + Unpin) -> io::Result<()> {
    let result = drain(outbox, &mut stream).await;
    if result.is_err() {
        outbox.abandon();
    }
    result
}

async fn drain(outbox: &Outbox, stream: &mut (impl AsyncWrite + Unpin)) -> io::Result<()> {
    let mut chunks = Chunks::default();
    loop {
        outbox.work().await;
        if outbox.expects_more() {
            for _ in 0..YIELDS {
                tokio::task::yield_now().await;
            }
        }
        outbox.drain_into(&mut chunks);
        if chunks.is_empty() {
            return stream.shutdown().await;
        }
        while !chunks.is_empty() {
            let written = stream.write_vectored(&chunks.slices(SLICES)).await?;
            if written == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            chunks.advance(written);
            outbox.wrote(written);
        }
        stream.flush().await?;
    }
}
