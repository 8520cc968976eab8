//! The inbound path: from a connection's reader straight to the local actors that messages are for.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use ractor::ActorRef;
use ractor::concurrency::oneshot;
use ractor::message::SerializedMessage;
use tokio::io::AsyncRead;

use super::backlog::SentProbe;
use super::link::Link;
use super::session_messages::{NodeSessionMessage, SessionRequest};
use super::tracing_context;
use super::undelivered::Undelivered;
use crate::directory::{PutRefused, Sender, is_anyone_traced, retained_bytes, trace};
use crate::session::CloseReason;
use crate::transport::{FrameCounts, FrameReadError, FrameReader, tls};
use crate::wire::{self, Call, Data, Decoded, Message, TraceFields};

/// The largest frame of a peer that hasn't proved the cookie: a handshake step takes a few hundred bytes.
const MAX_HANDSHAKE_FRAME: u64 = 16 * 1024;

/// Reads a connection until it ends, and gives the reason.
pub(super) struct Ingress<R> {
    reader: FrameReader<R>,
    link: Arc<Link>,
    session: ActorRef<NodeSessionMessage>,
    authenticated: bool,
    probes: FuturesUnordered<SentProbe>,
    /// The messages that came, by kind.
    came: FrameCounts,
}

impl<R: AsyncRead + Unpin> Ingress<R> {
    pub(super) fn new(stream: R, link: Arc<Link>, session: ActorRef<NodeSessionMessage>) -> Self {
        Self {
            reader: FrameReader::new(stream),
            link,
            session,
            authenticated: false,
            probes: FuturesUnordered::new(),
            came: FrameCounts::default(),
        }
    }

    pub(super) async fn run(mut self) -> CloseReason {
        match self.read_all().await {
            Ok(()) => CloseReason::ConnectionClosed,
            Err(reason) => reason,
        }
    }

    async fn read_all(&mut self) -> Result<(), CloseReason> {
        loop {
            // All frames of a read before the next one, so that the outbox knows how many answers to expect.
            let mut answerable = 0;
            // The limit is asked for each frame: the one before may have been the last step of the handshake.
            while let Some(frame) = self.reader.buffered_frame(self.frame_limit())? {
                match wire::decode_frame(frame)? {
                    Decoded::Message(Message::Data(data)) => {
                        answerable += usize::from(!matches!(data, Data::Cast(_)));
                        self.count(Some(&data));
                        self.route(data)?;
                    }
                    // A later version may send kinds of messages that this one lacks, and must not lose the session over them.
                    Decoded::Message(Message::Unknown) => {}
                    Decoded::Message(message) => {
                        self.count(None);
                        self.deliver(message).await?;
                    }
                    Decoded::Parts(parts) => {
                        self.count(None);
                        // Each part is handled before the next one is decoded, so only one of them takes memory at a time.
                        for part in parts {
                            self.deliver(part?).await?;
                        }
                    }
                }
            }
            self.link.outbox().expect(answerable);
            // Once a read, and not for each message.
            self.link.show_received(&self.came, self.reader.read_bytes());
            // Probes first: what has been handled makes room before more is read.
            tokio::select! {
                biased;
                Some(()) = self.probes.next(), if !self.probes.is_empty() => {}
                // This is dropped when a probe ends first, and `fill` loses nothing by that.
                more = self.reader.fill() => {
                    if !more? {
                        return Ok(());
                    }
                    self.link.mark_traffic();
                }
            }
        }
    }

    /// Data came, or something of the control plane.
    fn count(&mut self, data: Option<&Data>) {
        let [casts, calls, replies, control] = &mut self.came;
        *match data {
            Some(Data::Cast(_)) => casts,
            Some(Data::Call(_)) => calls,
            Some(Data::Reply(_) | Data::CallFailed { .. }) => replies,
            None => control,
        } += 1;
    }

    fn frame_limit(&self) -> u64 {
        let limit = self.link.limits().inbound_frame;
        if self.authenticated {
            limit
        } else {
            MAX_HANDSHAKE_FRAME.min(limit)
        }
    }

    /// Hands a message of the handshake or the control plane to the session and waits until it is handled, so that data behind it
    /// finds what it changed.
    async fn deliver(&mut self, message: Message) -> Result<(), CloseReason> {
        let (handled, wait) = oneshot();
        let request = SessionRequest::Message { message, handled };
        // If the session has ended, its own reason was reported, and nobody hears this one.
        self.session.cast(request.into()).map_err(|_| CloseReason::Local)?;
        self.authenticated = wait.await.map_err(|_| CloseReason::Local)?;
        Ok(())
    }

    fn route(&mut self, data: Data) -> Result<(), CloseReason> {
        // The check is here because data never passes through the session, which makes all others.
        if !self.authenticated {
            return Err(CloseReason::OutOfOrder {
                expected: "a step of the handshake",
                got: "a data message",
            });
        }
        match data {
            Data::Cast(cast) => {
                let message = SerializedMessage::Cast {
                    variant: cast.variant,
                    args: cast.args,
                    metadata: cast.metadata,
                };
                // Nobody waits for the outcome of a cast, and what a limit took away is counted already.
                self.send(cast.to, message, cast.trace.as_deref()).ok();
            }
            Data::Call(call) => self.call(call),
            Data::Reply(reply) => self.link.complete(reply.to, reply.tag, reply.what),
            Data::CallFailed { to, tag, reason } => self.link.fail_call(to, tag, reason.as_deref()),
        }
        Ok(())
    }

    fn call(&mut self, call: Call) {
        let Call { to, tag, .. } = call;
        let limit = call.timeout_ms.map(Duration::from_millis);
        let Ok(sender) = self.link.reply_port(to, tag, limit) else {
            self.link.dead_letter(to, Undelivered::TooManyCalls);
            return self.link.refuse_call(to, tag);
        };
        let port = match limit {
            Some(limit) => (sender, limit).into(),
            None => sender.into(),
        };
        // If the message can't be delivered, its port is dropped with it, which sends the peer a refusal.
        let message = SerializedMessage::Call {
            variant: call.variant,
            args: call.args,
            reply: port,
            metadata: call.metadata,
        };
        // A stock caller doesn't understand the refusal, but it ends its calls when it hears that the actor has ended.
        if self.send(to, message, call.trace.as_deref()).is_err() {
            self.link.repeat_terminate(to);
        }
    }

    /// Delivers a message to a local actor.
    fn send(&mut self, to: u64, message: SerializedMessage, trace: Option<&TraceFields>) -> Result<(), NoSuchActor> {
        let Some(target) = self.link.advertised(to) else {
            tracing::debug!(
                node_id = self.link.node_id(),
                to,
                "dropped a message to a pid that was not advertised"
            );
            return Err(NoSuchActor);
        };
        // Counted before it is delivered: the actor may handle it at once.
        let bytes = retained_bytes(&message);
        if let Err(full) = target.admit(bytes, self.link.limits()) {
            self.link.dead_letter(to, full);
            return Ok(());
        }
        if is_anyone_traced()
            && let Some(inbox) = &target.local.inbox
        {
            inbox.comes_from(&message, Sender::Node(self.link.node_id()));
        }
        let sent = match trace.and_then(tracing_context::received) {
            None => target.local.send(message),
            Some(context) => trace::deliver(&target.local, message, context),
        };
        match sent {
            Ok(()) => {}
            Err(PutRefused::Full) => {
                // Otherwise what a full guest refuses would add up until the peer can't reach it any more, however empty it is by then.
                target.take_back(bytes);
                self.link.dead_letter(to, Undelivered::ActorFull);
                return Ok(());
            }
            Err(PutRefused::Ended) => {
                target.take_back(bytes);
                tracing::debug!(
                    node_id = self.link.node_id(),
                    to,
                    "dropped a message to an actor that has ended"
                );
                return Err(NoSuchActor);
            }
        }
        // Behind the message, since the probe tells that everything before it was handled.
        self.probes.extend(target.probe(self.link.limits()));
        Ok(())
    }
}

/// The peer addressed an actor that doesn't exist, or not any more.
struct NoSuchActor;

impl From<FrameReadError> for CloseReason {
    fn from(error: FrameReadError) -> Self {
        match error {
            FrameReadError::Io(error) => match tls::rustls_error(&error) {
                Some(error) => Self::Tls(tls::explain(error)),
                None => Self::Io(error.kind()),
            },
            FrameReadError::Wire(error) => Self::Wire(error),
        }
    }
}
