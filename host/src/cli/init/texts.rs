//! What the files of a new node say.

use std::fmt;

use super::{CA, COOKIE, KEY, NewNode, SCHEMA_FILE};

/// The node.toml of a node.
pub(super) struct NodeText<'a> {
    pub(super) node: &'a NewNode,
    pub(super) peers: Vec<String>,
    pub(super) tls: bool,
    pub(super) is_cluster: bool,
}

impl fmt::Display for NodeText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write_node(f)?;
        if self.tls {
            let (certificate, key) = (self.node.certificate(), self.node.key());
            write!(
                f,
                "\n# Every connection is encrypted, and both ends show a certificate of the CA. The files are read again when they change.\n\
                 [node.tls]\ncert = {certificate:?}\nkey = {key:?}\nca = {CA:?}\n"
            )?;
        }
        self.write_rest(f)
    }
}

impl NodeText<'_> {
    fn write_node(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let NewNode { name, file, host, .. } = self.node;
        writeln!(
            f,
            "#:schema ./{SCHEMA_FILE}\n\
             # A node. `ractor-host check {file}` says whether this file is good, `ractor-host run {file}` runs it.\n\
             # Relative paths start at the folder of this file.\n\n\
             [node]\n\
             # The full name of the node is name@hostname. Two nodes of one cluster can't have the same.\n\
             name = {name:?}"
        )?;
        if self.node.is_here() {
            writeln!(f, "# hostname = \"localhost\"")?;
        } else {
            writeln!(f, "hostname = {host:?}")?;
        }
        writeln!(f, "# Where other nodes and commands reach this one.")?;
        writeln!(f, "listen = {:?}", self.listen())?;
        writeln!(
            f,
            "# The secret that all nodes of a cluster share. Nobody else may be able to read the file.\n\
             cookie_file = {COOKIE:?}\n\
             # Nodes to stay connected to. One that is down is dialled again and again."
        )?;
        if self.peers.is_empty() {
            writeln!(f, "# peers = [\"127.0.0.1:4698\"]")
        } else {
            writeln!(f, "peers = {:?}", self.peers)
        }
    }

    /// Nodes on other machines have to be reached by all of their addresses.
    fn listen(&self) -> String {
        let NewNode { host, port, .. } = self.node;
        if self.node.is_here() {
            format!("{host}:{port}")
        } else if host.contains(':') {
            format!("[::]:{port}")
        } else {
            format!("0.0.0.0:{port}")
        }
    }

    fn write_rest(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = format!("state/{}", self.node.name);
        write!(
            f,
            "\n[runtime]\n\
             # What outlives the node: states of actors, and components that were deployed. The socket for commands is there, too.\n\
             state_dir = {state:?}\n\n"
        )?;
        let (hash, which) = if self.is_cluster {
            ("", "")
        } else {
            (
                "# ",
                " First: `openssl rand -hex 32 > deploy.key; chmod 600 deploy.key`.",
            )
        };
        write!(
            f,
            "# Who may steer this node and deploy to it from elsewhere. On this machine no key is needed.{which}\n\
             {hash}[control]\n\
             {hash}key_file = {KEY:?}\n\n"
        )?;
        f.write_str(ACTORS)
    }
}

/// The end of every file: no actor is there yet, so nothing is started but the node itself.
const ACTORS: &str = r#"# Metrics, health and an API over HTTP, for this machine.
# [admin]
# listen = "127.0.0.1:9697"

# The node has no actors yet. `ractor-host new --lang python counter` makes a project with one; its component comes in like this:
# [modules.counter]
# path = "counter/build/counter.wasm"

# [[actors]]
# name = "counter"
# module = "counter"
# groups = ["counters"]
# arguments = "u64:0"
"#;

/// What belongs into no repository: secrets, and what nodes keep.
pub(super) fn gitignore() -> String {
    format!("# Secrets.\n{COOKIE}\n*.key\n*-key.pem\n# What nodes keep.\nstate/\n")
}
