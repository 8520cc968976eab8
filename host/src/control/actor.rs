//! The control actor: what a node lets those do who have the deploy key.
//!
//! It is a native actor with a well-known name, which any session of the cluster reaches. It handles a message as far as
//! saying whether it is proved; what is asked is done by a task, of which there are few at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use ractor::{Actor, ActorCell, ActorProcessingErr, ActorRef, RpcReplyPort, SpawnErr};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::AbortHandle;
use tokio::time::Instant;

use super::key::DeployKey;
use super::ledger::RequestLedger;
use super::message::{
    Answer, CONTROL, ControlMessage, ControlRefusal, MAX_PIECE, Request, RequestId, decode_body, encode_body,
    encode_reply,
};
use super::service::Service;
use super::sessions::{ControlSessions, ProvedRequest};
use super::store::{ComponentStore, UploadError, UploadProgress};
use crate::guest::Digest;

/// The most requests that are worked on at once. Further ones are refused.
const MOST_REQUESTS: usize = 16;

/// The shortest interval between two refusals in the log. Otherwise anybody with the cookie could fill it.
const LOG_INTERVAL: Duration = Duration::from_secs(1);

/// The pause before a control actor that failed is started again.
const RESTART_PAUSE: Duration = Duration::from_millis(100);

/// Starts the control actor under a supervisor. When it ends it is started again, until what this returns is dropped.
///
/// # Errors
/// The name is taken.
pub(crate) async fn start(control: ControlSetup, supervisor: ActorCell) -> Result<RestartGuard, SpawnErr> {
    let is_closed = control.is_closed.clone();
    let mut actor = spawn(control.clone(), supervisor.clone()).await?;
    let restarts = tokio::spawn(async move {
        loop {
            drop(actor.wait(None).await);
            tracing::error!("the control actor has ended; it is started again");
            actor = loop {
                // An actor that fails at every start must not keep a thread busy.
                tokio::time::sleep(RESTART_PAUSE).await;
                match spawn(control.clone(), supervisor.clone()).await {
                    Ok(actor) => break actor,
                    Err(error) => tracing::error!(%error, "the control actor does not start; it is tried again"),
                }
            };
        }
    });
    Ok(RestartGuard {
        restarts: restarts.abort_handle(),
        is_closed,
    })
}

async fn spawn(control: ControlSetup, supervisor: ActorCell) -> Result<ActorCell, SpawnErr> {
    let (actor, _) = Actor::spawn_linked(Some(CONTROL.to_owned()), ControlActor, control, supervisor).await?;
    Ok(actor.get_cell())
}

/// The control actor is started again whenever it ends, as long as this lives. The actor itself ends with its supervisor.
#[derive(Debug)]
pub(crate) struct RestartGuard {
    restarts: AbortHandle,
    is_closed: Arc<AtomicBool>,
}

impl RestartGuard {
    /// Takes nothing more that would change the node, which is about to stop. What has begun goes on, and who asks what runs is still
    /// answered.
    pub(crate) fn close(self) {
        self.is_closed.store(true, Ordering::Relaxed);
    }
}

impl Drop for RestartGuard {
    fn drop(&mut self) {
        self.restarts.abort();
    }
}

/// What the control actor is made of.
#[derive(Clone)]
pub(crate) struct ControlSetup {
    /// The key whose holders may deploy.
    pub(crate) key: DeployKey,
    /// The node's full name.
    pub(crate) node: String,
    /// Where uploaded components are.
    pub(crate) store: Arc<Mutex<ComponentStore>>,
    /// The node.
    pub(crate) service: Arc<dyn Service>,
    /// What became of requests. It outlives the actor.
    ledger: RequestLedger,
    /// The node is about to stop.
    is_closed: Arc<AtomicBool>,
}

impl ControlSetup {
    /// For the node of this full name.
    pub(crate) fn new(
        key: DeployKey,
        node: String,
        store: Arc<Mutex<ComponentStore>>,
        service: Arc<dyn Service>,
    ) -> Self {
        Self {
            key,
            node,
            store,
            service,
            ledger: RequestLedger::default(),
            is_closed: Arc::default(),
        }
    }
}

struct ControlActor;

struct State {
    sessions: ControlSessions,
    worker: Arc<RequestWorker>,
    refused: RefusalLog,
}

/// Refusals since the last that was logged.
struct RefusalLog {
    logged: Option<Instant>,
    silently: u64,
}

struct RequestWorker {
    store: Arc<Mutex<ComponentStore>>,
    service: Arc<dyn Service>,
    ledger: RequestLedger,
    is_closed: Arc<AtomicBool>,
    room: Arc<Semaphore>,
}

#[cfg_attr(feature = "async-trait", ractor::async_trait)]
impl Actor for ControlActor {
    type Msg = ControlMessage;
    type State = State;
    type Arguments = ControlSetup;

    async fn pre_start(&self, _: ActorRef<ControlMessage>, control: ControlSetup) -> Result<State, ActorProcessingErr> {
        let ControlSetup {
            key,
            node,
            store,
            service,
            ledger,
            is_closed,
        } = control;
        Ok(State {
            sessions: ControlSessions::new(key, node, rand::random(), Instant::now()),
            worker: Arc::new(RequestWorker {
                store,
                service,
                ledger,
                is_closed,
                room: Arc::new(Semaphore::new(MOST_REQUESTS)),
            }),
            refused: RefusalLog {
                logged: None,
                silently: 0,
            },
        })
    }

    async fn handle(
        &self,
        _: ActorRef<ControlMessage>,
        message: ControlMessage,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        let (checked, reply) = match message {
            ControlMessage::Open(client, reply) => match state.open(&client) {
                Ok(hello) => {
                    answer(reply, Ok(&hello));
                    return Ok(());
                }
                Err(refusal) => (Err(refusal), reply),
            },
            ControlMessage::Begin(opening, reply) => (state.sessions.begin(&opening, Instant::now()), reply),
            ControlMessage::Ask(request, reply) => (state.sessions.check(&request, Instant::now()), reply),
        };
        // A place is taken only after the proof, so strangers keep nobody out, however often they ask.
        let refusal = match checked.and_then(|proved| Ok((proved, state.worker.permit()?))) {
            Ok((proved, permit)) => {
                let worker = state.worker.clone();
                // A task, because a reload may take minutes and the actor has to answer others meanwhile.
                tokio::spawn(async move { worker.work(proved, permit, reply).await });
                return Ok(());
            }
            Err(refusal) => refusal,
        };
        state.refused.log(refusal);
        answer(reply, Err(refusal));
        Ok(())
    }
}

/// The caller may have given up meanwhile, which is its own affair.
fn answer(port: RpcReplyPort<Vec<u8>>, bytes: Result<&[u8], ControlRefusal>) {
    drop(port.send(encode_reply(bytes)));
}

impl State {
    /// Opens a session: what its client is told.
    fn open(&self, client: &[u8]) -> Result<Vec<u8>, ControlRefusal> {
        let client = client.try_into().map_err(|_| ControlRefusal::Malformed)?;
        let hello = self.sessions.open(rand::random(), client, Instant::now());
        Ok(hello.to_bytes())
    }
}

impl RefusalLog {
    fn log(&mut self, refusal: ControlRefusal) {
        let now = Instant::now();
        if self
            .logged
            .is_some_and(|logged| now.duration_since(logged) < LOG_INTERVAL)
        {
            self.silently += 1;
            return;
        }
        self.logged = Some(now);
        let before = std::mem::take(&mut self.silently);
        tracing::warn!(reason = %refusal, before, "a request to deploy was refused");
    }
}

impl RequestWorker {
    fn permit(&self) -> Result<OwnedSemaphorePermit, ControlRefusal> {
        self.room.clone().try_acquire_owned().map_err(|_| ControlRefusal::Busy)
    }

    async fn work(&self, proved: ProvedRequest, permit: OwnedSemaphorePermit, reply: RpcReplyPort<Vec<u8>>) {
        let ProvedRequest {
            session,
            counter,
            key,
            body,
        } = proved;
        let outcome = self.outcome(body, permit).await;
        let body = encode_body(&outcome, &[]).or_else(|error| {
            let reason = format!("the answer can't be written: {error}");
            encode_body(&Answer::Failed { reason }, &[])
        });
        if let Ok(body) = body {
            answer(reply, Ok(&key.seal_answer(session, counter, &body)));
        }
    }

    async fn outcome(&self, body: Vec<u8>, permit: OwnedSemaphorePermit) -> Answer {
        let Some((request, piece)) = decode_body::<Request>(&body) else {
            let reason = "this node does not understand the request; it may run another version".to_owned();
            return Answer::Failed { reason };
        };
        if let Request::Outcome { id } = request {
            // It only waits, so it takes nobody's place.
            drop(permit);
            return self.ledger.outcome(id).await.unwrap_or(Answer::NoRecord);
        }
        // The store guards no memory, and a request that comes at the same time may be the last one.
        if self.is_closed.load(Ordering::Relaxed) && !only_looks(&request) {
            let reason = "the node is stopping, and takes no deployment any more".to_owned();
            return Answer::Failed { reason };
        }
        let Some(id) = changes(&request) else {
            return answer_of(self.done(request, piece).await);
        };
        // Noted before the work begins, so that a request that arrives twice at the same time is done once.
        let Some(pending) = self.ledger.begin(id) else {
            return sent_before(id);
        };
        // If this task ends early, the drop of `pending` says that the request was broken off.
        let answer = answer_of(self.done(request, piece).await);
        pending.ended(&answer);
        answer
    }

    async fn done(&self, request: Request, piece: &[u8]) -> Result<Answer, String> {
        match request {
            // Never reached: `outcome` has answered it.
            Request::Outcome { .. } => Ok(Answer::NoRecord),
            Request::Status => Ok(Answer::Status(self.service.status().await)),
            Request::Nodes => {
                let nodes = self.service.nodes().await?;
                Ok(Answer::Nodes { nodes })
            }
            Request::BeginUpload { digest, size } => {
                let digest = parse(&digest)?;
                // Before the store is locked: this takes the locks of the modules and of the record.
                let used = self.service.components();
                self.in_store(move |store| {
                    store.set_used(used);
                    store.begin(digest, size)
                })
                .await
            }
            Request::Upload { digest, offset } => {
                let digest = parse(&digest)?;
                if piece.len() > MAX_PIECE {
                    return Err(format!("the piece has {} bytes; at most {MAX_PIECE} fit", piece.len()));
                }
                let piece = piece.to_vec();
                self.in_store(move |store| store.put(digest, offset, &piece)).await
            }
            Request::Reload {
                id: _,
                digest,
                mut reload,
            } => {
                if let Some(digest) = digest {
                    let (file, digest) = self.component(&digest).await?;
                    reload.file = Some(file);
                    reload.digest = Some(digest);
                }
                let report = self.service.reload(reload).await?;
                Ok(Answer::report(report))
            }
            Request::Rollback { id: _, module } => {
                let report = self.service.rollback(module).await?;
                Ok(Answer::report(report))
            }
        }
    }

    async fn component(&self, digest: &str) -> Result<(std::path::PathBuf, Digest), String> {
        let digest = parse(digest)?;
        let store = self.store.clone();
        // Somebody else's upload may hold the store as long as the disk takes.
        let look = move || store.lock().path(&digest);
        let path = tokio::task::spawn_blocking(look).await;
        let path = path.map_err(|ended| ended.to_string())?;
        let path = path.ok_or_else(|| format!("{digest} was not uploaded to this node, or has been removed since"))?;
        Ok((path, digest))
    }

    /// Works on the store on a thread that may block, so that other requests don't wait for the disk.
    async fn in_store(
        &self,
        work: impl FnOnce(&mut ComponentStore) -> Result<UploadProgress, UploadError> + Send + 'static,
    ) -> Result<Answer, String> {
        let store = self.store.clone();
        let work = move || work(&mut store.lock());
        let done = tokio::task::spawn_blocking(work)
            .await
            .map_err(|ended| ended.to_string())?;
        let UploadProgress { offset, complete } = done.map_err(|error| error.to_string())?;
        Ok(Answer::UploadProgress { offset, complete })
    }
}

fn answer_of(done: Result<Answer, String>) -> Answer {
    done.unwrap_or_else(|reason| Answer::Failed { reason })
}

/// The number of a request that changes what runs.
fn changes(request: &Request) -> Option<RequestId> {
    match request {
        // It bears the number of the reload that follows it, which must not be taken for a repetition.
        Request::Reload { reload, .. } if reload.dry_run => None,
        Request::Reload { id, .. } | Request::Rollback { id, .. } => Some(*id),
        _ => None,
    }
}

/// True for a request that asks how the node is, and nothing else.
fn only_looks(request: &Request) -> bool {
    matches!(request, Request::Outcome { .. } | Request::Status | Request::Nodes)
}

fn sent_before(id: RequestId) -> Answer {
    Answer::Failed {
        reason: format!("the request {id} was sent before; `--request {id}` asks what became of it"),
    }
}

fn parse(digest: &str) -> Result<Digest, String> {
    digest.parse::<Digest>().map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests;
