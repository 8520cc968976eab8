//! Where the operator on the node's machine finds it: see [`control::local`](crate::control).

use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use super::{state_dir, user_dirs};
use crate::config::NodeConfig;
use crate::control::{self, LocalDoor, MAX_PATH, RequestWorker};
use crate::files::{self, Owner};

/// The name of the socket in the state directory.
const SOCKET: &str = "control.sock";

/// Where the node's socket may be, the best place first. The node takes the first that it can have, and a command looks at all. Both
/// come to the same places however they name the file.
fn places(config: &NodeConfig) -> Vec<PathBuf> {
    fitting([in_state(config), short(config)])
}

/// Where a command looks for it: outside of the state directory only in a folder that is nobody else's. Who has made another one would be told
/// all that is asked, and root, who may ask whatever node there is, would not notice.
pub(crate) fn places_to_ask(config: &NodeConfig) -> Vec<PathBuf> {
    let is_guarded = |folder: &Path| folder.is_dir() && files::check_writers(folder, Owner::Ours).is_ok();
    let guarded = short(config).filter(|path| path.parent().is_some_and(is_guarded));
    fitting([in_state(config), guarded])
}

/// Those of them that a socket may have.
fn fitting(places: [Option<PathBuf>; 2]) -> Vec<PathBuf> {
    let places = places.into_iter().flatten();
    places.filter(|path| path.as_os_str().len() <= MAX_PATH).collect()
}

/// The place in the state directory, which is not made for this alone: a node that keeps nothing writes nothing there.
fn in_state(config: &NodeConfig) -> Option<PathBuf> {
    state_dir::folder_in_use(config).map(|folder| real(&folder).join(SOCKET))
}

/// The place for a node without a state directory, or with one whose path is too long. Files tell nodes apart that have one name, and
/// names those that share a file.
fn short(config: &NodeConfig) -> Option<PathBuf> {
    let mut digest = Sha256::new();
    digest.update(real(&config.file).as_os_str().as_encoded_bytes());
    digest.update([0]);
    digest.update(config.node.full_name());
    let digest = digest.finalize();
    let name = digest
        .iter()
        .take(8)
        .fold(String::new(), |name, byte| format!("{name}{byte:02x}"));
    Some(real(&user_dirs::runtime()?).join(format!("{name}.sock")))
}

/// The path without links and detours; as it is, from the root on, where it leads nowhere yet.
fn real(path: &Path) -> PathBuf {
    path.canonicalize()
        .or_else(|_| std::path::absolute(path))
        .unwrap_or_else(|_| path.to_owned())
}

/// Opens the socket at the first place that the node can have. A node without one runs all the same.
pub(super) async fn open(config: &NodeConfig, worker: &Arc<RequestWorker>) -> Option<LocalDoor> {
    // First, because a folder that is there may have another path than one that isn't.
    for folder in [state_dir::folder_in_use(config), user_dirs::runtime()]
        .into_iter()
        .flatten()
    {
        if let Err(error) = files::create_folder(&folder) {
            tracing::debug!(folder = %folder.display(), %error, "there is no folder for a local socket here");
        }
    }
    for path in places(config) {
        let folder = path.parent().unwrap_or(Path::new("/"));
        // Who may write there could put something else in the place of the socket.
        let guarded = files::check_writers(folder, Owner::Ours).map_err(|unguarded| unguarded.to_string());
        let opened = match guarded {
            Ok(()) => control::open(&path, worker.clone())
                .await
                .map_err(|error| error.to_string()),
            Err(unguarded) => Err(unguarded),
        };
        match opened {
            Ok(door) => {
                tracing::info!(path = %door.path().display(), "commands on this machine reach the node here");
                return Some(door);
            }
            Err(error) => tracing::warn!(path = %path.display(), error, "there can be no local socket here"),
        }
    }
    tracing::info!(
        "the node has no local socket: commands reach it by its address alone; `state_dir` in [runtime] gives it a place"
    );
    None
}
