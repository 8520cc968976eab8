//! What a host does about its modules and actors while it runs: it takes what is deployed, watches files, and keeps states.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::deployment_record::DeploymentRecord;
use super::error::HostError;
#[cfg(unix)]
use super::local_socket;
use super::module_files::{self, ModuleWatcher};
use super::node::ListeningNode;
use super::reloader::{ReloadListener, Reloader};
use super::service::NodeService;
use super::state_dir::StateDir;
use super::stopping::LAST_WRITES;
use crate::checkpoint::{Schedule, Scheduled};
use crate::config::{Code, NodeConfig};
#[cfg(unix)]
use crate::control::LocalDoor;
use crate::control::{RequestWorker, RestartGuard};
use crate::guest::{CheckpointWriter, Modules};
use crate::supervision::Root;

/// See the module. It ends when this is dropped, but for the control actor, which ends with the root supervisor.
#[derive(Debug, Default)]
pub(super) struct Maintenance {
    schedule: Option<Schedule>,
    watcher: Option<ModuleWatcher>,
    writer: Option<CheckpointWriter>,
    deployed: Option<Arc<DeploymentRecord>>,
    control: Option<RestartGuard>,
    #[cfg(unix)]
    _local: Option<LocalDoor>,
}

impl Maintenance {
    /// Begins. What a node doesn't ask for isn't there. Gives what carries out requests, too.
    ///
    /// # Errors
    /// The control actor does not start. Nothing else has begun then.
    pub(super) async fn start(
        config: &NodeConfig,
        state: StateDir,
        modules: &Modules,
        node: &ListeningNode,
        root: &Root,
        listener: Option<ReloadListener>,
    ) -> Result<(Self, Arc<RequestWorker>), HostError> {
        let scheduled: Vec<Scheduled> = scheduled(config, &state);
        let StateDir { writer, deployments } = state;
        let reloader = Arc::new(Reloader::new(config, modules.clone(), deployments.clone(), listener));
        let service = NodeService {
            node: config.node.full_name(),
            server: node.server.clone(),
            modules: modules.clone(),
            readiness: root.readiness_watch().clone(),
            reloader: reloader.clone(),
        };
        let store = deployments.as_ref().map(|deployments| deployments.store.clone());
        let worker = Arc::new(RequestWorker::new(Arc::new(service), store));
        // First, because it is the one that can fail, and the others would have begun to work.
        let control = match &config.control {
            Some(section) => Some(section.start(config.node.full_name(), worker.clone(), root).await?),
            None => None,
        };
        let watched = config.builds.iter().filter(|build| build.watch);
        let watched: BTreeSet<String> = watched.map(|build| build.module.clone()).collect();
        let this = Self {
            schedule: (!scheduled.is_empty()).then(|| Schedule::start(modules, scheduled)),
            watcher: module_files::watch(&reloader, &watched),
            writer,
            deployed: deployments.map(|deployments| deployments.deployed),
            control,
            #[cfg(unix)]
            _local: local_socket::open(config, &worker),
        };
        Ok((this, worker))
    }
}

fn scheduled(config: &NodeConfig, state: &StateDir) -> Vec<Scheduled> {
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
        // While they live: an actor that has ended can't be asked any more whether it has a state to bring.
        if let (Some(writer), Some(schedule)) = (&self.writer, &self.schedule) {
            writer.expect_last(schedule.living());
        }
        self.watcher = None;
        // The control actor ends with the root supervisor, and would be started again while everything goes down.
        self.control = None;
    }

    /// Asks the actors that still work for their states once more, before they are killed at it.
    pub(super) async fn last_call(&self) {
        if let Some(schedule) = &self.schedule {
            schedule.last_call().await;
        }
    }

    /// Waits until everything is written, or for [`LAST_WRITES`]. When the actors have ended, nothing comes after it. Gives the
    /// actors whose last state is not kept, by name.
    pub(super) async fn finish(&mut self) -> Vec<String> {
        // The actors have ended, so there is nothing left to collect.
        self.schedule = None;
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
