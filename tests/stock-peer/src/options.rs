//! The command line of the peer.

use std::str::FromStr;

use anyhow::{Context, bail};
use clap::{Parser, ValueEnum};
use ractor_cluster::node::NodeConnectionMode;

use crate::tls::TlsOptions;

/// A cluster node driven through stdin and stdout.
#[derive(Parser, Debug)]
pub(crate) struct Options {
    /// The node's name; its full name is NAME@HOSTNAME.
    #[arg(long)]
    pub(crate) name: String,
    #[arg(long, default_value = "localhost")]
    pub(crate) hostname: String,
    /// The cookie that every node of the cluster shares.
    #[arg(long)]
    pub(crate) cookie: String,
    #[arg(long, value_enum, default_value_t = Mode::Isolated)]
    pub(crate) mode: Mode,
    #[command(flatten)]
    pub(crate) tls: TlsOptions,
    /// A node to dial at start, HOST:PORT. May be repeated.
    #[arg(long)]
    pub(crate) connect: Vec<String>,
    /// A counter to spawn before the node starts, NAME[:GROUP[:START]]; NAME `-` is an actor without a name. May be
    /// repeated; the first one has pid 0.
    #[arg(long = "actor")]
    pub(crate) actors: Vec<ActorOption>,
}

/// Whether the node also dials the peers of its peers.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Mode {
    Transitive,
    Isolated,
}

impl From<Mode> for NodeConnectionMode {
    fn from(mode: Mode) -> Self {
        match mode {
            Mode::Transitive => Self::Transitive,
            Mode::Isolated => Self::Isolated,
        }
    }
}

/// A counter to spawn.
#[derive(Clone, Debug)]
pub(crate) struct ActorOption {
    pub(crate) name: Option<String>,
    pub(crate) group: Option<String>,
    pub(crate) start: u64,
}

impl FromStr for ActorOption {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        let mut parts = text.splitn(3, ':');
        let name = match parts.next() {
            None | Some("") => bail!("an actor needs a name, or `-` for none"),
            Some("-") => None,
            Some(name) => Some(name.to_owned()),
        };
        let group = parts.next().filter(|group| !group.is_empty()).map(str::to_owned);
        let start = match parts.next() {
            None => 0,
            Some(start) => start.parse().with_context(|| format!("the start value {start:?}"))?,
        };
        Ok(Self { name, group, start })
    }
}
