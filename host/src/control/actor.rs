//! The control actor: what a node lets those do who have the control key.
//!
//! It is a native actor with a well-known name, which any session of the cluster reaches. It handles a message as far as
//! saying whether it is proved; what is asked is done by a task, of which there are few at once.

use std::sync::Arc;
use std::time::Duration;

use ractor::{Actor, ActorCell, ActorProcessingErr, ActorRef, RpcReplyPort, SpawnErr};
use tokio::task::AbortHandle;
use tokio::time::Instant;

use super::body::body_of;
use super::keys::ControlKeys;
use super::message::{CONTROL, ControlMessage, ControlRefusal, encode_reply};
use super::rooms::{Asker, Place};
use super::sessions::{ControlSessions, ProvedRequest};
use super::worker::RequestWorker;

/// The shortest interval between two refusals in the log. Otherwise anybody with the cookie could fill it.
const LOG_INTERVAL: Duration = Duration::from_secs(1);

/// The pause before a control actor that failed is started again.
const RESTART_PAUSE: Duration = Duration::from_millis(100);

/// Starts the control actor under a supervisor. When it ends it is started again, until what this returns is dropped.
///
/// # Errors
/// The name is taken.
pub(crate) async fn start(control: ControlSetup, supervisor: ActorCell) -> Result<RestartGuard, SpawnErr> {
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
    Ok(RestartGuard(restarts.abort_handle()))
}

async fn spawn(control: ControlSetup, supervisor: ActorCell) -> Result<ActorCell, SpawnErr> {
    let (actor, _) = Actor::spawn_linked(Some(CONTROL.to_owned()), ControlActor, control, supervisor).await?;
    Ok(actor.get_cell())
}

/// The control actor is started again whenever it ends, as long as this lives. The actor itself ends with its supervisor.
#[derive(Debug)]
pub(crate) struct RestartGuard(AbortHandle);

impl Drop for RestartGuard {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// What the control actor is made of.
#[derive(Clone)]
pub(crate) struct ControlSetup {
    /// The keys of roles.
    pub(crate) keys: ControlKeys,
    /// The node's full name.
    pub(crate) node: String,
    /// What carries out what is asked. It outlives the actor.
    pub(crate) worker: Arc<RequestWorker>,
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

#[cfg_attr(feature = "async-trait", ractor::async_trait)]
impl Actor for ControlActor {
    type Msg = ControlMessage;
    type State = State;
    type Arguments = ControlSetup;

    async fn pre_start(&self, _: ActorRef<ControlMessage>, control: ControlSetup) -> Result<State, ActorProcessingErr> {
        let ControlSetup { keys, node, worker } = control;
        Ok(State {
            sessions: ControlSessions::new(keys, node, rand::random(), Instant::now()),
            worker,
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
        let refusal = match checked.and_then(|proved| {
            let asker = Asker::Elsewhere(proved.role);
            Ok((proved, state.worker.place(asker)?))
        }) {
            Ok((proved, place)) => {
                let worker = state.worker.clone();
                // A task, because a reload may take minutes and the actor has to answer others meanwhile.
                tokio::spawn(async move { work(&worker, proved, place, reply).await });
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

async fn work(worker: &RequestWorker, proved: ProvedRequest, place: Place, reply: RpcReplyPort<Vec<u8>>) {
    let ProvedRequest {
        session,
        counter,
        role,
        key,
        body,
    } = proved;
    let outcome = worker.outcome(body, role, place).await;
    let body = body_of(outcome).await;
    answer(reply, Ok(&key.seal_answer(session, counter, &body)));
}

#[cfg(test)]
mod tests;
