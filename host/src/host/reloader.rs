//! Other code for the modules of a node, and a record of it if it was deployed: for the control actor, and for files that are watched.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use super::deployment_record::file_digest;
use super::deployments::Deployments;
use crate::config::NodeConfig;
use crate::files;
use crate::guest::{Digest, ModuleSource, Modules};
use crate::supervision::reload::{self, Reload, ReloadReport, Verdict};

/// Told how each reload of a watched file ended.
pub(super) type ReloadListener = Arc<dyn Fn(&str, &Result<ReloadReport, String>) + Send + Sync>;

/// See the module.
pub(super) struct Reloader {
    modules: Modules,
    /// Where node.toml says that each module comes from.
    sources: BTreeMap<String, ModuleSource>,
    /// What stays after a restart; none if nothing does, because nobody can deploy.
    deployments: Option<Deployments>,
    /// Held from the look at what a module runs until that is written down: two deployments that end together would otherwise be
    /// written down in either order, and the older one could be what is found after a restart.
    recording: tokio::sync::Mutex<()>,
    listener: Option<ReloadListener>,
}

impl Reloader {
    /// For the modules of a configuration.
    pub(super) fn new(
        config: &NodeConfig,
        modules: Modules,
        deployments: Option<Deployments>,
        listener: Option<ReloadListener>,
    ) -> Self {
        let sources = config.modules.iter().map(|own| (own.name.clone(), own.clone()));
        Self {
            modules,
            sources: sources.collect(),
            deployments,
            recording: tokio::sync::Mutex::default(),
            listener,
        }
    }

    /// The module's own file.
    pub(super) fn file(&self, module: &str) -> Option<PathBuf> {
        Some(self.sources.get(module)?.path.clone())
    }

    /// The largest file that the module can be, in bytes.
    pub(super) fn largest_file(&self, module: &str) -> u64 {
        let module = self.modules.find(module);
        module.map_or(files::LARGEST, |module| module.largest_file())
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
        }
        outcome
    }

    /// Counts what became of it. A module that there isn't has no metric: anybody could make up names.
    fn count(&self, module: &str, outcome: Result<&ReloadReport, &String>) {
        if !self.sources.contains_key(module) {
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
            let pause = std::time::Duration::from_micros(pause_us);
            metrics::histogram!("ractor_host_reload_pause_seconds", "module" => module.to_owned())
                .record(pause.as_secs_f64());
        }
    }

    async fn try_reload(&self, mut reload: Reload) -> Result<ReloadReport, String> {
        let (module, dry_run) = (reload.module.clone(), reload.dry_run);
        let Some(own) = self.sources.get(&module) else {
            let known: Vec<_> = self.sources.keys().map(String::as_str).collect();
            return Err(format!("there is no module `{module}`; there is: {}", known.join(", ")));
        };
        // Also here, and not only at a start: otherwise the next start would refuse what runs by then.
        reload.digest.map_or(Ok(()), |digest| allowed(own, digest))?;
        // A reload to the module's own file changes the record only if something else is in it.
        if !dry_run && (reload.file.is_some() || self.is_deployed(&module)) {
            self.rehearse().await?;
        }
        // The module's own file, and not the one that its code was loaded from, which may be a component that was deployed.
        reload.file.get_or_insert_with(|| own.path.clone());
        reload.digest = reload.digest.or(own.digest);
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

    /// Goes back to the version before, and reports how that went.
    ///
    /// # Errors
    /// It was not begun, for this reason.
    pub(super) async fn rollback(&self, module: String) -> Result<ReloadReport, String> {
        let outcome = self.try_rollback(module.clone()).await;
        self.count(&module, outcome.as_ref());
        outcome
    }

    async fn try_rollback(&self, module: String) -> Result<ReloadReport, String> {
        let before = self.modules.previous(&module).into_iter().next();
        if let (Some(own), Some(before)) = (self.sources.get(&module), before) {
            allowed(own, before.digest())?;
        }
        // Before anything is touched, as for a reload.
        self.rehearse().await?;
        let report = reload::rollback(&self.modules, Reload::of(module.clone())).await;
        let mut report = report.map_err(|error| error.to_string())?;
        report.unrecorded = self.remember(&module).await;
        Ok(report)
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
        let (own, current) = (self.sources.get(module)?.clone(), self.modules.find(module)?.digest());
        let written = tokio::task::spawn_blocking(move || write_down(&deployments, &own, current)).await;
        let unrecorded = written.unwrap_or_else(|ended| Err(ended.to_string())).err()?;
        tracing::error!(module, digest = %current, reason = unrecorded, "what runs now is not recorded");
        Some(unrecorded)
    }

    /// The components that are in use, or may be gone back to.
    pub(super) fn components(&self) -> BTreeSet<Digest> {
        let versions = self.modules.names().into_iter().flat_map(|name| {
            let current = self.modules.find(&name);
            current.into_iter().chain(self.modules.previous(&name))
        });
        let deployments = self.deployments.iter();
        let deployed = deployments.flat_map(|deployments| deployments.deployed.digests());
        versions.map(|version| version.digest()).chain(deployed).collect()
    }
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
    current: Digest,
) -> Result<(), String> {
    let module = own.name.as_str();
    // Before the record changes: without this digest nobody could tell later that the file has changed since.
    let file = file_digest(own).map_err(|error| {
        let path = own.path.display();
        format!("after a restart the module may run something else, because {path} can't be read: {error}")
    })?;
    // The store is free again before the record is written, so uploads don't wait for that write.
    let is_stored = {
        let store = store.lock();
        store.path(&current).is_some()
    };
    let written = if Some(current) == file {
        deployed.clear(module)
    } else if is_stored {
        deployed.set(module, current, file)
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
