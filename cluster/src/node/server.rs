//! The actor of a node: its listener, its sessions, and the programs that hear of them.

mod settings;
mod succession;
#[cfg(test)]
mod tests;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ractor::{Actor, ActorId, ActorProcessingErr, ActorRef, SupervisionEvent};

use tokio::sync::watch;

use self::succession::Succession;
use super::admission::{HandshakeAdmission, Permit};
use super::connector::Connectors;
use super::events::Subscriptions;
use super::hearsay::Hearsay;
use super::listener::{ListenerMessage, NodeListener, connection_string};
use super::namesakes::{self, Newcomer};
use super::node_requests::{DialOptions, DialPurpose, ElectionVerdict, NodeRequest, OpaqueNodeRequest};
use super::node_session::NodeSessionState;
use super::session_monitors::{SessionMonitor, SessionMonitors};
use super::sessions::Sessions;
use super::{
    GroupInterest, HandshakeStats, MAX_ON_DEMAND_LINKS, NameMessage, NodeConnectionMode, NodeFlags, NodeServerMessage,
    NodeServerSessionInformation, NodeSession, PROTOCOL_VERSION, SessionLimits, StandInNames, Timing,
};
use crate::NodeId;
use crate::directory::{self, SANDBOX_NODE_ID};
use crate::session::{CloseReason, DialDecision, PeerAccount, PeerLedger, StockPeers};
use crate::transport::{IncomingEncryptionMode, NetworkStream, bind};
use crate::wire::{
    CAPABILITY_CALL_FAILED, CAPABILITY_GROUPS, CAPABILITY_IDENTITY, CAPABILITY_INTEREST, CAPABILITY_NAME_TAKEN,
    CAPABILITY_ON_DEMAND, CAPABILITY_TRACE, ServerStatus,
};

/// The time that a stopping node gives its sessions to end in order.
const STOP: Duration = Duration::from_secs(8);

/// The node id of the next session. The process counts, and not the node, because stand-ins and their groups belong to the process:
/// two nodes in one process would otherwise give different actors the same id. ractor reads node 0 as "here".
static NEXT_NODE_ID: AtomicU64 = AtomicU64::new(1);

/// A node of a cluster: listens for other nodes and supervises the sessions with them.
///
/// Spawn it with `Actor::spawn(None, server, ())`.
#[derive(Debug)]
pub struct NodeServer {
    port: u16,
    cookie: RedactedCookie,
    node_name: String,
    hostname: String,
    encryption_mode: IncomingEncryptionMode,
    connection_mode: NodeConnectionMode,
    listen_addr: Option<IpAddr>,
    limits: SessionLimits,
    timing: Timing,
    stand_in_names: StandInNames,
    stock_peers: StockPeers,
    admission: Arc<HandshakeAdmission>,
    /// What all peers take of this node's memory.
    ledger: Arc<PeerLedger>,
    /// What sessions may do at one time on the word of peers.
    hearsay: Arc<Hearsay>,
    gate: Option<watch::Receiver<bool>>,
    /// The groups of other nodes that this one wants to know of; none for all.
    groups: Option<GroupInterest>,
}

/// Keeps the shared secret out of debug output.
#[derive(Clone)]
struct RedactedCookie(String);

impl std::fmt::Debug for RedactedCookie {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("<cookie>")
    }
}

impl NodeServer {
    async fn listen(
        &self,
        myself: &ActorRef<NodeServerMessage>,
        port: u16,
    ) -> Result<(ActorRef<ListenerMessage>, SocketAddr), ActorProcessingErr> {
        let socket = bind(self.listen_addr, port)?;
        let addr = socket.local_addr()?;
        let listener = NodeListener {
            node_server: myself.clone(),
            encryption: self.encryption_mode.clone(),
            handshake: self.timing.handshake,
            admission: self.admission.clone(),
            gate: self.gate.clone(),
        };
        let (listener, _) = Actor::spawn_linked(None, listener, socket, myself.get_cell()).await?;
        Ok((listener, addr))
    }

    async fn handle_request(
        &self,
        myself: &ActorRef<NodeServerMessage>,
        state: &mut NodeServerState,
        request: NodeRequest,
    ) {
        match request {
            // A node that opens no further connection has no use for another peer.
            NodeRequest::AddPeer(..) if state.quiet => {}
            NodeRequest::AddPeer(peer, purpose) => state.connectors.add(myself, *peer, purpose),
            NodeRequest::OnDemandLinks(reply) => drop(reply.send(state.sessions.on_demand())),
            NodeRequest::Quiesce(reply) => {
                // Connectors end before the wait for the listener, during which they would go on dialling.
                state.connectors.clear();
                // Before the listener ends, since its end would otherwise make another.
                state.quiet = true;
                let stopped = state.listener.stop_and_wait(None, Some(STOP)).await;
                drop((stopped, reply.send(())));
            }
            NodeRequest::RemovePeer(address) => state.connectors.remove(&address),
            NodeRequest::ConnectionOpenedMonitored {
                stream,
                monitor,
                dialled,
            } => {
                let peer_addr = stream.peer_label();
                // A peer can name any address, and must not thereby protect it: a known one gives up no place for strangers.
                if dialled.purpose != DialPurpose::Hearsay {
                    self.admission.expect(stream.peer_ip());
                }
                let origin = ConnectionOrigin::Dialled(dialled, Some(monitor));
                self.open(myself, state, *stream, origin, peer_addr).await;
            }
            NodeRequest::AwaitAbsence(node, reply) => {
                // Entered and then looked at right away: if there is no such session now, none will end and tell the port.
                state.monitors.await_absence(node, reply);
                state
                    .monitors
                    .tell_absences(|node| state.sessions.is_present(node), None);
            }
            NodeRequest::Accepted { stream, permit } => {
                let peer_addr = stream.peer_label();
                self.open(myself, state, *stream, ConnectionOrigin::Accepted(permit), peer_addr)
                    .await;
            }
            NodeRequest::ListenAddr(reply) => drop(reply.send(state.listen_addr)),
            NodeRequest::HandshakeStats(reply) => {
                let stats = HandshakeStats {
                    open: self.admission.open_handshakes(),
                    failed: self.admission.refusals.counts(),
                };
                drop(reply.send(stats));
            }
            NodeRequest::Admit { actor_id, name, reply } => drop(reply.send(self.admit(state, actor_id, name))),
            NodeRequest::Introduced {
                actor_id,
                name,
                purpose,
                reply,
            } => {
                let is_linked = state.sessions.is_linked(&name, purpose);
                // The name is noted even if this session goes no further, because the connector then waits for the end of the link
                // with that node.
                state.sessions.name(actor_id, name);
                drop(reply.send(if is_linked {
                    DialDecision::AlreadyLinked
                } else {
                    DialDecision::GoOn
                }));
            }
            NodeRequest::Elect(id, verdict) => match state.sessions.rival(id) {
                // Two nodes can't have one name, and a node of this crate closes when it hears that.
                _ if namesakes::is_namesake(&state.sessions, &state.local, id) => {
                    drop(verdict.send(ElectionVerdict::Duplicate))
                }
                Some(incumbent) => namesakes::ask_incumbent(myself, incumbent, id, verdict),
                None => state.elect(id, Some(verdict)),
            },
            NodeRequest::Contested(contest) => {
                match namesakes::decide(&mut state.sessions, &self.admission.refusals, contest) {
                    Newcomer::Elect(id, verdict) => state.elect(id, Some(verdict)),
                    Newcomer::TurnedAway => {}
                }
            }
            NodeRequest::Over(id, reason) => state.sessions.over(id, reason),
        }
    }

    /// Whether a session goes on whose peer has just said its name.
    fn admit(&self, state: &mut NodeServerState, id: ActorId, name: NameMessage) -> ServerStatus {
        let is_for_entities = name.flags.unwrap_or_default().capabilities & CAPABILITY_ON_DEMAND != 0;
        state.sessions.name(id, name);
        if is_for_entities {
            state.sessions.set_for_entities(id);
            if !state.sessions.has_room_on_demand(id) {
                tracing::info!(
                    sessions = MAX_ON_DEMAND_LINKS,
                    "refused a session for entities: there are as many as there may be; the peer tries again"
                );
                return ServerStatus::NotAllowed;
            }
        }
        namesakes::admit(&state.sessions, &state.local, &self.admission.refusals, id)
    }

    /// Starts the session of a connection that the program opened or accepted itself.
    async fn open_given(
        &self,
        myself: &ActorRef<NodeServerMessage>,
        state: &mut NodeServerState,
        stream: NetworkStream,
        is_server: bool,
        peer_addr: String,
    ) {
        let peer = stream.peer_label();
        let admit = || self.admission.admit(stream.peer_ip(), &peer);
        let permit = match is_server.then(admit).transpose() {
            Ok(permit) => permit,
            Err(limit) => return self.admission.refusals.refuse(&peer, limit.name(), &limit),
        };
        let origin = permit.map_or(
            ConnectionOrigin::Dialled(DialOptions::default(), None),
            ConnectionOrigin::Accepted,
        );
        self.open(myself, state, stream, origin, peer_addr).await;
    }

    /// Starts the session of a connection.
    async fn open(
        &self,
        myself: &ActorRef<NodeServerMessage>,
        state: &mut NodeServerState,
        stream: NetworkStream,
        origin: ConnectionOrigin,
        peer_addr: String,
    ) {
        let (is_server, permit, dialled, monitor) = match origin {
            ConnectionOrigin::Accepted(permit) => (true, Some(permit), DialOptions::default(), None),
            ConnectionOrigin::Dialled(dialled, monitor) => (false, None, dialled, monitor),
        };
        // Connections that were under way when the node was told to take no more, in a TLS handshake or on a peer's word for instance.
        if state.quiet {
            tracing::debug!(peer_addr, "dropped a connection: this node opens no further session");
            return not_opened(monitor);
        }
        let node_id = next_node_id();
        let mut session = NodeSession::new(
            node_id,
            is_server,
            self.cookie.0.clone(),
            myself.clone(),
            state.local.clone(),
            self.connection_mode,
        );
        session.limits = self.limits;
        session.hearsay = self.hearsay.clone();
        // A new account even for a peer that was here before: the old one gives back what it holds when the old session is gone.
        session.account = Arc::new(PeerAccount::new(self.ledger.clone(), self.limits.peer));
        session.timing = self.timing;
        session.stand_in_names = self.stand_in_names;
        session.groups = self.groups.clone();
        session.purpose = dialled.purpose;
        session.stock_peers = match dialled.stock_peers {
            StockPeers::Refused => StockPeers::Refused,
            StockPeers::Accepted => self.stock_peers,
        };
        session.permit = permit;
        if dialled.purpose == DialPurpose::OnDemand {
            session.local.flags.get_or_insert_default().capabilities |= CAPABILITY_ON_DEMAND;
        }
        // The node can wait here without a deadlock, because a session asks its node nothing while it starts.
        match Actor::spawn_linked(None, session, stream, myself.get_cell()).await {
            Ok((actor, _)) => {
                let info = NodeServerSessionInformation {
                    actor,
                    peer_name: None,
                    is_server,
                    node_id,
                    peer_addr,
                };
                // Before its first request is handled, so `opened` comes before all other events of the session.
                state
                    .subscriptions
                    .each(|subscription| subscription.node_session_opened(info.clone()));
                if let Some(monitor) = monitor {
                    state.monitors.insert(info.actor.get_id(), monitor);
                }
                let id = info.actor.get_id();
                state.sessions.insert(info);
                if dialled.purpose == DialPurpose::OnDemand {
                    state.sessions.set_for_entities(id);
                }
            }
            Err(error) => {
                tracing::warn!(peer_addr, "dropped a connection: its session did not start: {error}");
                not_opened(monitor);
            }
        }
    }
}

/// Tells whoever opened a connection that no session came of it. Otherwise a connector would take this node for ended.
fn not_opened(monitor: Option<SessionMonitor>) {
    if let Some(monitor) = monitor {
        monitor.not_opened(&CloseReason::Local);
    }
}

fn next_node_id() -> NodeId {
    loop {
        let id = NEXT_NODE_ID.fetch_add(1, Ordering::Relaxed);
        if id != SANDBOX_NODE_ID {
            return id;
        }
    }
}

/// Where a connection comes from.
enum ConnectionOrigin {
    /// This node accepted it, with the permit to be open before it has authenticated.
    Accepted(Permit),
    /// This node opened it, and its opener may wait to hear how it goes.
    Dialled(DialOptions, Option<SessionMonitor>),
}

/// The state of a [`NodeServer`].
#[expect(missing_debug_implementations, reason = "subscriptions have none")]
pub struct NodeServerState {
    listener: ActorRef<ListenerMessage>,
    listen_addr: SocketAddr,
    local: NameMessage,
    sessions: Sessions,
    subscriptions: Subscriptions,
    monitors: SessionMonitors,
    connectors: Connectors,
    /// The node was told to accept no more.
    quiet: bool,
    /// Sessions that have survived an election and wait until the others are gone: what a node said of its actors before a restart
    /// must be gone before what it says after it comes.
    succeeding: Vec<Succession>,
}

/// What this node understands beyond the stock protocol, and says.
fn capabilities(groups: Option<&GroupInterest>) -> u32 {
    // Asked once, since a peer is told it once: whoever wants traces installs a tracer before there is a node.
    let traces = if directory::trace::is_on() { CAPABILITY_TRACE } else { 0 };
    let interest = groups.map_or(0, |_| CAPABILITY_INTEREST);
    CAPABILITY_CALL_FAILED | CAPABILITY_NAME_TAKEN | CAPABILITY_IDENTITY | CAPABILITY_GROUPS | interest | traces
}

#[cfg_attr(feature = "async-trait", ractor::async_trait)]
impl Actor for NodeServer {
    type Msg = NodeServerMessage;
    type State = NodeServerState;
    type Arguments = ();

    async fn pre_start(&self, myself: ActorRef<Self::Msg>, (): ()) -> Result<Self::State, ActorProcessingErr> {
        // First of all: the node's name has the port, which the system may have chosen.
        let (listener, listen_addr) = self.listen(&myself, self.port).await?;
        // On the wire, 0 means that a node has none.
        let incarnation = rand::random::<u64>().max(1);
        let local = NameMessage {
            name: format!("{}@{}", self.node_name, self.hostname),
            flags: Some(NodeFlags {
                version: PROTOCOL_VERSION,
                capabilities: capabilities(self.groups.as_ref()),
                max_frame: self.limits.inbound_frame,
                incarnation,
            }),
            connection_string: connection_string(&self.hostname, listen_addr.port()),
            connection_id: 0,
        };
        directory::set_node(directory::Node {
            name: local.name.clone(),
            incarnation,
        });
        Ok(NodeServerState {
            listener,
            listen_addr,
            local,
            sessions: Sessions::default(),
            subscriptions: Subscriptions::default(),
            monitors: SessionMonitors::default(),
            connectors: Connectors::default(),
            quiet: false,
            succeeding: Vec::new(),
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
                let peer_addr = stream.peer_addr().to_string();
                self.open_given(&myself, state, *stream, is_server, peer_addr).await;
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
                let peer_addr = stream.peer_label();
                self.open_given(&myself, state, stream, is_server, peer_addr).await;
            }
            NodeServerMessage::ConnectionAuthenticated(id) => state.elect(id, None),
            NodeServerMessage::ConnectionReady(id) => state.ready(id),
            NodeServerMessage::CheckSession { peer_name, reply } => {
                drop(reply.send(state.sessions.check_name(&state.local.name, &peer_name)));
            }
            NodeServerMessage::UpdateSession { actor_id, name } => state.sessions.name(actor_id, name),
            NodeServerMessage::GetSessions(reply) => drop(reply.send(state.sessions.authenticated())),
            NodeServerMessage::SubscribeToEvents { id, mut subscription } => match subscription.take_request() {
                Some(OpaqueNodeRequest(request)) => self.handle_request(&myself, state, request).await,
                None => state.subscriptions.subscribe(id, subscription),
            },
            NodeServerMessage::UnsubscribeToEvents(id) => state.subscriptions.unsubscribe(&id),
            NodeServerMessage::PortChanged { port } => {
                state.local.connection_string = connection_string(&self.hostname, port);
            }
        }
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        myself: ActorRef<Self::Msg>,
        event: SupervisionEvent,
        state: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        let (cell, ended, why) = match event {
            SupervisionEvent::ActorFailed(cell, error) => (cell, None, error.to_string()),
            SupervisionEvent::ActorTerminated(cell, ended, reason) => (cell, ended, reason.unwrap_or_default()),
            _ => return Ok(()),
        };
        if cell.get_id() == state.listener.get_id() {
            if state.quiet {
                return Ok(());
            }
            tracing::error!("the listener ended ({why}); listening again on {}", state.listen_addr);
            // The port stays the same, even if the system chose it: peers have been told of it.
            (state.listener, state.listen_addr) = self.listen(&myself, state.listen_addr.port()).await?;
        } else {
            // The session's own state says why it ended. A message would come too late: ractor puts this event first.
            let session = ended.and_then(|mut ended| ended.take::<NodeSessionState>().ok());
            state.ended(&cell, session);
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
