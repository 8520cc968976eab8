//! What a change of the configuration has supervisors do: take in further children, and let go of some.

use std::sync::Arc;
use std::time::Duration;

use ractor::ActorStatus;
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};

use super::message::SupervisorMessage;
use super::spec::ChildSpec;
use super::steering::Steering;

/// The longest time for children to come up, or to end. What a program does to start an actor may never end, and whoever changes the
/// configuration keeps others from doing so.
const PATIENCE: Duration = Duration::from_secs(60);

/// One change of a supervisor's children.
#[derive(Debug)]
pub(crate) enum ChildChange {
    /// One more child, after those that there are; in the place of one of that name that was removed, if there was one.
    /// If it does not come up it is kept down, until it is removed or somebody starts it.
    Add(ChildSpec),
    /// The same, but it was there before: if it does not come up, that is dealt with as after any failure.
    PutBack(ChildSpec),
    /// Another child, but an operator has stopped it, and it stays so until it is started.
    AddStopped(ChildSpec),
    /// The child ends once it has handled what it was sent, and does not come back.
    Remove(Arc<str>),
}

impl ChildChange {
    fn name(&self) -> &Arc<str> {
        match self {
            Self::Add(child) | Self::PutBack(child) | Self::AddStopped(child) => &child.name,
            Self::Remove(name) => name,
        }
    }
}

/// A change for a supervisor, and who waits for it.
#[derive(Debug)]
pub(super) struct ChildOrder {
    pub(super) change: ChildChange,
    pub(super) reply: oneshot::Sender<Result<(), String>>,
}

impl Steering {
    /// Has a supervisor do all of this, and waits until it is done. The outcome of each change is in its place: it fails for this reason.
    /// A child that did not come up keeps its place until it is removed again. One that takes longer than [`PATIENCE`] has failed to,
    /// although it may be up later.
    pub(crate) async fn change(&self, supervisor: &str, changes: Vec<ChildChange>) -> Vec<Result<(), String>> {
        let Some(above) = self.supervisor(supervisor) else {
            let reason = format!("its supervisor `{supervisor}` does not run");
            return changes.iter().map(|_| Err(reason.clone())).collect();
        };
        let mut waiting = Vec::with_capacity(changes.len());
        let orders = changes.into_iter().map(|change| {
            let (reply, told) = oneshot::channel();
            waiting.push(told);
            ChildOrder { change, reply }
        });
        let orders = orders.collect();
        let is_alive = above.get_status() < ActorStatus::Stopping;
        if is_alive {
            // If it ends meanwhile, the orders are dropped, and so is whoever was to reply.
            drop(above.cast(SupervisorMessage::Change(orders)));
        } else {
            drop(orders);
        }
        // One for all: they are under way side by side.
        let deadline = Instant::now() + PATIENCE;
        let mut outcomes = Vec::with_capacity(waiting.len());
        for told in waiting {
            let ended = || Err(format!("its supervisor `{supervisor}` has ended"));
            outcomes.push(match timeout_at(deadline, told).await {
                Ok(told) => told.unwrap_or_else(|_| ended()),
                Err(_) => Err(format!("that took longer than {PATIENCE:?}")),
            });
        }
        outcomes
    }
}

impl ChildOrder {
    pub(super) fn name(&self) -> Arc<str> {
        self.change.name().clone()
    }
}
