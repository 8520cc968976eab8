//! A guest that starts, or is started again, goes on from its last checkpoint.

use std::sync::Arc;
use std::time::SystemTime;

use super::actor::Guest;
use super::checkpoint::{Checkpoint, Checkpoints, Entry};
use super::error::GuestError;
use super::instance::Instance;
use super::life::Life;
use super::module::Module;
use super::reload::NoSnapshot;
use super::state::Label;

impl Guest {
    /// An instance up to its `pre-start`, or with the state of a checkpoint in place of that.
    pub(super) async fn begin(&self, life: &Arc<Life>, label: &Label, module: &Module) -> Result<Instance, GuestError> {
        if let Some(checkpoints) = &self.checkpoints
            && let Some(instance) = self.resume(checkpoints, life, label, module).await
        {
            return Ok(instance);
        }
        self.instantiate(life, label, module).await
    }

    /// An instance with the state of the newest checkpoint that it takes over. None if there is none.
    async fn resume(
        &self,
        checkpoints: &Checkpoints,
        life: &Arc<Life>,
        label: &Label,
        module: &Module,
    ) -> Option<Instance> {
        let (actor, pid) = (&*label.name, label.pid);
        let mut before = None;
        loop {
            let kept = match checkpoints.writer.latest(actor, before).await {
                Ok(kept) => kept,
                Err(error) => {
                    tracing::error!(actor, pid, %error, "the actor starts afresh: its checkpoints can't be read");
                    None
                }
            }?;
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
                continue;
            }
            let restored = async {
                let mut instance = self.blank(life, label, module).await?;
                instance.restore(&state, state_version).await?;
                Ok::<_, GuestError>(instance)
            };
            match restored.await {
                Ok(instance) => {
                    let age = SystemTime::now().duration_since(taken).unwrap_or_default();
                    let bytes = state.len();
                    tracing::info!(actor, pid, bytes, ?age, "the actor goes on from its checkpoint");
                    return Some(instance);
                }
                Err(error) => {
                    tracing::error!(actor, pid, %error, state_version, %digest, "a checkpoint can't be restored; the one before it is tried");
                }
            }
        }
    }

    /// What an actor knows that ends in an orderly way is kept.
    pub(super) async fn keep_last(&self, life: &Life, label: &Label, instance: &mut Instance) {
        let Some(checkpoints) = &self.checkpoints else {
            return;
        };
        let (actor, pid) = (&*label.name, label.pid);
        let module = life.module();
        let state = match instance.snapshot().await {
            Ok(state) => state,
            Err(NoSnapshot::Refused(error) | NoSnapshot::Trapped(error)) => {
                tracing::warn!(actor, pid, %error, "no checkpoint at the actor's end");
                return;
            }
        };
        let state_version = module.descriptor().await.map_or(0, |described| described.state_version);
        let checkpoint = Checkpoint {
            module: module.name().to_owned(),
            digest: module.digest(),
            state_version,
            taken: SystemTime::now(),
            state,
        };
        checkpoints.writer.put(Entry {
            actor: actor.to_owned(),
            checkpoint: Arc::new(checkpoint),
            keep: checkpoints.keep,
        });
    }

    /// The state was given up on purpose: nothing is to bring it back.
    pub(super) fn forget_checkpoints(&self, label: &Label) {
        if let Some(checkpoints) = &self.checkpoints {
            checkpoints.writer.forget(&label.name);
        }
    }
}
