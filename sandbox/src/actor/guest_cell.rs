//! A guest as the host sees it: what it runs now, and asking things of it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use parking_lot::Mutex;
use ractor::ActorCell;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use super::commands::{Command, Commands};
use super::history::History;
use super::reload::{
    Claim, NotReloaded, Purpose, ReloadRequest, Snapshot, SnapshotReply, SnapshotRequest, StateRoom, Swap, Swapped,
};
use crate::accounting::label::Label;
use crate::accounting::tally::Tally;
use crate::accounting::telemetry;
use crate::instance::error::GuestError;
use crate::instance::module::Module;
use crate::policy::profile::Profile;
use crate::store::mailbox::Mailbox;
use crate::store::own_actor::OwnActor;

/// What belongs to an actor over all its instances, and is known outside of it. The counterpart of ractor's cell.
#[derive(Debug)]
pub(super) struct GuestCell {
    cell: ActorCell,
    pub(super) mailbox: Arc<Mailbox>,
    pub(super) commands: Arc<Commands>,
    pub(super) profile: Arc<Profile>,
    /// What an instance asks of the actor.
    pub(super) own_actor: Arc<dyn OwnActor>,
    pub(super) tally: Arc<Tally>,
    pub(super) history: History,
    module: Mutex<Module>,
    turns: AtomicU64,
    /// Held by the task that has the module describe itself. Made when that is asked for first, as it is of few guests.
    describing: OnceLock<Arc<Semaphore>>,
}

impl GuestCell {
    pub(super) fn new(
        cell: ActorCell,
        mailbox: Arc<Mailbox>,
        commands: Arc<Commands>,
        profile: Arc<Profile>,
        own_actor: Arc<dyn OwnActor>,
        (module, tally): (Module, Arc<Tally>),
    ) -> Self {
        Self {
            cell,
            mailbox,
            commands,
            profile,
            own_actor,
            tally,
            history: History::default(),
            module: Mutex::new(module),
            turns: AtomicU64::new(0),
            describing: OnceLock::new(),
        }
    }

    /// The guest failed.
    pub(super) fn failed(&self, label: &Label, error: &GuestError) {
        telemetry::failure(label);
        self.tally.failure();
        self.history.failed(error);
    }

    /// The guest was restarted in place.
    pub(super) fn restarted(&self, label: &Label) {
        telemetry::restart(label);
        self.tally.restart();
    }

    /// Leave to have the module describe itself, unless that is under way.
    pub(super) fn begin_describing(&self) -> Option<OwnedSemaphorePermit> {
        let describing = self.describing.get_or_init(|| Arc::new(Semaphore::new(1)));
        describing.clone().try_acquire_owned().ok()
    }

    pub(super) fn cell(&self) -> &ActorCell {
        &self.cell
    }

    /// What the actor runs now.
    pub(super) fn module(&self) -> Module {
        self.module.lock().clone()
    }

    pub(super) fn set_module(&self, module: Module) {
        *self.module.lock() = module;
        self.turn();
    }

    /// Something happened of which the state may be another.
    pub(super) fn turn(&self) {
        // Pairs with the load in `turns`: who sees this number finds what happened before it.
        self.turns.fetch_add(1, Ordering::Release);
    }
}

/// A guest that runs, or did when it was looked for: the counterpart of ractor's reference to an actor.
#[derive(Debug, Clone)]
pub struct GuestRef(pub(super) Arc<GuestCell>);

impl GuestRef {
    /// The actor.
    pub fn cell(&self) -> &ActorCell {
        self.0.cell()
    }

    /// Its name, if it has one.
    pub fn name(&self) -> Option<String> {
        self.cell().get_name()
    }

    /// Its pid.
    pub fn pid(&self) -> u64 {
        self.cell().get_id().pid()
    }

    /// The module that it runs, in the version that it runs.
    pub fn module(&self) -> Module {
        self.0.module()
    }

    /// What it was given.
    pub fn profile(&self) -> &Arc<Profile> {
        &self.0.profile
    }

    /// Messages that wait for it. Those of native actors of this process are not counted.
    pub fn waiting(&self) -> usize {
        self.0.mailbox.len()
    }

    /// How often something happened of which the state may be another: a message was handled, the instance or its code was
    /// replaced. While this number stays, the state does.
    pub fn turns(&self) -> u64 {
        self.0.turns.load(Ordering::Acquire)
    }

    /// Replaces the instance by a fresh one of the same code, in place, before the next message; whatever the actor's own
    /// policy says. A message that is being handled is finished first.
    pub fn restart(&self, reason: impl Into<String>) {
        self.0.commands.request(Command::Restart(reason.into()));
    }

    /// Replaces the code, before the next message. A message that is being handled is finished first, however long that
    /// takes; whoever drops this future before that has asked for nothing.
    ///
    /// # Errors
    /// The actor goes on with the code that it had, or has ended.
    pub async fn reload(&self, swap: Swap) -> Result<Swapped, NotReloaded> {
        let _look = LookAtEnd(&self.0.mailbox);
        let (tell, told) = oneshot::channel();
        let request = ReloadRequest {
            swap,
            tell,
            claim: Claim::default(),
            purpose: Purpose::Reload,
        };
        self.0.commands.request(Command::Reload(Box::new(request)));
        told.await.unwrap_or(Err(NotReloaded::Ended))
    }

    /// The same for somebody with limited patience. None if the actor hadn't begun to change over by then: it goes on with the code
    /// that it has. Once it has begun, this waits for it, because that can't be undone.
    ///
    /// # Errors
    /// As for [`reload`](Self::reload).
    pub async fn reload_within(&self, swap: Swap, patience: Duration) -> Option<Result<Swapped, NotReloaded>> {
        self.swap_within(swap, patience, Purpose::Reload).await
    }

    pub(super) async fn swap_within(
        &self,
        swap: Swap,
        patience: Duration,
        purpose: Purpose,
    ) -> Option<Result<Swapped, NotReloaded>> {
        let _look = LookAtEnd(&self.0.mailbox);
        let (tell, mut told) = oneshot::channel();
        let claim = Claim::default();
        let request = ReloadRequest {
            swap,
            tell,
            claim: claim.clone(),
            purpose,
        };
        self.0.commands.request(Command::Reload(Box::new(request)));
        let answer = match tokio::time::timeout(patience, &mut told).await {
            Ok(answer) => answer,
            Err(_) if claim.give_up() => return None,
            Err(_) => told.await,
        };
        Some(answer.unwrap_or(Err(NotReloaded::Ended)))
    }

    /// The code that it was reloaded with has proven itself: the instance before it is given up.
    pub fn confirm(&self) {
        self.0.commands.request(Command::Confirm);
    }

    /// Its state, between two messages, as its own code writes it. The actor goes on.
    ///
    /// # Errors
    /// The code can't, or the actor has ended. If the guest trapped, the actor was dealt with as after any failure.
    pub async fn snapshot(&self) -> Result<Snapshot, NotReloaded> {
        match self.ask(None).await? {
            SnapshotReply::Taken(snapshot, _) => Ok(snapshot),
            // It was not asked to look for any.
            SnapshotReply::NoRoom => Err(NotReloaded::Ended),
        }
    }

    /// The same, with a place in `room`. None if there was none when the actor came to the end of its message.
    ///
    /// # Errors
    /// As for [`snapshot`](Self::snapshot).
    pub async fn snapshot_in(
        &self,
        room: Arc<StateRoom>,
    ) -> Result<Option<(Snapshot, OwnedSemaphorePermit)>, NotReloaded> {
        match self.ask(Some(room)).await? {
            SnapshotReply::Taken(snapshot, place) => Ok(place.map(|place| (snapshot, place))),
            SnapshotReply::NoRoom => Ok(None),
        }
    }

    async fn ask(&self, room: Option<Arc<StateRoom>>) -> Result<SnapshotReply, NotReloaded> {
        let _look = LookAtEnd(&self.0.mailbox);
        let (tell, told) = oneshot::channel();
        self.0
            .commands
            .request(Command::Snapshot(SnapshotRequest { room, tell }));
        told.await.unwrap_or(Err(NotReloaded::Ended))
    }
}

/// Has the actor look when whoever asked for something has given up: it may hold its mailbox for that alone. Made before the receiver of
/// the outcome, so that it is dropped after that.
struct LookAtEnd<'a>(&'a Mailbox);

impl Drop for LookAtEnd<'_> {
    fn drop(&mut self) {
        self.0.resume();
    }
}
