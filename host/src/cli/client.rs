//! A short-lived node of its own, which joins a cluster to send a message.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::future::Future;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use ractor::message::SerializedMessage;
use ractor::{Actor, ActorCell, ActorId, ActorRef, RpcReplyPort, concurrency, pg};
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::config::{Cookie, PeerAddress, did_you_mean};
use crate::control::{COMMAND_NODES, Target};
use crate::directory::{DESCRIBE_VARIANT, SendRefused};
use crate::entities::{Entity, EntityType, type_group};
use crate::guest::{Contract, DESCRIBE_ARGUMENTS, DescriptionError};
use crate::host::Dial;
use crate::node::client::Encryption;
use crate::node::{
    CloseReason, NodeConnectionMode, NodeEventSubscription, NodeServer, NodeServerMessage,
    NodeServerSessionInformation, await_down, confirm,
};
use crate::{ClientConnectErr, client_connect, client_connect_enc, directory};

/// The interval at which a group is searched for members. ractor tells of changes only to actors.
const GROUP_POLL: Duration = Duration::from_millis(20);

/// The longest wait for the groups of a peer, where they only help with an error.
const GROUPS_COME: Duration = Duration::from_millis(500);

/// The most groups that an error lists.
const GROUPS_SHOWN: usize = 20;

/// The longest that ending the session may take.
const GOODBYE: Duration = Duration::from_secs(1);

/// Why a message could not be sent.
#[derive(Debug, thiserror::Error)]
pub(super) enum ClientError {
    #[error("cannot join a cluster from here: {0}")]
    Start(#[from] ractor::SpawnErr),
    #[error("cannot connect to {node}: {reason}; is a node running there?")]
    Connect { node: PeerAddress, reason: std::io::Error },
    #[error("cannot connect to {node}: {reason}")]
    Tls {
        node: PeerAddress,
        reason: ClientConnectErr,
    },
    #[error("the node at {node} ended the connection: {reason}; if it expects TLS, pass `--tls-ca FILE`")]
    PerhapsTls { node: PeerAddress, reason: CloseReason },
    #[error("no connection to {node} within {timeout:?}; is a node running there?")]
    ConnectTimeout { node: PeerAddress, timeout: Duration },
    #[error("the node at {node} refused the connection: {reason}")]
    Refused { node: PeerAddress, reason: CloseReason },
    #[error("the node at {node} closed the connection during the handshake")]
    Closed { node: PeerAddress },
    #[error("the node at {node} did not finish the handshake within {timeout:?}; does it speak ractor_cluster 0.16?")]
    Handshake { node: PeerAddress, timeout: Duration },
    #[error("{peer} has no member in the group {group:?} (waited {timeout:?}); {groups}")]
    NoMember {
        peer: String,
        group: String,
        timeout: Duration,
        groups: String,
    },
    #[error("the message was not sent: it is larger than {peer} accepts, or than what may wait to be sent")]
    NotSent { peer: String },
    #[error("{peer} did not confirm the message within {timeout:?}; it may or may not have arrived")]
    Unconfirmed { peer: String, timeout: Duration },
    #[error("the connection to {peer} ended before it had confirmed the message; it may or may not have arrived")]
    LostUnconfirmed { peer: String },
    #[error("the message was not sent: the actor on {peer} has just ended, or the connection has")]
    Ended { peer: String },
    #[error("{peer} has no actor with pid {pid} that takes messages from other nodes")]
    NoActor { peer: String, pid: u64 },
    #[error(
        "{peer} has no actor named {name:?} that takes messages from other nodes; a group is written \
             `group:NAME`{hint}"
    )]
    NoName { peer: String, name: String, hint: String },
    #[error(
        "{peer} has no entities of the type {entity_type:?}{hint}; types are under `[entities.TYPE]` in its node.toml"
    )]
    NoEntities {
        peer: String,
        entity_type: String,
        hint: String,
    },
    #[error("{entity} is asked of the node {peer}, and not of {node}: connect to that node instead")]
    EntityElsewhere { entity: Entity, peer: String, node: String },
}

/// Why an actor is not described.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotDescribed {
    #[error("its node runs ractor_cluster, where actors don't describe themselves")]
    StockNode,
    #[error("it does not describe itself; native actors don't")]
    Silent,
    #[error("it did not describe itself within {0:?}; it may be busy")]
    Busy(Duration),
    #[error("its description can't be understood: {0}")]
    Description(#[from] DescriptionError),
}

/// When everything has to be done.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deadline {
    /// The time there was in all.
    pub(super) timeout: Duration,
    at: Instant,
}

impl Deadline {
    pub(super) fn after(timeout: Duration) -> Self {
        Self {
            timeout,
            at: Instant::now() + timeout,
        }
    }

    pub(super) fn at(self) -> Instant {
        self.at
    }

    /// The same, but no later than in `longest`.
    pub(super) fn within(self, longest: Duration) -> Self {
        let soon = Self::after(longest);
        if soon.at < self.at { soon } else { self }
    }

    pub(super) fn remaining(self) -> Duration {
        self.at.saturating_duration_since(Instant::now())
    }

    /// The output if there is one in time.
    pub(super) async fn wait<F: Future>(self, future: F) -> Option<F::Output> {
        tokio::time::timeout_at(self.at, future).await.ok()
    }
}

/// A node that is connected to another.
pub(super) struct ClusterClient {
    server: ActorRef<NodeServerMessage>,
    peer: NodeServerSessionInformation,
    deadline: Deadline,
}

impl ClusterClient {
    /// Connects, and waits until the peer has told of its actors and groups.
    pub(super) async fn connect(
        node: &PeerAddress,
        cookie: &Cookie,
        dial: &Dial,
        deadline: Deadline,
    ) -> Result<Self, ClientError> {
        let timeout = deadline.timeout;
        let name = format!("{COMMAND_NODES}{}-{:08x}", std::process::id(), rand::random::<u32>());
        let (cookie, mode) = (cookie.expose().to_owned(), NodeConnectionMode::Isolated);
        let server = NodeServer::new(0, cookie, name, "localhost".to_owned(), None, Some(mode))
            .with_listen_addr(IpAddr::V4(Ipv4Addr::LOCALHOST));
        let (server, _) = Actor::spawn(None, server, ()).await?;
        // Before the connection is opened: a handshake that is over at once would be missed otherwise.
        let (events, mut handshake) = mpsc::channel(8);
        let subscribe = NodeServerMessage::SubscribeToEvents {
            id: "cli".to_owned(),
            subscription: Box::new(HandshakeWatcher { events }),
        };
        // If the node server has ended, so does the subscription, and the wait below.
        drop(server.cast(subscribe));
        let Some(connected) = deadline.wait(open(&server, node, dial)).await else {
            let node = node.clone();
            return Err(ClientError::ConnectTimeout { node, timeout });
        };
        connected.map_err(|error| unreached(node, error))?;
        match deadline.wait(handshake.recv()).await {
            Some(Some(HandshakeOutcome::Ready(peer))) => Ok(Self { server, peer, deadline }),
            Some(Some(HandshakeOutcome::Closed(reason))) => Err(refused(node, dial, reason)),
            Some(Some(HandshakeOutcome::Disconnected) | None) => Err(ClientError::Closed { node: node.clone() }),
            None => Err(ClientError::Handshake {
                node: node.clone(),
                timeout,
            }),
        }
    }

    /// The actors that a target stands for: at least one.
    pub(super) async fn resolve(&self, target: &Target) -> Result<Vec<ActorCell>, ClientError> {
        match target {
            Target::Pid(pid) => {
                let id = ActorId::Remote {
                    node_id: self.peer.node_id,
                    pid: *pid,
                };
                match self.deadline.wait(directory::resolve(id)).await.flatten() {
                    Some(actor) => Ok(vec![actor]),
                    None => Err(ClientError::NoActor {
                        peer: self.peer_name(),
                        pid: *pid,
                    }),
                }
            }
            Target::Name(name) => {
                let peer = self.peer_name();
                let name = own_name(name, &peer);
                let qualified = format!("{name}@{peer}");
                match self.deadline.wait(directory::find(&qualified)).await.flatten() {
                    Some(actor) => Ok(vec![actor]),
                    None => Err(ClientError::NoName {
                        hint: self.hint(name).await,
                        peer,
                        name: name.to_owned(),
                    }),
                }
            }
            Target::Group(group) => match self.deadline.wait(members(group)).await {
                Some(members) => Ok(members),
                None => Err(ClientError::NoMember {
                    peer: self.peer_name(),
                    group: group.clone(),
                    timeout: self.deadline.timeout,
                    groups: groups(group),
                }),
            },
            Target::Entity(entity) => self.type_actor(&entity.entity_type).await,
            Target::EntityAt(entity, node) if is_node(node, &self.peer_name()) => {
                self.type_actor(&entity.entity_type).await
            }
            Target::EntityAt(entity, node) => Err(ClientError::EntityElsewhere {
                entity: entity.clone(),
                peer: self.peer_name(),
                node: node.clone(),
            }),
        }
    }

    /// The actor of the peer that passes on what is for entities of this type.
    async fn type_actor(&self, of: &EntityType) -> Result<Vec<ActorCell>, ClientError> {
        let peer = self.peer_name();
        let qualified = format!("{}@{peer}", type_group(of));
        if let Some(actor) = self.deadline.wait(directory::find(&qualified)).await.flatten() {
            return Ok(vec![actor]);
        }
        let groups = pg::which_groups();
        let types = groups.iter().filter_map(|group| group.strip_prefix("entity:"));
        let hint = did_you_mean(of.name(), types).map(|question| format!("; {question}"));
        Err(ClientError::NoEntities {
            peer,
            entity_type: of.name().to_owned(),
            hint: hint.unwrap_or_default(),
        })
    }

    /// What may have been meant by the name that no actor has. Known are the names of those in groups: the peer tells of no others
    /// unless it is asked for them by name.
    async fn hint(&self, name: &str) -> String {
        // The groups come soon after the handshake, if there are any.
        let patience = Deadline::after(GROUPS_COME).within(self.deadline.remaining());
        let first = async {
            while pg::which_groups().is_empty() {
                tokio::time::sleep(GROUP_POLL).await;
            }
        };
        patience.wait(first).await;
        let members = pg::which_groups().into_iter().flat_map(|group| pg::get_members(&group));
        let known: BTreeSet<String> = members.filter_map(|member| member.get_name()).collect();
        let known = known.iter().map(|known| own_name(known, &self.peer_name()));
        did_you_mean(name, known)
            .map(|question| format!("; {question}"))
            .unwrap_or_default()
    }

    /// What the actor says of itself, within `patience` and the deadline. Only guests do, and only their hosts understand
    /// the question.
    pub(super) async fn describe(&self, actor: &ActorCell, patience: Duration) -> Result<Contract, NotDescribed> {
        if directory::node_of(actor.get_id()).is_none_or(|node| node.incarnation == 0) {
            return Err(NotDescribed::StockNode);
        }
        let (port, description) = concurrency::oneshot();
        let wait = self.deadline.remaining().min(patience);
        let question = SerializedMessage::Call {
            variant: DESCRIBE_VARIANT.to_owned(),
            args: DESCRIBE_ARGUMENTS.to_vec(),
            reply: RpcReplyPort::from((port, wait)),
            metadata: None,
        };
        // To an actor that has ended it can't be sent, and the port is dropped.
        actor.send_serialized(question).ok();
        match tokio::time::timeout(wait, description).await {
            Ok(Ok(bytes)) => Ok(Contract::from_bytes(&bytes)?),
            Ok(Err(_)) => Err(NotDescribed::Silent),
            Err(_) => Err(NotDescribed::Busy(wait)),
        }
    }

    /// Sends to an actor of the peer: the message is in the outbox then, behind those before it.
    ///
    /// It goes past the actor's stand-in, which would take the message to its grave if the actor ended in this very moment.
    pub(super) async fn send(&self, actor: &ActorCell, message: SerializedMessage) -> Result<(), ClientError> {
        let peer = || self.peer_name();
        match self
            .deadline
            .wait(directory::send_remote(actor.get_id(), message))
            .await
        {
            Some(Ok(())) => Ok(()),
            Some(Err(SendRefused::UnknownActor)) => Err(ClientError::Ended { peer: peer() }),
            Some(Err(SendRefused::TooLarge | SendRefused::Overloaded)) | None => {
                Err(ClientError::NotSent { peer: peer() })
            }
        }
    }

    /// Leaves the cluster once the peer has handled everything that was sent. That the bytes are written isn't enough:
    /// a stock node throws away what it has not handled when a connection ends.
    pub(super) async fn leave(self) -> Result<(), ClientError> {
        if !confirm(&self.peer.actor, self.deadline.remaining()).await {
            return Err(self.unconfirmed());
        }
        // Nothing is lost if this takes too long: the process ends with it.
        self.close().await;
        Ok(())
    }

    /// Ends the session, or what is left of it.
    pub(super) async fn close(&self) {
        drop(self.server.stop_and_wait(None, Some(GOODBYE)).await);
    }

    /// Waits until the session has ended. False if it has not by the deadline.
    pub(super) async fn ended(&self, deadline: Deadline) -> bool {
        deadline
            .wait(await_down(&self.server, &self.peer_name()))
            .await
            .is_some()
    }

    fn unconfirmed(&self) -> ClientError {
        let (peer, timeout) = (self.peer_name(), self.deadline.timeout);
        if self.deadline.remaining().is_zero() {
            ClientError::Unconfirmed { peer, timeout }
        } else {
            ClientError::LostUnconfirmed { peer }
        }
    }

    /// The full name of the peer.
    pub(super) fn peer_name(&self) -> String {
        self.peer
            .peer_name
            .as_ref()
            .map_or_else(|| self.peer.peer_addr.clone(), |name| name.name.clone())
    }
}

async fn open(server: &ActorRef<NodeServerMessage>, node: &PeerAddress, dial: &Dial) -> Result<(), ClientConnectErr> {
    let address = (node.host.as_str(), node.port);
    match dial.encryption(node).map_err(ClientConnectErr::Encryption)? {
        None => client_connect(server, address).await,
        Some(Encryption { connector, domain }) => client_connect_enc(server, address, connector, domain).await,
    }
}

fn unreached(node: &PeerAddress, error: ClientConnectErr) -> ClientError {
    let node = node.clone();
    match error {
        ClientConnectErr::Socket(reason) => ClientError::Connect { node, reason },
        ClientConnectErr::Encryption(_) => ClientError::Tls { node, reason: error },
        ClientConnectErr::Messaging(_) => ClientError::Closed { node },
    }
}

fn refused(node: &PeerAddress, dial: &Dial, reason: CloseReason) -> ClientError {
    let node = node.clone();
    match (dial, &reason) {
        // What a node with TLS makes of one without looks like this from here.
        (Dial::Plain, CloseReason::Io(_) | CloseReason::ConnectionClosed | CloseReason::Wire(_)) => {
            ClientError::PerhapsTls { node, reason }
        }
        _ => ClientError::Refused { node, reason },
    }
}

/// The name of an actor without that of its node, which may stand behind it in full or as far as its `@`.
fn own_name<'a>(name: &'a str, node: &str) -> &'a str {
    let short = node.split('@').next().unwrap_or_default();
    let rest = |end: &str| name.strip_suffix(end).and_then(|name| name.strip_suffix('@'));
    rest(node)
        .or_else(|| rest(short))
        .filter(|name| !name.is_empty())
        .unwrap_or(name)
}

/// True for the name of this node, in full or as far as its `@`.
fn is_node(name: &str, node: &str) -> bool {
    name == node || node.split('@').next() == Some(name)
}

/// The members of a group, once it has some.
async fn members(group: &String) -> Vec<ActorCell> {
    loop {
        let members = pg::get_members(group);
        if !members.is_empty() {
            return members;
        }
        tokio::time::sleep(GROUP_POLL).await;
    }
}

/// The groups that there are instead. This process has no actor in any group, so they are the peer's.
fn groups(wanted: &str) -> String {
    let mut groups: Vec<_> = pg::which_groups()
        .iter()
        .map(|group| group.escape_debug().to_string())
        .collect();
    groups.sort_unstable();
    if let Some(question) = did_you_mean(wanted, groups.iter().map(String::as_str)) {
        return question;
    }
    let more = groups.len().saturating_sub(GROUPS_SHOWN);
    groups.truncate(GROUPS_SHOWN);
    match (groups.is_empty(), more) {
        (true, _) => "it has no groups".to_owned(),
        (false, 0) => format!("its groups are {}", groups.join(", ")),
        (false, more) => format!("its groups are {} and {more} more", groups.join(", ")),
    }
}

/// How a handshake ends.
enum HandshakeOutcome {
    Ready(NodeServerSessionInformation),
    Closed(CloseReason),
    Disconnected,
}

/// Waits for the end of a handshake.
struct HandshakeWatcher {
    events: mpsc::Sender<HandshakeOutcome>,
}

impl HandshakeWatcher {
    fn tell(&self, outcome: HandshakeOutcome) {
        // The first outcome is the one that counts, and there is room for it.
        drop(self.events.try_send(outcome));
    }
}

impl NodeEventSubscription for HandshakeWatcher {
    fn node_session_opened(&self, _: NodeServerSessionInformation) {}

    fn node_session_authenticated(&self, _: NodeServerSessionInformation) {}

    fn node_session_ready(&self, session: NodeServerSessionInformation) {
        self.tell(HandshakeOutcome::Ready(session));
    }

    fn node_session_closed(&self, _: NodeServerSessionInformation, reason: CloseReason) {
        self.tell(HandshakeOutcome::Closed(reason));
    }

    fn node_session_disconnected(&self, _: NodeServerSessionInformation) {
        self.tell(HandshakeOutcome::Disconnected);
    }
}
