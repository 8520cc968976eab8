//! The actors that a peer advertises. Each is a table entry until a look-up or a group needs more.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use super::ledger::PeerAccount;
use super::refusal::{EntryRefusal, EntryRefusals};
use crate::wire::{Actor, MAX_NAME_BYTES, is_of_entities, is_of_type};

/// The bytes that an advertised actor is charged: two entries of hash tables, here and beside the link, of 25 and 9 bytes. A
/// table that has just grown has room for more than twice of what is in it. Measured: 75 to 80.
const ACTOR: usize = 96;

/// The bytes that a name is charged beside its own: an entry of 25 bytes of the table by name, and an allocation. Measured: 90.
const NAME: usize = 96;

/// The divisor for shrinking: a table is made smaller when less than this part of it is used.
const ROOM: usize = 8;

/// The live actors of the peer, by pid and by name.
#[derive(Debug)]
pub(super) struct PeerActors {
    account: Arc<PeerAccount>,
    names: HashMap<u64, Option<Arc<str>>>,
    by_name: HashMap<Arc<str>, u64>,
    /// The peer may have types of entities: it has proved that it is no stock node.
    may_have_entities: bool,
}

impl PeerActors {
    pub(super) fn new(account: Arc<PeerAccount>) -> Self {
        Self {
            account,
            names: HashMap::new(),
            by_name: HashMap::new(),
            may_have_entities: false,
        }
    }

    /// What the peer says of itself: a stock node has no entities.
    pub(super) fn set_entities(&mut self, may_have: bool) {
        self.may_have_entities = may_have;
    }

    /// Enters actors; those that are known already stay as they are. Returns the new ones.
    pub(super) fn spawn(&mut self, actors: &[Actor], refusals: &mut EntryRefusals) -> Vec<Actor> {
        // One charge for all if there is room for all: the account is shared between threads, and so is the ledger behind it.
        let of_all = actors.iter().map(|actor| cost(actor.name.as_deref())).sum();
        let is_paid = self.account.charge(of_all).is_ok();
        let mut unused = of_all;
        let mut new = Vec::with_capacity(actors.len());
        for actor in actors {
            // An actor is named again by each group that it joins. What it was called first stays, and it is charged once.
            let Entry::Vacant(place) = self.names.entry(actor.pid) else {
                continue;
            };
            let cost = cost(actor.name.as_deref());
            let name = actor.name.as_deref();
            let entered = match name {
                Some(name) if name.len() > MAX_NAME_BYTES => Err(EntryRefusal::ActorName),
                Some(name) if is_of_entities(name) && !(self.may_have_entities && is_of_type(name)) => {
                    Err(EntryRefusal::Reserved)
                }
                _ if is_paid => Ok(()),
                _ => self.account.charge(cost).map_err(EntryRefusal::Full),
            };
            if let Err(refusal) = entered {
                refusals.note(refusal, 1, || spoken(actor));
                continue;
            }
            unused -= cost;
            let name = name.map(Arc::<str>::from);
            if let Some(name) = &name {
                // Names are unique on a node, so an earlier holder has ended and its end is on the way.
                self.by_name.insert(name.clone(), actor.pid);
            }
            place.insert(name);
            new.push(actor.clone());
        }
        if is_paid && unused > 0 {
            self.account.give_back(unused);
        }
        new
    }

    /// Removes actors. Returns those that were known.
    pub(super) fn terminate(&mut self, mut pids: Vec<u64>) -> Vec<u64> {
        let mut freed = 0;
        pids.retain(|pid| match self.remove(*pid) {
            Some(cost) => {
                freed += cost;
                true
            }
            None => false,
        });
        self.account.give_back(freed);
        // Room that isn't charged any more is given back to the allocator.
        if self.names.len() < self.names.capacity() / ROOM {
            self.names.shrink_to(2 * self.names.len());
            self.by_name.shrink_to(2 * self.by_name.len());
        }
        pids
    }

    /// Removes an entry. Gives the bytes that it was charged, if there was one.
    fn remove(&mut self, pid: u64) -> Option<usize> {
        let name = self.names.remove(&pid)?;
        let cost = cost(name.as_deref());
        if let Some(name) = name
            // The news of a successor of the same name may have come before that of this end.
            && self.by_name.get(&name) == Some(&pid)
        {
            self.by_name.remove(&name);
        }
        Some(cost)
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

/// The bytes that an entry is charged.
fn cost(name: Option<&str>) -> usize {
    ACTOR + name.map_or(0, |name| NAME + name.len())
}

/// An actor as a log names it.
fn spoken(actor: &Actor) -> String {
    match &actor.name {
        Some(name) => format!("actor {} {name:.60}", actor.pid),
        None => format!("actor {}", actor.pid),
    }
}
