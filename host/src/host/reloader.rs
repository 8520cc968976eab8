//! Other code for the modules of a node, and a record of it if it was deployed: for the control actor, and for files that are watched.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::RwLock;

use super::deployment_record::{file_digest, version};
use super::deployments::Deployments;
use super::told;
use crate::config::{Code, NodeConfig, did_you_mean, misfit};
use crate::entities::Durability;
use crate::events::EventHistory;
use crate::files;
use crate::guest::{Digest, Module, ModuleSource, Modules, Versions};
use crate::supervision::reload::{self, ConfiguredActor, Reload, ReloadReport, StartArguments, Verdict};

/// Told how each reload of a watched file ended.
pub(super) type ReloadListener = Arc<dyn Fn(&str, &Result<ReloadReport, String>) + Send + Sync>;

/// See the module.
pub(super) struct Reloader {
    modules: Modules,
    /// What node.toml says, which may be changed.
    configured: RwLock<Arc<Configured>>,
    /// What stays after a restart; none if nothing does, because nobody can deploy.
    deployments: Option<Deployments>,
    /// Held from the look at what a module runs until that is written down: two deployments that end together would otherwise be
    /// written down in either order, and the older one could be what is found after a restart.
    recording: tokio::sync::Mutex<()>,
    listener: Option<ReloadListener>,
    events: EventHistory,
}

/// What node.toml says of the modules.
struct Configured {
    /// Where each comes from.
    sources: BTreeMap<String, ModuleSource>,
    /// How long actors are watched whose file has changed, where that isn't the usual time.
    probation_times: BTreeMap<String, Duration>,
    /// The entries, by the module that they start with.
    actors: BTreeMap<String, Vec<ConfiguredActor>>,
}

impl Configured {
    fn of(config: &NodeConfig) -> Self {
        let sources = config.modules.iter().map(|own| (own.name.clone(), own.clone()));
        let probation_times = config
            .builds
            .iter()
            .filter_map(|build| Some((build.module.clone(), build.probation_time?)));
        let mut actors: BTreeMap<String, Vec<ConfiguredActor>> = BTreeMap::new();
        let of_entities = config.entities.iter();
        let of_entities = of_entities.map(|section| (&section.actor, section.durability != Durability::None));
        let of_actors = config
            .actors
            .iter()
            .map(|section| (section, section.checkpoint.is_some()));
        for (section, keeps_state) in of_actors.chain(of_entities) {
            if let Code::Module(module) = &section.code {
                actors.entry(module.clone()).or_default().push(ConfiguredActor {
                    name: section.name.clone(),
                    grants: section.grants.clone(),
                    keeps_state,
                    arguments: StartArguments::new(section.arguments.clone(), misfit),
                });
            }
        }
        Self {
            sources: sources.collect(),
            probation_times: probation_times.collect(),
            actors,
        }
    }
}

impl Reloader {
    /// For the modules of a configuration.
    pub(super) fn new(
        config: &NodeConfig,
        modules: Modules,
        deployments: Option<Deployments>,
        listener: Option<ReloadListener>,
        events: EventHistory,
    ) -> Self {
        Self {
            modules,
            configured: RwLock::new(Arc::new(Configured::of(config))),
            deployments,
            recording: tokio::sync::Mutex::default(),
            listener,
            events,
        }
    }

    /// From now on this configuration says where modules come from.
    pub(super) fn configure(&self, config: &NodeConfig) {
        *self.configured.write() = Arc::new(Configured::of(config));
    }

    /// Where node.toml says that the module comes from.
    pub(super) fn own(&self, module: &str) -> Option<ModuleSource> {
        self.configured.read().sources.get(module).cloned()
    }

    /// A reload of the module from its own file, which has changed.
    pub(super) fn of_own_file(&self, module: &str) -> Reload {
        let usual = Reload::of(module);
        Reload {
            probation_time: self
                .configured
                .read()
                .probation_times
                .get(module)
                .copied()
                .unwrap_or(usual.probation_time),
            ..usual
        }
    }

    /// The largest component that the module can be, and the largest source that it can run, in bytes.
    pub(super) fn largest_files(&self, module: &str) -> (u64, u64) {
        let module = self.modules.find(module);
        module.map_or((files::LARGEST, files::LARGEST), |module| {
            (module.largest_file(), module.largest_source())
        })
    }

    /// True if this is what new actors of the module run.
    pub(super) fn runs(&self, module: &str, digest: Digest) -> bool {
        self.modules
            .find(module)
            .is_some_and(|module| module.digest() == digest)
    }

    /// Reloads, and says how it went in one line of the log.
    pub(super) async fn reload_and_report(&self, reload: Reload) {
        let module = reload.module.clone();
        let outcome = self.reload(reload).await;
        if let Err(reason) = &outcome {
            // What was begun is logged by whoever did it.
            tracing::error!(module, reason, "the module is not reloaded; what runs goes on");
        }
        if let Some(listener) = &self.listener {
            listener(&module, &outcome);
        }
    }

    /// Replaces the code of a module, by its own file if the reload names no other, and reports how that went.
    ///
    /// # Errors
    /// It was not begun, for this reason.
    pub(super) async fn reload(&self, reload: Reload) -> Result<ReloadReport, String> {
        let (module, dry_run) = (reload.module.clone(), reload.dry_run);
        let outcome = self.try_reload(reload).await;
        if !dry_run {
            self.count(&module, outcome.as_ref());
            self.events.tell(told::reloaded(&module, outcome.as_ref()));
        }
        outcome
    }

    /// Counts what became of it. A module that there isn't has no metric: anybody could make up names.
    fn count(&self, module: &str, outcome: Result<&ReloadReport, &String>) {
        if !self.configured.read().sources.contains_key(module) {
            return;
        }
        let word = match outcome.map(|report| report.verdict) {
            Ok(Verdict::DryRun) => return,
            Ok(Verdict::Reloaded) => "reloaded",
            Ok(Verdict::RolledBack) => "rolled-back",
            Ok(Verdict::Mixed) => "mixed",
            Err(_) => "refused",
        };
        metrics::counter!("ractor_host_reloads_total", "module" => module.to_owned(), "outcome" => word).increment(1);
        for pause_us in outcome
            .iter()
            .flat_map(|report| &report.actors)
            .filter_map(|actor| actor.pause_us)
        {
            let pause = Duration::from_micros(pause_us);
            metrics::histogram!("ractor_host_reload_pause_seconds", "module" => module.to_owned())
                .record(pause.as_secs_f64());
        }
    }

    async fn try_reload(&self, mut reload: Reload) -> Result<ReloadReport, String> {
        let (module, dry_run, is_deployed) = (reload.module.clone(), reload.dry_run, reload.file.is_some());
        let configured = self.configured.read().clone();
        let Some(own) = configured.sources.get(&module) else {
            let known: Vec<_> = configured.sources.keys().map(String::as_str).collect();
            let question = did_you_mean(&module, known.iter().copied());
            let question = question.map(|question| format!("; {question}")).unwrap_or_default();
            return Err(format!(
                "there is no module `{module}`; there is: {}{question}",
                known.join(", ")
            ));
        };
        if own.source.is_some() && is_deployed {
            let own = own.clone();
            let as_source = tokio::task::spawn_blocking(move || as_source(&own, reload)).await;
            reload = as_source.unwrap_or_else(|ended| Err(ended.to_string()))?;
        }
        // Also here, and not only at a start: otherwise the next start would refuse what runs by then.
        reload.digest.map_or(Ok(()), |digest| allowed(own, digest))?;
        // A reload to the module's own file changes the record only if something else is in it.
        if !dry_run && (is_deployed || self.is_deployed(&module)) {
            self.rehearse().await?;
        }
        // The module's own file, and not the one that its code was loaded from, which may be a component that was deployed.
        reload.file.get_or_insert_with(|| own.path.clone());
        reload.source = reload
            .source
            .or_else(|| own.source.as_ref().map(|source| source.path.clone()));
        reload.digest = reload.digest.or(own.digest);
        reload.configured = self.configured(&module);
        let mut report = reload::reload(&self.modules, reload)
            .await
            .map_err(|error| error.to_string())?;
        if !dry_run {
            // After the rollout, since a rollback leaves the record as it was. If it can't be written the report says so: the actors run
            // the new code by now.
            report.unrecorded = self.remember(&module).await;
        }
        Ok(report)
    }

    /// Goes back to the version before, or to the kept one of this digest, and reports how that went.
    ///
    /// # Errors
    /// It was not begun, for this reason.
    pub(super) async fn rollback(&self, module: String, planned: Option<Digest>) -> Result<ReloadReport, String> {
        let outcome = self.try_rollback(module.clone(), planned).await;
        self.count(&module, outcome.as_ref());
        self.events.tell(told::rolled_back(&module, outcome.as_ref()));
        outcome
    }

    async fn try_rollback(&self, module: String, planned: Option<Digest>) -> Result<ReloadReport, String> {
        let before = planned.or_else(|| Some(self.modules.previous(&module).first()?.digest()));
        if let (Some(own), Some(before)) = (self.own(&module), before) {
            allowed(&own, before)?;
        }
        // Before anything is touched, as for a reload.
        self.rehearse().await?;
        let back = Reload {
            configured: self.configured(&module),
            digest: planned,
            ..Reload::of(module.clone())
        };
        let report = reload::rollback(&self.modules, back).await;
        let mut report = report.map_err(|error| error.to_string())?;
        report.unrecorded = self.remember(&module).await;
        Ok(report)
    }

    /// Takes a reload back that made this version current, and reports how that went. What was current before is so again, and so are the
    /// versions that could be gone back to.
    ///
    /// # Errors
    /// It was not begun, for this reason.
    pub(super) async fn undo(&self, put: Digest, before: Versions) -> Result<ReloadReport, String> {
        let module = before.current().name().to_owned();
        let back = Reload {
            configured: self.configured(&module),
            // Nobody has a state that the code of before could not know.
            force: self.modules.guests(&module).is_empty(),
            ..Reload::of(module.clone())
        };
        let outcome = reload::undo(&self.modules, back, (put, before)).await;
        let mut outcome = outcome.map_err(|error| error.to_string());
        if let Ok(report) = &mut outcome {
            report.unrecorded = self.remember(&module).await;
        }
        self.count(&module, outcome.as_ref());
        self.events.tell(told::rolled_back(&module, outcome.as_ref()));
        outcome
    }

    /// Who is to be able to start with the module, also after a restart of the node.
    fn configured(&self, module: &str) -> Vec<ConfiguredActor> {
        let configured = self.configured.read();
        configured.actors.get(module).cloned().unwrap_or_default()
    }

    /// True if the module runs something else than its own file.
    fn is_deployed(&self, module: &str) -> bool {
        self.deployments
            .as_ref()
            .is_some_and(|deployments| deployments.deployed.has(module))
    }

    /// A disk that is full is found out before anything is touched.
    async fn rehearse(&self) -> Result<(), String> {
        let Some(Deployments { deployed, .. }) = self.deployments.clone() else {
            return Ok(());
        };
        let rehearsed = tokio::task::spawn_blocking(move || deployed.rehearse()).await;
        rehearsed
            .unwrap_or_else(|ended| Err(std::io::Error::other(ended)))
            .map_err(|error| format!("what is deployed could not be recorded: {error}; is there room in `state_dir`?"))
    }

    /// Writes down what the module runs now, if that is not what its file has. Gives what that came to if it can't.
    async fn remember(&self, module: &str) -> Option<String> {
        let deployments = self.deployments.clone()?;
        let _recording = self.recording.lock().await;
        let (own, current) = (self.own(module)?, self.modules.find(module)?);
        let digest = current.digest();
        let written = tokio::task::spawn_blocking(move || write_down(&deployments, &own, &current)).await;
        let unrecorded = written.unwrap_or_else(|ended| Err(ended.to_string())).err()?;
        tracing::error!(module, %digest, reason = unrecorded, "what runs now is not recorded");
        Some(unrecorded)
    }

    /// The components and sources that are in use, or may be gone back to.
    pub(super) fn components(&self) -> BTreeSet<Digest> {
        let versions = self.modules.names().into_iter().flat_map(|name| {
            let current = self.modules.find(&name);
            current.into_iter().chain(self.modules.previous(&name))
        });
        let deployments = self.deployments.iter();
        let deployed = deployments.flat_map(|deployments| deployments.deployed.digests());
        versions.map(|version| stored_as(&version)).chain(deployed).collect()
    }
}

/// What the store has a version under: a module with a source gets other sources, and keeps its component.
fn stored_as(version: &Module) -> Digest {
    version.source_digest().unwrap_or_else(|| version.digest())
}

/// What was uploaded for a module with a source, as its source. Blocks.
fn as_source(own: &ModuleSource, mut reload: Reload) -> Result<Reload, String> {
    let Some(uploaded) = reload.file.take() else {
        return Ok(reload);
    };
    let module = &own.name;
    let read = files::read(&uploaded, files::LARGEST);
    let bytes = read.map_err(|error| format!("what was deployed for module `{module}` can't be read: {error}"))?;
    if bytes.starts_with(b"\0asm") {
        return Err(format!(
            "module `{module}` runs a source (`source` in node.toml), and this is a component; deploy a source, or change the file {} \
             and reload the module",
            own.path.display()
        ));
    }
    // The upload was checked against its own digest. A version is told by both files.
    reload.digest = version(own, Digest::of(&bytes));
    reload.source = Some(uploaded);
    Ok(reload)
}

/// Whether node.toml lets a module run this.
fn allowed(own: &ModuleSource, digest: Digest) -> Result<(), String> {
    match own.digest {
        Some(pinned) if pinned != digest => Err(format!(
            "module `{}` is pinned to {pinned} by `digest` in node.toml, and this is {digest}; change `digest`, or leave it out",
            own.name
        )),
        _ => Ok(()),
    }
}

/// Says in the record what a module runs now, in place of its own file.
fn write_down(
    Deployments { deployed, store }: &Deployments,
    own: &ModuleSource,
    current: &Module,
) -> Result<(), String> {
    let (current, stored) = (current.digest(), stored_as(current));
    let module = own.name.as_str();
    // Before the record changes: without this digest nobody could tell later that the file has changed since.
    let file = file_digest(own).map_err(|error| {
        let path = own.path.display();
        format!("after a restart the module may run something else, because {path} can't be read: {error}")
    })?;
    // The store is free again before the record is written, so uploads don't wait for that write.
    let is_stored = {
        let store = store.lock();
        store.path(&stored).is_some()
    };
    let written = if Some(current) == file {
        deployed.clear(module)
    } else if is_stored {
        deployed.set(module, stored, file)
    } else {
        tracing::warn!(module, digest = %current, "what runs now is in no file any more; after a restart the module runs its own file");
        deployed.clear(module)
    };
    written.map_err(|error| {
        format!(
            "after a restart the module may run what it ran before ({error}); deploy it again when there is room in `state_dir`"
        )
    })
}
