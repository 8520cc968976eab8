//! Where HTTP requests may go: `https://api.example.com`, `http://127.0.0.1:8080`, `https://*.example.com`.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

use super::endpoint::{Endpoint, HostPattern, InvalidEndpoint};

/// How a request is carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HttpScheme {
    /// In plain text.
    Http,
    /// Over TLS.
    Https,
}

/// Hosts with a scheme and a port, to which requests may be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpOrigin {
    /// How.
    pub scheme: HttpScheme,
    /// Which hosts, and which port of theirs.
    pub endpoint: Endpoint,
}

/// A text is no origin, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no place to send HTTP requests to: {reason}")]
pub struct InvalidHttpOrigin {
    /// The text.
    pub text: String,
    /// What is wrong with it.
    pub reason: &'static str,
    /// What was probably meant.
    pub instead: Option<HttpOrigin>,
}

const BRACKETS: &str = "an IPv6 address needs brackets";
const NO_SCHEME: &str = "it has no scheme";
const OTHER_SCHEME: &str = "the scheme is neither http nor https";
const PATH: &str = "it has a path, and whole hosts are granted";

impl HttpScheme {
    /// As it is written: `http` or `https`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    /// The port of hosts that don't say another.
    pub fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

impl HttpOrigin {
    /// True if this is about requests of this kind to this host. A host is a name or an address, which are not looked up.
    pub fn matches(&self, scheme: HttpScheme, host: &str, port: u16) -> bool {
        // Patterns of names must never cover an address: what that may be is for networks to say.
        let is_host = || match host.parse::<IpAddr>() {
            Ok(address) => self.endpoint.host.matches_address(address),
            Err(_) => self.endpoint.host.matches_name(host),
        };
        self.is_for(scheme, port) && is_host()
    }

    /// True if this is about requests of this kind, to whichever host.
    pub fn is_for(&self, scheme: HttpScheme, port: u16) -> bool {
        self.scheme == scheme && self.endpoint.is_for_port(port)
    }
}

/// Hosts and a port as they stand behind the scheme.
fn endpoint(scheme: HttpScheme, authority: &str) -> Result<Endpoint, InvalidEndpoint> {
    // The colons of an IPv6 address are within its brackets; one behind them is the port's.
    let has_port = !authority.ends_with(']') && authority.contains(':');
    if has_port {
        authority.parse()
    } else {
        format!("{authority}:{}", scheme.default_port()).parse()
    }
}

impl FromStr for HttpOrigin {
    type Err = InvalidHttpOrigin;

    fn from_str(text: &str) -> Result<Self, InvalidHttpOrigin> {
        let read = |scheme, authority: &str| endpoint(scheme, authority).map(|endpoint| Self { scheme, endpoint });
        let invalid = |reason, instead: Option<Self>| InvalidHttpOrigin {
            text: text.to_owned(),
            reason,
            instead,
        };
        let host_of = |rest: &str| rest.split(['/', '?', '#']).next().unwrap_or_default().to_owned();
        let Some((scheme, rest)) = text.split_once("://") else {
            return Err(invalid(NO_SCHEME, read(HttpScheme::Https, &host_of(text)).ok()));
        };
        let scheme = match scheme {
            "http" => HttpScheme::Http,
            "https" => HttpScheme::Https,
            _ => return Err(invalid(OTHER_SCHEME, None)),
        };
        let host = host_of(rest);
        // A path would look like a bound, but nothing would hold a guest to it.
        if host.len() < rest.len() && !host.is_empty() {
            return Err(invalid(PATH, read(scheme, &host).ok()));
        }
        if rest.parse::<Ipv6Addr>().is_ok() {
            return Err(invalid(BRACKETS, read(scheme, &format!("[{rest}]")).ok()));
        }
        read(scheme, rest).map_err(|error| invalid(error.reason, None))
    }
}

impl fmt::Display for HttpOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { scheme, endpoint } = self;
        let name = scheme.name();
        if endpoint.port != Some(scheme.default_port()) {
            return write!(f, "{name}://{endpoint}");
        }
        match &endpoint.host {
            HostPattern::Net(address, _) if address.is_ipv6() => write!(f, "{name}://[{address}]"),
            host => write!(f, "{name}://{host}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_written_as_it_is_read() {
        for text in [
            "https://api.example.com",
            "https://*.example.com:8443",
            "http://localhost",
            "http://localhost:8080",
            "http://127.0.0.1:*",
            "http://[::1]",
            "http://[::1]:8080",
            "https://*",
        ] {
            assert_eq!(text.parse::<HttpOrigin>().unwrap().to_string(), text);
        }
        let written_out: HttpOrigin = "https://API.example.com:443".parse().unwrap();
        assert_eq!(written_out.to_string(), "https://api.example.com");
    }

    #[test]
    fn what_is_no_origin_says_why_and_what_was_meant() {
        for (text, reason, instead) in [
            ("api.example.com", NO_SCHEME, Some("https://api.example.com")),
            ("127.0.0.1:8080", NO_SCHEME, Some("https://127.0.0.1:8080")),
            ("ftp://a", OTHER_SCHEME, None),
            ("https://a/v1", PATH, Some("https://a")),
            ("https://a:8443/", PATH, Some("https://a:8443")),
            ("https://a?b", PATH, Some("https://a")),
            ("http://10.0.0.0/8", PATH, Some("http://10.0.0.0")),
            ("https://", "the host is neither a name nor an address", None),
            ("https:///", "the host is neither a name nor an address", None),
            ("https://user@a", "the host is neither a name nor an address", None),
            ("https://a.*.b", "the host is neither a name nor an address", None),
            ("http://::1", BRACKETS, Some("http://[::1]")),
            ("http://a:70000", "the port is none from 0 to 65535", None),
        ] {
            let error = text.parse::<HttpOrigin>().unwrap_err();
            let shown = error.instead.map(|origin| origin.to_string());
            assert_eq!((error.reason, shown.as_deref()), (reason, instead), "{text}");
        }
    }

    #[test]
    fn scheme_host_and_port_are_matched() {
        use HttpScheme::{Http, Https};
        let check = |origin: &str, scheme, host, port| {
            let origin: HttpOrigin = origin.parse().unwrap();
            origin.matches(scheme, host, port)
        };
        assert!(check("https://api.example.com", Https, "API.example.com", 443));
        assert!(check("https://api.example.com", Https, "api.example.com.", 443));
        assert!(!check("https://api.example.com", Http, "api.example.com", 443));
        assert!(!check("https://api.example.com", Https, "api.example.com", 8443));
        assert!(!check(
            "https://api.example.com",
            Https,
            "api.example.com.evil.org",
            443
        ));
        assert!(check("https://*.example.com", Https, "a.b.example.com", 443));
        assert!(!check("https://*.example.com", Https, "example.com", 443));
        assert!(check("http://127.0.0.1:*", Http, "127.0.0.1", 8080));
        assert!(check("http://[::1]", Http, "::1", 80));
        assert!(!check("http://localhost", Http, "127.0.0.1", 80), "names stay names");
    }
}
