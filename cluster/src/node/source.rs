//! Whom a connection is counted against while its peer has proved nothing.

use std::net::{IpAddr, Ipv6Addr};

/// Whom connections are counted against.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum ConnectionSource {
    Address(IpAddr),
    /// A transport without addresses: only the total counts.
    Unknown,
}

impl ConnectionSource {
    pub(super) fn of(addr: Option<IpAddr>) -> Self {
        // A socket for both IP versions reports IPv4 peers as mapped addresses, which would all fall into one /64 network.
        match addr.map(|addr| addr.to_canonical()) {
            None => Self::Unknown,
            Some(IpAddr::V6(addr)) if !addr.is_loopback() => {
                Self::Address(Ipv6Addr::from_bits(addr.to_bits() >> 64 << 64).into())
            }
            Some(addr) => Self::Address(addr),
        }
    }
}
