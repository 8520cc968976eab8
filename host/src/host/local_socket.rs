//! Where the operator on the node's machine finds it: see [`control::local`](crate::control).

use std::path::PathBuf;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use super::{state_dir, user_dirs};
use crate::config::NodeConfig;
use crate::control::{self, LocalDoor, MAX_PATH, RequestWorker};
use crate::files;

/// The name of the socket in the state directory.
const SOCKET: &str = "control.sock";

/// Where the node's socket may be, the best place first. The node takes the first that it can have, and a command looks at all.
pub(crate) fn places(config: &NodeConfig) -> Vec<PathBuf> {
    let state = state_dir::folder(config);
    // Two nodes never have the same state directory, so its path tells their sockets apart where there is no room for it.
    let short = state.as_ref().and_then(|state| {
        let state = std::path::absolute(state).unwrap_or_else(|_| state.clone());
        let digest = Sha256::digest(state.as_os_str().as_encoded_bytes());
        let name = digest
            .iter()
            .take(8)
            .fold(String::new(), |name, byte| format!("{name}{byte:02x}"));
        Some(user_dirs::runtime()?.join(format!("{name}.sock")))
    });
    // The state directory is not made for this alone: a node that keeps nothing writes nothing there.
    let in_state = state.filter(|_| state_dir::folder_in_use(config).is_some());
    let places = in_state.map(|folder| folder.join(SOCKET)).into_iter().chain(short);
    places.filter(|path| path.as_os_str().len() <= MAX_PATH).collect()
}

/// Opens the socket at the first place that the node can have. A node without one runs all the same.
pub(super) fn open(config: &NodeConfig, worker: &Arc<RequestWorker>) -> Option<LocalDoor> {
    for path in places(config) {
        // The folder for short paths may be missing; a state directory is there by now.
        let made = path.parent().map_or(Ok(()), files::create_folder);
        match made
            .map_err(Into::into)
            .and_then(|()| control::open(&path, worker.clone()))
        {
            Ok(door) => {
                tracing::info!(path = %door.path().display(), "commands on this machine reach the node here");
                return Some(door);
            }
            Err(error) => tracing::info!(path = %path.display(), %error, "there can be no local socket here"),
        }
    }
    tracing::info!(
        "the node has no local socket: commands reach it by its address alone; `state_dir` in [runtime] gives it a place"
    );
    None
}
