//! The end that counts and echoes: a reader, a queue, and one task that takes from it what an actor would.

use std::sync::Arc;

use bytes::BytesMut;
use tokio::io::AsyncReadExt;
use tokio::net::tcp::OwnedReadHalf;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::frame::{Frame, Kind, split};
use crate::outbox::{Outbox, When};

/// The size with which the reader's buffer starts.
const BUFFER_BYTES: usize = 256 * 1024;

/// Accepts connections from now on. Gives the port.
pub(crate) async fn listen() -> anyhow::Result<u16> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let port = listener.local_addr()?.port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            if let Err(error) = accept(stream) {
                eprintln!("a connection failed: {error}");
            }
        }
    });
    Ok(port)
}

fn accept(stream: TcpStream) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let (reader, writer) = stream.into_split();
    let (queue, messages) = unbounded_channel();
    tokio::spawn(answer(messages, Outbox::start(writer)));
    tokio::spawn(async move {
        if let Err(error) = read(reader, queue).await {
            eprintln!("the connection ended: {error}");
        }
    });
    Ok(())
}

/// Puts all frames in the queue. The loads keep it short: they send no more than a few windows ahead.
async fn read(mut socket: OwnedReadHalf, queue: UnboundedSender<Frame>) -> anyhow::Result<()> {
    let mut buffer = BytesMut::with_capacity(BUFFER_BYTES);
    loop {
        if buffer.capacity() - buffer.len() < BUFFER_BYTES / 4 {
            buffer.reserve(BUFFER_BYTES);
        }
        if socket.read_buf(&mut buffer).await? == 0 {
            return Ok(());
        }
        while let Some(frame) = split(&mut buffer)? {
            queue.send(frame)?;
        }
    }
}

async fn answer(mut messages: UnboundedReceiver<Frame>, outbox: Arc<Outbox>) -> std::io::Result<()> {
    let mut count = 0_u64;
    while let Some(first) = messages.recv().await {
        let mut next = Some(first);
        while let Some(frame) = next {
            match frame.kind {
                Kind::Cast => count += 1,
                Kind::Count => outbox.push(Kind::Reply, frame.tag, &count.to_be_bytes(), When::Later)?,
                Kind::Echo => outbox.push(Kind::Reply, frame.tag, &frame.payload, When::Later)?,
                Kind::Reply => {}
            }
            next = messages.try_recv().ok();
        }
        outbox.flush()?;
    }
    Ok(())
}
