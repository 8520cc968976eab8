//! Several nodes at once, each with a session to its control actor.

use std::borrow::Cow;
use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use futures_util::future::join_all;

use super::arguments::ControlArguments;
use super::client::{ClientError, ClusterClient, Deadline};
use super::credentials::{cookie, dial, key};
use super::failure::Failure;
use super::output;
use super::progress::Progress;
use crate::config::{Cookie, NodeConfig, PeerAddress};
use crate::control::Target;
use crate::control::{
    Answer, AskError, CONTROL, ControlClient, ControlKey, LocalClient, OtherNode, Request, is_command, upload,
};
use crate::host::{Dial, HostBuilder, local_sockets};

/// The file that describes a node, by convention.
pub(super) const NODE_TOML: &str = "node.toml";

/// The longest that connecting to one node may take, however long the whole command may.
const CONNECTING: Duration = Duration::from_secs(10);

/// The interval at which a node that leaves is looked at.
const LOOK: Duration = Duration::from_millis(100);

/// How nodes are reached.
pub(super) struct NodeAccess {
    first: FirstNodes,
    deadline: Deadline,
}

/// The nodes that the command line names.
enum FirstNodes {
    /// Those at these addresses.
    At(Vec<PeerAddress>, ClusterAccess),
    /// The one on this machine that this file describes.
    Here(Box<NodeConfig>),
}

/// What the node.toml says of the node on this machine that is meant: that of `config`, or else that in the current folder. None if nodes
/// are named by their addresses.
pub(super) fn named_here(
    config: Option<&Path>,
    addresses: &[PeerAddress],
    builder: &HostBuilder,
) -> Result<Option<Box<NodeConfig>>, Failure> {
    let file = match config {
        Some(file) => file,
        None if !addresses.is_empty() => return Ok(None),
        None if !Path::new(NODE_TOML).exists() => {
            return Err(Failure::usage(
                "there is no node.toml in this folder; name the node's with `-f NODE.TOML`, or a node of the cluster with \
                 `--node HOST:PORT`",
            ));
        }
        None => Path::new(NODE_TOML),
    };
    Ok(Some(Box::new(builder.config(file)?)))
}

/// What nodes that are reached by their addresses want to see.
#[derive(Clone)]
struct ClusterAccess {
    cookie: Cookie,
    dial: Dial,
    key: ControlKey,
}

impl NodeAccess {
    /// Reads the files that the arguments name.
    pub(super) fn new(arguments: &ControlArguments, builder: &HostBuilder) -> Result<Self, Failure> {
        let first = match named_here(arguments.config.as_deref(), &arguments.node, builder)? {
            Some(config) => FirstNodes::Here(config),
            None => {
                let access = ClusterAccess {
                    cookie: cookie(&arguments.cookie)?,
                    key: key(&arguments.key)?,
                    dial: dial(&arguments.tls)?,
                };
                FirstNodes::At(arguments.node.clone(), access)
            }
        };
        Ok(Self {
            first,
            deadline: Deadline::after(arguments.timeout),
        })
    }

    /// What other nodes than the first want to see. The node.toml of a node on this machine says that, too.
    fn of_others(&self) -> anyhow::Result<Cow<'_, ClusterAccess>> {
        match &self.first {
            FirstNodes::At(_, access) => Ok(Cow::Borrowed(access)),
            FirstNodes::Here(config) => {
                let control = config.control.as_ref();
                let control = control.with_context(|| {
                    format!(
                        "{} has no table [control], whose key other nodes would take",
                        config.file.display()
                    )
                })?;
                Ok(Cow::Owned(ClusterAccess {
                    cookie: config.node.cookie.clone(),
                    dial: config.node.dial(),
                    key: control.strongest().context("[control] has no key")?.clone(),
                }))
            }
        }
    }
}

/// Connects to the node at an address. The first request proves the key to it.
async fn at(address: &PeerAddress, access: &ClusterAccess, deadline: Deadline) -> anyhow::Result<ControlledNode> {
    // A node that accepts the connection and then says nothing must not take all the time that there is for the others.
    let connecting = deadline.within(CONNECTING);
    let client = ClusterClient::connect(address, &access.cookie, &access.dial, connecting).await?;
    let name = client.peer_name();
    let actor = match client.resolve(&Target::Name(CONTROL.to_owned())).await {
        Ok(actors) => actors.into_iter().next().context("a target without an actor")?,
        Err(ClientError::NoName { .. }) => {
            return Err(anyhow!(
                "{name} answers no commands from elsewhere: its node.toml has no table [control]"
            ));
        }
        Err(error) => return Err(error.into()),
    };
    let control = ControlClient::new(actor, name.clone(), access.key.clone());
    Ok(ControlledNode {
        name,
        address: address.to_string(),
        channel: Channel::Cluster {
            control: Box::new(control),
            client: Box::new(client),
        },
        way: Way::At(address.clone(), Box::new(access.clone())),
        deadline,
    })
}

/// Connects to the node of this machine that a node.toml describes.
pub(super) async fn here(config: &NodeConfig, deadline: Deadline) -> anyhow::Result<ControlledNode> {
    let name = config.node.full_name();
    let mut refused = None;
    for path in local_sockets(config) {
        match LocalClient::connect(&path).await {
            Ok(client) => {
                return Ok(ControlledNode {
                    name,
                    address: path.display().to_string(),
                    channel: Channel::Local(client),
                    way: Way::Here(Box::new(config.clone())),
                    deadline,
                });
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => refused = Some((path, error)),
        }
    }
    let file = config.file.display();
    match refused {
        Some((path, error)) if error.kind() == ErrorKind::PermissionDenied => Err(anyhow!(
            "{name} is not yours to ask: {} is another user's ({error}); become the user that it runs as, or use --node",
            path.display()
        )),
        _ => Err(anyhow!(
            "{name} does not run on this machine, as far as {file} says where it would be; start it with `ractor-host run {file}`, or \
             name another node with --node"
        )),
    }
}

/// A node that is connected to.
pub(super) struct ControlledNode {
    /// Its full name.
    pub(super) name: String,
    /// Where it was reached: an address, or the path of a socket.
    pub(super) address: String,
    channel: Channel,
    way: Way,
    deadline: Deadline,
}

/// How to get to a node.
enum Way {
    At(PeerAddress, Box<ClusterAccess>),
    Here(Box<NodeConfig>),
}

/// The connection to a node.
enum Channel {
    Cluster {
        control: Box<ControlClient>,
        /// The session lives as long as this.
        client: Box<ClusterClient>,
    },
    Local(LocalClient),
}

impl ControlledNode {
    /// Connects to the same node anew, in the time that the requests have.
    pub(super) async fn reconnect(&mut self) -> anyhow::Result<()> {
        let again = match (&self.channel, &self.way) {
            (Channel::Cluster { client, .. }, Way::At(address, access)) => {
                // First: otherwise the control actor may be found by its name in the session that is lost.
                client.close().await;
                at(address, access, self.deadline).await?
            }
            (_, Way::At(address, access)) => at(address, access, self.deadline).await?,
            (_, Way::Here(config)) => here(config, self.deadline).await?,
        };
        if again.name != self.name {
            anyhow::bail!(
                "at {}, {} has taken the place of {}",
                self.address,
                again.name,
                self.name
            );
        }
        *self = again;
        Ok(())
    }

    /// Asks, and waits for the answer.
    pub(super) async fn ask(&mut self, request: &Request) -> anyhow::Result<Answer> {
        self.ask_with(request, &[]).await
    }

    /// The same, for whoever tells errors apart.
    pub(super) async fn try_ask(&mut self, request: &Request) -> Result<Answer, AskError> {
        self.try_ask_with(request, &[]).await
    }

    /// Asks something that bytes belong to.
    pub(super) async fn ask_with(&mut self, request: &Request, piece: &[u8]) -> anyhow::Result<Answer> {
        let answer = self.try_ask_with(request, piece).await;
        answer.map_err(|error| explain(&self.name, &error))
    }

    async fn try_ask_with(&mut self, request: &Request, piece: &[u8]) -> Result<Answer, AskError> {
        let deadline = self.deadline.at();
        match &mut self.channel {
            Channel::Cluster { control, .. } => control.ask(request, piece, deadline).await,
            Channel::Local(client) => client.ask(request, piece, deadline).await,
        }
    }

    /// Waits until the node is down.
    pub(super) async fn until_down(mut self) -> anyhow::Result<()> {
        let is_down = match &self.channel {
            Channel::Cluster { client, .. } => client.ended(self.deadline).await,
            Channel::Local(_) => loop {
                match self.try_ask(&Request::Stopped).await {
                    Ok(_) | Err(AskError::Failed(_)) => tokio::time::sleep(LOOK).await,
                    Err(AskError::Timeout) => break false,
                    // The socket ends with the node.
                    Err(_) => break true,
                }
                if self.deadline.remaining().is_zero() {
                    break false;
                }
            },
        };
        if is_down {
            return Ok(());
        }
        Err(anyhow!(
            "{} leaves, but is not down yet; `--timeout` says how long to wait",
            self.name
        ))
    }

    /// From now on, requests have this time.
    pub(super) fn renew_deadline(&mut self, time: Duration) {
        self.deadline = Deadline::after(time);
    }

    /// Uploads a component, and shows how far it is; gives how many bytes of it the node lacked.
    pub(super) async fn upload(
        &mut self,
        digest: crate::guest::Digest,
        bytes: &[u8],
        progress: &Progress,
    ) -> anyhow::Result<u64> {
        let bar = progress.bytes(&format!("{}: uploading", self.name), bytes.len() as u64);
        let sent = upload(
            async |request, piece| {
                let answer = self.try_ask_with(request, piece).await;
                if let Ok(Answer::UploadProgress { offset, .. }) = &answer {
                    bar.reach(*offset);
                }
                answer
            },
            digest,
            bytes,
        )
        .await;
        drop(bar);
        sent.map_err(|error| explain(&self.name, &error))
    }

    /// The nodes that this one has sessions with.
    async fn others(&mut self) -> anyhow::Result<Vec<OtherNode>> {
        match self.ask(&Request::Nodes).await? {
            Answer::Nodes { nodes } => Ok(nodes),
            _ => Err(explain(&self.name, &AskError::NotUnderstood)),
        }
    }
}

fn explain(node: &str, error: &AskError) -> anyhow::Error {
    anyhow!("{node}: {error}")
}

/// Connects to the nodes that are named, and with `--all-nodes` to those that the first one knows. All, or none.
pub(super) async fn connect(access: &NodeAccess, arguments: &ControlArguments) -> anyhow::Result<Vec<ControlledNode>> {
    connect_each(access, arguments).await.into_iter().collect()
}

/// The same, for whoever can do with some of them: all at the same time, so that one that doesn't answer keeps no other waiting.
pub(super) async fn connect_each(
    access: &NodeAccess,
    arguments: &ControlArguments,
) -> Vec<anyhow::Result<ControlledNode>> {
    let mut nodes = Vec::new();
    match &access.first {
        FirstNodes::At(addresses, of_cluster) => {
            let named = addresses.iter().map(|address| at(address, of_cluster, access.deadline));
            for node in join_all(named).await {
                add(&mut nodes, node);
            }
        }
        FirstNodes::Here(config) => nodes.push(here(config, access.deadline).await),
    }
    if !arguments.all_nodes {
        return nodes;
    }
    let known = match nodes.first_mut() {
        Some(Ok(first)) => first.others().await,
        // Without it nobody knows which others there are, and its own error says why.
        Some(Err(_)) => return nodes,
        None => Err(anyhow!("no node was named")),
    };
    match known {
        Ok(known) => {
            let new = known
                .into_iter()
                .filter(|other| is_to_join(other, &nodes))
                .collect::<Vec<_>>();
            match access.of_others() {
                Ok(of_others) => {
                    let others = new.iter().map(|other| other_node(other, &of_others, access.deadline));
                    for node in join_all(others).await {
                        add(&mut nodes, node);
                    }
                }
                Err(error) if !new.is_empty() => nodes.push(Err(error)),
                Err(_) => {}
            }
        }
        Err(error) => nodes.push(Err(error)),
    }
    nodes
}

/// Says which nodes are left out. One that was named on the command line has a session already.
fn is_to_join(other: &OtherNode, nodes: &[anyhow::Result<ControlledNode>]) -> bool {
    if !other.control && is_command(&other.name) {
        // Somebody's command, such as this one.
        return false;
    }
    if !other.control {
        output::note(format_args!(
            "{} is left out: its node.toml has no table [control], or it is not a ractor-host node",
            other.name
        ));
        return false;
    }
    // By its name, and before it is dialled.
    nodes.iter().flatten().all(|node| node.name != other.name)
}

async fn other_node(other: &OtherNode, access: &ClusterAccess, deadline: Deadline) -> anyhow::Result<ControlledNode> {
    let OtherNode { name, address, .. } = other;
    let address = address.parse::<PeerAddress>();
    let address = address.map_err(|error| anyhow!("{name} says that it is at {:?}: {}", error.text, error.reason))?;
    at(&address, access, deadline).await.with_context(|| name.clone())
}

/// Two addresses may lead to one node.
fn add(nodes: &mut Vec<anyhow::Result<ControlledNode>>, node: anyhow::Result<ControlledNode>) {
    let is_known = |new: &ControlledNode| nodes.iter().flatten().any(|known| known.name == new.name);
    if !node.as_ref().is_ok_and(is_known) {
        nodes.push(node);
    }
}
