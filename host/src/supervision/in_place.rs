//! The budget of a guest that its supervisor keeps: it decides about the guest's restarts in place, and tells the
//! supervisor of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use ractor::ActorRef;
use tokio::sync::watch;
use tokio::time::Instant;

use super::counts::TreeState;
use super::message::{GaveUp, SupervisorMessage};
use crate::directory::BoxFuture;
use crate::guest::{RestartBudget, RestartDecider, RestartDecision};

/// The restarts of one child, or of all children of a supervisor.
pub(super) type SharedBudget = Arc<Mutex<RestartBudget>>;

/// Whether guests are restarted still.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Closing {
    No,
    /// They work off what they were sent and end. One that waits to be restarted is so at once: it has that to do, too. One that
    /// fails now is not.
    Draining,
    /// They end.
    Ending,
}

/// See the module. One for each life of an actor.
#[derive(Debug)]
pub(super) struct InPlace {
    pub(super) child: usize,
    pub(super) supervisor: ActorRef<SupervisorMessage>,
    pub(super) budget: SharedBudget,
    pub(super) closing: watch::Receiver<Closing>,
    pub(super) tree: TreeState,
    pub(super) gave_up: GaveUp,
    pub(super) failing: AtomicBool,
}

impl RestartDecider for InPlace {
    fn failed(&self, now: Instant) -> RestartDecision {
        // Before the budget is asked: a failure during a stop is no reason to give the actor up.
        if *self.closing.borrow() != Closing::No {
            return RestartDecision::GiveUp;
        }
        let verdict = self.budget.lock().spend(now);
        let gave_up = verdict == RestartDecision::GiveUp;
        self.gave_up.set(gave_up);
        // Relaxed will do: this actor alone swaps it later, and the supervisor reads `gave_up` only after the event of the actor's end.
        self.failing.store(!gave_up, Ordering::Relaxed);
        verdict
    }

    fn wait(&self, after: Duration) -> BoxFuture<'_, bool> {
        // `wait_for` looks at the value before it waits, so a stop that began since `failed` is not missed.
        let mut closing = self.closing.clone();
        Box::pin(async move {
            tokio::select! {
                () = tokio::time::sleep(after) => true,
                // None if the supervisor is gone: its actors go with it.
                closing = closing.wait_for(|closing| *closing != Closing::No) =>
                    closing.is_ok_and(|closing| *closing == Closing::Draining),
            }
        })
    }

    fn restarted(&self) {
        self.tree.restarted();
        let news = if self.failing.swap(false, Ordering::Relaxed) {
            SupervisorMessage::RestartedInPlace(self.child)
        } else {
            // The supervisor asked for it, and others may be affected no more; but an operator may wait to hear of it.
            SupervisorMessage::Refreshed(self.child)
        };
        drop(self.supervisor.cast(news));
    }
}
