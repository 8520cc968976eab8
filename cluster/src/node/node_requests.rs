//! What a node can be asked beyond what the stock crate's messages say, and what it answers.

use std::net::SocketAddr;

use ractor::{ActorId, RpcReplyPort};

use super::admission::{HandshakeStats, Permit};
use super::peer::Peer;
use super::session_monitors::SessionMonitor;
use crate::session::{CloseReason, Dial, Rival, StockPeers};
use crate::transport::NetworkStream;
use crate::wire::{NameMessage, ServerStatus};

/// Of a node.
pub(super) enum NodeRequest {
    /// Stay connected to this peer.
    AddPeer(Box<Peer>),
    /// Don't dial the peer of this address any more.
    RemovePeer(String),
    /// Neither accept nor open further connections.
    Quiesce(RpcReplyPort<()>),
    /// This node opened a connection, and somebody waits to hear how the session goes.
    ConnectionOpenedMonitored {
        stream: Box<NetworkStream>,
        monitor: SessionMonitor,
        dialled: Dialled,
    },
    /// Tells when there is no session with a node of this full name or connection string.
    AwaitAbsence(String, RpcReplyPort<Option<CloseReason>>),
    /// The node's listener accepted a connection, which has the right to be open before it has authenticated.
    Accepted { stream: Box<NetworkStream>, permit: Permit },
    /// What became of handshakes.
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
        purpose: Purpose,
        reply: RpcReplyPort<Dial>,
    },
    /// A session has authenticated and asks whether it is the one that survives.
    Elect(ActorId, RpcReplyPort<Verdict>),
    /// Two nodes have one name, and it was asked whether the one that was here first still answers.
    Contested(Contest),
    /// A session is over, though its actor may still be writing what it has accepted.
    Over(ActorId, CloseReason),
}

/// How a connection is meant that this node opened.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Dialled {
    pub(super) purpose: Purpose,
    /// Whether the peer may prove no more than the cookie. The node's own word counts if it is stricter.
    pub(super) stock_peers: StockPeers,
}

/// What a connection is opened for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Purpose {
    /// For itself: if there is another one to the same node, an election decides.
    #[default]
    Connection,
    /// To be linked to a node: where there is a link, this connection is one too many.
    Link,
    /// As a connection for itself, but because a peer says that there is a node, which may be true of no address.
    Hearsay,
}

/// What a node decides about a session that has authenticated.
#[derive(Debug)]
pub(super) enum Verdict {
    /// It survives.
    Survives,
    /// Another connection to the same node does.
    Duplicate,
    /// Another node has the peer's name.
    NameTaken(Rival),
}

/// See [`NodeRequest::Contested`].
pub(super) struct Contest {
    pub(super) newcomer: ActorId,
    pub(super) incumbent: ActorId,
    pub(super) incumbent_answers: bool,
    pub(super) verdict: RpcReplyPort<Verdict>,
}

/// What a subscription asks a node. Opaque.
#[expect(missing_debug_implementations, reason = "streams have none")]
pub struct Request(pub(super) NodeRequest);
