//! Keeps this node connected to the peers that it was told of, for ever or until they are removed.
//!
//! Each peer has a task. It resolves the peer's address at every attempt and keeps one connection to each address that comes of it,
//! so that a headless service is a list of peers. An address that fails is tried again after a wait that doubles, with jitter, up
//! to a limit. `dialling` decides which address is dialled when, and this file carries it out.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use ractor::concurrency::{JoinHandle, oneshot};
use ractor::{ActorRef, ActorStatus, MessagingErr};
use tokio::net::TcpStream;
use tokio::task::{self, JoinError, JoinSet};
use tokio::time::{Instant, sleep_until, timeout};

use super::client::{ClientConnectErr, secure};
use super::dialling::{DialCommand, DialEvent, Dialling};
use super::messages::NodeServerMessage;
use super::node_requests::{DialOptions, DialPurpose, NodeRequest};
use super::operations::await_down;
use super::peer::Peer;
use super::resolve::NameLookUp;
use super::session_end::SessionEnd;
use super::session_monitors::SessionMonitor;

/// The time that an attempt to connect may take.
const ATTEMPT: Duration = Duration::from_secs(5);

/// The peers of a node and the tasks that keep it connected to them.
#[derive(Debug, Default)]
pub(super) struct Connectors {
    by_address: HashMap<String, ConnectorTask>,
}

#[derive(Debug)]
struct ConnectorTask(JoinHandle<()>);

impl Drop for ConnectorTask {
    fn drop(&mut self) {
        // The attempts under way end with the task's `JoinSet`. Sessions belong to the node and go on.
        self.0.abort();
    }
}

impl Connectors {
    /// Starts to keep this peer connected, unless it is kept connected already.
    pub(super) fn add(&mut self, node_server: &ActorRef<NodeServerMessage>, peer: Peer, purpose: DialPurpose) {
        let node_server = node_server.clone();
        // A peer that is named twice still has one task. Two would dial the same addresses, and each would find the other's link
        // there.
        self.by_address.entry(peer.address.clone()).or_insert_with(|| {
            let connector = PeerConnector {
                node_server,
                dialling: Dialling::new(peer.backoff, Instant::now().into_std()),
                peer,
                purpose,
                tasks: JoinSet::new(),
                addresses: HashMap::new(),
                look_up: NameLookUp::default(),
            };
            ConnectorTask(ractor::concurrency::spawn(connector.run()))
        });
    }

    /// Stops dialling all peers.
    pub(super) fn clear(&mut self) {
        self.by_address.clear();
    }

    /// Stops dialling this peer. A session with it goes on for as long as it lives.
    pub(super) fn remove(&mut self, address: &str) {
        self.by_address.remove(address);
    }
}

/// What came of a command.
enum AttemptOutcome {
    /// An attempt led to a session, which has ended.
    Ended(SessionEnd),
    /// It led to no session.
    Failed(ClientConnectErr),
    /// The other link to a node has ended, or the longest wait for that is over.
    Unlinked,
}

struct PeerConnector {
    node_server: ActorRef<NodeServerMessage>,
    peer: Peer,
    /// What its connections are for.
    purpose: DialPurpose,
    dialling: Dialling,
    /// The commands that are being carried out, each for one address.
    tasks: JoinSet<AttemptOutcome>,
    /// The address of each of them. A task that panics gives nothing back.
    addresses: HashMap<task::Id, SocketAddr>,
    look_up: NameLookUp,
}

impl PeerConnector {
    async fn run(mut self) {
        loop {
            // Either branch may be dropped: `join_next` loses no outcome, and the sleep is made anew from the machine's own time.
            tokio::select! {
                Some(done) = self.tasks.join_next_with_id() => {
                    // Nobody would be left to give a session to.
                    if self.node_server.get_status() >= ActorStatus::Stopping {
                        return;
                    }
                    self.handle_done(done);
                }
                () = sleep_until(self.dialling.poll_timeout().into()) => self.resolve().await,
            }
            while let Some(event) = self.dialling.poll_event() {
                log(&self.peer.address, event);
            }
            while let Some(command) = self.dialling.poll_command() {
                self.carry_out(command);
            }
        }
    }

    fn handle_done(&mut self, done: Result<(task::Id, AttemptOutcome), JoinError>) {
        let (id, outcome) = match done {
            Ok(done) => done,
            // The address must be dialled again, as after any other failure.
            Err(error) => {
                tracing::error!(peer = self.peer.address, "the task of a link failed: {error}");
                let id = error.id();
                (id, AttemptOutcome::Failed(io::Error::other(error).into()))
            }
        };
        if let Some(addr) = self.addresses.remove(&id) {
            self.handle_outcome(addr, outcome);
        }
    }

    async fn resolve(&mut self) {
        let resolved = self.look_up.addresses(&self.peer.address, ATTEMPT).await;
        // The clock is asked after the look-up, which may have taken seconds, so that waits count from its end.
        let now = Instant::now().into_std();
        match resolved {
            Ok(addresses) => self.dialling.handle_resolved(&addresses, now),
            Err(error) => self
                .dialling
                .handle_not_resolved(error.to_string(), rand::random(), now),
        }
    }

    fn handle_outcome(&mut self, addr: SocketAddr, outcome: AttemptOutcome) {
        let (jitter, now) = (rand::random(), Instant::now().into_std());
        match outcome {
            AttemptOutcome::Ended(end) => self.dialling.handle_ended(addr, end, jitter, now),
            AttemptOutcome::Failed(error) => self.dialling.handle_failed(addr, error.to_string(), jitter, now),
            AttemptOutcome::Unlinked => self.dialling.handle_unlinked(addr, jitter, now),
        }
    }

    fn carry_out(&mut self, command: DialCommand) {
        let node_server = self.node_server.clone();
        let (addr, task) = match command {
            DialCommand::Dial { addr, stock_peers } => {
                let peer = self.peer.clone();
                let dialled = DialOptions {
                    purpose: self.purpose,
                    stock_peers,
                };
                let task = self.tasks.spawn(async move {
                    let ended = connect(&node_server, &peer, addr, dialled).await;
                    ended.map_or_else(AttemptOutcome::Failed, AttemptOutcome::Ended)
                });
                (addr, task)
            }
            DialCommand::AwaitUnlinked { addr, node, at_most } => {
                let task = self.tasks.spawn(async move {
                    // It makes no difference whether the link has ended or the wait is over: the address is asked again.
                    drop(timeout(at_most, await_down(&node_server, &node)).await);
                    AttemptOutcome::Unlinked
                });
                (addr, task)
            }
        };
        self.addresses.insert(task.id(), addr);
    }
}

fn log(peer: &str, event: DialEvent) {
    match event {
        DialEvent::NotResolved { why, retry_in } => {
            tracing::warn!(peer, ?retry_in, "the name of a peer cannot be resolved: {why}");
        }
        DialEvent::NotConnected { addr, why, retry_in } => {
            tracing::warn!(peer, %addr, ?retry_in, "not connected: {why}");
        }
        DialEvent::Own(addr) => tracing::info!(peer, %addr, "a peer's address is this very node"),
    }
}

/// Connects to one address and stays with the session until it ends.
async fn connect(
    node_server: &ActorRef<NodeServerMessage>,
    peer: &Peer,
    addr: SocketAddr,
    dialled: DialOptions,
) -> Result<SessionEnd, ClientConnectErr> {
    let encryption = peer.encryption.as_ref().map(|source| source()).transpose();
    let encryption = encryption.map_err(ClientConnectErr::Encryption)?;
    // One limit covers both steps. A peer that accepts, and is then silent in the TLS handshake, would otherwise hold the attempt
    // for ever.
    let opening = async {
        let stream = TcpStream::connect(addr).await?;
        secure(stream, encryption).await
    };
    let opened = timeout(ATTEMPT, opening).await;
    let stream = opened.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
    let (port, ended) = oneshot();
    let monitor = SessionMonitor {
        ready: None,
        ended: Some(port.into()),
    };
    let stream = Box::new(stream);
    let opened = NodeRequest::ConnectionOpenedMonitored {
        stream,
        monitor,
        dialled,
    };
    node_server.cast(opened.into())?;
    // The outcome of the attempt is the end of its session, so the address counts as busy, and isn't dialled again, until then.
    ended
        .await
        .map_err(|_| ClientConnectErr::Messaging(MessagingErr::ChannelClosed))
}

#[cfg(test)]
mod tests;
