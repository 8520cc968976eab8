//! What a guest was not granted, in words that say what to write into node.toml.

use std::fmt;
use std::net::SocketAddr;

use super::grants::Capability;
use super::text::tidy;

/// The number of bytes that are shown of a name that a guest made up.
const SHOWN: usize = 255;

/// What a guest has tried without a grant.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Denied<'a> {
    /// To send to this actor, or to one without a name.
    Messages(Option<&'a str>),
    /// To start a child of this module.
    Spawn(&'a str),
    /// To use files, while it has no directory at all.
    Directories,
    /// To read this file, which is beyond its directories.
    Read(&'a str),
    /// To change this file, in a directory that it may only read or beyond those that it may change.
    Write(&'a str),
    /// To read its environment, while it has none.
    Environment,
    /// To use TCP with this peer, or at all.
    Tcp(Option<SocketAddr>),
    /// To use UDP with this peer, or at all.
    Udp(Option<SocketAddr>),
    /// To look up this name.
    Dns(&'a str),
    /// To send a request to this origin.
    Http(&'a str),
    /// To send a request to this origin, which is granted, at an address that it may not have: the origin as it would be
    /// with the address.
    HttpAddress(&'a str, &'a str),
    /// To wait for others to connect, which nothing grants.
    Listen,
}

impl Denied<'_> {
    /// The key in node.toml that would grant it, which is its name in metrics.
    pub(crate) fn capability(&self) -> &'static str {
        let granted_by = match self {
            Self::Messages(_) => Capability::Messages,
            Self::Spawn(_) => Capability::Spawn,
            Self::Directories | Self::Read(_) | Self::Write(_) => Capability::Directories,
            Self::Environment => Capability::Environment,
            Self::Tcp(_) => Capability::Tcp,
            Self::Udp(_) => Capability::Udp,
            Self::Dns(_) => Capability::Dns,
            Self::Http(_) | Self::HttpAddress(..) => Capability::Http,
            // No key grants it, but the metric needs a label all the same.
            Self::Listen => return "listen",
        };
        granted_by.key()
    }

    /// The value that would grant it; none if nothing does.
    fn grant(&self) -> Option<String> {
        // A guest may have made the value up: tidied and quoted, it can't go on with a grant of its own.
        let list = |value: &str| format!("[{:?}]", tidy(value, SHOWN));
        Some(match self {
            Self::Messages(name) => list(name.unwrap_or("group:NAME")),
            Self::Spawn(name) | Self::Dns(name) | Self::Http(name) | Self::HttpAddress(_, name) => list(name),
            Self::Directories | Self::Read(_) => {
                "[{ host = \"DIRECTORY\", guest = \"/data\", access = \"read\" }]".to_owned()
            }
            Self::Write(_) => "[{ host = \"DIRECTORY\", guest = \"/data\", access = \"read-write\" }]".to_owned(),
            Self::Environment => list("NAME"),
            Self::Tcp(peer) | Self::Udp(peer) => match peer {
                Some(peer) => list(&peer.to_string()),
                None => list("HOST:PORT"),
            },
            Self::Listen => return None,
        })
    }
}

impl fmt::Display for Denied<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("it may not ")?;
        match self {
            Self::Messages(Some(name)) => write!(f, "send to {:?}", tidy(name, SHOWN))?,
            Self::Messages(None) => f.write_str("send to an actor without a name")?,
            Self::Spawn(module) => write!(f, "start an actor of the module {:?}", tidy(module, SHOWN))?,
            Self::Directories => f.write_str("use files")?,
            Self::Read(path) => write!(f, "read {:?}", tidy(path, SHOWN))?,
            Self::Write(path) => write!(f, "change {:?}", tidy(path, SHOWN))?,
            Self::Environment => f.write_str("read environment variables")?,
            Self::Tcp(Some(peer)) => write!(f, "connect to {peer}")?,
            Self::Tcp(None) => f.write_str("use TCP")?,
            Self::Udp(Some(peer)) => write!(f, "exchange datagrams with {peer}")?,
            Self::Udp(None) => f.write_str("use UDP")?,
            Self::Dns(name) => write!(f, "look up {:?}", tidy(name, SHOWN))?,
            Self::Http(origin) => write!(f, "send HTTP requests to {:?}", tidy(origin, SHOWN))?,
            Self::HttpAddress(origin, at) => {
                let (origin, at) = (tidy(origin, SHOWN), tidy(at, SHOWN));
                write!(f, "send HTTP requests to {origin:?}, which is at {at:?}")?;
            }
            Self::Listen => f.write_str("wait for connections, or choose the port that it sends from")?,
        }
        match self.grant() {
            Some(grant) => write!(f, "; add under [actors.capabilities]: {} = {grant}", self.capability()),
            None => f.write_str("; no actor may"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_denial_says_what_to_write_into_node_toml() {
        let peer = Some("10.1.2.3:5432".parse().unwrap());
        for (denied, expected) in [
            (
                Denied::Messages(Some("db")),
                "it may not send to \"db\"; add under [actors.capabilities]: messages = [\"db\"]",
            ),
            (
                Denied::Spawn("worker"),
                "it may not start an actor of the module \"worker\"; add under [actors.capabilities]: spawn = [\"worker\"]",
            ),
            (
                Denied::Tcp(peer),
                "it may not connect to 10.1.2.3:5432; add under [actors.capabilities]: tcp = [\"10.1.2.3:5432\"]",
            ),
            (
                Denied::Dns("a\nb"),
                "it may not look up \"a\\\\nb\"; add under [actors.capabilities]: dns = [\"a\\\\nb\"]",
            ),
            (
                Denied::Http("https://a:8443"),
                "it may not send HTTP requests to \"https://a:8443\"; add under [actors.capabilities]: \
                 http = [\"https://a:8443\"]",
            ),
            (
                Denied::HttpAddress("http://a", "http://10.0.0.1"),
                "it may not send HTTP requests to \"http://a\", which is at \"http://10.0.0.1\"; add under \
                 [actors.capabilities]: http = [\"http://10.0.0.1\"]",
            ),
            (
                Denied::Listen,
                "it may not wait for connections, or choose the port that it sends from; no actor may",
            ),
        ] {
            assert_eq!(denied.to_string(), expected);
        }
    }
}
