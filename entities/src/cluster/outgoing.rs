//! Messages to entities of other nodes, until they are begun there.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use ractor::RpcReplyPort;
use ractor::message::SerializedMessage;
use ractor_host_directory::retained_bytes;
use ractor_host_placement::routing::{Header, Reply, Sender, SenderEvent, SenderLimits, Transmit};
use ractor_host_placement::words::{Entity, Epoch, Incarnation, ShardId, ShardRow};
use tokio::sync::Notify;

use super::frame::{SETTLED, Settled};
use super::links::{Out, Peers, Queue};
use super::parcel::Parcel;
use super::{Cluster, ClusterFigures, NotRouted, Ownership};
use crate::node::{NotSent, PutHere, find};
use crate::reminders::is_nudge;

/// How a gate fails a call that isn't handled on its node, for the gate that sent it: the call goes elsewhere.
pub(super) const NOT_HERE: &str = "ractor-host: this entity is on another node";

/// Why a message that was sent has no outcome.
pub(super) const LOST: &str = "the session with its node ended meanwhile: whether the message was handled is not known";

/// The time for a node to be reached. After that what was to be sent there is lost.
const UNREACHED: Duration = Duration::from_secs(15);

/// The longest time between two looks for room.
const MOMENT: Duration = Duration::from_millis(50);

/// What a message takes beside its own bytes while it is kept.
const ENTRY: usize = 256;

/// See the module.
#[derive(Default)]
pub(super) struct Outgoing {
    pub(super) sender: Mutex<Lanes>,
    /// Bytes that the sender keeps, for a look without its lock.
    kept: AtomicUsize,
    pub(super) peers: Mutex<Peers>,
    /// Messages whose entities are on this node by now.
    here: Mutex<Queue<(Header, Arc<Parcel>)>>,
    /// Told when messages are known to be begun, or lost.
    room: Notify,
    pub(super) sent: AtomicU64,
    lost: AtomicU64,
    unowned: AtomicU64,
}

pub(super) struct Lanes {
    pub(super) sender: Sender<Arc<Parcel>>,
    /// Shards may have other owners than when they were looked at last.
    is_stale: bool,
}

impl Default for Lanes {
    fn default() -> Self {
        Self {
            sender: Sender::new(SenderLimits::default()),
            is_stale: false,
        }
    }
}

impl Outgoing {
    /// True if nothing of this shard waits.
    pub(super) fn is_idle(&self, shard: ShardId) -> bool {
        // Acquire: what was put where it belongs before this became nothing is there.
        self.kept.load(Ordering::Acquire) == 0 || self.sender.lock().sender.is_idle(shard)
    }

    pub(super) fn look_again(&self) {
        self.sender.lock().is_stale = true;
    }

    pub(super) fn figures(&self) -> ClusterFigures {
        let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        ClusterFigures {
            sent: of(&self.sent),
            lost: of(&self.lost),
            unowned: of(&self.unowned),
            kept_bytes: self.kept.load(Ordering::Relaxed),
            ..ClusterFigures::default()
        }
    }

    /// After each change: what may be sent is where one thread sends it, in order.
    pub(super) fn pass_on(&self, lanes: &mut Lanes, cluster: &Cluster, ownership: &dyn Ownership) {
        let me = ownership.me();
        while let Some(Transmit { to, header, body }) = lanes.sender.poll_transmit() {
            if to == me {
                self.here.lock().waiting.push_back((header, body));
            } else {
                let is_linked = self.peers.lock().put(to, header, body, ownership.now());
                if let (false, Some(on_demand)) = (is_linked, cluster.on_demand.get()) {
                    on_demand.reach(to);
                }
            }
        }
        self.kept.store(lanes.sender.bytes(), Ordering::Release);
    }

    fn events(&self, lanes: &mut Lanes) -> Vec<(Arc<Parcel>, &'static str)> {
        let events = std::iter::from_fn(|| lanes.sender.poll_event());
        let told = events.map(|event| match event {
            SenderEvent::Lost(parcel) => {
                self.lost.fetch_add(1, Ordering::Relaxed);
                (parcel, LOST)
            }
            SenderEvent::Unowned(parcel) => {
                self.unowned.fetch_add(1, Ordering::Relaxed);
                (
                    parcel,
                    "no node that can be reached has it: its node doesn't answer, the store can't be reached, or no node that is there may own it",
                )
            }
        });
        let told: Vec<_> = told.collect();
        self.kept.store(lanes.sender.bytes(), Ordering::Release);
        if !told.is_empty() {
            self.room.notify_waiters();
        }
        told
    }
}

impl Cluster {
    /// Takes a message for an entity that isn't to be had here. It is sent by [`flush`](Self::flush).
    pub(crate) fn enqueue(&self, entity: &Entity, message: SerializedMessage) -> Result<(), NotRouted> {
        if is_nudge(&message) {
            return Ok(());
        }
        let bytes = retained_bytes(&message) + ENTRY;
        let Some(parcel) = Parcel::new(entity, message) else {
            return Ok(());
        };
        let parcel = Arc::new(parcel);
        self.enqueue_parcel(&parcel, bytes)
            .or_else(|reason| match parcel.message() {
                Some(message) => Err((message, reason)),
                None => Ok(()),
            })
    }

    fn enqueue_parcel(&self, parcel: &Arc<Parcel>, bytes: usize) -> Result<(), NotSent> {
        let ownership = self.ownership().ok_or(NotSent::NotJoined)?;
        let shard = ownership.shard(&parcel.entity).ok_or(NotSent::UnknownType)?;
        let mut lanes = self.outgoing.sender.lock();
        let sent = lanes
            .sender
            .handle_send(self.row(ownership, shard), parcel.clone(), bytes, ownership.now());
        sent.map_err(|_| NotSent::Overloaded)?;
        self.outgoing.pass_on(&mut lanes, self, ownership);
        Ok(())
    }

    /// Completes when there may be more on its way to other nodes than before.
    pub(crate) async fn room(&self) {
        // Or after a moment: who was about to wait when others were told has missed that.
        let told = self.outgoing.room.notified();
        tokio::time::timeout(MOMENT, told).await.ok();
    }

    /// Has the node that has the entity give its state up.
    pub(crate) fn delete(self: &Arc<Self>, entity: &Entity, port: RpcReplyPort<Vec<u8>>) -> Result<(), NotSent> {
        self.enqueue_parcel(&Arc::new(Parcel::deletion(entity, port)), ENTRY)?;
        self.flush();
        Ok(())
    }

    /// Sends what is to be sent. Without any lock: callers may hear of what becomes of their calls.
    pub(crate) fn flush(self: &Arc<Self>) {
        loop {
            let link = self.outgoing.peers.lock().pending.pop();
            let Some(link) = link else { break };
            if link.queue.lock().begin() {
                self.flush_link(link);
            }
        }
        if self.outgoing.here.lock().begin() {
            self.flush_here();
        }
    }

    /// Messages that were for other nodes, and whose shards are this node's by now.
    fn flush_here(self: &Arc<Self>) {
        loop {
            let next = self.outgoing.here.lock().next();
            let Some((header, parcel)) = next else { return };
            let Some(ownership) = self.ownership() else { return };
            let Header {
                shard, number, round, ..
            } = header;
            let reply = match self.put_here(&parcel) {
                Ok(()) => Reply::Acknowledged {
                    shard,
                    up_to: number,
                    round,
                },
                Err(NotHere) => Reply::NotOwner {
                    shard,
                    number,
                    round,
                    epoch: Epoch(0),
                    hint: None,
                },
            };
            let mut lanes = self.outgoing.sender.lock();
            let row = self.row(ownership, shard);
            lanes.sender.handle_reply(ownership.me(), reply, row, ownership.now());
            self.outgoing.pass_on(&mut lanes, self, ownership);
        }
    }

    fn put_here(&self, parcel: &Parcel) -> Result<(), NotHere> {
        let entity = &parcel.entity;
        let Some(of) = find(&entity.entity_type) else {
            return Ok(());
        };
        if parcel.deletes() {
            if let Some(port) = parcel.port() {
                self.runtime.spawn(of.delete_for(entity.clone(), port));
            }
            return Ok(());
        }
        let Some(message) = parcel.message() else { return Ok(()) };
        match of.put_here(&entity.key, message) {
            Ok(()) => Ok(()),
            Err(PutHere::Elsewhere(message)) => {
                parcel.put_back(message);
                Err(NotHere)
            }
            Err(PutHere::Refused(refused)) => {
                parcel.put_back(refused.message);
                parcel.fail(&refused.reason.to_string());
                Ok(())
            }
        }
    }

    /// Time has passed, or there are other owners. Gives the time at which to look again.
    pub(super) fn look(self: &Arc<Self>) -> Option<Duration> {
        let ownership = self.ownership()?;
        let now = ownership.now();
        let unreached: Vec<_> = {
            let peers = self.outgoing.peers.lock();
            let late = peers
                .unsent
                .iter()
                .filter(|(_, (since, _))| now.since(*since) >= UNREACHED);
            late.map(|(incarnation, _)| *incarnation).collect()
        };
        for incarnation in unreached {
            self.gone(incarnation);
        }
        self.reach_again();
        let known = |shard| Some(self.row(ownership, shard));
        let (told, due) = {
            let mut lanes = self.outgoing.sender.lock();
            if std::mem::take(&mut lanes.is_stale) {
                lanes.sender.handle_view(known, now);
            }
            if lanes.sender.poll_timeout().is_some_and(|due| due <= now) {
                lanes.sender.handle_timeout(known, now);
            }
            self.outgoing.pass_on(&mut lanes, self, ownership);
            let told = self.outgoing.events(&mut lanes);
            (told, lanes.sender.poll_timeout().map(|due| due.since(now)))
        };
        let casts = told.iter().filter(|(parcel, _)| parcel.is_cast()).count();
        if let Some((parcel, reason)) = told.first().filter(|_| casts > 0) {
            // One line for all that were given up at once.
            tracing::warn!(entity = %parcel.entity, casts, reason, "casts to entities of other nodes are given up");
        }
        for (parcel, reason) in told {
            parcel.fail(reason);
        }
        self.flush();
        let has_unsent = !self.outgoing.peers.lock().unsent.is_empty();
        let look = has_unsent.then_some(Duration::from_secs(1));
        due.into_iter().chain(look).min()
    }

    /// A node has answered.
    pub(super) fn settled(self: &Arc<Self>, settled: Settled) {
        let Some(ownership) = self.ownership() else { return };
        let Settled { from, session, replies } = settled;
        // Of a session that is over: what was sent by it is lost by now.
        let is_present = self
            .outgoing
            .peers
            .lock()
            .link(from)
            .is_some_and(|link| link.session == session);
        if !is_present {
            return;
        }
        {
            let mut lanes = self.outgoing.sender.lock();
            for reply in replies {
                let (Reply::Acknowledged { shard, .. } | Reply::NotOwner { shard, .. }) = reply;
                let row = self.row(ownership, shard);
                lanes.sender.handle_reply(from, reply, row, ownership.now());
            }
            self.outgoing.pass_on(&mut lanes, self, ownership);
        }
        self.outgoing.room.notify_waiters();
        self.flush();
        // It may have to be tried again later.
        self.wake.notify_one();
    }

    /// A life of a node is over, or the session with it: what was sent to it and isn't known to be begun is lost. What waited for a session was
    /// never sent, and waits for the next owner.
    pub(super) fn gone(self: &Arc<Self>, incarnation: Incarnation) {
        let Some(ownership) = self.ownership() else { return };
        let unsent = {
            let mut peers = self.outgoing.peers.lock();
            peers.by_incarnation.remove(&incarnation);
            peers.unsent.remove(&incarnation)
        };
        {
            let mut lanes = self.outgoing.sender.lock();
            for (header, _) in unsent.into_iter().flat_map(|(_, all)| all) {
                let Header {
                    shard, number, round, ..
                } = header;
                let refused = Reply::NotOwner {
                    shard,
                    number,
                    round,
                    epoch: Epoch(0),
                    hint: None,
                };
                let row = self.row(ownership, shard);
                lanes.sender.handle_reply(incarnation, refused, row, ownership.now());
            }
            lanes
                .sender
                .handle_gone(incarnation, |shard| Some(self.row(ownership, shard)), ownership.now());
            self.outgoing.pass_on(&mut lanes, self, ownership);
        }
        self.wake.notify_one();
    }

    /// What is known of a shard. What this node has given away is the next owner's, also before that is known from the store: a node that leaves
    /// learns nothing more from there.
    pub(super) fn row(&self, ownership: &dyn Ownership, shard: ShardId) -> ShardRow {
        let row = ownership.row(shard).unwrap_or(ShardRow {
            shard,
            epoch: Epoch(0),
            owner: None,
        });
        match self.incoming.given(ownership, row) {
            Some((epoch, to)) => ShardRow {
                shard,
                epoch,
                owner: Some(to),
            },
            None => row,
        }
    }

    /// Waits until nothing is on its way to other nodes any more.
    pub(crate) async fn drain(&self) {
        while self.outgoing.kept.load(Ordering::Acquire) > 0 {
            self.room().await;
        }
    }

    /// Answers go to whom they are for.
    pub(super) fn answer(self: &Arc<Self>) {
        let Some(ownership) = self.ownership() else { return };
        {
            let mut peers = self.outgoing.peers.lock();
            for (to, settled) in self.incoming.answers(ownership.me()) {
                let Some(link) = peers.link(to) else { continue };
                let message = SerializedMessage::Cast {
                    variant: SETTLED.to_owned(),
                    args: settled.write(),
                    metadata: None,
                };
                peers.send(link, Out::Other(message));
            }
        }
        self.flush();
    }
}

/// A message isn't for this node.
struct NotHere;
