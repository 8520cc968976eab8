//! How many connections may be open that have not proved the cookie.
//!
//! Whoever reaches the port costs a socket, a task and some memory before anything is known of him. A [`Permit`] stands
//! for that cost. It is taken when a connection is accepted, before anything is spawned for it, and given back when the
//! peer has authenticated or the connection is gone. Without a permit the socket is closed at once.

use std::collections::HashMap;
use std::fmt::Display;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::refusals::Refusals;
use crate::session::CloseReason;

/// How many accepted connections may be in their handshakes, TLS included, at one time. Those beyond are closed at once.
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

/// Which limit was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum LimitReached {
    #[error("{limit} connections are in their handshakes already")]
    Total { limit: usize },
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
pub(super) struct Admission {
    limits: HandshakeLimits,
    open: Mutex<Open>,
    pub(super) refusals: Refusals,
}

#[derive(Debug, Default)]
struct Open {
    total: usize,
    /// Only those that have some, so it is no larger than the total.
    by_source: HashMap<Source, usize>,
}

/// Whom connections are counted against.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Source {
    Address(IpAddr),
    /// A transport without addresses: only the total counts.
    Unknown,
}

impl Source {
    fn of(addr: Option<IpAddr>) -> Self {
        match addr.map(|addr| addr.to_canonical()) {
            None => Self::Unknown,
            Some(IpAddr::V6(addr)) if !addr.is_loopback() => {
                Self::Address(Ipv6Addr::from_bits(addr.to_bits() >> 64 << 64).into())
            }
            Some(addr) => Self::Address(addr),
        }
    }
}

impl Admission {
    pub(super) fn new(limits: HandshakeLimits) -> Self {
        Self {
            limits,
            ..Self::default()
        }
    }

    /// A permit for a connection from `addr`, to `peer` as logs call it.
    ///
    /// # Errors
    /// A limit is reached.
    pub(super) fn admit(self: &Arc<Self>, addr: Option<IpAddr>, peer: &dyn Display) -> Result<Permit, LimitReached> {
        let source = Source::of(addr);
        let HandshakeLimits { total, per_address } = self.limits;
        let mut open = self.open();
        if open.total >= total {
            return Err(LimitReached::Total { limit: total });
        }
        let of_source = open.by_source.get(&source).copied().unwrap_or_default();
        if of_source >= per_address && source != Source::Unknown {
            return Err(LimitReached::Address { limit: per_address });
        }
        open.total += 1;
        open.by_source.insert(source, of_source + 1);
        Ok(Permit {
            admission: self.clone(),
            source,
            peer: peer.to_string(),
            held: AtomicBool::new(true),
        })
    }

    /// How many connections have a permit.
    pub(super) fn open_handshakes(&self) -> usize {
        self.open().total
    }

    fn release(&self, source: Source) {
        let mut open = self.open();
        open.total = open.total.saturating_sub(1);
        if let Some(count) = open.by_source.get_mut(&source) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                open.by_source.remove(&source);
            }
        }
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The right to be connected without having authenticated.
#[derive(Debug)]
pub(super) struct Permit {
    admission: Arc<Admission>,
    source: Source,
    /// As logs call it.
    peer: String,
    held: AtomicBool,
}

impl Permit {
    /// Gives it back: the peer has authenticated. Dropping it does so too.
    pub(super) fn release(&self) {
        if self.held.swap(false, Ordering::Relaxed) {
            self.admission.release(self.source);
        }
    }

    /// Logs and counts why the connection's session ended. False, and nothing done, if that is no matter of admission:
    /// the peer had authenticated, or this node wanted the end.
    pub(super) fn report(&self, reason: &CloseReason) -> bool {
        let refusals = &self.admission.refusals;
        match reason {
            _ if !self.held.load(Ordering::Relaxed) => return false,
            CloseReason::Local => return false,
            CloseReason::ConnectionClosed | CloseReason::PeerGaveUp | CloseReason::Io(_) => {
                refusals.ended(&self.peer, reason.name(), reason);
            }
            _ => refusals.refuse(&self.peer, reason.name(), reason),
        }
        true
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.release();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admission(total: usize, per_address: usize) -> Arc<Admission> {
        Arc::new(Admission::new(HandshakeLimits::new(total, per_address)))
    }

    fn admit(admission: &Arc<Admission>, addr: Option<IpAddr>) -> Result<Permit, LimitReached> {
        admission.admit(addr, &"peer")
    }

    fn addr(text: &str) -> Option<IpAddr> {
        Some(text.parse().unwrap())
    }

    #[test]
    fn one_address_does_not_take_the_places_of_others() {
        let admission = admission(10, 2);
        let _first = admit(&admission, addr("192.0.2.1")).unwrap();
        let second = admit(&admission, addr("192.0.2.1")).unwrap();
        assert_eq!(
            admit(&admission, addr("192.0.2.1")).unwrap_err(),
            LimitReached::Address { limit: 2 }
        );
        let _other = admit(&admission, addr("192.0.2.2")).unwrap();
        drop(second);
        admit(&admission, addr("192.0.2.1")).unwrap();
    }

    #[test]
    fn an_address_is_what_one_host_has() {
        let admission = admission(10, 1);
        let _mapped = admit(&admission, addr("::ffff:192.0.2.1")).unwrap();
        admit(&admission, addr("192.0.2.1")).unwrap_err();
        let _network = admit(&admission, addr("2001:db8:0:1::1")).unwrap();
        admit(&admission, addr("2001:db8:0:1:ffff::2")).unwrap_err();
        let _next = admit(&admission, addr("2001:db8:0:2::1")).unwrap();
        let _loopback = admit(&admission, addr("::1")).unwrap();
    }

    #[test]
    fn the_total_counts_everyone_and_every_permit_comes_back_once() {
        let admission = admission(2, 2);
        let external = admit(&admission, None).unwrap();
        let authenticated = admit(&admission, addr("192.0.2.1")).unwrap();
        assert_eq!(admit(&admission, None).unwrap_err(), LimitReached::Total { limit: 2 });
        authenticated.release();
        assert!(
            !authenticated.report(&CloseReason::ConnectionClosed),
            "it is no handshake any more"
        );
        drop(authenticated);
        assert_eq!(admission.open_handshakes(), 1);
        assert!(external.report(&CloseReason::ConnectionClosed));
        assert_eq!(admission.refusals.counts(), [("connection_closed", 1)].into());
        drop(external);
        assert_eq!(admission.open_handshakes(), 0);
        assert!(admission.open().by_source.is_empty());
    }
}
