//! A session as its node sees it.

use ractor::ActorRef;

use super::session_messages::NodeSessionMessage;
use crate::NodeId;
use crate::wire::NameMessage;

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
