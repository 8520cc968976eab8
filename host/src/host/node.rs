//! The node server of a host, from when it has its address until its sessions have ended.

use std::net::SocketAddr;
use std::time::Duration;

use ractor::concurrency::JoinHandle;
use ractor::{Actor, ActorRef};
use tokio::sync::watch;

use super::error::{HostError, startup_reason};
use crate::IncomingEncryptionMode;
use crate::config::NodeSection;
use crate::node::{NodeConnectionMode, NodeServer, NodeServerMessage, leave, listen_addr, quiesce};
use crate::tls::CertificateReload;

/// The interval at which certificate files are checked for changes.
pub(super) const CERTIFICATES: Duration = Duration::from_secs(10);

/// The longest time for the node server to stop listening, and then to end.
const PATIENCE: Duration = Duration::from_secs(10);

/// The longest time for peers to confirm that they know of the stop. One that hangs is not waited for any longer.
const FAREWELL: Duration = Duration::from_secs(2);

/// The node server, listening.
pub(super) struct ListeningNode {
    pub(super) server: ActorRef<NodeServerMessage>,
    pub(super) ended: JoinHandle<()>,
    pub(super) address: SocketAddr,
    /// True from when connections are accepted.
    gate: watch::Sender<bool>,
    /// Reloads the certificates that were replaced.
    _certificates: Option<CertificateReload>,
}

impl ListeningNode {
    /// Accepts connections from now on. Those that were opened before have waited for this.
    pub(super) fn open(&self) {
        self.gate.send_replace(true);
    }

    /// Neither accepts nor opens further connections. Those that there are go on.
    pub(super) async fn quiesce(&self) {
        if !quiesce(&self.server, PATIENCE).await {
            // The stop goes on all the same: sessions that come up meanwhile end with the others.
            tracing::warn!("the node server did not say that it has stopped listening");
        }
    }

    /// Has peers send nothing more to groups of this node, and waits until what they had sent has arrived.
    pub(super) async fn leave(&self) {
        if !leave(&self.server, FAREWELL).await {
            tracing::warn!("not every peer has confirmed within {FAREWELL:?} that it knows of the stop");
        }
    }

    /// Ends the sessions, which flush what they still have to send, and the listener.
    pub(super) async fn stop(self) {
        if self.server.stop_and_wait(None, Some(PATIENCE)).await.is_err() {
            tracing::warn!("the node server did not stop in time and was killed");
            self.server.kill();
        }
    }
}

impl NodeSection {
    /// A node server that has its address, and accepts nothing before it is [opened](ListeningNode::open).
    ///
    /// # Errors
    /// The address is taken, or the certificates don't serve.
    pub(super) async fn listen(&self) -> Result<ListeningNode, HostError> {
        let failed = |reason| HostError::Listen {
            address: self.listen,
            reason,
        };
        let encryption = match &self.tls {
            Some(tls) => Some(IncomingEncryptionMode::Tls(tls.tls.acceptor(tls.client_auth)?)),
            None => None,
        };
        // Closed at first: a peer that was let in now would be told of names and groups that are not complete.
        let gate = watch::Sender::new(false);
        let server = NodeServer::new(
            self.listen.port(),
            self.cookie.expose().to_owned(),
            self.name.clone(),
            self.hostname.clone(),
            encryption,
            Some(NodeConnectionMode::Isolated),
        )
        .with_listen_addr(self.listen.ip())
        .with_stand_in_names(self.stand_in_names)
        .with_stock_peers(self.stock_peers)
        .with_peer_limits(self.limits)
        .with_gate(gate.subscribe());
        let server = match &self.groups {
            Some(groups) => server.with_groups(groups.clone()),
            None => server,
        };
        let (server, ended) = Actor::spawn(None, server, ())
            .await
            .map_err(|error| failed(startup_reason(&error)))?;
        match listen_addr(&server).await {
            Some(address) => Ok(ListeningNode {
                server,
                ended,
                address,
                gate,
                _certificates: self.tls.as_ref().map(|tls| tls.tls.reload_on_change(CERTIFICATES)),
            }),
            None => Err(failed("the node server ended at once".to_owned())),
        }
    }
}
