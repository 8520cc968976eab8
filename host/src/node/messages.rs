//! The messages of the node's actors.

use std::collections::HashMap;
use std::net::SocketAddr;

use ractor::concurrency::OneshotSender;
use ractor::{ActorCell, ActorId, ActorRef, RpcReplyPort};

use super::{NodeEventSubscription, Peer, Watch};
use crate::NodeId;
use crate::directory::HostedEvent;
use crate::session::CloseReason;
use crate::transport::{ClusterBidiStream, NetworkStream};
use crate::wire::{Data, Message, NameMessage, ServerStatus};

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

impl From<SessionCheckReply> for ServerStatus {
    fn from(reply: SessionCheckReply) -> Self {
        match reply {
            SessionCheckReply::NoOtherConnection => Self::Ok,
            SessionCheckReply::ThisConnectionContinues => Self::OkSimultaneous,
            SessionCheckReply::OtherConnectionContinues => Self::NotOk,
            SessionCheckReply::DuplicateConnection => Self::Alive,
        }
    }
}

/// What a [`NodeServer`](super::NodeServer) is told and asked.
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
    /// Stay connected to this peer: dial it now and whenever the connection is lost, until it is removed.
    AddPeer(Box<Peer>),
    /// Don't dial the peer of this address any more. A session with it goes on for as long as it lives.
    RemovePeer(String),
    /// This node opened a connection, and somebody waits to hear how the session goes.
    #[doc(hidden)]
    ConnectionOpenedWatched {
        /// The connection.
        stream: Box<NetworkStream>,
        /// Who waits, and for what.
        watch: Watch,
    },
    /// Tells when there is no session with a node of this full name or connection string.
    #[doc(hidden)]
    AwaitAbsence(String, RpcReplyPort<()>),
    /// The address that the node listens on.
    #[doc(hidden)]
    GetListenAddr(RpcReplyPort<SocketAddr>),
    /// A session, as acceptor, has learned its peer's name and asks whether to go on.
    #[doc(hidden)]
    Admit {
        /// The session's actor id.
        actor_id: ActorId,
        /// The peer's name, with the connection's nonce.
        name: NameMessage,
        /// The answer.
        reply: RpcReplyPort<ServerStatus>,
    },
    /// A session has authenticated and asks whether it is the one that survives.
    #[doc(hidden)]
    Elect(ActorId, RpcReplyPort<bool>),
    /// A session is about to end for this reason.
    #[doc(hidden)]
    SessionClosing(ActorId, CloseReason),
}

impl ractor::Message for NodeServerMessage {}

/// What a [`NodeSession`](super::NodeSession) is told and asked.
#[derive(Debug)]
pub enum NodeSessionMessage {
    /// A message of the handshake or the control plane arrived.
    MessageReceived(Inbound),
    /// Send this to the peer.
    SendMessage(Outbound),
    /// Is the session authenticated?
    GetAuthenticationState(RpcReplyPort<bool>),
    /// Have both nodes sent all that they had?
    GetReadyState(RpcReplyPort<bool>),
    /// How many messages to or from the peer were given up: the outbox or a mailbox was full, or one was too large.
    GetDeadLetters(RpcReplyPort<u64>),
    /// Answered once the peer has handled everything that was sent to it before, stock peers included. Not answered if
    /// the session isn't ready, or ends before. The stock crate has no such message.
    Confirm(RpcReplyPort<()>),
    /// A guest started or ended.
    #[doc(hidden)]
    Hosted(HostedEvent),
    /// The stand-in for the peer's actor with this pid.
    #[doc(hidden)]
    StandIn(u64, RpcReplyPort<Option<ActorCell>>),
    /// The stand-in for the peer's actor with this name.
    #[doc(hidden)]
    StandInNamed(String, RpcReplyPort<Option<ActorCell>>),
    /// The reader or the writer ended.
    #[doc(hidden)]
    LinkEnded(CloseReason),
    /// A deadline of the session may have come.
    #[doc(hidden)]
    Tick,
}

impl ractor::Message for NodeSessionMessage {}

/// A message from the peer, on its way from the connection's reader to the session.
#[derive(Debug)]
pub struct Inbound {
    pub(super) message: Message,
    /// Told, once the message is handled, whether the session is authenticated. The reader waits for it: the control
    /// plane is handled in order with the data plane, and a peer can't pile up control messages.
    pub(super) handled: OneshotSender<bool>,
}

/// A message to the peer.
#[derive(Debug)]
pub struct Outbound(pub(super) Data);

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
