//! `[node]`: who this node is, where it listens, whom it dials.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::path::PathBuf;

use toml::Spanned;

use super::Context;
use super::address::PeerAddress;
use super::cookie::{Cookie, CookieError, is_world_readable};
use super::names::NameOf;
use super::problem::Problems;
use super::section::{Keys, Section};

pub(super) const KEYS: Keys = Keys {
    known: &["name", "hostname", "listen", "cookie_file", "cookie_env", "peers"],
    explained: &[
        (
            "cookie",
            "a secret doesn't belong here: put it into a file and write `cookie_file = \"…\"`, or name an environment \
             variable with `cookie_env = \"…\"`",
        ),
        ("port", "the port is part of `listen = \"127.0.0.1:4697\"`"),
    ],
};

const DEFAULT_HOSTNAME: &str = "localhost";
const DEFAULT_LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);

/// The checked `[node]` table.
#[derive(Clone, Debug)]
pub struct NodeSection {
    /// Without the host.
    pub name: String,
    /// The other half of the full name.
    pub hostname: String,
    /// Port 0 lets the system choose.
    pub listen: SocketAddr,
    /// The secret of the cluster.
    pub cookie: Cookie,
    /// Dialled at start.
    pub peers: Vec<PeerAddress>,
}

impl NodeSection {
    /// The name by which other nodes know this one: `name@hostname`.
    pub fn full_name(&self) -> String {
        format!("{}@{}", self.name, self.hostname)
    }

    pub(super) fn read(section: &Section<'_>, context: &Context<'_>, problems: &mut Problems) -> Option<Self> {
        let name = section.required_text("name", "\"alpha\"", problems);
        let name = name.and_then(|name| checked_name(NameOf::Node, &name, problems));
        let hostname = match section.text("hostname", problems) {
            Some(hostname) => checked_name(NameOf::Host, &hostname, problems),
            None => Some(DEFAULT_HOSTNAME.to_owned()),
        };
        let listen = match section.text("listen", problems) {
            Some(listen) => read_listen(&listen, problems),
            None => Some(DEFAULT_LISTEN),
        };
        let cookie = read_cookie(section, context, problems);
        let peers = read_peers(section, listen, problems);
        Some(Self {
            name: name?,
            hostname: hostname?,
            listen: listen?,
            cookie: cookie?,
            peers,
        })
    }
}

/// The name, if it can be one.
pub(super) fn checked_name(of: NameOf, name: &Spanned<&str>, problems: &mut Problems) -> Option<String> {
    match of.check(name.get_ref()) {
        Ok(()) => Some((*name.get_ref()).to_owned()),
        Err((message, help)) => {
            problems.error(name.span(), message, help);
            None
        }
    }
}

fn read_listen(listen: &Spanned<&str>, problems: &mut Problems) -> Option<SocketAddr> {
    let text = *listen.get_ref();
    if let Ok(address) = text.parse() {
        return Some(address);
    }
    let port = text.rsplit_once(':').map_or(text, |(_, port)| port);
    let help = match (text.strip_prefix("localhost:"), port.parse::<u16>()) {
        (_, Ok(port)) => format!("did you mean `127.0.0.1:{port}`?"),
        _ => "expected IP:PORT such as `127.0.0.1:4697` or `[::1]:4697`".to_owned(),
    };
    problems.error(listen.span(), "`listen` is no address with a port", help);
    None
}

fn read_cookie(section: &Section<'_>, context: &Context<'_>, problems: &mut Problems) -> Option<Cookie> {
    let file = section.text("cookie_file", problems);
    let variable = section.text("cookie_env", problems);
    match (file, variable) {
        (Some(file), None) => cookie_from_file(&file, context, problems),
        (None, Some(variable)) => {
            let name = *variable.get_ref();
            let cookie = if name.is_empty() || name.contains(['=', '\0']) {
                problems.error(
                    variable.span(),
                    "`cookie_env` is no name of a variable",
                    "expected for example `RACTOR_COOKIE`",
                );
                return None;
            } else {
                Cookie::from_variable(name, (context.variable)(name))
            };
            cookie
                .map_err(|error| problems.error(variable.span(), error.to_string(), "set it to the cluster's secret"))
                .ok()
        }
        (Some(_), Some(variable)) => {
            let help = "keep one of them";
            problems.error(
                variable.span(),
                "both `cookie_file` and `cookie_env` say where the cookie is",
                help,
            );
            None
        }
        (None, None) => {
            if ["cookie_file", "cookie_env", "cookie"]
                .iter()
                .all(|key| section.lacks(key))
            {
                let message = format!("{} does not say where the cookie is", section.title);
                problems.error(
                    section.span.clone(),
                    message,
                    "add `cookie_file = \"…\"` or `cookie_env = \"…\"`",
                );
            }
            None
        }
    }
}

fn cookie_from_file(file: &Spanned<&str>, context: &Context<'_>, problems: &mut Problems) -> Option<Cookie> {
    let path: PathBuf = context.folder.join(file.get_ref());
    if is_world_readable(&path) {
        let message = format!("every user of this machine can read the cookie file {}", path.display());
        problems.warning(file.span(), message, format!("chmod 600 {}", path.display()));
    }
    match Cookie::from_file(&path) {
        Ok(cookie) => Some(cookie),
        Err(error) => {
            let help = match &error {
                CookieError::Read { source, .. } if source.kind() == std::io::ErrorKind::NotFound => {
                    "relative paths start at the folder of this file"
                }
                _ => "expected a file with the cluster's secret and nothing else",
            };
            problems.error(file.span(), error.to_string(), help);
            None
        }
    }
}

fn read_peers(section: &Section<'_>, listen: Option<SocketAddr>, problems: &mut Problems) -> Vec<PeerAddress> {
    let mut peers = Vec::new();
    let mut seen = HashSet::new();
    for text in section.texts("peers", problems) {
        match text.get_ref().parse::<PeerAddress>() {
            Ok(peer) if !seen.insert(peer.clone()) => {
                problems.error(text.span(), format!("the peer {peer} is listed twice"), "keep one");
            }
            Ok(peer) if listen.is_some_and(|listen| listen.to_string() == peer.to_string()) => {
                problems.error(
                    text.span(),
                    "this node would dial itself",
                    "it is the address of `listen`",
                );
            }
            Ok(peer) => peers.push(peer),
            Err(error) => {
                let message = format!("{:?} is no address: {}", error.text, error.reason);
                problems.error(text.span(), message, "expected HOST:PORT such as `127.0.0.1:4697`");
            }
        }
    }
    peers
}
