//! What a host does about its modules and actors while it runs: it takes what is deployed, watches files, and keeps states.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::AbortHandle;

use super::admin::AdminHttp;
use super::apply::{Applier, ApplierParts, Credentials};
use super::cluster_links::ClusterLinks;
use super::deployment_record::DeploymentRecord;
use super::ended_links::EndedLinks;
use super::entities::NodeEntities;
use super::error::HostError;
use super::kept_states::ListedStates;
use super::lately::LatelyWindow;
use super::leaving::Leaving;
#[cfg(unix)]
use super::local_socket;
use super::module_files::{self, FilesBeforeLoad};
use super::native::Natives;
use super::node::ListeningNode;
use super::reloader::{ReloadListener, Reloader};
use super::service::NodeService;
use super::spawning::Spawner;
use super::state_dir::StateDir;
use super::stopping::LAST_WRITES;
use super::told;
use super::told_children::ToldChildren;
use super::traces::Traces;
use super::upkeep::Upkeep;
use crate::checkpoint::Scheduled;
use crate::config::{Code, NodeConfig};
#[cfg(unix)]
use crate::control::LocalDoor;
use crate::control::{ControlKeys, RequestWorker, RestartGuard, Service};
use crate::guest::{CheckpointWriter, Modules, ReservedNames};
use crate::supervision::Root;

/// See the module. It ends when this is dropped, but for the control actor, which ends with the root supervisor.
pub(super) struct Maintenance {
    upkeep: Arc<Upkeep>,
    /// Gives guests optimized code; none if they have it from the start.
    tier_up: Option<TierUp>,
    writer: Option<CheckpointWriter>,
    deployed: Option<Arc<DeploymentRecord>>,
    worker: Arc<RequestWorker>,
    control: Option<RestartGuard>,
    leaving: Leaving,
    applier: Arc<Applier>,
    entities: NodeEntities,
    service: Arc<dyn Service>,
    #[cfg(unix)]
    _local: Option<LocalDoor>,
}

/// Goes on until it is dropped.
#[derive(Debug)]
struct TierUp(AbortHandle);

impl Drop for TierUp {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl TierUp {
    fn start(modules: Modules) -> Self {
        Self(tokio::spawn(async move { modules.tier_up().await }).abort_handle())
    }
}

impl Maintenance {
    /// Begins. What a node doesn't ask for isn't there.
    ///
    /// # Errors
    /// The control actor does not start. Nothing else has begun then.
    pub(super) async fn start(
        config: &NodeConfig,
        state: StateDir,
        (natives, modules, entities): (Arc<Natives>, &Modules, NodeEntities),
        (node, root, admin): (&ListeningNode, &Root, Option<&AdminHttp>),
        (listener, before): (Option<ReloadListener>, FilesBeforeLoad),
        reserved: Arc<ReservedNames>,
    ) -> Result<Self, HostError> {
        let scheduled: Vec<Scheduled> = scheduled(config, &state);
        let StateDir {
            writer, deployments, ..
        } = state.clone();
        let reloader = Arc::new(Reloader::new(
            config,
            modules.clone(),
            deployments.clone(),
            listener,
            root.events().clone(),
        ));
        modules.observe_children(ToldChildren::new(root.events().clone()));
        let ended_links = EndedLinks::default();
        told::follow_sessions(&node.server, root.events().clone(), ended_links.clone());
        let leaving = Leaving::default();
        let upkeep = Arc::new(Upkeep::default());
        let spawner = Arc::new(Spawner::new(config, root.cell().clone(), reserved.clone()));
        let keys = config.control.as_ref().map(|section| ControlKeys::new(section.pairs()));
        let applier = Arc::new(Applier::new(
            config.clone(),
            ApplierParts {
                natives,
                modules: modules.clone(),
                reloader: reloader.clone(),
                steering: root.steering().clone(),
                server: node.server.clone(),
                state,
                upkeep: upkeep.clone(),
                reserved,
                spawner: spawner.clone(),
                credentials: Credentials {
                    keys: keys.clone(),
                    proofs: admin.map(AdminHttp::proofs),
                },
            },
        ));
        let service = NodeService {
            node: config.node.full_name(),
            server: node.server.clone(),
            modules: modules.clone(),
            readiness: root.readiness_watch().clone(),
            required_peers: config
                .admin
                .as_ref()
                .map(|admin| admin.required_peers.clone())
                .unwrap_or_default(),
            reloader: reloader.clone(),
            applier: applier.clone(),
            steering: root.steering().clone(),
            leaving: leaving.clone(),
            writer: writer.clone(),
            begun: Instant::now(),
            events: root.events().clone(),
            lately: LatelyWindow::begin(modules.clone(), node.server.clone()),
            traces: Traces::default(),
            ended_links,
            cluster_links: ClusterLinks::new(config.node.full_name(), keys.clone()),
            listed: ListedStates::default(),
            spawner,
            entities: entities.clone(),
        };
        let service: Arc<dyn Service> = Arc::new(service);
        let store = deployments.as_ref().map(|deployments| deployments.store.clone());
        let worker = Arc::new(RequestWorker::new(service.clone(), store));
        // First, because it is the one that can fail, and the others would have begun to work.
        let control = match config.control.as_ref().zip(keys) {
            Some((section, keys)) => {
                let name = config.node.full_name();
                Some(section.start(keys, name, worker.clone(), root).await?)
            }
            None => None,
        };
        Ok(Self {
            upkeep: upkeep.begin(modules, scheduled, module_files::watch(&reloader, before)),
            tier_up: (config.runtime.tiered_compilation == Some(true)).then(|| TierUp::start(modules.clone())),
            writer,
            deployed: deployments.map(|deployments| deployments.deployed),
            control,
            leaving,
            applier,
            entities,
            service,
            #[cfg(unix)]
            _local: local_socket::open(config, &worker).await,
            worker,
        })
    }
}

pub(super) fn scheduled(config: &NodeConfig, state: &StateDir) -> Vec<Scheduled> {
    let sections = config.actors.iter().filter_map(|section| {
        let Code::Module(module) = &section.code else {
            return None;
        };
        Some(Scheduled {
            module: module.clone(),
            names: section.names().collect(),
            checkpoints: state.checkpoints(section)?,
        })
    });
    sections.collect()
}

impl Maintenance {
    /// Takes nothing new. States are still kept: the actors have work to do before they end, and may be killed at it.
    pub(super) fn quiesce(&mut self) {
        self.leaving.begin();
        // While they live: an actor that has ended can't be asked any more whether it has a state to bring.
        let schedule = self.upkeep.schedule();
        if let (Some(writer), Some(schedule)) = (&self.writer, schedule) {
            writer.expect_last(schedule.living());
        }
        self.upkeep.quiesce();
        // Nobody gets to run what would be optimized from here on.
        self.tier_up = None;
        // The control actor ends with the root supervisor, and would be started again while everything goes down. Until it ends, it
        // takes nothing that would change the code of actors that are ending.
        self.worker.close();
        self.control = None;
    }

    /// Whether an operator wants the node to leave.
    pub(super) fn leaving(&self) -> &Leaving {
        &self.leaving
    }

    /// What carries out requests, whoever they come from.
    pub(super) fn worker(&self) -> Arc<RequestWorker> {
        self.worker.clone()
    }

    /// What applies node.toml anew.
    pub(super) fn applier(&self) -> Arc<Applier> {
        self.applier.clone()
    }

    /// What can be asked of the node.
    pub(super) fn service(&self) -> Arc<dyn Service> {
        self.service.clone()
    }

    /// Ends the entities after the other actors, which took so long to end. Gives those whose last states may not be kept, by name.
    pub(super) async fn end_entities(&self, spent: Duration) -> Vec<String> {
        self.entities.stop(spent).await
    }

    /// Asks the actors that still work for their states once more, before they are killed at it.
    pub(super) async fn last_call(&self) {
        if let Some(schedule) = self.upkeep.schedule() {
            schedule.last_call().await;
        }
    }

    /// Waits until everything is written, or for [`LAST_WRITES`]. When the actors have ended, nothing comes after it. Gives the
    /// actors whose last state is not kept, by name.
    pub(super) async fn finish(&mut self) -> Vec<String> {
        // The actors have ended, so there is nothing left to collect.
        self.upkeep.end();
        let record = async {
            if let Some(deployed) = self.deployed.clone() {
                write_pending(deployed).await;
            }
        };
        let states = async {
            match &self.writer {
                Some(writer) => writer.finish(LAST_WRITES).await,
                None => Vec::new(),
            }
        };
        // Side by side: a disk that hangs at one of them must not take the time of the other.
        tokio::join!(record, states).1
    }
}

/// Writes the record of what is deployed, if an earlier attempt failed. A disk that hangs is not waited for longer than one that
/// refuses.
async fn write_pending(deployed: Arc<DeploymentRecord>) {
    // A thread that hangs can't be taken back from the disk, so it is left behind when the time is over.
    let work = tokio::task::spawn_blocking(move || deployed.write_pending());
    let reason = match tokio::time::timeout(LAST_WRITES, work).await {
        Ok(Ok(Ok(()))) => return,
        Ok(Ok(Err(error))) => error.to_string(),
        Ok(Err(ended)) => ended.to_string(),
        Err(_) => format!("the disk did not take it within {LAST_WRITES:?}"),
    };
    tracing::error!(
        reason,
        "what was deployed can't be written down; after a restart modules may run what they ran before"
    );
}
