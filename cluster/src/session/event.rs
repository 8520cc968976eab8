//! What a session tells its node, and what the node tells a session.

use std::time::Duration;

use super::{CloseReason, Refused, Rival};
use crate::wire::{Actor, GroupChange, NameMessage};

/// What happened in a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The peer said who it is; its `connection_id` is the connection's. As acceptor the session now waits for
    /// [`handle_admission`](super::Session::handle_admission), as initiator for [`handle_dial`](super::Session::handle_dial).
    /// Nothing of it is proved yet.
    PeerNamed(NameMessage),
    /// Both ends proved the cookie. The session now waits for [`handle_election`](super::Session::handle_election).
    Authenticated,
    /// The peer has said which groups it wants to know of, and waits to be told; answer with
    /// [`handle_snapshot`](super::Session::handle_snapshot).
    InterestTold,
    /// The peer has come across the address of an actor of this node; answer with
    /// [`handle_answer`](super::Session::handle_answer).
    Asked(u64),
    /// The peer has said whether it has the actor with this pid, after a [`handle_question`](super::Session::handle_question).
    Answered(u64),
    /// Both ends have sent all they had.
    Ready,
    /// The peer's actors with these pids can be addressed.
    Spawned(Vec<Actor>),
    /// They can't any more.
    Terminated(Vec<u64>),
    /// Actors of the peer joined a group.
    Joined(GroupChange),
    /// They left.
    Left(GroupChange),
    /// Entries among the peer's actors and groups were not taken.
    Refused(Refused),
    /// The peer wants to know the other sessions; answer with
    /// [`handle_sessions`](super::Session::handle_sessions).
    SessionsAsked(NameMessage),
    /// The peer's other sessions.
    SessionsLearned(Vec<NameMessage>),
    /// The peer answered a ping after this long.
    Pong(Duration),
    /// The peer has handled all that it was sent before a [`handle_confirmation`](super::Session::handle_confirmation): this many
    /// of the oldest ones that are not answered yet.
    Confirmed(usize),
    /// Another node with this one's name tried to connect to the peer, and was turned away.
    NameContested(Rival),
    /// It is over. No event follows.
    Closed(CloseReason),
}

/// Everything that the peer is told when a session starts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LocalSnapshot {
    /// The local actors whose messages can be serialized.
    pub actors: Vec<Actor>,
    /// Their group memberships.
    pub groups: Vec<GroupChange>,
}

/// A change among the local actors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LocalChange {
    /// An actor started.
    Spawned(Actor),
    /// An actor ended.
    Terminated(u64),
    /// Actors joined a group.
    Joined(GroupChange),
    /// Actors left a group.
    Left(GroupChange),
}
