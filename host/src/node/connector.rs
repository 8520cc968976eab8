//! Keeps this node connected to the peers that it was told of: for ever, or until they are removed.
//!
//! Each peer has a task. It resolves the peer's address at every attempt and keeps one connection to each address that
//! comes of it, so that a headless service is a list of peers. An address that fails is tried again after a wait that
//! doubles, with jitter, up to a limit.
//!
//! Nothing that an address once answered keeps it from being dialled for good, since somebody else may have answered. One whose node
//! is linked otherwise is asked again in a while, or when that link ends; one that has proved to be this very node, too.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use ractor::concurrency::{JoinHandle, oneshot};
use ractor::{ActorRef, MessagingErr};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};

use super::NodeServerMessage;
use super::client::{ClientConnectErr, Encryption, secure};
use super::requests::{Dialled, NodeRequest, Purpose, await_down};
use super::resolve::LookUp;
use super::watch::{Proof, SessionEnd, Watch};
use crate::session::{CloseReason, StockPeers};

/// How long an attempt to connect may take.
const ATTEMPT: Duration = Duration::from_secs(5);

/// How often a name is resolved while all of its addresses are connected.
const RESOLVE_EVERY: Duration = Duration::from_secs(30);

/// How long the answer of an address that its node is linked already is believed. Until then it is a claim.
const LINKED: Duration = Duration::from_secs(60);

/// How long an address that was this very node's is left alone: a relay to this node may stand in another's place for a while.
const OWN: Duration = Duration::from_secs(300);

/// How long an address at which a node proved who it is has no session with one that doesn't. Otherwise whoever takes the place of
/// the node there would have this one answer stock challenges.
const IDENTIFIED: Duration = Duration::from_secs(600);

/// How long to wait between attempts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// After the first failure. It doubles with each further one.
    pub first: Duration,
    /// At most.
    pub longest: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self {
            first: Duration::from_millis(200),
            longest: Duration::from_secs(15),
        }
    }
}

impl Backoff {
    /// The wait after `failures` failures in a row; `jitter`, between 0 and 1, takes up to a half off it, so that nodes
    /// that lost each other at one moment don't meet again at one moment.
    fn wait(&self, failures: u32, jitter: f64) -> Duration {
        let doubled = self.first.saturating_mul(1 << failures.saturating_sub(1).min(20));
        doubled.min(self.longest).mul_f64(1.0 - jitter.clamp(0.0, 1.0) / 2.0)
    }
}

/// Gives the TLS settings for the next attempt.
pub type EncryptionSource = Arc<dyn Fn() -> io::Result<Encryption> + Send + Sync>;

/// A peer to stay connected to.
#[derive(Clone)]
pub struct Peer {
    /// `host:port`; the host is a name or an address.
    pub address: String,
    /// How to secure the connection; none for plain TCP. Asked before each attempt, since certificates change.
    pub encryption: Option<EncryptionSource>,
    /// How long to wait between attempts.
    pub backoff: Backoff,
}

impl std::fmt::Debug for Peer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Peer")
            .field("address", &self.address)
            .field("encrypted", &self.encryption.is_some())
            .field("backoff", &self.backoff)
            .finish()
    }
}

/// The peers of a node and the tasks that keep it connected to them.
#[derive(Debug, Default)]
pub(super) struct Connectors {
    by_address: HashMap<String, Task>,
}

#[derive(Debug)]
struct Task(JoinHandle<()>);

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Connectors {
    /// Starts to keep this peer connected, if that isn't done already.
    pub(super) fn add(&mut self, node_server: &ActorRef<NodeServerMessage>, peer: Peer) {
        let node_server = node_server.clone();
        self.by_address.entry(peer.address.clone()).or_insert_with(|| {
            let keeper = Keeper {
                node_server,
                peer,
                addresses: HashMap::new(),
                links: JoinSet::new(),
                look_up: LookUp::default(),
                failed_lookups: 0,
            };
            Task(ractor::concurrency::spawn(keeper.run()))
        });
    }

    /// Stops to dial any peer.
    pub(super) fn clear(&mut self) {
        self.by_address.clear();
    }

    /// Stops to dial this peer. A session with it goes on for as long as it lives.
    pub(super) fn remove(&mut self, address: &str) {
        self.by_address.remove(address);
    }
}

/// The connection to one address of a peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Address {
    standing: Standing,
    /// Failures in a row.
    failures: u32,
    /// When the last session ended whose peer had proved who it is.
    identified: Option<Instant>,
    /// It has proved to be this very node, and that was logged.
    is_own: bool,
}

impl Address {
    fn stock_peers(&self) -> StockPeers {
        match self.identified {
            Some(at) if at.elapsed() < IDENTIFIED => StockPeers::Refused,
            _ => StockPeers::Accepted,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// To be dialled at this time.
    Due(Instant),
    /// Being dialled, or up.
    Busy,
}

/// What came of one attempt.
enum Outcome {
    /// It led to a session, which has ended.
    Ended(SessionEnd),
    /// It led to no session.
    Failed(ClientConnectErr),
}

struct Keeper {
    node_server: ActorRef<NodeServerMessage>,
    peer: Peer,
    addresses: HashMap<SocketAddr, Address>,
    links: JoinSet<(SocketAddr, Outcome)>,
    look_up: LookUp,
    failed_lookups: u32,
}

impl Keeper {
    async fn run(mut self) {
        loop {
            let next = match self.resolve().await {
                Ok(addresses) => self.dial_due(&addresses),
                Err(error) => self.lookup_failed(&error),
            };
            tokio::select! {
                Some(ended) = self.links.join_next() => match ended {
                    Ok((_, Outcome::Failed(ClientConnectErr::Messaging(_)))) => return, // this node has ended
                    Ok((address, outcome)) => self.settle(address, outcome),
                    Err(error) => tracing::error!(peer = self.peer.address, "the task of a link failed: {error}"),
                },
                () = sleep_until(next) => {}
            }
        }
    }

    async fn resolve(&mut self) -> io::Result<Vec<SocketAddr>> {
        self.look_up.addresses(&self.peer.address, ATTEMPT).await
    }

    fn lookup_failed(&mut self, error: &io::Error) -> Instant {
        self.failed_lookups = self.failed_lookups.saturating_add(1);
        let retry_in = self.peer.backoff.wait(self.failed_lookups, rand::random());
        tracing::warn!(
            peer = self.peer.address,
            ?retry_in,
            "the name of a peer is not resolved: {error}"
        );
        Instant::now() + retry_in
    }

    /// Dials each address whose time has come, and forgets those that the name has no longer. Returns when to look
    /// again.
    fn dial_due(&mut self, resolved: &[SocketAddr]) -> Instant {
        self.failed_lookups = 0;
        self.addresses
            .retain(|addr, address| address.standing == Standing::Busy || resolved.contains(addr));
        let now = Instant::now();
        let mut next = now + RESOLVE_EVERY;
        for addr in resolved {
            let new = Address {
                standing: Standing::Due(now),
                failures: 0,
                identified: None,
                is_own: false,
            };
            let address = self.addresses.entry(*addr).or_insert(new);
            match address.standing {
                Standing::Due(at) if at <= now => {
                    address.standing = Standing::Busy;
                    let dialled = Dialled {
                        purpose: Purpose::Link,
                        stock_peers: address.stock_peers(),
                    };
                    self.links
                        .spawn(attempt(self.node_server.clone(), self.peer.clone(), *addr, dialled));
                }
                Standing::Due(at) => next = next.min(at),
                Standing::Busy => {}
            }
        }
        next
    }

    /// An attempt, or the session that it led to, is over.
    fn settle(&mut self, addr: SocketAddr, outcome: Outcome) {
        let Some(address) = self.addresses.get_mut(&addr) else {
            return;
        };
        if let Outcome::Ended(end) = &outcome {
            if end.proof == Proof::Identity {
                address.identified = Some(Instant::now());
            }
            if end.was_ready || end.reason == CloseReason::AlreadyLinked {
                address.failures = 0;
            }
            let is_own = std::mem::replace(&mut address.is_own, end.reason == CloseReason::SelfConnection);
            if address.is_own {
                address.standing = Standing::Due(Instant::now() + OWN);
                if !is_own {
                    tracing::info!(peer = self.peer.address, %addr, "a peer's address is this very node");
                }
                return;
            }
        }
        let why = match outcome {
            Outcome::Ended(SessionEnd {
                reason: CloseReason::AlreadyLinked,
                ..
            }) => {
                // The other link has ended, or it is time to ask again.
                address.standing = Standing::Due(Instant::now() + self.peer.backoff.wait(1, rand::random()));
                return;
            }
            Outcome::Ended(end) => end.reason.to_string(),
            Outcome::Failed(error) => error.to_string(),
        };
        address.failures = address.failures.saturating_add(1);
        let retry_in = self.peer.backoff.wait(address.failures, rand::random());
        address.standing = Standing::Due(Instant::now() + retry_in);
        tracing::warn!(peer = self.peer.address, %addr, ?retry_in, "not connected: {why}");
    }
}

/// Connects to one address and stays with the session until it ends.
async fn attempt(
    node_server: ActorRef<NodeServerMessage>,
    peer: Peer,
    addr: SocketAddr,
    dialled: Dialled,
) -> (SocketAddr, Outcome) {
    let outcome = match connect(&node_server, &peer, addr, dialled).await {
        Ok(end) => {
            // Another link to the same node goes on: as long as it does, there is nothing to dial.
            if let (CloseReason::DuplicateConnection | CloseReason::AlreadyLinked, Some(node)) =
                (&end.reason, &end.peer)
            {
                drop(timeout(LINKED, await_down(&node_server, node)).await);
            }
            Outcome::Ended(end)
        }
        Err(error) => Outcome::Failed(error),
    };
    (addr, outcome)
}

async fn connect(
    node_server: &ActorRef<NodeServerMessage>,
    peer: &Peer,
    addr: SocketAddr,
    dialled: Dialled,
) -> Result<SessionEnd, ClientConnectErr> {
    let encryption = peer.encryption.as_ref().map(|source| source()).transpose();
    let encryption = encryption.map_err(ClientConnectErr::Encryption)?;
    let opening = async {
        let stream = TcpStream::connect(addr).await?;
        secure(stream, encryption).await
    };
    let opened = timeout(ATTEMPT, opening).await;
    let stream = opened.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
    let (port, ended) = oneshot();
    let watch = Watch {
        ready: None,
        ended: Some(port.into()),
    };
    let stream = Box::new(stream);
    let opened = NodeRequest::ConnectionOpenedWatched { stream, watch, dialled };
    node_server.cast(opened.into())?;
    ended
        .await
        .map_err(|_| ClientConnectErr::Messaging(MessagingErr::ChannelClosed))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Backoff;

    #[test]
    fn waits_double_up_to_the_longest_and_jitter_takes_at_most_half() {
        let backoff = Backoff {
            first: Duration::from_millis(100),
            longest: Duration::from_secs(1),
        };
        for (failures, wait) in [
            (1, 100),
            (2, 200),
            (3, 400),
            (4, 800),
            (5, 1000),
            (40, 1000),
            (u32::MAX, 1000),
        ] {
            assert_eq!(
                backoff.wait(failures, 0.0),
                Duration::from_millis(wait),
                "{failures} failures"
            );
            assert_eq!(
                backoff.wait(failures, 1.0),
                Duration::from_millis(wait / 2),
                "{failures} failures"
            );
        }
    }
}
