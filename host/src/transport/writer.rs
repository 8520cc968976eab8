//! The writer of a connection: drains the outbox in large writes.

use std::io;

use bytes::BytesMut;
use tokio::io::{AsyncWrite, AsyncWriteExt};

use super::outbox::Outbox;

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
    let mut buffer = BytesMut::new();
    while outbox.drain_into(&mut buffer).await {
        stream.write_all(&buffer).await?;
        stream.flush().await?;
        buffer.clear();
    }
    stream.shutdown().await
}
