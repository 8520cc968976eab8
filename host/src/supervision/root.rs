//! The root supervisor: above every actor that a node was configured to run.

use std::sync::Arc;
use std::time::Duration;

use ractor::concurrency::JoinHandle;
use ractor::{Actor, ActorCell, ActorRef, SpawnErr};
use tokio::sync::watch;

use super::actor::{Arguments, Supervisor};
use super::child::not_started;
use super::counts::{Cells, Counts, TreeState};
use super::message::{NotStarted, SupervisorMessage};
use super::readiness::{GivenUp, Readiness, ReadinessWatch};
use super::shutdown::{self, ShutdownMode};
use super::spec::SupervisorSpec;
use super::steering::Steering;
use crate::events::EventHistory;

/// What the log calls the root supervisor that was given no name.
const NAME: &str = "root";

/// A handle of the root supervisor. Dropping it leaves the supervisor and its actors running.
///
/// Actors that a program links to its [`cell`](Self::cell) are counted and stopped with the others, and restarted by
/// nobody.
#[derive(Debug)]
pub struct Root {
    actor: ActorRef<SupervisorMessage>,
    cell: ActorCell,
    counts: watch::Receiver<Counts>,
    cells: Cells,
    readiness_watch: ReadinessWatch,
    steering: Steering,
    events: EventHistory,
    ended: JoinHandle<()>,
}

/// The root supervisor could not be started or stopped.
#[derive(Debug, thiserror::Error)]
pub enum RootError {
    /// ractor refused to start it.
    #[error("the root supervisor could not be started: {0}")]
    Start(#[from] SpawnErr),
    /// One of the actors below it did not start. Those before it were stopped again.
    #[error(transparent)]
    Child(NotStarted),
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
        Self::start_with(SupervisorSpec {
            name: NAME.to_owned(),
            ..SupervisorSpec::default()
        })
        .await
    }

    /// Starts a root supervisor and everything below it, one after the other. If it gives up, as only one whose children
    /// share their budget does, its children are stopped, and it lives on without them.
    ///
    /// # Errors
    /// An actor does not start, or ractor refuses to start the supervisor.
    pub async fn start_with(spec: SupervisorSpec) -> Result<Self, RootError> {
        let (tree, counts, cells) = TreeState::new();
        let readiness_watch = tree.given_up_actors.watch();
        let (steering, events) = (tree.steering.clone(), tree.events.clone());
        let arguments = Arguments {
            spec: Arc::new(spec),
            tree,
            is_root: true,
            again: false,
        };
        let (actor, ended) = match Actor::spawn(None, Supervisor, arguments).await {
            Ok(spawned) => spawned,
            Err(error @ SpawnErr::StartupFailed(_)) => return Err(RootError::Child(not_started(NAME, error))),
            Err(error) => return Err(error.into()),
        };
        Ok(Self {
            cell: actor.get_cell(),
            actor,
            counts,
            cells,
            readiness_watch,
            steering,
            events,
            ended,
        })
    }

    /// The supervisor to link actors to.
    pub fn cell(&self) -> &ActorCell {
        &self.cell
    }

    /// Whether all of its actors are there, or which have been given up. Actors that are temporary, or that were stopped or
    /// stopped themselves, are not missed.
    pub fn readiness(&self) -> Readiness {
        self.readiness_watch.readiness()
    }

    /// Waits until an actor is given up whose node is to [exit](super::OnGiveUp::Exit) then. What follows is the caller's to do.
    pub async fn essential_given_up(&self) -> GivenUp {
        self.readiness_watch.clone().essential().await
    }

    /// What operators can do with its actors.
    pub(crate) fn steering(&self) -> &Steering {
        &self.steering
    }

    /// What happened to them lately, and what others tell of the node.
    pub(crate) fn events(&self) -> &EventHistory {
        &self.events
    }

    pub(crate) fn readiness_watch(&self) -> &ReadinessWatch {
        &self.readiness_watch
    }

    /// What has become of its actors, and of those of the supervisors below it.
    pub fn counts(&self) -> Counts {
        *self.counts.borrow()
    }

    /// Waits until the counts are as wanted. False if the supervisor ended before they were.
    pub async fn wait_until(&self, wanted: impl FnMut(&Counts) -> bool) -> bool {
        self.counts.clone().wait_for(wanted).await.is_ok()
    }

    /// The actor that was started last under this name, by whichever supervisor. It may have ended since.
    pub fn find(&self, name: &str) -> Option<ActorCell> {
        self.cells.find(name)
    }

    /// Stops every actor in an orderly way, those that were started last first, then the supervisors. Actors that have not
    /// stopped after `patience` are killed. Nothing is restarted any more.
    ///
    /// # Errors
    /// The supervisor itself was stuck.
    pub async fn stop(self, reason: &str, patience: Duration) -> Result<(), RootError> {
        self.end(&ShutdownMode::Stop(reason.to_owned()), reason, patience).await
    }

    /// As [`stop`](Self::stop), but lets every actor handle what it was sent first.
    ///
    /// # Errors
    /// The supervisor itself was stuck.
    pub async fn drain(self, reason: &str, patience: Duration) -> Result<(), RootError> {
        self.end(&ShutdownMode::Drain, reason, patience).await
    }

    async fn end(self, mode: &ShutdownMode, reason: &str, patience: Duration) -> Result<(), RootError> {
        let children = shutdown::freeze(&self.actor, patience).await;
        shutdown::shut_down(children, mode, patience).await;
        if !shutdown::ends_within(patience, &self.cell, reason).await {
            self.cell.kill();
            return Err(RootError::Stuck(patience));
        }
        // It can only have been cancelled with the runtime, which also ends it.
        drop(self.ended.await);
        Ok(())
    }
}
