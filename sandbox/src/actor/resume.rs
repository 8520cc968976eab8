//! A guest that starts, or is started again, goes on from its last checkpoint.

use std::sync::Arc;
use std::time::SystemTime;

use super::checkpoint::settings::Checkpoints;
use super::checkpoint::store::{Checkpoint, Entry, Moment, StoreError};
use super::guest::Guest;
use super::guest_cell::GuestCell;
use crate::accounting::label::Label;
use crate::instance::calls::Instance;
use crate::instance::error::{Fault, GuestError};
use crate::instance::module::Module;
use crate::instance::reload::NoSnapshot;

impl Guest {
    /// An instance up to its `pre-start`, or with the state of a checkpoint in place of that.
    ///
    /// # Errors
    /// Also if checkpoints can't be read: an actor that started afresh would put others in their places.
    pub(super) async fn start_instance(
        &self,
        life: &Arc<GuestCell>,
        label: &Label,
        module: &Module,
    ) -> Result<Instance, GuestError> {
        if let Some(seat) = &self.seat {
            return self.start_entity(seat, life, label, module).await;
        }
        if let Some(checkpoints) = &self.checkpoints
            && let Some(instance) = self.resume(checkpoints, life, label, module).await?
        {
            return Ok(instance);
        }
        self.instantiate(life, label, module).await
    }

    /// An instance with the state of the newest checkpoint that it takes over. None if there is none. Those that it doesn't take
    /// over are held: what the actor does from now on doesn't put others in their places.
    async fn resume(
        &self,
        checkpoints: &Checkpoints,
        life: &Arc<GuestCell>,
        label: &Label,
        module: &Module,
    ) -> Result<Option<Instance>, GuestError> {
        let (actor, pid) = (&*label.name, label.pid);
        let writer = &checkpoints.writer;
        let mut before = None;
        while let Some(kept) = writer
            .latest(actor, before)
            .await
            .map_err(|error| unread(label, &error))?
        {
            // Downwards from here, so that one which can't be restored is never tried twice.
            before = Some(kept.number);
            let Checkpoint {
                module: of,
                digest,
                state_version,
                state,
                taken,
            } = kept.checkpoint;
            if of != module.name() {
                tracing::warn!(actor, pid, of, "a checkpoint is left aside: it is of another module");
                // Whatever the actor writes next would otherwise push it out, with all that was in it.
                writer.hold(actor, kept.number).await;
                continue;
            }
            // That there is no instance is not the state's fault.
            let mut instance = self.new_instance(life, label, module).await?;
            match instance.restore(&state, state_version).await {
                Ok(()) => {
                    let age = SystemTime::now().duration_since(taken).unwrap_or_default();
                    let bytes = state.len();
                    tracing::info!(actor, pid, bytes, ?age, "the actor goes on from its checkpoint");
                    return Ok(Some(instance));
                }
                Err(error) => {
                    tracing::error!(
                        actor, pid, %error, state_version, %digest,
                        "a checkpoint can't be restored; it stays where it is, and the one before it is tried"
                    );
                    writer.hold(actor, kept.number).await;
                }
            }
        }
        Ok(None)
    }

    /// An actor ends that has had no instance for a while: what it knew went with the last one, and what was kept of that is kept.
    pub(super) fn expect_no_checkpoint(&self, label: &Label) {
        if let Some(checkpoints) = &self.checkpoints {
            checkpoints.writer.expect_none(&label.name);
        }
    }

    /// What an actor knows that ends in an orderly way is kept.
    pub(super) async fn write_last_checkpoint(&self, life: &GuestCell, label: &Label, instance: &mut Instance) {
        let Some(checkpoints) = &self.checkpoints else {
            return;
        };
        let (actor, pid) = (&*label.name, label.pid);
        // Before the state is taken: an actor that waits for room has it in its own memory only.
        let turn = checkpoints.writer.last_turn(actor).await;
        let module = life.module();
        let state = match instance.snapshot().await {
            Ok(state) => state,
            Err(NoSnapshot::Refused(error) | NoSnapshot::Trapped(error)) => {
                tracing::warn!(actor, pid, %error, "no checkpoint at the actor's end");
                return;
            }
        };
        // At once after the state: another one that is taken later must count as later.
        let moment = Moment::now();
        let Some(contract) = module.contract().await else {
            // With another version than the code's own, `restore` could read the state as what it isn't.
            tracing::warn!(
                actor,
                pid,
                "no checkpoint at the actor's end: the code does not say which version its state has"
            );
            return;
        };
        let checkpoint = Checkpoint {
            module: module.name().to_owned(),
            digest: module.digest(),
            state_version: contract.state_version,
            taken: SystemTime::now(),
            state,
        };
        let entry = Entry {
            actor: actor.to_owned(),
            checkpoint: Arc::new(checkpoint),
            keep: checkpoints.keep,
            hold: Vec::new(),
        };
        turn.put(entry, moment);
    }

    /// The state was given up on purpose: nothing is to bring it back.
    pub(super) fn forget_checkpoints(&self, label: &Label) {
        if let Some(checkpoints) = &self.checkpoints {
            checkpoints.writer.forget(&label.name);
        }
    }
}

fn unread(label: &Label, error: &StoreError) -> GuestError {
    GuestError {
        actor: label.name.clone(),
        pid: label.pid,
        during: "its start".to_owned(),
        fault: Fault::CheckpointsUnread(error.to_string()),
    }
}
