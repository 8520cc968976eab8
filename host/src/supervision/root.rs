//! The root supervisor: hears of the start and the end of every actor that the node was configured to run.

use std::collections::HashSet;
use std::time::Duration;

use ractor::concurrency::JoinHandle;
use ractor::{Actor, ActorCell, ActorId, ActorProcessingErr, ActorRef, RactorErr, SpawnErr, SupervisionEvent};
use tokio::sync::watch;

/// What has become of the supervised actors so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Actors that are alive.
    pub running: usize,
    /// Actors that came to life.
    pub started: u64,
    /// Actors that ended in an orderly way or were killed.
    pub terminated: u64,
    /// Actors that failed.
    pub failed: u64,
}

/// A handle of the root supervisor. Dropping it leaves the supervisor and its actors running.
#[derive(Debug)]
pub struct Root {
    cell: ActorCell,
    counts: watch::Receiver<Counts>,
    ended: JoinHandle<()>,
}

/// The root supervisor could not be started or stopped.
#[derive(Debug, thiserror::Error)]
pub enum RootError {
    /// ractor refused to start it.
    #[error("the root supervisor could not be started: {0}")]
    Start(#[from] SpawnErr),
    /// It did not stop in time.
    #[error("the root supervisor did not stop within {0:?}; it was killed, and its actors with it")]
    Stuck(Duration),
}

impl Root {
    /// Starts a root supervisor without any actor.
    ///
    /// # Errors
    /// ractor refuses to start it.
    pub async fn start() -> Result<Self, RootError> {
        let (sender, counts) = watch::channel(Counts::default());
        let (actor, ended) = Actor::spawn(None, RootActor, sender).await?;
        Ok(Self {
            cell: actor.get_cell(),
            counts,
            ended,
        })
    }

    /// The supervisor to link actors to.
    pub fn cell(&self) -> &ActorCell {
        &self.cell
    }

    /// What has become of its actors.
    pub fn counts(&self) -> Counts {
        *self.counts.borrow()
    }

    /// Waits until the counts are as wanted. False if the supervisor ended before they were.
    pub async fn wait_until(&self, wanted: impl FnMut(&Counts) -> bool) -> bool {
        self.counts.clone().wait_for(wanted).await.is_ok()
    }

    /// Stops every actor in an orderly way, then the supervisor. Actors that have not stopped after `patience` are
    /// killed.
    ///
    /// # Errors
    /// The supervisor itself was stuck.
    pub async fn stop(self, reason: &str, patience: Duration) -> Result<(), RootError> {
        self.cell
            .stop_children_and_wait(Some(reason.to_owned()), Some(patience))
            .await;
        let stopped = self.cell.stop_and_wait(Some(reason.to_owned()), Some(patience)).await;
        if matches!(stopped, Err(RactorErr::Timeout)) {
            self.cell.kill();
            return Err(RootError::Stuck(patience));
        }
        // It can only have been cancelled with the runtime, which also ends it.
        drop(self.ended.await);
        Ok(())
    }
}

struct RootActor;

struct RootState {
    counts: watch::Sender<Counts>,
    running: HashSet<ActorId>,
}

/// The root supervisor has no messages.
struct NoMessage;

impl ractor::Message for NoMessage {}

#[cfg_attr(feature = "async-trait", ractor::async_trait)]
impl Actor for RootActor {
    type Msg = NoMessage;
    type State = RootState;
    type Arguments = watch::Sender<Counts>;

    async fn pre_start(
        &self,
        _: ActorRef<NoMessage>,
        counts: watch::Sender<Counts>,
    ) -> Result<RootState, ActorProcessingErr> {
        Ok(RootState {
            counts,
            running: HashSet::new(),
        })
    }

    async fn handle_supervisor_evt(
        &self,
        _: ActorRef<NoMessage>,
        event: SupervisionEvent,
        state: &mut RootState,
    ) -> Result<(), ActorProcessingErr> {
        state.report(&event);
        state.count(&event);
        Ok(())
    }
}

impl RootState {
    fn report(&self, event: &SupervisionEvent) {
        let Some(cell) = event.actor_cell() else {
            return;
        };
        let (actor, pid) = (cell.get_name().unwrap_or_default(), cell.get_id().pid());
        let kind = if cell.get_id().is_local() { "native" } else { "guest" };
        match event {
            SupervisionEvent::ActorStarted(_) => {
                tracing::info!(actor, pid, kind, "actor started");
            }
            SupervisionEvent::ActorTerminated(_, _, reason) => {
                let reason = reason.as_deref().unwrap_or("no reason given");
                tracing::info!(actor, pid, kind, reason, "actor ended");
            }
            SupervisionEvent::ActorFailed(_, error) => {
                tracing::error!(actor, pid, kind, reason = %error, "actor failed");
            }
            _ => {}
        }
    }

    fn count(&mut self, event: &SupervisionEvent) {
        let (mut started, mut terminated, mut failed) = (0, 0, 0);
        match event {
            SupervisionEvent::ActorStarted(cell) => {
                self.running.insert(cell.get_id());
                started = 1;
            }
            SupervisionEvent::ActorTerminated(cell, _, _) => {
                self.running.remove(&cell.get_id());
                terminated = 1;
            }
            SupervisionEvent::ActorFailed(cell, _) => {
                self.running.remove(&cell.get_id());
                failed = 1;
            }
            _ => return,
        }
        self.counts.send_modify(|counts| {
            counts.running = self.running.len();
            counts.started += started;
            counts.terminated += terminated;
            counts.failed += failed;
        });
    }
}
