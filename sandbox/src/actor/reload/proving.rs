//! New code proves itself: until it has handled its first messages, the code before it can come back.

use ractor::{ActorProcessingErr, ActorRef};

use super::probation::Probation;
use super::trial::{Failed, Noticed, Passed, WayBack};
use super::{Aftermath, NoSnapshot, NotReloaded, Snapshot, Step};
use crate::accounting::label::Label;
use crate::accounting::telemetry;
use crate::actor::guest::{Guest, Opaque, Running};
use crate::actor::guest_cell::GuestCell;
use crate::actor::work::{Copy, Work};
use crate::instance::calls::Instance;
use crate::instance::error::GuestError;
use crate::instance::module::Module;

impl Running {
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
        running: &mut Running,
        work: Work,
    ) -> Result<bool, ActorProcessingErr> {
        let mut instance = running.take()?;
        // Before it runs, which consumes it. A probe isn't seen by the code, so it proves nothing.
        let copy = work.copy().filter(|copy| match copy {
            Copy::Arrival(arrival) => instance.is_known_before(arrival),
            _ => true,
        });
        let counts = !work.is_probe();
        // From each message anew: what others noticed of the one before doesn't keep this one from being given again.
        instance.watch_side_effects();
        let Err(error) = work.run(&mut instance).await else {
            // A handler that isn't done proves nothing yet, and the state in the middle of it is not asked for.
            let survives = if counts && !instance.is_pending() {
                passed(running, &mut instance).await
            } else {
                Ok(())
            };
            return self.conclude(myself, running, instance, survives).await;
        };
        running.life.failed(&running.label, &error);
        // Whichever code gets the message next: nobody is to notice anything of this.
        let firings = self.seat.as_ref().map(|seat| seat.failed()).unwrap_or_default();
        let is_cast = matches!(copy, Some(Copy::Cast(_)));
        let lost = |running: &Running| telemetry::dead_letters(&running.label, "failed", usize::from(is_cast));
        // The confirmation may wait behind this very message.
        if running.life.commands.include_confirmation() {
            // The reload is over, so that nothing goes back any more.
            running.confirm();
        }
        let Some(probation) = running.probation.take() else {
            lost(running);
            return self.conclude(myself, running, instance, Err(error)).await;
        };
        // Whatever becomes of it, the call must not wait for what nobody will answer.
        running.life.history.went_back(&error);
        let port = instance.take_port();
        let again = copy.and_then(|copy| copy.with(port));
        let Probation { trial, tell } = *probation;
        let (before, way_back, failed) = trial.handle_failed(noticed(&instance), again.is_some());
        let again = again.filter(|_| failed == Failed::GiveAgain);
        let old = match way_back {
            WayBack::Instance(old) => Some(old),
            WayBack::State(state) => {
                let revived = self.revive(&running.life, &running.label, &before, state).await;
                let Label { name, pid, .. } = &running.label;
                revived
                    .inspect_err(|error| {
                        tracing::error!(actor = &**name, pid, %error, "the code before can't take over the state that new code wrote");
                    })
                    .ok()
            }
            WayBack::Afresh => None,
        };
        let mut old = match old {
            Some(old) => old,
            None => {
                // Before `conclude`, which restarts the actor with whatever is current here.
                running.life.set_module(before);
                drop(again);
                drop(tell.send(Err(NotReloaded::at(Step::Probation, &error, Aftermath::StateLost))));
                lost(running);
                return self.conclude(myself, running, instance, Err(error)).await;
            }
        };
        // What nobody knows any more ends: of handlers of the new code that were not done.
        instance.end_trial();
        // What the host keeps for the actor goes back before the failed instance is dropped, which would end it.
        old.exchange(&mut instance);
        drop(instance);
        running.life.set_module(before);
        tracing::error!(
            actor = &*running.label.name,
            pid = running.label.pid,
            %error,
            "the actor failed with new code; the code before it is back"
        );
        drop(tell.send(Err(NotReloaded::at(Step::Probation, &error, failed.aftermath()))));
        let outcome = match again {
            Some(work) => {
                if let Some(seat) = &self.seat {
                    seat.begin_again(firings);
                }
                work.run(&mut old).await
            }
            None => Ok(()),
        };
        if failed == Failed::Lose || outcome.is_err() {
            lost(running);
        }
        self.conclude(myself, running, old, outcome).await
    }

    /// A fresh instance of the code before, with a state that the new code wrote.
    async fn revive(
        &self,
        life: &GuestCell,
        label: &Label,
        module: &Module,
        snapshot: Snapshot,
    ) -> Result<Box<Instance>, GuestError> {
        let mut old = Box::new(self.new_instance(life, label, module).await?);
        old.restore(&snapshot.state, snapshot.state_version).await?;
        Ok(old)
    }
}

fn noticed(instance: &Instance) -> Noticed {
    if instance.has_had_side_effects() {
        Noticed::Something
    } else {
        Noticed::Nothing
    }
}

/// One message was handled. An error if the guest died of being asked for its state.
async fn passed(running: &mut Running, instance: &mut Instance) -> Result<(), GuestError> {
    let Some(probation) = &mut running.probation else {
        return Ok(());
    };
    if probation.trial.handle_passed() == Passed::Proven {
        running.confirm();
        return Ok(());
    }
    // Of the new code, which writes the state and whose version the old one is told.
    let module = running.life.module();
    let state_version = module.contract().await.map(|new| new.state_version);
    match (instance.snapshot().await, state_version) {
        (Ok(state), Some(state_version)) => {
            probation
                .trial
                .handle_state(Snapshot::new(state, state_version, module.digest()));
            instance.begin_trial();
            Ok(())
        }
        (Err(NoSnapshot::Trapped(error)), _) => {
            if let Some(Probation { trial, tell }) = running.probation.take().map(|probation| *probation) {
                running.life.set_module(trial.handle_no_state());
                let lost = NotReloaded::at(Step::Probation, &error, Aftermath::StateLost);
                running.life.history.went_back(&error);
                // Whoever reloaded the actor may not wait for it.
                drop(tell.send(Err(lost)));
            }
            Err(error)
        }
        // There is no way back from here on.
        _ => {
            running.confirm();
            Ok(())
        }
    }
}
