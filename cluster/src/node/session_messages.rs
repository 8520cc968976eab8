//! What the actor of a session is told and asked.
//!
//! The public enum has the variants of the stock crate; what is new travels inside of [`Inbound`], in place of a received message.

use ractor::concurrency::OneshotSender;
use ractor::{ActorCell, RpcReplyPort};

use super::link_figures::LinkFigures;
use super::stand_ins::Loan;
use crate::directory::{HostedEvent, Lent, WantedActor};
use crate::session::{CloseReason, Rival};
use crate::wire::{Actor, Data, Message};

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
    /// CallEnded once the peer has handled everything that was sent to it before.
    Confirm(RpcReplyPort<()>),
    /// A guest started or ended.
    Hosted(HostedEvent),
    /// The stand-in for the peer's actor with this pid.
    StandIn(u64, RpcReplyPort<Option<ActorCell>>),
    /// The stand-in for the peer's actor with this name.
    StandInNamed(String, RpcReplyPort<Option<ActorCell>>),
    /// Have the peer say whether it has an actor with this pid, if it has told nothing of one: answered once it has.
    Learn(u64, RpcReplyPort<Option<()>>),
    /// Whether the peer advertises an actor, and its pid and name.
    Look(WantedActor, RpcReplyPort<Option<Actor>>),
    /// The stand-in for the peer's actor with this pid, until it is given back.
    Lend(u64, RpcReplyPort<Option<Lent>>),
    /// Somebody who was lent a stand-in needs it no more.
    GiveBack(Loan),
    /// Another node with the peer's name was turned away.
    Contested(Rival),
    /// This node stops in order: its actors leave their groups as far as the peer can see.
    Leave,
    /// The reader or the writer ended.
    LinkEnded(CloseReason),
    /// Too many connections are in their handshakes, and this one is the oldest.
    GiveWay,
    /// Whether it is for entities, and nobody at this end needs it.
    Unused(RpcReplyPort<bool>),
    /// End, if that is still so.
    CloseUnused,
    /// A deadline of the session may have come.
    Tick,
    /// What has passed over the link.
    Figures(RpcReplyPort<LinkFigures>),
}

impl From<SessionRequest> for NodeSessionMessage {
    fn from(request: SessionRequest) -> Self {
        Self::MessageReceived(Inbound(request))
    }
}
