//! Who can be reached at an address, so that no name in DNS leads a guest to where it must not go.
//!
//! The kinds follow IANA's registries of special-purpose addresses (RFC 6890, as of 2025): what isn't global unicast by them is
//! not public. Added to these are the addresses of this machine's own interfaces, and those at which clouds tell a machine who
//! it is and what it may do.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::{Duration, Instant};

use parking_lot::Mutex;

/// Who can be reached at an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// A host that everybody can reach.
    Public,
    /// A host that those in the same private network can reach.
    Private,
    /// This machine, by whichever of its addresses.
    ThisMachine,
    /// The services of clouds for their machines, neighbours on the link, groups, and what is no host.
    Special,
}

/// Where clouds answer their machines outside of the link-local ranges.
const CLOUDS_V4: [Ipv4Addr; 3] = [
    // Alibaba Cloud: metadata, and DNS.
    Ipv4Addr::new(100, 100, 100, 200),
    Ipv4Addr::new(100, 100, 2, 136),
    // Azure: the host's agent.
    Ipv4Addr::new(168, 63, 129, 16),
];

/// The same in IPv6: each with the length of its prefix.
const CLOUDS_V6: [(Ipv6Addr, u32); 3] = [
    // AWS: metadata (::254), credentials of pods (::23), DNS (::253) and time (::123).
    (Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0), 32),
    // Google Cloud: metadata.
    (Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0), 32),
    // Scaleway: metadata.
    (Ipv6Addr::new(0xfd00, 0x42, 0, 0, 0, 0, 0, 0), 32),
];

/// The time for which the addresses of this machine are taken for what they were. A guest that sends many datagrams would otherwise have
/// the system list them for each.
const FRESH: Duration = Duration::from_secs(1);

impl Reach {
    /// Who can be reached at this address, from this machine as it is now.
    pub(super) fn of(address: IpAddr) -> Self {
        match own_addresses() {
            Some(own) => Self::beside(address, &own),
            // Then nothing can be said.
            None => Self::Special,
        }
    }

    /// The same, on a machine with these addresses.
    fn beside(address: IpAddr, own: &[IpAddr]) -> Self {
        // First, or an address of this machine would be out of sight behind the prefix of a translator.
        let address = unwrapped(address);
        let by_range = match address {
            IpAddr::V4(address) => of_v4(address),
            IpAddr::V6(address) => of_v6(address),
        };
        if by_range != Self::Special && own.contains(&address) {
            return Self::ThisMachine;
        }
        by_range
    }

    /// True if a name that was granted in full may stand for such an address.
    pub(super) fn may_be_of(self, name: &str) -> bool {
        match self {
            Self::Public | Self::Private => true,
            Self::ThisMachine => name == "localhost",
            Self::Special => false,
        }
    }
}

/// The address of IPv4 that is inside of one of IPv6, by way of a translator or a tunnel.
fn unwrapped(address: IpAddr) -> IpAddr {
    let embedded = |high: u16, low: u16| {
        let [a, b] = high.to_be_bytes();
        let [c, d] = low.to_be_bytes();
        IpAddr::V4(Ipv4Addr::new(a, b, c, d))
    };
    match address.to_canonical() {
        IpAddr::V6(v6) => match v6.segments() {
            [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => embedded(high, low),
            _ => address.to_canonical(),
        },
        v4 => v4,
    }
}

fn of_v4(address: Ipv4Addr) -> Reach {
    if CLOUDS_V4.contains(&address) {
        return Reach::Special;
    }
    match address.octets() {
        [127, ..] => Reach::ThisMachine,
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..] | [100, 64..=127, ..] | [198, 18..=19, ..] => Reach::Private,
        // "This network", link-local, protocol assignments, documentation, relays of 6to4, groups, and what is reserved.
        [0 | 224..=255, ..]
        | [169, 254, ..]
        | [192, 0, 0 | 2, _]
        | [192, 88, 99, _]
        | [198, 51, 100, _]
        | [203, 0, 113, _] => Reach::Special,
        _ => Reach::Public,
    }
}

fn of_v6(address: Ipv6Addr) -> Reach {
    let within = |network: &Ipv6Addr, prefix: u32| (address.to_bits() ^ network.to_bits()) >> (128 - prefix) == 0;
    if CLOUDS_V6.iter().any(|(network, prefix)| within(network, *prefix)) {
        return Reach::Special;
    }
    match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 1] => Reach::ThisMachine,
        // Unique local, and what was site-local.
        [0xfc00..=0xfdff | 0xfec0..=0xfeff, ..] => Reach::Private,
        // Protocol assignments and Teredo (2001::/23), and documentation.
        [0x2001, 0..=0x1ff | 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => Reach::Special,
        // All of global unicast that has been given out.
        [0x2000..=0x3fff, ..] => Reach::Public,
        _ => Reach::Special,
    }
}

/// The addresses of this machine's interfaces; none if they can't be known.
fn own_addresses() -> Option<Vec<IpAddr>> {
    static LAST: Mutex<Option<(Instant, Vec<IpAddr>)>> = Mutex::new(None);
    // Held while the system is asked, so that those that come meanwhile don't all ask.
    let mut last = LAST.lock();
    if let Some((since, addresses)) = &*last
        && since.elapsed() < FRESH
    {
        return Some(addresses.clone());
    }
    match if_addrs::get_if_addrs() {
        Ok(interfaces) => {
            let addresses: Vec<IpAddr> = interfaces
                .iter()
                .map(|interface| interface.ip().to_canonical())
                .collect();
            *last = Some((Instant::now(), addresses.clone()));
            Some(addresses)
        }
        Err(error) => {
            tracing::warn!(%error, "the addresses of this machine can't be listed: guests reach no host by its name");
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(reach: Reach, addresses: &[&str]) {
        let own = ["10.9.8.7", "203.0.114.5", "2a01:4f8::5", "fe80::7"].map(|own| own.parse().unwrap());
        for address in addresses {
            assert_eq!(Reach::beside(address.parse().unwrap(), &own), reach, "{address}");
        }
    }

    #[test]
    fn what_everybody_can_reach_is_public() {
        check(
            Reach::Public,
            &[
                "93.184.216.34",
                "1.1.1.1",
                "100.63.255.255",
                "100.128.0.1",
                "172.32.0.1",
                "192.0.1.1",
                "192.88.98.1",
                "198.20.0.1",
                "223.255.255.255",
                "168.63.129.17",
                "2606:2800:220:1::1",
                "2001:200::1",
                "2001:4860:4860::8888",
                "::ffff:1.1.1.1",
                "64:ff9b::101:101",
                "2002:101:101::1",
            ],
        );
    }

    #[test]
    fn private_networks_are_private() {
        check(
            Reach::Private,
            &[
                "10.0.0.5",
                "172.16.0.1",
                "172.31.255.255",
                "192.168.1.1",
                "100.64.0.1",
                "198.18.0.1",
                "fd12::1",
                "fc00::1",
                "fec0::1",
                "64:ff9b::a00:5",
                "2002:a00:5::1",
            ],
        );
    }

    #[test]
    fn this_machine_is_known_by_all_of_its_addresses() {
        check(
            Reach::ThisMachine,
            &[
                "127.0.0.1",
                "127.255.255.254",
                "::1",
                "::ffff:127.0.0.1",
                "64:ff9b::7f00:1",
                "10.9.8.7",
                "203.0.114.5",
                "::ffff:10.9.8.7",
                "2002:a09:807::1",
                "2a01:4f8::5",
            ],
        );
        let here = Reach::of("127.0.0.1".parse().unwrap());
        assert_eq!(here, Reach::ThisMachine, "the system lists its interfaces");
        let own = own_addresses().unwrap();
        assert!(own.contains(&IpAddr::V4(Ipv4Addr::LOCALHOST)), "{own:?}");
    }

    #[test]
    fn clouds_links_groups_and_what_is_no_host_are_special() {
        check(
            Reach::Special,
            &[
                "0.0.0.0",
                "0.1.2.3",
                "169.254.169.254",
                "169.254.170.2",
                "168.63.129.16",
                "100.100.100.200",
                "100.100.2.136",
                "192.0.0.192",
                "192.0.2.1",
                "192.88.99.1",
                "198.51.100.1",
                "203.0.113.1",
                "224.0.0.1",
                "240.0.0.1",
                "255.255.255.255",
                "::",
                "::1.2.3.4",
                "::ffff:169.254.169.254",
                "64:ff9b::a9fe:a9fe",
                "64:ff9b:1::1",
                "100::1",
                "2001::1",
                "2001:db8::1",
                "2002:a9fe:a9fe::1",
                "3fff::1",
                "4000::1",
                "5f00::1",
                "fd00:ec2::254",
                "fd00:ec2::23",
                "fd20:ce::254",
                "fd00:42::42",
                "fe80::1",
                "fe80::7",
                "fe80::a9fe:a9fe",
                "ff02::1",
            ],
        );
    }
}
