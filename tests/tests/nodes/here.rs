//! This process as a node. ractor's registries are process-wide, so the tests share one runtime and one node, and are told
//! apart by the names of their actors and groups.

use std::net::Ipv4Addr;
use std::sync::LazyLock;

use ractor::{Actor, ActorRef};
use ractor_host::{NodeServer, NodeServerMessage, client_connect};
use ractor_host_tests::{COOKIE, wait};
use tokio::runtime::Runtime;
use tokio::sync::OnceCell;

pub(crate) static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().expect("a runtime"));

/// The name of the node.
pub(crate) const NODE: &str = "tests";

/// Connects to another node.
pub(crate) async fn connect(address: &str) {
    let connected = client_connect(node().await, address).await;
    connected.expect("the other node takes connections");
}

/// The node, which is there from the first use.
pub(crate) async fn node() -> &'static ActorRef<NodeServerMessage> {
    static SERVER: OnceCell<ActorRef<NodeServerMessage>> = OnceCell::const_new();
    SERVER.get_or_init(start).await
}

async fn start() -> ActorRef<NodeServerMessage> {
    let (cookie, host) = (COOKIE.to_owned(), "localhost".to_owned());
    let server = NodeServer::new(0, cookie, NODE.to_owned(), host, None, None);
    let server = server.with_listen_addr(Ipv4Addr::LOCALHOST.into());
    Actor::spawn(None, server, ()).await.expect("a node starts").0
}

/// Looks again and again until what it sees is accepted, without holding up the runtime.
pub(crate) async fn eventually<T: std::fmt::Debug>(
    what: &str,
    mut look: impl AsyncFnMut() -> T,
    accept: impl Fn(&T) -> bool,
) -> T {
    let deadline = tokio::time::Instant::now() + wait::PATIENCE;
    loop {
        let seen = look().await;
        if accept(&seen) {
            return seen;
        }
        assert!(
            tokio::time::Instant::now() < deadline,
            "waited in vain for {what}; the last look saw {seen:?}"
        );
        tokio::time::sleep(wait::POLL).await;
    }
}
