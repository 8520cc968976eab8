//! An actor goes back to a state that was kept of it.
//!
//! The state is tried on an instance of its own first: if the code can't take it over, the actor goes on as it is. What the actor knew until
//! then is kept, too, so that there is a way forward again.

use std::sync::Arc;
use std::time::SystemTime;

use ractor::{ActorProcessingErr, ActorRef};
use tokio::sync::oneshot;

use super::checkpoint::settings::Checkpoints;
use super::checkpoint::store::{Checkpoint, Entry, KeptState, Moment};
use super::commands::Command;
use super::guest::{Guest, Opaque, Running};
use super::guest_cell::{GuestCell, GuestRef};
use super::reload::Snapshot;
use crate::accounting::label::Label;
use crate::instance::error::GuestError;
use crate::instance::module::Module;

/// Why an actor did not go back. But for [`Ended`](Self::Ended) it goes on with the state that it has.
#[derive(Debug, thiserror::Error)]
pub enum NotGoneBack {
    /// It has no checkpoints.
    #[error("its state is not kept: add `checkpoint = {{ every = \"10s\" }}` to it in node.toml")]
    NotKept,
    /// There is none to go back to.
    #[error("there is no such checkpoint; `ractor-host checkpoints` lists those that there are")]
    NoCheckpoint,
    /// The store could not be read.
    #[error("{0}")]
    Unread(String),
    /// The checkpoint is of another module.
    #[error("the checkpoint is of the module `{0}`")]
    OtherModule(String),
    /// The code can't take the state over.
    #[error("its code does not take this state: {0}")]
    NotRestored(String),
    /// Too much waits to be written.
    #[error("the store of checkpoints takes no more at present")]
    NotWritten,
    /// The actor has ended.
    #[error("it has ended")]
    Ended,
}

/// An actor that went back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WentBack {
    /// The state that it has now.
    pub to: KeptState,
    /// Whether what it knew until then was kept.
    pub kept: bool,
}

/// Somebody who wants an actor to go back.
#[derive(Debug)]
pub(crate) struct GoBackRequest {
    /// The number of the checkpoint; if there is none, the newest that is another state than the present one.
    number: Option<u64>,
    tell: oneshot::Sender<Result<WentBack, NotGoneBack>>,
}

impl GoBackRequest {
    /// True if whoever asked has given up.
    pub(crate) fn is_given_up(&self) -> bool {
        self.tell.is_closed()
    }
}

impl GuestRef {
    /// Has it go on, after the message at hand, with the state of the checkpoint of this number, or else of the newest that
    /// is not what it knows now.
    ///
    /// # Errors
    /// See [`NotGoneBack`].
    pub async fn go_back(&self, number: Option<u64>) -> Result<WentBack, NotGoneBack> {
        let (tell, told) = oneshot::channel();
        let request = GoBackRequest { number, tell };
        self.0.commands.request(Command::GoBack(request));
        told.await.unwrap_or(Err(NotGoneBack::Ended))
    }
}

impl Guest {
    pub(super) async fn go_back(
        &self,
        myself: &ActorRef<Opaque>,
        running: &mut Running,
        GoBackRequest { number, tell }: GoBackRequest,
    ) -> Result<(), ActorProcessingErr> {
        let Some(checkpoints) = &self.checkpoints else {
            tell.send(Err(NotGoneBack::NotKept)).ok();
            return Ok(());
        };
        let module = running.life.module();
        let present = self.take_snapshot(myself, running, &module).await?.ok();
        let found = self
            .restorable(checkpoints, (&running.life, &running.label), number, present.as_ref())
            .await;
        let (kept, checkpoint) = match found {
            Ok(found) => found,
            Err(reason) => {
                tell.send(Err(reason)).ok();
                return Ok(());
            }
        };
        let is_kept = match present {
            Some(present) => keep(checkpoints, &running.label, &module, present).await,
            None => false,
        };
        let label = &running.label;
        let entry = Entry {
            actor: label.name.to_string(),
            checkpoint: Arc::new(checkpoint),
            keep: checkpoints.keep,
            hold: Vec::new(),
        };
        // The newest from now on: the instance that starts goes on from it, and so does each one after that.
        if !checkpoints.writer.put(entry, Moment::now()) {
            tell.send(Err(NotGoneBack::NotWritten)).ok();
            return Ok(());
        }
        tracing::warn!(
            actor = &*label.name,
            pid = label.pid,
            number = kept.number,
            "the actor goes back to a state that was kept, as an operator asked"
        );
        self.restart_in_place(myself, running).await?;
        tell.send(Ok(WentBack {
            to: kept,
            kept: is_kept,
        }))
        .ok();
        Ok(())
    }

    /// The checkpoint that is meant, if the code takes it over.
    async fn restorable(
        &self,
        checkpoints: &Checkpoints,
        (life, label): (&Arc<GuestCell>, &Label),
        number: Option<u64>,
        present: Option<&Snapshot>,
    ) -> Result<(KeptState, Checkpoint), NotGoneBack> {
        let actor = &*label.name;
        let writer = &checkpoints.writer;
        writer.settle(actor).await;
        // The newest below the next number is the one of this number, if it is there.
        let mut before = number.map(|number| number.saturating_add(1));
        let kept = loop {
            let found = writer.latest(actor, before).await;
            let found = found.map_err(|error| NotGoneBack::Unread(error.to_string()))?;
            let found = found.ok_or(NotGoneBack::NoCheckpoint)?;
            match number {
                Some(number) if found.number != number => return Err(NotGoneBack::NoCheckpoint),
                None if present.is_some_and(|present| present.state == found.checkpoint.state) => {
                    before = Some(found.number);
                }
                _ => break found,
            }
        };
        let module = life.module();
        if kept.checkpoint.module != module.name() {
            return Err(NotGoneBack::OtherModule(kept.checkpoint.module));
        }
        let not_restored = |error: GuestError| NotGoneBack::NotRestored(error.fault.to_string());
        let mut trial = self.new_instance(life, label, &module).await.map_err(not_restored)?;
        let Checkpoint {
            state, state_version, ..
        } = &kept.checkpoint;
        trial.restore(state, *state_version).await.map_err(not_restored)?;
        Ok((KeptState::of(&kept), kept.checkpoint))
    }
}

/// Keeps what the actor knows now. False if there is no room for it.
async fn keep(checkpoints: &Checkpoints, label: &Label, module: &Module, present: Snapshot) -> bool {
    let actor = &*label.name;
    let entry = Entry {
        actor: actor.to_owned(),
        checkpoint: Arc::new(Checkpoint {
            module: module.name().to_owned(),
            digest: present.digest,
            state_version: present.state_version,
            taken: SystemTime::now(),
            state: present.state,
        }),
        keep: checkpoints.keep,
        hold: Vec::new(),
    };
    let is_taken = checkpoints.writer.put(entry, present.moment);
    // What comes next would take its place among what waits to be written.
    is_taken && checkpoints.writer.settle(actor).await
}
