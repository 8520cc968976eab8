//! A node.toml that was changed, brought into force while the node runs.
//!
//! The file is read and checked as for a start, with the modules that it names, before anything is touched. `plan` says what is
//! different; `steps` does it, and takes it back if a part of it fails.

mod credentials;
mod plan;
#[cfg(test)]
mod plan_tests;
mod steps;

use std::sync::Arc;

use ractor::ActorRef;

pub(super) use self::credentials::Credentials;
use self::plan::{ApplyPlan, RunningFacts};
use self::steps::{Failed, Steps};
use super::error::HostError;
use super::module_files::{self, FilesBeforeLoad};
use super::modules::read_needs;
use super::names;
use super::native::Natives;
use super::preflight::{Pool, check_loaded};
use super::reloader::Reloader;
use super::spawning::Spawner;
use super::state_dir::{self, StateDir};
use super::upkeep::Upkeep;
use crate::config::{ConfigError, NodeConfig};
use crate::control::{ApplyOutcome, ApplyReport};
use crate::guest::{LoadError, Modules, ReservedNames};
use crate::node::NodeServerMessage;
use crate::ops::filter;
use crate::ops::otel::{self, Renewal};
use crate::supervision::Steering;

/// See the module.
pub(super) struct Applier {
    parts: ApplierParts,
    /// What is in force. Held while it is changed: one at a time does that.
    running: tokio::sync::Mutex<NodeConfig>,
}

/// What is changed by a configuration.
pub(super) struct ApplierParts {
    pub(super) natives: Arc<Natives>,
    pub(super) modules: Modules,
    pub(super) reloader: Arc<Reloader>,
    pub(super) steering: Steering,
    pub(super) server: ActorRef<NodeServerMessage>,
    pub(super) state: StateDir,
    pub(super) upkeep: Arc<Upkeep>,
    /// The names that guests of now and later may not take.
    pub(super) reserved: Arc<ReservedNames>,
    pub(super) spawner: Arc<Spawner>,
    pub(super) credentials: Credentials,
}

/// A file that was found to be good.
struct Prepared {
    new: NodeConfig,
    plan: ApplyPlan,
    /// The modules as they will be.
    loaded: Modules,
    /// How the files of modules looked before they were loaded.
    before: FilesBeforeLoad,
    /// The certificates of the exports, where the variables name other files than node.toml.
    renewal: Renewal,
}

/// Why a file is not applied.
enum Unusable {
    /// It is wrong.
    File(String),
    /// It could not be found out.
    Node(String),
}

impl Applier {
    /// For a node that was started with this configuration.
    pub(super) fn new(running: NodeConfig, parts: ApplierParts) -> Self {
        Self {
            parts,
            running: tokio::sync::Mutex::new(running),
        }
    }

    /// Reads the file anew and does what is different in it, or only says what that would be.
    ///
    /// # Errors
    /// It was not begun, for this reason. A file that is wrong is told in the report.
    pub(super) async fn apply(&self, dry_run: bool) -> Result<ApplyReport, String> {
        let Ok(mut running) = self.running.try_lock() else {
            return Err("node.toml is being applied already; try again when that is done".to_owned());
        };
        if !dry_run {
            return self.apply_to(&mut running).await;
        }
        // Nobody has to wait for somebody who only asks.
        let now = running.clone();
        drop(running);
        let (report, _) = self.planned(&now).await?;
        Ok(report)
    }

    async fn apply_to(&self, running: &mut NodeConfig) -> Result<ApplyReport, String> {
        let (mut report, prepared) = self.planned(running).await?;
        if let Some(prepared) = prepared {
            // Compiling may have taken minutes.
            self.check_stays()?;
            self.carry_out(prepared, running, &mut report).await;
        }
        Ok(report)
    }

    /// What would be done, and what it takes, unless the file is wrong.
    async fn planned(&self, running: &NodeConfig) -> Result<(ApplyReport, Option<Prepared>), String> {
        if running.options.modules_are_built_later {
            return Err(
                "this node runs under `ractor-host dev`, which takes a changed node.toml with its next start"
                    .to_owned(),
            );
        }
        self.check_stays()?;
        let prepared = match self.prepare(running).await {
            Ok(prepared) => prepared,
            Err(Unusable::File(error)) => return Ok((wrong_file(running, error), None)),
            Err(Unusable::Node(reason)) => return Err(reason),
        };
        let report = ApplyReport {
            file: running.file.display().to_string(),
            outcome: ApplyOutcome::Planned,
            changes: prepared.plan.changes(),
            left_out: 0,
            needs_restart: prepared.plan.needs_restart.clone(),
            reasons: Vec::new(),
        };
        Ok((report, Some(prepared)))
    }

    /// Nothing new is to find a node that is going down.
    fn check_stays(&self) -> Result<(), String> {
        if self.parts.upkeep.is_over() {
            return Err("the node is stopping".to_owned());
        }
        Ok(())
    }

    /// Reads and checks the file, and finds what is different in it.
    async fn prepare(&self, running: &NodeConfig) -> Result<Prepared, Unusable> {
        let (new, renewal) = self.read(running).await?;
        // Before the modules are read: a file that is saved from here on may be another one than is loaded.
        let before = FilesBeforeLoad::of(&new);
        let plan = ApplyPlan {
            exports: renewal.variables(),
            ..ApplyPlan::new(running, &new, &self.facts())
        };
        let loaded = self.check(&plan, &new).await?;
        Ok(Prepared {
            new,
            plan,
            loaded,
            before,
            renewal,
        })
    }

    async fn carry_out(&self, prepared: Prepared, running: &mut NodeConfig, report: &mut ApplyReport) {
        let Prepared {
            new,
            plan,
            loaded,
            before,
            renewal,
        } = prepared;
        let reached = plan.reached(running, &new);
        let stopped = self.parts.steering.stopped();
        let steps = Steps {
            parts: &self.parts,
            running,
            reached: &reached,
            loaded,
            held: stopped.iter().map(|child| child.name.to_string()).collect(),
        };
        // Nobody may take the name of an actor that is about to start, or that may have to come back.
        self.parts.reserved.replace(names::reserved_by(&[running, &reached]));
        if let Err(Failed { reason, not_undone }) = steps.carry_out(&plan).await {
            if not_undone.is_empty() {
                self.parts.reserved.replace(names::reserved(running));
            }
            report.outcome = if not_undone.is_empty() {
                ApplyOutcome::TakenBack
            } else {
                ApplyOutcome::Incomplete
            };
            report.reasons.push(reason);
            report.reasons.extend(not_undone);
            return;
        }
        // What can't fail comes last, so that there is nothing to take back.
        self.parts.credentials.replace(running, &reached, &new);
        renewal.adopt();
        filter::configure(reached.log.level.as_deref());
        report.outcome = if report.changes.is_empty() {
            ApplyOutcome::Unchanged
        } else {
            ApplyOutcome::Applied
        };
        self.parts.reserved.replace(names::reserved(&reached));
        self.parts.spawner.configure(&reached);
        self.look_after(running, &reached, before);
        *running = reached;
    }

    /// As an operator does it by a signal: what comes of it is in the log. Nobody hears that a signal came at the wrong time, so it waits
    /// for whoever is at it.
    pub(super) async fn apply_and_log(&self) {
        let mut running = self.running.lock().await;
        match self.apply_to(&mut running).await {
            Ok(report) => log(&report),
            Err(reason) => tracing::error!(reason, "node.toml is not applied; what runs goes on"),
        }
    }

    async fn read(&self, running: &NodeConfig) -> Result<(NodeConfig, Renewal), Unusable> {
        let (file, options, interfaces) = (
            running.file.clone(),
            running.options.clone(),
            running.interfaces.clone(),
        );
        let natives = self.parts.natives.clone();
        // A file system may hang.
        let read = tokio::task::spawn_blocking(move || {
            let (natives, entities) = natives.names();
            let config = NodeConfig::load_for(&file, (&natives, &entities), &interfaces, &options)
                .map_err(|error: ConfigError| Unusable::File(error.to_string()))?;
            let renewal = otel::read_again().map_err(|error| Unusable::File(error.to_string()))?;
            Ok((config, renewal))
        });
        match read.await {
            Ok(read) => read,
            Err(ended) => Err(Unusable::Node(ended.to_string())),
        }
    }

    fn facts(&self) -> RunningFacts {
        RunningFacts {
            supervisors: self.parts.steering.supervisors(),
            log_is_fixed: filter::fixed(),
            keeps_states: self.parts.state.writer.is_some(),
            runs_modules: !self.parts.modules.names().is_empty(),
        }
    }

    /// Checks the file as a start would, but for what only a start can do. Gives the modules as they would be.
    async fn check(&self, plan: &ApplyPlan, new: &NodeConfig) -> Result<Modules, Unusable> {
        let of_host = |error: HostError| match error {
            HostError::Config(error) => Unusable::File(error.to_string()),
            HostError::Pool(_) | HostError::Room(_) => Unusable::File(error.to_string()),
            error => Unusable::Node(error.to_string()),
        };
        state_dir::check_folder(new).map_err(of_host)?;
        let sources = self.parts.state.sources(&new.modules);
        let fresh = |name: &String| {
            plan.modules_added.contains(name) || plan.modules_changed.iter().any(|(changed, _)| changed == name)
        };
        let loaded = Modules::default();
        let mut failed: Vec<LoadError> = Vec::new();
        for source in &sources {
            if !fresh(&source.name) {
                self.parts
                    .modules
                    .find(&source.name)
                    .map(|module| loaded.insert(module));
                continue;
            }
            // Of a module that comes from elsewhere now, what was deployed before is no matter.
            let own = new.modules.iter().find(|own| own.name == source.name).unwrap_or(source);
            match self.parts.modules.load_another(own).await {
                Some(Ok(module)) => drop(loaded.insert(module)),
                Some(Err(error)) => failed.push(error),
                None => {}
            }
        }
        let needs = read_needs(new, &sources).await;
        let checked = check_loaded(new, &self.parts.natives, &needs, (&loaded, &failed), Pool::InUse).await;
        checked.map_err(of_host)?;
        Ok(loaded)
    }

    /// Begins anew what is done again and again, as the new configuration has it.
    fn look_after(&self, running: &NodeConfig, reached: &NodeConfig, before: FilesBeforeLoad) {
        let ApplierParts {
            modules,
            reloader,
            state,
            upkeep,
            ..
        } = &self.parts;
        upkeep.ask(modules, super::maintenance::scheduled(reached, state));
        // Otherwise a change that the watcher has seen and not dealt with yet would be forgotten.
        if running.builds != reached.builds || running.modules != reached.modules {
            upkeep.watch(module_files::watch(reloader, before));
        }
    }
}

fn wrong_file(running: &NodeConfig, error: String) -> ApplyReport {
    ApplyReport {
        file: running.file.display().to_string(),
        outcome: ApplyOutcome::WrongFile,
        changes: Vec::new(),
        left_out: 0,
        needs_restart: Vec::new(),
        reasons: vec![error],
    }
}

/// One line for each change, and one for the whole.
fn log(report: &ApplyReport) {
    let file = report.file.as_str();
    for change in &report.changes {
        let (action, of) = (change.action.word(), change.of.word());
        let (name, keys) = (change.name.as_str(), change.keys.join(", "));
        tracing::info!(
            file,
            action,
            of,
            name,
            keys,
            actors = change.actors,
            "planned by node.toml"
        );
    }
    for needed in &report.needs_restart {
        let (key, why) = (needed.key.as_str(), needed.why.as_deref());
        tracing::warn!(file, key, why, "this takes effect at the next start of the node");
    }
    let reason = report.reasons.join("; ");
    match report.outcome {
        ApplyOutcome::Planned | ApplyOutcome::Unchanged => tracing::info!(file, "there is nothing to do"),
        ApplyOutcome::Applied => tracing::info!(file, changes = report.changes.len(), "node.toml is applied"),
        ApplyOutcome::WrongFile => {
            tracing::error!(file, "the file is wrong, and the node goes on as it was:\n{reason}")
        }
        ApplyOutcome::TakenBack => tracing::error!(file, reason, "node.toml could not be applied; all is as it was"),
        ApplyOutcome::Incomplete => {
            tracing::error!(
                file,
                reason,
                "node.toml could not be applied, and not all of it could be taken back"
            );
        }
    }
}
