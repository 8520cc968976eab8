//! `[cluster]`: the store by which the nodes of a cluster find each other.

use std::collections::BTreeMap;
use std::env::VarError;
use std::fmt;
use std::path::Path;
use std::time::Duration;

use toml::Spanned;
use toml::de::DeValue;

use super::address::PeerAddress;
use super::choice::chosen_or;
use super::context::ReadContext;
use super::problem::Problems;
use super::secret::{Presence, SecretKey, SecretKeys, SecretPlace};
use super::section::{Keys, Section};
use super::values;
use crate::files::{self, Secret, SecretError};
use crate::postgres::{Address, BadAddress};

pub(super) const KEYS: Keys = Keys {
    known: &[
        "store_file",
        "store_env",
        "advertise",
        "links",
        "links_idle",
        "labels",
        "lease",
    ],
    explained: &[
        (
            "store",
            "the URL has a password in it, which doesn't belong here: put it into a file and write `store_file = \"…\"`, or name an \
             environment variable with `store_env = \"…\"`",
        ),
        ("peers", "leave it out: the nodes find each other through the store"),
        (
            "groups",
            "it belongs to the table `[node]`: it is about the groups of all peers",
        ),
        ("address", "write `advertise = \"10.0.0.7:4697\"`"),
    ],
};

/// The largest file that is read, in bytes.
const LARGEST_FILE: u64 = 64 * 1024;

/// The lease if the file doesn't say another.
const LEASE: Duration = Duration::from_secs(10);

/// The shortest lease: a renewal has a sixth of it.
pub(super) const SHORTEST_LEASE: Duration = Duration::from_secs(3);

/// The longest lease: nobody takes over what a dead node had before it is over.
pub(super) const LONGEST_LEASE: Duration = Duration::from_secs(300);

/// The time that a session rests before it ends, where sessions are opened on demand, if the file doesn't say another.
const LINKS_IDLE: Duration = Duration::from_secs(600);

/// The most labels of a node.
const MOST_LABELS: usize = 64;

/// The most bytes in the name of a label, and in its value.
const LONGEST_LABEL: usize = 255;

/// The URL of the store. `Debug` doesn't show it, and there is no `Display`.
#[derive(Clone, PartialEq, Eq)]
pub struct StoreUrl(String);

impl StoreUrl {
    /// The URL itself, to connect with.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StoreUrl(…)")
    }
}

/// Which nodes of the cluster this one has sessions with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClusterLinks {
    /// All.
    Mesh,
    /// Those whose entities are spoken to, until that has rested for a while, and those of `peers`.
    OnDemand {
        /// That while.
        idle: Duration,
    },
}

/// What `links` may be.
pub(super) const LINKS: [(&str, ClusterLinks); 2] = [
    ("mesh", ClusterLinks::Mesh),
    ("on-demand", ClusterLinks::OnDemand { idle: LINKS_IDLE }),
];

/// The checked `[cluster]` table.
#[derive(Clone, Debug)]
pub struct ClusterSection {
    /// The URL of the store, as it was read.
    pub url: StoreUrl,
    /// Where that came from.
    pub place: SecretPlace,
    /// Where the store is.
    pub address: Address,
    /// Where other nodes reach this one.
    pub advertise: PeerAddress,
    /// Which nodes this one has sessions with.
    pub links: ClusterLinks,
    /// What the node is labelled with.
    pub labels: BTreeMap<String, String>,
    /// How long a node may be silent before others end it. All nodes of a cluster need the same.
    pub lease: Duration,
}

/// Why there is no URL. Never quotes what was read.
#[derive(Debug, thiserror::Error)]
enum StoreUrlError {
    #[error(transparent)]
    File(#[from] SecretError),
    #[error("the environment variable {0} is not set")]
    Unset(String),
    #[error("{0} is not UTF-8 text")]
    NotUtf8(String),
    #[error("{place}: {fault}")]
    Bad { place: String, fault: BadAddress },
}

impl StoreUrlError {
    fn help(&self) -> String {
        match self {
            Self::File(error) => error.help(),
            Self::Unset(_) | Self::NotUtf8(_) | Self::Bad { .. } => {
                "expected for example `postgres://ractor:PASSWORD@db.internal:5432/ractor?sslmode=verify-full`"
                    .to_owned()
            }
        }
    }
}

impl ClusterSection {
    /// The table `cluster` of a file, if it has one.
    pub(super) fn read(file: &Section<'_>, context: &ReadContext<'_>, problems: &mut Problems) -> Option<Self> {
        let section = &Section::open("[cluster]", file.value("cluster")?, KEYS, problems)?;
        let store = read_store(section, context, problems);
        let advertise = section.required_text("advertise", "\"10.0.0.7:4697\"", problems);
        let advertise = advertise.and_then(|text| read_advertise(&text, problems));
        let links = read_links(section, problems);
        let labels = section.value("labels").map(|value| read_labels(value, problems));
        let lease = match section.value("lease") {
            Some(_) => section.time("lease", problems).inspect(|lease| {
                if !(SHORTEST_LEASE..=LONGEST_LEASE).contains(lease)
                    && let Some(value) = section.value("lease")
                {
                    let message = "`lease` is too short or too long";
                    problems.error(
                        value.span(),
                        message,
                        "expected \"3s\" to \"300s\", and the same at all nodes",
                    );
                }
            }),
            None => Some(LEASE),
        };
        let (url, place, address) = store?;
        Some(Self {
            url,
            place,
            address,
            advertise: advertise?,
            links: links?,
            labels: labels.unwrap_or_default(),
            lease: lease?,
        })
    }
}

fn read_store(
    section: &Section<'_>,
    context: &ReadContext<'_>,
    problems: &mut Problems,
) -> Option<(StoreUrl, SecretPlace, Address)> {
    let keys = SecretKeys {
        file: "store_file",
        variable: "store_env",
        what: "the URL of the store",
        example: "DATABASE_URL",
        mistaken: &["store"],
        presence: Presence::Required,
    };
    let place = keys.read(section, problems)?;
    let url = match &place {
        SecretKey::File(file) => from_file(&context.path(file)),
        SecretKey::Variable(variable) => {
            let name = *variable.get_ref();
            from_variable(name, (context.variable)(name))
        }
    };
    match url {
        Ok((url, address)) => {
            if let Err(error) = address.check_roots() {
                let help = "`sslrootcert` of the URL has to name a PEM file with the authorities' certificates";
                problems.error(place.span(), error.to_string(), help);
            }
            Some((url, place.resolved(context), address))
        }
        Err(error) => {
            let is_missing = matches!(&error, StoreUrlError::File(error) if error.is_not_found());
            let help = place.help(is_missing, error.help(), context);
            problems.error(place.span(), error.to_string(), help);
            None
        }
    }
}

fn from_file(path: &Path) -> Result<(StoreUrl, Address), StoreUrlError> {
    let bytes = files::read_secret(Secret::StoreUrl, path, LARGEST_FILE)?;
    let place = path.display().to_string();
    let text = String::from_utf8(bytes).map_err(|_| StoreUrlError::NotUtf8(place.clone()))?;
    parsed(&text, place)
}

fn from_variable(name: &str, value: Result<String, VarError>) -> Result<(StoreUrl, Address), StoreUrlError> {
    let text = value.map_err(|error| match error {
        VarError::NotPresent => StoreUrlError::Unset(name.to_owned()),
        VarError::NotUnicode(_) => StoreUrlError::NotUtf8(name.to_owned()),
    })?;
    parsed(&text, format!("the environment variable {name}"))
}

fn parsed(text: &str, place: String) -> Result<(StoreUrl, Address), StoreUrlError> {
    let text = text.trim();
    let address = Address::parse(text).map_err(|fault| StoreUrlError::Bad { place, fault })?;
    Ok((StoreUrl(text.to_owned()), address))
}

fn read_advertise(text: &Spanned<&str>, problems: &mut Problems) -> Option<PeerAddress> {
    match text.get_ref().parse::<PeerAddress>() {
        Ok(address) => {
            let ip = address.host.parse::<std::net::IpAddr>();
            if ip.is_ok_and(|ip| ip.is_unspecified()) {
                let message = format!("nobody can reach {address}");
                problems.error(
                    text.span(),
                    message,
                    "expected the address of this machine as other nodes see it",
                );
                return None;
            }
            Some(address)
        }
        Err(error) => {
            let message = format!("{:?} is not an address: {}", error.text, error.reason);
            problems.error(text.span(), message, error.help);
            None
        }
    }
}

fn read_links(section: &Section<'_>, problems: &mut Problems) -> Option<ClusterLinks> {
    let links = chosen_or("links", &LINKS, ClusterLinks::Mesh, section, problems);
    let idle = section.time("links_idle", problems);
    match (links?, idle) {
        (ClusterLinks::OnDemand { .. }, Some(idle)) => Some(ClusterLinks::OnDemand { idle }),
        (ClusterLinks::Mesh, Some(_)) => {
            if let Some(value) = section.value("links_idle") {
                let help = "write `links = \"on-demand\"`, or leave it out";
                problems.error(
                    value.span(),
                    "`links_idle` needs sessions that are opened on demand",
                    help,
                );
            }
            None
        }
        (links, None) => Some(links),
    }
}

fn read_labels(value: &Spanned<DeValue<'_>>, problems: &mut Problems) -> BTreeMap<String, String> {
    let labels = values::read("`labels`", value, problems);
    if labels.len() > MOST_LABELS {
        let message = format!("`labels` has {} names", labels.len());
        problems.error(value.span(), message, format!("expected at most {MOST_LABELS}"));
    }
    let is_long = |(name, text): (&String, &String)| name.len() > LONGEST_LABEL || text.len() > LONGEST_LABEL;
    if labels.iter().any(is_long) {
        let help = format!("expected at most {LONGEST_LABEL} bytes");
        problems.error(value.span(), "the name or the value of a label is too long", help);
    }
    // The store has no room for a zero byte, and nobody could tell the others apart.
    let is_odd = |(name, text): (&String, &String)| name.chars().chain(text.chars()).any(char::is_control);
    if labels.iter().any(is_odd) {
        let message = "the name or the value of a label has a control character";
        problems.error(value.span(), message, "expected printable characters");
    }
    labels
}
