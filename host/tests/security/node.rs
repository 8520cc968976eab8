//! A node of this process.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ractor::{Actor, ActorRef};
use ractor_host::node::{
    CloseReason, HandshakeLimits, HandshakeStats, NodeServerSessionInformation, Timing, handshake_stats, listen_addr,
};
use ractor_host::tls::{ClientAuth, Tls};
use ractor_host::{
    ClientConnectErr, IncomingEncryptionMode, NodeEventSubscription, NodeServer, NodeServerMessage, client_connect,
    client_connect_enc,
};

use crate::certificates::HOST;
use crate::logs;

const COOKIE: &str = "the cookie of all nodes but one";

/// How a node is unlike others.
pub(crate) struct Options<'a> {
    pub(crate) cookie: &'a str,
    /// For accepting.
    pub(crate) tls: Option<(&'a Tls, ClientAuth)>,
    pub(crate) limits: HandshakeLimits,
    pub(crate) handshake: Duration,
}

impl Default for Options<'_> {
    fn default() -> Self {
        Self {
            cookie: COOKIE,
            tls: None,
            limits: HandshakeLimits::default(),
            handshake: Duration::from_secs(5),
        }
    }
}

pub(crate) struct Node {
    pub(crate) server: ActorRef<NodeServerMessage>,
    pub(crate) addr: SocketAddr,
    closed: Arc<Mutex<Vec<CloseReason>>>,
}

impl Node {
    pub(crate) async fn start(name: &str, options: Options<'_>) -> Self {
        logs::capture();
        let encryption = options
            .tls
            .map(|(tls, client_auth)| IncomingEncryptionMode::Tls(tls.acceptor(client_auth).unwrap()));
        let server = NodeServer::new(
            0,
            options.cookie.to_owned(),
            name.to_owned(),
            "localhost".to_owned(),
            encryption,
            None,
        )
        .with_listen_addr(IpAddr::V4(Ipv4Addr::LOCALHOST))
        .with_handshake_limits(options.limits)
        .with_timing(Timing {
            handshake: options.handshake,
            ..Timing::default()
        });
        let (server, _) = Actor::spawn(None, server, ()).await.unwrap();
        let closed = Arc::<Mutex<Vec<CloseReason>>>::default();
        let subscription = Box::new(Closed(closed.clone()));
        let id = "test".to_owned();
        server
            .cast(NodeServerMessage::SubscribeToEvents { id, subscription })
            .unwrap();
        let addr = listen_addr(&server).await.unwrap();
        Self { server, addr, closed }
    }

    pub(crate) async fn dial(&self, other: &Self) -> Result<(), ClientConnectErr> {
        client_connect(&self.server, other.addr).await
    }

    pub(crate) async fn dial_tls(&self, other: &Self, tls: &Tls) -> Result<(), ClientConnectErr> {
        self.dial_tls_as(HOST, other, tls).await
    }

    pub(crate) async fn dial_tls_as(&self, name: &str, other: &Self, tls: &Tls) -> Result<(), ClientConnectErr> {
        let name = name.to_owned().try_into().unwrap();
        client_connect_enc(&self.server, other.addr, tls.connector().unwrap(), name).await
    }

    /// The names of the nodes that it has sessions with, sorted.
    pub(crate) async fn peers(&self) -> Vec<String> {
        let sessions = self
            .server
            .call(NodeServerMessage::GetSessions, None)
            .await
            .unwrap()
            .unwrap();
        let mut names: Vec<_> = sessions
            .into_values()
            .map(|session| session.peer_name.unwrap().name)
            .collect();
        names.sort();
        names
    }

    pub(crate) async fn until_peers_are(&self, expected: &[&str]) {
        until("the peers are as expected", async || self.peers().await == expected).await;
    }

    pub(crate) async fn stats(&self) -> HandshakeStats {
        handshake_stats(&self.server).await.unwrap()
    }

    /// How many handshakes have failed for this reason.
    pub(crate) async fn failed(&self, reason: &str) -> u64 {
        self.stats().await.failed.get(reason).copied().unwrap_or_default()
    }

    /// Why its sessions have ended so far.
    pub(crate) fn closed(&self) -> Vec<CloseReason> {
        self.closed.lock().unwrap().clone()
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.server.stop(None);
    }
}

struct Closed(Arc<Mutex<Vec<CloseReason>>>);

impl NodeEventSubscription for Closed {
    fn node_session_opened(&self, _: NodeServerSessionInformation) {}

    fn node_session_disconnected(&self, _: NodeServerSessionInformation) {}

    fn node_session_authenticated(&self, _: NodeServerSessionInformation) {}

    fn node_session_closed(&self, _: NodeServerSessionInformation, reason: CloseReason) {
        self.0.lock().unwrap().push(reason);
    }
}

/// Waits for something that must come about. The time is only there so that a failing test ends.
pub(crate) async fn until(what: &str, condition: impl AsyncFn() -> bool) {
    for _ in 0..1500 {
        if condition().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("it never came about that {what}");
}
