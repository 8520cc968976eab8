//! The limit on connections whose peers have not proved the cookie, and the choice of the one that gives way to a newcomer.
//!
//! A connection costs a socket, a task and some memory before anything is known of its peer. A [`Permit`] stands for that cost. It
//! is taken when a connection is accepted, before anything is spawned for it, and given back when the peer has authenticated or the
//! connection is gone.
//!
//! A newcomer is not turned away because others hold all the places: an honest handshake takes moments, so the one that has gone on
//! for the longest gives its place up. Connections whose peers have said their names and those whose peers have said nothing yet
//! count as two crowds, and the larger one gives up its oldest: otherwise either crowd could hold all the places but one, and each
//! newcomer would push out the one before it. Of several addresses the one with the most places pays, and addresses where nobody
//! ever proved the cookie pay first. As many connections again may be on their way out; only when those are too many, too, are
//! newcomers closed at once.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Display;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use parking_lot::{Mutex, MutexGuard};

use super::challenges::Challenges;
use super::refusals::HandshakeRefusals;
use super::session_end::PeerProof;
use super::source::ConnectionSource;
use crate::session::{CloseReason, StockChallenge};

/// The most addresses that are remembered because a peer there proved the cookie, or this node dialled them. Beyond it the address
/// that was used least recently is forgotten.
const KNOWN: usize = 1_024;

/// The most accepted connections that may be in their handshakes, TLS included, at one time. Beyond that, older ones give way to
/// new ones.
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
    /// The node's limit is reached, and every place belongs to a peer that may keep it.
    #[error("{limit} connections are in their handshakes already")]
    Total { limit: usize },
    /// The limit of the address is reached, and as many of its connections are already on their way out.
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

/// Hands out the permits of one node, and counts the connections that it turned away by reason.
#[derive(Debug, Default)]
pub(crate) struct HandshakeAdmission {
    limits: HandshakeLimits,
    open: Mutex<AdmissionState>,
    pub(super) refusals: HandshakeRefusals,
}

/// Ends a connection that has to give way.
type GiveWay = Box<dyn FnOnce() + Send>;

#[derive(Default)]
struct AdmissionState {
    /// The connections that have a permit, the oldest first.
    handshakes: BTreeMap<u64, OpenHandshake>,
    /// The count of each source that has connections.
    by_source: HashMap<ConnectionSource, SourceCount>,
    /// The connections that had to give way and are not gone yet.
    leaving: usize,
    /// The sources that may be expected to connect, and when they were last used.
    known: HashMap<ConnectionSource, u64>,
    challenges: Challenges,
    /// Counts permits and uses of known sources, in place of a time.
    clock: u64,
}

impl std::fmt::Debug for AdmissionState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AdmissionState")
            .field("handshakes", &self.handshakes.len())
            .finish()
    }
}

/// The connections of one source.
#[derive(Debug, Default, Clone, Copy)]
struct SourceCount {
    /// Connections that hold places.
    handshakes: usize,
    /// Connections that had to give way and are not gone yet.
    leaving: usize,
}

struct OpenHandshake {
    source: ConnectionSource,
    /// The peer has said its name, as an honest one does at once.
    is_named: bool,
    give_way: Option<GiveWay>,
}

impl HandshakeAdmission {
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
        let source = ConnectionSource::of(addr);
        let mut open = self.open();
        // Nothing is entered before this may fail, so a refused connection leaves nothing to take back.
        let gives_way = open.make_room(self.limits, source)?;
        let id = open.tick();
        open.handshakes.insert(
            id,
            OpenHandshake {
                source,
                is_named: false,
                give_way: None,
            },
        );
        open.by_source.entry(source).or_default().handshakes += 1;
        // Outside of the lock: what ends a connection may come back here.
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

    /// This node dials that address, so a peer may dial from there.
    pub(super) fn expect(&self, addr: Option<IpAddr>) {
        self.open().know(ConnectionSource::of(addr));
    }

    /// The number of connections that have a permit.
    pub(super) fn open_handshakes(&self) -> usize {
        self.open().handshakes.len()
    }

    fn open(&self) -> MutexGuard<'_, AdmissionState> {
        self.open.lock()
    }
}

impl AdmissionState {
    fn tick(&mut self) -> u64 {
        self.clock += 1;
        self.clock
    }

    fn know(&mut self, source: ConnectionSource) {
        // All transports without addresses are one source. If it were a known one, the strangers among them would be spared, too.
        if source == ConnectionSource::Unknown {
            return;
        }
        let now = self.tick();
        self.known.insert(source, now);
        // A walk over the table will do: strangers can't cause it, only peers that proved the cookie and addresses that are
        // dialled.
        if self.known.len() > KNOWN
            && let Some(least) = self.known.iter().min_by_key(|(_, at)| **at).map(|(source, _)| *source)
        {
            self.known.remove(&least);
        }
    }

    /// Takes another connection's place if none is free for a connection of this source.
    fn make_room(
        &mut self,
        limits: HandshakeLimits,
        source: ConnectionSource,
    ) -> Result<Option<GiveWay>, LimitReached> {
        let HandshakeLimits { total, per_address } = limits;
        let of_source = self.by_source.get(&source).copied().unwrap_or_default();
        // The limit of the address comes first. A source that exceeds it pays by itself, and no other address gives up a place for
        // it.
        let (payer, limit) = if of_source.handshakes >= per_address && source != ConnectionSource::Unknown {
            let limit = LimitReached::Address { limit: per_address };
            (Some(source).filter(|_| of_source.leaving < per_address), limit)
        } else if self.handshakes.len() >= total {
            (self.payer(source), LimitReached::Total { limit: total })
        } else {
            return Ok(None);
        };
        // Those on their way out still hold their sockets. Without this bound a flood could keep any number of them.
        let payer = payer.filter(|_| self.leaving < total).ok_or(limit)?;
        let oldest = self.oldest_of_the_larger_crowd(payer);
        let handshake = oldest.and_then(|id| self.handshakes.remove(&id)).ok_or(limit)?;
        let count = self.by_source.entry(payer).or_default();
        count.handshakes = count.handshakes.saturating_sub(1);
        // The place is free at once, while the connection still has its `Permit`, which takes it out of this count in the end.
        count.leaving += 1;
        self.leaving += 1;
        // A connection that has not said yet how it is ended is told when it does so.
        Ok(handshake.give_way)
    }

    /// The oldest connection of this source among those whose peers have said their names, or among those whose peers have said
    /// nothing, whichever are more.
    fn oldest_of_the_larger_crowd(&self, source: ConnectionSource) -> Option<u64> {
        let of_source = || {
            self.handshakes
                .iter()
                .filter(|(_, handshake)| handshake.source == source)
        };
        let named = of_source().filter(|(_, handshake)| handshake.is_named).count();
        // At a tie those pay that have said nothing: an honest peer says its name at once.
        let most_are_named = 2 * named > of_source().count();
        // Places are in the order in which they were taken.
        of_source()
            .find(|(_, handshake)| handshake.is_named == most_are_named)
            .map(|(id, _)| *id)
    }

    /// The source that gives up a place in favour of this one. A known source gives none up for an unknown one.
    fn payer(&self, newcomer: ConnectionSource) -> Option<ConnectionSource> {
        let is_known = |source: &ConnectionSource| self.known.contains_key(source);
        // The newcomer's own source may always pay, so an address that holds a place is not kept out because known ones hold the
        // rest.
        let may_pay = |source: &ConnectionSource| *source == newcomer || !is_known(source) || is_known(&newcomer);
        let holders = self.by_source.iter().filter(|(_, count)| count.handshakes > 0);
        let payers = holders.filter(|(source, _)| may_pay(source));
        let payer = payers.max_by_key(|(source, count)| (!is_known(source), count.handshakes))?;
        Some(*payer.0)
    }

    /// A connection is gone, or has authenticated.
    fn remove(&mut self, id: u64, source: ConnectionSource) {
        let was_open = self.handshakes.remove(&id).is_some();
        let count = self.by_source.entry(source).or_default();
        // A connection that had to give way lost its entry then, and has counted among those that leave since.
        if was_open {
            count.handshakes = count.handshakes.saturating_sub(1);
        } else {
            count.leaving = count.leaving.saturating_sub(1);
            self.leaving = self.leaving.saturating_sub(1);
        }
        // The table would otherwise grow with every address that ever connected.
        if count.handshakes + count.leaving == 0 {
            self.by_source.remove(&source);
        }
    }
}

/// The right to be connected without having authenticated.
#[derive(Debug)]
pub(super) struct Permit {
    admission: Arc<HandshakeAdmission>,
    id: u64,
    source: ConnectionSource,
    /// As logs call it.
    peer: String,
    held: AtomicBool,
    /// The peer has been given a challenge that a stock peer answers.
    saw_challenge: AtomicBool,
}

impl Permit {
    /// Gives it back: the peer has authenticated.
    pub(super) fn authenticated(&self) {
        // The swap decides whether this or the drop gives the place back. Relaxed is enough: the state itself is behind the lock.
        if self.held.swap(false, Ordering::Relaxed) {
            let mut open = self.admission.open();
            open.remove(self.id, self.source);
            open.know(self.source);
        }
    }

    /// The peer has said its name, and is asked for this kind of proof.
    pub(super) fn peer_named(&self, asked: PeerProof) {
        self.saw_challenge.store(asked == PeerProof::Cookie, Ordering::Relaxed);
        if let Some(handshake) = self.admission.open().handshakes.get_mut(&self.id) {
            handshake.is_named = true;
        }
    }

    /// Sets what ends the connection if it has to give way, in place of what did so before. It is called at once if the connection
    /// has to give way already.
    pub(super) fn on_give_way(&self, give_way: impl FnOnce() + Send + 'static) {
        let mut open = self.admission.open();
        match open.handshakes.get_mut(&self.id) {
            Some(handshake) => handshake.give_way = Some(Box::new(give_way)),
            // The place may have been taken between `admit` and this call, when there was nothing to be called yet.
            None => {
                drop(open);
                give_way();
            }
        }
    }

    /// The challenge that a stock peer at the other end has to answer; `fresh` is a random number.
    pub(super) fn challenge(&self, fresh: u32) -> StockChallenge {
        let mut open = self.admission.open();
        open.challenges.challenge(self.source, fresh, Instant::now())
    }

    /// Logs and counts why the connection's session ended. Does nothing and returns false if that is no matter of admission: the
    /// peer had authenticated, or this node wanted the end.
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
            // A peer that has to prove who it is gets nowhere with the number, so its failures don't count here.
            if self.saw_challenge.load(Ordering::Relaxed) {
                open.challenges.failed(self.source, Instant::now());
            }
        }
    }
}

#[cfg(test)]
mod tests;
