//! Writes checkpoints, off the path of the actors that they are of.
//!
//! An actor hands its checkpoint over and goes on. Of each actor at most one waits and one is being written: a newer one
//! takes the place of one that waits. Whatever waits is written together, so that many actors share one wait for the disk.
//!
//! What was taken is kept until it is written or a newer one has taken its place: when the store fails, what it was given waits
//! again, and is tried anew, alone if need be (`attempt`). That the store fails is said once, and once that it works again.

mod attempt;
mod last;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, HashMap, btree_map};
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, Semaphore, watch};
use tokio::time::Instant;

use self::attempt::{Backoff, Job, Jobs, Outcome, attempt};
use super::checkpoint::{Checkpoint, CheckpointStore, Entry, Kept, Moment, StoreError};

/// Of states that wait to be written, all actors' together. Beyond it checkpoints are left out, which the actor's next one
/// makes up for; its last one waits for room.
const MOST_WAITING_BYTES: usize = 256 << 20;

/// Of states that are written together: a disk that is slow has written some of them when the time of a stop is over.
const BATCH_BYTES: usize = 16 << 20;

/// How many times the patience of a stop it may take altogether, as long as states are being written.
const MOST_PATIENCE: u32 = 6;

/// How long an actor that starts waits for a state that has not been written and that it can't take over, so that it can be held.
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
    /// True while something waits or is being written.
    busy: watch::Sender<bool>,
    /// The same as `bytes` of the state, for whoever waits for room.
    waiting_bytes: watch::Sender<usize>,
    /// Whoever brings an actor's last state.
    lasts: Arc<Semaphore>,
    /// Ends the wait before the next attempt.
    hurry: Notify,
    /// How many batches were written, whole or in part.
    progress: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct State {
    /// By actor.
    waiting: BTreeMap<String, Job>,
    writing: BTreeMap<String, Job>,
    bytes: usize,
    /// Whoever writes looks here again before it stops.
    is_running: bool,
    /// Since when the node stops.
    ending: Option<Instant>,
    left_out: u64,
    /// Since when the store fails.
    failing: Option<Instant>,
    /// Actors whose last attempt failed.
    unlucky: BTreeSet<String>,
    /// The actor whose turn it was last, so that one that fails is not always the next.
    turn_of: String,
    /// When the newest state of each actor was taken that came here. One that comes late is no news.
    newest: HashMap<String, Moment>,
    /// Checkpoints that are to be held with the actor's next one.
    held: HashMap<String, Vec<u64>>,
    /// Actors whose last states are not here.
    unkept: BTreeSet<String>,
}

/// Which of its states an actor brings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turn {
    /// One of many.
    Passing,
    /// The last.
    Last,
}

impl State {
    /// The job of the actor whose turn is next.
    fn pop(&mut self) -> Option<(String, Job)> {
        let after = (Bound::Excluded(self.turn_of.as_str()), Bound::Unbounded);
        let mut next = self.waiting.range::<str, _>(after).chain(&self.waiting);
        let actor = next.next()?.0.clone();
        self.turn_of.clone_from(&actor);
        self.waiting.remove_entry(&actor)
    }
}

impl CheckpointWriter {
    /// A writer for this store.
    pub fn new(store: Arc<dyn CheckpointStore>) -> Self {
        let shared = Shared {
            store,
            state: Mutex::default(),
            busy: watch::Sender::new(false),
            waiting_bytes: watch::Sender::new(0),
            lasts: Arc::new(Semaphore::new(last::AT_ONCE)),
            hurry: Notify::new(),
            progress: watch::Sender::new(0),
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// Takes a checkpoint to be written: once this has returned true, it is kept or a newer one is. Never waits. False if too
    /// much waits already. Must be called within a runtime.
    pub fn put(&self, entry: Entry, moment: Moment) -> bool {
        {
            let mut state = self.shared.lock();
            let before = state.waiting.get(&entry.actor).map_or(0, Job::bytes);
            let after = (state.bytes - before).saturating_add(entry.checkpoint.state.len());
            if after > MOST_WAITING_BYTES && state.bytes > before {
                state.left_out += 1;
                return false;
            }
        }
        self.shared.accept(entry, moment, Turn::Passing);
        true
    }

    /// Gives up all checkpoints of an actor, and what waits to be written of it. Must be called within a runtime.
    pub fn forget(&self, actor: &str) {
        let mut state = self.shared.lock();
        state.newest.insert(actor.to_owned(), Moment::now());
        state.held.remove(actor);
        let job = Job {
            forgets: true,
            entry: None,
        };
        self.shared.enqueue(state, actor.to_owned(), job);
    }

    /// The newest checkpoint of an actor with a smaller number than `before`; without `before`, also one that has not been
    /// written yet.
    ///
    /// # Errors
    /// The store could not be read.
    pub async fn latest(&self, actor: &str, before: Option<u64>) -> Result<Option<Kept>, StoreError> {
        if let Some(Job { forgets, entry }) = self.shared.unwritten(actor) {
            if let (Some(entry), None) = (entry, before) {
                let checkpoint = Checkpoint::clone(&entry.checkpoint);
                let number = UNWRITTEN;
                return Ok(Some(Kept { number, checkpoint }));
            }
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

    /// The actor's code can't take this checkpoint over. It stays beside those that come, until they are all given up.
    pub async fn hold(&self, actor: &str, number: u64) {
        let mut number = number;
        if number == UNWRITTEN {
            let mut busy = self.shared.busy.subscribe();
            let written = async {
                // The state is not locked within the channel: whoever tells the channel has it locked.
                while self.shared.unwritten(actor).is_some() && busy.changed().await.is_ok() {}
            };
            // If the disk fails too, the state is held as long as no newer one waits.
            if tokio::time::timeout(HOLD_PATIENCE, written).await.is_err() {
                return;
            }
            match self.read(actor, None).await {
                Ok(Some(kept)) => number = kept.number,
                _ => return,
            }
        }
        let mut state = self.shared.lock();
        state.held.entry(actor.to_owned()).or_default().push(number);
    }

    /// Waits until nothing waits to be written any more.
    pub async fn flush(&self) {
        // The sender is here: it can't fail.
        drop(self.shared.busy.subscribe().wait_for(|busy| !busy).await);
    }

    /// The node stops: from these actors there will be one more state each.
    pub fn expect_last(&self, actors: impl IntoIterator<Item = String>) {
        let mut state = self.shared.lock();
        state.ending.get_or_insert_with(Instant::now);
        state.unkept.extend(actors);
        drop(state);
        self.shared.hurry.notify_one();
    }

    /// Waits until nothing waits any more, but for no longer than `patience` without a success and six times that altogether, with
    /// attempts that come faster than usual. Gives the actors whose newest state is not written, by name: those that wait still,
    /// and those of which there was none.
    pub async fn finish(&self, patience: Duration) -> Vec<String> {
        self.shared.lock().ending.get_or_insert_with(Instant::now);
        self.shared.hurry.notify_one();
        let mut progress = self.shared.progress.subscribe();
        let goes_on = async {
            // The sender is here: the channel stays open.
            while let Ok(Ok(())) = tokio::time::timeout(patience, progress.changed()).await {}
        };
        tokio::select! {
            () = self.flush() => {}
            () = goes_on => {}
            () = tokio::time::sleep(patience.saturating_mul(MOST_PATIENCE)) => {}
        }
        let state = self.shared.lock();
        let unwritten = state.waiting.iter().chain(&state.writing);
        let unwritten = unwritten.filter(|(_, job)| job.entry.is_some()).map(|(actor, _)| actor);
        let names: BTreeSet<&String> = unwritten.chain(&state.unkept).collect();
        names.into_iter().cloned().collect()
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn unwritten(&self, actor: &str) -> Option<Job> {
        let state = self.lock();
        state.waiting.get(actor).or_else(|| state.writing.get(actor)).cloned()
    }

    /// Takes a checkpoint, whatever waits. While the node stops, only an actor's last state counts as the one that is expected.
    fn accept(self: &Arc<Self>, mut entry: Entry, moment: Moment, turn: Turn) {
        let mut state = self.lock();
        if turn == Turn::Last || state.ending.is_none() {
            state.unkept.remove(&entry.actor);
        }
        if state.newest.get(&entry.actor).is_some_and(|newest| *newest > moment) {
            // Somebody was slow to bring it.
            return;
        }
        state.newest.insert(entry.actor.clone(), moment);
        if let Some(held) = state.held.get(&entry.actor) {
            entry.hold.extend(held);
        }
        let actor = entry.actor.clone();
        let job = Job {
            forgets: false,
            entry: Some(entry),
        };
        self.enqueue(state, actor, job);
    }

    fn enqueue(self: &Arc<Self>, mut state: MutexGuard<'_, State>, actor: String, job: Job) {
        let State { waiting, bytes, .. } = &mut *state;
        *bytes += job.bytes();
        let place = waiting.entry(actor).or_default();
        let older = std::mem::replace(place, job);
        *bytes -= older.bytes();
        // What is to be given up is, also if something is to be kept by now.
        place.forgets |= older.forgets;
        self.waiting_bytes.send_replace(state.bytes);
        if !std::mem::replace(&mut state.is_running, true) {
            self.busy.send_replace(true);
            tokio::spawn(self.clone().write());
        }
    }

    /// Writes until nothing waits.
    async fn write(self: Arc<Self>) {
        let mut backoff = Backoff::default();
        // Where the next attempt begins when it takes one by one, so that none is always the last.
        let mut first = 0;
        while let Some(jobs) = self.take() {
            let (store, count) = (self.store.clone(), jobs.len());
            let attempted = tokio::task::spawn_blocking(move || attempt(&*store, jobs, first)).await;
            let Ok(Outcome { left, error }) = attempted else {
                // The runtime ends, and this with it. What it was about to write is in `writing`.
                return;
            };
            let written = count - left.len();
            first = first.wrapping_add(written).wrapping_add(1);
            self.put_back(left);
            if written > 0 {
                self.progress.send_modify(|batches| *batches += 1);
            }
            let Some(error) = error else {
                if self.works(written) {
                    backoff.succeeded();
                }
                continue;
            };
            self.fails(&error);
            let is_ending = self.lock().ending.is_some();
            let wait = backoff.failed(is_ending, rand::random::<f64>());
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = self.hurry.notified() => {}
            }
        }
    }

    /// What is to be written next. None if there is nothing, and then nobody writes.
    fn take(&self) -> Option<Jobs> {
        let mut state = self.lock();
        if state.waiting.is_empty() {
            state.is_running = false;
            self.busy.send_replace(false);
            return None;
        }
        if state.left_out > 0 {
            let left_out = std::mem::take(&mut state.left_out);
            tracing::warn!(
                left_out,
                "checkpoints were left out: they come faster than they can be written"
            );
        }
        let mut bytes = 0;
        while bytes < BATCH_BYTES
            && let Some((actor, job)) = state.pop()
        {
            bytes += job.bytes();
            state.writing.insert(actor, job);
        }
        Some(state.writing.clone().into_iter().collect())
    }

    /// What was not written waits again, unless something newer does.
    fn put_back(&self, left: Jobs) {
        let mut state = self.lock();
        let written = std::mem::take(&mut state.writing);
        state.bytes -= written.values().map(Job::bytes).sum::<usize>();
        for actor in written.keys() {
            state.unlucky.remove(actor);
        }
        for (actor, job) in left {
            state.unlucky.insert(actor.clone());
            let State { waiting, bytes, .. } = &mut *state;
            match waiting.entry(actor) {
                btree_map::Entry::Occupied(mut newer) => newer.get_mut().forgets |= job.forgets,
                btree_map::Entry::Vacant(place) => {
                    *bytes += job.bytes();
                    place.insert(job);
                }
            }
        }
        for (actor, job) in written {
            // What it was to hold is held now, unless it was not written.
            if let Some(entry) = job.entry
                && !state.waiting.contains_key(&actor)
                && let Some(held) = state.held.get_mut(&actor)
            {
                held.retain(|number| !entry.hold.contains(number));
                if held.is_empty() {
                    state.held.remove(&actor);
                }
            }
        }
        self.waiting_bytes.send_replace(state.bytes);
        // Whoever waits for one actor's state looks again.
        self.busy.send_replace(true);
    }

    fn fails(&self, error: &StoreError) {
        let mut state = self.lock();
        let states = state.waiting.len();
        if state.failing.is_some() {
            tracing::debug!(%error, states, "the states of actors still can't be written");
            return;
        }
        state.failing = Some(Instant::now());
        tracing::error!(
            %error, states,
            "the states of actors can't be written; they wait in memory and are tried again until they can: is there room on \
             the disk of `state_dir`, and may the node write there?"
        );
    }

    /// A batch was written. True if no other waits that failed before.
    fn works(&self, states: usize) -> bool {
        let mut state = self.lock();
        if !state.unlucky.is_empty() {
            return false;
        }
        if let Some(since) = state.failing.take() {
            let after = since.elapsed();
            tracing::info!(?after, states, "the states of actors are written again");
        }
        true
    }
}
