//! The actor of one session: carries out what the pure session decides.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ractor::concurrency::{JoinHandle, OneshotSender};
use ractor::registry::PidLifecycleEvent;
use ractor::{Actor, ActorCell, ActorProcessingErr, ActorRef, RpcReplyPort, SupervisionEvent, pg};
use tokio::sync::Semaphore;

use super::admission::Permit;
use super::ingress::Ingress;
use super::left_out::LeftOut;
use super::link::Link;
use super::messages::{Inbound, Outbound};
use super::requests::{Purpose, SessionRequest};
use super::session_events::MAX_TRANSITIVE_DIALS;
use super::stand_ins::{StandIns, Tenure};
use super::timer::Timer;
use super::{
    NameMessage, NodeConnectionMode, NodeServerMessage, NodeSessionMessage, PeerLimits, SessionLimits, StandInNames,
    sync,
};
use crate::NodeId;
use crate::directory::{self, HostedEvent, Wanted};
use crate::session::{
    Account, CloseReason, Ledger, LocalChange, Refusals, Role, Session, SessionConfig, StockPeers, Timing,
};
use crate::transport::{NetworkStream, split, write_outbox};
use crate::wire::{self, Data};

/// The longest time for the stand-ins of an ending session to end in order.
const STAND_INS: Duration = Duration::from_secs(2);

/// The longest time for an ending session to write what it has accepted.
const FLUSH: Duration = Duration::from_secs(5);

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
    /// What the peer holds of this node's memory.
    pub(super) account: Arc<Account>,
    /// One for each connection that the node may be opening on a peer's word.
    pub(super) hearsay: Arc<Semaphore>,
    pub(super) timing: Timing,
    pub(super) stand_in_names: StandInNames,
    /// What it was opened for, if this node opened it.
    pub(super) purpose: Purpose,
    /// Whether the peer may prove no more than the cookie.
    pub(super) stock_peers: StockPeers,
    /// An accepted connection's right to be open before it has authenticated.
    pub(super) permit: Option<Permit>,
}

impl NodeSession {
    /// A session that is yet to be spawned with its [`NetworkStream`].
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
            hearsay: Arc::new(Semaphore::new(MAX_TRANSITIVE_DIALS)),
            timing: Timing::default(),
            stand_in_names: StandInNames::default(),
            purpose: Purpose::default(),
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

    fn start_session(&self, now: Instant) -> Session {
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
            },
            now,
        )
    }

    /// Gives back whom to tell that the request is handled, once the session has done what it decided.
    async fn handle_request(
        &self,
        myself: &ActorRef<NodeSessionMessage>,
        state: &mut NodeSessionState,
        request: SessionRequest,
    ) -> Option<OneshotSender<bool>> {
        match request {
            SessionRequest::Message { message, handled } => {
                state.session.handle_message(message, Instant::now());
                return Some(handled);
            }
            SessionRequest::DeadLetters(reply) => drop(reply.send(state.link.dead_letters())),
            SessionRequest::LeftOut(reply) => drop(reply.send(state.left_out.count())),
            SessionRequest::Confirm(reply) => {
                if state.session.handle_confirmation(Instant::now()) {
                    state.confirmations.push_back(reply);
                }
            }
            SessionRequest::Hosted(HostedEvent::Spawned(cell)) => state.spawned(&cell),
            SessionRequest::Hosted(HostedEvent::Terminated(cell)) => state.terminated(&cell),
            SessionRequest::StandIn(pid, reply) => {
                let cell = self.stand_in(myself, state, pid, Tenure::Session).await;
                drop(reply.send(cell));
            }
            SessionRequest::StandInNamed(name, reply) => {
                let cell = match state.session.peer_actor_named(&name) {
                    Some(pid) => self.stand_in(myself, state, pid, Tenure::Session).await,
                    None => None,
                };
                drop(reply.send(cell));
            }
            SessionRequest::Look(wanted, reply) => drop(reply.send(state.look(wanted))),
            SessionRequest::Lend(pid, reply) => {
                let cell = self.stand_in(myself, state, pid, Tenure::Lent).await;
                drop(reply.send(cell));
            }
            SessionRequest::GiveBack(pid) => state.stand_ins.take_back(pid).await,
            SessionRequest::Contested(rival) => state.session.handle_contested(&rival),
            SessionRequest::LinkEnded(reason) => state.session.handle_closed(reason),
            SessionRequest::GiveWay if state.session.is_authenticated() => {}
            SessionRequest::GiveWay => state.session.handle_closed(CloseReason::GaveWay),
            SessionRequest::Tick => state.tick(),
        }
        None
    }
}

/// For a session that no node has made, which has no share in a node's ledger.
fn default_account() -> Arc<Account> {
    let PeerLimits {
        peer_bytes,
        all_peers_bytes,
        ..
    } = PeerLimits::default();
    Arc::new(Account::new(Arc::new(Ledger::new(all_peers_bytes)), peer_bytes))
}

/// An initiator's nonce; an acceptor has none.
fn connection_id(role: Role) -> u64 {
    match role {
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
    /// What was not taken of the peer's actors, and not said of this node's.
    pub(super) left_out: LeftOut,
    /// Who waits for the peer to have handled what it was sent, in the order of asking.
    pub(super) confirmations: VecDeque<RpcReplyPort<()>>,
    pub(super) peer: Option<NameMessage>,
    pub(super) writer: Option<JoinHandle<()>>,
    pub(super) timer: Timer,
    /// Why the session is ending, once it is.
    pub(super) closed: Option<CloseReason>,
    /// Ends what outlives the actor, however it ends: after a kill there is no `post_stop`.
    _ending: Ending,
}

#[derive(Debug)]
struct Ending {
    id: ractor::ActorId,
    link: Arc<Link>,
    reader: JoinHandle<()>,
}

impl Drop for Ending {
    fn drop(&mut self) {
        sync::demonitor(self.id);
        directory::remove_peer(self.link.node_id());
        self.reader.abort();
        self.link.shut();
    }
}

#[cfg_attr(feature = "async-trait", ractor::async_trait)]
impl Actor for NodeSession {
    type Msg = NodeSessionMessage;
    type Arguments = NetworkStream;
    type State = NodeSessionState;

    async fn pre_start(
        &self,
        myself: ActorRef<Self::Msg>,
        stream: NetworkStream,
    ) -> Result<Self::State, ActorProcessingErr> {
        let link = Arc::new(Link::new(self.node_id, self.limits));
        let (read, write) = split(stream);
        let ingress = Ingress::new(read, link.clone(), myself.clone());
        let session = myself.clone();
        let reader = ractor::concurrency::spawn(async move {
            let reason = ingress.run().await;
            drop(session.cast(SessionRequest::LinkEnded(reason).into()));
        });
        let session = myself.clone();
        let outgoing = link.clone();
        let writer = ractor::concurrency::spawn(async move {
            if let Err(error) = write_outbox(outgoing.outbox(), write).await {
                drop(session.cast(SessionRequest::LinkEnded(CloseReason::Io(error.kind())).into()));
            }
        });
        let mut state = NodeSessionState {
            session: self.start_session(Instant::now()),
            stand_ins: StandIns::new(self.stand_in_names, self.account.clone()),
            left_out: LeftOut::default(),
            confirmations: VecDeque::new(),
            peer: None,
            writer: Some(writer),
            timer: Timer::default(),
            closed: None,
            _ending: Ending {
                id: myself.get_id(),
                link: link.clone(),
                reader,
            },
            link,
        };
        if let Some(permit) = &self.permit {
            let session = myself.clone();
            permit.on_give_way(move || drop(session.cast(SessionRequest::GiveWay.into())));
        }
        self.pump(&myself, &mut state).await;
        Ok(state)
    }

    async fn handle(
        &self,
        myself: ActorRef<Self::Msg>,
        message: Self::Msg,
        state: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        let mut handled = None;
        match message {
            NodeSessionMessage::MessageReceived(Inbound(request)) => {
                handled = self.handle_request(&myself, state, request).await;
            }
            NodeSessionMessage::SendMessage(Outbound(data)) => state.push(&wire::Message::Data(data)),
            NodeSessionMessage::GetAuthenticationState(reply) => drop(reply.send(state.session.is_authenticated())),
            NodeSessionMessage::GetReadyState(reply) => drop(reply.send(state.session.is_ready())),
        }
        self.pump(&myself, state).await;
        if let Some(handled) = handled {
            handled.send(state.session.is_authenticated()).ok();
        }
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        myself: ActorRef<Self::Msg>,
        event: SupervisionEvent,
        state: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        match event {
            SupervisionEvent::ActorStarted(_) => {}
            SupervisionEvent::ActorTerminated(cell, _, _) => state.stand_ins.forget(&cell),
            SupervisionEvent::ActorFailed(cell, error) => {
                tracing::error!(actor = %cell.get_id(), "the stand-in of a remote actor failed: {error}");
                state.stand_ins.forget(&cell);
            }
            SupervisionEvent::PidLifecycleEvent(PidLifecycleEvent::Spawn(cell)) => state.spawned(&cell),
            SupervisionEvent::PidLifecycleEvent(PidLifecycleEvent::Terminate(cell)) => state.terminated(&cell),
            SupervisionEvent::ProcessGroupChanged(pg::GroupChangeMessage::Join(scope, group, cells)) => {
                let change = sync::group_change(&state.link, scope, group, &cells, &mut state.left_out);
                change
                    .into_iter()
                    .for_each(|change| state.session.handle_local(LocalChange::Joined(change)));
            }
            SupervisionEvent::ProcessGroupChanged(pg::GroupChangeMessage::Leave(scope, group, cells)) => {
                let change = sync::group_leave(scope, group, &cells);
                change
                    .into_iter()
                    .for_each(|change| state.session.handle_local(LocalChange::Left(change)));
            }
        }
        self.pump(&myself, state).await;
        Ok(())
    }

    async fn post_stop(&self, myself: ActorRef<Self::Msg>, state: &mut Self::State) -> Result<(), ActorProcessingErr> {
        state.timer.disarm();
        // Killed by ractor with their session, stand-ins could not say to their monitors why they end.
        let why = format!(
            "the node {} is down: {}",
            state.peer_name(),
            state.closed.as_ref().unwrap_or(&CloseReason::Local)
        );
        myself.stop_children_and_wait(Some(why), Some(STAND_INS)).await;
        state.stand_ins.ended();
        let Some(writer) = state.writer.take() else {
            return Ok(());
        };
        if state.closed.as_ref().is_some_and(CloseReason::is_link_dead) {
            state.link.outbox().abandon();
            writer.abort();
            return Ok(());
        }
        state.link.outbox().close();
        let abort = writer.abort_handle();
        if ractor::concurrency::timeout(FLUSH, writer).await.is_err() {
            abort.abort();
            tracing::warn!(
                node_id = self.node_id,
                "the peer did not take what was sent to it within {FLUSH:?}"
            );
        }
        Ok(())
    }
}

impl NodeSessionState {
    /// What the peer advertises of an actor.
    fn look(&self, wanted: Wanted) -> Option<wire::Actor> {
        let pid = match wanted {
            Wanted::Pid(pid) => pid,
            Wanted::Name(name) => self.session.peer_actor_named(&name)?,
        };
        self.session.peer_actor(pid)
    }

    fn push(&self, message: &wire::Message) {
        if let wire::Message::Data(Data::Reply(_)) | wire::Message::Unknown = message {
            return;
        }
        self.link.outbox().push(|out| wire::encode(message, out)).ok();
    }

    /// A local actor started: peers hear of it if they may.
    fn spawned(&mut self, cell: &ActorCell) {
        self.stand_ins.note_namesake(cell);
        if sync::is_shared(cell)
            && let Some(actor) = sync::advertise(&self.link, cell, &mut self.left_out)
        {
            self.session.handle_local(LocalChange::Spawned(actor));
        }
    }

    /// Entries of the peer's were not taken.
    pub(super) fn note(&mut self, refusals: Refusals) {
        for refused in refusals.into_inner() {
            self.left_out.theirs(&refused);
        }
    }

    /// Withdraws a local actor that ended.
    fn terminated(&mut self, cell: &ActorCell) {
        if self.link.withdraw(cell.get_id().pid()) {
            self.session.handle_local(LocalChange::Terminated(cell.get_id().pid()));
        }
    }

    fn tick(&mut self) {
        let now = Instant::now();
        self.timer.disarm();
        if self.link.take_heard() {
            self.session.handle_traffic(now);
        }
        self.link.sweep_calls(now);
        self.session.handle_timeout(now);
    }

    pub(super) fn peer_name(&self) -> &str {
        self.peer.as_ref().map_or("?", |peer| peer.name.as_str())
    }
}
