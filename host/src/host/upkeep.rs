//! What a host does about its modules and actors while it runs: it takes what is deployed, watches files, and keeps states.

use std::collections::BTreeSet;
use std::sync::Arc;

use ractor::ActorRef;

use super::error::{HostError, startup_reason};
use super::keeping::Keeping;
use super::reloader::{Listener, Reloader};
use super::watch::{self, Watching};
use crate::checkpoint::{Schedule, Scheduled};
use crate::config::{Code, NodeConfig};
use crate::control::{self, Control, Restarts};
use crate::guest::{CheckpointWriter, Modules};
use crate::node::NodeServerMessage;
use crate::supervision::Root;

/// See the module. It ends when this is dropped, but for the control actor, which ends with the root supervisor.
#[derive(Debug, Default)]
pub(super) struct Upkeep {
    schedule: Option<Schedule>,
    watching: Option<Watching>,
    writer: Option<CheckpointWriter>,
    control: Option<Restarts>,
}

/// What it takes to begin.
pub(super) struct Begin<'a> {
    pub(super) config: &'a NodeConfig,
    pub(super) keeping: Keeping,
    pub(super) modules: &'a Modules,
    pub(super) server: &'a ActorRef<NodeServerMessage>,
    pub(super) root: &'a Root,
    pub(super) listener: Option<Listener>,
}

impl Begin<'_> {
    pub(super) async fn begin(self) -> Result<Upkeep, HostError> {
        let Self {
            config,
            keeping,
            modules,
            server,
            root,
            listener,
        } = self;
        let scheduled: Vec<Scheduled> = scheduled(config, &keeping);
        let Keeping { writer, deployments } = keeping;
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
            deployed: deployments.as_ref().map(|deployments| deployments.deployed.clone()),
            store: deployments.as_ref().map(|deployments| deployments.store.clone()),
            listener,
            losses: root.losses().clone(),
        });
        let mut restarts = None;
        if let (Some(section), Some(deployments)) = (&config.control, deployments) {
            let control = Control::new(section.key.clone(), node, deployments.store, reloader.clone());
            let started = control::start(control, root.cell().clone()).await;
            restarts = Some(started.map_err(|error| HostError::Control(startup_reason(&error)))?);
        }
        let watched: BTreeSet<String> = config
            .upkeep
            .iter()
            .filter(|upkeep| upkeep.watch)
            .map(|upkeep| upkeep.module.clone())
            .collect();
        Ok(Upkeep {
            schedule: (!scheduled.is_empty()).then(|| Schedule::start(modules, scheduled)),
            watching: watch::watch(&reloader, &watched),
            writer,
            control: restarts,
        })
    }
}

fn scheduled(config: &NodeConfig, keeping: &Keeping) -> Vec<Scheduled> {
    let sections = config.actors.iter().filter_map(|section| {
        let Code::Module(module) = &section.code else {
            return None;
        };
        Some(Scheduled {
            module: module.clone(),
            names: section.names().collect(),
            checkpoints: keeping.checkpoints(section)?,
        })
    });
    sections.collect()
}

impl Upkeep {
    /// Takes nothing new and keeps nothing more by itself.
    pub(super) fn quiesce(&mut self) {
        self.schedule = None;
        self.watching = None;
        self.control = None;
    }

    /// Waits until everything is written. When the actors have ended, nothing comes after it.
    pub(super) async fn finish(self) {
        if let Some(writer) = self.writer {
            writer.flush().await;
        }
    }
}
