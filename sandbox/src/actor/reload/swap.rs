//! The steps of a reload, at a message boundary.

use std::time::SystemTime;

use ractor::{ActorCell, ActorProcessingErr, ActorRef};
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::probation::Probation;
use super::trial::Trial;
use super::{
    Aftermath, Mode, NoSnapshot, NotReloaded, Proof, Purpose, ReloadRequest, Snapshot, SnapshotReply, SnapshotRequest,
    Step, Swap, Swapped,
};
use crate::accounting::label::Label;
use crate::actor::guest::{Guest, Opaque, Running};
use crate::actor::guest_cell::GuestCell;
use crate::actor::history::Reloaded;
use crate::instance::calls::Instance;
use crate::instance::module::Module;

/// An instance of the new code that took over.
struct Successor {
    new: Box<Instance>,
    state_bytes: usize,
    /// The instance before it, as long as it can come back.
    old: Option<Box<Instance>>,
}

/// Nobody hears this any more.
fn given_up() -> NotReloaded {
    NotReloaded::Failed {
        step: Step::Start,
        reason: "whoever asked for the reload has given up".to_owned(),
        aftermath: Aftermath::Unharmed,
    }
}

impl Guest {
    /// Goes on with other code, or with the code that there is. True if the actor goes on.
    pub(crate) async fn reload(
        &self,
        myself: &ActorRef<Opaque>,
        running: &mut Running,
        request: ReloadRequest,
    ) -> Result<bool, ActorProcessingErr> {
        if request.is_given_up() {
            // It took too long to come to this boundary.
            return Ok(true);
        }
        let ReloadRequest {
            swap,
            tell,
            claim,
            purpose,
        } = request;
        if purpose == Purpose::TierUp
            && let Some(kept) = running.keeps_from_tier_up(&swap.module)
        {
            tell.send(Err(kept)).ok();
            return Ok(true);
        }
        // From here the actor stands still; the wait for the end of its message is no part of the pause.
        let began = Instant::now();
        let before = running.life.module();
        let successor = match running.take_unused(&swap.module) {
            Some(new) => Ok(bring_back(running.take()?, new)),
            None => {
                // What is replaced has proven itself by being here: a reload goes back by one step only.
                running.confirm();
                match swap.mode {
                    Mode::Snapshot => self.by_snapshot(myself, running, &before, &swap).await?,
                    Mode::Restart => {
                        self.by_restart(myself, running, &swap, || !tell.is_closed() && claim.commit())
                            .await?
                    }
                }
            }
        };
        let Successor { new, state_bytes, old } = match successor {
            Ok(successor) => successor,
            Err(failed) => {
                let (to, pause) = (swap.module.digest(), began.elapsed());
                running.life.history.reloaded(Reloaded {
                    at: SystemTime::now(),
                    from: before.digest(),
                    to,
                    pause,
                    failed: Some(failed.to_string()),
                });
                tell.send(Err(failed)).ok();
                return Ok(true);
            }
        };
        let reloaded = Reloaded {
            at: SystemTime::now(),
            from: before.digest(),
            to: swap.module.digest(),
            pause: began.elapsed(),
            failed: None,
        };
        // Before the answer: whoever hears of it and looks must find the new code.
        running.life.set_module(swap.module);
        let (prove, proof) = oneshot::channel();
        let swapped = Swapped {
            pause: began.elapsed(),
            state_bytes,
            waiting: running.life.mailbox.len() + running.casts.len(),
            proof: Proof(proof),
        };
        if !claim.commit() || tell.send(Ok(swapped)).is_err() {
            // Whoever asked lost patience meanwhile, and takes it that nothing was done.
            let goes_on = match old {
                Some(old) => {
                    running.life.set_module(before);
                    bring_back(new, old).new
                }
                None => new,
            };
            return self.conclude(myself, running, goes_on, Ok(())).await;
        }
        running.life.history.reloaded(reloaded);
        let mut new = new;
        new.begin_trial();
        let trial = old.and_then(|old| Trial::new(swap.probation, before, old));
        running.probation = Probation::begin(trial, prove);
        // In `post-reload` the guest may have asked to stop.
        self.conclude(myself, running, new, Ok(())).await
    }

    async fn by_snapshot(
        &self,
        myself: &ActorRef<Opaque>,
        running: &mut Running,
        before: &Module,
        swap: &Swap,
    ) -> Result<Result<Successor, NotReloaded>, ActorProcessingErr> {
        let snapshot = match self.take_snapshot(myself, running, before).await? {
            Ok(snapshot) => snapshot,
            Err(failed) => return Ok(Err(failed)),
        };
        // Kept here and not dropped: whatever fails until the answer, it goes on.
        let mut old = running.take()?;
        let made = self
            .successor((&running.life, &running.label), &mut old, &swap.module, &snapshot)
            .await;
        Ok(match made {
            Ok(new) => Ok(Successor {
                new,
                state_bytes: snapshot.state.len(),
                old: Some(old),
            }),
            Err(failed) => {
                running.instance = Some(old);
                Err(failed)
            }
        })
    }

    /// An instance of the new code with the state of the old one, and with all that the host keeps for the actor. After an
    /// error the old one has that back.
    async fn successor(
        &self,
        (life, label): (&GuestCell, &Label),
        old: &mut Instance,
        module: &Module,
        snapshot: &Snapshot,
    ) -> Result<Box<Instance>, NotReloaded> {
        let failed = |step| move |error| NotReloaded::at(step, &error, Aftermath::Unharmed);
        let new = self.new_instance(life, label, module).await;
        let mut new = Box::new(new.map_err(failed(Step::Instantiate))?);
        // First, so that the new code can look at the calls that are open.
        new.exchange(old);
        if let Err(error) = new.restore(&snapshot.state, snapshot.state_version).await {
            old.exchange(&mut new);
            return Err(failed(Step::Restore)(error));
        }
        // Between the two: what the state brings is the actor's, and what `post-reload` begins ends if it fails.
        let mark = new.mark();
        if let Err(error) = new.post_reload().await {
            new.undo(mark);
            old.exchange(&mut new);
            return Err(failed(Step::PostReload)(error));
        }
        Ok(new)
    }

    /// The new code starts afresh. What the old instance had of its own ends with it: timers, children, open calls. `commit` is
    /// asked before it ends.
    async fn by_restart(
        &self,
        myself: &ActorRef<Opaque>,
        running: &mut Running,
        swap: &Swap,
        commit: impl FnOnce() -> bool,
    ) -> Result<Result<Successor, NotReloaded>, ActorProcessingErr> {
        let children = myself.get_children();
        let began = running.instance.as_ref().map(|old| old.mark());
        let started = async {
            let new = self.instantiate(&running.life, &running.label, &swap.module).await;
            let mut new = Box::new(new?);
            new.post_start().await?;
            Ok(new)
        };
        // The old instance stops only once there is another: until then it can go on as if nothing had happened.
        let started = started
            .await
            .map_err(|error| NotReloaded::at(Step::Start, &error, Aftermath::Unharmed));
        // Asked last: from here on there is no way back.
        let started = started.and_then(|new| if commit() { Ok(new) } else { Err(given_up()) });
        let new = match started {
            Ok(new) => new,
            Err(failed) => {
                // Children and groups of the rejected code. Those of the old instance live on with it.
                if let (Some(began), Some(old)) = (began, &mut running.instance) {
                    old.undo(began);
                }
                return Ok(Err(failed));
            }
        };
        if let Err(error) = running.take()?.post_stop().await {
            let label = &running.label;
            tracing::warn!(actor = &*label.name, pid = label.pid, %error, "the actor failed while its old code stopped");
        }
        end(myself, children.into_iter());
        // Now and not before: until the new code had started, the old one could have gone on from what was kept.
        self.forget_checkpoints(&running.label);
        Ok(Ok(Successor {
            new,
            state_bytes: 0,
            old: None,
        }))
    }

    /// Answers who asked for a snapshot.
    pub(crate) async fn snapshot(
        &self,
        myself: &ActorRef<Opaque>,
        running: &mut Running,
        SnapshotRequest { room, tell }: SnapshotRequest,
    ) -> Result<(), ActorProcessingErr> {
        if tell.is_closed() {
            return Ok(());
        }
        // Before the guest writes its state, or states without a place would be in memory all the same.
        let place = room.as_ref().map(|room| room.enter());
        if let Some(None) = place {
            tell.send(Ok(SnapshotReply::NoRoom)).ok();
            return Ok(());
        }
        let module = running.life.module();
        let snapshot = self.take_snapshot(myself, running, &module).await?;
        tell.send(snapshot.map(|snapshot| SnapshotReply::Taken(snapshot, place.flatten())))
            .ok();
        Ok(())
    }

    /// The state of the actor. If its instance dies of that, there is a fresh one afterwards, whatever the actor's policy is:
    /// it was the host who asked.
    pub(crate) async fn take_snapshot(
        &self,
        myself: &ActorRef<Opaque>,
        running: &mut Running,
        module: &Module,
    ) -> Result<Result<Snapshot, NotReloaded>, ActorProcessingErr> {
        // `restore` can't use a state without its version, so the guest isn't even asked for one.
        let Some(contract) = module.contract().await else {
            return Ok(Err(NotReloaded::Failed {
                step: Step::Snapshot,
                reason: "the code does not say which version of its state it has".to_owned(),
                aftermath: Aftermath::Unharmed,
            }));
        };
        let mut instance = running.take()?;
        let (error, aftermath) = match instance.snapshot().await {
            Ok(state) => {
                running.instance = Some(instance);
                let state_version = contract.state_version;
                return Ok(Ok(Snapshot::new(state, state_version, module.digest())));
            }
            Err(NoSnapshot::Refused(error)) => {
                running.instance = Some(instance);
                (error, Aftermath::Unharmed)
            }
            Err(NoSnapshot::Trapped(error)) => {
                drop(instance);
                let label = &running.label;
                tracing::error!(actor = &*label.name, pid = label.pid, %error, "the actor failed; it is restarted");
                running.life.failed(label, &error);
                self.end_children(myself);
                self.restart_in_place(myself, running).await?;
                (error, Aftermath::StateLost)
            }
        };
        Ok(Err(NotReloaded::at(Step::Snapshot, &error, aftermath)))
    }
}

/// The instance before is the one again.
fn bring_back(mut failed: Box<Instance>, mut old: Box<Instance>) -> Successor {
    old.exchange(&mut failed);
    Successor {
        new: old,
        state_bytes: 0,
        old: None,
    }
}

fn end(myself: &ActorRef<Opaque>, children: impl Iterator<Item = ActorCell>) {
    for child in children {
        // The actor's instance never had it, and is not to hear of it.
        child.unlink(myself.get_cell());
        child.kill();
    }
}
