//! The node's end of the socket.

use std::fs::File;
use std::io;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncBufRead, AsyncBufReadExt as _, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::AbortHandle;
use tokio::time::timeout;

use super::{End, MAX_PATH, MAX_REQUEST, read_frame, trusts, write_frame};
use crate::control::body::body_of;
use crate::control::message::Answer;
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
    _lock: LockFile,
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

/// A file that is there while somebody has it locked. It is beside the socket, because a socket's own file can't be locked, and one that is
/// there says nothing of whether a node is behind it.
#[derive(Debug)]
struct LockFile {
    path: PathBuf,
    _locked: File,
}

impl LockFile {
    /// Makes it and locks it. Waits for a moment if another process has it, which may be on its way out.
    ///
    /// # Errors
    /// Another process has it, or it can't be made.
    fn take(path: PathBuf) -> Result<Self, NotOpened> {
        let until = Instant::now() + SUCCESSION;
        loop {
            let file = File::options()
                .write(true)
                .create(true)
                .truncate(false)
                .mode(0o600)
                .custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed())
                .open(&path)?;
            let left = until.saturating_duration_since(Instant::now());
            files::lock(&file, left).map_err(|_| NotOpened::Taken)?;
            // The one before may have taken the file away between these two, and the next one would make and lock another.
            let own = file.metadata()?;
            let is_there = std::fs::symlink_metadata(&path);
            if is_there.is_ok_and(|there| (there.dev(), there.ino()) == (own.dev(), own.ino())) {
                return Ok(Self { path, _locked: file });
            }
        }
    }
}

impl Drop for LockFile {
    fn drop(&mut self) {
        // While it is locked: whoever waits for it sees that it is gone, and makes another.
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
    let lock = path.with_extension("lock");
    let locking = tokio::task::spawn_blocking(move || LockFile::take(lock));
    let lock = locking.await.map_err(io::Error::other)??;
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
                    let Ok(place) = room.clone().try_acquire_owned() else {
                        tracing::warn!(most = MOST_CONNECTIONS, "a command is turned away: as many as may are at the local socket");
                        continue;
                    };
                    let worker = worker.clone();
                    connections.spawn(async move {
                        serve(stream, &worker, place).await;
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

async fn serve(mut stream: UnixStream, worker: &RequestWorker, connection: OwnedSemaphorePermit) {
    if !trusts(&stream, End::Node) {
        tracing::warn!("another user tried the local socket, and was turned away");
        return;
    }
    let (requests, mut answers) = stream.split();
    let mut requests = BufReader::new(requests);
    while let Ok(Ok(Some(body))) = timeout(SILENCE, read_frame(&mut requests, MAX_REQUEST)).await {
        let answer = match worker.place(Asker::Here) {
            Ok(place) => {
                let mut outcome = pin!(worker.outcome(body, Role::Deploy, place));
                tokio::select! {
                    answer = &mut outcome => answer,
                    () = has_gone(&mut requests) => {
                        // What was asked is done all the same, and takes the place of no other command.
                        drop(connection);
                        drop(outcome.await);
                        return;
                    }
                }
            }
            Err(refusal) => Answer::Failed {
                reason: refusal.to_string(),
            },
        };
        let answer = body_of(answer).await;
        if !matches!(timeout(PATIENCE, write_frame(&mut answers, &answer)).await, Ok(Ok(()))) {
            return;
        }
    }
}

/// Waits until the other end has gone. Never comes back if that has sent its next request already.
async fn has_gone(requests: &mut (impl AsyncBufRead + Unpin)) {
    if requests.fill_buf().await.is_ok_and(|next| !next.is_empty()) {
        std::future::pending().await
    }
}
