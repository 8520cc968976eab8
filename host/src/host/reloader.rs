//! What the node does with code that is deployed to it: for the control actor, and for files that are watched.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use ractor::ActorRef;

use super::deployed::{Deployed, file_digest};
use crate::control::{
    ActorStatus, CONTROL, ComponentStore, GivenUpStatus, ModuleStatus, NodeStatus, OtherNode, Service,
};
use crate::directory::{self, BoxFuture};
use crate::files;
use crate::guest::{Digest, Module, ModuleSource, Modules};
use crate::node::NodeServerMessage;
use crate::supervision::ReadinessWatch;
use crate::supervision::reload::{self, Reload, ReloadReport};

/// The number of actors of a module that a status lists.
const ACTORS_LISTED: usize = 1000;

/// The longest wait for another node's control actor to be found.
const LOOKUP: Duration = Duration::from_secs(2);

/// Told how each reload of a watched file ended.
pub(super) type ReloadListener = Arc<dyn Fn(&str, &Result<ReloadReport, String>) + Send + Sync>;

/// See the module.
pub(super) struct Reloader {
    pub(super) node: String,
    pub(super) server: ActorRef<NodeServerMessage>,
    pub(super) modules: Modules,
    /// Where node.toml says that each module comes from.
    pub(super) sources: BTreeMap<String, ModuleSource>,
    /// What stays after a restart; none if nothing does, because nobody can deploy.
    pub(super) deployed: Option<Arc<Deployed>>,
    pub(super) store: Option<Arc<Mutex<ComponentStore>>>,
    pub(super) listener: Option<ReloadListener>,
    /// Tells of the actors that were given up.
    pub(super) readiness: ReadinessWatch,
}

impl Reloader {
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
    pub(super) async fn reload_and_tell(&self, reload: Reload) {
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

    async fn do_reload(&self, mut reload: Reload) -> Result<ReloadReport, String> {
        let (module, dry_run) = (reload.module.clone(), reload.dry_run);
        let Some(own) = self.sources.get(&module) else {
            let known: Vec<_> = self.sources.keys().map(String::as_str).collect();
            return Err(format!("there is no module `{module}`; there is: {}", known.join(", ")));
        };
        reload.digest.map_or(Ok(()), |digest| allowed(own, digest))?;
        // A reload to the module's own file changes the record only if something else is in it.
        if !dry_run && (reload.file.is_some() || self.is_deployed(&module)) {
            self.rehearse().await?;
        }
        reload.file.get_or_insert_with(|| own.path.clone());
        reload.digest = reload.digest.or(own.digest);
        let mut report = reload::reload(&self.modules, reload)
            .await
            .map_err(|error| error.to_string())?;
        if !dry_run {
            report.unrecorded = self.remember(&module).await;
        }
        Ok(report)
    }

    async fn do_rollback(&self, module: String) -> Result<ReloadReport, String> {
        let before = self.modules.previous(&module).into_iter().next();
        if let (Some(own), Some(before)) = (self.sources.get(&module), before) {
            allowed(own, before.digest())?;
        }
        self.rehearse().await?;
        let report = reload::rollback(&self.modules, Reload::of(module.clone())).await;
        let mut report = report.map_err(|error| error.to_string())?;
        report.unrecorded = self.remember(&module).await;
        Ok(report)
    }

    /// True if the module runs something else than its own file.
    fn is_deployed(&self, module: &str) -> bool {
        self.deployed.as_ref().is_some_and(|deployed| deployed.has(module))
    }

    /// A disk that is full is found out before anything is touched.
    async fn rehearse(&self) -> Result<(), String> {
        let Some(deployed) = self.deployed.clone() else {
            return Ok(());
        };
        let rehearsed = tokio::task::spawn_blocking(move || deployed.rehearse()).await;
        rehearsed
            .unwrap_or_else(|ended| Err(std::io::Error::other(ended)))
            .map_err(|error| {
                format!("it could not be written down what is deployed: {error}; is there room in `state_dir`?")
            })
    }

    /// Writes down what the module runs now, if that is not what its file has. Gives what that came to if it can't.
    async fn remember(&self, module: &str) -> Option<String> {
        let (deployed, store) = (self.deployed.clone()?, self.store.clone()?);
        let (own, current) = (self.sources.get(module)?.clone(), self.modules.find(module)?.digest());
        let written = tokio::task::spawn_blocking(move || write_down(&deployed, &store, &own, current)).await;
        let unrecorded = written.unwrap_or_else(|ended| Err(ended.to_string())).err()?;
        tracing::error!(module, digest = %current, reason = unrecorded, "what runs now is not written down");
        Some(unrecorded)
    }

    async fn module_status(&self, module: &Module) -> ModuleStatus {
        let name = module.name().to_owned();
        let described = module.descriptor().await;
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

impl Service for Reloader {
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

    fn nodes(&self) -> BoxFuture<'_, Result<Vec<OtherNode>, String>> {
        Box::pin(async {
            let sessions = self.server.call(NodeServerMessage::GetSessions, None).await;
            let sessions = sessions.map_err(|error| error.to_string())?;
            let sessions = sessions.success_or("the node is going down")?;
            let mut nodes = Vec::new();
            for peer in sessions.into_values().filter_map(|session| session.peer_name) {
                let name = format!("{CONTROL}@{}", peer.name);
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
        Box::pin(self.do_reload(reload))
    }

    fn rollback(&self, module: String) -> BoxFuture<'_, Result<ReloadReport, String>> {
        Box::pin(self.do_rollback(module))
    }

    fn components(&self) -> BTreeSet<Digest> {
        let versions = self.modules.names().into_iter().flat_map(|name| {
            let current = self.modules.find(&name);
            current.into_iter().chain(self.modules.previous(&name))
        });
        let deployed = self.deployed.iter().flat_map(|deployed| deployed.digests());
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
    deployed: &Deployed,
    store: &Mutex<ComponentStore>,
    own: &ModuleSource,
    current: Digest,
) -> Result<(), String> {
    let module = own.name.as_str();
    let file = file_digest(own).map_err(|error| {
        let path = own.path.display();
        format!("after a restart the module may run something else, because {path} can't be read: {error}")
    })?;
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
