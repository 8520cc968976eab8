//! What was deployed to a node, which outlives it: the record of it, and the components that it is made of.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;

use super::deployment_record::{DeploymentRecord, DeploymentState, OwnFile};
use super::error::HostError;
use super::folder_lock::FolderLock;
use crate::control::{ComponentStore, StoreLimits};
use crate::files;
use crate::guest::{Digest, ModuleSource};

/// The file with the record, in the state directory.
pub(super) const RECORD: &str = "deployed.json";

/// The folder with the components, in the state directory.
pub(super) const COMPONENTS: &str = "components";

/// What was deployed, and the components that it is made of.
#[derive(Clone)]
pub(super) struct Deployments {
    pub(super) deployed: Arc<DeploymentRecord>,
    pub(super) store: Arc<Mutex<ComponentStore>>,
}

impl Deployments {
    /// Opens what is in this state directory, or begins with nothing. Blocks.
    ///
    /// # Errors
    /// Another node has it, or it can't be read.
    pub(super) fn open(folder: &Path) -> Result<Self, HostError> {
        let components = folder.join(COMPONENTS);
        files::create_folder(&components).map_err(|error| HostError::StateDir(error.to_string()))?;
        // Before the record is read: another node could write it in between.
        let lock = FolderLock::take(&components)?;
        let store = ComponentStore::open(components, StoreLimits::default());
        let store = store.map_err(|error| HostError::StateDir(error.to_string()))?;
        let record = folder.join(RECORD);
        let deployed = DeploymentRecord::open(record.clone()).map_err(|error| unread(&record, &error))?;
        Ok(Self {
            deployed: Arc::new(deployed.with(lock)),
            store: Arc::new(Mutex::new(store)),
        })
    }

    /// What a module runs in place of its own file, if anything. Says in the log why it is, or is not any more.
    pub(super) fn source(&self, own: &ModuleSource) -> Option<ModuleSource> {
        let module = &own.name;
        let digest = match self.deployed.state_of(own, OwnFile::of(own)) {
            DeploymentState::Nothing => return None,
            DeploymentState::Runs(digest) => digest,
            DeploymentState::Outdated => {
                tracing::info!(
                    module,
                    "the module's file has changed since something else was deployed: the file it is"
                );
                // For good: otherwise what was deployed would come back with the file of that time.
                if let Err(error) = self.deployed.clear(module) {
                    tracing::warn!(module, %error, "that can't be written down now; it is tried again");
                }
                return None;
            }
            DeploymentState::Forbidden(digest) => {
                let pinned = own.digest.map(tracing::field::display);
                tracing::warn!(
                    module, deployed = %digest, pinned,
                    "what was deployed is not what `digest` in node.toml pins the module to, and does not run: the module runs its own \
                     file; change `digest` to what was deployed, or leave it out, to run that"
                );
                return None;
            }
        };
        let path = {
            let store = self.store.lock();
            store.sound_path(&digest)
        };
        let Some(path) = path else {
            tracing::warn!(module, %digest, "what was deployed is not there any more, or damaged: the module runs its own file");
            return None;
        };
        tracing::info!(module, %digest, "the module runs what was deployed, not its own file");
        Some(stored(own, path, digest))
    }
}

/// Where the code of each of these modules would come from if the node started now with this state directory. Changes nothing.
///
/// # Errors
/// It can't be read what was deployed.
pub(super) fn look(folder: &Path, modules: &[ModuleSource]) -> Result<Vec<ModuleSource>, HostError> {
    let record = folder.join(RECORD);
    let deployed = DeploymentRecord::look(record.clone()).map_err(|error| unread(&record, &error))?;
    let source = |own: &ModuleSource| match deployed.state_of(own, OwnFile::of(own)) {
        DeploymentState::Runs(digest) => {
            let path = ComponentStore::look(&folder.join(COMPONENTS), &digest)?;
            Some(stored(own, path, digest))
        }
        // Nothing is cleared or logged: a check leaves the record as it finds it.
        DeploymentState::Nothing | DeploymentState::Outdated | DeploymentState::Forbidden(_) => None,
    };
    Ok(modules
        .iter()
        .map(|own| source(own).unwrap_or_else(|| own.clone()))
        .collect())
}

fn stored(own: &ModuleSource, path: PathBuf, digest: Digest) -> ModuleSource {
    match &own.source {
        // Its component is that of the file: what is deployed is what it runs.
        Some(source) => ModuleSource {
            source: Some(source.at(path)),
            ..own.clone()
        },
        None => ModuleSource {
            path,
            digest: Some(digest),
            ..own.clone()
        },
    }
}

fn unread(record: &Path, error: &std::io::Error) -> HostError {
    let record = record.display();
    HostError::StateDir(format!(
        "the record of what was deployed, {record}, can't be read: {error}"
    ))
}
