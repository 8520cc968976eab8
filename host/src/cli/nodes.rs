//! Several nodes at once, each with a session to its control actor.

use std::time::Duration;

use anyhow::{Context as _, anyhow};
use futures_util::future::join_all;

use super::arguments::ControlArguments;
use super::client::{CLIENT_NAME, ClientError, ClusterClient, Deadline};
use super::credentials::{cookie, dial, key};
use super::failure::Failure;
use super::output;
use super::target::Target;
use crate::config::{Cookie, PeerAddress};
use crate::control::{Answer, AskError, CONTROL, ControlClient, DeployKey, OtherNode, Request};
use crate::host::Dial;

/// The longest that connecting to one node may take, however long the whole command may.
const CONNECTING: Duration = Duration::from_secs(10);

/// How every one of them is reached.
pub(super) struct NodeAccess {
    cookie: Cookie,
    dial: Dial,
    key: DeployKey,
    deadline: Deadline,
}

impl NodeAccess {
    /// Reads the files that the arguments name.
    pub(super) fn new(arguments: &ControlArguments) -> Result<Self, Failure> {
        Ok(Self {
            cookie: cookie(&arguments.cookie)?,
            key: key(&arguments.key)?,
            dial: dial(&arguments.tls)?,
            deadline: Deadline::after(arguments.timeout),
        })
    }

    /// Connects to a node. The first request proves the deploy key to it.
    pub(super) async fn to(&self, address: &PeerAddress) -> anyhow::Result<ControlledNode> {
        // A node that accepts the connection and then says nothing must not take all the time that there is for the others.
        let deadline = self.deadline.within(CONNECTING);
        let client = ClusterClient::connect(address, &self.cookie, &self.dial, deadline).await?;
        let name = client.peer_name();
        let actor = match client.resolve(&Target::Name(CONTROL.to_owned())).await {
            Ok(actors) => actors.into_iter().next().context("a target without an actor")?,
            Err(ClientError::NoName { .. }) => {
                return Err(anyhow!(
                    "{name} takes no deployments: its node.toml has no table [control]"
                ));
            }
            Err(error) => return Err(error.into()),
        };
        let control = ControlClient::new(actor, name.clone(), self.key.clone());
        Ok(ControlledNode {
            name,
            address: address.clone(),
            control,
            deadline: self.deadline,
            _client: client,
        })
    }
}

/// A node that is connected to.
pub(super) struct ControlledNode {
    /// Its full name.
    pub(super) name: String,
    pub(super) address: PeerAddress,
    pub(super) control: ControlClient,
    deadline: Deadline,
    /// The session lives as long as this.
    _client: ClusterClient,
}

impl ControlledNode {
    /// Asks, and waits for the answer.
    pub(super) async fn ask(&mut self, request: &Request) -> anyhow::Result<Answer> {
        let answer = self.try_ask(request).await;
        answer.map_err(|error| explain(&self.name, &error))
    }

    /// The same, for whoever tells errors apart.
    pub(super) async fn try_ask(&mut self, request: &Request) -> Result<Answer, AskError> {
        self.control.ask(request, &[], self.deadline.at()).await
    }

    /// Uploads a component; gives how many bytes of it the node lacked.
    pub(super) async fn upload(&mut self, digest: crate::guest::Digest, bytes: &[u8]) -> anyhow::Result<u64> {
        let sent = self.control.upload(digest, bytes, self.deadline.at()).await;
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
    let named = join_all(arguments.node.iter().map(|address| access.to(address))).await;
    let mut nodes = Vec::new();
    for node in named {
        add(&mut nodes, node);
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
            for node in join_all(new.iter().map(|other| other_node(access, other))).await {
                add(&mut nodes, node);
            }
        }
        Err(error) => nodes.push(Err(error)),
    }
    nodes
}

/// Says which nodes are left out. One that was named on the command line has a session already.
fn is_to_join(other: &OtherNode, nodes: &[anyhow::Result<ControlledNode>]) -> bool {
    if !other.control && other.name.starts_with(CLIENT_NAME) {
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

async fn other_node(access: &NodeAccess, other: &OtherNode) -> anyhow::Result<ControlledNode> {
    let OtherNode { name, address, .. } = other;
    let address = address.parse::<PeerAddress>();
    let address = address.map_err(|error| anyhow!("{name} says that it is at {:?}: {}", error.text, error.reason))?;
    access.to(&address).await.with_context(|| name.clone())
}

/// Two addresses may lead to one node.
fn add(nodes: &mut Vec<anyhow::Result<ControlledNode>>, node: anyhow::Result<ControlledNode>) {
    let is_known = |new: &ControlledNode| nodes.iter().flatten().any(|known| known.name == new.name);
    if !node.as_ref().is_ok_and(is_known) {
        nodes.push(node);
    }
}
