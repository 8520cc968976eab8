//! What a node keeps on disk between its lives: checkpoints, and what was deployed to it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use parking_lot::Mutex;

use super::alone::Alone;
use super::deployed::{Deployed, DeploymentState, OwnFile};
use super::error::HostError;
use super::start::reserved_names;
use crate::checkpoint::Database;
use crate::config::{ActorSection, NodeConfig};
use crate::control::{ComponentStore, StoreLimits};
use crate::files::{self, Owner, Unguarded};
use crate::guest::{CheckpointWriter, Checkpoints, Digest, ModuleSource, ReservedNames};

/// What a folder for states has, by name: the states of actors, what was deployed, and the components that it is made of.
const CHECKPOINTS: &str = "checkpoints.redb";
const RECORD: &str = "deployed.json";
const COMPONENTS: &str = "components";

/// See the module. What the configuration doesn't ask for isn't there, and then nothing is written anywhere.
pub(super) struct StateDir {
    pub(super) writer: Option<CheckpointWriter>,
    pub(super) deployments: Option<Deployments>,
}

/// What was deployed, and the components that it is made of.
#[derive(Clone)]
pub(super) struct Deployments {
    pub(super) deployed: Arc<Deployed>,
    pub(super) store: Arc<Mutex<ComponentStore>>,
}

impl StateDir {
    pub(super) async fn open(config: &NodeConfig) -> Result<Self, HostError> {
        check_folder(config)?;
        let wants_checkpoints = wants_checkpoints(config);
        if !wants_checkpoints && config.control.is_none() {
            return Ok(Self {
                writer: None,
                deployments: None,
            });
        }
        let folder = folder(config).ok_or(HostError::NoStateDirectory)?;
        let control = config.control.is_some();
        let names = reserved_names(config);
        let open = move || {
            Ok(Self {
                writer: wants_checkpoints.then(|| checkpoints(&folder, &names)).transpose()?,
                deployments: control.then(|| Deployments::open(&folder)).transpose()?,
            })
        };
        // A database is checked from end to end when it is opened.
        let opened = tokio::task::spawn_blocking(open).await;
        let opened = opened.unwrap_or_else(|ended| Err(HostError::StateDir(ended.to_string())))?;
        // Somebody may have made the folder just before this node would have.
        check_folder(config)?;
        Ok(opened)
    }

    /// Where the code of a module comes from: what was deployed, or its own file.
    pub(super) fn source(&self, own: &ModuleSource) -> ModuleSource {
        let deployed = self
            .deployments
            .as_ref()
            .and_then(|deployments| deployments.source(own));
        deployed.unwrap_or_else(|| own.clone())
    }

    /// How the states of these actors are kept, if they are.
    pub(super) fn checkpoints(&self, section: &ActorSection) -> Option<Checkpoints> {
        let (checkpoint, writer) = (section.checkpoint?, self.writer.as_ref()?);
        Some(Checkpoints {
            every: checkpoint.every,
            keep: checkpoint.keep,
            writer: writer.clone(),
        })
    }
}

fn checkpoints(folder: &Path, names: &ReservedNames) -> Result<CheckpointWriter, HostError> {
    let database = Database::open(folder.join(CHECKPOINTS))?;
    match database.forget_gone(|actor| names.contains(actor), SystemTime::now()) {
        Ok(gone) if gone.is_empty() => {}
        Ok(gone) => tracing::info!(
            actors = ?gone,
            "the states of actors that node.toml doesn't start any more are old, or too many, and are given up"
        ),
        Err(error) => tracing::warn!(%error, "the states of actors that are gone can't be given up"),
    }
    Ok(CheckpointWriter::new(Arc::new(database)))
}

impl Deployments {
    fn open(folder: &Path) -> Result<Self, HostError> {
        let components = folder.join(COMPONENTS);
        files::create_folder(&components).map_err(|error| HostError::StateDir(error.to_string()))?;
        let alone = Alone::in_folder(&components)?;
        let store = ComponentStore::open(components, StoreLimits::default());
        let store = store.map_err(|error| HostError::StateDir(error.to_string()))?;
        let record = folder.join(RECORD);
        let deployed = Deployed::open(record.clone()).map_err(|error| unread(&record, &error))?;
        Ok(Self {
            deployed: Arc::new(deployed.with(alone)),
            store: Arc::new(Mutex::new(store)),
        })
    }

    fn source(&self, own: &ModuleSource) -> Option<ModuleSource> {
        let module = &own.name;
        let digest = match self.deployed.state_of(own, OwnFile::of(own)) {
            DeploymentState::Nothing => return None,
            DeploymentState::Runs(digest) => digest,
            DeploymentState::Outdated => {
                tracing::info!(
                    module,
                    "the module's file has changed since something else was deployed: the file it is"
                );
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

fn stored(own: &ModuleSource, path: PathBuf, digest: Digest) -> ModuleSource {
    ModuleSource {
        name: own.name.clone(),
        path,
        digest: Some(digest),
    }
}

/// Where the code of each module would come from if the node started now, as [`StateDir::source`] says it. Changes nothing.
///
/// # Errors
/// It can't be read what was deployed.
pub(super) fn sources(config: &NodeConfig) -> Result<Vec<ModuleSource>, HostError> {
    let Some(folder) = folder(config).filter(|_| config.control.is_some()) else {
        return Ok(config.modules.clone());
    };
    let record = folder.join(RECORD);
    let deployed = Deployed::look(record.clone()).map_err(|error| unread(&record, &error))?;
    let source = |own: &ModuleSource| match deployed.state_of(own, OwnFile::of(own)) {
        DeploymentState::Runs(digest) => {
            let path = ComponentStore::look(&folder.join(COMPONENTS), &digest)?;
            Some(stored(own, path, digest))
        }
        DeploymentState::Nothing | DeploymentState::Outdated | DeploymentState::Forbidden(_) => None,
    };
    let each = config.modules.iter();
    Ok(each.map(|own| source(own).unwrap_or_else(|| own.clone())).collect())
}

fn unread(record: &Path, error: &std::io::Error) -> HostError {
    let record = record.display();
    HostError::StateDir(format!(
        "the record of what was deployed, {record}, can't be read: {error}"
    ))
}

/// Finds out whether there could be a folder for what is to outlive the node, if there is to be one. Writes nothing.
///
/// # Errors
/// None is known, or it could not be made or written to; or others may write to it, or to what is in it: what the node runs and goes on
/// from is there.
pub(super) fn check_folder(config: &NodeConfig) -> Result<(), HostError> {
    if !wants_checkpoints(config) && config.control.is_none() {
        return Ok(());
    }
    let folder = folder(config).ok_or(HostError::NoStateDirectory)?;
    let unusable = |path: &Path, why: &str| {
        let (folder, path) = (folder.display(), path.display());
        Err(HostError::StateDir(format!(
            "nothing can be kept in {folder}: {path} {why}"
        )))
    };
    let Some(existing) = folder.ancestors().find(|above| above.symlink_metadata().is_ok()) else {
        return Ok(());
    };
    if !existing.is_dir() {
        return unusable(existing, "is not a folder");
    }
    if !may_write(existing) {
        return unusable(existing, "can't be written to");
    }
    let own = [CHECKPOINTS, RECORD, COMPONENTS].map(|name| folder.join(name));
    for path in own.iter().filter(|path| path.exists()).chain([&folder]) {
        match files::check_writers(path, Owner::Ours) {
            Ok(()) => {}
            Err(Unguarded::Writable(found)) => {
                let why = format!("{}; {}", found.by, found.help());
                return unusable(&found.path, &why);
            }
            Err(Unguarded::Unknown(error)) => return unusable(path, &format!("can't be looked at: {error}")),
        }
    }
    Ok(())
}

/// The folder, if this node keeps something there or may be told to.
pub(super) fn folder_in_use(config: &NodeConfig) -> Option<PathBuf> {
    let is_used = config.runtime.state_dir.is_some() || wants_checkpoints(config) || config.control.is_some();
    folder(config).filter(|_| is_used)
}

fn wants_checkpoints(config: &NodeConfig) -> bool {
    config.actors.iter().any(|actor| actor.checkpoint.is_some())
}

#[cfg(unix)]
fn may_write(folder: &Path) -> bool {
    use rustix::fs::{Access, access};
    access(folder, Access::WRITE_OK | Access::EXEC_OK).is_ok()
}

#[cfg(not(unix))]
fn may_write(_: &Path) -> bool {
    true
}

/// Where a node keeps what is to outlive it: as `state_dir` says, or else in the user's state directory, if there is one.
pub(super) fn folder(config: &NodeConfig) -> Option<PathBuf> {
    let chosen = config.runtime.state_dir.clone();
    chosen.or_else(|| default_state_dir(&config.node.full_name()))
}

/// The folder for this node in the user's state directory.
fn default_state_dir(node: &str) -> Option<PathBuf> {
    Some(user_folder()?.join(file_name(node)))
}

/// The folder for this program in the user's state directory, as the XDG base directory specification has it.
pub(super) fn user_folder() -> Option<PathBuf> {
    let folder = |variable| {
        std::env::var_os(variable)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    let user = folder("XDG_STATE_HOME").or_else(|| folder("HOME").map(|home| home.join(".local").join("state")))?;
    Some(user.join("ractor-host"))
}

/// A node's name as the name of a folder: different names stay different.
fn file_name(node: &str) -> String {
    let mut name = String::new();
    for byte in node.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_@".contains(&byte) || (byte == b'.' && !name.is_empty()) {
            name.push(char::from(byte));
        } else {
            name.push_str(&format!("%{byte:02x}"));
        }
    }
    name
}

#[cfg(test)]
mod tests {
    use super::file_name;

    #[test]
    fn a_name_of_a_node_is_one_of_a_folder() {
        assert_eq!(file_name("alpha@host.example"), "alpha@host.example");
        assert_eq!(file_name("../a%b@ö"), "%2e.%2fa%25b@%c3%b6");
    }
}
