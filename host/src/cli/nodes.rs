//! Several nodes at once, each with a session to its control actor.

use anyhow::{Context as _, anyhow};

use super::arguments::ControlArguments;
use super::client::{CLIENT_NAME, ClientError, ClusterClient, Deadline};
use super::credentials::{cookie, dial, key};
use super::failure::Failure;
use super::output;
use super::target::Target;
use crate::config::{Cookie, PeerAddress};
use crate::control::{Answer, AskError, CONTROL, ControlClient, DeployKey, OtherNode, Request};
use crate::host::Dial;

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
        let client = ClusterClient::connect(address, &self.cookie, &self.dial, self.deadline).await?;
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
    let mut nodes = Vec::new();
    for address in &arguments.node {
        let node = access.to(address).await?;
        add(&mut nodes, node);
    }
    if !arguments.all_nodes {
        return Ok(nodes);
    }
    let first = nodes.first_mut().context("no node was named")?;
    for other in first.others().await? {
        if !other.control && other.name.starts_with(CLIENT_NAME) {
            // Somebody's command, such as this one.
            continue;
        }
        if !other.control {
            output::note(format_args!(
                "{} is left out: its node.toml has no table [control], or it is not a ractor-host node",
                other.name
            ));
            continue;
        }
        // By its name, and before it is dialled: one that was named on the command line has a session already.
        if nodes.iter().any(|node| node.name == other.name) {
            continue;
        }
        let address = other.address.parse::<PeerAddress>();
        let address =
            address.map_err(|error| anyhow!("{} says that it is at {:?}: {}", other.name, error.text, error.reason))?;
        let node = access.to(&address).await?;
        add(&mut nodes, node);
    }
    Ok(nodes)
}

/// Two addresses may lead to one node.
fn add(nodes: &mut Vec<ControlledNode>, node: ControlledNode) {
    if nodes.iter().all(|known| known.name != node.name) {
        nodes.push(node);
    }
}
