//! Writes states, many together, off the path of the actors that they are of.
//!
//! Of an entity at most one write is under way and none waits behind it: whoever has the entity's state keeps the next one until this one
//! is done. What waits is written together, so that many entities share one wait for the disk.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use ractor_host_placement::words::Entity;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::store::{Change, EntityStore, StoreError, Stored, Write};

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

/// Told what came of a write: true if it is durable.
type Done = Box<dyn FnOnce(bool) + Send>;

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
    done: Done,
}

#[derive(Default)]
struct Queue {
    waiting: Vec<Job>,
    /// The entities with a write that waits or is under way, and how many.
    unsettled: HashMap<Entity, usize>,
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
    pub(crate) fn submit(&self, write: Write, done: impl FnOnce(bool) + Send + 'static) {
        let is_first = {
            let mut queue = self.0.queue.lock();
            *queue.unsettled.entry(write.entity.clone()).or_default() += 1;
            queue.waiting.push(Job {
                write: Arc::new(write),
                since: Instant::now(),
                done: Box::new(done),
            });
            !std::mem::replace(&mut queue.is_running, true)
        };
        if is_first {
            tokio::spawn(self.0.clone().run());
        }
    }

    /// What there is of an entity, once no write of it is under way.
    pub(crate) async fn read(&self, entity: &Entity) -> Result<Stored, StoreError> {
        self.settle(entity).await;
        let (store, entity) = (self.0.store.clone(), entity.clone());
        let read = tokio::task::spawn_blocking(move || store.read(&entity)).await;
        read.unwrap_or_else(|ended| Err(StoreError(ended.into())))
    }

    /// Gives up the state of an entity that isn't active. Whoever reads it from now on waits for that.
    pub(crate) fn delete(&self, entity: &Entity) -> impl Future<Output = Result<(), StoreError>> + Send + use<> {
        let (tell, told) = tokio::sync::oneshot::channel();
        let write = Write::state(entity.clone(), Change::Delete);
        self.submit(write, move |is_durable| {
            // Whoever asked may have given up.
            tell.send(is_durable).ok();
        });
        async move {
            match told.await {
                Ok(true) => Ok(()),
                _ => Err(StoreError("it could not be written; the log says why".into())),
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

impl Shared {
    async fn run(self: Arc<Self>) {
        let mut failures = 0;
        loop {
            let Some(batch) = self.take() else { return };
            let writes = batch.iter().map(|job| job.write.clone()).collect();
            let outcome = self.attempt(writes).await;
            match outcome {
                Ok(()) => {
                    if failures > 0 {
                        tracing::info!(failures, "states of entities are written again");
                    }
                    failures = 0;
                    self.conclude(batch, true);
                }
                Err(error) => {
                    failures += 1;
                    // Once: a disk that is full says the same thing each time.
                    if failures == 1 {
                        tracing::error!(%error, "states of entities can't be written; that is tried again");
                    }
                    self.failed(batch, failures).await;
                }
            }
        }
    }

    async fn attempt(&self, writes: Vec<Arc<Write>>) -> Result<(), StoreError> {
        let store = self.store.clone();
        // A store that panics must not leave everybody waiting.
        let write = move || {
            catch_unwind(AssertUnwindSafe(|| store.write(&writes)))
                .unwrap_or_else(|_| Err(StoreError("it panicked".into())))
        };
        let written = tokio::task::spawn_blocking(write).await;
        written.unwrap_or_else(|ended| Err(StoreError(ended.into())))
    }

    /// One that can't be written ever must not keep the others: each is tried by itself. What is left waits again, or is given up.
    async fn failed(&self, batch: Vec<Job>, failures: u32) {
        let mut left = Vec::new();
        let (mut done, is_single) = (Vec::new(), batch.len() == 1);
        let mut failed_in_a_row = 0;
        for job in batch {
            // A disk that fails is not to be asked a thousand times.
            if !is_single && failed_in_a_row < 2 {
                if self.attempt(vec![job.write.clone()]).await.is_ok() {
                    failed_in_a_row = 0;
                    done.push(job);
                    continue;
                }
                failed_in_a_row += 1;
            }
            left.push(job);
        }
        self.conclude(done, true);
        let (given_up, again): (Vec<_>, Vec<_>) = left.into_iter().partition(|job| job.since.elapsed() >= PATIENCE);
        self.queue.lock().figures.failed += 1;
        self.conclude(given_up, false);
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

    fn take(&self) -> Option<Vec<Job>> {
        let mut queue = self.queue.lock();
        let (mut count, mut bytes) = (0, 0);
        for job in queue.waiting.iter().take(WRITES) {
            if count > 0 && bytes + job.write.bytes() > BYTES {
                break;
            }
            (count, bytes) = (count + 1, bytes + job.write.bytes());
        }
        if count == 0 {
            queue.is_running = false;
            return None;
        }
        Some(queue.waiting.drain(..count).collect())
    }

    fn conclude(&self, jobs: Vec<Job>, is_durable: bool) {
        if jobs.is_empty() {
            return;
        }
        let mut dones = Vec::with_capacity(jobs.len());
        {
            let mut queue = self.queue.lock();
            if is_durable {
                queue.figures.commits += 1;
            }
            for Job { write, done, .. } in jobs {
                if is_durable {
                    queue.figures.writes += 1;
                    queue.figures.bytes += write.bytes() as u64;
                } else {
                    queue.figures.given_up += 1;
                }
                dones.push((write.entity.clone(), done));
            }
        }
        for (entity, done) in dones {
            // First, because it may submit the next write of the entity, which then stays unsettled throughout.
            done(is_durable);
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

#[cfg(test)]
mod tests {
    use std::ops::RangeInclusive;
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

    use ractor_host_placement::words::{EntityKey, EntityType};

    use super::*;
    use crate::store::{DuePlace, MemoryStore, StoredDue, StoredState};

    /// Fails while it is told to, and for one entity always.
    #[derive(Debug, Default)]
    struct Failing {
        fails: AtomicBool,
        attempts: AtomicUsize,
        states: MemoryStore,
    }

    impl EntityStore for Failing {
        fn write(&self, writes: &[Arc<Write>]) -> Result<(), StoreError> {
            self.attempts.fetch_add(1, Ordering::SeqCst);
            let is_bad = writes.iter().any(|write| write.entity.key.bytes() == b"bad");
            if self.fails.load(Ordering::SeqCst) || is_bad {
                return Err(StoreError("no space left".into()));
            }
            self.states.write(writes)
        }

        fn read(&self, entity: &Entity) -> Result<Stored, StoreError> {
            self.states.read(entity)
        }

        fn keys(&self, of: &EntityType, after: Option<&EntityKey>, most: usize) -> Result<Vec<EntityKey>, StoreError> {
            self.states.keys(of, after, most)
        }

        fn due(
            &self,
            slots: RangeInclusive<u8>,
            after: &DuePlace,
            until_ms: u64,
            most: usize,
        ) -> Result<Vec<StoredDue>, StoreError> {
            self.states.due(slots, after, until_ms, most)
        }

        fn forget_replies(&self, before_ms: u64) -> Result<(), StoreError> {
            self.states.forget_replies(before_ms)
        }
    }

    fn write(key: &str, bytes: &[u8]) -> Write {
        let state = StoredState {
            code: "t".to_owned(),
            state_version: 1,
            taken: std::time::UNIX_EPOCH,
            bytes: bytes.to_vec(),
        };
        Write::state(Entity::new("t", key).unwrap(), Change::Put(state))
    }

    fn told(writer: &Writer, write: Write) -> tokio::sync::oneshot::Receiver<bool> {
        let (tell, told) = tokio::sync::oneshot::channel();
        writer.submit(write, move |is_durable| {
            tell.send(is_durable).ok();
        });
        told
    }

    #[tokio::test(start_paused = true)]
    async fn what_waits_is_written_together_and_read_only_after_that() {
        let store = Arc::new(Failing::default());
        let writer = Writer::new(store.clone());
        let all: Vec<_> = (0..100)
            .map(|key| told(&writer, write(&key.to_string(), b"x")))
            .collect();
        let read = writer.read(&Entity::new("t", "99").unwrap()).await.unwrap();
        assert_eq!(read.state.unwrap().bytes, b"x");
        for one in all {
            assert!(one.await.unwrap());
        }
        assert!(store.attempts.load(Ordering::SeqCst) < 10);
        assert_eq!(writer.figures().writes, 100);
    }

    #[tokio::test(start_paused = true)]
    async fn a_store_that_fails_for_a_while_loses_nothing_and_one_bad_write_keeps_nobody() {
        let store = Arc::new(Failing::default());
        store.fails.store(true, Ordering::SeqCst);
        let writer = Writer::new(store.clone());
        let (bad, good) = (told(&writer, write("bad", b"x")), told(&writer, write("good", b"y")));
        tokio::time::sleep(Duration::from_secs(3)).await;
        store.fails.store(false, Ordering::SeqCst);
        assert!(good.await.unwrap());
        let begun = Instant::now();
        assert!(!bad.await.unwrap());
        assert!(begun.elapsed() < PATIENCE + LONGEST);
        writer.flush().await;
        let figures = writer.figures();
        assert_eq!((figures.writes, figures.given_up), (1, 1));
    }
}
