//! What has become of a node's actors so far, counted by all of its supervisors together.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use parking_lot::{Mutex, MutexGuard};
use ractor::{ActorCell, ActorId, SupervisionEvent};
use tokio::sync::watch;

use super::readiness::GivenUpActors;
use super::steering::Steering;
use crate::events::EventHistory;

/// What has become of the supervised actors so far. Supervisors are not counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Actors that are alive.
    pub running: usize,
    /// Actors that came to life.
    pub started: u64,
    /// Actors that were restarted: guests that went on with a fresh instance, and actors that were started again.
    pub restarted: u64,
    /// Actors that ended in an orderly way or were killed.
    pub terminated: u64,
    /// Actors that failed, without those failures after which a guest was restarted in place.
    pub failed: u64,
}

/// What all supervisors of a tree share.
#[derive(Debug, Clone)]
pub(super) struct TreeState {
    counts: Arc<watch::Sender<Counts>>,
    cells: Cells,
    pub(super) given_up_actors: GivenUpActors,
    pub(super) steering: Steering,
    pub(super) events: EventHistory,
}

/// Which actor was started last under each name.
#[derive(Debug, Clone, Default)]
pub(super) struct Cells(Arc<Mutex<HashMap<Arc<str>, ActorCell>>>);

impl TreeState {
    pub(super) fn new() -> (Self, watch::Receiver<Counts>, Cells) {
        let (sender, receiver) = watch::channel(Counts::default());
        let cells = Cells::default();
        let tree = Self {
            counts: Arc::new(sender),
            cells: cells.clone(),
            given_up_actors: GivenUpActors::default(),
            steering: Steering::default(),
            events: EventHistory::default(),
        };
        (tree, receiver, cells)
    }

    pub(super) fn restarted(&self) {
        self.counts.send_modify(|counts| counts.restarted += 1);
    }

    /// This actor is now the child of this name.
    pub(super) fn enter(&self, name: &Arc<str>, cell: ActorCell) {
        self.cells.lock().insert(name.clone(), cell);
        if self.given_up_actors.remove(name) {
            tracing::info!(actor = &**name, "the actor, which had been given up, lives again");
        }
    }
}

impl Cells {
    pub(super) fn find(&self, name: &str) -> Option<ActorCell> {
        self.lock().get(name).cloned()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Arc<str>, ActorCell>> {
        self.0.lock()
    }
}

/// The actors of one supervisor that are alive. When the supervisor ends, they all do, and no event says so.
#[derive(Debug)]
pub(super) struct ActorTally {
    tree: TreeState,
    running: HashSet<ActorId>,
}

impl ActorTally {
    pub(super) fn new(tree: TreeState) -> Self {
        Self {
            tree,
            running: HashSet::new(),
        }
    }

    pub(super) fn count(&mut self, event: &SupervisionEvent) {
        let running = &mut self.running;
        self.tree.counts.send_modify(|counts| match event {
            SupervisionEvent::ActorStarted(cell) => {
                // By the set and not by the event: an end whose start was never counted must not take the number below zero.
                counts.running += usize::from(running.insert(cell.get_id()));
                counts.started += 1;
            }
            SupervisionEvent::ActorTerminated(cell, ..) => {
                counts.running -= usize::from(running.remove(&cell.get_id()));
                counts.terminated += 1;
            }
            SupervisionEvent::ActorFailed(cell, _) => {
                counts.running -= usize::from(running.remove(&cell.get_id()));
                counts.failed += 1;
            }
            _ => {}
        });
    }
}

impl Drop for ActorTally {
    fn drop(&mut self) {
        let left = self.running.len();
        self.tree.counts.send_modify(|counts| {
            counts.running -= left;
            counts.terminated += left as u64;
        });
    }
}
