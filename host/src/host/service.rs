//! What the control actor has done: asking the node how it is, and having it reload.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use ractor::ActorRef;

use super::actors;
use super::calls;
use super::error::{HostError, startup_reason};
use super::groups;
use super::reloader::Reloader;
use crate::config::ControlSection;
use crate::control::{
    self, ActorRow, ActorStatus, CONTROL, ControlSetup, GivenUpStatus, GroupRow, ModuleStatus, NodeStatus, NotSent,
    OtherNode, Reply, RequestWorker, RestartGuard, Sending, Service,
};
use crate::directory::{self, BoxFuture};
use crate::guest::{Digest, Module, Modules};
use crate::node::NodeServerMessage;
use crate::supervision::reload::{Reload, ReloadReport};
use crate::supervision::{ReadinessWatch, Root};

/// The most actors of a module that a status lists.
const ACTORS_LISTED: usize = 1000;

/// The longest that finding another node's control actor may take.
const LOOKUP: Duration = Duration::from_secs(2);

/// See the module.
pub(super) struct NodeService {
    /// The node's full name.
    pub(super) node: String,
    pub(super) server: ActorRef<NodeServerMessage>,
    pub(super) modules: Modules,
    pub(super) readiness: ReadinessWatch,
    pub(super) reloader: Arc<Reloader>,
}

impl ControlSection {
    /// Starts the control actor below the root, which it ends with.
    ///
    /// # Errors
    /// Its name is taken.
    pub(super) async fn start(
        &self,
        node: String,
        worker: Arc<RequestWorker>,
        root: &Root,
    ) -> Result<RestartGuard, HostError> {
        let keys = self.keys.iter().map(|entry| (entry.role, entry.key.clone())).collect();
        let started = control::start(ControlSetup { keys, node, worker }, root.cell().clone()).await;
        started.map_err(|error| HostError::Control(startup_reason(&error)))
    }
}

impl NodeService {
    async fn module_status(&self, module: &Module) -> ModuleStatus {
        let name = module.name().to_owned();
        let described = module.contract().await;
        let guests = self.modules.guests(&name);
        let previous = self.modules.previous(&name);
        ModuleStatus {
            path: module.path().display().to_string(),
            digest: module.digest().to_string(),
            version: described.as_ref().map(|described| described.version.clone()),
            state_version: described.as_ref().map(|described| described.state_version),
            reloadable: module.is_reloadable(),
            previous: previous.iter().map(|version| version.digest().to_string()).collect(),
            actors: guests.len(),
            first: guests
                .iter()
                .take(ACTORS_LISTED)
                .map(|guest| ActorStatus {
                    name: guest.name(),
                    pid: guest.pid(),
                    digest: guest.module().digest().to_string(),
                    waiting: guest.waiting(),
                })
                .collect(),
            name,
        }
    }
}

impl Service for NodeService {
    fn status(&self) -> BoxFuture<'_, NodeStatus> {
        Box::pin(async {
            let mut modules = Vec::new();
            for module in self.modules.names().iter().filter_map(|name| self.modules.find(name)) {
                modules.push(self.module_status(&module).await);
            }
            let readiness = self.readiness.readiness();
            let missing = readiness.given_up().iter();
            NodeStatus {
                node: self.node.clone(),
                ready: readiness.is_ready(),
                given_up: missing
                    .take(ACTORS_LISTED)
                    .map(|given_up| GivenUpStatus {
                        actor: given_up.actor.to_string(),
                        supervisor: given_up.supervisor.to_string(),
                        reason: given_up.reason.to_string(),
                    })
                    .collect(),
                modules,
            }
        })
    }

    fn actors(&self) -> BoxFuture<'_, Vec<ActorRow>> {
        Box::pin(async { actors::all(&self.modules) })
    }

    fn groups(&self) -> BoxFuture<'_, Vec<GroupRow>> {
        Box::pin(async { groups::all() })
    }

    fn nodes(&self) -> BoxFuture<'_, Result<Vec<OtherNode>, String>> {
        Box::pin(async {
            let sessions = self.server.call(NodeServerMessage::GetSessions, None).await;
            let sessions = sessions.map_err(|error| error.to_string())?;
            let sessions = sessions.success_or("the node is going down")?;
            let mut nodes = Vec::new();
            for peer in sessions.into_values().filter_map(|session| session.peer_name) {
                let name = format!("{CONTROL}@{}", peer.name);
                // Each has a time of its own, so a peer that doesn't answer hides none of the others.
                let found = tokio::time::timeout(LOOKUP, directory::find(&name)).await;
                let control = matches!(found, Ok(Some(_)));
                nodes.push(OtherNode {
                    control,
                    name: peer.name,
                    address: peer.connection_string,
                });
            }
            nodes.sort_by(|a, b| a.name.cmp(&b.name));
            Ok(nodes)
        })
    }

    fn reload(&self, reload: Reload) -> BoxFuture<'_, Result<ReloadReport, String>> {
        Box::pin(self.reloader.reload(reload))
    }

    fn rollback(&self, module: String) -> BoxFuture<'_, Result<ReloadReport, String>> {
        Box::pin(self.reloader.rollback(module))
    }

    fn components(&self) -> BTreeSet<Digest> {
        self.reloader.components()
    }

    fn call(&self, message: Sending) -> BoxFuture<'_, Result<Reply, NotSent>> {
        Box::pin(calls::call(&self.modules, message))
    }

    fn cast(&self, message: Sending) -> BoxFuture<'_, Result<usize, NotSent>> {
        Box::pin(calls::cast(&self.modules, message))
    }
}
