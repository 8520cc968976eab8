//! What a program asks of a node or a session while it runs.

use std::net::SocketAddr;
use std::time::Duration;

use ractor::{ActorRef, ActorStatus, MessagingErr};

use super::admission::HandshakeStats;
use super::link_figures::LinkFigures;
use super::messages::NodeServerMessage;
use super::node_requests::{DialPurpose, NodeRequest, OnDemandLink};
use super::peer::Peer;
use super::session_messages::{NodeSessionMessage, SessionRequest};
use crate::session::CloseReason;

/// Stays connected to a peer: dials it now and whenever the connection is lost, until it is removed.
///
/// # Errors
/// The node has ended.
pub fn add_peer(node_server: &ActorRef<NodeServerMessage>, peer: Peer) -> Result<(), MessagingErr<NodeServerMessage>> {
    node_server.cast(NodeRequest::AddPeer(Box::new(peer), DialPurpose::Link).into())
}

/// As [`add_peer`] for sessions that are for entities alone: what nodes of this crate tell each other of actors and groups stays out of them, but
/// for what is this crate's own. [`close_unused`] ends one that nobody needs.
///
/// # Errors
/// The node has ended.
pub fn add_peer_on_demand(
    node_server: &ActorRef<NodeServerMessage>,
    peer: Peer,
) -> Result<(), MessagingErr<NodeServerMessage>> {
    node_server.cast(NodeRequest::AddPeer(Box::new(peer), DialPurpose::OnDemand).into())
}

/// The sessions of a node that are for entities alone, whoever opened them; none if the node has ended.
pub async fn on_demand_links(node_server: &ActorRef<NodeServerMessage>) -> Option<Vec<OnDemandLink>> {
    let ask = |reply| NodeRequest::OnDemandLinks(reply).into();
    node_server.call(ask, None).await.ok()?.success_or(()).ok()
}

/// Whether such a session isn't needed at this end, as far as the session knows: no call waits for its reply, nothing waits to be sent, and no actor
/// lives that one end has come across by its address. False if the session doesn't say so within `timeout`.
pub async fn is_unused(session: &ActorRef<NodeSessionMessage>, timeout: Duration) -> bool {
    let ask = |reply| SessionRequest::Unused(reply).into();
    let unused = session.call(ask, Some(timeout)).await;
    unused.is_ok_and(|unused| unused.success_or(()) == Ok(true))
}

/// Ends such a session, if it is still [unused](is_unused).
pub fn close_unused(session: &ActorRef<NodeSessionMessage>) {
    // One that has ended is closed.
    drop(session.cast(SessionRequest::CloseUnused.into()));
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

/// Takes the actors of this node out of their groups for all peers, so that these send them no more, and tells the peers that the node
/// stops. Within the node the groups stay as they are. What the peers had sent before they knew has arrived when this ends. False if
/// one of them did not confirm it within `timeout`.
pub async fn leave(node_server: &ActorRef<NodeServerMessage>, timeout: Duration) -> bool {
    let sessions = node_server.call(NodeServerMessage::GetSessions, Some(timeout)).await;
    let Some(sessions) = sessions.ok().and_then(|sessions| sessions.success_or(()).ok()) else {
        return false;
    };
    let leaving = sessions.into_values().map(|session| async move {
        // One that has ended has nobody to tell.
        session.actor.cast(SessionRequest::Leave.into()).is_err()
            || confirm(&session.actor, timeout).await
            || session.actor.get_status() >= ActorStatus::Stopping
    });
    futures_util::future::join_all(leaving)
        .await
        .into_iter()
        .all(|told| told)
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

/// The numbers of a node's accepted connections that have not authenticated; none if the node has ended.
pub async fn handshake_stats(node_server: &ActorRef<NodeServerMessage>) -> Option<HandshakeStats> {
    let ask = |reply| NodeRequest::HandshakeStats(reply).into();
    node_server.call(ask, None).await.ok()?.success_or(()).ok()
}

/// The number of messages to or from the peer of a session that were given up, because the outbox or a mailbox was full or a
/// message was too large; none if the session has ended.
pub async fn dead_letters(session: &ActorRef<NodeSessionMessage>) -> Option<u64> {
    let ask = |reply| SessionRequest::DeadLetters(reply).into();
    session.call(ask, None).await.ok()?.success_or(()).ok()
}

/// The number of actors, and members of groups, that were left out in a session, in either direction: because a name was too long,
/// or, of the peer's, because there was [no room](super::PeerLimits). None if the session has ended.
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

/// What has passed over the link of a session, and how it is. None if the session has ended, or doesn't say within `timeout`: while it
/// waits for its node to decide something it says nothing.
pub async fn link_figures(session: &ActorRef<NodeSessionMessage>, timeout: Duration) -> Option<LinkFigures> {
    let ask = |reply| SessionRequest::Figures(reply).into();
    session.call(ask, Some(timeout)).await.ok()?.success_or(()).ok()
}
