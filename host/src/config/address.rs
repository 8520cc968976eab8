//! Where a node is reached: HOST:PORT.

use std::fmt;
use std::net::Ipv6Addr;
use std::str::FromStr;

use crate::guest::{Mistaken, mistaken};

/// The address of a peer: a host name or IP address, and a port. Names are looked up when it is dialled.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PeerAddress {
    /// A name, an IPv4 address, or an IPv6 address without its brackets.
    pub host: String,
    /// Never 0.
    pub port: u16,
}

/// Text that is no HOST:PORT.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not an address: {reason}; {help}")]
pub struct AddressError {
    /// What was written.
    pub text: String,
    /// What is wrong with it.
    pub reason: &'static str,
    /// What to write in its place, in words.
    pub help: String,
}

/// The port in suggestions.
pub(super) const EXAMPLE_PORT: &str = "4697";

const EXPECTED: &str = "expected HOST:PORT such as `127.0.0.1:4697` or `[::1]:4697`";

impl FromStr for PeerAddress {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        if let Some(Mistaken { reason, instead }) = mistaken(text, EXAMPLE_PORT) {
            return Err(AddressError {
                text: text.to_owned(),
                reason,
                help: instead.help().unwrap_or_else(|| EXPECTED.to_owned()),
            });
        }
        let refuse = |reason| AddressError {
            text: text.to_owned(),
            reason,
            help: EXPECTED.to_owned(),
        };
        let (host, port) = text.rsplit_once(':').ok_or_else(|| refuse("it has no port"))?;
        let port = match port.parse::<u16>() {
            Ok(0) | Err(_) => return Err(refuse("the port is not a number from 1 to 65535")),
            Ok(port) => port,
        };
        let host = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
            Some(inner) if inner.parse::<Ipv6Addr>().is_ok() => inner,
            Some(_) => return Err(refuse("what is in brackets is not an IPv6 address")),
            None if host.contains(':') => return Err(refuse("the host has a colon")),
            None => host,
        };
        if host.is_empty() {
            return Err(refuse("it has no host"));
        }
        if host.contains(|char: char| char.is_whitespace() || char.is_control() || matches!(char, '/' | '@')) {
            return Err(refuse("the host is not a host name"));
        }
        Ok(Self {
            host: host.to_owned(),
            port,
        })
    }
}

impl fmt::Display for PeerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_is_suggested_is_one() {
        for (text, help) in [
            ("tcp://beta", "did you mean `beta:4697`?"),
            ("https://x/y", "did you mean `x:4697`?"),
            ("tcp://", EXPECTED),
            ("fd00::/8:443", EXPECTED),
        ] {
            assert_eq!(text.parse::<PeerAddress>().unwrap_err().help, help, "{text}");
        }
    }

    #[test]
    fn an_address_is_a_host_and_a_port() {
        for text in ["127.0.0.1:4697", "[::1]:1", "node-3.example.org:65535"] {
            assert_eq!(text.parse::<PeerAddress>().unwrap().to_string(), text);
        }
        let refused = [
            ("alpha", "it has no port"),
            (":4697", "it has no host"),
            ("alpha:0", "the port is not a number from 1 to 65535"),
            ("alpha:http", "the port is not a number from 1 to 65535"),
            ("::1:4697", "an IPv6 address needs brackets"),
            ("[alpha]:4697", "what is in brackets is not an IPv6 address"),
            ("tcp://alpha:4697", "it begins with a scheme"),
            ("a:1,b:2", "it is several addresses in one"),
            ("a:b:1", "the host has a colon"),
            ("a\tb:4697", "the host is not a host name"),
        ];
        for (text, reason) in refused {
            assert_eq!(text.parse::<PeerAddress>().unwrap_err().reason, reason, "{text}");
        }
    }
}
