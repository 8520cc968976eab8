//! What must hold: at every verdict, and when things have settled.

use super::scenario::Cut;
use super::world::{IMPOSTOR, World};
use crate::session::{CloseReason, Role, SessionCheck};
use crate::wire::ServerStatus;

impl World {
    /// Nobody is turned away but in favour of a live connection to somebody who proved the cookie.
    pub(super) fn check_admission(&mut self, id: usize, admission: SessionCheck) {
        let node = self.ends[id].node;
        let other = self.ends_of(node).any(|(other, end)| other != id && end.counts);
        if admission == SessionCheck::Loses && !other {
            self.violations
                .push(format!("end {id} was turned away in favour of no live connection"));
        }
    }

    /// Of those that were elected at a node, one stays, but for connections that only the other end can tell apart; and
    /// nobody loses but to one of them.
    pub(super) fn check_election(&mut self, id: usize) {
        let node = self.ends[id].node;
        let elected = self.elected_of(node);
        let is_alive = |end: &usize| self.ends[*end].counts;
        if !elected.iter().any(is_alive) {
            self.violations
                .push(format!("the election of end {id} left no live connection"));
        }
        if elected.len() > 1 && elected.iter().any(|end| self.ends[*end].role() == Role::Acceptor) {
            self.violations
                .push(format!("the accepting end elected {elected:?} at a time"));
        }
    }

    fn elected_of(&self, node: usize) -> Vec<usize> {
        let ids = self.ends_of(node).map(|(id, _)| id);
        ids.filter(|id| self.nodes[node].registry.is_elected(*id)).collect()
    }

    /// What must hold when everything has come to rest.
    pub(super) fn check_settled(&mut self) {
        let mut found = Vec::new();
        let survivors = [0, 1].map(|node| self.elected_of(node));
        let connections = survivors
            .each_ref()
            .map(|ends| ends.iter().map(|end| self.ends[*end].connection).collect::<Vec<_>>());
        if connections[0] != connections[1] || connections[0].len() > 1 {
            found.push(format!("the nodes keep the connections {connections:?}"));
        }
        if connections[0].is_empty() && self.must_be_connected() {
            found.push("no connection is left".to_owned());
        }
        for (node, ends) in survivors.iter().enumerate() {
            for end in ends {
                found.extend(self.check_survivor(*end, 1 - node));
            }
        }
        for id in 0..self.ends.len() {
            found.extend(self.check_end(id));
        }
        self.violations.append(&mut found);
    }

    /// Undisturbed, one of the connections must be left; disturbed, if somebody keeps dialling.
    fn must_be_connected(&self) -> bool {
        let heals = self.scenario.nodes.iter().any(|node| node.heals);
        let opened = self.connections.iter().any(|one| !one.nodes.contains(&IMPOSTOR));
        heals || (opened && !self.scenario.is_disturbed())
    }

    fn check_survivor(&self, id: usize, peer: usize) -> Option<String> {
        let (end, model) = (&self.ends[id], &self.nodes[peer].model);
        if !end.session.is_ready() || end.has_ended() {
            return Some(format!("end {id} survived, but is not ready"));
        }
        let known = |pid| end.session.peer_actor(pid).is_some();
        let is_zombie = model
            .all_pids()
            .find(|pid| known(*pid) != model.actors.contains_key(pid));
        if is_zombie.is_some() || !end.view.is(model) {
            return Some(format!(
                "end {id} believes {:?} of its peer, which has {model:?}",
                end.view
            ));
        }
        None
    }

    /// Whoever doesn't survive has ended, left nothing behind, and said why.
    fn check_end(&self, id: usize) -> Option<String> {
        let end = &self.ends[id];
        if end.node == IMPOSTOR || self.nodes[end.node].registry.is_elected(id) {
            return None;
        }
        if !end.has_ended() || !end.view.is_empty() {
            return Some(format!("end {id} neither survived nor ended"));
        }
        match &end.reason {
            None => Some(format!("end {id} ended without a reason")),
            Some(reason) if end.lost && *reason != CloseReason::DuplicateConnection => {
                Some(format!("end {id} lost to another, but ended because {reason}"))
            }
            Some(reason) if self.may_end(id, reason) => None,
            Some(reason) => Some(format!("end {id} ended because {reason}")),
        }
    }

    fn may_end(&self, id: usize, reason: &CloseReason) -> bool {
        let connection = &self.connections[self.ends[id].connection];
        let impostor = connection.nodes.contains(&IMPOSTOR);
        match reason {
            CloseReason::DuplicateConnection
            | CloseReason::Refused(ServerStatus::NotOk)
            | CloseReason::ConnectionClosed => true,
            CloseReason::AlreadyLinked => self.nodes[self.ends[id].node].plan.links,
            // Whatever an impostor says, it is never taken for the node that it talks to.
            CloseReason::WrongCookie | CloseReason::SameName { .. } => impostor,
            CloseReason::CookieRefused => {
                let other = connection.ends[self.ends[id].side.other() as usize];
                let other = other.and_then(|other| self.ends[other].reason.as_ref());
                impostor
                    || connection.cut == Some(Cut::Orderly)
                    || matches!(other, Some(CloseReason::HandshakeTimeout(_)))
            }
            CloseReason::HandshakeTimeout(_) | CloseReason::PeerSilent(_) => self.scenario.is_disturbed(),
            CloseReason::Io(_) => connection.cut == Some(Cut::Reset),
            _ => false,
        }
    }
}
