//! The connections of one node as its elections see them: which node is at the other end, what it has proved, and which connection
//! to it goes on.
//!
//! Generic over how sessions are told apart: the node has actor ids, the simulation has numbers.

use std::collections::BTreeMap;
use std::num::NonZeroU64;

use super::{Candidate, CloseReason, Role, elect};
use crate::wire::ServerStatus;

/// Whether a connection whose peer has just said its name goes on. Peers hear it as a [`ServerStatus`], and programs that ask the node
/// as the stock crate's `SessionCheckReply`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionCheck {
    /// There is no other connection with this peer.
    OnlyOne,
    /// There is, and this one takes its place once it is authenticated.
    Wins,
    /// There is, and it goes on.
    Loses,
    /// There is one in the same direction, and the question doesn't tell the two apart.
    Ambiguous,
}

impl From<SessionCheck> for ServerStatus {
    fn from(admission: SessionCheck) -> Self {
        match admission {
            SessionCheck::OnlyOne => Self::Ok,
            SessionCheck::Wins => Self::OkSimultaneous,
            SessionCheck::Loses => Self::NotOk,
            SessionCheck::Ambiguous => Self::Alive,
        }
    }
}

/// What comes of the authentication of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Election<Id> {
    /// The session itself survives.
    pub won: bool,
    /// The other sessions with the same peer that are over, losers of this election among them. They must be gone before the winner
    /// begins: what a peer said before a restart must be gone before what it says after it comes.
    pub ending: Vec<Id>,
}

/// The sessions of a node.
#[derive(Debug)]
pub struct Registry<Id> {
    entries: BTreeMap<Id, RegistryEntry>,
}

#[derive(Debug)]
struct RegistryEntry {
    role: Role,
    peer: Option<String>,
    connection_id: Option<NonZeroU64>,
    is_for_entities: bool,
    standing: SessionStanding,
}

/// The standing of a session in elections.
#[derive(Debug, PartialEq, Eq)]
enum SessionStanding {
    /// The peer's name is a claim. It counts in no election but its own.
    Claimed,
    /// The peer proved the cookie.
    Authenticated,
    /// It is over, though its actor may still be writing what it has accepted. It counts in no election: a peer that
    /// comes back meanwhile must not be turned away in its favour.
    Over(CloseReason),
}

impl<Id> Default for Registry<Id> {
    fn default() -> Self {
        Self {
            entries: BTreeMap::new(),
        }
    }
}

impl<Id: Copy + Ord> Registry<Id> {
    /// A connection was opened or accepted.
    pub fn insert(&mut self, id: Id, role: Role) {
        let entry = RegistryEntry {
            role,
            peer: None,
            connection_id: None,
            is_for_entities: false,
            standing: SessionStanding::Claimed,
        };
        self.entries.insert(id, entry);
    }

    /// The session is gone. Returns why it ended, if it said so.
    pub fn remove(&mut self, id: Id) -> Option<CloseReason> {
        match self.entries.remove(&id)?.standing {
            SessionStanding::Over(reason) => Some(reason),
            SessionStanding::Claimed | SessionStanding::Authenticated => None,
        }
    }

    /// The peer of this session has said its name; `connection_id` is the connection's nonce, 0 for none.
    pub fn name(&mut self, id: Id, peer: &str, connection_id: u64) {
        if let Some(entry) = self.entries.get_mut(&id) {
            entry.peer = Some(peer.to_owned());
            entry.connection_id = NonZeroU64::new(connection_id);
        }
    }

    /// The connection was opened for entities alone.
    pub(crate) fn set_for_entities(&mut self, id: Id) {
        if let Some(entry) = self.entries.get_mut(&id) {
            entry.is_for_entities = true;
        }
    }

    /// True if it was.
    pub(crate) fn is_for_entities(&self, id: Id) -> bool {
        self.entries.get(&id).is_some_and(|entry| entry.is_for_entities)
    }

    /// Notes that the session has ended or is about to. The first reason stays, since later ones follow from it.
    pub fn over(&mut self, id: Id, reason: CloseReason) {
        if let Some(entry) = self.entries.get_mut(&id)
            && !matches!(entry.standing, SessionStanding::Over(_))
        {
            entry.standing = SessionStanding::Over(reason);
        }
    }

    /// True if this session is authenticated and neither over nor beaten by another.
    pub fn is_elected(&self, id: Id) -> bool {
        self.entries
            .get(&id)
            .is_some_and(|entry| entry.standing == SessionStanding::Authenticated)
    }

    /// True if there is an elected session with a peer of this name.
    #[cfg(test)]
    pub(crate) fn has_elected(&self, peer: &str) -> bool {
        !self.elected(peer).is_empty()
    }

    /// Whether this session, whose peer has just said its name, goes on. Sessions whose peers haven't proved the cookie don't
    /// count: a claimed name displaces nobody.
    pub fn check(&self, this: &str, id: Id) -> SessionCheck {
        let Some(entry) = self.entries.get(&id) else {
            return SessionCheck::Loses;
        };
        let Some(peer) = entry.peer.as_deref() else {
            return SessionCheck::Loses;
        };
        let mut candidates = self.elected(peer);
        // An unproved name takes part in its own check alone: it may lose by that, and displaces nobody.
        if entry.standing != SessionStanding::Authenticated {
            candidates.push(entry.candidate(id));
        }
        let only = candidates.len() == 1;
        match elect(this, peer, candidates).contains(&id) {
            true if only => SessionCheck::OnlyOne,
            true => SessionCheck::Wins,
            false => SessionCheck::Loses,
        }
    }

    /// As [`Registry::check`] for a connection that is known only by its peer's name and nonce.
    pub(crate) fn check_name(&self, this: &str, peer: &str, connection_id: u64) -> SessionCheck {
        let nonce = NonZeroU64::new(connection_id);
        let mut same = self
            .entries
            .iter()
            .filter(|(_, entry)| entry.peer.as_deref() == Some(peer) && entry.connection_id == nonce);
        match (same.next(), same.next()) {
            (Some((only, _)), None) => return self.check(this, *only),
            // Several with one nonce: all may authenticate, and the accepting end decides once it can tell them apart.
            (Some(_), Some(_)) => return SessionCheck::OnlyOne,
            (None, _) => {}
        }
        let others = self.elected(peer);
        if others.is_empty() {
            SessionCheck::OnlyOne
        } else if others.iter().any(|other| other.role == Role::Acceptor) {
            SessionCheck::Ambiguous
        } else if peer < this {
            SessionCheck::Wins
        } else {
            SessionCheck::Loses
        }
    }

    /// This session has authenticated: decides between it and the others with the same peer. None if it is unknown,
    /// nameless or over.
    pub fn elect(&mut self, this: &str, id: Id) -> Option<Election<Id>> {
        let entry = self.entries.get_mut(&id)?;
        let peer = entry.peer.clone()?;
        if let SessionStanding::Over(_) = entry.standing {
            return None;
        }
        // First, so that this session is a candidate, too.
        entry.standing = SessionStanding::Authenticated;
        let candidates = self.elected(&peer);
        let elected: Vec<_> = candidates.iter().map(|candidate| candidate.id).collect();
        let winners = elect(this, &peer, candidates);
        for loser in elected.iter().filter(|elected| !winners.contains(elected)) {
            self.over(*loser, CloseReason::DuplicateConnection);
        }
        // All sessions that are over have to go, and not the losers of this election alone: one that ended earlier may still be
        // writing, and this node still knows its actors.
        let with_peer = self
            .entries
            .iter()
            .filter(|(_, entry)| entry.peer.as_ref() == Some(&peer));
        let ending =
            with_peer.filter(|(other, entry)| **other != id && matches!(entry.standing, SessionStanding::Over(_)));
        Some(Election {
            won: winners.contains(&id),
            ending: ending.map(|(id, _)| *id).collect(),
        })
    }

    fn elected(&self, peer: &str) -> Vec<Candidate<Id>> {
        self.entries
            .iter()
            .filter(|(_, entry)| {
                entry.standing == SessionStanding::Authenticated && entry.peer.as_deref() == Some(peer)
            })
            .map(|(id, entry)| entry.candidate(*id))
            .collect()
    }
}

impl RegistryEntry {
    fn candidate<Id>(&self, id: Id) -> Candidate<Id> {
        Candidate {
            id,
            role: self.role,
            connection_id: self.connection_id,
            is_for_entities: self.is_for_entities,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Election, Registry, Role, SessionCheck};
    use crate::session::CloseReason;

    const THIS: &str = "beta@h";
    const PEER: &str = "alpha@h";

    /// Accepted connections of one peer with these nonces, numbered from 0.
    fn accepted(nonces: &[u64]) -> Registry<usize> {
        let mut registry = Registry::default();
        for (id, nonce) in nonces.iter().enumerate() {
            registry.insert(id, Role::Acceptor);
            registry.name(id, PEER, *nonce);
        }
        registry
    }

    #[test]
    fn a_claim_is_turned_away_by_proof_and_turns_nobody_away() {
        let mut registry = accepted(&[5, 3, 9]);
        assert_eq!(registry.check(THIS, 0), SessionCheck::OnlyOne, "whatever 1 and 2 claim");
        assert!(registry.elect(THIS, 0).unwrap().won);
        assert_eq!(registry.check(THIS, 1), SessionCheck::Wins);
        assert_eq!(registry.check(THIS, 2), SessionCheck::Loses);
        assert!(registry.is_elected(0), "a better claim is no proof");
    }

    #[test]
    fn a_session_that_is_over_competes_no_more_but_must_be_gone_first() {
        let mut registry = accepted(&[3, 5]);
        registry.elect(THIS, 0);
        assert_eq!(registry.check(THIS, 1), SessionCheck::Loses);
        registry.over(0, CloseReason::ConnectionClosed);
        assert_eq!(registry.check(THIS, 1), SessionCheck::OnlyOne);
        let election = Election {
            won: true,
            ending: vec![0],
        };
        assert_eq!(registry.elect(THIS, 1), Some(election));
        assert_eq!(registry.elect(THIS, 0), None, "it does not come back");
    }

    #[test]
    fn the_first_reason_for_an_end_is_the_reason() {
        let mut registry = accepted(&[5, 3]);
        registry.elect(THIS, 0);
        assert_eq!(registry.elect(THIS, 1).unwrap().ending, [0]);
        registry.over(0, CloseReason::ConnectionClosed);
        assert_eq!(registry.remove(0), Some(CloseReason::DuplicateConnection));
        assert_eq!(registry.remove(1), None, "it is not over");
    }

    #[test]
    fn who_asks_by_name_alone_gets_an_answer_about_the_direction() {
        let mut registry = accepted(&[5]);
        registry.elect(THIS, 0);
        assert_eq!(registry.check_name(THIS, PEER, 5), SessionCheck::OnlyOne);
        assert_eq!(registry.check_name(THIS, PEER, 6), SessionCheck::Ambiguous);
        assert_eq!(registry.check_name(THIS, "gamma@h", 5), SessionCheck::OnlyOne);
        registry.insert(7, Role::Acceptor);
        registry.name(7, PEER, 5);
        assert_eq!(
            registry.check_name(THIS, PEER, 5),
            SessionCheck::OnlyOne,
            "both may authenticate"
        );
    }
}
