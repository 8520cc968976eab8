//! Which peers a guest may reach over TCP and UDP.

use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use parking_lot::Mutex;
use wasmtime_wasi::sockets::SocketAddrUse;

use super::reach::Reach;
use crate::accounting::label::Label;
use crate::accounting::telemetry;
use crate::policy::denied::Denied;
use crate::policy::grants::{Endpoint, Grants};

/// The most names whose addresses are remembered; the oldest are forgotten.
pub(super) const MOST_NAMES: usize = 256;

/// The most addresses of one name.
pub(super) const MOST_ADDRESSES: usize = 64;

/// What one instance may reach, and what it has looked up.
pub(super) struct Network {
    pub(super) label: Label,
    pub(super) grants: Arc<Grants>,
    found: Mutex<Found>,
}

/// The addresses that the last look-up of each name gave: a name that is granted stands for these.
#[derive(Default)]
struct Found {
    addresses: HashMap<String, Vec<IpAddr>>,
    oldest: VecDeque<String>,
}

impl Network {
    pub(super) fn new(label: Label, grants: Arc<Grants>) -> Self {
        Self {
            label,
            grants,
            found: Mutex::default(),
        }
    }

    /// Notes what a look-up gave.
    pub(super) fn found(&self, name: &str, addresses: Vec<IpAddr>) {
        let mut found = self.found.lock();
        // The former addresses are forgotten: a name stands for its last answer alone.
        if found.addresses.insert(name.to_owned(), addresses).is_some() {
            return;
        }
        found.oldest.push_back(name.to_owned());
        if found.oldest.len() > MOST_NAMES
            && let Some(oldest) = found.oldest.pop_front()
        {
            found.addresses.remove(&oldest);
        }
    }

    /// True if a socket may be used like this. A refusal is said.
    pub(super) fn allows(&self, address: SocketAddr, usage: SocketAddrUse) -> bool {
        let (allowed, denied) = match usage {
            SocketAddrUse::TcpConnect => (self.grants(&self.grants.tcp, address), Denied::Tcp(Some(address))),
            SocketAddrUse::UdpSend => (self.grants(&self.grants.udp, address), Denied::Udp(Some(address))),
            // Whoever sends it may send as much as they like: they must not fill the log.
            SocketAddrUse::UdpReceive => return self.grants(&self.grants.udp, address),
            // As connecting and sending do by themselves.
            SocketAddrUse::TcpBind | SocketAddrUse::UdpBind => (address.port() == 0, Denied::Listen),
            SocketAddrUse::TcpListen | SocketAddrUse::TcpAccept => (false, Denied::Listen),
        };
        if !allowed {
            telemetry::denied(&self.label, denied);
        }
        allowed
    }

    /// How many names are remembered.
    #[cfg(any(test, feature = "fuzzing"))]
    pub(super) fn names(&self) -> usize {
        let found = self.found.lock();
        found.addresses.len().max(found.oldest.len())
    }

    fn grants(&self, endpoints: &[Endpoint], address: SocketAddr) -> bool {
        if endpoints.iter().any(|endpoint| endpoint.matches(address)) {
            return true;
        }
        // As the answers were noted, or an IPv4 address in the form of IPv6 would not be found among them.
        let ip = address.ip().to_canonical();
        let found = self.found.lock();
        let names = found.addresses.iter().filter(|(_, addresses)| addresses.contains(&ip));
        let mut names = names.map(|(name, _)| name);
        names.any(|name| {
            let granted =
                |endpoint: &Endpoint| endpoint.is_for_port(address.port()) && endpoint.host.matches_name(name);
            // Whoever answers for a name in DNS must not choose this machine, or what only this machine can reach.
            endpoints.iter().any(granted) && Reach::of(ip).may_be_of(name)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::limits::Limits;

    fn network(tcp: &[&str]) -> Network {
        let grants = Grants {
            tcp: tcp.iter().map(|text| text.parse().unwrap()).collect(),
            ..Grants::default()
        };
        Network::new(
            Label::new("test".into(), "test".into(), 0, &Limits::default()),
            Arc::new(grants),
        )
    }

    fn connects(network: &Network, address: &str) -> bool {
        network.allows(address.parse().unwrap(), SocketAddrUse::TcpConnect)
    }

    #[test]
    fn a_name_stands_for_the_addresses_that_it_had_last() {
        let network = network(&["db.internal:5432", "*.web.internal:80"]);
        assert!(!connects(&network, "10.0.0.1:5432"));
        network.found("db.internal", vec!["10.0.0.1".parse().unwrap()]);
        assert!(connects(&network, "10.0.0.1:5432"));
        assert!(connects(&network, "[::ffff:10.0.0.1]:5432"));
        assert!(!connects(&network, "10.0.0.1:80"), "another port");
        network.found("a.web.internal", vec!["10.0.0.2".parse().unwrap()]);
        assert!(connects(&network, "10.0.0.2:80"));
        assert!(!connects(&network, "10.0.0.2:5432"), "another name");
        network.found("db.internal", vec!["10.0.0.3".parse().unwrap()]);
        assert!(connects(&network, "10.0.0.3:5432"));
        assert!(!connects(&network, "10.0.0.1:5432"), "it has moved");
    }

    #[test]
    fn a_name_leads_nowhere_that_was_not_meant() {
        let network = network(&["db.example:80", "*.example:80", "localhost:80", "169.254.169.254:81"]);
        for name in ["db.example", "a.example"] {
            for address in ["127.0.0.1", "169.254.169.254", "168.63.129.16", "fd00:ec2::23"] {
                let address: IpAddr = address.parse().unwrap();
                network.found(name, vec![address]);
                assert!(
                    !connects(&network, &SocketAddr::new(address, 80).to_string()),
                    "{name} {address}"
                );
            }
        }
        network.found("localhost", vec!["127.0.0.1".parse().unwrap()]);
        assert!(connects(&network, "127.0.0.1:80"));
        assert!(
            connects(&network, "169.254.169.254:81"),
            "an address can be granted as such"
        );
    }

    #[test]
    fn names_that_are_remembered_are_bounded() {
        let network = network(&["*.internal:80"]);
        let address: IpAddr = "10.0.0.1".parse().unwrap();
        network.found("first.internal", vec![address]);
        for number in 0..MOST_NAMES {
            network.found(&format!("{number}.internal"), vec!["10.0.0.2".parse().unwrap()]);
        }
        assert!(!connects(&network, "10.0.0.1:80"));
        assert!(connects(&network, "10.0.0.2:80"));
    }

    #[test]
    fn nobody_listens() {
        let network = network(&["*:*"]);
        let check = |address: &str, usage| network.allows(address.parse().unwrap(), usage);
        assert!(check("0.0.0.0:0", SocketAddrUse::TcpBind));
        assert!(!check("0.0.0.0:80", SocketAddrUse::TcpBind));
        assert!(!check("0.0.0.0:0", SocketAddrUse::TcpListen));
        assert!(!check("127.0.0.1:9", SocketAddrUse::UdpSend), "TCP is not UDP");
    }
}
