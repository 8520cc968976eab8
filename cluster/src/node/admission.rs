//! How many connections may be open that have not proved the cookie, and which of them gives way to another.
//!
//! Whoever reaches the port costs a socket, a task and some memory before anything is known of them. A [`Permit`] stands
//! for that cost. It is taken when a connection is accepted, before anything is spawned for it, and given back when the
//! peer has authenticated or the connection is gone.
//!
//! A newcomer is not turned away because others hold all the places: an honest handshake takes moments, and whoever has held a
//! place for the longest gives it up. Those who have said their names, and those who have said nothing yet, pay as two crowds, the
//! larger of which gives up its oldest: otherwise either crowd could hold all the places but one, and have each newcomer push out the
//! one before it. Of several addresses the one with the most places pays, and those where nobody ever proved the cookie pay first. As
//! many again may be on their way out; only when those are too many, too, newcomers are closed at once.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Display;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use parking_lot::{Mutex, MutexGuard};

use super::challenges::Challenges;
use super::refusals::Refusals;
use super::session_end::Proof;
use super::source::Source;
use crate::session::{CloseReason, StockChallenge};

/// The number of addresses that are remembered: their peers proved the cookie, or this node dialled them. Beyond it the one is forgotten that
/// was heard of least lately.
const KNOWN: usize = 1_024;

/// How many accepted connections may be in their handshakes, TLS included, at one time. Beyond that, older ones give way to new ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct HandshakeLimits {
    /// In all.
    pub total: usize,
    /// From one address; of IPv6, from one /64 network, which is what one host has.
    pub per_address: usize,
}

impl HandshakeLimits {
    /// These limits. With 0 nobody is let in.
    pub fn new(total: usize, per_address: usize) -> Self {
        Self { total, per_address }
    }
}

impl Default for HandshakeLimits {
    /// 512 in all, 64 from one address: enough for a cluster that starts at once, small change for a node.
    fn default() -> Self {
        Self::new(512, 64)
    }
}

/// The accepted connections of a node that have not authenticated, and those that it turned away.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct HandshakeStats {
    /// How many are in their handshakes, TLS included.
    pub open: usize,
    /// How many were refused or ended by themselves since the node started, by reason: a [`CloseReason::name`], or
    /// `handshake_limit`, `address_limit`, `tls`, `tls_timeout`; and, as `accept`, how often the system could not accept
    /// any.
    ///
    /// [`CloseReason::name`]: super::CloseReason::name
    pub failed: BTreeMap<&'static str, u64>,
}

/// Which limit was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum LimitReached {
    /// And all of them belong to peers that have a right to theirs.
    #[error("{limit} connections are in their handshakes already")]
    Total { limit: usize },
    /// Nobody from anywhere is let in.
    #[error("{limit} connections from its address are in their handshakes already")]
    Address { limit: usize },
}

impl LimitReached {
    /// As counted.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Total { .. } => "handshake_limit",
            Self::Address { .. } => "address_limit",
        }
    }
}

/// Hands out the permits of one node, and counts whom it turned away and why.
#[derive(Debug, Default)]
pub(crate) struct Admission {
    limits: HandshakeLimits,
    open: Mutex<Open>,
    pub(super) refusals: Refusals,
}

/// Ends a connection that has to give way.
type GiveWay = Box<dyn FnOnce() + Send>;

#[derive(Default)]
struct Open {
    /// The connections that have a permit, the oldest first.
    places: BTreeMap<u64, Place>,
    /// How many of them there are from each source that has some.
    by_source: HashMap<Source, Count>,
    /// How many connections had to give way and are not gone yet.
    leaving: usize,
    /// Those that may be expected to connect, and when they were last heard of.
    known: HashMap<Source, u64>,
    challenges: Challenges,
    /// Counts permits and news of the known.
    clock: u64,
}

impl std::fmt::Debug for Open {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Open").field("places", &self.places.len()).finish()
    }
}

/// The connections of one source.
#[derive(Debug, Default, Clone, Copy)]
struct Count {
    /// Those that have places.
    places: usize,
    /// Those that had to give way and are not gone yet.
    leaving: usize,
}

struct Place {
    source: Source,
    /// The peer has said its name, as an honest one does at once.
    has_spoken: bool,
    give_way: Option<GiveWay>,
}

impl Admission {
    pub(super) fn new(limits: HandshakeLimits) -> Self {
        Self {
            limits,
            ..Self::default()
        }
    }

    /// A permit for a connection from `addr`, to `peer` as logs call it. Another one may have to give way.
    ///
    /// # Errors
    /// A limit is reached, and nobody gives way.
    pub(super) fn admit(self: &Arc<Self>, addr: Option<IpAddr>, peer: &dyn Display) -> Result<Permit, LimitReached> {
        let source = Source::of(addr);
        let mut open = self.open();
        let gives_way = open.make_room(self.limits, source)?;
        let id = open.tick();
        open.places.insert(
            id,
            Place {
                source,
                has_spoken: false,
                give_way: None,
            },
        );
        open.by_source.entry(source).or_default().places += 1;
        drop(open);
        if let Some(give_way) = gives_way {
            give_way();
        }
        Ok(Permit {
            admission: self.clone(),
            id,
            source,
            peer: peer.to_string(),
            held: AtomicBool::new(true),
            saw_challenge: AtomicBool::new(false),
        })
    }

    /// This node dials that address, so somebody may dial from there.
    pub(super) fn expect(&self, addr: Option<IpAddr>) {
        self.open().know(Source::of(addr));
    }

    /// How many connections have a permit.
    pub(super) fn open_handshakes(&self) -> usize {
        self.open().places.len()
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock()
    }
}

impl Open {
    fn tick(&mut self) -> u64 {
        self.clock += 1;
        self.clock
    }

    fn know(&mut self, source: Source) {
        if source == Source::Unknown {
            return;
        }
        let now = self.tick();
        self.known.insert(source, now);
        if self.known.len() > KNOWN
            && let Some(least) = self.known.iter().min_by_key(|(_, at)| **at).map(|(source, _)| *source)
        {
            self.known.remove(&least);
        }
    }

    /// Takes somebody's place, if there is no other for a connection of this source.
    fn make_room(&mut self, limits: HandshakeLimits, source: Source) -> Result<Option<GiveWay>, LimitReached> {
        let HandshakeLimits { total, per_address } = limits;
        let of_source = self.by_source.get(&source).copied().unwrap_or_default();
        let (payer, limit) = if of_source.places >= per_address && source != Source::Unknown {
            let limit = LimitReached::Address { limit: per_address };
            (Some(source).filter(|_| of_source.leaving < per_address), limit)
        } else if self.places.len() >= total {
            (self.payer(source), LimitReached::Total { limit: total })
        } else {
            return Ok(None);
        };
        let payer = payer.filter(|_| self.leaving < total).ok_or(limit)?;
        let oldest = self.oldest_of_the_larger_crowd(payer);
        let place = oldest.and_then(|id| self.places.remove(&id)).ok_or(limit)?;
        let count = self.by_source.entry(payer).or_default();
        count.places = count.places.saturating_sub(1);
        count.leaving += 1;
        self.leaving += 1;
        // A connection that has not said yet how it is ended is told when it does so.
        Ok(place.give_way)
    }

    /// The oldest place of this source among those who have said their names, or among those who have said nothing, whichever are
    /// more.
    fn oldest_of_the_larger_crowd(&self, source: Source) -> Option<u64> {
        let of_source = || self.places.iter().filter(|(_, place)| place.source == source);
        let spoken = of_source().filter(|(_, place)| place.has_spoken).count();
        let most_have_spoken = 2 * spoken > of_source().count();
        // Places are in the order in which they were taken.
        of_source()
            .find(|(_, place)| place.has_spoken == most_have_spoken)
            .map(|(id, _)| *id)
    }

    /// The source that gives up a place in favour of this one: nobody who is known does it for somebody who isn't.
    fn payer(&self, newcomer: Source) -> Option<Source> {
        let is_known = |source: &Source| self.known.contains_key(source);
        let may_pay = |source: &Source| *source == newcomer || !is_known(source) || is_known(&newcomer);
        let holders = self.by_source.iter().filter(|(_, count)| count.places > 0);
        let payers = holders.filter(|(source, _)| may_pay(source));
        let payer = payers.max_by_key(|(source, count)| (!is_known(source), count.places))?;
        Some(*payer.0)
    }

    /// A connection is gone, or is none of ours any more.
    fn remove(&mut self, id: u64, source: Source) {
        let had_place = self.places.remove(&id).is_some();
        let count = self.by_source.entry(source).or_default();
        if had_place {
            count.places = count.places.saturating_sub(1);
        } else {
            count.leaving = count.leaving.saturating_sub(1);
            self.leaving = self.leaving.saturating_sub(1);
        }
        if count.places + count.leaving == 0 {
            self.by_source.remove(&source);
        }
    }
}

/// The right to be connected without having authenticated.
#[derive(Debug)]
pub(super) struct Permit {
    admission: Arc<Admission>,
    id: u64,
    source: Source,
    /// As logs call it.
    peer: String,
    held: AtomicBool,
    /// The peer has been given a challenge that a stock peer answers.
    saw_challenge: AtomicBool,
}

impl Permit {
    /// Gives it back: the peer has authenticated.
    pub(super) fn authenticated(&self) {
        if self.held.swap(false, Ordering::Relaxed) {
            let mut open = self.admission.open();
            open.remove(self.id, self.source);
            open.know(self.source);
        }
    }

    /// The peer has said its name, and is asked for this kind of proof.
    pub(super) fn has_spoken(&self, asked: Proof) {
        self.saw_challenge.store(asked == Proof::Cookie, Ordering::Relaxed);
        if let Some(place) = self.admission.open().places.get_mut(&self.id) {
            place.has_spoken = true;
        }
    }

    /// What ends the connection if it has to give way, in place of what did so before. Called at once if it has to already.
    pub(super) fn on_give_way(&self, give_way: impl FnOnce() + Send + 'static) {
        let mut open = self.admission.open();
        match open.places.get_mut(&self.id) {
            Some(place) => place.give_way = Some(Box::new(give_way)),
            None => {
                drop(open);
                give_way();
            }
        }
    }

    /// What a stock peer at the other end has to answer; `fresh` is a random number.
    pub(super) fn challenge(&self, fresh: u32) -> StockChallenge {
        let mut open = self.admission.open();
        open.challenges.challenge(self.source, fresh, Instant::now())
    }

    /// Logs and counts why the connection's session ended. False, and nothing done, if that is no matter of admission:
    /// the peer had authenticated, or this node wanted the end.
    pub(super) fn report(&self, reason: &CloseReason) -> bool {
        let refusals = &self.admission.refusals;
        match reason {
            _ if !self.held.load(Ordering::Relaxed) => return false,
            CloseReason::Local => return false,
            CloseReason::ConnectionClosed
            | CloseReason::PeerGaveUp
            | CloseReason::SelfConnection
            | CloseReason::Io(_) => {
                refusals.ended(&self.peer, reason.name(), reason);
            }
            _ => refusals.refuse(&self.peer, reason.name(), reason),
        }
        true
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if self.held.swap(false, Ordering::Relaxed) {
            let mut open = self.admission.open();
            open.remove(self.id, self.source);
            if self.saw_challenge.load(Ordering::Relaxed) {
                open.challenges.failed(self.source, Instant::now());
            }
        }
    }
}

#[cfg(test)]
mod tests;
