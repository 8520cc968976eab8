//! How a command reaches nodes: the options that many commands share.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use crate::cli::timeout::parse_timeout;
use crate::config::PeerAddress;
use crate::tls::ServerName;

/// How to reach the nodes, and to prove that one may ask them.
///
/// A node of this machine needs no keys: its node.toml says where it is. Without --node and --config, that is the one in the current
/// folder.
#[derive(Clone, Debug, Args)]
pub(in crate::cli) struct ControlArguments {
    /// The node.toml of a node on this machine. Takes precedence over --node; without either, it is the one in the current folder.
    #[arg(short = 'f', long, value_name = "NODE.TOML")]
    pub(in crate::cli) config: Option<PathBuf>,
    /// The address of a node that has a table [control] in its node.toml. May be given several times.
    #[arg(long, value_name = "HOST:PORT", env = "RACTOR_HOST_NODE", value_delimiter = ',')]
    pub(in crate::cli) node: Vec<PeerAddress>,
    /// Include every node that the first one has a session with.
    #[arg(long)]
    pub(in crate::cli) all_nodes: bool,
    #[command(flatten)]
    pub(in crate::cli) cookie: OptionalCookieArguments,
    #[command(flatten)]
    pub(in crate::cli) key: KeyArguments,
    #[command(flatten)]
    pub(in crate::cli) tls: TlsArguments,
    /// How long the whole command may take: 500ms, 5s, 2m.
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = parse_timeout)]
    pub(in crate::cli) timeout: Duration,
}

/// How to reach the node. The one of this machine needs no cookie: its node.toml says where it is. Without --node and --config, that is the one
/// in the current folder.
#[derive(Clone, Debug, Args)]
pub(in crate::cli) struct NodeArguments {
    /// The node.toml of a node on this machine. Takes precedence over --node; without either, it is the one in the current folder.
    #[arg(short = 'f', long, value_name = "NODE.TOML")]
    pub(in crate::cli) config: Option<PathBuf>,
    /// The address of a node of this program or of ractor_cluster.
    #[arg(long, value_name = "HOST:PORT", env = "RACTOR_HOST_NODE", value_delimiter = ',')]
    pub(in crate::cli) node: Vec<PeerAddress>,
    #[command(flatten)]
    pub(in crate::cli) cookie: OptionalCookieArguments,
    #[command(flatten)]
    pub(in crate::cli) tls: TlsArguments,
    /// How long the whole command may take: 500ms, 5s, 2m.
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = parse_timeout)]
    pub(in crate::cli) timeout: Duration,
}

/// Where the cookie is, for commands that may do without.
#[derive(Clone, Debug, Args)]
#[group(multiple = false)]
pub(in crate::cli) struct OptionalCookieArguments {
    /// The file with the cookie of the cluster.
    #[arg(
        id = "control_cookie_file",
        long = "cookie-file",
        value_name = "FILE",
        env = "RACTOR_HOST_COOKIE_FILE"
    )]
    pub(in crate::cli) cookie_file: Option<PathBuf>,
    /// The environment variable with the cookie of the cluster.
    #[arg(id = "control_cookie_env", long = "cookie-env", value_name = "VARIABLE")]
    pub(in crate::cli) cookie_env: Option<String>,
}

/// Where the key is that proves what one may do.
#[derive(Clone, Debug, Args)]
#[group(multiple = false)]
pub(in crate::cli) struct KeyArguments {
    /// The file with the key of a role: see [control] in node.toml.
    #[arg(long, value_name = "FILE", env = "RACTOR_HOST_KEY_FILE")]
    pub(in crate::cli) key_file: Option<PathBuf>,
    /// The environment variable with the key of a role.
    #[arg(long, value_name = "VARIABLE")]
    pub(in crate::cli) key_env: Option<String>,
}

/// How to reach a node that speaks TLS: one with a table [node.tls].
#[derive(Clone, Debug, Args)]
pub(in crate::cli) struct TlsArguments {
    /// Connect over TLS to a node whose certificate leads to one of these CA certificates (PEM).
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) tls_ca: Option<PathBuf>,
    /// The certificate to present to a node that asks for one (PEM).
    #[arg(long, value_name = "FILE", requires_all = ["tls_ca", "tls_key"])]
    pub(in crate::cli) tls_cert: Option<PathBuf>,
    /// The private key of that certificate (PEM).
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub(in crate::cli) tls_key: Option<PathBuf>,
    /// The name in the node's certificate, if it is not the host in --node.
    #[arg(long, value_name = "NAME", requires = "tls_ca", value_parser = parse_server_name)]
    pub(in crate::cli) tls_name: Option<ServerName<'static>>,
}

fn parse_server_name(text: &str) -> Result<ServerName<'static>, String> {
    ServerName::try_from(text.to_owned()).map_err(|_| "expected a DNS name or an IP address".to_owned())
}
