//! What the fuzz target `imports` calls: where guests ask to connect, and what is granted.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use wasmtime_wasi::sockets::SocketAddrUse;

use super::network::{MOST_NAMES, Network};
use super::reach::Reach;
use crate::accounting::label::Label;
use crate::policy::grants::{Endpoint, Grants, HostPattern};
use crate::policy::limits::Limits;

pub use crate::store::wasi::http::fuzzing::request;

/// What a guest does with sockets.
#[derive(Debug)]
pub enum Asked {
    /// The system's answer to a look-up.
    Found(String, Vec<IpAddr>),
    /// A connection.
    Connect(SocketAddr),
    /// A datagram.
    Send(SocketAddr),
    /// A place to listen at.
    Listen(SocketAddr),
}

/// What a guest with these grants does, one after the other.
pub fn socket(endpoints: Vec<Endpoint>, asked: &[Asked]) {
    let grants = Arc::new(Grants {
        udp: endpoints.clone(),
        tcp: endpoints.clone(),
        ..Grants::default()
    });
    let label = Label::new("fuzzed".into(), "fuzzed".into(), 0, &Limits::default());
    let network = Network::new(label, grants);
    for asked in asked {
        match asked {
            Asked::Found(name, addresses) => network.found(name, addresses.clone()),
            Asked::Connect(address) => check(&network, &endpoints, *address, SocketAddrUse::TcpConnect),
            Asked::Send(address) => check(&network, &endpoints, *address, SocketAddrUse::UdpSend),
            Asked::Listen(address) => {
                assert!(!network.allows(*address, SocketAddrUse::TcpListen), "a guest listens");
                assert!(!network.allows(*address, SocketAddrUse::TcpAccept), "a guest listens");
            }
        }
        assert!(network.names() <= MOST_NAMES);
    }
}

/// An address that only this machine can reach takes a grant of the address itself, or of everything.
fn check(network: &Network, endpoints: &[Endpoint], address: SocketAddr, usage: SocketAddrUse) {
    let allowed = network.allows(address, usage);
    let mapped = match address.ip() {
        IpAddr::V4(v4) => SocketAddr::new(v4.to_ipv6_mapped().into(), address.port()),
        v6 @ IpAddr::V6(_) => SocketAddr::new(v6.to_canonical(), address.port()),
    };
    assert_eq!(
        allowed,
        network.allows(mapped, usage),
        "{address} and {mapped} are one address"
    );
    if allowed && Reach::of(address.ip()) == Reach::Special {
        let granted = endpoints.iter().any(|endpoint| {
            endpoint.is_for_port(address.port())
                && match endpoint.host {
                    HostPattern::Any => true,
                    HostPattern::Net(..) => endpoint.host.matches_address(address.ip()),
                    HostPattern::Name(_) | HostPattern::Below(_) => false,
                }
        });
        assert!(granted, "{address} was not granted as such");
    }
}
