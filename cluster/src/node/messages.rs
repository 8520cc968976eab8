//! The messages of the node's actors.

use std::collections::{BTreeMap, HashMap};

use ractor::{ActorId, ActorRef, RpcReplyPort};

use super::NodeEventSubscription;
use super::requests::SessionRequest;
use crate::NodeId;
use crate::session::SessionCheck;
use crate::transport::{ClusterBidiStream, NetworkStream};
use crate::wire::{Data, NameMessage};

/// What a node knows of a connection when asked about a peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionCheckReply {
    /// There is no other connection with this peer.
    NoOtherConnection,
    /// There is, and it goes on; this one ends.
    OtherConnectionContinues,
    /// There is, and this one takes its place once it is authenticated.
    ThisConnectionContinues,
    /// There is one in the same direction: dying, or the peer is confused.
    DuplicateConnection,
}

impl From<SessionCheck> for SessionCheckReply {
    fn from(check: SessionCheck) -> Self {
        match check {
            SessionCheck::OnlyOne => Self::NoOtherConnection,
            SessionCheck::Wins => Self::ThisConnectionContinues,
            SessionCheck::Loses => Self::OtherConnectionContinues,
            SessionCheck::Ambiguous => Self::DuplicateConnection,
        }
    }
}

/// What a [`NodeServer`](super::NodeServer) is told and asked: the variants of the stock crate and no other, so that a
/// `match` over all of them stays complete. What is new is in the functions of [`node`](super).
#[expect(missing_debug_implementations, reason = "streams and subscriptions have none")]
pub enum NodeServerMessage {
    /// A connection was accepted or opened.
    ConnectionOpened {
        /// The connection.
        stream: Box<NetworkStream>,
        /// True if it was accepted, false if this node opened it.
        is_server: bool,
    },
    /// A connection over the program's own transport was accepted or opened.
    ConnectionOpenedExternal {
        /// The connection.
        stream: Box<dyn ClusterBidiStream>,
        /// True if it was accepted, false if this node opened it.
        is_server: bool,
    },
    /// The session with this actor id has authenticated.
    ConnectionAuthenticated(ActorId),
    /// The session with this actor id has exchanged all state.
    ConnectionReady(ActorId),
    /// Should a connection with this peer go on?
    CheckSession {
        /// The peer and, if known, the connection's nonce.
        peer_name: NameMessage,
        /// The answer.
        reply: RpcReplyPort<SessionCheckReply>,
    },
    /// A session has learned its peer's name.
    UpdateSession {
        /// The session's actor id.
        actor_id: ActorId,
        /// The peer's name.
        name: NameMessage,
    },
    /// The authenticated sessions by node id.
    GetSessions(RpcReplyPort<HashMap<NodeId, NodeServerSessionInformation>>),
    /// From now on tell `subscription` what happens to sessions.
    SubscribeToEvents {
        /// Names the subscription; one of the same name is replaced.
        id: String,
        /// Who is told.
        subscription: Box<dyn NodeEventSubscription>,
    },
    /// End the subscription of this name.
    UnsubscribeToEvents(String),
    /// The listener is bound to this port.
    PortChanged {
        /// The port.
        port: u16,
    },
}

impl ractor::Message for NodeServerMessage {}

/// What a [`NodeSession`](super::NodeSession) is told and asked: the variants of the stock crate and no other. What is new
/// is in the functions of [`node`](super).
#[derive(Debug)]
pub enum NodeSessionMessage {
    /// Something arrived for the session, such as a message of the handshake.
    MessageReceived(Inbound),
    /// Send this to the peer.
    SendMessage(Outbound),
    /// Is the session authenticated?
    GetAuthenticationState(RpcReplyPort<bool>),
    /// Have both nodes sent all that they had?
    GetReadyState(RpcReplyPort<bool>),
}

impl ractor::Message for NodeSessionMessage {}

/// What a session is told and asked by its connection, its node and the functions of [`node`](super). Opaque.
#[derive(Debug)]
pub struct Inbound(pub(super) SessionRequest);

/// A message to the peer. Opaque.
#[derive(Debug)]
pub struct Outbound(pub(super) Data);

/// The accepted connections of a node that have not authenticated, and those that it turned away.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct HandshakeStats {
    /// How many are in their handshakes, TLS included.
    pub open: usize,
    /// How many were refused or ended by themselves since the node started, by reason: a [`CloseReason::name`], or
    /// `handshake_limit`, `address_limit`, `tls`, `tls_timeout`; and, as `accept`, how often the system could not accept
    /// any.
    ///
    /// [`CloseReason::name`]: super::CloseReason::name
    pub failed: BTreeMap<&'static str, u64>,
}

/// A session as a node sees it.
#[derive(Debug, Clone)]
pub struct NodeServerSessionInformation {
    /// The session's actor.
    pub actor: ActorRef<NodeSessionMessage>,
    /// The peer, once it has said its name.
    pub peer_name: Option<NameMessage>,
    /// True if this node accepted the connection.
    pub is_server: bool,
    /// The node id of the peer's actors on this node.
    pub node_id: NodeId,
    /// The peer's address, or label.
    pub peer_addr: String,
}
