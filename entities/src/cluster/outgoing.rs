//! Messages to entities of other nodes, until they are begun there.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use parking_lot::Mutex;
use ractor::message::SerializedMessage;
use ractor::{ActorId, RpcReplyPort};
use ractor_host_directory::trace::{self, TraceContext};
use ractor_host_directory::{
    FailureReason, NoReply, Node, SendRefused, fail, node_of, relay_port, retained_bytes, send_remote,
};
use ractor_host_placement::routing::{Header, Reply, Sender, SenderEvent, SenderLimits, SessionId, Transmit};
use ractor_host_placement::words::{BootTime, Entity, Epoch, Incarnation, ShardId, ShardRow};

use super::frame::{CALL, CAST, HELLO, Hello, Origin, Routed, SETTLED, Settled};
use super::{Cluster, ClusterFigures, NotRouted, Ownership};
use crate::node::{NotSent, PutHere, find};
use crate::seat::told;

/// How a gate fails a call that isn't handled on its node, for the gate that sent it: the call goes elsewhere.
pub(super) const NOT_HERE: &str = "ractor-host: this entity is on another node";

/// The time for a node to be reached. After that what was to be sent there is lost.
const UNREACHED: Duration = Duration::from_secs(15);

/// What a message takes beside its own bytes while it is kept.
const ENTRY: usize = 256;

/// See the module.
#[derive(Default)]
pub(super) struct Outgoing {
    sender: Mutex<Lanes>,
    /// Bytes that the sender keeps, for a look without its lock.
    kept: AtomicUsize,
    peers: Mutex<Peers>,
    /// Messages whose entities are on this node by now.
    here: Mutex<Queue<(Header, Arc<Parcel>)>>,
    sent: AtomicU64,
    lost: AtomicU64,
    unowned: AtomicU64,
}

struct Lanes {
    sender: Sender<Arc<Parcel>>,
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

/// What one thread at a time sends, in order.
struct Queue<T> {
    waiting: VecDeque<T>,
    is_busy: bool,
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Self {
            waiting: VecDeque::new(),
            is_busy: false,
        }
    }
}

impl<T> Queue<T> {
    /// The next one, for whoever is busy with them. None: nobody is any more.
    fn next(&mut self) -> Option<T> {
        let next = self.waiting.pop_front();
        self.is_busy = next.is_some();
        next
    }

    /// True if whoever asks is to be busy with them from now on.
    fn begin(&mut self) -> bool {
        !self.waiting.is_empty() && !std::mem::replace(&mut self.is_busy, true)
    }
}

#[derive(Default)]
struct Peers {
    links: HashMap<ActorId, Arc<LinkOut>>,
    /// The lives of nodes by what they have said of themselves: the name, and the number of the process.
    known: HashMap<(String, u64), Incarnation>,
    by_incarnation: HashMap<Incarnation, ActorId>,
    /// For nodes that there is no link to, since when.
    unsent: BTreeMap<Incarnation, (BootTime, Vec<(Header, Arc<Parcel>)>)>,
    /// Links with something to send.
    pending: Vec<Arc<LinkOut>>,
    last_session: u64,
}

/// The way to the gate of a node.
struct LinkOut {
    gate: ActorId,
    node: Node,
    session: SessionId,
    queue: Mutex<Queue<Out>>,
}

enum Out {
    Routed(Header, Arc<Parcel>),
    Other(SerializedMessage),
}

/// A message, until it is begun.
pub(super) struct Parcel {
    entity: Entity,
    variant: String,
    args: Vec<u8>,
    metadata: Option<Vec<u8>>,
    trace: Option<Arc<TraceContext>>,
    call: Option<Call>,
}

struct Call {
    /// None once the caller has heard.
    port: Mutex<Option<RpcReplyPort<Vec<u8>>>>,
    timeout: Option<Duration>,
}

impl Parcel {
    /// None for what is no message.
    fn new(entity: &Entity, message: SerializedMessage) -> Option<Self> {
        let (variant, args, metadata, call) = match message {
            SerializedMessage::Cast {
                variant,
                args,
                metadata,
            } => (variant, args, metadata, None),
            SerializedMessage::Call {
                variant,
                args,
                reply,
                metadata,
            } => {
                let timeout = reply.get_timeout();
                let port = Mutex::new(Some(reply));
                (variant, args, metadata, Some(Call { port, timeout }))
            }
            SerializedMessage::CallReply(..) => return None,
        };
        Some(Self {
            entity: entity.clone(),
            variant,
            args,
            metadata,
            trace: trace::carried(),
            call,
        })
    }

    fn port(&self) -> Option<RpcReplyPort<Vec<u8>>> {
        self.call.as_ref()?.port.lock().take()
    }

    /// As an entity of this node has it. None for a call whose caller has heard.
    fn message(&self) -> Option<SerializedMessage> {
        let (variant, args, metadata) = (self.variant.clone(), self.args.clone(), self.metadata.clone());
        Some(match &self.call {
            None => SerializedMessage::Cast {
                variant,
                args,
                metadata,
            },
            Some(_) => SerializedMessage::Call {
                variant,
                args,
                reply: self.port()?,
                metadata,
            },
        })
    }

    /// The message was not taken: it is this again.
    fn put_back(&self, message: SerializedMessage) {
        if let (SerializedMessage::Call { reply, .. }, Some(call)) = (message, &self.call) {
            *call.port.lock() = Some(reply);
        }
    }

    /// As the gate of another node has it.
    fn framed(self: &Arc<Self>, origin: &Origin) -> SerializedMessage {
        let args = Routed::write(origin, &self.entity.key, &self.variant, &self.args);
        let metadata = self.metadata.clone();
        let Some(call) = &self.call else {
            return SerializedMessage::Cast {
                variant: CAST.to_owned(),
                args,
                metadata,
            };
        };
        let parcel = self.clone();
        SerializedMessage::Call {
            variant: CALL.to_owned(),
            args,
            reply: relay_port(call.timeout, move |outcome| parcel.answered(outcome)),
            metadata,
        }
    }

    fn answered(&self, outcome: Result<Vec<u8>, NoReply>) {
        match outcome {
            // It is sent again, or its sender hears that it is lost.
            Err(NoReply::Failed(reason)) if reason.as_str() == NOT_HERE => {}
            Err(NoReply::Failed(reason)) => {
                if let Some(port) = self.port() {
                    told(fail(port, reason));
                }
            }
            Err(NoReply::Dropped) => drop(self.port()),
            Ok(reply) => {
                if let Some(port) = self.port() {
                    // The caller may have given up.
                    port.send(reply).ok();
                }
            }
        }
    }

    /// It isn't handled, or nobody knows.
    fn fail(&self, reason: &str) {
        if let Some(port) = self.port() {
            let reason = format!("{}: {reason}", self.entity);
            told(fail(port, FailureReason::new(&reason)));
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
    fn pass_on(&self, lanes: &mut Lanes, ownership: &dyn Ownership) {
        let me = ownership.me();
        while let Some(Transmit { to, header, body }) = lanes.sender.poll_transmit() {
            if to == me {
                self.here.lock().waiting.push_back((header, body));
            } else {
                self.peers.lock().put(to, header, body, ownership.now());
            }
        }
        self.kept.store(lanes.sender.bytes(), Ordering::Release);
    }

    fn events(&self, lanes: &mut Lanes) -> Vec<(Arc<Parcel>, &'static str)> {
        let events = std::iter::from_fn(|| lanes.sender.poll_event());
        let told = events.map(|event| match event {
            SenderEvent::Lost(parcel) => {
                self.lost.fetch_add(1, Ordering::Relaxed);
                (
                    parcel,
                    "its node was lost before it was known to have begun with the message: whether it was handled is not known",
                )
            }
            SenderEvent::Unowned(parcel) => {
                self.unowned.fetch_add(1, Ordering::Relaxed);
                (
                    parcel,
                    "no node of the cluster has it: the store can't be reached, or no node that is there may own it",
                )
            }
        });
        let told = told.collect();
        self.kept.store(lanes.sender.bytes(), Ordering::Release);
        told
    }
}

impl Peers {
    fn put(&mut self, to: Incarnation, header: Header, parcel: Arc<Parcel>, now: BootTime) {
        match self.link(to) {
            Some(link) => self.send(link, Out::Routed(header, parcel)),
            None => self
                .unsent
                .entry(to)
                .or_insert_with(|| (now, Vec::new()))
                .1
                .push((header, parcel)),
        }
    }

    fn link(&self, to: Incarnation) -> Option<Arc<LinkOut>> {
        self.links.get(self.by_incarnation.get(&to)?).cloned()
    }

    fn send(&mut self, link: Arc<LinkOut>, out: Out) {
        link.queue.lock().waiting.push_back(out);
        self.pending.push(link);
    }

    /// What waited for a link to this node.
    fn reached(&mut self, incarnation: Incarnation, gate: ActorId) {
        self.by_incarnation.insert(incarnation, gate);
        let Some(link) = self.links.get(&gate).cloned() else {
            return;
        };
        for (header, parcel) in self.unsent.remove(&incarnation).into_iter().flat_map(|(_, all)| all) {
            self.send(link.clone(), Out::Routed(header, parcel));
        }
    }
}

impl Cluster {
    /// Takes a message for an entity that isn't to be had here. It is sent by [`flush`](Self::flush).
    pub(crate) fn enqueue(&self, entity: &Entity, message: SerializedMessage) -> Result<(), NotRouted> {
        let Some(ownership) = self.ownership() else {
            return Err((message, NotSent::NotJoined));
        };
        let Some(shard) = ownership.shard(entity) else {
            return Err((message, NotSent::UnknownType));
        };
        let bytes = retained_bytes(&message) + ENTRY;
        let Some(parcel) = Parcel::new(entity, message).map(Arc::new) else {
            return Ok(());
        };
        let mut lanes = self.outgoing.sender.lock();
        let sent = lanes
            .sender
            .handle_send(row(ownership, shard), parcel.clone(), bytes, ownership.now());
        if sent.is_err() {
            drop(lanes);
            return match parcel.message() {
                Some(message) => Err((message, NotSent::Overloaded)),
                None => Ok(()),
            };
        }
        self.outgoing.pass_on(&mut lanes, ownership);
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

    fn flush_link(self: &Arc<Self>, link: Arc<LinkOut>) {
        loop {
            let next = link.queue.lock().next();
            let Some(out) = next else { return };
            let Some((message, routed)) = self.written(&link, out) else {
                continue;
            };
            let trace = routed.as_ref().and_then(|(_, parcel)| parcel.trace.clone());
            let send = || Box::pin(send_remote(link.gate, message));
            let mut sent = match trace {
                Some(trace) => trace::carrying(trace, send),
                None => send(),
            };
            // Mostly there is room, and nothing to wait for.
            match sent.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                Poll::Ready(outcome) => self.was_sent(&link, routed, outcome),
                Poll::Pending => {
                    let cluster = self.clone();
                    // Those behind it wait, too.
                    self.runtime.spawn(async move {
                        let outcome = sent.await;
                        cluster.was_sent(&link, routed, outcome);
                        cluster.flush_link(link);
                    });
                    return;
                }
            }
        }
    }

    #[expect(clippy::type_complexity, reason = "a message, and what it was")]
    fn written(&self, link: &LinkOut, out: Out) -> Option<(SerializedMessage, Option<(Header, Arc<Parcel>)>)> {
        let (header, parcel) = match out {
            Out::Other(message) => return Some((message, None)),
            Out::Routed(header, parcel) => (header, parcel),
        };
        let origin = Origin {
            from: self.ownership()?.me(),
            session: link.session,
            header,
        };
        let message = parcel.framed(&origin);
        self.outgoing.sent.fetch_add(1, Ordering::Relaxed);
        Some((message, Some((header, parcel))))
    }

    fn was_sent(
        &self,
        link: &LinkOut,
        routed: Option<(Header, Arc<Parcel>)>,
        outcome: Result<(), SendRefused>,
    ) {
        let (Err(refused), Some((header, _))) = (outcome, routed) else {
            return;
        };
        let Some(ownership) = self.ownership() else { return };
        match refused {
            // Its end is heard of, and what was sent by it is lost then.
            SendRefused::UnknownActor => {}
            SendRefused::TooLarge | SendRefused::Overloaded => {
                let parcel = {
                    let mut lanes = self.outgoing.sender.lock();
                    let row = row(ownership, header.shard);
                    let parcel = lanes.sender.handle_unsendable(header, row, ownership.now());
                    self.outgoing.pass_on(&mut lanes, ownership);
                    parcel
                };
                if let Some(parcel) = parcel {
                    tracing::warn!(entity = %parcel.entity, node = link.node.name, reason = %refused, "a message for an entity is given up");
                    parcel.fail(&refused.to_string());
                }
            }
        }
    }

    /// Messages that were for other nodes, and whose shards are this node's by now.
    fn flush_here(self: &Arc<Self>) {
        loop {
            let next = self.outgoing.here.lock().next();
            let Some((header, parcel)) = next else { return };
            let Some(ownership) = self.ownership() else { return };
            let Header { shard, number, round, .. } = header;
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
            let row = row(ownership, shard);
            lanes.sender.handle_reply(ownership.me(), reply, row, ownership.now());
            self.outgoing.pass_on(&mut lanes, ownership);
        }
    }

    fn put_here(&self, parcel: &Parcel) -> Result<(), NotHere> {
        let entity = &parcel.entity;
        let (Some(of), Some(message)) = (find(&entity.entity_type), parcel.message()) else {
            return Ok(());
        };
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
            let late = peers.unsent.iter().filter(|(_, (since, _))| now.since(*since) >= UNREACHED);
            late.map(|(incarnation, _)| *incarnation).collect()
        };
        for incarnation in unreached {
            self.gone(incarnation);
        }
        let known = |shard| Some(row(ownership, shard));
        let (told, due) = {
            let mut lanes = self.outgoing.sender.lock();
            if std::mem::take(&mut lanes.is_stale) {
                lanes.sender.handle_view(known, now);
            }
            if lanes.sender.poll_timeout().is_some_and(|due| due <= now) {
                lanes.sender.handle_timeout(known, now);
            }
            self.outgoing.pass_on(&mut lanes, ownership);
            let told = self.outgoing.events(&mut lanes);
            (told, lanes.sender.poll_timeout().map(|due| due.since(now)))
        };
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
        let is_present = self.outgoing.peers.lock().link(from).is_some_and(|link| link.session == session);
        if !is_present {
            return;
        }
        {
            let mut lanes = self.outgoing.sender.lock();
            for reply in replies {
                let (Reply::Acknowledged { shard, .. } | Reply::NotOwner { shard, .. }) = reply;
                let row = row(ownership, shard);
                lanes.sender.handle_reply(from, reply, row, ownership.now());
            }
            self.outgoing.pass_on(&mut lanes, ownership);
        }
        self.flush();
        // It may have to be tried again later.
        self.wake.notify_one();
    }

    /// A life of a node is over, or the session with it: what was sent to it and isn't known to be begun is lost.
    pub(super) fn gone(self: &Arc<Self>, incarnation: Incarnation) {
        let Some(ownership) = self.ownership() else { return };
        {
            let mut peers = self.outgoing.peers.lock();
            peers.by_incarnation.remove(&incarnation);
            peers.unsent.remove(&incarnation);
        }
        {
            let mut lanes = self.outgoing.sender.lock();
            lanes
                .sender
                .handle_gone(incarnation, |shard| Some(row(ownership, shard)), ownership.now());
            self.outgoing.pass_on(&mut lanes, ownership);
        }
        self.wake.notify_one();
    }

    /// The gate of a node is there.
    pub(super) fn link_up(self: &Arc<Self>, gate: ActorId) {
        let Some(node) = node_of(gate) else { return };
        {
            let mut peers = self.outgoing.peers.lock();
            peers.last_session += 1;
            let session = SessionId(peers.last_session);
            let known = peers.known.get(&(node.name.clone(), node.incarnation)).copied();
            let queue = Mutex::default();
            let link = LinkOut {
                gate,
                node,
                session,
                queue,
            };
            let link = Arc::new(link);
            peers.links.insert(gate, link.clone());
            if let Some(hello) = self.hello(&link) {
                peers.send(link, hello);
            }
            if let Some(incarnation) = known {
                peers.reached(incarnation, gate);
            }
        }
        self.flush();
    }

    /// The first message of a session. None while this node has no life in the cluster.
    fn hello(&self, link: &LinkOut) -> Option<Out> {
        let own = ractor_host_directory::own_node()?;
        let hello = Hello {
            from: self.ownership()?.me(),
            session: link.session,
            process: own.incarnation,
            node: own.name,
        };
        Some(Out::Other(SerializedMessage::Cast {
            variant: HELLO.to_owned(),
            args: hello.write(),
            metadata: None,
        }))
    }

    /// The node has a life in the cluster, or another one: all others are told.
    pub(super) fn greet(self: &Arc<Self>) {
        let links: Vec<ActorId> = self.outgoing.peers.lock().links.keys().copied().collect();
        for gate in links {
            // What was sent by the session before was that of another life.
            self.link_up(gate);
        }
    }

    /// A node has said which life of its process it is.
    pub(super) fn greeted(self: &Arc<Self>, hello: &Hello) {
        let mut outlived = None;
        {
            let mut peers = self.outgoing.peers.lock();
            let name = (hello.node.clone(), hello.process);
            outlived = peers.known.insert(name, hello.from).filter(|before| *before != hello.from).or(outlived);
            let mut links = peers.links.values();
            let link = links.find(|link| link.node.name == hello.node && link.node.incarnation == hello.process);
            if let Some(gate) = link.map(|link| link.gate) {
                peers.reached(hello.from, gate);
            }
        }
        if let Some(before) = outlived {
            self.gone(before);
        }
        self.flush();
    }

    /// The session with the node of this gate is over.
    pub(super) fn link_down(self: &Arc<Self>, gate: ActorId) {
        let lives: Vec<Incarnation> = {
            let mut peers = self.outgoing.peers.lock();
            if let Some(link) = peers.links.remove(&gate) {
                peers.known.remove(&(link.node.name.clone(), link.node.incarnation));
            }
            let of_gate = peers.by_incarnation.iter().filter(|(_, at)| **at == gate);
            of_gate.map(|(incarnation, _)| *incarnation).collect()
        };
        for incarnation in lives {
            self.gone(incarnation);
            self.incoming.gone(incarnation);
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

/// What is known of a shard.
fn row(ownership: &dyn Ownership, shard: ShardId) -> ShardRow {
    ownership.row(shard).unwrap_or(ShardRow {
        shard,
        epoch: Epoch(0),
        owner: None,
    })
}
