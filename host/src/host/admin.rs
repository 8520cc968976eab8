//! The admin HTTP of a host: what it is told of the node, and when it comes and goes.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use ractor::ActorRef;
use tokio::sync::Mutex;

use super::error::HostError;
use super::maintenance::Maintenance;
use super::node::CERTIFICATES;
use crate::admin::{AdminNode, AdminServer, AdminSetup, Feed, Health, Proofs, ProofsInForce, Tokens};
use crate::config::AdminSection;
use crate::control::{GivenUpStatus, Service};
use crate::directory::BoxFuture;
use crate::metrics::{Collector, MetricsPage, Upkeep};
use crate::node::NodeServerMessage;
use crate::supervision::ReadinessWatch;
use crate::tls::CertificateReload;

/// The longest that the node server may take to say which sessions there are.
const SESSIONS: Duration = Duration::from_secs(2);

/// See the module. It ends when this is dropped.
#[derive(Debug)]
pub(super) struct AdminHttp {
    server: AdminServer,
    _upkeep: Option<Upkeep>,
    /// Reloads the certificates that were replaced.
    _certificates: Option<CertificateReload>,
}

impl AdminSection {
    /// Listens. Until it is [opened](AdminHttp::open) it says that the node is starting.
    ///
    /// # Errors
    /// The address is taken, or the certificates don't serve.
    pub(super) async fn listen(&self, node_name: String) -> Result<AdminHttp, HostError> {
        let metrics = MetricsPage::of_process();
        let upkeep = metrics.as_ref().map(MetricsPage::upkeep);
        let tls = self.tls.as_ref().map(|tls| &tls.section);
        let setup = AdminSetup {
            node_name,
            listen: self.listen,
            proofs: Proofs::new(self.proofs()),
            client_role: self.tls.as_ref().and_then(|tls| tls.client_role),
            allowed_hosts: self.allowed_hosts.clone(),
            required_peers: self.required_peers.clone(),
            tls: tls.map(|section| (section.tls.clone(), section.client_auth)),
            metrics,
        };
        let server = AdminServer::listen(setup).await.map_err(|error| HostError::Admin {
            address: self.listen,
            reason: error.to_string(),
        })?;
        tracing::info!(url = server.url(), "the admin HTTP listens");
        Ok(AdminHttp {
            server,
            _upkeep: upkeep,
            _certificates: tls.map(|section| section.tls.reload_on_change(CERTIFICATES)),
        })
    }
}

impl AdminSection {
    /// What proves which role.
    pub(super) fn proofs(&self) -> ProofsInForce {
        ProofsInForce {
            tokens: Tokens::new(self.tokens.iter().map(|entry| (entry.role, &entry.token))),
            anonymous: self.anonymous(),
        }
    }
}

impl AdminHttp {
    /// What is replaced when a token is.
    pub(super) fn proofs(&self) -> Proofs {
        self.server.proofs().clone()
    }

    /// The node is up.
    pub(super) fn open(
        &self,
        maintenance: &Maintenance,
        server: ActorRef<NodeServerMessage>,
        readiness: ReadinessWatch,
    ) {
        self.server.open(AdminNode {
            worker: maintenance.worker(),
            health: Box::new(NodeHealth {
                server,
                readiness,
                service: maintenance.service(),
            }),
            collector: Mutex::new(Collector::new(maintenance.service())),
            feed: Feed::new(maintenance.service()),
        });
    }

    /// The node stops: those who ask whether it is ready are told before anything else happens.
    pub(super) fn drain(&self) {
        self.server.drain();
    }

    /// Ends, after the answers that are on their way.
    pub(super) async fn close(self) {
        self.server.close().await;
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.server.address()
    }

    pub(super) fn url(&self) -> String {
        self.server.url()
    }
}

struct NodeHealth {
    server: ActorRef<NodeServerMessage>,
    readiness: ReadinessWatch,
    service: Arc<dyn Service>,
}

impl Health for NodeHealth {
    fn given_up(&self) -> Vec<GivenUpStatus> {
        let readiness = self.readiness.readiness();
        let given_up = readiness.given_up().iter();
        given_up
            .map(|given_up| GivenUpStatus {
                actor: given_up.actor.to_string(),
                supervisor: given_up.supervisor.to_string(),
                reason: given_up.reason.to_string(),
            })
            .collect()
    }

    fn not_joined(&self) -> Option<String> {
        self.service.cluster()?.not_joined
    }

    fn sessions(&self) -> BoxFuture<'_, Result<BTreeSet<String>, String>> {
        Box::pin(async {
            let sessions = self.server.call(NodeServerMessage::GetSessions, Some(SESSIONS)).await;
            let sessions = sessions.map_err(|error| error.to_string())?;
            let sessions = sessions.success_or("the node server does not answer")?;
            let peers = sessions.into_values().filter_map(|session| session.peer_name);
            Ok(peers.map(|peer| peer.name).collect())
        })
    }
}
