//! Where the nodes of this process listen: with port 0 a program has to ask.
//!
//! Kept beside the nodes, not asked of them: a message for it would be one that the stock crate's enum doesn't have.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{LazyLock, PoisonError, RwLock};

use ractor::{ActorId, ActorRef};

use super::NodeServerMessage;

type Addresses = HashMap<ActorId, SocketAddr>;

static ADDRESSES: LazyLock<RwLock<Addresses>> = LazyLock::new(RwLock::default);

/// The address that a node listens on; none if it has ended.
pub async fn listen_addr(node_server: &ActorRef<NodeServerMessage>) -> Option<SocketAddr> {
    let addresses = ADDRESSES.read().unwrap_or_else(PoisonError::into_inner);
    addresses.get(&node_server.get_id()).copied()
}

/// Keeps the address of a node known until dropped.
#[derive(Debug)]
pub(super) struct Listening {
    node_server: ActorId,
    addr: SocketAddr,
}

impl Listening {
    pub(super) fn new(node_server: ActorId, addr: SocketAddr) -> Self {
        write().insert(node_server, addr);
        Self { node_server, addr }
    }

    pub(super) fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The node listens elsewhere now.
    pub(super) fn moved(&mut self, addr: SocketAddr) {
        self.addr = addr;
        write().insert(self.node_server, addr);
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        write().remove(&self.node_server);
    }
}

fn write() -> std::sync::RwLockWriteGuard<'static, Addresses> {
    ADDRESSES.write().unwrap_or_else(PoisonError::into_inner)
}
