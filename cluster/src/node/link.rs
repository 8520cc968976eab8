//! The data plane of one session: what its reader and the stand-ins of the peer's actors share.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use bytes::BytesMut;
use parking_lot::{Mutex, MutexGuard, RwLock};
use ractor::concurrency::OneshotSender;
use ractor::message::SerializedMessage;
use ractor::{ActorCell, RpcReplyPort};

use super::backlog::{AdvertisedActor, WaitingBytes};
use super::inbound_calls::{CallEnd, CallEnded, InboundCalls, InboundCallsFull};
use super::link_figures::{LinkFigures, TrafficFigures};
use super::outbound_calls::{Insertion, OutboundCall, OutboundCalls};
use super::pid_hash::LocalPids;
use super::undelivered::{REASONS, Undelivered};
use super::{DEFAULT_MAX_INBOUND_FRAME_SIZE, NodeFlags, SessionLimits};
use crate::NodeId;
use crate::directory::{FailCall, FailureReason, MAX_REASON_BYTES, SendRefused};
use crate::transport::{Enqueued, FrameCounts, FrameKind, LARGE_PAYLOAD, Outbox, OutboxError, Room};
use crate::wire::{self, CAPABILITY_CALL_FAILED, Call, Control, Data, FRAME_OVERHEAD, Message, Payload};

/// The connection to a peer, shared.
#[derive(Debug)]
pub struct Link {
    node_id: NodeId,
    limits: SessionLimits,
    outbox: Outbox,
    /// The flags of the peer, once it has introduced itself.
    peer: OnceLock<NodeFlags>,
    /// The local actors that the peer may address: those it was told of.
    advertised: RwLock<HashMap<u64, Arc<AdvertisedActor>, LocalPids>>,
    /// What the peer sent and they have not handled yet: see `backlog`.
    waiting: Arc<WaitingBytes>,
    /// The peer's actors that this node may address: those that the peer advertises.
    remote: RwLock<HashSet<u64>>,
    outbound_calls: Mutex<OutboundCalls>,
    pub(super) inbound_calls: InboundCalls<Self>,
    /// Something was read since the session last asked.
    traffic: AtomicBool,
    /// Messages to or from this peer that were given up, by reason.
    dead_letters: [AtomicU64; REASONS.len()],
    /// What has come of the peer: messages by kind, and bytes. The reader alone writes them.
    received: [AtomicU64; 4],
    received_bytes: AtomicU64,
    /// How long the peer took to answer the last ping, in nanoseconds; 0 if it has answered none.
    round_trip_ns: AtomicU64,
    /// Since when the peer is known to be who it is.
    since: OnceLock<Instant>,
}

impl Link {
    /// A link of the session with this number.
    pub fn new(node_id: NodeId, limits: SessionLimits) -> Self {
        Self {
            node_id,
            outbox: Outbox::new(limits.outbox),
            limits,
            peer: OnceLock::new(),
            advertised: RwLock::default(),
            waiting: Arc::default(),
            remote: RwLock::default(),
            outbound_calls: Mutex::default(),
            inbound_calls: InboundCalls::default(),
            traffic: AtomicBool::new(false),
            dead_letters: Default::default(),
            received: Default::default(),
            received_bytes: AtomicU64::new(0),
            round_trip_ns: AtomicU64::new(0),
            since: OnceLock::new(),
        }
    }

    /// What the reader has read so far.
    pub(super) fn show_received(&self, messages: &FrameCounts, bytes: u64) {
        for (shown, count) in self.received.iter().zip(messages) {
            shown.store(*count, Ordering::Relaxed);
        }
        self.received_bytes.store(bytes, Ordering::Relaxed);
    }

    /// The peer has answered a ping after this long.
    pub(super) fn answered(&self, round_trip: Duration) {
        let ns = u64::try_from(round_trip.as_nanos()).unwrap_or(u64::MAX);
        // 0 says that there was none.
        self.round_trip_ns.store(ns.max(1), Ordering::Relaxed);
    }

    /// The session is authenticated. Only the first call counts.
    pub(super) fn authenticated(&self) {
        self.since.set(Instant::now()).ok();
    }

    /// What has passed, without a lock.
    pub(super) fn figures(&self) -> LinkFigures {
        let round_trip = self.round_trip_ns.load(Ordering::Relaxed);
        let received = self.received.each_ref().map(|count| count.load(Ordering::Relaxed));
        LinkFigures {
            round_trip: (round_trip > 0).then(|| Duration::from_nanos(round_trip)),
            up: self.since.get().map(Instant::elapsed).unwrap_or_default(),
            sent: TrafficFigures::new(self.outbox.frames(), self.outbox.written_bytes()),
            received: TrafficFigures::new(received, self.received_bytes.load(Ordering::Relaxed)),
            outbox_bytes: self.outbox.waiting_bytes(),
            outbox_limit: self.outbox.limit() as u64,
            dead_letters: self.dead_letters.each_ref().map(|count| count.load(Ordering::Relaxed)),
            peer: self.peer.get().copied().unwrap_or_default(),
            groups: None,
        }
    }

    pub(crate) fn node_id(&self) -> NodeId {
        self.node_id
    }

    pub(crate) fn limits(&self) -> &SessionLimits {
        &self.limits
    }

    /// What is to be sent.
    pub fn outbox(&self) -> &Outbox {
        &self.outbox
    }

    /// Sets the flags of the peer. Only the first call counts.
    pub fn set_peer(&self, flags: NodeFlags) {
        self.peer.set(flags).ok();
    }

    /// The largest frame that the peer accepts, in bytes; a stock peer is taken to have stock's default.
    fn peer_max_frame(&self) -> u64 {
        let announced = self.peer.get().map_or(0, |flags| flags.max_frame);
        if announced == 0 {
            DEFAULT_MAX_INBOUND_FRAME_SIZE
        } else {
            announced
        }
    }

    /// Notes that something was read. The reader calls it once a read, not once a message, and asks no clock.
    pub fn mark_traffic(&self) {
        // The flag guards no memory, so Relaxed is enough: a tick that misses it finds it at the next one.
        self.traffic.store(true, Ordering::Relaxed);
    }

    /// True if something was read since this was last asked.
    pub fn take_traffic(&self) -> bool {
        self.traffic.swap(false, Ordering::Relaxed)
    }

    /// Lets the peer address this actor, if it can't already.
    pub(crate) fn advertise(&self, cell: &ActorCell) {
        let mut advertised = self.advertised.write();
        // An entry that is there already stays, because it counts what waits for the actor.
        advertised
            .entry(cell.get_id().pid())
            .or_insert_with(|| Arc::new(AdvertisedActor::new(cell.clone(), self.waiting.clone())));
    }

    /// Ends what [`Link::advertise`] began. True if the peer could address it.
    pub(crate) fn withdraw(&self, pid: u64) -> bool {
        // Dropped outside of the lock, which ends with this line: see `shut`.
        let withdrawn = self.advertised.write().remove(&pid);
        withdrawn.is_some()
    }

    /// The local actor that the peer addresses by this pid.
    pub(super) fn advertised(&self, pid: u64) -> Option<Arc<AdvertisedActor>> {
        let advertised = self.advertised.read();
        advertised.get(&pid).cloned()
    }

    /// The peer's actors with these pids can be addressed.
    pub fn add_remote(&self, pids: impl Iterator<Item = u64>) {
        self.remote.write().extend(pids);
    }

    /// The peer's actors with these pids have ended, and calls to them end now.
    pub fn remove_remotes(&self, pids: Vec<u64>) {
        // First nobody can call them, then their calls end: a call in between would wait for ever.
        let mut remote = self.remote.write();
        for pid in &pids {
            remote.remove(pid);
        }
        // The peer isn't charged for the room of actors that have ended, so that room must not stay.
        if remote.len() < remote.capacity() / 8 {
            let room = 2 * remote.len();
            remote.shrink_to(room);
        }
        drop(remote);
        let ended = self.outbound_calls().take_actors(pids);
        drop(ended);
    }

    /// True if the peer's actor `to` can be addressed.
    pub(super) fn has_remote(&self, to: u64) -> bool {
        self.remote.read().contains(&to)
    }

    /// Takes a message for the peer's actor `to`, once there is room for it.
    pub(crate) async fn send_when_room(&self, to: u64, message: SerializedMessage) -> Result<(), SendRefused> {
        if !self.has_remote(to) {
            return Err(SendRefused::UnknownActor);
        }
        if !self.outbox.has_room() {
            self.outbox.room().await;
            // The actor may have ended meanwhile.
            if !self.has_remote(to) {
                return Err(SendRefused::UnknownActor);
            }
        }
        // Nothing is awaited between the look at the room and this: see `Room::Found`.
        self.send_with(Room::Found, to, message)
            .map(|_| ())
            .map_err(|error| match error {
                Undelivered::TooLarge { .. } => SendRefused::TooLarge,
                Undelivered::Outbox(OutboxError::Closed) | Undelivered::Ended => SendRefused::UnknownActor,
                _ => SendRefused::Overloaded,
            })
    }

    /// Takes a message for the peer's actor `to`.
    ///
    /// # Errors
    /// The message was given up, and counted. The end of its reply port tells the caller.
    pub fn send(&self, to: u64, message: SerializedMessage) -> Result<Enqueued, Undelivered> {
        self.send_with(Room::Needed, to, message)
    }

    fn send_with(&self, room: Room, to: u64, message: SerializedMessage) -> Result<Enqueued, Undelivered> {
        let sent = match message {
            SerializedMessage::Cast {
                variant,
                args,
                metadata,
            } => {
                let size = payload(&variant, &args, metadata.as_ref());
                self.check_size(size).and_then(|()| {
                    let trace = self.trace_of(size);
                    self.push((FrameKind::Cast, room), args, |out, args| {
                        wire::encode_cast(out, to, &variant, args, metadata.as_deref(), trace.as_deref())
                    })
                })
            }
            SerializedMessage::Call {
                variant,
                args,
                reply,
                metadata,
            } => {
                let size = payload(&variant, &args, metadata.as_ref());
                let call = Call {
                    to,
                    variant,
                    metadata,
                    ..Call::default()
                };
                return self.call(room, call, size, args, reply);
            }
            SerializedMessage::CallReply(tag, what) => {
                self.complete(to, tag, what);
                Ok(Enqueued::Queued)
            }
        };
        sent.inspect_err(|error| self.dead_letter(to, *error))
    }

    /// As [`Link::send`]. A call that is given up is counted before its caller hears of it, since the caller may look at the count.
    fn call(
        &self,
        room: Room,
        mut call: Call,
        size: usize,
        args: Vec<u8>,
        reply: RpcReplyPort<Vec<u8>>,
    ) -> Result<Enqueued, Undelivered> {
        self.check_size(size)
            .inspect_err(|error| self.dead_letter(call.to, *error))?;
        call.trace = self.trace_of(size);
        let timeout = reply.get_timeout();
        call.timeout_ms = timeout.map(|timeout| u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX));
        // Entered before the frame is sent: the reply may come before this returns.
        let Insertion { tag, ended } = self.outbound_calls().insert(call.to, reply);
        call.tag = tag.inspect_err(|error| self.dead_letter(call.to, *error))?;
        drop(ended);
        // The actor may have ended since somebody looked, and its calls with it. This one came too late for that.
        if !self.has_remote(call.to) {
            self.dead_letter(call.to, Undelivered::Ended);
            self.fail_call(call.to, call.tag, None);
            return Err(Undelivered::Ended);
        }
        self.push((FrameKind::Call, room), args, |out, args| {
            wire::encode_call(out, &call, args)
        })
        .inspect_err(|error| {
            self.dead_letter(call.to, *error);
            self.fail_call(call.to, call.tag, None);
        })
    }

    /// A reply to the call `tag` of the actor `to` arrived.
    pub fn complete(&self, to: u64, tag: u64, what: Vec<u8>) {
        // The lock ends with this line: the send below runs the caller's waker, which may use this link.
        let call = self.outbound_calls().take(to, tag);
        let port = call.and_then(OutboundCall::port_in_time);
        if let Some(Err(_)) = port.map(|port| port.send(what)) {
            tracing::trace!(
                node_id = self.node_id,
                to,
                tag,
                "the caller gave up before the reply came"
            );
        }
    }

    /// There will be no reply to the call `tag` of the actor `to`: its caller hears it now, with the reason if there is one. Of what
    /// the peer wrote as the reason, what is too long is cut off, and what isn't text is replaced.
    pub fn fail_call(&self, to: u64, tag: u64, reason: Option<&[u8]>) {
        // The lock ends with this line: the end of the port runs the caller's waker, which may use this link.
        let call = self.outbound_calls().take(to, tag);
        let port = call.and_then(OutboundCall::port_in_time);
        let (Some(port), Some(reason)) = (port, reason) else {
            return;
        };
        // A byte more than a reason can have, so that it is seen to be cut off.
        let kept = reason.get(..=MAX_REASON_BYTES).unwrap_or(reason);
        port.fail(String::from_utf8_lossy(kept));
    }

    /// A port for the reply of a local actor to the call `tag` of the peer. The peer gets what is sent through it, or hears that
    /// there is no reply: if the port is dropped, or after `limit`.
    pub fn reply_port(
        self: &Arc<Self>,
        to: u64,
        tag: u64,
        limit: Option<Duration>,
    ) -> Result<OneshotSender<Vec<u8>>, InboundCallsFull> {
        self.inbound_calls.port(self, to, tag, limit)
    }

    /// Sends the reply to a call of the peer's. If it can't be sent, the caller is told that there is none.
    fn reply(&self, to: u64, tag: u64, what: Vec<u8>) {
        let sent = self.check_size(what.len()).and_then(|()| {
            self.push((FrameKind::Reply, Room::Needed), what, |out, what| {
                wire::encode_reply(out, to, tag, what)
            })
        });
        if let Err(error) = sent {
            self.dead_letter(to, error);
            self.refuse_call(to, tag);
        }
    }

    /// Tells the peer that its call gets no reply, if it understands that.
    pub fn refuse_call(&self, to: u64, tag: u64) {
        if self.understands_failures() {
            self.push_control(&Message::Data(Data::CallFailed { to, tag, reason: None }));
        }
    }

    /// Tells the peer why its call gets no reply.
    fn explain_failure(&self, to: u64, tag: u64, reason: &FailureReason) {
        let failed = Message::Data(Data::CallFailed {
            to,
            tag,
            reason: Some(reason.as_str().as_bytes().to_vec()),
        });
        // As a reply, and not as a word of the control plane: calls that fail must not use up the room that this has.
        if self
            .outbox
            .push((FrameKind::Reply, Room::Needed), |out| wire::encode(&failed, out))
            .is_err()
        {
            self.refuse_call(to, tag);
        }
    }

    /// Tells the peer once more that this actor has ended: to a stock peer the one way to end calls to it.
    pub fn repeat_terminate(&self, pid: u64) {
        self.push_control(&Message::Control(Control::Terminate(vec![pid])));
    }

    fn push_control(&self, message: &Message) {
        // An outbox that is too full for this is about to end the session, which ends all calls.
        self.outbox.push_control(|out| wire::encode(message, out)).ok();
    }

    /// Encodes a frame with its payload, or around it if that is too large to be copied.
    fn push(
        &self,
        (kind, room): (FrameKind, Room),
        payload: Vec<u8>,
        encode: impl FnOnce(&mut BytesMut, Payload<'_>) -> usize,
    ) -> Result<Enqueued, Undelivered> {
        let len = payload.len();
        let taken = if len >= LARGE_PAYLOAD {
            self.outbox
                .push_around((kind, room), payload, |out| encode(out, Payload::Apart(len)))?
        } else {
            self.outbox.push((kind, room), |out| {
                encode(out, Payload::Within(&payload));
            })?
        };
        Ok(taken)
    }

    pub(super) fn peer_has(&self, capability: u32) -> bool {
        let peer = self.peer.get();
        peer.is_some_and(|flags| flags.capabilities & capability != 0)
    }

    pub(super) fn check_size(&self, payload: usize) -> Result<(), Undelivered> {
        let (bytes, limit) = (payload + FRAME_OVERHEAD, self.peer_max_frame());
        if bytes as u64 > limit {
            return Err(Undelivered::TooLarge { bytes, limit });
        }
        Ok(())
    }

    /// No reply will come any more: every waiting caller hears it now, and whoever calls later hears it at once.
    pub fn fail_all_calls(&self) {
        let ended = self.outbound_calls().close();
        drop(ended);
    }

    /// Forgets calls whose callers have given up, on both sides.
    pub fn sweep_calls(&self, now: Instant) {
        let ended = self.outbound_calls().sweep_all(now);
        drop(ended);
        self.inbound_calls.close_overdue(now);
    }

    /// The session is over: every waiting caller hears it, and nobody can be addressed or written to.
    pub fn shut(&self) {
        self.outbox.close();
        self.fail_all_calls();
        self.inbound_calls.shut();
        // Reply ports and stand-ins may keep the link for some time, but must not keep the actors that the tables hold. These are
        // dropped outside of the lock, since an actor may go with the last reference to it, and with it the ports that it holds.
        let advertised = std::mem::take(&mut *self.advertised.write());
        drop(advertised);
        self.remote.write().clear();
    }

    /// Counts a message that was given up, and logs it within reason.
    pub(crate) fn dead_letter(&self, to: u64, error: Undelivered) {
        if let Some(count) = self.dead_letters.get(error.reason()) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        // Where two are given up at once, a power of two may be logged twice or not at all.
        let count = self.dead_letters();
        // One line for each power of two: a flood of lost messages must not become a flood of log lines.
        if count.is_power_of_two() {
            tracing::warn!(
                node_id = self.node_id,
                to,
                dead_letters = count,
                "gave up a message: {error}"
            );
        }
    }

    /// How many messages to or from this peer were given up.
    pub(crate) fn dead_letters(&self) -> u64 {
        self.dead_letters
            .iter()
            .map(|count| count.load(Ordering::Relaxed))
            .sum()
    }

    pub(super) fn outbound_calls(&self) -> MutexGuard<'_, OutboundCalls> {
        self.outbound_calls.lock()
    }
}

impl CallEnded for Link {
    fn understands_failures(&self) -> bool {
        self.peer_has(CAPABILITY_CALL_FAILED)
    }

    fn call_ended(&self, slot: usize, to: u64, tag: u64, end: CallEnd) {
        // The slot first: the peer may call again as soon as it has the answer.
        self.inbound_calls.remove(slot);
        match end {
            CallEnd::Reply(reply) => self.reply(to, tag, reply),
            CallEnd::Failed(reason) => self.explain_failure(to, tag, &reason),
            CallEnd::Dropped => self.refuse_call(to, tag),
        }
    }
}

fn payload(variant: &str, args: &[u8], metadata: Option<&Vec<u8>>) -> usize {
    variant.len() + args.len() + metadata.map_or(0, Vec::len)
}

#[cfg(test)]
mod tests;
