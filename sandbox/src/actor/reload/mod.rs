//! Replacing the code of a guest that lives: what is asked, and what becomes of it.
//!
//! `swap` does it, at a message boundary: that is when no import is under way, so no call that the guest made is pending. The
//! instance before it is kept until the new code has proven itself (`probation`).

pub(super) mod probation;
mod proving;
mod swap;
pub(crate) mod trial;

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use crate::actor::checkpoint::store::Moment;
use crate::component::source::Digest;
use crate::instance::error::GuestError;
use crate::instance::module::Module;

pub(crate) use crate::instance::reload::NoSnapshot;

/// What becomes of the state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// The old code gives it to the new code.
    Snapshot,
    /// It is given up: the new code starts afresh, with the actor's start arguments. The actor keeps its identity.
    Restart,
}

/// What an actor is to be reloaded with.
#[derive(Debug, Clone)]
pub struct Swap {
    /// The new code.
    pub module: Module,
    /// What becomes of the state.
    pub mode: Mode,
    /// This many messages must be handled without a failure before the old instance is given up; until then a failure brings
    /// it back. With [`Mode::Restart`] there is nothing to go back to.
    pub probation: u32,
}

/// An actor runs the new code.
#[derive(Debug)]
pub struct Swapped {
    /// From the end of the last message before to when the next one could be handled.
    pub pause: Duration,
    /// Bytes of the state that was handed over.
    pub state_bytes: usize,
    /// Messages that waited at the end of the pause; those of native actors of this process are not counted.
    pub waiting: usize,
    /// What becomes of the probation.
    pub proof: Proof,
}

/// Whether new code proves itself.
#[derive(Debug)]
pub struct Proof(oneshot::Receiver<Result<(), NotReloaded>>);

impl Proof {
    /// What came of the probation, if it has ended. None if it goes on, or if that was heard already.
    pub fn heard(&mut self) -> Option<Result<(), NotReloaded>> {
        self.0.try_recv().ok()
    }

    /// Waits for the end of the probation: as many messages as it takes, or [`confirm`](crate::GuestRef::confirm).
    ///
    /// # Errors
    /// A message failed, and the old code is back; or the actor has ended.
    pub async fn proven(&mut self) -> Result<(), NotReloaded> {
        (&mut self.0).await.unwrap_or(Err(NotReloaded::Ended))
    }
}

/// What a reload is made of, in the order that it is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    /// The actor comes to the end of the message that it is handling.
    Boundary,
    /// The old code says what the state is.
    Snapshot,
    /// There is room for an instance of the new code, and it can be made.
    Instantiate,
    /// The new code takes over the state.
    Restore,
    /// The new code starts afresh.
    Start,
    /// The new code looks whether all is well.
    PostReload,
    /// The new code handles its first messages.
    Probation,
}

impl std::fmt::Display for Step {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Boundary => "boundary",
            Self::Snapshot => "snapshot",
            Self::Instantiate => "instantiate",
            Self::Restore => "restore",
            Self::Start => "start",
            Self::PostReload => "post-reload",
            Self::Probation => "probation",
        })
    }
}

/// An actor was not reloaded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotReloaded {
    /// It has ended.
    #[error("the actor has ended")]
    Ended,
    /// It goes on with the code that it had.
    #[error("at {step}: {reason}")]
    Failed {
        /// What went wrong.
        step: Step,
        /// Why.
        reason: String,
        /// What became of the state and of the message at hand.
        aftermath: Aftermath,
    },
}

/// How an actor goes on after a reload that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Aftermath {
    /// As if nothing had happened.
    Unharmed,
    /// The old instance is back, and got the message at which the new one failed.
    GivenAgain,
    /// The old instance is back. The message at which the new one failed is lost, as after any failure: others had noticed
    /// something of it already.
    MessageLost,
    /// The old instance trapped, or could not be brought back, and its state is lost: the actor goes on afresh, or has
    /// failed, as after any failure.
    StateLost,
}

impl NotReloaded {
    pub(super) fn at(step: Step, error: &GuestError, aftermath: Aftermath) -> Self {
        Self::Failed {
            step,
            reason: format!("{}: {}", error.during, error.fault),
            aftermath,
        }
    }
}

/// A reload that was asked for.
#[derive(Debug)]
pub(crate) struct ReloadRequest {
    pub(super) swap: Swap,
    pub(super) tell: oneshot::Sender<Result<Swapped, NotReloaded>>,
    pub(super) claim: Claim,
}

impl ReloadRequest {
    /// True if whoever asked has given up.
    pub(crate) fn is_given_up(&self) -> bool {
        self.tell.is_closed() || self.claim.is_given_up()
    }
}

/// Who decides what becomes of a reload that takes long: the actor that is about to do what can't be undone, or whoever asked and has
/// no patience left. The first of the two.
#[derive(Debug, Clone, Default)]
pub(crate) struct Claim(Arc<AtomicU8>);

impl Claim {
    const OPEN: u8 = 0;
    const GIVEN_UP: u8 = 1;
    const COMMITTED: u8 = 2;

    fn decide(&self, verdict: u8) -> bool {
        // It guards no memory: what was done is told through a channel.
        let decided = self
            .0
            .compare_exchange(Self::OPEN, verdict, Ordering::Relaxed, Ordering::Relaxed);
        decided.is_ok() || decided == Err(verdict)
    }

    /// From here on the reload is done. False if whoever asked has given up, and takes it that nothing was done.
    pub(super) fn commit(&self) -> bool {
        self.decide(Self::COMMITTED)
    }

    /// Nothing is to be done any more. False if it is being done, and can't be undone.
    pub(crate) fn give_up(&self) -> bool {
        self.decide(Self::GIVEN_UP)
    }

    fn is_given_up(&self) -> bool {
        self.0.load(Ordering::Relaxed) == Self::GIVEN_UP
    }
}

/// The state of an actor at some moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// What the guest wrote.
    pub state: Vec<u8>,
    /// The version of the state of the code that wrote it.
    pub state_version: u32,
    /// The code that wrote it. The actor may run other code by the time that this is read.
    pub digest: Digest,
    /// When that was.
    pub moment: Moment,
}

impl Snapshot {
    /// What a guest of the code with this digest wrote just now.
    pub(super) fn new(state: Vec<u8>, state_version: u32, digest: Digest) -> Self {
        Self {
            state,
            state_version,
            digest,
            moment: Moment::now(),
        }
    }
}

/// Where states that were asked for have places, so that only this many are there at once.
#[derive(Debug)]
pub struct StateRoom {
    places: Arc<Semaphore>,
    /// The place that is kept for an actor which is about to answer.
    kept: Mutex<Option<OwnedSemaphorePermit>>,
}

impl StateRoom {
    /// Room for one actor, for which this place is kept.
    pub fn with(places: Arc<Semaphore>, place: OwnedSemaphorePermit) -> Self {
        Self {
            places,
            kept: Mutex::new(Some(place)),
        }
    }

    /// No place is kept any more. The actor gets one if there is one when it answers.
    pub fn give_up(&self) {
        drop(self.take());
    }

    /// A place, when the actor is about to write its state.
    pub fn enter(&self) -> Option<OwnedSemaphorePermit> {
        let kept = self.take();
        // What was kept may have been given up by now: then a free place will do, and without one there is no state this time.
        kept.or_else(|| self.places.clone().try_acquire_owned().ok())
    }

    fn take(&self) -> Option<OwnedSemaphorePermit> {
        self.kept.lock().take()
    }
}

/// A state with its place, if there was to be one.
#[derive(Debug)]
pub(super) enum SnapshotReply {
    Taken(Snapshot, Option<OwnedSemaphorePermit>),
    /// There was no room, so nothing was asked of the actor's code.
    NoRoom,
}

/// Who asked for a snapshot.
#[derive(Debug)]
pub(crate) struct SnapshotRequest {
    /// Where its state has a place, if it needs one.
    pub(super) room: Option<Arc<StateRoom>>,
    pub(super) tell: oneshot::Sender<Result<SnapshotReply, NotReloaded>>,
}

impl SnapshotRequest {
    /// True if whoever asked has given up.
    pub(crate) fn is_given_up(&self) -> bool {
        self.tell.is_closed()
    }
}
