//! `[node]`: who this node is, where it listens, whom it dials.

use std::collections::HashSet;
use std::net::SocketAddr;

use toml::Spanned;

use super::address::PeerAddress;
use super::choice::chosen_or;
use super::context::ReadContext;
use super::cookie::Cookie;
use super::groups;
use super::listen::{is_loopback, read_listen};
use super::names::{NameOf, checked_name};
use super::node_limits;
use super::problem::Problems;
use super::secret::{Presence, SecretKey, SecretKeys, SecretPlace};
use super::section::{Keys, Section};
use super::tls::{self, TlsSection, TlsUse};
use crate::node::{GroupInterest, PeerLimits, StandInNames, StockPeers};
use crate::supervision::OnGiveUp;

pub(super) const KEYS: Keys = Keys {
    known: &[
        "name",
        "hostname",
        "listen",
        "cookie_file",
        "cookie_env",
        "peers",
        "tls",
        "insecure",
        "on_give_up",
        "stand_in_names",
        "stock_peers",
        "groups",
        "limits",
    ],
    explained: &[
        ("essential", "it belongs to the actors: write it into `[[actors]]`"),
        (
            "cookie",
            "a secret doesn't belong here: put it into a file and write `cookie_file = \"…\"`, or name an environment \
             variable with `cookie_env = \"…\"`",
        ),
        ("port", "the port is part of `listen = \"127.0.0.1:4697\"`"),
        ("cert", "it belongs to the table `[node.tls]`"),
        ("key", "it belongs to the table `[node.tls]`"),
        ("ca", "it belongs to the table `[node.tls]`"),
        ("peer_bytes", "it belongs to the table `[node.limits]`"),
        ("all_peers_bytes", "it belongs to the table `[node.limits]`"),
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
    /// Where that came from.
    pub cookie_place: SecretPlace,
    /// Dialled at start.
    pub peers: Vec<PeerAddress>,
    /// What happens when a native, permanent actor is given up that doesn't say whether it is `essential`.
    pub on_give_up: OnGiveUp,
    /// `[node.tls]`: how connections are secured. None for plain TCP.
    pub tls: Option<TlsSection>,
    /// What stands in for the actors of other nodes is called.
    pub stand_in_names: StandInNames,
    /// Whether nodes of `ractor_cluster` get a session.
    pub stock_peers: StockPeers,
    /// The groups of other nodes that this one wants to know of; none for all.
    pub groups: Option<GroupInterest>,
    /// `[node.limits]`: what other nodes may take of this one's memory.
    pub limits: PeerLimits,
}

impl NodeSection {
    /// The name by which other nodes know this one: `name@hostname`.
    pub fn full_name(&self) -> String {
        format!("{}@{}", self.name, self.hostname)
    }

    /// `has_cluster`: it dials nodes that aren't in `peers`, too.
    pub(super) fn read(
        section: &Section<'_>,
        has_cluster: bool,
        context: &ReadContext<'_>,
        problems: &mut Problems,
    ) -> Option<Self> {
        let name = section.required_text("name", "\"alpha\"", problems);
        let name = name.and_then(|name| checked_name(NameOf::Node, &name, problems));
        let hostname = match section.text("hostname", problems) {
            Some(hostname) => checked_name(NameOf::Host, &hostname, problems),
            None => Some(DEFAULT_HOSTNAME.to_owned()),
        };
        let insecure = section.boolean("insecure", problems).unwrap_or_default();
        let listen = match section.text("listen", problems) {
            Some(listen) => {
                let address = read_listen(&listen, problems);
                // Mistakes in [node.tls] are reported there.
                let secured = insecure || section.value("tls").is_some();
                address
                    .filter(|address| !secured && !is_loopback(*address))
                    .inspect(|address| report_exposed(&listen, *address, problems));
                address
            }
            None => Some(DEFAULT_LISTEN),
        };
        let on_give_up = chosen_or("on_give_up", &ON_GIVE_UP, OnGiveUp::Exit, section, problems);
        let cookie = read_cookie(section, context, problems);
        let peers = read_peers(section, listen, problems);
        let tls = match section.value("tls") {
            None => None,
            // A table with a mistake leaves no section at all: it must never end in plain TCP.
            Some(value) => Some(
                Section::open("[node.tls]", value, tls::KEYS, problems).and_then(|section| {
                    TlsSection::read(
                        &section,
                        context,
                        TlsUse::Node {
                            dials: has_cluster || !peers.is_empty(),
                        },
                        problems,
                    )
                })?,
            ),
        };
        let stand_in_names = read_stand_in_names(section, problems);
        let stock_peers = match section.boolean("stock_peers", problems) {
            Some(false) => StockPeers::Refused,
            Some(true) | None => StockPeers::Accepted,
        };
        let groups = groups::read(section, problems);
        let (cookie, cookie_place) = cookie?;
        let limits = match section.value("limits") {
            None => PeerLimits::default(),
            Some(value) => {
                let section = Section::open("[node.limits]", value, node_limits::KEYS, problems)?;
                node_limits::read(&section, problems)
            }
        };
        Some(Self {
            name: name?,
            hostname: hostname?,
            listen: listen?,
            cookie,
            cookie_place,
            peers,
            on_give_up: on_give_up?,
            tls,
            stand_in_names: stand_in_names?,
            stock_peers,
            groups,
            limits,
        })
    }
}

/// What `on_give_up` may be.
pub(super) const ON_GIVE_UP: [(&str, OnGiveUp); 2] = [("exit", OnGiveUp::Exit), ("stay", OnGiveUp::Stay)];

fn read_stand_in_names(section: &Section<'_>, problems: &mut Problems) -> Option<StandInNames> {
    let Some(text) = section.text("stand_in_names", problems) else {
        return section.lacks("stand_in_names").then(StandInNames::default);
    };
    match *text.get_ref() {
        "bare" => Some(StandInNames::Bare),
        "qualified" => Some(StandInNames::Qualified),
        _ => {
            let message = "`stand_in_names` is neither `bare` nor `qualified`";
            problems.error(text.span(), message, "expected `bare` or `qualified`");
            None
        }
    }
}

fn report_exposed(listen: &Spanned<&str>, address: SocketAddr, problems: &mut Problems) {
    problems.error(
        listen.span(),
        format!("other machines can reach {address}, and nothing protects the traffic between them and this node"),
        "add a table `[node.tls]`, or write `insecure = true` into [node] if the network itself is safe",
    );
}

fn read_cookie(
    section: &Section<'_>,
    context: &ReadContext<'_>,
    problems: &mut Problems,
) -> Option<(Cookie, SecretPlace)> {
    let keys = SecretKeys {
        file: "cookie_file",
        variable: "cookie_env",
        what: "the cookie",
        example: "RACTOR_COOKIE",
        mistaken: &["cookie"],
        presence: Presence::Required,
    };
    let place = keys.read(section, problems)?;
    let (span, cookie) = match &place {
        SecretKey::File(file) => (file.span(), Cookie::from_file(&context.path(file))),
        SecretKey::Variable(variable) => {
            let name = *variable.get_ref();
            (variable.span(), Cookie::from_variable(name, (context.variable)(name)))
        }
    };
    match cookie {
        Ok(cookie) => {
            if let Some(weakness) = cookie.weakness() {
                let help = "make one with `openssl rand -hex 32`, and give it to all nodes";
                problems.warning(span, format!("the cookie {weakness}"), help);
            }
            Some((cookie, place.resolved(context)))
        }
        Err(error) => {
            let help = place.help(error.is_not_found(), error.help(), context);
            problems.error(span, error.to_string(), help);
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
                let message = format!("{:?} is not an address: {}", error.text, error.reason);
                problems.error(text.span(), message, error.help);
            }
        }
    }
    peers
}
