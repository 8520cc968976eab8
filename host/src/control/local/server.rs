//! The node's end of the socket.

use std::fs::File;
use std::io;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Semaphore;
use tokio::task::AbortHandle;
use tokio::time::timeout;

use super::{End, MAX_PATH, MAX_REQUEST, read_frame, trusts, write_frame};
use crate::control::message::{Answer, encode_answer};
use crate::control::role::Role;
use crate::control::rooms::Asker;
use crate::control::worker::RequestWorker;
use crate::files;

/// The most connections at once. Further ones are closed.
const MOST_CONNECTIONS: usize = 64;

/// The longest that a connection may be silent, and the longest that a request may be on its way.
const SILENCE: Duration = Duration::from_mins(10);

/// The longest that an answer may take to be taken.
const PATIENCE: Duration = Duration::from_secs(30);

/// The longest that a node waits for the one before it to let go of the socket.
const SUCCESSION: Duration = Duration::from_secs(2);

/// The pause after a connection that could not be accepted, such as where the process has no file descriptor left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Why there is no socket.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotOpened {
    #[error("its path has more than {MAX_PATH} bytes")]
    TooLong,
    #[error("another node has it")]
    Taken,
    #[error("{0}")]
    Io(#[from] io::Error),
}

/// The socket. It ends, and its file goes, when this is dropped; connections end with it.
#[derive(Debug)]
pub(crate) struct LocalDoor {
    path: PathBuf,
    accepting: AbortHandle,
    /// Held for as long as the socket is this node's.
    _lock: File,
}

impl LocalDoor {
    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for LocalDoor {
    fn drop(&mut self) {
        self.accepting.abort();
        // If it is gone already, somebody was faster.
        drop(std::fs::remove_file(&self.path));
    }
}

/// Opens the socket at this path, in place of one that a node before has left. Waits for a moment if that one is on
/// its way out.
///
/// # Errors
/// There can't be one there.
pub(crate) async fn open(path: &Path, worker: Arc<RequestWorker>) -> Result<LocalDoor, NotOpened> {
    if path.as_os_str().len() > MAX_PATH {
        return Err(NotOpened::TooLong);
    }
    // A lock beside it, because a socket's own file can't be locked, and one that is there says nothing of whether a node is behind it.
    let lock = File::options()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed())
        .open(path.with_extension("lock"))?;
    let locking = tokio::task::spawn_blocking(move || files::lock(&lock, SUCCESSION).map(|()| lock));
    let locked = locking.await.map_err(io::Error::other)?;
    let lock = locked.map_err(|_| NotOpened::Taken)?;
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
        _ => {}
    }
    let listener = UnixListener::bind(path)?;
    // Until this is done others may connect, and are turned away by who they are.
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    let accepting = tokio::spawn(accept(listener, worker)).abort_handle();
    Ok(LocalDoor {
        path: path.to_owned(),
        accepting,
        _lock: lock,
    })
}

async fn accept(listener: UnixListener, worker: Arc<RequestWorker>) {
    let room = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    // They end with this task, which ends with the door.
    let mut connections = tokio::task::JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    let Ok(place) = room.clone().try_acquire_owned() else { continue };
                    let worker = worker.clone();
                    connections.spawn(async move {
                        serve(stream, &worker).await;
                        drop(place);
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection to the local socket can't be accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn serve(mut stream: UnixStream, worker: &RequestWorker) {
    if !trusts(&stream, End::Node) {
        tracing::warn!("another user tried the local socket, and was turned away");
        return;
    }
    while let Ok(Ok(Some(body))) = timeout(SILENCE, read_frame(&mut stream, MAX_REQUEST)).await {
        let answer = match worker.place(Asker::Here) {
            Ok(place) => worker.outcome(body, Role::Deploy, place).await,
            Err(refusal) => Answer::Failed {
                reason: refusal.to_string(),
            },
        };
        let answer = encode_answer(&answer);
        if !matches!(timeout(PATIENCE, write_frame(&mut stream, &answer)).await, Ok(Ok(()))) {
            return;
        }
    }
}
