//! New code proves itself: until it has handled its first messages, the code before it can come back.

use ractor::{ActorProcessingErr, ActorRef};
use tokio::sync::oneshot;

use super::trial::{Failed, Noticed, Passed, Trial, WayBack};
use super::{Aftermath, NoSnapshot, NotReloaded, Snapshot, Step};
use crate::accounting::label::Label;
use crate::accounting::telemetry;
use crate::actor::guest::{Alive, Guest, Opaque};
use crate::actor::guest_cell::GuestCell;
use crate::actor::work::{Copy, Work};
use crate::instance::calls::Instance;
use crate::instance::error::GuestError;
use crate::instance::module::Module;

/// New code on trial, and who is told how it ends.
pub(crate) struct Probation {
    trial: Trial<Box<Instance>, Module>,
    tell: oneshot::Sender<Result<(), NotReloaded>>,
}

impl Probation {
    /// None if there is nothing to prove, which is told at once.
    pub(super) fn begin(
        trial: Option<Trial<Box<Instance>, Module>>,
        tell: oneshot::Sender<Result<(), NotReloaded>>,
    ) -> Option<Box<Self>> {
        match trial {
            Some(trial) => Some(Box::new(Self { trial, tell })),
            None => {
                drop(tell.send(Ok(())));
                None
            }
        }
    }

    fn ends(self, outcome: Result<(), NotReloaded>) {
        // Whoever reloaded the actor may not wait for it.
        drop(self.tell.send(outcome));
    }
}

impl Alive {
    /// The new code has proven itself, if it had to.
    pub(crate) fn confirm(&mut self) {
        if let Some(probation) = self.probation.take() {
            probation.ends(Ok(()));
        }
    }

    /// The actor is restarted: what it had before does not come back any more.
    pub(crate) fn is_restarted(&mut self) {
        if let Some(probation) = &mut self.probation {
            probation.trial.handle_restarted();
        }
    }

    /// The instance that the actor had before its last reload, if nothing was handled since and it is of this module.
    pub(super) fn take_unused(&mut self, module: &Module) -> Option<Box<Instance>> {
        let probation = self.probation.take_if(|probation| {
            let before = probation.trial.unused();
            before.is_some_and(|before| before.digest() == module.digest())
        })?;
        probation.trial.into_unused().map(|(_, instance)| instance)
    }
}

impl Guest {
    /// Gives new code its work. If it fails, the code before it comes back, and gets the work unless others have noticed
    /// something of it already. True if the actor goes on.
    pub(crate) async fn prove(
        &self,
        myself: &ActorRef<Opaque>,
        alive: &mut Alive,
        work: Work,
    ) -> Result<bool, ActorProcessingErr> {
        let mut instance = alive.take()?;
        let (copy, counts) = (work.copy(), !work.is_probe());
        instance.watch_acts();
        let Err(error) = work.run(&mut instance).await else {
            let survives = if counts {
                passed(alive, &mut instance).await
            } else {
                Ok(())
            };
            return self.settle(myself, alive, instance, survives).await;
        };
        telemetry::failure(&alive.label);
        let is_cast = matches!(copy, Some(Copy::Cast(_)));
        let lost = |alive: &Alive| telemetry::dead_letters(&alive.label, "failed", usize::from(is_cast));
        if alive.life.commands.include_confirmation() {
            // The reload is over, so that nothing goes back any more.
            alive.confirm();
        }
        let Some(probation) = alive.probation.take() else {
            lost(alive);
            return self.settle(myself, alive, instance, Err(error)).await;
        };
        // Whatever becomes of it, the call must not wait for what nobody will answer.
        let port = instance.take_port();
        let again = copy.and_then(|copy| copy.with(port));
        let Probation { trial, tell } = *probation;
        let (before, way_back, failed) = trial.handle_failed(noticed(&instance), again.is_some());
        let again = again.filter(|_| failed == Failed::GiveAgain);
        let old = match way_back {
            WayBack::Instance(old) => Some(old),
            WayBack::State(state) => self.revive(&alive.life, &alive.label, &before, state).await.ok(),
            WayBack::Afresh => None,
        };
        let mut old = match old {
            Some(old) => old,
            None => {
                alive.life.set_module(before);
                drop(again);
                drop(tell.send(Err(NotReloaded::at(Step::Probation, &error, Aftermath::StateLost))));
                lost(alive);
                return self.settle(myself, alive, instance, Err(error)).await;
            }
        };
        old.exchange(&mut instance);
        drop(instance);
        alive.life.set_module(before);
        tracing::error!(
            actor = &*alive.label.name,
            pid = alive.label.pid,
            %error,
            "the actor failed with new code; the code before it is back"
        );
        drop(tell.send(Err(NotReloaded::at(Step::Probation, &error, failed.aftermath()))));
        let outcome = match again {
            Some(work) => work.run(&mut old).await,
            None => Ok(()),
        };
        if failed == Failed::Lose || outcome.is_err() {
            lost(alive);
        }
        self.settle(myself, alive, old, outcome).await
    }

    /// A fresh instance of the code before, with a state that the new code wrote.
    async fn revive(
        &self,
        life: &GuestCell,
        label: &Label,
        module: &Module,
        snapshot: Snapshot,
    ) -> Result<Box<Instance>, GuestError> {
        let mut old = Box::new(self.blank(life, label, module).await?);
        old.restore(&snapshot.state, snapshot.state_version).await?;
        Ok(old)
    }
}

fn noticed(instance: &Instance) -> Noticed {
    if instance.has_acted() {
        Noticed::Something
    } else {
        Noticed::Nothing
    }
}

/// One message was handled. An error if the guest died of being asked for its state.
async fn passed(alive: &mut Alive, instance: &mut Instance) -> Result<(), GuestError> {
    let Some(probation) = &mut alive.probation else {
        return Ok(());
    };
    if probation.trial.handle_passed() == Passed::Proven {
        alive.confirm();
        return Ok(());
    }
    let state_version = alive.life.module().descriptor().await.map(|new| new.state_version);
    match (instance.snapshot().await, state_version) {
        (Ok(state), Some(state_version)) => {
            probation.trial.handle_state(Snapshot::new(state, state_version));
            Ok(())
        }
        (Err(NoSnapshot::Trapped(error)), _) => {
            if let Some(Probation { trial, tell }) = alive.probation.take().map(|probation| *probation) {
                alive.life.set_module(trial.handle_no_state());
                let lost = NotReloaded::at(Step::Probation, &error, Aftermath::StateLost);
                // Whoever reloaded the actor may not wait for it.
                drop(tell.send(Err(lost)));
            }
            Err(error)
        }
        // There is no way back from here on.
        _ => {
            alive.confirm();
            Ok(())
        }
    }
}
