//! The budget of a guest that its supervisor keeps: it decides about the guest's restarts in place, and tells the
//! supervisor of them.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ractor::ActorRef;
use tokio::sync::watch;
use tokio::time::Instant;

use super::actor::Message;
use super::counts::Ledger;
use crate::directory::BoxFuture;
use crate::guest::{Budget, Restarts, Verdict};

/// The restarts of one child, or of all children of a supervisor.
pub(super) type SharedBudget = Arc<Mutex<Budget>>;

/// See the module. One for each life of an actor.
#[derive(Debug)]
pub(super) struct InPlace {
    pub(super) child: usize,
    pub(super) supervisor: ActorRef<Message>,
    pub(super) budget: SharedBudget,
    /// True from when nothing is to be restarted any more.
    pub(super) closing: watch::Receiver<bool>,
    pub(super) ledger: Ledger,
    failing: AtomicBool,
    gave_up: AtomicBool,
}

impl InPlace {
    pub(super) fn new(
        child: usize,
        supervisor: ActorRef<Message>,
        budget: SharedBudget,
        closing: watch::Receiver<bool>,
        ledger: Ledger,
    ) -> Self {
        Self {
            child,
            supervisor,
            budget,
            closing,
            ledger,
            failing: AtomicBool::new(false),
            gave_up: AtomicBool::new(false),
        }
    }

    /// True if the guest was denied a restart.
    pub(super) fn gave_up(&self) -> bool {
        self.gave_up.load(Ordering::Relaxed)
    }
}

impl Restarts for InPlace {
    fn failed(&self, now: Instant) -> Verdict {
        if *self.closing.borrow() {
            return Verdict::GiveUp;
        }
        let verdict = self.budget.lock().unwrap_or_else(PoisonError::into_inner).spend(now);
        let gave_up = verdict == Verdict::GiveUp;
        self.gave_up.store(gave_up, Ordering::Relaxed);
        self.failing.store(!gave_up, Ordering::Relaxed);
        verdict
    }

    fn wait(&self, after: Duration) -> BoxFuture<'_, bool> {
        let mut closing = self.closing.clone();
        Box::pin(async move {
            tokio::select! {
                () = tokio::time::sleep(after) => true,
                // Also if the supervisor is gone: its actors go with it.
                _ = closing.wait_for(|closing| *closing) => false,
            }
        })
    }

    fn restarted(&self) {
        self.ledger.restarted();
        // A restart that the supervisor asked for is no news to it.
        if self.failing.swap(false, Ordering::Relaxed) {
            drop(self.supervisor.cast(Message::RestartedInPlace(self.child)));
        }
    }
}
