//! The last state of an actor that ends in an orderly way. No other comes after it, so it waits for room.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;

use super::queue::Queue;
use super::{CheckpointWriter, Shared};
use crate::actor::checkpoint::store::{Entry, Moment};

/// The longest wait of an actor that ends for room for its state; while the node stops, counted from there for all actors, because those
/// whose turn comes late have less time before they are killed. Then it is taken all the same: the actor, which has at least as much
/// memory, gives that back, and is not to be killed for waiting.
const PATIENCE: Duration = Duration::from_secs(5);

/// The number of ending actors that may have their states on the way at once: by as many states more than the bound may wait, as long as
/// the disk is fast enough.
pub(super) const AT_ONCE: usize = 16;

/// An actor's right to one more state, which is to be taken now. If it is dropped without one, or the actor is killed while it
/// waits for this, the state counts as not kept.
#[derive(Debug)]
pub(crate) struct LastTurn {
    unkept: Unkept,
    _permit: Option<OwnedSemaphorePermit>,
}

/// Notes the actor when it is dropped.
#[derive(Debug)]
struct Unkept {
    shared: Arc<Shared>,
    actor: String,
    is_kept: bool,
}

impl Drop for Unkept {
    fn drop(&mut self) {
        if !self.is_kept {
            let actor = std::mem::take(&mut self.actor);
            self.shared.lock().queue.handle_unkept(actor);
        }
    }
}

impl CheckpointWriter {
    /// Waits until there is room for the last state of an actor, or until [`PATIENCE`] is over.
    pub(crate) async fn last_turn(&self, actor: &str) -> LastTurn {
        // Made before the first wait: an actor that is killed in it is noted, too.
        let unkept = Unkept {
            shared: self.shared.clone(),
            actor: actor.to_owned(),
            is_kept: false,
        };
        let turn = async {
            // Taken first: those that wait for room don't all find it at the same moment.
            let permit = self.shared.lasts.clone().acquire_owned().await.ok()?;
            self.shared.until(Queue::has_room).await;
            Some(permit)
        };
        let ending = self.shared.lock().queue.ending();
        let since = ending.map_or_else(Instant::now, Instant::from_std);
        let _permit = tokio::time::timeout_at(since + PATIENCE, turn).await.ok().flatten();
        LastTurn { unkept, _permit }
    }
}

impl LastTurn {
    /// Takes the state to be written, however much waits. Must be called within a runtime.
    pub(crate) fn put(mut self, entry: Entry, moment: Moment) {
        // Or the drop at the end of this would note as lost what was just handed over.
        self.unkept.is_kept = true;
        let shared = self.unkept.shared.clone();
        shared.change(|queue| queue.handle_last(entry, moment));
    }
}
