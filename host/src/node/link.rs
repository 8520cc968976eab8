//! The data plane of one session: what its reader and the stand-ins of the peer's actors share.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock};

use bytes::BytesMut;
use ractor::message::SerializedMessage;
use ractor::{ActorCell, RpcReplyPort};

use super::pending::PendingCalls;
use crate::NodeId;
use crate::transport::{Outbox, OutboxError};
use crate::wire::{self, Call};

/// The connection to a peer, shared.
#[derive(Debug)]
pub(super) struct Link {
    node_id: NodeId,
    outbox: Outbox,
    /// The local actors that the peer may address: those it was told of.
    advertised: RwLock<HashMap<u64, ActorCell>>,
    pending: Mutex<PendingCalls>,
    /// Something was read since the session last asked.
    heard: AtomicBool,
    /// Messages to this peer that were given up.
    dead_letters: AtomicU64,
}

impl Link {
    pub(super) fn new(node_id: NodeId, outbox_limit: usize) -> Self {
        Self {
            node_id,
            outbox: Outbox::new(outbox_limit),
            advertised: RwLock::default(),
            pending: Mutex::default(),
            heard: AtomicBool::new(false),
            dead_letters: AtomicU64::new(0),
        }
    }

    pub(super) fn node_id(&self) -> NodeId {
        self.node_id
    }

    pub(super) fn outbox(&self) -> &Outbox {
        &self.outbox
    }

    /// The reader read something. Once a read, not once a message: no clock is asked.
    pub(super) fn mark_heard(&self) {
        self.heard.store(true, Ordering::Relaxed);
    }

    /// True if something was read since this was last asked.
    pub(super) fn take_heard(&self) -> bool {
        self.heard.swap(false, Ordering::Relaxed)
    }

    /// Lets the peer address this actor. True if it couldn't before.
    pub(super) fn advertise(&self, cell: &ActorCell) -> bool {
        self.advertised
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(cell.get_id().pid(), cell.clone())
            .is_none()
    }

    /// Ends what [`Link::advertise`] began. True if the peer could address it.
    pub(super) fn withdraw(&self, pid: u64) -> bool {
        let mut advertised = self.advertised.write().unwrap_or_else(PoisonError::into_inner);
        advertised.remove(&pid).is_some()
    }

    /// The local actor that the peer addresses by this pid.
    pub(super) fn advertised(&self, pid: u64) -> Option<ActorCell> {
        let advertised = self.advertised.read().unwrap_or_else(PoisonError::into_inner);
        advertised.get(&pid).cloned()
    }

    /// Takes a message for the peer's actor `to`.
    pub(super) fn send(&self, to: u64, message: SerializedMessage) {
        let sent = match message {
            SerializedMessage::Cast {
                variant,
                args,
                metadata,
            } => self.push(|out| wire::encode_cast(out, to, &variant, &args, metadata.as_deref())),
            SerializedMessage::Call {
                variant,
                args,
                reply,
                metadata,
            } => self.call(to, reply, |tag, timeout_ms| Call {
                to,
                tag,
                timeout_ms,
                variant,
                args,
                metadata,
            }),
            SerializedMessage::CallReply(tag, what) => {
                self.complete(to, tag, what);
                Ok(())
            }
        };
        if let Err(error) = sent {
            self.dead_letter(to, error);
        }
    }

    fn call(
        &self,
        to: u64,
        reply: RpcReplyPort<Vec<u8>>,
        call: impl FnOnce(u64, Option<u64>) -> Call,
    ) -> Result<(), OutboxError> {
        let timeout = reply
            .get_timeout()
            .map(|timeout| u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX));
        let Some(tag) = self.pending().insert(to, reply) else {
            return Ok(()); // the caller hears it: its port is dropped
        };
        let call = call(tag, timeout);
        let sent = self.push(|out| wire::encode_call(out, &call));
        if sent.is_err() {
            drop(self.pending().take(to, tag));
        }
        sent
    }

    /// A reply to the call `tag` of the actor `to` arrived.
    pub(super) fn complete(&self, to: u64, tag: u64, what: Vec<u8>) {
        let port = self.pending().take(to, tag);
        if let Some(Err(_)) = port.map(|port| port.send(what)) {
            tracing::trace!(
                node_id = self.node_id,
                to,
                tag,
                "the caller gave up before the reply came"
            );
        }
    }

    /// Sends the reply to a call of the peer's.
    pub(super) fn reply(&self, to: u64, tag: u64, what: &[u8]) {
        if let Err(error) = self.push(|out| wire::encode_reply(out, to, tag, what)) {
            self.dead_letter(to, error);
        }
    }

    fn push(&self, encode: impl FnOnce(&mut BytesMut)) -> Result<(), OutboxError> {
        self.outbox.push(encode)
    }

    /// The peer's actor `to` ended: its callers hear it now.
    pub(super) fn fail_calls(&self, to: u64) {
        self.pending().fail_actor(to);
    }

    /// Forgets calls whose callers have given up.
    pub(super) fn sweep_calls(&self) {
        self.pending().sweep_all();
    }

    /// The session is over: every waiting caller hears it, and nobody can be addressed or written to.
    pub(super) fn shut(&self) {
        self.outbox.close();
        self.pending().clear();
        self.advertised.write().unwrap_or_else(PoisonError::into_inner).clear();
    }

    fn dead_letter(&self, to: u64, error: OutboxError) {
        let count = self.dead_letters.fetch_add(1, Ordering::Relaxed) + 1;
        // One line for each power of two: a flood of lost messages must not become a flood of log lines.
        if count.is_power_of_two() {
            tracing::warn!(
                node_id = self.node_id,
                to,
                dead_letters = count,
                "a message to a remote actor was given up: {error}"
            );
        }
    }

    fn pending(&self) -> MutexGuard<'_, PendingCalls> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
