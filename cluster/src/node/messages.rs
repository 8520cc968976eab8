//! What the actor of a node is told and asked.
//!
//! The public enums have the variants of the stock crate, because a `match` over all of them must stay complete in a
//! program written for it. So what is new travels inside of what is there: to a session in place of a received message,
//! to a node as a subscription that asks once and never listens.

use std::collections::HashMap;

use ractor::{ActorId, RpcReplyPort};

use super::events::NodeEventSubscription;
use super::node_requests::{NodeRequest, OpaqueNodeRequest};
use super::session_info::NodeServerSessionInformation;
use crate::NodeId;
use crate::session::SessionCheck;
use crate::transport::{ClusterBidiStream, NetworkStream};
use crate::wire::NameMessage;

/// The answer of a node that is asked about a connection with a peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionCheckReply {
    /// There is no other connection with this peer.
    NoOtherConnection,
    /// There is, and it goes on; this one ends.
    OtherConnectionContinues,
    /// There is, and this one takes its place once it is authenticated.
    ThisConnectionContinues,
    /// There is one in the same direction: it is about to end, or the peer is confused.
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

impl From<NodeRequest> for NodeServerMessage {
    fn from(request: NodeRequest) -> Self {
        Self::SubscribeToEvents {
            // The name is never used, since the request is taken out before a subscription would be entered.
            id: String::new(),
            subscription: Box::new(RequestSubscription(Some(OpaqueNodeRequest(request)))),
        }
    }
}

/// A subscription that asks.
struct RequestSubscription(Option<OpaqueNodeRequest>);

impl NodeEventSubscription for RequestSubscription {
    fn node_session_opened(&self, _: NodeServerSessionInformation) {}
    fn node_session_disconnected(&self, _: NodeServerSessionInformation) {}
    fn node_session_authenticated(&self, _: NodeServerSessionInformation) {}

    fn take_request(&mut self) -> Option<OpaqueNodeRequest> {
        self.0.take()
    }
}
