//! The sessions of a node and which of them survive.

use std::collections::HashMap;
use std::num::NonZeroU64;

use ractor::{ActorId, ActorRef};

use super::{NameMessage, NodeServerSessionInformation, NodeSessionMessage, SessionCheckReply};
use crate::NodeId;
use crate::session::{Candidate, CloseReason, Role, elect};

/// The sessions of a node by actor id.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    by_actor: HashMap<ActorId, Entry>,
}

#[derive(Debug)]
struct Entry {
    info: NodeServerSessionInformation,
    connection_id: Option<NonZeroU64>,
    authenticated: bool,
    closing: Option<CloseReason>,
}

/// What comes of the authentication of a session.
#[derive(Debug)]
pub(super) struct Election {
    /// The session itself survives.
    pub(super) won: bool,
    /// The sessions that end in its favour, or that it ends in favour of.
    pub(super) losers: Vec<ActorRef<NodeSessionMessage>>,
}

impl Sessions {
    pub(super) fn insert(&mut self, info: NodeServerSessionInformation) {
        let entry = Entry {
            connection_id: None,
            authenticated: false,
            closing: None,
            info,
        };
        self.by_actor.insert(entry.info.actor.get_id(), entry);
    }

    /// Takes a session out; its information and why it ended, if it said so.
    pub(super) fn remove(&mut self, id: ActorId) -> Option<(NodeServerSessionInformation, Option<CloseReason>)> {
        self.by_actor.remove(&id).map(|entry| (entry.info, entry.closing))
    }

    pub(super) fn info(&self, id: ActorId) -> Option<&NodeServerSessionInformation> {
        self.by_actor.get(&id).map(|entry| &entry.info)
    }

    /// The peer of this session has said its name.
    pub(super) fn name(&mut self, id: ActorId, name: NameMessage) {
        if let Some(entry) = self.by_actor.get_mut(&id) {
            entry.connection_id = NonZeroU64::new(name.connection_id);
            entry.info.peer_name = Some(NameMessage {
                connection_id: 0,
                ..name
            });
        }
    }

    /// The authenticated sessions by node id.
    pub(super) fn authenticated(&self) -> HashMap<NodeId, NodeServerSessionInformation> {
        self.by_actor
            .values()
            .filter(|entry| entry.authenticated)
            .map(|entry| (entry.info.node_id, entry.info.clone()))
            .collect()
    }

    /// Should this session, whose peer has just said its name, go on? Sessions that haven't proved the cookie don't
    /// count: a claimed name displaces nobody.
    pub(super) fn check(&self, this: &str, id: ActorId) -> SessionCheckReply {
        let Some(peer) = self.peer_of(id) else {
            return SessionCheckReply::OtherConnectionContinues;
        };
        let candidates = self.candidates(peer, |entry_id, entry| entry.authenticated || entry_id == id);
        let competition = candidates.len() > 1;
        match elect(this, peer, candidates).contains(&id) {
            true if competition => SessionCheckReply::ThisConnectionContinues,
            true => SessionCheckReply::NoOtherConnection,
            false => SessionCheckReply::OtherConnectionContinues,
        }
    }

    /// As [`Sessions::check`] for whoever knows a connection only by its peer's name and nonce.
    pub(super) fn check_name(&self, this: &str, peer: &NameMessage) -> SessionCheckReply {
        let nonce = NonZeroU64::new(peer.connection_id);
        let same = self.candidates(&peer.name, |_, entry| entry.connection_id == nonce);
        if let [only] = same.as_slice() {
            return self.check(this, only.id);
        }
        let others = self.candidates(&peer.name, |_, entry| entry.authenticated);
        if !same.is_empty() || others.is_empty() {
            SessionCheckReply::NoOtherConnection
        } else if others.iter().any(|other| other.role == Role::Acceptor) {
            SessionCheckReply::DuplicateConnection
        } else if peer.name.as_str() < this {
            SessionCheckReply::ThisConnectionContinues
        } else {
            SessionCheckReply::OtherConnectionContinues
        }
    }

    /// This session has authenticated: decides between it and the others with the same peer.
    pub(super) fn elect(&mut self, this: &str, id: ActorId) -> Option<Election> {
        self.by_actor.get_mut(&id)?.authenticated = true;
        let peer = self.peer_of(id)?.to_owned();
        let candidates = self.candidates(&peer, |_, entry| entry.authenticated);
        let all: Vec<_> = candidates.iter().map(|candidate| candidate.id).collect();
        let winners = elect(this, &peer, candidates);
        let mut losers = Vec::new();
        for loser in all.into_iter().filter(|id| !winners.contains(id)) {
            if let Some(entry) = self.by_actor.get_mut(&loser) {
                entry.authenticated = false;
                entry.closing = Some(CloseReason::DuplicateConnection);
                losers.push(entry.info.actor.clone());
            }
        }
        Some(Election {
            won: winners.contains(&id),
            losers,
        })
    }

    /// True if there is an authenticated session with a node of this full name or connection string.
    pub(super) fn is_present(&self, node: &str) -> bool {
        let authenticated = self.by_actor.values().filter(|entry| entry.authenticated);
        let mut names = authenticated.filter_map(|entry| entry.info.peer_name.as_ref());
        names.any(|name| name.name == node || name.connection_string == node)
    }

    /// True if this session is authenticated and has lost to no other.
    pub(super) fn is_elected(&self, id: ActorId) -> bool {
        self.by_actor.get(&id).is_some_and(|entry| entry.authenticated)
    }

    fn peer_of(&self, id: ActorId) -> Option<&str> {
        Some(self.by_actor.get(&id)?.info.peer_name.as_ref()?.name.as_str())
    }

    fn candidates(&self, peer: &str, include: impl Fn(ActorId, &Entry) -> bool) -> Vec<Candidate<ActorId>> {
        self.by_actor
            .iter()
            .filter(|(_, entry)| entry.info.peer_name.as_ref().is_some_and(|name| name.name == peer))
            .filter(|(id, entry)| include(**id, entry))
            .map(|(id, entry)| Candidate {
                id: *id,
                role: if entry.info.is_server {
                    Role::Acceptor
                } else {
                    Role::Initiator
                },
                connection_id: entry.connection_id,
            })
            .collect()
    }
}
