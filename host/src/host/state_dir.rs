//! What a node keeps on disk between its lives: checkpoints, and what was deployed to it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use super::deployments::{self, COMPONENTS, Deployments, RECORD};
use super::error::HostError;
use super::names;
use super::user_dirs;
use crate::checkpoint::Database;
use crate::config::{ActorSection, NodeConfig};
use crate::entities::Durability;
use crate::entity_store::EntityDatabase;
use crate::files::{self, Owner, Unguarded};
use crate::guest::{CheckpointWriter, Checkpoints, ModuleSource, ReservedNames};

/// The file with the states of actors.
const CHECKPOINTS: &str = "checkpoints.redb";

/// The file with the states of entities.
const ENTITIES: &str = "entities.redb";

/// See the module. What the configuration doesn't ask for isn't there, and then nothing is written anywhere.
#[derive(Clone)]
pub(super) struct StateDir {
    pub(super) writer: Option<CheckpointWriter>,
    pub(super) deployments: Option<Deployments>,
    pub(super) entities: Option<Arc<EntityDatabase>>,
}

impl StateDir {
    /// Opens what the configuration asks for. From then on no other node can open it, until this is dropped.
    ///
    /// # Errors
    /// There is no folder for it, or others may write there, or another node has it; or what is in it can't be read.
    pub(super) async fn open(config: &NodeConfig) -> Result<Self, HostError> {
        check_folder(config)?;
        let (wants_checkpoints, wants_entities) = (wants_checkpoints(config), wants_entities(config));
        if !is_needed(config) {
            return Ok(Self {
                writer: None,
                deployments: None,
                entities: None,
            });
        }
        let folder = folder(config).ok_or(HostError::NoStateDirectory)?;
        let control = config.control.is_some();
        let names = names::reserved(config);
        let open = move || {
            Ok(Self {
                writer: wants_checkpoints.then(|| checkpoints(&folder, &names)).transpose()?,
                deployments: control.then(|| Deployments::open(&folder)).transpose()?,
                entities: wants_entities.then(|| entities(&folder)).transpose()?,
            })
        };
        // A database is checked from end to end when it is opened.
        let opened = tokio::task::spawn_blocking(open).await;
        let opened = opened.unwrap_or_else(|ended| Err(HostError::StateDir(ended.to_string())))?;
        // Somebody may have made the folder just before this node would have.
        check_folder(config)?;
        Ok(opened)
    }

    /// Where the code of each module comes from: what was deployed, or its own file.
    pub(super) fn sources(&self, modules: &[ModuleSource]) -> Vec<ModuleSource> {
        let deployed = |own| {
            self.deployments
                .as_ref()
                .and_then(|deployments| deployments.source(own))
        };
        modules
            .iter()
            .map(|own| deployed(own).unwrap_or_else(|| own.clone()))
            .collect()
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

fn entities(folder: &Path) -> Result<Arc<EntityDatabase>, HostError> {
    Ok(Arc::new(EntityDatabase::open(folder.join(ENTITIES))?))
}

fn checkpoints(folder: &Path, names: &ReservedNames) -> Result<CheckpointWriter, HostError> {
    let database = Database::open(folder.join(CHECKPOINTS))?;
    match database.forget_gone(|actor| names.contains(actor), SystemTime::now()) {
        Ok(gone) if gone.is_empty() => {}
        Ok(gone) => tracing::info!(
            actors = ?gone,
            "the states of actors that node.toml doesn't start any more are old, or too many, and are given up"
        ),
        // They cost room and nothing more, which is no reason to keep the node from starting.
        Err(error) => tracing::warn!(%error, "the states of actors that are gone can't be given up"),
    }
    Ok(CheckpointWriter::new(Arc::new(database)))
}

/// Where the code of each module would come from if the node started now. Changes nothing.
///
/// # Errors
/// It can't be read what was deployed.
pub(super) fn sources(config: &NodeConfig) -> Result<Vec<ModuleSource>, HostError> {
    match folder(config).filter(|_| config.control.is_some()) {
        Some(folder) => deployments::look(&folder, &config.modules),
        None => Ok(config.modules.clone()),
    }
}

/// Finds out whether there could be a folder for what is to outlive the node, if there is to be one. Writes nothing.
///
/// # Errors
/// None is known, or it could not be made or written to; or others may write to it, or to what is in it: what the node runs and goes on
/// from is there.
pub(crate) fn check_folder(config: &NodeConfig) -> Result<(), HostError> {
    if !is_needed(config) {
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
    let own = [CHECKPOINTS, ENTITIES, RECORD, COMPONENTS].map(|name| folder.join(name));
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
pub(crate) fn folder_in_use(config: &NodeConfig) -> Option<PathBuf> {
    let is_used = config.runtime.state_dir.is_some() || is_needed(config);
    folder(config).filter(|_| is_used)
}

/// Something is to outlive the node.
fn is_needed(config: &NodeConfig) -> bool {
    wants_checkpoints(config) || wants_entities(config) || config.control.is_some()
}

/// The states of a cluster's entities are in its store.
fn wants_entities(config: &NodeConfig) -> bool {
    let mut types = config.entities.iter();
    config.cluster.is_none() && types.any(|section| section.durability != Durability::None)
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

/// Where a node keeps what is to outlive it: as `state_dir` says, or else in the user's state directory, if they have one.
pub(super) fn folder(config: &NodeConfig) -> Option<PathBuf> {
    let chosen = config.runtime.state_dir.clone();
    chosen.or_else(|| default_state_dir(&config.node.full_name()))
}

/// The folder for this node in the user's state directory.
fn default_state_dir(node: &str) -> Option<PathBuf> {
    Some(user_dirs::state()?.join(file_name(node)))
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
