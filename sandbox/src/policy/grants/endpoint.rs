//! Ends of connections: `db.internal:5432`, `10.0.0.0/8:443`, `[::1]:80`, `*:53`.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use super::mistaken::{Mistaken, mistaken};

/// Hosts and a port that an actor may reach.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Which hosts.
    pub host: HostPattern,
    /// Which port; none for all.
    pub port: Option<u16>,
}

/// One host or several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HostPattern {
    /// `*`: every host.
    Any,
    /// A name, in lower case. Its addresses are those that a look-up gives.
    Name(String),
    /// `*.internal`: every name that ends like this, `.internal`. Not the name itself.
    Below(String),
    /// An address, or a network with the length of its prefix.
    Net(IpAddr, u8),
}

/// A text is no endpoint, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no endpoint: {reason}")]
pub struct InvalidEndpoint {
    /// The text.
    pub text: String,
    /// What is wrong with it.
    pub reason: &'static str,
    /// What to write in its place, in words, if that is known.
    pub instead: Option<String>,
}

/// The port in suggestions.
const EXAMPLE_PORT: &str = "443";

/// The bits in front of an IPv4 address that is written as one of IPv6.
const MAPPED_PREFIX: u8 = 96;

const NO_PORT: &str = "it has no port";
const NO_HOST: &str = "the host is neither a name nor an address";
const NO_NET: &str = "the network has no prefix length that fits its address";

impl Endpoint {
    /// True if this is about that address itself, without any name being looked up.
    pub fn matches(&self, address: SocketAddr) -> bool {
        self.is_for_port(address.port()) && self.host.matches_address(address.ip())
    }

    /// True if this is about every port or this one.
    pub fn is_for_port(&self, port: u16) -> bool {
        self.port.is_none_or(|granted| granted == port)
    }
}

impl HostPattern {
    /// True if this is about the address. Names are not looked up.
    pub fn matches_address(&self, address: IpAddr) -> bool {
        match self {
            Self::Any => true,
            Self::Name(_) | Self::Below(_) => false,
            // An IPv4 address in the form of IPv6 leads to the same host, so the same networks must cover it.
            Self::Net(network, prefix) => is_within(address.to_canonical(), *network, *prefix),
        }
    }

    /// True if this is about the name, which is not an address. A dot at its end means nothing here.
    pub fn matches_name(&self, name: &str) -> bool {
        let name = name.strip_suffix('.').unwrap_or(name);
        match self {
            Self::Any => !name.is_empty(),
            Self::Name(granted) => granted.eq_ignore_ascii_case(name),
            Self::Below(end) => {
                let start = name.len().checked_sub(end.len());
                start.is_some_and(|start| {
                    // `get`, because the name may have a character across this place. And something must stand before
                    // the dot.
                    start > 0 && name.get(start..).is_some_and(|tail| tail.eq_ignore_ascii_case(end))
                })
            }
            Self::Net(..) => false,
        }
    }
}

fn is_within(address: IpAddr, network: IpAddr, prefix: u8) -> bool {
    let bits = |address| match address {
        // The bits of IPv4 stand at the top, so that one shift serves both families.
        IpAddr::V4(address) => (u128::from(address.to_bits()) << 96, 32),
        IpAddr::V6(address) => (address.to_bits(), 128),
    };
    let ((one, width), (other, other_width)) = (bits(address), bits(network));
    let differ = one ^ other;
    // A prefix of 0 would shift by 128, which no shift does: then every address of the family is within.
    width == other_width && differ.checked_shr(128 - u32::from(prefix)).unwrap_or(0) == 0
}

impl FromStr for Endpoint {
    type Err = InvalidEndpoint;

    fn from_str(text: &str) -> Result<Self, InvalidEndpoint> {
        // Before it is read: the usual mistakes get an error with the line to write, and not where reading stopped.
        if let Some(Mistaken { reason, instead }) = mistaken(text, EXAMPLE_PORT) {
            return Err(InvalidEndpoint {
                text: text.to_owned(),
                reason,
                instead: instead.help(),
            });
        }
        if let Some((reason, meant)) = bare_network(text) {
            return Err(InvalidEndpoint {
                text: text.to_owned(),
                reason,
                instead: Some(format!("did you mean `{meant}`?")),
            });
        }
        let invalid = |reason| InvalidEndpoint {
            text: text.to_owned(),
            reason,
            instead: None,
        };
        let (host, port) = text.rsplit_once(':').ok_or_else(|| invalid(NO_PORT))?;
        let port = match port {
            "*" => None,
            // The colon was one of an IPv6 address, so what stands behind it is no port.
            port if port.ends_with(']') || port.contains('/') => return Err(invalid(NO_PORT)),
            port => Some(port.parse().map_err(|_| invalid("the port is none from 0 to 65535"))?),
        };
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        // Without brackets nobody can tell where the address ends and the port begins.
        if bare.is_none() && host.contains(':') {
            return Err(invalid(NO_HOST));
        }
        let host = bare
            .unwrap_or(host)
            .parse::<HostPattern>()
            .map_err(|error| invalid(error.reason))?;
        Ok(Self { host, port })
    }
}

impl FromStr for HostPattern {
    type Err = InvalidEndpoint;

    fn from_str(text: &str) -> Result<Self, InvalidEndpoint> {
        let invalid = |reason| InvalidEndpoint {
            text: text.to_owned(),
            reason,
            instead: None,
        };
        if text == "*" {
            return Ok(Self::Any);
        }
        if let Ok(address) = text.parse::<IpAddr>() {
            // As addresses are when they are compared: `::ffff:10.0.0.1` is `10.0.0.1`.
            let address = address.to_canonical();
            let prefix = if address.is_ipv4() { 32 } else { 128 };
            return Ok(Self::Net(address, prefix));
        }
        if let Some((address, prefix)) = text.split_once('/') {
            let address: IpAddr = address.parse().map_err(|_| invalid(NO_HOST))?;
            let longest = if address.is_ipv4() { 32 } else { 128 };
            let prefix = prefix.parse().ok().filter(|prefix: &u8| *prefix <= longest);
            let prefix = prefix.ok_or_else(|| invalid(NO_NET))?;
            let canonical = address.to_canonical();
            // A network of IPv4 addresses in the form of IPv6. A shorter prefix covers more than those, and means IPv6 alone.
            return Ok(match prefix.checked_sub(MAPPED_PREFIX) {
                Some(prefix) if canonical.is_ipv4() && address.is_ipv6() => Self::Net(canonical, prefix),
                _ => Self::Net(address, prefix),
            });
        }
        let lower = text.to_ascii_lowercase();
        let (name, below) = match lower.strip_prefix('*') {
            Some(rest) => (rest.strip_prefix('.').ok_or_else(|| invalid(NO_HOST))?, true),
            None => (lower.as_str(), false),
        };
        if !is_name(name) {
            return Err(invalid(NO_HOST));
        }
        Ok(if below {
            Self::Below(format!(".{name}"))
        } else {
            Self::Name(lower)
        })
    }
}

/// What is wrong with a network of IPv6 addresses that has no brackets, and what was meant.
fn bare_network(text: &str) -> Option<(&'static str, String)> {
    let is_network = |host: &str| host.contains(':') && matches!(host.parse(), Ok(HostPattern::Net(..)));
    if is_network(text) {
        return Some((NO_PORT, format!("[{text}]:{EXAMPLE_PORT}")));
    }
    let (host, port) = text.rsplit_once(':')?;
    let has_port = port == "*" || port.parse::<u16>().is_ok();
    (has_port && is_network(host)).then(|| ("an IPv6 network needs brackets", format!("[{host}]:{port}")))
}

/// True for what can be a host's name, and not an address that is written wrongly.
fn is_name(name: &str) -> bool {
    let is_label = |label: &str| {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        !label.is_empty() && label.len() <= 63 && label.bytes().all(fits)
    };
    // Where the last label is a number, some resolvers read the whole as an IPv4 address: `127.1` is this machine.
    let last = name.rsplit('.').next().unwrap_or_default();
    name.len() <= 253 && name.split('.').all(is_label) && !last.bytes().all(|byte| byte.is_ascii_digit())
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            HostPattern::Net(address, _) if address.is_ipv6() => write!(f, "[{}]:", self.host)?,
            host => write!(f, "{host}:")?,
        }
        match self.port {
            Some(port) => write!(f, "{port}"),
            None => f.write_str("*"),
        }
    }
}

impl fmt::Display for HostPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("*"),
            Self::Name(name) => f.write_str(name),
            Self::Below(end) => write!(f, "*{end}"),
            Self::Net(address, 32) if address.is_ipv4() => write!(f, "{address}"),
            Self::Net(address, 128) => write!(f, "{address}"),
            Self::Net(address, prefix) => write!(f, "{address}/{prefix}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_written_as_it_is_read() {
        for text in [
            "db.internal:5432",
            "*.internal:80",
            "*:*",
            "10.0.0.0/8:443",
            "127.0.0.1:80",
            "[::1]:80",
            "[fd00::/8]:*",
        ] {
            assert_eq!(text.parse::<Endpoint>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_no_endpoint_says_why() {
        for (text, reason) in [
            ("db.internal", NO_PORT),
            ("[::1]", NO_PORT),
            ("::1", NO_PORT),
            ("::1:80", "an IPv6 address needs brackets"),
            ("https://x:1", "it begins with a scheme"),
            ("a:1,b:2", "it is several addresses in one"),
            ("db:70000", "the port is none from 0 to 65535"),
            ("db:https", "the port is none from 0 to 65535"),
            ("10.0.0.0:80/8", NO_PORT),
            ("10.0.0.0/33:80", NO_NET),
            ("10.0.0.300:80", NO_HOST),
            ("10.0.0:80", NO_HOST),
            ("a b:80", NO_HOST),
            ("*a:80", NO_HOST),
            ("a.*:80", NO_HOST),
            (":80", NO_HOST),
        ] {
            let error = text.parse::<Endpoint>().unwrap_err();
            assert_eq!((error.text.as_str(), error.reason), (text, reason));
        }
    }

    #[test]
    fn an_endpoint_that_is_suggested_is_one() {
        for (text, instead) in [
            ("fd00::/8:443", Some("[fd00::/8]:443")),
            ("fd00::/8:*", Some("[fd00::/8]:*")),
            ("fd00::/8", Some("[fd00::/8]:443")),
            ("fd00::/200:443", None),
            ("::1:80", Some("[::1]:80")),
            ("https://x", Some("x:443")),
            ("tcp://", None),
            ("10.0.0.0/8", None),
        ] {
            let error = text.parse::<Endpoint>().unwrap_err();
            let expected = instead.map(|instead| format!("did you mean `{instead}`?"));
            assert_eq!(error.instead, expected, "{text}");
            assert!(
                instead.is_none_or(|instead| instead.parse::<Endpoint>().is_ok()),
                "{text}"
            );
        }
    }

    #[test]
    fn addresses_are_matched_by_network_and_port() {
        let check = |endpoint: &str, address: &str| {
            let endpoint: Endpoint = endpoint.parse().unwrap();
            endpoint.matches(address.parse().unwrap())
        };
        for (endpoint, address) in [
            ("10.0.0.0/8:443", "10.255.0.1:443"),
            ("10.0.0.0/8:*", "[::ffff:10.1.2.3]:1"),
            ("[::ffff:10.0.0.0/104]:*", "10.1.2.3:1"),
            ("[::ffff:10.0.0.0/104]:*", "[::ffff:10.1.2.3]:1"),
            ("[::ffff:10.1.2.3]:*", "10.1.2.3:1"),
            ("[::ffff:0.0.0.0/96]:*", "8.8.8.8:1"),
            ("127.0.0.1:80", "127.0.0.1:80"),
            ("0.0.0.0/0:80", "8.8.8.8:80"),
            ("[fd00::/8]:80", "[fdab::1]:80"),
            ("*:53", "[::1]:53"),
            ("*:*", "0.0.0.0:1"),
        ] {
            assert!(check(endpoint, address), "{endpoint} {address}");
        }
        for (endpoint, address) in [
            ("10.0.0.0/8:443", "11.0.0.1:443"),
            ("10.0.0.0/8:443", "10.0.0.1:80"),
            ("127.0.0.1:80", "127.0.0.2:80"),
            ("0.0.0.0/0:80", "[::1]:80"),
            ("[::/0]:80", "127.0.0.1:80"),
            ("[::ffff:0.0.0.0/95]:80", "127.0.0.1:80"),
            ("[::ffff:10.0.0.0/104]:80", "11.1.2.3:80"),
            ("localhost:80", "127.0.0.1:80"),
        ] {
            assert!(!check(endpoint, address), "{endpoint} {address}");
        }
    }
}
