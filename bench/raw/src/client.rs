//! The end that sends: frames straight into the outbox, and a reader that hands replies to those who wait.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::Context;
use bench_load::Target;
use bytes::{Bytes, BytesMut};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::net::tcp::OwnedReadHalf;
use tokio::sync::oneshot;

use crate::frame::{Kind, split};
use crate::outbox::{Outbox, When};

/// The client's end of the connection.
#[derive(Clone)]
pub(crate) struct Client {
    outbox: Arc<Outbox>,
    waiting: Arc<Mutex<Waiting>>,
}

/// Who waits for a reply.
#[derive(Default)]
struct Waiting {
    last: u64,
    replies: HashMap<u64, Waiter>,
}

enum Waiter {
    Count(oneshot::Sender<u64>),
    Echo(oneshot::Sender<Bytes>),
}

impl Client {
    /// Takes the connection over.
    pub(crate) fn start(stream: TcpStream) -> Self {
        let (reader, writer) = stream.into_split();
        let client = Self {
            outbox: Outbox::start(writer),
            waiting: Arc::default(),
        };
        let waiting = Arc::clone(&client.waiting);
        tokio::spawn(async move {
            if let Err(error) = read(reader, &waiting).await {
                eprintln!("the connection ended: {error}");
            }
            lock(&waiting).replies.clear();
        });
        client
    }

    /// Sends a question. Alone it is written at once, among others together with them.
    fn ask(&self, kind: Kind, payload: &[u8], waiter: Waiter) -> anyhow::Result<()> {
        let (tag, when) = {
            let mut waiting = lock(&self.waiting);
            waiting.last += 1;
            let tag = waiting.last;
            waiting.replies.insert(tag, waiter);
            let alone = waiting.replies.len() == 1;
            (tag, if alone { When::Now } else { When::Soon })
        };
        Ok(self.outbox.push(kind, tag, payload, when)?)
    }
}

impl Target for Client {
    fn cast(&self, payload: &[u8]) -> anyhow::Result<()> {
        Ok(self.outbox.push(Kind::Cast, 0, payload, When::Soon)?)
    }

    fn count(&self) -> anyhow::Result<oneshot::Receiver<u64>> {
        let (sender, count) = oneshot::channel();
        self.ask(Kind::Count, &[], Waiter::Count(sender))?;
        Ok(count)
    }

    async fn echo(&self, payload: &[u8], timeout: Option<Duration>) -> anyhow::Result<()> {
        let (sender, reply) = oneshot::channel();
        self.ask(Kind::Echo, payload, Waiter::Echo(sender))?;
        let reply = match timeout {
            None => reply.await,
            Some(timeout) => tokio::time::timeout(timeout, reply).await?,
        };
        reply.map(drop).context("a call got no answer")
    }
}

async fn read(mut socket: OwnedReadHalf, waiting: &Mutex<Waiting>) -> anyhow::Result<()> {
    let mut buffer = BytesMut::new();
    while socket.read_buf(&mut buffer).await? > 0 {
        while let Some(frame) = split(&mut buffer)? {
            let waiter = lock(waiting).replies.remove(&frame.tag);
            // Who gave up doesn't mind that the answer can't be handed over.
            match waiter {
                Some(Waiter::Count(sender)) => {
                    let count = frame.payload.first_chunk().context("a count has 8 bytes")?;
                    sender.send(u64::from_be_bytes(*count)).ok();
                }
                Some(Waiter::Echo(sender)) => {
                    sender.send(frame.payload).ok();
                }
                None => {}
            }
        }
    }
    Ok(())
}

fn lock(waiting: &Mutex<Waiting>) -> MutexGuard<'_, Waiting> {
    waiting.lock().unwrap_or_else(PoisonError::into_inner)
}
