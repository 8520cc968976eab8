//! What a node can be asked beyond the stock crate's messages, and its answers.

use std::net::SocketAddr;

use ractor::{ActorId, ActorRef, RpcReplyPort};

use super::admission::{HandshakeStats, Permit};
use super::peer::Peer;
use super::session_messages::NodeSessionMessage;
use super::session_monitors::SessionMonitor;
use crate::NodeId;
use crate::session::{CloseReason, DialDecision, Rival, StockPeers};
use crate::transport::NetworkStream;
use crate::wire::{NameMessage, ServerStatus};

/// Of a node.
pub(super) enum NodeRequest {
    /// Stay connected to this peer.
    AddPeer(Box<Peer>, DialPurpose),
    /// The sessions that are for entities alone.
    OnDemandLinks(RpcReplyPort<Vec<OnDemandLink>>),
    /// Don't dial the peer of this address any more.
    RemovePeer(String),
    /// Neither accept nor open any further connection.
    Quiesce(RpcReplyPort<()>),
    /// This node opened a connection, and its opener waits to hear how the session goes.
    ConnectionOpenedMonitored {
        stream: Box<NetworkStream>,
        monitor: SessionMonitor,
        dialled: DialOptions,
    },
    /// Tell when there is no session with a node of this full name or connection string.
    AwaitAbsence(String, RpcReplyPort<Option<CloseReason>>),
    /// The node's listener accepted a connection, which has the right to be open before it has authenticated.
    Accepted { stream: Box<NetworkStream>, permit: Permit },
    /// How many handshakes there are, and how many failed.
    HandshakeStats(RpcReplyPort<HandshakeStats>),
    /// The address that the node listens on.
    ListenAddr(RpcReplyPort<SocketAddr>),
    /// A session, as acceptor, has learned its peer's name and asks whether to go on.
    Admit {
        actor_id: ActorId,
        name: NameMessage,
        reply: RpcReplyPort<ServerStatus>,
    },
    /// A session, as initiator, has learned what its peer claims to be and asks whether to go on.
    Introduced {
        actor_id: ActorId,
        name: NameMessage,
        purpose: DialPurpose,
        reply: RpcReplyPort<DialDecision>,
    },
    /// A session has authenticated and asks whether it is the one that survives.
    Elect(ActorId, RpcReplyPort<ElectionVerdict>),
    /// Two nodes have one name, and it was asked whether the one that was here first still answers.
    Contested(NameContest),
    /// A session is over, though its actor may still be writing what it has accepted.
    Over(ActorId, CloseReason),
}

/// A session that is for entities alone, and ends when nobody needs it.
#[derive(Debug, Clone)]
pub struct OnDemandLink {
    /// The session.
    pub session: ActorRef<NodeSessionMessage>,
    /// The node id of the peer's actors.
    pub node_id: NodeId,
    /// The peer's full name.
    pub peer: String,
    /// True if this node opened it, and so closes it.
    pub is_own: bool,
}

/// How this node means a connection that it opened.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct DialOptions {
    pub(super) purpose: DialPurpose,
    /// Whether the peer may prove no more than the cookie. The node's own word counts if it is stricter.
    pub(super) stock_peers: StockPeers,
}

/// Why a connection is opened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum DialPurpose {
    /// The program opened it. If there is another one to the same node, an election decides.
    #[default]
    Connection,
    /// The connector opened it to have a link. Where there is one already, this connection is one too many.
    Link,
    /// An entity of the node is spoken to. Any link to the node will do.
    OnDemand,
    /// A peer named the node. The address may be anybody's.
    Hearsay,
}

/// What a node decides about a session that has authenticated.
#[derive(Debug)]
pub(super) enum ElectionVerdict {
    /// It survives.
    Survives,
    /// Another connection to the same node does.
    Duplicate,
    /// Another node has the peer's name.
    NameTaken(Rival),
}

/// See [`NodeRequest::Contested`].
pub(super) struct NameContest {
    pub(super) newcomer: ActorId,
    pub(super) incumbent: ActorId,
    pub(super) incumbent_answers: bool,
    pub(super) verdict: RpcReplyPort<ElectionVerdict>,
}

/// What a subscription asks a node. Opaque.
#[expect(missing_debug_implementations, reason = "streams have none")]
pub struct OpaqueNodeRequest(pub(super) NodeRequest);
