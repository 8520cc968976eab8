//! Where a request goes, and which addresses its host may have.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

use hyper::http::uri::{Authority, Scheme, Uri};

use crate::policy::grants::{HostPattern, HttpOrigin, HttpScheme};
use crate::store::wasi::reach::Reach;

/// Where a request goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) scheme: HttpScheme,
    /// A name, or an address without brackets.
    pub(super) host: String,
    pub(super) port: u16,
}

impl Target {
    /// None if that is no place to send a request to.
    pub(super) fn of(uri: &Uri) -> Option<Self> {
        let scheme = match uri.scheme() {
            Some(scheme) if *scheme == Scheme::HTTPS => HttpScheme::Https,
            Some(scheme) if *scheme == Scheme::HTTP => HttpScheme::Http,
            _ => return None,
        };
        // What stands before an `@` is a user's name, which can be made to look like the host.
        let authority = uri.authority().filter(|authority| !authority.as_str().contains('@'))?;
        let port = port_of(authority, scheme)?;
        let host = authority.host();
        let address = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        if let Some(address) = address {
            address.parse::<Ipv6Addr>().ok()?;
        }
        let host = address.unwrap_or(host).to_ascii_lowercase();
        // hyper takes brackets elsewhere too.
        let is_one = !host.is_empty() && !host.contains(['[', ']']);
        is_one.then_some(Self { scheme, host, port })
    }

    /// True if a request may be sent there, as far as its host's name goes.
    pub(super) fn is_granted(&self, grants: &[HttpOrigin]) -> bool {
        let Self { scheme, host, port } = self;
        grants.iter().any(|origin| origin.matches(*scheme, host, *port))
    }

    /// True if the host may be at this address.
    ///
    /// Whoever answers for a name in DNS must not lead a guest to this machine, or to what only this machine can reach. So a
    /// name stands for addresses that anybody can reach. One that is granted in full, because somebody thought of it, also
    /// stands for those of a private network, and `localhost` for this machine. Any address can be granted as such.
    pub(super) fn may_be_at(&self, address: IpAddr, grants: &[HttpOrigin]) -> bool {
        let Self { scheme, host, port } = self;
        let reach = Reach::of(address);
        let grants = grants.iter().filter(|origin| origin.is_for(*scheme, *port));
        grants.into_iter().any(|origin| {
            let granted = &origin.endpoint.host;
            match granted {
                HostPattern::Net(..) => granted.matches_address(address),
                HostPattern::Name(name) => granted.matches_name(host) && reach.may_be_of(name),
                HostPattern::Below(_) | HostPattern::Any => {
                    reach == Reach::Public && origin.matches(*scheme, host, *port)
                }
            }
        })
    }

    /// The same, by its address.
    pub(super) fn at(&self, address: IpAddr) -> Self {
        Self {
            host: address.to_canonical().to_string(),
            ..self.clone()
        }
    }
}

/// None for a port that is no number, or that is written and empty.
fn port_of(authority: &Authority, scheme: HttpScheme) -> Option<u16> {
    let text = authority.as_str();
    match authority.port_u16() {
        Some(port) => Some(port),
        None if text.len() == authority.host().len() => Some(scheme.default_port()),
        None => None,
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { scheme, host, port } = self;
        let (open, close) = if host.contains(':') { ("[", "]") } else { ("", "") };
        write!(f, "{}://{open}{host}{close}", scheme.name())?;
        if *port != scheme.default_port() {
            write!(f, ":{port}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_goes_where_its_authority_says() {
        for (uri, expected) in [
            ("https://API.example.com/x", Some("https://api.example.com")),
            ("http://localhost:8080/", Some("http://localhost:8080")),
            ("http://localhost:80/", Some("http://localhost")),
            ("http://[::1]/", Some("http://[::1]")),
            ("https://granted.example@evil.example/", None),
            ("http://a:/", None),
            ("http://1[::1]:8080/", None),
            ("/x", None),
        ] {
            let target = Target::of(&uri.parse().unwrap());
            assert_eq!(target.map(|target| target.to_string()).as_deref(), expected, "{uri}");
        }
    }

    #[test]
    fn names_lead_nowhere_that_was_not_meant() {
        let check = |origins: &[&str], uri: &str, address: &str| {
            let grants: Vec<HttpOrigin> = origins.iter().map(|text| text.parse().unwrap()).collect();
            let target = Target::of(&uri.parse().unwrap()).unwrap();
            target.is_granted(&grants) && target.may_be_at(address.parse().unwrap(), &grants)
        };
        for (origin, uri, address) in [
            ("http://api.example", "http://api.example/", "93.184.216.34"),
            ("http://api.example", "http://api.example/", "2606:2800:220:1::1"),
            ("http://db.internal", "http://db.internal/", "10.0.0.5"),
            ("http://db.internal", "http://db.internal/", "fd12::1"),
            ("http://localhost", "http://localhost/", "127.0.0.1"),
            ("http://localhost", "http://localhost/", "::1"),
            ("http://*.example", "http://a.example/", "93.184.216.34"),
            ("http://*", "http://93.184.216.34/", "93.184.216.34"),
            ("http://127.0.0.1", "http://127.0.0.1/", "127.0.0.1"),
            ("http://169.254.169.254", "http://169.254.169.254/", "169.254.169.254"),
        ] {
            assert!(check(&[origin], uri, address), "{origin} {uri} {address}");
        }
        for (origin, uri, address) in [
            ("http://api.example", "http://api.example/", "127.0.0.1"),
            ("http://api.example", "http://api.example/", "::ffff:127.0.0.1"),
            ("http://api.example", "http://api.example/", "169.254.169.254"),
            ("http://api.example", "http://api.example/", "64:ff9b::a9fe:a9fe"),
            ("http://api.example", "http://api.example/", "fd00:ec2::254"),
            ("http://api.example", "http://api.example/", "0.0.0.0"),
            ("http://api.example", "http://api.example/", "::"),
            ("http://api.example", "http://api.example/", "fe80::1"),
            ("http://localhost", "http://localhost/", "169.254.169.254"),
            ("http://*.localhost", "http://a.localhost/", "127.0.0.1"),
            ("http://*.example", "http://a.example/", "10.0.0.5"),
            ("http://*.example", "http://a.example/", "2002:a00:5::1"),
            ("http://*", "http://127.0.0.1/", "127.0.0.1"),
            ("http://*", "http://10.0.0.5/", "10.0.0.5"),
            ("http://*", "http://169.254.169.254/", "169.254.169.254"),
            ("http://api.example:8080", "http://api.example/", "93.184.216.34"),
        ] {
            assert!(!check(&[origin], uri, address), "{origin} {uri} {address}");
        }
        let both = ["http://api.example", "http://127.0.0.1"];
        assert!(
            check(&both, "http://api.example/", "127.0.0.1"),
            "the address is granted as such"
        );
        let other_port = ["http://api.example", "http://127.0.0.1:8080"];
        assert!(!check(&other_port, "http://api.example/", "127.0.0.1"));
    }
}
