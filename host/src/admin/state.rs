//! What all requests see: the node, as far as it is up, and who may do what.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;
use tokio::sync::watch;

use super::body::BodyRooms;
use super::feed::Feed;
use super::refusals::RefusalLog;
use super::token::Tokens;
use crate::control::{GivenUpStatus, RequestWorker, Role};
use crate::directory::BoxFuture;
use crate::metrics::{Collector, MetricsPage};

/// How far the node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Starting,
    Running,
    Stopping,
}

/// What is asked whether the node is ready.
pub(crate) trait Health: Send + Sync + 'static {
    /// The actors that were given up.
    fn given_up(&self) -> Vec<GivenUpStatus>;

    /// Why the node isn't part of its cluster yet; none if it is, or has none.
    fn not_joined(&self) -> Option<String>;

    /// The full names of the nodes that there are sessions with. Fails with a reason for people.
    fn sessions(&self) -> BoxFuture<'_, Result<BTreeSet<String>, String>>;
}

/// A node that is up.
pub(crate) struct AdminNode {
    pub(crate) worker: Arc<RequestWorker>,
    pub(crate) health: Box<dyn Health>,
    /// Brings the figures up to date that change without events, for one page at a time.
    pub(crate) collector: tokio::sync::Mutex<Collector>,
    pub(crate) feed: Feed,
}

/// What decides who may do what.
pub(super) struct Access {
    pub(super) proofs: Proofs,
    /// The role of those who show a certificate.
    pub(super) client_role: Option<Role>,
    /// Names besides those of this machine. Where other machines reach the node, any name is good.
    pub(super) allowed_hosts: Vec<String>,
}

/// Which tokens prove which roles. They may be replaced while the node runs; clones share them.
#[derive(Clone)]
pub(crate) struct Proofs(watch::Sender<ProofsInForce>);

#[derive(Clone, Default)]
pub(crate) struct ProofsInForce {
    pub(crate) tokens: Tokens,
    /// The role of those who prove nothing.
    pub(crate) anonymous: Option<Role>,
}

impl Proofs {
    pub(crate) fn new(proofs: ProofsInForce) -> Self {
        Self(watch::Sender::new(proofs))
    }

    /// These count from the next request on. Answers that go on end, since whoever reads them may not any more.
    pub(crate) fn replace(&self, proofs: ProofsInForce) {
        self.0.send_replace(proofs);
    }

    /// The role that a token proves, if it is one of the node's.
    pub(super) fn role(&self, token: &[u8]) -> Option<Role> {
        self.0.borrow().tokens.role(token)
    }

    /// The role of those who prove nothing.
    pub(crate) fn anonymous(&self) -> Option<Role> {
        self.0.borrow().anonymous
    }

    /// Changes when they are replaced.
    pub(super) fn changes(&self) -> watch::Receiver<ProofsInForce> {
        self.0.subscribe()
    }
}

/// See the module.
pub(super) struct AdminState {
    /// The node's full name.
    pub(super) node_name: String,
    pub(super) address: SocketAddr,
    pub(super) access: Access,
    pub(super) required_peers: Vec<String>,
    pub(super) metrics: Option<MetricsPage>,
    pub(super) phase: watch::Sender<Phase>,
    pub(super) node: OnceLock<AdminNode>,
    /// True once connections are to end.
    pub(super) ending: watch::Receiver<bool>,
    pub(super) refusals: Mutex<RefusalLog>,
    pub(super) bodies: BodyRooms,
}

impl AdminState {
    pub(super) fn phase(&self) -> Phase {
        *self.phase.borrow()
    }
}
