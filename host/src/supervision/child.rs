//! One child of a supervisor: starting it, and stopping it.

use std::sync::Arc;
use std::time::Duration;

use ractor::{Actor, ActorCell, ActorRef, RactorErr, SpawnErr};
use tokio::sync::watch;
use tokio::time::Instant;

use super::actor::{Arguments, Message, Supervisor};
use super::counts::Ledger;
use super::in_place::{Closing, InPlace, SharedBudget};
use super::spec::{ChildSpec, Code, StartError};
use crate::directory::{self, BoxFuture};
use crate::guest::{self, GuestHandle, GuestOptions, Restarting, Verdict};

/// The longest time for an actor to stop before it is killed, and after that to end.
const PATIENCE: Duration = Duration::from_secs(5);

/// The longest wait for the name of an actor that is started again to be free.
const NAME_PATIENCE: Duration = Duration::from_secs(5);

/// The interval between looks at whether it is.
const NAME_INTERVAL: Duration = Duration::from_millis(20);

/// A child as its supervisor sees it.
#[derive(Debug)]
pub(super) struct Child {
    pub(super) spec: ChildSpec,
    pub(super) budget: SharedBudget,
    /// The actor that it is made of now.
    pub(super) life: Option<Life>,
}

/// One actor, from its start to its end.
#[derive(Debug)]
pub(super) struct Life {
    pub(super) cell: ActorCell,
    pub(super) part: Part,
}

/// What a supervisor has to do with an actor besides hearing of it.
#[derive(Debug)]
pub(super) enum Part {
    Guest(GuestHandle, Arc<InPlace>),
    Native,
    Supervisor(ActorRef<Message>),
}

/// A child did not start.
#[derive(Debug, thiserror::Error)]
#[error("`{child}` did not start: {reason}")]
pub struct NotStarted {
    /// Its name.
    pub child: String,
    /// What went wrong.
    #[source]
    pub reason: StartError,
}

/// What it takes to start a child.
pub(super) struct Launch {
    pub(super) index: usize,
    pub(super) spec: ChildSpec,
    pub(super) budget: SharedBudget,
    pub(super) supervisor: ActorRef<Message>,
    pub(super) closing: watch::Receiver<Closing>,
    pub(super) ledger: Ledger,
    /// It was there before.
    pub(super) again: bool,
}

impl Child {
    /// Decides about a failure that happened now.
    pub(super) fn spend(&self) -> Verdict {
        let mut budget = self.budget.lock();
        budget.spend(Instant::now())
    }
}

impl Launch {
    /// Starts the child. Boxed, because a supervisor may be started by one.
    pub(super) fn start(self) -> BoxFuture<'static, Result<Life, NotStarted>> {
        Box::pin(async move {
            let (name, ledger, again) = (self.spec.name.clone(), self.ledger.clone(), self.again);
            let is_supervisor = matches!(self.spec.code, Code::Supervisor(_));
            let life = self.spawn().await?;
            if !is_supervisor {
                ledger.enter(&name, life.cell.clone());
                if again {
                    ledger.restarted();
                }
            }
            Ok(life)
        })
    }

    async fn spawn(self) -> Result<Life, NotStarted> {
        let name = self.spec.name.clone();
        let failed = |reason| NotStarted {
            child: name.to_string(),
            reason,
        };
        let parent = self.supervisor.get_cell();
        match self.spec.code.clone() {
            Code::Guest { module, options } => {
                self.free_name(options.name.as_deref()).await;
                let restart = self.spec.restart;
                let in_place = InPlace::new(self.index, self.supervisor, self.budget, self.closing, self.ledger);
                let in_place = Arc::new(in_place);
                let options = GuestOptions {
                    restarting: Restarting {
                        when: restart,
                        restarts: in_place.clone(),
                    },
                    ..GuestOptions::clone(&options)
                };
                let guest = guest::spawn(&module, options, parent).await;
                let guest = guest.map_err(|error| failed(error.into()))?;
                Ok(Life {
                    cell: guest.cell.clone(),
                    part: Part::Guest(guest, in_place),
                })
            }
            Code::Native(start) => {
                self.free_name(Some(&name)).await;
                let cell = start(parent).await.map_err(failed)?;
                let part = Part::Native;
                Ok(Life { cell, part })
            }
            Code::Supervisor(spec) => {
                let arguments = Arguments {
                    spec,
                    ledger: self.ledger,
                    is_root: false,
                    again: self.again,
                };
                let spawned = Actor::spawn_linked(None, Supervisor, arguments, parent).await;
                let (actor, _) = spawned.map_err(|error| not_started(&name, error))?;
                Ok(Life {
                    cell: actor.get_cell(),
                    part: Part::Supervisor(actor),
                })
            }
        }
    }

    /// An actor that was killed may have its name for a moment after its supervisor has heard of its end.
    async fn free_name(&self, name: Option<&str>) {
        let Some(name) = name.filter(|_| self.again) else {
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

impl Life {
    /// Stops the actor, and kills it if that takes too long. Its supervisor hears of its end as of any, and at last that it
    /// is gone, as far as that could be brought about.
    pub(super) fn stop(&self, index: usize, name: Arc<str>, supervisor: ActorRef<Message>) {
        let cell = self.cell.clone();
        let nested = match &self.part {
            Part::Supervisor(actor) => Some(actor.clone()),
            Part::Guest(..) | Part::Native => None,
        };
        tokio::spawn(async move {
            match nested {
                // It gives each of its children as long, and needs no time of its own.
                Some(nested) if nested.cast(Message::End).is_ok() => drop(cell.wait(None).await),
                _ => stop_or_kill(&cell, &name).await,
            }
            drop(supervisor.cast(Message::Gone(index, cell.get_id())));
        });
    }
}

async fn stop_or_kill(cell: &ActorCell, name: &str) {
    let reason = Some("its supervisor restarts or ends".to_owned());
    if !matches!(
        cell.stop_and_wait(reason, Some(PATIENCE)).await,
        Err(RactorErr::Timeout)
    ) {
        return;
    }
    tracing::warn!(
        actor = name,
        pid = cell.get_id().pid(),
        "the actor did not stop in time and is killed"
    );
    if let Err(RactorErr::Timeout) = cell.kill_and_wait(Some(PATIENCE)).await {
        let pid = cell.get_id().pid();
        tracing::error!(actor = name, pid, "the actor blocks its thread and can't be killed");
    }
}
