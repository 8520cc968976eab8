//! The actor of a node: its listener, its sessions, and who is told of them.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use ractor::{Actor, ActorCell, ActorProcessingErr, ActorRef, SupervisionEvent};

use super::admission::{Admission, HandshakeLimits, Permit};
use super::events::Subscriptions;
use super::listener::{Listener, ListenerMessage};
use super::node_session::SessionLimits;
use super::sessions::Sessions;
use super::{
    HandshakeStats, NameMessage, NodeConnectionMode, NodeFlags, NodeServerMessage, NodeServerSessionInformation,
    NodeSession, PROTOCOL_VERSION, Timing,
};
use crate::NodeId;
use crate::directory::SANDBOX_NODE_ID;
use crate::session::CloseReason;
use crate::transport::{IncomingEncryptionMode, NetworkStream, bind};

/// How long a stopping node waits for its sessions to end in order.
const STOP: Duration = Duration::from_secs(8);

/// A node of a cluster: listens for other nodes and supervises the sessions with them.
///
/// Spawn it with `Actor::spawn(None, server, ())`.
#[derive(Debug)]
pub struct NodeServer {
    port: u16,
    cookie: Cookie,
    node_name: String,
    hostname: String,
    encryption_mode: IncomingEncryptionMode,
    connection_mode: NodeConnectionMode,
    listen_addr: Option<IpAddr>,
    limits: SessionLimits,
    timing: Timing,
    admission: Arc<Admission>,
}

/// Keeps the shared secret out of debug output.
#[derive(Clone)]
struct Cookie(String);

impl std::fmt::Debug for Cookie {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("<cookie>")
    }
}

impl NodeServer {
    /// A node that is yet to be spawned.
    ///
    /// - `port`: where it listens; 0 to have the system choose
    /// - `cookie`: the secret that all nodes of the cluster share
    /// - `node_name`, `hostname`: together, as `node_name@hostname`, the node's full name, unique in the cluster
    /// - `encryption_mode`: how accepted connections are secured; plain TCP by default
    /// - `connection_mode`: whether to connect to the peers of peers; isolated by default
    pub fn new(
        port: u16,
        cookie: String,
        node_name: String,
        hostname: String,
        encryption_mode: Option<IncomingEncryptionMode>,
        connection_mode: Option<NodeConnectionMode>,
    ) -> Self {
        Self {
            port,
            cookie: Cookie(cookie),
            node_name,
            hostname,
            encryption_mode: encryption_mode.unwrap_or(IncomingEncryptionMode::Raw),
            connection_mode: connection_mode.unwrap_or(NodeConnectionMode::Isolated),
            listen_addr: None,
            limits: SessionLimits::default(),
            timing: Timing::default(),
            admission: Arc::default(),
        }
    }

    /// Listens on this address alone. By default a node listens on every address of both IP versions.
    #[must_use]
    pub fn with_listen_addr(mut self, addr: IpAddr) -> Self {
        self.listen_addr = Some(addr);
        self
    }

    /// Sets the largest frame that the node accepts, in bytes, [`DEFAULT_MAX_INBOUND_FRAME_SIZE`] by default. A peer
    /// that sends a larger one is disconnected before anything is allocated.
    ///
    /// [`DEFAULT_MAX_INBOUND_FRAME_SIZE`]: super::DEFAULT_MAX_INBOUND_FRAME_SIZE
    #[must_use]
    pub fn with_max_inbound_frame_size(mut self, max_frame_size: u64) -> Self {
        self.limits.inbound_frame = max_frame_size;
        self
    }

    /// Sets how many bytes may wait for one peer, [`DEFAULT_MAX_OUTBOX_SIZE`] by default. What is sent to its actors
    /// beyond that is given up and counted.
    ///
    /// [`DEFAULT_MAX_OUTBOX_SIZE`]: super::DEFAULT_MAX_OUTBOX_SIZE
    #[must_use]
    pub fn with_max_outbox_size(mut self, bytes: usize) -> Self {
        self.limits.outbox = bytes;
        self
    }

    /// Sets how long peers may take over the handshake, and how long they may be silent before they count as down.
    #[must_use]
    pub fn with_timing(mut self, timing: Timing) -> Self {
        self.timing = timing;
        self
    }

    /// Sets how many accepted connections may be in their handshakes at one time.
    #[must_use]
    pub fn with_handshake_limits(mut self, limits: HandshakeLimits) -> Self {
        self.admission = Arc::new(Admission::new(limits));
        self
    }

    async fn listen(
        &self,
        myself: &ActorRef<NodeServerMessage>,
        port: u16,
    ) -> Result<(ActorRef<ListenerMessage>, SocketAddr), ActorProcessingErr> {
        let socket = bind(self.listen_addr, port)?;
        let addr = socket.local_addr()?;
        let listener = Listener {
            node_server: myself.clone(),
            encryption: self.encryption_mode.clone(),
            handshake: self.timing.handshake,
            admission: self.admission.clone(),
        };
        let (listener, _) = Actor::spawn_linked(None, listener, socket, myself.get_cell()).await?;
        Ok((listener, addr))
    }

    /// A connection that the program opened or accepted by itself.
    async fn open_given(
        &self,
        myself: &ActorRef<NodeServerMessage>,
        state: &mut NodeServerState,
        stream: NetworkStream,
        is_server: bool,
    ) {
        let peer = stream.peer_label();
        let admit = || self.admission.admit(stream.peer_ip(), &peer);
        match is_server.then(admit).transpose() {
            Ok(permit) => self.open(myself, state, stream, permit).await,
            Err(limit) => self.admission.refusals.refuse(&peer, limit.name(), &limit),
        }
    }

    /// Starts the session of a connection, which was accepted if it has a permit.
    async fn open(
        &self,
        myself: &ActorRef<NodeServerMessage>,
        state: &mut NodeServerState,
        stream: NetworkStream,
        permit: Option<Permit>,
    ) {
        let is_server = permit.is_some();

        let node_id = state.next_node_id();
        let peer_addr = stream.peer_label();
        let mut session = NodeSession::new(
            node_id,
            is_server,
            self.cookie.0.clone(),
            myself.clone(),
            state.local.clone(),
            self.connection_mode,
        );
        session.limits = self.limits;
        session.timing = self.timing;
        session.permit = permit;
        match Actor::spawn_linked(None, session, stream, myself.get_cell()).await {
            Ok((actor, _)) => {
                let info = NodeServerSessionInformation {
                    actor,
                    peer_name: None,
                    is_server,
                    node_id,
                    peer_addr,
                };
                state
                    .subscriptions
                    .each(|subscription| subscription.node_session_opened(info.clone()));
                state.sessions.insert(info);
            }
            Err(error) => tracing::warn!(peer_addr, "dropped a connection: its session did not start: {error}"),
        }
    }
}

/// The state of a [`NodeServer`].
#[expect(missing_debug_implementations, reason = "subscriptions have none")]
pub struct NodeServerState {
    listener: ActorRef<ListenerMessage>,
    listen_addr: SocketAddr,
    local: NameMessage,
    last_node_id: NodeId,
    sessions: Sessions,
    subscriptions: Subscriptions,
}

impl NodeServerState {
    fn next_node_id(&mut self) -> NodeId {
        // ractor reads node 0 as "here", and the sandbox's id is taken.
        self.last_node_id += 1;
        if self.last_node_id == SANDBOX_NODE_ID {
            self.last_node_id += 1;
        }
        self.last_node_id
    }

    /// A session has authenticated. True if it survives; whoever doesn't is stopped.
    fn elect(&mut self, id: ractor::ActorId) -> bool {
        let Some(election) = self.sessions.elect(&self.local.name, id) else {
            return false;
        };
        for loser in election.losers.iter().filter(|loser| loser.get_id() != id) {
            loser.stop(Some(CloseReason::DuplicateConnection.to_string()));
        }
        if election.won
            && let Some(info) = self.sessions.info(id)
        {
            self.subscriptions
                .each(|subscription| subscription.node_session_authenticated(info.clone()));
        }
        election.won
    }

    fn ready(&self, id: ractor::ActorId) {
        if self.sessions.is_elected(id)
            && let Some(info) = self.sessions.info(id)
        {
            self.subscriptions
                .each(|subscription| subscription.node_session_ready(info.clone()));
        }
    }

    fn ended(&mut self, cell: &ActorCell) {
        let Some((info, reason)) = self.sessions.remove(cell.get_id()) else {
            return;
        };
        let reason = reason.unwrap_or(CloseReason::Local);
        self.subscriptions.each(|subscription| {
            subscription.node_session_closed(info.clone(), reason.clone());
            subscription.node_session_disconnected(info.clone());
        });
    }
}

#[cfg_attr(feature = "async-trait", ractor::async_trait)]
impl Actor for NodeServer {
    type Msg = NodeServerMessage;
    type State = NodeServerState;
    type Arguments = ();

    async fn pre_start(&self, myself: ActorRef<Self::Msg>, (): ()) -> Result<Self::State, ActorProcessingErr> {
        let (listener, listen_addr) = self.listen(&myself, self.port).await?;
        let local = NameMessage {
            name: format!("{}@{}", self.node_name, self.hostname),
            flags: Some(NodeFlags {
                version: PROTOCOL_VERSION,
            }),
            connection_string: format!("{}:{}", self.hostname, listen_addr.port()),
            connection_id: 0,
        };
        Ok(NodeServerState {
            listener,
            listen_addr,
            local,
            last_node_id: 0,
            sessions: Sessions::default(),
            subscriptions: Subscriptions::default(),
        })
    }

    async fn handle(
        &self,
        myself: ActorRef<Self::Msg>,
        message: Self::Msg,
        state: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            NodeServerMessage::ConnectionOpened { stream, is_server } => {
                self.open_given(&myself, state, *stream, is_server).await;
            }
            NodeServerMessage::ConnectionOpenedExternal { stream, is_server } => {
                let (peer_label, local_label) = (stream.peer_label(), stream.local_label());
                let (reader, writer) = stream.split();
                let stream = NetworkStream::External {
                    peer_label,
                    local_label,
                    reader,
                    writer,
                };
                self.open_given(&myself, state, stream, is_server).await;
            }
            NodeServerMessage::Accepted { stream, permit } => {
                self.open(&myself, state, *stream, Some(permit)).await;
            }
            NodeServerMessage::ConnectionAuthenticated(id) => _ = state.elect(id),
            NodeServerMessage::Elect(id, reply) => drop(reply.send(state.elect(id))),
            NodeServerMessage::ConnectionReady(id) => state.ready(id),
            NodeServerMessage::CheckSession { peer_name, reply } => {
                drop(reply.send(state.sessions.check_name(&state.local.name, &peer_name)));
            }
            NodeServerMessage::Admit { actor_id, name, reply } => {
                state.sessions.name(actor_id, name);
                drop(reply.send(state.sessions.check(&state.local.name, actor_id).into()));
            }
            NodeServerMessage::UpdateSession { actor_id, name } => state.sessions.name(actor_id, name),
            NodeServerMessage::GetSessions(reply) => drop(reply.send(state.sessions.authenticated())),
            NodeServerMessage::SubscribeToEvents { id, subscription } => {
                state.subscriptions.subscribe(id, subscription);
            }
            NodeServerMessage::UnsubscribeToEvents(id) => state.subscriptions.unsubscribe(&id),
            NodeServerMessage::PortChanged { port } => {
                state.local.connection_string = format!("{}:{port}", self.hostname);
            }
            NodeServerMessage::GetListenAddr(reply) => drop(reply.send(state.listen_addr)),
            NodeServerMessage::GetHandshakeStats(reply) => {
                let stats = HandshakeStats {
                    open: self.admission.open_handshakes(),
                    failed: self.admission.refusals.counts(),
                };
                drop(reply.send(stats));
            }
            NodeServerMessage::SessionClosing(id, reason) => state.sessions.closing(id, reason),
        }
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        myself: ActorRef<Self::Msg>,
        event: SupervisionEvent,
        state: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        let (cell, why) = match event {
            SupervisionEvent::ActorFailed(cell, error) => (cell, error.to_string()),
            SupervisionEvent::ActorTerminated(cell, _, reason) => (cell, reason.unwrap_or_default()),
            _ => return Ok(()),
        };
        if cell.get_id() == state.listener.get_id() {
            tracing::error!("the listener ended ({why}); listening again on {}", state.listen_addr);
            (state.listener, state.listen_addr) = self.listen(&myself, state.listen_addr.port()).await?;
        } else {
            state.ended(&cell);
        }
        Ok(())
    }

    async fn post_stop(&self, myself: ActorRef<Self::Msg>, _: &mut Self::State) -> Result<(), ActorProcessingErr> {
        // ractor would kill the sessions; stopped, they write what they have accepted.
        let reason = Some(CloseReason::Local.to_string());
        myself.stop_children_and_wait(reason, Some(STOP)).await;
        Ok(())
    }
}

/// The address that a node listens on; none if it has ended.
pub async fn listen_addr(node_server: &ActorRef<NodeServerMessage>) -> Option<SocketAddr> {
    node_server
        .call(NodeServerMessage::GetListenAddr, None)
        .await
        .ok()?
        .success_or(())
        .ok()
}

/// How a node's accepted connections fare before they have authenticated; none if it has ended.
pub async fn handshake_stats(node_server: &ActorRef<NodeServerMessage>) -> Option<HandshakeStats> {
    node_server
        .call(NodeServerMessage::GetHandshakeStats, None)
        .await
        .ok()?
        .success_or(())
        .ok()
}
