//! The way in: from a connection's reader straight to the local actors that messages are for.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use ractor::ActorRef;
use ractor::concurrency::{OneshotReceiver, oneshot};
use ractor::message::SerializedMessage;
use tokio::io::AsyncRead;

use super::link::Link;
use super::messages::{Input, NodeSessionMessage};
use crate::session::CloseReason;
use crate::transport::{FrameReader, ReadError};
use crate::wire::{self, Call, Data, Message};

/// The largest frame of a peer that hasn't proved the cookie: a handshake step takes a few hundred bytes.
const MAX_HANDSHAKE_FRAME: u64 = 16 * 1024;

/// The most calls of one peer that may wait for local actors' replies. Calls beyond it are refused.
const MAX_INBOUND_CALLS: usize = 1 << 20;

/// Reads a connection until it ends and says why it did.
pub(super) struct Ingress<R> {
    pub(super) reader: FrameReader<R>,
    pub(super) link: Arc<Link>,
    pub(super) session: ActorRef<NodeSessionMessage>,
    /// The largest frame of an authenticated peer, in bytes.
    pub(super) max_frame: u64,
    pub(super) replies: FuturesUnordered<AwaitedReply>,
    pub(super) authenticated: bool,
}

/// A local actor's reply to a call of the peer's.
pub(super) struct AwaitedReply {
    to: u64,
    tag: u64,
    reply: OneshotReceiver<Vec<u8>>,
}

impl Future for AwaitedReply {
    /// The call's `to` and `tag`, and the reply unless the actor dropped the call.
    type Output = (u64, u64, Option<Vec<u8>>);

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let reply = ready!(Pin::new(&mut self.reply).poll(cx)).ok();
        Poll::Ready((self.to, self.tag, reply))
    }
}

impl<R: AsyncRead + Unpin> Ingress<R> {
    pub(super) async fn run(mut self) -> CloseReason {
        match self.read_all().await {
            Ok(()) => CloseReason::ConnectionClosed,
            Err(reason) => reason,
        }
    }

    async fn read_all(&mut self) -> Result<(), CloseReason> {
        loop {
            while let Some(payload) = self.reader.buffered_frame(self.frame_limit())? {
                match wire::decode(&payload)? {
                    Message::Data(data) => self.route(data)?,
                    Message::Unknown => {}
                    message => self.deliver(message).await?,
                }
            }
            tokio::select! {
                biased;
                Some((to, tag, reply)) = self.replies.next(), if !self.replies.is_empty() => {
                    if let Some(reply) = reply {
                        self.link.reply(to, tag, &reply);
                    }
                }
                more = self.reader.fill() => {
                    if !more? {
                        return Ok(());
                    }
                    self.link.mark_heard();
                }
            }
        }
    }

    fn frame_limit(&self) -> u64 {
        if self.authenticated {
            self.max_frame
        } else {
            MAX_HANDSHAKE_FRAME.min(self.max_frame)
        }
    }

    /// Hands a message of the handshake or the control plane to the session and waits until it is handled.
    async fn deliver(&mut self, message: Message) -> Result<(), CloseReason> {
        let (handled, wait) = oneshot();
        let input = Input::Frame { message, handled };
        self.session.cast(input.into()).map_err(|_| CloseReason::Local)?;
        self.authenticated = wait.await.map_err(|_| CloseReason::Local)?;
        Ok(())
    }

    fn route(&mut self, data: Data) -> Result<(), CloseReason> {
        if !self.authenticated {
            return Err(CloseReason::OutOfOrder {
                expected: "a step of the handshake",
                got: "a data message",
            });
        }
        match data {
            Data::Cast(cast) => self.send(
                cast.to,
                SerializedMessage::Cast {
                    variant: cast.variant,
                    args: cast.args,
                    metadata: cast.metadata,
                },
            ),
            Data::Call(call) => self.call(call),
            Data::Reply(reply) => self.link.complete(reply.to, reply.tag, reply.what),
        }
        Ok(())
    }

    fn call(&mut self, call: Call) {
        if self.replies.len() >= MAX_INBOUND_CALLS {
            tracing::warn!(
                node_id = self.link.node_id(),
                "refused a call: {MAX_INBOUND_CALLS} wait for replies already"
            );
            return;
        }
        let (sender, reply) = oneshot();
        let port = match call.timeout_ms {
            Some(ms) => (sender, Duration::from_millis(ms)).into(),
            None => sender.into(),
        };
        self.replies.push(AwaitedReply {
            to: call.to,
            tag: call.tag,
            reply,
        });
        self.send(
            call.to,
            SerializedMessage::Call {
                variant: call.variant,
                args: call.args,
                reply: port,
                metadata: call.metadata,
            },
        );
    }

    fn send(&self, to: u64, message: SerializedMessage) {
        let Some(actor) = self.link.advertised(to) else {
            tracing::debug!(
                node_id = self.link.node_id(),
                to,
                "dropped a message to a pid that was not advertised"
            );
            return;
        };
        if actor.send_serialized(message).is_err() {
            tracing::debug!(
                node_id = self.link.node_id(),
                to,
                "dropped a message to an actor that has ended"
            );
        }
    }
}

impl From<ReadError> for CloseReason {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Io(error) => Self::Io(error.kind()),
            ReadError::Wire(error) => Self::Wire(error),
        }
    }
}
