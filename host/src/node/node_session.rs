//! The actor of one session: carries out what the pure session decides.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::stream::FuturesUnordered;
use ractor::concurrency::JoinHandle;
use ractor::registry::PidLifecycleEvent;
use ractor::{Actor, ActorCell, ActorProcessingErr, ActorRef, SupervisionEvent, pg};

use super::admission::Permit;
use super::ingress::Ingress;
use super::link::Link;
use super::messages::{Inbound, Outbound};
use super::stand_ins::{Resolver, StandIns};
use super::{
    DEFAULT_MAX_INBOUND_FRAME_SIZE, DEFAULT_MAX_OUTBOX_SIZE, NameMessage, NodeConnectionMode, NodeServerMessage,
    NodeSessionMessage, sync,
};
use crate::NodeId;
use crate::directory::{self, HostedEvent};
use crate::session::{CloseReason, Event, LocalChange, Role, Session, SessionConfig, Timing};
use crate::transport::{FrameReader, NetworkStream, split, write_outbox};
use crate::wire::{self, Data, GroupChange};

/// How long the node may take to decide about a session.
const NODE_DECISION: Duration = Duration::from_secs(5);

/// How long an ending session may take to write what it has accepted.
const FLUSH: Duration = Duration::from_secs(5);

/// The most connections that one answer of a peer's may have this node open.
const MAX_TRANSITIVE_DIALS: usize = 256;

/// One connection to another node.
#[derive(Debug)]
pub struct NodeSession {
    node_id: NodeId,
    role: Role,
    cookie: String,
    node_server: ActorRef<NodeServerMessage>,
    local: NameMessage,
    connection_mode: NodeConnectionMode,
    pub(super) limits: SessionLimits,
    pub(super) timing: Timing,
    /// An accepted connection's right to be open before it has authenticated.
    pub(super) permit: Option<Permit>,
}

/// The limits of a session.
#[derive(Debug, Clone, Copy)]
pub(super) struct SessionLimits {
    /// The largest inbound frame in bytes.
    pub(super) inbound_frame: u64,
    /// How many bytes may wait for the peer.
    pub(super) outbox: usize,
}

impl Default for SessionLimits {
    fn default() -> Self {
        Self {
            inbound_frame: DEFAULT_MAX_INBOUND_FRAME_SIZE,
            outbox: DEFAULT_MAX_OUTBOX_SIZE,
        }
    }
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
            timing: Timing::default(),
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
                challenge: rand::random(),
                jitter: rand::random(),
            },
            now,
        )
    }
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
    session: Session,
    link: Arc<Link>,
    stand_ins: StandIns,
    peer: Option<NameMessage>,
    writer: Option<JoinHandle<()>>,
    timer: Timer,
    /// Ends what outlives the actor, however it ends: after a kill there is no `post_stop`.
    _ending: Ending,
}

/// Wakes the session at its next deadline.
#[derive(Debug, Default)]
struct Timer {
    due: Option<(Instant, JoinHandle<()>)>,
}

impl Timer {
    fn arm(&mut self, deadline: Option<Instant>, session: &ActorRef<NodeSessionMessage>) {
        match (&self.due, deadline) {
            (_, None) => self.disarm(),
            // An earlier wake-up than needed only finds nothing due and arms the timer again.
            (Some((due, _)), Some(deadline)) if *due <= deadline => {}
            (_, Some(deadline)) => {
                self.disarm();
                let session = session.clone();
                let wake = ractor::concurrency::spawn(async move {
                    tokio::time::sleep_until(deadline.into()).await;
                    drop(session.cast(NodeSessionMessage::Tick));
                });
                self.due = Some((deadline, wake));
            }
        }
    }

    fn disarm(&mut self) {
        if let Some((_, wake)) = self.due.take() {
            wake.abort();
        }
    }
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
        let link = Arc::new(Link::new(self.node_id, self.limits.outbox));
        let (read, write) = split(stream);
        let ingress = Ingress {
            reader: FrameReader::new(read),
            link: link.clone(),
            session: myself.clone(),
            max_frame: self.limits.inbound_frame,
            replies: FuturesUnordered::new(),
            authenticated: false,
        };
        let session = myself.clone();
        let reader = ractor::concurrency::spawn(async move {
            let reason = ingress.run().await;
            drop(session.cast(NodeSessionMessage::LinkEnded(reason)));
        });
        let session = myself.clone();
        let outgoing = link.clone();
        let writer = ractor::concurrency::spawn(async move {
            if let Err(error) = write_outbox(outgoing.outbox(), write).await {
                drop(session.cast(NodeSessionMessage::LinkEnded(CloseReason::Io(error.kind()))));
            }
        });
        let mut state = NodeSessionState {
            session: self.start_session(Instant::now()),
            stand_ins: StandIns::default(),
            peer: None,
            writer: Some(writer),
            timer: Timer::default(),
            _ending: Ending {
                id: myself.get_id(),
                link: link.clone(),
                reader,
            },
            link,
        };
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
            NodeSessionMessage::MessageReceived(Inbound {
                message,
                handled: acknowledge,
            }) => {
                handled = Some(acknowledge);
                state.session.handle_message(message, Instant::now());
            }
            NodeSessionMessage::SendMessage(Outbound(data)) => state.push(&wire::Message::Data(data)),
            NodeSessionMessage::GetAuthenticationState(reply) => drop(reply.send(state.session.is_authenticated())),
            NodeSessionMessage::GetReadyState(reply) => drop(reply.send(state.session.is_ready())),
            NodeSessionMessage::Hosted(HostedEvent::Spawned(cell)) => state.spawned(&cell),
            NodeSessionMessage::Hosted(HostedEvent::Terminated(cell)) => state.terminated(&cell),
            NodeSessionMessage::StandIn(pid, reply) => {
                let cell = self.stand_in(&myself, state, pid).await;
                drop(reply.send(cell));
            }
            NodeSessionMessage::LinkEnded(reason) => state.session.handle_closed(reason),
            NodeSessionMessage::Tick => state.tick(),
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
                let change = sync::group_change(&state.link, scope, group, &cells);
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

    async fn post_stop(&self, _: ActorRef<Self::Msg>, state: &mut Self::State) -> Result<(), ActorProcessingErr> {
        state.timer.disarm();
        state.link.outbox().close();
        if let Some(writer) = state.writer.take()
            && ractor::concurrency::timeout(FLUSH, writer).await.is_err()
        {
            tracing::warn!(
                node_id = self.node_id,
                "the peer did not take what was sent to it within {FLUSH:?}"
            );
        }
        Ok(())
    }
}

impl NodeSessionState {
    fn push(&self, message: &wire::Message) {
        if let wire::Message::Data(Data::Reply(_)) | wire::Message::Unknown = message {
            return;
        }
        self.link.outbox().push(|out| wire::encode(message, out)).ok();
    }

    /// Advertises a local actor that started.
    fn spawned(&mut self, cell: &ActorCell) {
        if sync::is_shared(cell) {
            self.link.advertise(cell);
            self.session
                .handle_local(LocalChange::Spawned(sync::advertisement(cell)));
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
        self.link.sweep_calls();
        self.session.handle_timeout(now);
    }

    fn peer_name(&self) -> &str {
        self.peer.as_ref().map_or("?", |peer| peer.name.as_str())
    }
}

impl NodeSession {
    /// Carries out everything that the session has decided.
    async fn pump(&self, myself: &ActorRef<NodeSessionMessage>, state: &mut NodeSessionState) {
        loop {
            while let Some(message) = state.session.poll_transmit() {
                if state
                    .link
                    .outbox()
                    .push_control(|out| wire::encode(&message, out))
                    .is_err()
                {
                    state.session.handle_closed(CloseReason::TooSlow {
                        limit: state.link.outbox().limit(),
                    });
                }
            }
            let Some(event) = state.session.poll_event() else { break };
            self.handle_event(myself, state, event).await;
        }
        state.timer.arm(state.session.poll_timeout(), myself);
    }

    async fn handle_event(&self, myself: &ActorRef<NodeSessionMessage>, state: &mut NodeSessionState, event: Event) {
        match event {
            Event::PeerNamed(name) => self.peer_named(myself, state, name).await,
            Event::Authenticated => self.authenticated(myself, state).await,
            Event::Ready => {
                tracing::info!(peer = state.peer_name(), "session ready");
                drop(
                    self.node_server
                        .cast(NodeServerMessage::ConnectionReady(myself.get_id())),
                );
            }
            // A table entry until somebody asks for a stand-in.
            Event::Spawned(_) => {}
            Event::Terminated(pids) => {
                for pid in pids {
                    state.stand_ins.terminate(pid);
                    state.link.fail_calls(pid);
                }
            }
            Event::Joined(change) => self.joined(myself, state, change).await,
            Event::Left(GroupChange { scope, group, actors }) => {
                let cells: Vec<_> = actors
                    .iter()
                    .filter_map(|actor| state.stand_ins.get(actor.pid))
                    .collect();
                pg::leave_scoped(scope, group, cells);
            }
            Event::SessionsAsked(asking) => self.answer_sessions(state, &asking).await,
            Event::SessionsLearned(sessions) => self.dial(sessions).await,
            Event::Pong(latency) => tracing::debug!(peer = state.peer_name(), ?latency, "ping answered"),
            Event::Closed(reason) => {
                if !self.permit.as_ref().is_some_and(|permit| permit.report(&reason)) {
                    tracing::info!(
                        peer = state.peer_name(),
                        reason = reason.name(),
                        "session closed: {reason}"
                    );
                }
                let text = reason.to_string();
                drop(
                    self.node_server
                        .cast(NodeServerMessage::SessionClosing(myself.get_id(), reason)),
                );
                myself.stop(Some(text));
            }
        }
    }

    async fn peer_named(&self, myself: &ActorRef<NodeSessionMessage>, state: &mut NodeSessionState, name: NameMessage) {
        let actor_id = myself.get_id();
        state.peer = Some(NameMessage {
            connection_id: 0,
            ..name.clone()
        });
        match self.role {
            Role::Initiator => drop(
                self.node_server
                    .cast(NodeServerMessage::UpdateSession { actor_id, name }),
            ),
            Role::Acceptor => {
                let ask = |reply| NodeServerMessage::Admit { actor_id, name, reply };
                match ask_node(&self.node_server, ask).await {
                    Some(status) => state.session.handle_admission(status),
                    None => state.session.handle_closed(CloseReason::Local),
                }
            }
        }
    }

    async fn authenticated(&self, myself: &ActorRef<NodeSessionMessage>, state: &mut NodeSessionState) {
        if let Some(permit) = &self.permit {
            permit.release();
        }
        let id = myself.get_id();
        let won = ask_node(&self.node_server, |reply| NodeServerMessage::Elect(id, reply)).await;
        if won != Some(true) {
            return state.session.handle_election(None);
        }
        tracing::info!(
            peer = state.peer_name(),
            node_id = self.node_id,
            "session authenticated"
        );
        let session = myself.clone();
        sync::monitor(&myself.get_cell(), move |event| {
            drop(session.cast(NodeSessionMessage::Hosted(event)))
        });
        directory::add_peer(self.node_id, Arc::new(Resolver(myself.clone())));
        let snapshot = sync::snapshot(&state.link);
        state.session.handle_election(Some(snapshot));
    }

    async fn stand_in(
        &self,
        myself: &ActorRef<NodeSessionMessage>,
        state: &mut NodeSessionState,
        pid: u64,
    ) -> Option<ActorCell> {
        let actor = state.session.peer_actor(pid)?;
        let peer = state.peer.as_ref()?;
        state
            .stand_ins
            .get_or_spawn(actor, &peer.name, &state.link, &myself.get_cell())
            .await
    }

    async fn joined(&self, myself: &ActorRef<NodeSessionMessage>, state: &mut NodeSessionState, change: GroupChange) {
        let mut cells = Vec::with_capacity(change.actors.len());
        for actor in &change.actors {
            cells.extend(self.stand_in(myself, state, actor.pid).await);
        }
        if !cells.is_empty() {
            pg::join_scoped(change.scope, change.group, cells);
        }
    }

    /// Tells the peer the other nodes that this one knows.
    async fn answer_sessions(&self, state: &mut NodeSessionState, asking: &NameMessage) {
        let Some(sessions) = ask_node(&self.node_server, NodeServerMessage::GetSessions).await else {
            return;
        };
        let others = sessions
            .into_values()
            .filter_map(|session| session.peer_name)
            .filter(|peer| peer.name != asking.name && peer.connection_string != asking.connection_string)
            .collect();
        state.session.handle_sessions(others);
    }

    /// Connects to those nodes that the peer knows and this one doesn't.
    async fn dial(&self, theirs: Vec<NameMessage>) {
        let Some(sessions) = ask_node(&self.node_server, NodeServerMessage::GetSessions).await else {
            return;
        };
        let ours: Vec<_> = sessions.into_values().filter_map(|session| session.peer_name).collect();
        let known = |peer: &NameMessage| {
            ours.iter()
                .chain([&self.local])
                .any(|own| own.name == peer.name || own.connection_string == peer.connection_string)
        };
        for peer in theirs
            .into_iter()
            .filter(|peer| !known(peer))
            .take(MAX_TRANSITIVE_DIALS)
        {
            let node_server = self.node_server.clone();
            ractor::concurrency::spawn(async move {
                let address = peer.connection_string.as_str();
                if let Err(error) = super::client::connect(&node_server, address).await {
                    tracing::warn!(peer = peer.name, address, "cannot connect to a peer's peer: {error}");
                }
            });
        }
    }
}

/// Asks the node; none if it doesn't answer in time, because it is ending.
async fn ask_node<T: Send + 'static>(
    node_server: &ActorRef<NodeServerMessage>,
    ask: impl FnOnce(ractor::RpcReplyPort<T>) -> NodeServerMessage,
) -> Option<T> {
    node_server
        .call(ask, Some(NODE_DECISION))
        .await
        .ok()?
        .success_or(())
        .ok()
}
