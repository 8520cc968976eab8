//! One session of a node: what it is made of, and what it keeps.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Instant;

use ractor::concurrency::JoinHandle;
use ractor::{ActorCell, ActorRef, ActorStatus, RpcReplyPort};

use super::admission::Permit;
use super::hearsay::Hearsay;
use super::left_out::LeftOut;
use super::link::Link;
use super::node_requests::DialPurpose;
use super::stand_ins::StandIns;
use super::timer::SessionTimer;
use super::{
    GroupInterest, NameMessage, NodeConnectionMode, NodeServerMessage, PeerLimits, SessionLimits, StandInNames, sync,
};
use crate::NodeId;
use crate::directory::{self, WantedActor};
use crate::session::{
    CloseReason, EntryRefusals, LocalChange, PeerAccount, PeerLedger, Role, Session, SessionConfig, StockPeers, Timing,
    ToldGroups,
};
use crate::transport::{FrameKind, Room};
use crate::wire::{self, Data};

/// One connection to another node.
#[derive(Debug)]
pub struct NodeSession {
    pub(super) node_id: NodeId,
    pub(super) role: Role,
    pub(super) cookie: String,
    pub(super) node_server: ActorRef<NodeServerMessage>,
    pub(super) local: NameMessage,
    pub(super) connection_mode: NodeConnectionMode,
    pub(super) limits: SessionLimits,
    /// What the peer takes of this node's memory.
    pub(super) account: Arc<PeerAccount>,
    /// What sessions may do at one time on the word of peers.
    pub(super) hearsay: Arc<Hearsay>,
    pub(super) timing: Timing,
    pub(super) stand_in_names: StandInNames,
    /// The groups of other nodes that this one wants to know of; none for all.
    pub(super) groups: Option<GroupInterest>,
    /// Why it was opened, if this node opened it.
    pub(super) purpose: DialPurpose,
    /// Whether the peer may prove no more than the cookie.
    pub(super) stock_peers: StockPeers,
    /// An accepted connection's right to be open before it has authenticated.
    pub(super) permit: Option<Permit>,
}

impl NodeSession {
    /// A session that is yet to be spawned with its [`NetworkStream`](crate::NetworkStream).
    ///
    /// - `node_id`: the node id of the peer's actors; no other session of this process may have it
    /// - `is_server`: true if this node accepted the connection
    /// - `cookie`: the shared secret
    /// - `node_server`: the node that the session belongs to
    /// - `node_name`: this node's own name
    /// - `connection_mode`: whether to connect to the peer's peers
    pub fn new(
        node_id: NodeId,
        is_server: bool,
        cookie: String,
        node_server: ActorRef<NodeServerMessage>,
        node_name: NameMessage,
        connection_mode: NodeConnectionMode,
    ) -> Self {
        let role = if is_server { Role::Acceptor } else { Role::Initiator };
        Self {
            node_id,
            role,
            cookie,
            node_server,
            local: NameMessage {
                connection_id: connection_id(role),
                ..node_name
            },
            connection_mode,
            limits: SessionLimits::default(),
            account: default_account(),
            hearsay: Arc::default(),
            timing: Timing::default(),
            stand_in_names: StandInNames::default(),
            groups: None,
            purpose: DialPurpose::default(),
            stock_peers: StockPeers::default(),
            permit: None,
        }
    }

    /// Sets the largest frame that the session accepts, in bytes; a larger one ends it before anything is allocated.
    #[must_use]
    pub fn with_max_inbound_frame_size(mut self, max_frame_size: u64) -> Self {
        self.limits.inbound_frame = max_frame_size;
        self
    }

    pub(super) fn start_session(&self, now: Instant) -> Session {
        Session::new(
            SessionConfig {
                role: self.role,
                local: self.local.clone(),
                cookie: self.cookie.clone(),
                transitive: self.connection_mode == NodeConnectionMode::Transitive,
                timing: self.timing,
                stock_peers: self.stock_peers,
                challenge: match &self.permit {
                    Some(permit) => permit.challenge(rand::random()),
                    None => rand::random::<u32>().into(),
                },
                nonce: rand::random(),
                jitter: rand::random(),
                account: self.account.clone(),
                interest: self.groups.clone(),
            },
            now,
        )
    }
}

fn kind(message: &wire::Message) -> FrameKind {
    match message {
        wire::Message::Data(Data::Cast(_)) => FrameKind::Cast,
        wire::Message::Data(Data::Call(_)) => FrameKind::Call,
        wire::Message::Data(Data::Reply(_) | Data::CallFailed { .. }) => FrameKind::Reply,
        _ => FrameKind::Control,
    }
}

/// The account of a session that no node has made, and that has no share in a node's ledger.
fn default_account() -> Arc<PeerAccount> {
    let PeerLimits {
        peer_bytes,
        all_peers_bytes,
        ..
    } = PeerLimits::default();
    Arc::new(PeerAccount::new(Arc::new(PeerLedger::new(all_peers_bytes)), peer_bytes))
}

/// An initiator's nonce; an acceptor has none.
fn connection_id(role: Role) -> u64 {
    match role {
        // On the wire, 0 means that there is none.
        Role::Initiator => rand::random::<u64>().max(1),
        Role::Acceptor => 0,
    }
}

/// The state of a [`NodeSession`].
#[derive(Debug)]
pub struct NodeSessionState {
    pub(super) session: Session,
    pub(super) link: Arc<Link>,
    pub(super) stand_ins: StandIns,
    /// Entries about the peer's actors that were not taken, and about this node's that were not sent.
    pub(super) left_out: LeftOut,
    /// Those who wait until the peer has handled what it was sent, in the order in which they asked.
    pub(super) confirmations: VecDeque<RpcReplyPort<()>>,
    /// What the peer was told of this node's groups.
    pub(super) told: ToldGroups,
    /// Those who wait until the peer has said whether it has an actor, by the pids of these.
    pub(super) questions: HashMap<u64, Vec<RpcReplyPort<Option<()>>>>,
    pub(super) met: MetActors,
    pub(super) peer: Option<NameMessage>,
    pub(super) writer: Option<JoinHandle<()>>,
    pub(super) timer: SessionTimer,
    /// Why the session is ending, once it is.
    pub(super) closed: Option<CloseReason>,
    /// This node is about to stop, and has taken its actors out of their groups for the peer.
    pub(super) is_leaving: bool,
    /// Ends what would outlive the actor, however it ends: after a kill there is no `post_stop`.
    pub(super) _ending: SessionCleanup,
}

/// The actors that one end has told of because the other came across their addresses, by pid.
#[derive(Debug, Default)]
pub(super) struct MetActors {
    /// Those of this node.
    pub(super) ours: HashSet<u64>,
    /// Those of the peer.
    pub(super) theirs: HashSet<u64>,
}

#[derive(Debug)]
pub(super) struct SessionCleanup {
    pub(super) id: ractor::ActorId,
    pub(super) link: Arc<Link>,
    pub(super) reader: JoinHandle<()>,
}

impl Drop for SessionCleanup {
    fn drop(&mut self) {
        // First the ways by which others reach the session, then the link: nobody may find one that is shut.
        sync::demonitor(self.id);
        directory::remove_peer(self.link.node_id());
        self.reader.abort();
        self.link.shut();
    }
}

impl NodeSessionState {
    /// Takes this node's actors out of their groups, as far as the peer can see, and tells it why.
    pub(super) fn leave(&mut self) {
        self.is_leaving = true;
        for change in sync::leave_groups(&mut self.told, |group| group != directory::GATES) {
            self.session.handle_local(LocalChange::Left(change));
        }
        self.session.handle_leaving();
    }

    /// The pid and name of an actor that the peer advertises.
    pub(super) fn look(&self, wanted: WantedActor) -> Option<wire::Actor> {
        let pid = match wanted {
            WantedActor::Pid(pid) => pid,
            WantedActor::Name(name) => self.session.peer_actor_named(&name)?,
        };
        self.session.peer_actor(pid)
    }

    pub(super) fn push(&self, message: &wire::Message) {
        if let wire::Message::Data(Data::Reply(_)) | wire::Message::Unknown = message {
            return;
        }
        self.link
            .outbox()
            .push((kind(message), Room::Needed), |out| wire::encode(message, out))
            .ok();
    }

    /// A local actor started. The peer hears of it if it is shared.
    pub(super) fn spawned(&mut self, cell: &ActorCell) {
        // Noted for actors that aren't shared as well: the end of a stand-in can take their names just the same.
        self.stand_ins.note_namesake(cell);
        if self.session.tells_changes()
            && sync::is_shared(cell)
            && sync::is_told_unasked(cell, &self.told)
            && let Some(actor) = sync::advertise(&self.link, cell, &mut self.left_out)
        {
            self.session.handle_local(LocalChange::Spawned(actor));
        }
    }

    /// Actors have joined a group. The peer hears of those that it wants to know of.
    pub(super) fn joined(&mut self, scope: String, group: String, cells: &[ActorCell]) {
        // A peer sends no more to a node that is about to stop.
        if self.is_leaving || !self.session.tells_changes() {
            return;
        }
        let change = sync::group_change(&self.link, (scope, group), cells, &mut self.told, &mut self.left_out);
        if let Some(change) = change {
            self.session.handle_local(LocalChange::Joined(change));
        }
    }

    /// Actors have left a group. If one of them stood for others, another does from now on.
    pub(super) fn left(&mut self, scope: String, group: String, cells: &[ActorCell]) {
        if !self.session.tells_changes() {
            return;
        }
        let Some(left) = sync::group_leave((scope, group), cells, &mut self.told) else {
            return;
        };
        let mut change = left.change;
        if left.is_vacant && !self.is_leaving {
            let group = (change.scope.clone(), change.group.clone());
            let next = sync::members_to_tell(&self.link, group, &mut self.told, &mut self.left_out);
            if let Some(next) = next {
                // One that has joined again meanwhile has never left, as far as the peer can see.
                change.actors.retain(|actor| !next.actors.contains(actor));
                // Before the other leaves, so that the peer finds somebody at any time.
                self.session.handle_local(LocalChange::Joined(next));
            }
        }
        if !change.actors.is_empty() {
            self.session.handle_local(LocalChange::Left(change));
        }
    }

    /// Somebody has come across an actor's address: asks the peer for the actor if it has told nothing of it.
    pub(super) fn learn(&mut self, pid: u64, reply: RpcReplyPort<Option<()>>) {
        // The port of a question that can't be asked is dropped, which says that there is no such actor.
        if self.session.handle_question(pid) {
            let waiting = self.questions.entry(pid).or_default();
            // A peer that never answers must not make them pile up.
            waiting.retain(|port| !port.is_closed());
            waiting.push(reply);
        }
    }

    /// The peer asks for an actor of this node.
    pub(super) fn asked(&mut self, pid: u64) {
        // One that is about to end would never be withdrawn.
        let cell = directory::local_actor(pid).filter(|cell| cell.get_status() < ActorStatus::Stopping);
        let shared = cell.filter(sync::is_shared);
        let actor = shared.and_then(|cell| sync::advertise(&self.link, &cell, &mut self.left_out));
        if actor.is_some() {
            self.met.ours.insert(pid);
        }
        self.session.handle_answer(pid, actor);
    }

    /// True if the session is for entities and nobody at this end needs it: nobody has come across the address of an actor at the other end
    /// that still lives, no call waits for its reply, and nothing waits to be sent. What is sent to entities is for others to know.
    pub(super) fn is_unused(&self) -> bool {
        let has_met = !self.met.ours.is_empty() || !self.met.theirs.is_empty() || !self.questions.is_empty();
        self.session.is_for_entities() && !has_met && self.link.is_quiet()
    }

    /// Counts entries of the peer that were not taken.
    pub(super) fn note(&mut self, refusals: EntryRefusals) {
        for refused in refusals.into_inner() {
            self.left_out.theirs(&refused);
        }
    }

    /// Withdraws a local actor that ended.
    pub(super) fn terminated(&mut self, cell: &ActorCell) {
        self.met.ours.remove(&cell.get_id().pid());
        // The peer hears of the ends of those actors alone that it was told of.
        if self.link.withdraw(cell.get_id().pid()) {
            self.session.handle_local(LocalChange::Terminated(cell.get_id().pid()));
        }
    }

    pub(super) fn tick(&mut self) {
        let now = Instant::now();
        // The timer has fired. `arm` keeps one whose time is early enough, and would never replace this one.
        self.timer.disarm();
        // Traffic before the deadline: a peer that has just sent something is not silent.
        if self.link.take_traffic() {
            self.session.handle_traffic(now);
        }
        // Pings make a tick come every few seconds, so the sweep needs no timer of its own.
        self.link.sweep_calls(now);
        self.session.handle_timeout(now);
    }

    pub(super) fn peer_name(&self) -> &str {
        self.peer.as_ref().map_or("?", |peer| peer.name.as_str())
    }
}
