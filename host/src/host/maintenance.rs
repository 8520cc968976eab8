//! What a host does about its modules and actors while it runs: it takes what is deployed, watches files, and keeps states.

use std::collections::BTreeSet;
use std::sync::Arc;

use ractor::ActorRef;

use super::deployed::Deployed;
use super::error::{HostError, startup_reason};
use super::module_files::{self, ModuleWatcher};
use super::reloader::{ReloadListener, Reloader};
use super::state_dir::StateDir;
use super::stopping::LAST_WRITES;
use crate::checkpoint::{Schedule, Scheduled};
use crate::config::{Code, NodeConfig};
use crate::control::{self, ControlSetup, RestartGuard};
use crate::guest::{CheckpointWriter, Modules};
use crate::node::NodeServerMessage;
use crate::supervision::Root;

/// See the module. It ends when this is dropped, but for the control actor, which ends with the root supervisor.
#[derive(Debug, Default)]
pub(super) struct Maintenance {
    schedule: Option<Schedule>,
    watcher: Option<ModuleWatcher>,
    writer: Option<CheckpointWriter>,
    deployed: Option<Arc<Deployed>>,
    control: Option<RestartGuard>,
}

/// What it takes to begin.
pub(super) struct Begin<'a> {
    pub(super) config: &'a NodeConfig,
    pub(super) state: StateDir,
    pub(super) modules: &'a Modules,
    pub(super) server: &'a ActorRef<NodeServerMessage>,
    pub(super) root: &'a Root,
    pub(super) listener: Option<ReloadListener>,
}

impl Begin<'_> {
    pub(super) async fn begin(self) -> Result<Maintenance, HostError> {
        let Self {
            config,
            state,
            modules,
            server,
            root,
            listener,
        } = self;
        let scheduled: Vec<Scheduled> = scheduled(config, &state);
        let StateDir { writer, deployments } = state;
        let deployed = deployments.as_ref().map(|deployments| deployments.deployed.clone());
        let node = config.node.full_name();
        let reloader = Arc::new(Reloader {
            node: node.clone(),
            server: server.clone(),
            modules: modules.clone(),
            sources: config
                .modules
                .iter()
                .map(|own| (own.name.clone(), own.clone()))
                .collect(),
            deployed: deployed.clone(),
            store: deployments.as_ref().map(|deployments| deployments.store.clone()),
            listener,
            readiness: root.readiness_watch().clone(),
        });
        let mut restarts = None;
        if let (Some(section), Some(deployments)) = (&config.control, deployments) {
            let control = ControlSetup::new(section.key.clone(), node, deployments.store, reloader.clone());
            let started = control::start(control, root.cell().clone()).await;
            restarts = Some(started.map_err(|error| HostError::Control(startup_reason(&error)))?);
        }
        let watched: BTreeSet<String> = config
            .builds
            .iter()
            .filter(|maintenance| maintenance.watch)
            .map(|maintenance| maintenance.module.clone())
            .collect();
        Ok(Maintenance {
            schedule: (!scheduled.is_empty()).then(|| Schedule::start(modules, scheduled)),
            watcher: module_files::watch(&reloader, &watched),
            writer,
            deployed,
            control: restarts,
        })
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
        if let (Some(writer), Some(schedule)) = (&self.writer, &self.schedule) {
            writer.expect_last(schedule.living());
        }
        self.watcher = None;
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
        self.schedule = None;
        let record = async {
            if let Some(deployed) = self.deployed.clone() {
                make_up(deployed).await;
            }
        };
        let states = async {
            match &self.writer {
                Some(writer) => writer.finish(LAST_WRITES).await,
                None => Vec::new(),
            }
        };
        tokio::join!(record, states).1
    }
}

/// Writes the record of what is deployed, if an earlier attempt failed. A disk that hangs is not waited for longer than one that
/// refuses.
async fn make_up(deployed: Arc<Deployed>) {
    let work = tokio::task::spawn_blocking(move || deployed.make_up());
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
