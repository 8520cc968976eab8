//! Writes states, many together, off the path of the actors that they are of.
//!
//! The writes of an entity are carried out one after the other, in the order in which they were submitted: a later one overtakes none that
//! failed. What waits is written together, so that many entities share one wait for the disk.

use std::collections::{HashMap, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use ractor_host_placement::statement::WriteOutcome;
use ractor_host_placement::words::Entity;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::store::{Change, EntityStore, Fence, StoreError, Stored, Write};

/// The most writes of one commit.
const WRITES: usize = 1_024;

/// The bytes of states after which a commit takes no more.
const BYTES: usize = 16 << 20;

/// The wait after the first attempt that fails. It doubles with each further one.
const SHORTEST: Duration = Duration::from_millis(100);

/// The longest wait.
const LONGEST: Duration = Duration::from_secs(2);

/// The longest time for which a write is tried. After that the entity ends, and nobody knows whether its last state is there.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// The version of the write that was submitted last. One count for the whole process: the activations of an entity within one epoch are all
/// in one process, so that no version has two contents.
static VERSION: AtomicU64 = AtomicU64::new(0);

/// What came of a write, once nothing more is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Written {
    /// It outlives the process and the machine's power.
    Durable,
    /// It was not done: the entity is another node's by now.
    Refused,
    /// Nobody knows, or it could not be done for too long.
    GivenUp,
}

/// Told what came of a write.
type Done = Box<dyn FnOnce(Written) + Send>;

/// Hands writes to a store. Clones are the same writer.
#[derive(Clone)]
pub(crate) struct Writer(Arc<Shared>);

struct Shared {
    store: Arc<dyn EntityStore>,
    queue: Mutex<Queue>,
    /// Told after each commit, for whoever waits for one.
    settled: watch::Sender<()>,
}

struct Job {
    write: Arc<Write>,
    since: Instant,
    /// An attempt may have been carried out, or may be yet.
    is_unknown: bool,
    done: Done,
}

#[derive(Default)]
struct Queue {
    waiting: Vec<Job>,
    /// The entities with a write that waits or is under way, and how many.
    unsettled: HashMap<Entity, usize>,
    /// Entities with a write that was given up and may be carried out yet.
    uncertain: HashSet<Entity>,
    is_running: bool,
    figures: WriterFigures,
}

/// What was written so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct WriterFigures {
    /// Commits.
    pub commits: u64,
    /// Writes in these commits.
    pub writes: u64,
    /// Bytes of their states.
    pub bytes: u64,
    /// Attempts that failed.
    pub failed: u64,
    /// Writes that were given up.
    pub given_up: u64,
    /// Writes that were refused, because the entity had gone to another node.
    pub refused: u64,
}

impl Writer {
    pub(crate) fn new(store: Arc<dyn EntityStore>) -> Self {
        Self(Arc::new(Shared {
            store,
            queue: Mutex::default(),
            settled: watch::Sender::new(()),
        }))
    }

    pub(crate) fn figures(&self) -> WriterFigures {
        self.0.queue.lock().figures
    }

    /// Writes this, and says what came of it, on whatever thread that is known. Must be called within a runtime.
    ///
    /// One that was given up may be carried out yet. Before anything else is written of its entity something newer is written that changes
    /// nothing: after that it has been carried out, or never will be.
    pub(crate) fn submit(&self, write: Write, done: impl FnOnce(Written) + Send + 'static) {
        let is_first = {
            let mut queue = self.0.queue.lock();
            let is_first = !std::mem::replace(&mut queue.is_running, true);
            if write.fence.is_some() && queue.uncertain.contains(&write.entity) {
                let nothing = Write {
                    fence: write.fence,
                    ..Write::state(write.entity.clone(), Change::Keep)
                };
                if write != nothing {
                    queue.push(nothing, Box::new(|_| {}));
                }
            }
            queue.push(write, Box::new(done));
            is_first
        };
        if is_first {
            tokio::spawn(self.0.clone().run());
        }
    }

    /// What there is of an entity, once no write of it is under way.
    ///
    /// # Errors
    /// See [`EntityStore::read`].
    pub(crate) async fn read(&self, entity: &Entity, fence: Option<Fence>) -> Result<Stored, StoreError> {
        self.settle(entity).await;
        if fence.is_some() && self.0.queue.lock().uncertain.contains(entity) {
            // What was given up would change what is read, if it were carried out after that.
            let nothing = Write {
                fence,
                ..Write::state(entity.clone(), Change::Keep)
            };
            self.write(nothing).await?;
        }
        let (store, entity) = (self.0.store.clone(), entity.clone());
        let read = tokio::task::spawn_blocking(move || store.read(&entity, fence)).await;
        read.unwrap_or_else(|ended| Err(StoreError::unknown(ended)))
    }

    /// Gives up the state of an entity that isn't active. Whoever reads it from now on waits for that.
    pub(crate) fn delete(
        &self,
        entity: &Entity,
        fence: Option<Fence>,
    ) -> impl Future<Output = Result<(), StoreError>> + Send + use<> {
        self.write(Write {
            fence,
            ..Write::state(entity.clone(), Change::Delete)
        })
    }

    /// Writes this, from now on, and waits for what comes of it.
    fn write(&self, write: Write) -> impl Future<Output = Result<(), StoreError>> + Send + use<> {
        let (tell, told) = tokio::sync::oneshot::channel();
        let entity = write.entity.clone();
        self.submit(write, move |written| {
            // Whoever asked may have given up.
            tell.send(written).ok();
        });
        async move {
            match told.await {
                Ok(Written::Durable) => Ok(()),
                Ok(Written::Refused) => Err(StoreError::elsewhere(&entity)),
                Ok(Written::GivenUp) | Err(_) => Err(StoreError::unknown("it could not be written; the log says why")),
            }
        }
    }

    /// Waits until no write of this entity is under way.
    pub(crate) async fn settle(&self, entity: &Entity) {
        self.until(|queue| !queue.unsettled.contains_key(entity)).await;
    }

    /// Waits until no write is under way.
    pub(crate) async fn flush(&self) {
        self.until(|queue| queue.unsettled.is_empty()).await;
    }

    pub(crate) fn store(&self) -> &Arc<dyn EntityStore> {
        &self.0.store
    }

    async fn until(&self, is_so: impl Fn(&Queue) -> bool) {
        // Before the look: a change between the two would otherwise go unheard.
        let mut settled = self.0.settled.subscribe();
        while !is_so(&self.0.queue.lock()) && settled.changed().await.is_ok() {}
    }
}

impl Queue {
    fn push(&mut self, mut write: Write, done: Done) {
        // With the lock, so that versions grow in the order in which writes are carried out.
        write.version = VERSION.fetch_add(1, Ordering::Relaxed) + 1;
        *self.unsettled.entry(write.entity.clone()).or_default() += 1;
        self.waiting.push(Job {
            write: Arc::new(write),
            since: Instant::now(),
            is_unknown: false,
            done,
        });
    }
}

impl Shared {
    async fn run(self: Arc<Self>) {
        let mut failures = 0;
        loop {
            let Some(batch) = self.take() else { return };
            let writes = batch.iter().map(|job| job.write.clone()).collect();
            match self.attempt(writes).await {
                Ok(outcomes) => {
                    if failures > 0 {
                        tracing::info!(failures, "states of entities are written again");
                    }
                    failures = 0;
                    self.conclude(answered(batch, outcomes));
                }
                Err(error) => {
                    failures += 1;
                    // Once: a disk that is full says the same thing each time.
                    if failures == 1 {
                        tracing::error!(%error, "states of entities can't be written; that is tried again");
                    }
                    self.failed(batch, &error, failures).await;
                }
            }
        }
    }

    async fn attempt(&self, writes: Vec<Arc<Write>>) -> Result<Vec<WriteOutcome>, StoreError> {
        let (store, count) = (self.store.clone(), writes.len());
        // A store that panics must not leave everybody waiting.
        let write = move || {
            catch_unwind(AssertUnwindSafe(|| store.write(&writes)))
                .unwrap_or_else(|_| Err(StoreError::unknown("it panicked")))
        };
        let outcomes = tokio::task::spawn_blocking(write)
            .await
            .unwrap_or_else(|ended| Err(StoreError::unknown(ended)))?;
        if outcomes.len() != count {
            let reason = format!("it answered {} writes, and was given {count}", outcomes.len());
            return Err(StoreError::unknown(reason));
        }
        Ok(outcomes)
    }

    /// One that can't be written ever must not keep the others: each is tried by itself. What is left waits again, or is given up.
    async fn failed(&self, mut batch: Vec<Job>, error: &StoreError, failures: u32) {
        batch.iter_mut().for_each(|job| job.is_unknown |= error.is_unknown());
        let mut left = Vec::new();
        // A store that doesn't answer has nothing against one of them.
        let (mut done, tries_each) = (Vec::new(), batch.len() > 1 && !error.is_unknown());
        let mut failed_in_a_row = 0;
        for mut job in batch {
            // A disk that fails is not to be asked a thousand times.
            if tries_each && failed_in_a_row < 2 {
                match self.attempt(vec![job.write.clone()]).await {
                    Ok(outcomes) => {
                        failed_in_a_row = 0;
                        done.extend(answered(vec![job], outcomes));
                        continue;
                    }
                    Err(error) => job.is_unknown |= error.is_unknown(),
                }
                failed_in_a_row += 1;
            }
            left.push(job);
        }
        self.conclude(done);
        let (given_up, again): (Vec<_>, Vec<_>) = left.into_iter().partition(|job| job.since.elapsed() >= PATIENCE);
        self.queue.lock().figures.failed += 1;
        self.conclude(given_up.into_iter().map(|job| (job, Written::GivenUp)).collect());
        if !again.is_empty() {
            {
                let mut queue = self.queue.lock();
                let newer = std::mem::replace(&mut queue.waiting, again);
                queue.waiting.extend(newer);
            }
            let doubled = SHORTEST.saturating_mul(2_u32.saturating_pow(failures.min(16)) / 2);
            tokio::time::sleep(doubled.min(LONGEST)).await;
        }
    }

    /// The next batch: the first ones that wait, and of each entity no more than one, so that none overtakes another.
    fn take(&self) -> Option<Vec<Job>> {
        let mut queue = self.queue.lock();
        let waiting = std::mem::take(&mut queue.waiting);
        let (mut batch, mut rest) = (Vec::new(), Vec::new());
        let mut entities = HashSet::new();
        let (mut bytes, mut is_full) = (0, false);
        for job in waiting {
            is_full = is_full || batch.len() == WRITES || (!batch.is_empty() && bytes + job.write.bytes() > BYTES);
            if !is_full && entities.insert(job.write.entity.clone()) {
                bytes += job.write.bytes();
                batch.push(job);
            } else {
                rest.push(job);
            }
        }
        queue.waiting = rest;
        if batch.is_empty() {
            queue.is_running = false;
            return None;
        }
        Some(batch)
    }

    fn conclude(&self, jobs: Vec<(Job, Written)>) {
        if jobs.is_empty() {
            return;
        }
        let mut dones = Vec::with_capacity(jobs.len());
        {
            let mut queue = self.queue.lock();
            let Queue { figures, uncertain, .. } = &mut *queue;
            figures.commits += u64::from(jobs.iter().any(|(_, written)| *written == Written::Durable));
            for (
                Job {
                    write,
                    is_unknown,
                    done,
                    ..
                },
                written,
            ) in jobs
            {
                match written {
                    Written::Durable => {
                        figures.writes += 1;
                        figures.bytes += write.bytes() as u64;
                        uncertain.remove(&write.entity);
                    }
                    Written::Refused => figures.refused += 1,
                    Written::GivenUp => {
                        figures.given_up += 1;
                        if is_unknown {
                            uncertain.insert(write.entity.clone());
                        }
                    }
                }
                dones.push((write.entity.clone(), done, written));
            }
        }
        for (entity, done, written) in dones {
            // First, because it may submit the next write of the entity, which then stays unsettled throughout.
            done(written);
            let mut queue = self.queue.lock();
            if let Some(count) = queue.unsettled.get_mut(&entity) {
                *count -= 1;
                if *count == 0 {
                    queue.unsettled.remove(&entity);
                }
            }
        }
        self.settled.send_replace(());
    }
}

/// What came of each, as the store says.
fn answered(batch: Vec<Job>, outcomes: Vec<WriteOutcome>) -> Vec<(Job, Written)> {
    let all = batch.into_iter().zip(outcomes);
    all.map(|(job, outcome)| {
        let written = match outcome {
            WriteOutcome::Accepted => Written::Durable,
            // An earlier attempt may have been carried out before the entity went away.
            WriteOutcome::Refused if job.is_unknown => Written::GivenUp,
            WriteOutcome::Refused => Written::Refused,
        };
        (job, written)
    })
    .collect()
}

#[cfg(test)]
mod tests;
