//! The actors that a peer advertises: a table entry each, until somebody asks for one.

use std::collections::HashMap;
use std::sync::Arc;

use super::CloseReason;
use crate::wire::Actor;

/// The most actors that one peer may advertise at a time.
pub(super) const MAX_PEER_ACTORS: usize = 4_000_000;

/// The live actors of the peer, by pid and by name.
#[derive(Debug, Default)]
pub(super) struct PeerActors {
    names: HashMap<u64, Option<Arc<str>>>,
    by_name: HashMap<Arc<str>, u64>,
}

impl PeerActors {
    /// Enters actors; those that are known already stay as they are. Returns the new ones.
    pub(super) fn spawn(&mut self, actors: &[Actor]) -> Result<Vec<Actor>, CloseReason> {
        let mut new = Vec::new();
        for actor in actors {
            if self.names.contains_key(&actor.pid) {
                continue;
            }
            if self.names.len() >= MAX_PEER_ACTORS {
                return Err(CloseReason::LimitExceeded {
                    what: "advertised actors",
                    limit: MAX_PEER_ACTORS,
                });
            }
            let name = actor.name.as_deref().map(Arc::<str>::from);
            if let Some(name) = &name {
                // Names are unique on a node, so an earlier holder has ended and its end is on the way.
                self.by_name.insert(name.clone(), actor.pid);
            }
            self.names.insert(actor.pid, name);
            new.push(actor.clone());
        }
        Ok(new)
    }

    /// Removes actors. Returns those that were known.
    pub(super) fn terminate(&mut self, mut pids: Vec<u64>) -> Vec<u64> {
        pids.retain(|pid| self.remove(*pid));
        pids
    }

    fn remove(&mut self, pid: u64) -> bool {
        let Some(name) = self.names.remove(&pid) else {
            return false;
        };
        if let Some(name) = name
            && self.by_name.get(&name) == Some(&pid)
        {
            self.by_name.remove(&name);
        }
        true
    }

    /// The pid of the actor with this name.
    pub(super) fn named(&self, name: &str) -> Option<u64> {
        self.by_name.get(name).copied()
    }

    /// True if the peer advertises this pid.
    pub(super) fn contains(&self, pid: u64) -> bool {
        self.names.contains_key(&pid)
    }

    /// The actor with this pid, if the peer advertises it.
    pub(super) fn actor(&self, pid: u64) -> Option<Actor> {
        self.names.get(&pid).map(|name| Actor {
            pid,
            name: name.as_deref().map(Into::into),
        })
    }
}
