//! One child of a supervisor: starting it, and stopping it. It may be a supervisor itself, so this file and `actor` know each other.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use ractor::{Actor, ActorCell, ActorRef, RactorErr, SpawnErr};
use tokio::sync::watch;
use tokio::time::Instant;

use super::actor::{Arguments, Supervisor};
use super::counts::TreeState;
use super::in_place::{Closing, InPlace, SharedBudget};
use super::message::{ChildHandle, GaveUp, NotStarted, RunningChild, SupervisorMessage};
use super::shutdown::ends_within;
use super::spec::{ChildCode, ChildSpec, StartError};
use super::steering::SteerWait;
use crate::directory::{self, BoxFuture};
use crate::guest::{self, GuestOptions, RestartDecision, RestartPolicy};

/// The longest time for an actor to stop before it is killed, and after that to end.
const PATIENCE: Duration = Duration::from_secs(5);

/// The longest time for an actor that the configuration wants no more to handle what it was sent.
const LEAVING: Duration = Duration::from_secs(10);

/// The longest that an actor that is started again waits for its name to be free.
const NAME_PATIENCE: Duration = Duration::from_secs(5);

/// The interval at which the name is looked up meanwhile.
const NAME_INTERVAL: Duration = Duration::from_millis(20);

/// A child as its supervisor sees it.
#[derive(Debug)]
pub(super) struct Child {
    pub(super) spec: ChildSpec,
    pub(super) budget: SharedBudget,
    /// The actor that it is made of now.
    pub(super) running: Option<RunningChild>,
    /// Operators who wait for what they have asked for.
    pub(super) waiting: Vec<SteerWait>,
    /// An operator has killed it, and its end has not been seen yet.
    pub(super) is_killed: bool,
    /// The configuration wants it no more: before it ends it handles what it was sent.
    pub(super) is_leaving: bool,
    /// It was never started yet.
    pub(super) is_new: bool,
    /// A changed configuration wants it for the first time, and it has not come up yet. If it doesn't, the change is taken back.
    pub(super) is_on_trial: bool,
}

/// What it takes to start a child.
pub(super) struct ChildStart {
    pub(super) index: usize,
    pub(super) spec: ChildSpec,
    pub(super) budget: SharedBudget,
    pub(super) supervisor: ActorRef<SupervisorMessage>,
    pub(super) closing: watch::Receiver<Closing>,
    pub(super) tree: TreeState,
    /// It was there before.
    pub(super) again: bool,
    /// Its name may still be that of an actor that has ended.
    pub(super) waits_for_name: bool,
}

impl Child {
    /// Decides about a failure that happened now.
    pub(super) fn spend(&self) -> RestartDecision {
        let mut budget = self.budget.lock();
        budget.spend(Instant::now())
    }
}

impl ChildStart {
    /// Starts the child. Boxed, because a supervisor may be started by one.
    pub(super) fn start(self) -> BoxFuture<'static, Result<RunningChild, NotStarted>> {
        Box::pin(async move {
            let (name, tree, again) = (self.spec.name.clone(), self.tree.clone(), self.again);
            let is_supervisor = matches!(self.spec.code, ChildCode::Supervisor(_));
            let running = self.spawn().await?;
            if !is_supervisor {
                tree.enter(&name, running.cell.clone());
                if again {
                    tree.restarted();
                }
            }
            Ok(running)
        })
    }

    async fn spawn(self) -> Result<RunningChild, NotStarted> {
        let name = self.spec.name.clone();
        let failed = |reason| NotStarted {
            child: name.to_string(),
            reason,
        };
        let parent = self.supervisor.get_cell();
        match self.spec.code.clone() {
            ChildCode::Guest { module, options } => {
                self.free_name(options.name.as_deref()).await;
                let restart = self.spec.restart;
                let gave_up = GaveUp::default();
                let in_place = InPlace {
                    child: self.index,
                    supervisor: self.supervisor,
                    budget: self.budget,
                    closing: self.closing,
                    tree: self.tree,
                    gave_up: gave_up.clone(),
                    failing: AtomicBool::new(false),
                };
                let options = GuestOptions {
                    restarting: RestartPolicy {
                        when: restart,
                        restarts: Arc::new(in_place),
                    },
                    ..GuestOptions::clone(&options)
                };
                let guest = guest::spawn(&module, options, parent).await;
                let guest = guest.map_err(|error| failed(error.into()))?;
                Ok(RunningChild {
                    cell: guest.cell.clone(),
                    handle: ChildHandle::Guest(guest, gave_up),
                })
            }
            ChildCode::Native(start) => {
                self.free_name(Some(&name)).await;
                let cell = start(parent).await.map_err(failed)?;
                let handle = ChildHandle::Native;
                Ok(RunningChild { cell, handle })
            }
            ChildCode::Supervisor(spec) => {
                let arguments = Arguments {
                    spec,
                    tree: self.tree,
                    is_root: false,
                    again: self.again,
                };
                let spawned = Actor::spawn_linked(None, Supervisor, arguments, parent).await;
                let (actor, _) = spawned.map_err(|error| not_started(&name, error))?;
                Ok(RunningChild {
                    cell: actor.get_cell(),
                    handle: ChildHandle::Supervisor(actor),
                })
            }
        }
    }

    /// An actor that was killed may have its name for a moment after its supervisor has heard of its end, and one that was moved had it
    /// below another supervisor.
    async fn free_name(&self, name: Option<&str>) {
        let Some(name) = name.filter(|_| self.waits_for_name) else {
            return;
        };
        let deadline = Instant::now() + NAME_PATIENCE;
        while directory::where_is(name).is_some() && Instant::now() < deadline {
            tokio::time::sleep(NAME_INTERVAL).await;
        }
    }
}

/// Which child it was that kept a supervisor from starting.
pub(super) fn not_started(supervisor: &str, error: SpawnErr) -> NotStarted {
    let reason: StartError = match error {
        SpawnErr::StartupFailed(inner) => match inner.downcast::<SpawnErr>() {
            Ok(nested) => return not_started(supervisor, *nested),
            Err(inner) => match inner.downcast::<NotStarted>() {
                Ok(child) => return *child,
                Err(inner) => inner,
            },
        },
        other => other.into(),
    };
    NotStarted {
        child: supervisor.to_owned(),
        reason,
    }
}

/// Stops the actor, and kills it if that takes too long. Its supervisor is told of its end as of any other, and at last, by
/// [`SupervisorMessage::Gone`], that nothing more can be done about it.
pub(super) fn stop(
    running: &RunningChild,
    (index, name): (usize, Arc<str>),
    is_leaving: bool,
    supervisor: ActorRef<SupervisorMessage>,
) {
    let cell = running.cell.clone();
    let nested = match &running.handle {
        ChildHandle::Supervisor(actor) => Some(actor.clone()),
        ChildHandle::Guest(..) | ChildHandle::Native => None,
    };
    // A task, because a supervisor never waits: its other children may fail meanwhile.
    tokio::spawn(async move {
        match nested {
            // It gives each of its children as long, and needs no time of its own.
            Some(nested) if nested.cast(SupervisorMessage::End).is_ok() => drop(cell.wait(None).await),
            _ => {
                if is_leaving {
                    // Whether that sufficed is seen by what follows, which does nothing to one that has ended.
                    drop(cell.drain_and_wait(Some(LEAVING)).await);
                }
                stop_or_kill(&cell, &name).await;
            }
        }
        // ractor tells the supervisor of an end before it wakes those that wait for it. So a child that `Gone` still finds in its
        // place is one that could not be killed.
        drop(supervisor.cast(SupervisorMessage::Gone(index, cell.get_id())));
    });
}

async fn stop_or_kill(cell: &ActorCell, name: &str) {
    if ends_within(PATIENCE, cell, "its supervisor restarts or ends").await {
        return;
    }
    let pid = cell.get_id().pid();
    tracing::warn!(actor = name, pid, "the actor did not stop in time and is killed");
    if let Err(RactorErr::Timeout) = cell.kill_and_wait(Some(PATIENCE)).await {
        tracing::error!(actor = name, pid, "the actor blocks its thread and can't be killed");
    }
}
