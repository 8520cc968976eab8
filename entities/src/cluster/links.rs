//! The ways to the gates of other nodes.
//!
//! A node says who it is in the first message of a session, so that others know which life of which process is behind a link. What is for a life
//! that no link is known of waits here for a while.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Waker};

use parking_lot::Mutex;
use ractor::ActorId;
use ractor::message::SerializedMessage;
use ractor_host_directory::{BoxFuture, Node, SendRefused, node_of, own_node, send_remote, trace};
use ractor_host_placement::routing::{Header, SessionId};
use ractor_host_placement::words::{BootTime, Incarnation};

use super::Cluster;
use super::frame::{HELLO, Hello, Origin};
use super::parcel::Parcel;

/// The most lives of nodes that are known at a time, each by its process.
const MOST_LIVES: usize = 4_096;

/// The most sessions of a life whose ends haven't been heard of.
const MOST_SESSIONS: usize = 16;

/// What one thread at a time sends, in order.
pub(super) struct Queue<T> {
    pub(super) waiting: VecDeque<T>,
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
    pub(super) fn next(&mut self) -> Option<T> {
        let next = self.waiting.pop_front();
        self.is_busy = next.is_some();
        next
    }

    /// True if there is none, and nobody is busy with one.
    pub(super) fn is_idle(&self) -> bool {
        self.waiting.is_empty() && !self.is_busy
    }

    /// True if whoever asks is to be busy with them from now on.
    pub(super) fn begin(&mut self) -> bool {
        !self.waiting.is_empty() && !std::mem::replace(&mut self.is_busy, true)
    }
}

/// A message with what stands in front of it.
type Numbered = (Header, Arc<Parcel>);

#[derive(Default)]
pub(super) struct Peers {
    links: HashMap<ActorId, Arc<LinkOut>>,
    /// The lives of nodes by what they have said of themselves: the name, and the number of the process.
    known: HashMap<(String, u64), Incarnation>,
    /// The sessions that a life has begun by its links, in order. A message of the next link may come before this node has heard of the end of
    /// the one before.
    heard: HashMap<Incarnation, VecDeque<SessionId>>,
    pub(super) by_incarnation: HashMap<Incarnation, ActorId>,
    /// For nodes that there is no link to, since when.
    pub(super) unsent: BTreeMap<Incarnation, (BootTime, Vec<Numbered>)>,
    /// Links with something to send.
    pub(super) pending: Vec<Arc<LinkOut>>,
    last_session: u64,
    /// The last question whether a session may end.
    pub(super) last_question: u64,
}

/// The way to the gate of a node.
pub(super) struct LinkOut {
    pub(super) gate: ActorId,
    node: Node,
    /// The life of this node that it has said to be.
    me: Option<Incarnation>,
    pub(super) session: SessionId,
    pub(super) queue: Mutex<Queue<Out>>,
    /// The session may be about to end, by this question: messages wait until it has, or goes on. 0: it isn't.
    pub(super) held: AtomicU64,
}

pub(super) enum Out {
    Routed(Header, Arc<Parcel>),
    Other(SerializedMessage),
}

impl Peers {
    /// False if there is no session with that node, and the message waits for one.
    pub(super) fn put(&mut self, to: Incarnation, header: Header, parcel: Arc<Parcel>, now: BootTime) -> bool {
        let link = self.link(to);
        let is_linked = link.is_some();
        // Behind what waits for a session that may be about to end.
        match link.filter(|link| link.held.load(Ordering::Relaxed) == 0) {
            Some(link) => self.send(link, Out::Routed(header, parcel)),
            None => self
                .unsent
                .entry(to)
                .or_insert_with(|| (now, Vec::new()))
                .1
                .push((header, parcel)),
        }
        is_linked
    }

    /// The links to nodes that have said who they are.
    pub(super) fn greeted(&self) -> Vec<Arc<LinkOut>> {
        let gates = self.by_incarnation.values();
        gates.filter_map(|gate| self.links.get(gate).cloned()).collect()
    }

    /// The gate at the other end of the session with this number, and the lives of nodes behind it.
    pub(super) fn of_session(&self, session: u64) -> Option<(Arc<LinkOut>, Vec<Incarnation>)> {
        let (gate, link) = self.links.iter().find(|(gate, _)| gate.node() == session)?;
        let behind = self.by_incarnation.iter().filter(|(_, at)| *at == gate);
        Some((link.clone(), behind.map(|(incarnation, _)| *incarnation).collect()))
    }

    pub(super) fn link(&self, to: Incarnation) -> Option<Arc<LinkOut>> {
        self.links.get(self.by_incarnation.get(&to)?).cloned()
    }

    /// The gate of a process by its latest session.
    fn latest(&self, node: &str, process: u64) -> Option<ActorId> {
        let links = self.links.values();
        let of_node = links.filter(|link| link.node.name == node && link.node.incarnation == process);
        of_node.max_by_key(|link| link.session).map(|link| link.gate)
    }

    pub(super) fn send(&mut self, link: Arc<LinkOut>, out: Out) {
        link.queue.lock().waiting.push_back(out);
        self.pending.push(link);
    }

    /// What waited for a link to this node.
    pub(super) fn reached(&mut self, incarnation: Incarnation, gate: ActorId) {
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
    pub(super) fn flush_link(self: &Arc<Self>, link: Arc<LinkOut>) {
        loop {
            let next = link.queue.lock().next();
            let Some(out) = next else { return };
            let Some((message, routed)) = self.written(&link, out) else {
                continue;
            };
            let trace = routed.as_ref().and_then(|(_, parcel)| parcel.trace.clone());
            let sent = send_remote(link.gate, message);
            let mut sent: BoxFuture<'static, _> = match trace {
                Some(trace) => Box::pin(trace::carry(trace, sent)),
                None => Box::pin(sent),
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

    fn written(&self, link: &LinkOut, out: Out) -> Option<(SerializedMessage, Option<Numbered>)> {
        let (header, parcel) = match out {
            Out::Other(message) => return Some((message, None)),
            Out::Routed(header, parcel) => (header, parcel),
        };
        let origin = Origin {
            from: link.me?,
            session: link.session,
            header,
        };
        let message = parcel.framed(link.gate, &origin);
        self.outgoing.sent.fetch_add(1, Ordering::Relaxed);
        Some((message, Some((header, parcel))))
    }

    fn was_sent(&self, link: &LinkOut, routed: Option<Numbered>, outcome: Result<(), SendRefused>) {
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
                    let row = self.row(ownership, header.shard);
                    let parcel = lanes.sender.handle_unsendable(header, row, ownership.now());
                    self.outgoing.pass_on(&mut lanes, self, ownership);
                    parcel
                };
                if let Some(parcel) = parcel {
                    tracing::warn!(entity = %parcel.entity, node = link.node.name, reason = %refused, "a message for an entity is given up");
                    parcel.fail(&refused.to_string());
                }
            }
        }
    }

    /// The gate of a node is there.
    pub(super) fn link_up(self: &Arc<Self>, gate: ActorId) {
        let Some(node) = node_of(gate) else { return };
        if self.outgoing.peers.lock().links.contains_key(&gate) {
            return;
        }
        self.open_session(gate, node);
        self.flush();
    }

    /// Begins a session with the node of a gate, in place of one that there is.
    fn open_session(self: &Arc<Self>, gate: ActorId, node: Node) {
        let me = self.ownership().map(|ownership| ownership.me());
        let known = {
            let mut peers = self.outgoing.peers.lock();
            peers.last_session += 1;
            let session = SessionId(peers.last_session);
            let known = peers.known.get(&(node.name.clone(), node.incarnation)).copied();
            let queue = Mutex::default();
            let link = Arc::new(LinkOut {
                gate,
                node,
                me,
                session,
                queue,
                held: AtomicU64::new(0),
            });
            peers.links.insert(gate, link.clone());
            if let Some(hello) = me.and_then(|me| hello(me, session)) {
                peers.send(link, hello);
            }
            known
        };
        if let Some(incarnation) = known {
            self.reach_by(incarnation, gate);
        }
    }

    /// The life of a node is behind this gate from now on. What was sent to it by another session is lost: nobody says any more when it is
    /// begun.
    fn reach_by(self: &Arc<Self>, incarnation: Incarnation, gate: ActorId) {
        let before = self.outgoing.peers.lock().by_incarnation.get(&incarnation).copied();
        if before.is_some_and(|before| before != gate) {
            self.gone(incarnation);
        }
        self.outgoing.peers.lock().reached(incarnation, gate);
    }

    /// The node has a life in the cluster, or another one: all others are told.
    pub(super) fn greet(self: &Arc<Self>) {
        let me = self.ownership().map(|ownership| ownership.me());
        let links: Vec<Arc<LinkOut>> = self.outgoing.peers.lock().links.values().cloned().collect();
        for link in links.into_iter().filter(|link| link.me != me) {
            // What was sent by the session before was that of another life.
            for life in self.lives_behind(link.gate) {
                self.gone(life);
            }
            self.open_session(link.gate, link.node.clone());
        }
        self.flush();
    }

    fn lives_behind(&self, gate: ActorId) -> Vec<Incarnation> {
        let peers = self.outgoing.peers.lock();
        let of_gate = peers.by_incarnation.iter().filter(|(_, at)| **at == gate);
        of_gate.map(|(incarnation, _)| *incarnation).collect()
    }

    /// A node has said which life of its process it is.
    pub(super) fn greeted(self: &Arc<Self>, hello: &Hello) {
        let name = (hello.node.clone(), hello.process);
        let (before, gate) = {
            let mut peers = self.outgoing.peers.lock();
            if peers.known.len() >= MOST_LIVES && !peers.known.contains_key(&name) {
                tracing::warn!(
                    node = hello.node,
                    "more nodes than there can be say that they have entities"
                );
                return;
            }
            let before = peers
                .known
                .insert(name, hello.from)
                .filter(|before| *before != hello.from);
            if let Some(before) = before {
                peers.heard.remove(&before);
            }
            let heard = peers.heard.entry(hello.from).or_default();
            if heard.len() >= MOST_SESSIONS {
                heard.pop_front();
            }
            heard.push_back(hello.session);
            (before, peers.latest(&hello.node, hello.process))
        };
        self.incoming.greeted(hello);
        if let Some(before) = before {
            self.gone(before);
            self.incoming.gone(before, SessionId(u64::MAX));
        }
        if let Some(gate) = gate {
            self.reach_by(hello.from, gate);
        }
        self.flush();
    }

    /// This life of a node is over in the store. One that leaves in order takes and sends what is under way until its session ends.
    pub(super) fn ended_elsewhere(self: &Arc<Self>, incarnation: Incarnation) {
        let is_linked = {
            let mut peers = self.outgoing.peers.lock();
            let is_linked = peers.link(incarnation).is_some();
            if !is_linked {
                peers.heard.remove(&incarnation);
            }
            is_linked
        };
        if !is_linked {
            self.gone(incarnation);
            self.incoming.gone(incarnation, SessionId(u64::MAX));
        }
    }

    /// The session with the node of this gate is over.
    pub(super) fn link_down(self: &Arc<Self>, gate: ActorId) {
        self.farewells.heard(gate);
        let lives = self.lives_behind(gate);
        let (other, known, over) = {
            let mut peers = self.outgoing.peers.lock();
            let Some(link) = peers.links.remove(&gate) else { return };
            let name = (link.node.name.clone(), link.node.incarnation);
            let other = peers.latest(&link.node.name, link.node.incarnation);
            let known = peers.known.get(&name).copied();
            let heard = known.and_then(|known| peers.heard.get_mut(&known));
            let over = heard.and_then(VecDeque::pop_front);
            let is_heard = known.is_some_and(|known| peers.heard.get(&known).is_some_and(|heard| !heard.is_empty()));
            if other.is_none() && !is_heard {
                peers.known.remove(&name);
                if let Some(known) = known {
                    peers.heard.remove(&known);
                }
            }
            (other, known, over)
        };
        for incarnation in lives {
            self.gone(incarnation);
        }
        if let (Some(known), Some(over)) = (known, over) {
            self.incoming.gone(known, over);
        }
        // Another session with the node may have begun before this one was over.
        if let (Some(other), Some(known)) = (other, known) {
            self.reach_by(known, other);
        }
        self.flush();
    }
}

/// The first message of a session. None in a process without a node.
fn hello(me: Incarnation, session: SessionId) -> Option<Out> {
    let own = own_node()?;
    let hello = Hello {
        from: me,
        session,
        process: own.incarnation,
        node: own.name,
    };
    Some(Out::Other(SerializedMessage::Cast {
        variant: HELLO.to_owned(),
        args: hello.write(),
        metadata: None,
    }))
}
