//! What a node and its sessions can be asked beyond what the stock crate's messages say.
//!
//! The public enums have the variants of the stock crate, because a `match` over all of them must stay complete in a
//! program written for it. So what is new travels inside of what is there: to a session in place of a received message,
//! to a node as a subscription that asks once and never listens.

use std::net::SocketAddr;
use std::time::Duration;

use ractor::concurrency::OneshotSender;
use ractor::{ActorCell, ActorId, ActorRef, MessagingErr, RpcReplyPort};

use super::admission::Permit;
use super::messages::Inbound;
use super::watch::Watch;
use super::{
    HandshakeStats, NameMessage, NodeEventSubscription, NodeServerMessage, NodeServerSessionInformation,
    NodeSessionMessage, Peer, ServerStatus,
};
use crate::directory::{HostedEvent, Wanted};
use crate::session::{CloseReason, Dial, Rival, StockPeers};
use crate::transport::NetworkStream;
use crate::wire::{Actor, Message};

/// Of a node.
pub(super) enum NodeRequest {
    /// Stay connected to this peer.
    AddPeer(Box<Peer>),
    /// Don't dial the peer of this address any more.
    RemovePeer(String),
    /// Neither accept nor open further connections.
    Quiesce(RpcReplyPort<()>),
    /// This node opened a connection, and somebody waits to hear how the session goes.
    ConnectionOpenedWatched {
        stream: Box<NetworkStream>,
        watch: Watch,
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

impl From<NodeRequest> for NodeServerMessage {
    fn from(request: NodeRequest) -> Self {
        Self::SubscribeToEvents {
            id: String::new(),
            subscription: Box::new(Asking(Some(Request(request)))),
        }
    }
}

/// What a subscription asks a node. Opaque.
#[expect(missing_debug_implementations, reason = "streams have none")]
pub struct Request(pub(super) NodeRequest);

/// A subscription that asks.
struct Asking(Option<Request>);

impl NodeEventSubscription for Asking {
    fn node_session_opened(&self, _: NodeServerSessionInformation) {}
    fn node_session_disconnected(&self, _: NodeServerSessionInformation) {}
    fn node_session_authenticated(&self, _: NodeServerSessionInformation) {}

    fn take_request(&mut self) -> Option<Request> {
        self.0.take()
    }
}

/// Of a session.
#[derive(Debug)]
pub(super) enum SessionRequest {
    /// A message of the handshake or the control plane arrived.
    Message {
        message: Message,
        /// Told, once the message is handled, whether the session is authenticated. The reader waits for it: the
        /// control plane is handled in order with the data plane, and a peer can't pile up control messages.
        handled: OneshotSender<bool>,
    },
    /// How many messages to or from the peer were given up.
    DeadLetters(RpcReplyPort<u64>),
    /// How many entries of the peer's were left out.
    LeftOut(RpcReplyPort<u64>),
    /// Answered once the peer has handled everything that was sent to it before.
    Confirm(RpcReplyPort<()>),
    /// A guest started or ended.
    Hosted(HostedEvent),
    /// The stand-in for the peer's actor with this pid.
    StandIn(u64, RpcReplyPort<Option<ActorCell>>),
    /// The stand-in for the peer's actor with this name.
    StandInNamed(String, RpcReplyPort<Option<ActorCell>>),
    /// Whether the peer advertises an actor, and its pid and name.
    Look(Wanted, RpcReplyPort<Option<Actor>>),
    /// The stand-in for the peer's actor with this pid, until it is given back.
    Lend(u64, RpcReplyPort<Option<ActorCell>>),
    /// Somebody who was lent the stand-in for this pid needs it no more.
    GiveBack(u64),
    /// Another node with the peer's name was turned away.
    Contested(Rival),
    /// The reader or the writer ended.
    LinkEnded(CloseReason),
    /// Too many connections are in their handshakes, and this one is the oldest.
    GiveWay,
    /// A deadline of the session may have come.
    Tick,
}

impl From<SessionRequest> for NodeSessionMessage {
    fn from(request: SessionRequest) -> Self {
        Self::MessageReceived(Inbound(request))
    }
}

/// Stays connected to a peer: dials it now and whenever the connection is lost, until it is removed.
///
/// # Errors
/// The node has ended.
pub fn add_peer(node_server: &ActorRef<NodeServerMessage>, peer: Peer) -> Result<(), MessagingErr<NodeServerMessage>> {
    node_server.cast(NodeRequest::AddPeer(Box::new(peer)).into())
}

/// Doesn't dial the peer of this address any more. A session with it goes on for as long as it lives.
///
/// # Errors
/// The node has ended.
pub fn remove_peer(
    node_server: &ActorRef<NodeServerMessage>,
    address: &str,
) -> Result<(), MessagingErr<NodeServerMessage>> {
    node_server.cast(NodeRequest::RemovePeer(address.to_owned()).into())
}

/// Has a node neither accept nor open further connections; its sessions go on. False if it didn't say within `timeout`
/// that it is so.
pub async fn quiesce(node_server: &ActorRef<NodeServerMessage>, timeout: Duration) -> bool {
    let ask = |reply| NodeRequest::Quiesce(reply).into();
    let quiet = node_server.call(ask, Some(timeout)).await;
    quiet.is_ok_and(|quiet| quiet.is_success())
}

/// Waits until there is no session with the node of this full name, `name@hostname`, or this connection string. Returns
/// why the last one ended; none if there was none to begin with, or if this node has ended itself.
pub async fn await_down(node_server: &ActorRef<NodeServerMessage>, node: &str) -> Option<CloseReason> {
    let ask = |reply| NodeRequest::AwaitAbsence(node.to_owned(), reply).into();
    node_server.call(ask, None).await.ok()?.success_or(()).ok()?
}

/// The address that a node listens on; none if it has ended.
pub async fn listen_addr(node_server: &ActorRef<NodeServerMessage>) -> Option<SocketAddr> {
    let ask = |reply| NodeRequest::ListenAddr(reply).into();
    node_server.call(ask, None).await.ok()?.success_or(()).ok()
}

/// How a node's accepted connections fare before they have authenticated; none if it has ended.
pub async fn handshake_stats(node_server: &ActorRef<NodeServerMessage>) -> Option<HandshakeStats> {
    let ask = |reply| NodeRequest::HandshakeStats(reply).into();
    node_server.call(ask, None).await.ok()?.success_or(()).ok()
}

/// How many messages to or from the peer of a session were given up, because the outbox or a mailbox was full or one was
/// too large; none if the session has ended.
pub async fn dead_letters(session: &ActorRef<NodeSessionMessage>) -> Option<u64> {
    let ask = |reply| SessionRequest::DeadLetters(reply).into();
    session.call(ask, None).await.ok()?.success_or(()).ok()
}

/// How many actors, and members of groups, were left out in a session, in either direction: because a name was too long, or, of
/// the peer's, because there was [no room](super::PeerLimits). None if the session has ended.
pub async fn left_out(session: &ActorRef<NodeSessionMessage>) -> Option<u64> {
    let ask = |reply| SessionRequest::LeftOut(reply).into();
    session.call(ask, None).await.ok()?.success_or(()).ok()
}

/// Waits until the peer of a session, a stock one too, has handled everything that was sent to it before. False if that
/// takes longer than `timeout`, or the session isn't ready or ends before.
pub async fn confirm(session: &ActorRef<NodeSessionMessage>, timeout: Duration) -> bool {
    let ask = |reply| SessionRequest::Confirm(reply).into();
    session
        .call(ask, Some(timeout))
        .await
        .is_ok_and(|answer| answer.is_success())
}
