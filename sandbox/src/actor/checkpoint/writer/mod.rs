//! Writes checkpoints, off the path of the actors that they are of.
//!
//! An actor hands its checkpoint over and goes on. Of each actor at most one waits and one is being written: a newer one
//! takes the place of one that waits. Whatever waits is written together, so that many actors share one wait for the disk.
//!
//! What was taken is kept until it is written or a newer one has taken its place: when the store fails, what it was given waits
//! again, and is tried anew, alone if need be (`attempt`). What is due when is `queue`'s to say, which this carries out. That the store fails is said once, and once that it works again.

mod attempt;
mod last;
mod queue;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Mutex, MutexGuard};
use tokio::sync::{Notify, Semaphore, watch};
use tokio::time::Instant;

use self::attempt::{Job, Jobs, Outcome, attempt};
use self::queue::{Attempt, News, Queue};
use super::store::{Checkpoint, CheckpointStore, Entry, Kept, KeptState, Moment, StoreError};

/// The longest wait of an actor that starts for a state that has not been written and that it can't take over, so that it can be held.
const HOLD_PATIENCE: Duration = Duration::from_secs(2);

/// The number that a checkpoint has until it is written.
const UNWRITTEN: u64 = u64::MAX;

/// Hands checkpoints to a store. Clones are the same writer.
#[derive(Debug, Clone)]
pub struct CheckpointWriter {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    store: Arc<dyn CheckpointStore>,
    state: Mutex<State>,
    /// Told after each change of the state, for whoever waits for one.
    changed: watch::Sender<()>,
    /// Whoever brings an actor's last state.
    lasts: Arc<Semaphore>,
    /// Ends the wait before the next attempt.
    hurry: Notify,
    figures: Mutex<CheckpointFigures>,
}

/// What a writer has written so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CheckpointFigures {
    /// Checkpoints that are in the store.
    pub written: u64,
    /// Bytes of their states.
    pub bytes: u64,
    /// Attempts after which something was left. It is tried again.
    pub failed: u64,
    /// When one was written last.
    pub last: Option<Instant>,
}

#[derive(Debug, Default)]
struct State {
    queue: Queue,
    /// A task does what the queue says, and looks again before it ends.
    is_running: bool,
}

impl CheckpointWriter {
    /// A writer for this store.
    pub fn new(store: Arc<dyn CheckpointStore>) -> Self {
        let shared = Shared {
            store,
            state: Mutex::default(),
            changed: watch::Sender::new(()),
            lasts: Arc::new(Semaphore::new(last::AT_ONCE)),
            hurry: Notify::new(),
            figures: Mutex::default(),
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// What it has written so far.
    pub fn figures(&self) -> CheckpointFigures {
        *self.shared.figures.lock()
    }

    /// Takes a checkpoint to be written: once this has returned true, it is kept or a newer one is. Never waits. False if too
    /// much waits already. Must be called within a runtime.
    pub fn put(&self, entry: Entry, moment: Moment) -> bool {
        self.shared.change(|queue| queue.handle_passing(entry, moment))
    }

    /// Gives up all checkpoints of an actor, and what waits to be written of it. Must be called within a runtime.
    pub fn forget(&self, actor: &str) {
        self.shared.change(|queue| queue.handle_forget(actor, Moment::now()));
    }

    /// The newest checkpoint of an actor with a smaller number than `before`; without `before`, also one that has not been
    /// written yet.
    ///
    /// # Errors
    /// The store could not be read.
    pub async fn latest(&self, actor: &str, before: Option<u64>) -> Result<Option<Kept>, StoreError> {
        if let Some(Job { forgets, entry }) = self.shared.unwritten(actor) {
            // With `before` an older one is wanted, and what waits is the newest.
            if let (Some(entry), None) = (entry, before) {
                let checkpoint = Checkpoint::clone(&entry.checkpoint);
                let number = UNWRITTEN;
                return Ok(Some(Kept { number, checkpoint }));
            }
            // The store may still have those that are to be given up.
            if forgets {
                return Ok(None);
            }
        }
        self.read(actor, before).await
    }

    async fn read(&self, actor: &str, before: Option<u64>) -> Result<Option<Kept>, StoreError> {
        let (store, actor) = (self.shared.store.clone(), actor.to_owned());
        let read = tokio::task::spawn_blocking(move || store.latest(&actor, before)).await;
        read.unwrap_or_else(|ended| Err(StoreError(ended.into())))
    }

    /// The checkpoints of an actor, the newest first, once what waits of it is written. Those that are damaged are left out.
    ///
    /// # Errors
    /// The store could not be read.
    pub async fn list(&self, actor: &str) -> Result<Vec<KeptState>, StoreError> {
        self.settle(actor).await;
        let (store, actor) = (self.shared.store.clone(), actor.to_owned());
        let read = tokio::task::spawn_blocking(move || {
            let (mut all, mut before) = (Vec::new(), None);
            // One by one: their states together may be more than fits into memory.
            while let Some(kept) = store.latest(&actor, before)? {
                before = Some(kept.number);
                all.push(KeptState::of(&kept));
            }
            Ok(all)
        });
        read.await.unwrap_or_else(|ended| Err(StoreError(ended.into())))
    }

    /// Waits until nothing of an actor waits to be written, but not for long. True if nothing does.
    pub(crate) async fn settle(&self, actor: &str) -> bool {
        let written = self.shared.until(|queue| queue.unwritten(actor).is_none());
        tokio::time::timeout(HOLD_PATIENCE, written).await.is_ok()
    }

    /// The actor's code can't take this checkpoint over. It stays beside those that come, until they are all given up.
    pub async fn hold(&self, actor: &str, number: u64) {
        let mut number = number;
        if number == UNWRITTEN {
            // If the disk fails too, the state is held as long as no newer one waits.
            if !self.settle(actor).await {
                return;
            }
            match self.read(actor, None).await {
                Ok(Some(kept)) => number = kept.number,
                _ => return,
            }
        }
        // Nothing is written for this: the next state takes it along.
        self.shared.lock().queue.handle_hold(actor, number);
    }

    /// Waits until nothing waits to be written any more.
    pub async fn flush(&self) {
        self.shared.until(Queue::is_idle).await;
    }

    /// The node stops: from these actors there will be one more state each.
    pub fn expect_last(&self, actors: impl IntoIterator<Item = String>) {
        let now = Instant::now().into_std();
        self.shared.lock().queue.handle_ending(actors, now);
        self.shared.hurry.notify_one();
    }

    /// This actor has no state that is to be kept when the node stops, beside what was kept.
    pub(crate) fn expect_none(&self, actor: &str) {
        self.shared.lock().queue.handle_none(actor);
    }

    /// Waits until nothing waits any more, but for no longer than `patience` without a success and six times that altogether, with
    /// attempts that come faster than usual. Gives the actors whose newest state is not written, by name: those that wait still,
    /// and those of which there was none.
    pub async fn finish(&self, patience: Duration) -> Vec<String> {
        let now = Instant::now().into_std();
        self.shared.lock().queue.handle_finish(patience, now);
        self.shared.hurry.notify_one();
        // Before the look: a change between the two would otherwise go unheard.
        let mut changed = self.shared.changed.subscribe();
        loop {
            let deadline = {
                let state = self.shared.lock();
                if state.queue.is_idle() {
                    break;
                }
                state.queue.finishes_at().map(Instant::from_std)
            };
            let Some(deadline) = deadline.filter(|deadline| *deadline > Instant::now()) else {
                break;
            };
            // The sender is here: only the time can end this without a change.
            drop(tokio::time::timeout_at(deadline, changed.changed()).await);
        }
        self.shared.lock().queue.unkept()
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }

    fn unwritten(&self, actor: &str) -> Option<Job> {
        self.lock().queue.unwritten(actor)
    }

    /// Waits until this is so.
    async fn until(&self, is_so: impl Fn(&Queue) -> bool) {
        let mut changed = self.changed.subscribe();
        // Whoever tells of a change holds no lock meanwhile. The sender is here: the channel stays open.
        while !is_so(&self.lock().queue) && changed.changed().await.is_ok() {}
    }

    /// Changes what waits, and sees to it that it is written.
    fn change<T>(self: &Arc<Self>, change: impl FnOnce(&mut Queue) -> T) -> T {
        let (changed, is_first) = {
            let mut state = self.lock();
            let changed = change(&mut state.queue);
            // Under the lock under which the task says that it ends: either it sees this change, or a new one starts.
            let is_first = !state.queue.is_idle() && !std::mem::replace(&mut state.is_running, true);
            (changed, is_first)
        };
        // Outside of the lock, which those who are woken take. Unlike `send` it is kept where nobody listens yet.
        self.changed.send_replace(());
        if is_first {
            tokio::spawn(self.clone().write());
        }
        changed
    }

    /// Does what the queue says, until nothing waits.
    async fn write(self: Arc<Self>) {
        while let Some(step) = self.next() {
            match step {
                Step::Attempt(Attempt { jobs, first }) => {
                    let store = self.store.clone();
                    let given = size(&jobs);
                    let attempted = tokio::task::spawn_blocking(move || attempt(&*store, jobs, first)).await;
                    let Ok(outcome) = attempted else {
                        // The runtime ends, and this with it. What it was about to write is in the queue.
                        return;
                    };
                    self.count(given, &outcome);
                    let now = Instant::now().into_std();
                    self.lock().queue.handle_outcome(outcome, rand::random(), now);
                    self.changed.send_replace(());
                }
                Step::Wait(until) => tokio::select! {
                    () = tokio::time::sleep_until(until) => {}
                    () = self.hurry.notified() => {}
                },
            }
        }
    }

    /// An attempt has ended that was given these states, in number and in bytes.
    fn count(&self, (states, bytes): (u64, u64), Outcome { left, error }: &Outcome) {
        let (states_left, bytes_left) = size(left);
        let written = states.saturating_sub(states_left);
        let mut figures = self.figures.lock();
        figures.written += written;
        figures.bytes += bytes.saturating_sub(bytes_left);
        figures.failed += u64::from(error.is_some());
        if written > 0 {
            figures.last = Some(Instant::now());
        }
    }

    /// What is to be done next. None if there is nothing, and then nobody does it.
    fn next(&self) -> Option<Step> {
        let mut state = self.lock();
        let attempt = state.queue.poll_attempt(Instant::now().into_std());
        // After the attempt, which may have news of its own.
        while let Some(news) = state.queue.poll_news() {
            say(&news);
        }
        if let Some(attempt) = attempt {
            return Some(Step::Attempt(attempt));
        }
        let wait = state.queue.poll_timeout();
        state.is_running = wait.is_some();
        wait.map(|until| Step::Wait(Instant::from_std(until)))
    }
}

/// How many states these are, and their bytes.
fn size(jobs: &Jobs) -> (u64, u64) {
    let entries = jobs.iter().filter_map(|(_, job)| job.entry.as_ref());
    entries.fold((0, 0), |(states, bytes), entry| {
        (states + 1, bytes + entry.checkpoint.state.len() as u64)
    })
}

/// What the task of the writer does.
enum Step {
    Attempt(Attempt),
    Wait(Instant),
}

fn say(news: &News) {
    match news {
        News::LeftOut(left_out) => tracing::warn!(
            left_out,
            "checkpoints were left out: they come faster than they can be written"
        ),
        News::Fails(error, states) => tracing::error!(
            %error, states,
            "the states of actors can't be written; they wait in memory and are tried again until they can: is there room on \
             the disk of `state_dir`, and may the node write there?"
        ),
        News::StillFails(error, states) => {
            tracing::debug!(%error, states, "the states of actors still can't be written");
        }
        News::Works(after, states) => tracing::info!(?after, states, "the states of actors are written again"),
    }
}

/// What the simulation of whole nodes runs.
#[cfg(any(test, feature = "simulation"))]
pub(crate) mod sim {
    pub use super::attempt::{Outcome, attempt};
    pub use super::queue::{Attempt, Queue};
}
