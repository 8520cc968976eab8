//! Writes checkpoints, off the path of the actors that they are of.
//!
//! An actor hands its checkpoint over and goes on. Of each actor at most one waits and one is being written: a newer one
//! takes the place of one that waits. Whatever waits is written together, so that many actors share one wait for the disk.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use super::checkpoint::{Checkpoint, CheckpointStore, Entry, Kept, StoreError};

/// Of states that wait to be written, all actors' together. Beyond it checkpoints are left out, which the actor's next one
/// makes up for.
const MOST_WAITING_BYTES: usize = 256 << 20;

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
}

#[derive(Debug, Default)]
struct State {
    /// By actor; none for one whose checkpoints are to be given up.
    waiting: BTreeMap<String, Option<Entry>>,
    bytes: usize,
    writing: BTreeMap<String, Option<Entry>>,
    /// Whoever writes looks here again before he stops.
    is_running: bool,
    left_out: u64,
}

impl CheckpointWriter {
    /// A writer for this store.
    pub fn new(store: Arc<dyn CheckpointStore>) -> Self {
        let shared = Shared {
            store,
            state: Mutex::default(),
            busy: watch::Sender::new(false),
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// Takes a checkpoint to be written. Never waits. False if too much waits already. Must be called within a runtime.
    pub fn put(&self, entry: Entry) -> bool {
        let bytes = entry.checkpoint.state.len();
        let mut state = self.shared.lock();
        if state.bytes.saturating_add(bytes) > MOST_WAITING_BYTES && state.bytes > 0 {
            state.left_out += 1;
            return false;
        }
        state.bytes += bytes;
        self.enqueue(state, entry.actor.clone(), Some(entry));
        true
    }

    /// Gives up all checkpoints of an actor, and what waits to be written of it. Must be called within a runtime.
    pub fn forget(&self, actor: &str) {
        self.enqueue(self.shared.lock(), actor.to_owned(), None);
    }

    fn enqueue(&self, mut state: MutexGuard<'_, State>, actor: String, job: Option<Entry>) {
        if let Some(older) = state.waiting.insert(actor, job).flatten() {
            state.bytes -= older.checkpoint.state.len();
        }
        if !std::mem::replace(&mut state.is_running, true) {
            self.shared.busy.send_replace(true);
            let shared = self.shared.clone();
            tokio::task::spawn_blocking(move || shared.write());
        }
    }

    /// The newest checkpoint of an actor with a smaller number than `before`; without `before`, also one that has not been
    /// written yet.
    ///
    /// # Errors
    /// The store could not be read.
    pub async fn latest(&self, actor: &str, before: Option<u64>) -> Result<Option<Kept>, StoreError> {
        match self.unwritten(actor) {
            Some(Some(entry)) if before.is_none() => {
                let checkpoint = Checkpoint::clone(&entry.checkpoint);
                let number = u64::MAX;
                return Ok(Some(Kept { number, checkpoint }));
            }
            Some(None) => return Ok(None),
            _ => {}
        }
        let (store, actor) = (self.shared.store.clone(), actor.to_owned());
        let read = tokio::task::spawn_blocking(move || store.latest(&actor, before)).await;
        read.unwrap_or_else(|ended| Err(StoreError(ended.into())))
    }

    fn unwritten(&self, actor: &str) -> Option<Option<Entry>> {
        let state = self.shared.lock();
        state.waiting.get(actor).or_else(|| state.writing.get(actor)).cloned()
    }

    /// Waits until nothing waits to be written any more.
    pub async fn flush(&self) {
        // The sender is here: it can't fail.
        drop(self.shared.busy.subscribe().wait_for(|busy| !busy).await);
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes until nothing waits.
    fn write(&self) {
        loop {
            let (jobs, left_out) = {
                let mut state = self.lock();
                let jobs = std::mem::take(&mut state.waiting);
                state.writing.clone_from(&jobs);
                if jobs.is_empty() {
                    state.is_running = false;
                    self.busy.send_replace(false);
                    return;
                }
                (jobs, std::mem::take(&mut state.left_out))
            };
            if left_out > 0 {
                tracing::warn!(
                    left_out,
                    "checkpoints were left out: they come faster than they can be written"
                );
            }
            let forgotten = jobs
                .iter()
                .filter(|(_, job)| job.is_none())
                .map(|(actor, _)| actor.clone());
            let forgotten: Vec<String> = forgotten.collect();
            let entries: Vec<Entry> = jobs.into_values().flatten().collect();
            // A store that panics must not leave everybody waiting.
            let written = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| self.store(&entries, &forgotten)));
            match written {
                Ok(Ok(())) => {}
                Ok(Err(error)) => {
                    tracing::error!(%error, checkpoints = entries.len(), "checkpoints could not be written");
                }
                Err(_) => {
                    let checkpoints = entries.len();
                    tracing::error!(checkpoints, "checkpoints could not be written: the store panicked");
                }
            }
            let mut state = self.lock();
            state.writing.clear();
            let bytes: usize = entries.iter().map(|entry| entry.checkpoint.state.len()).sum();
            state.bytes = state.bytes.saturating_sub(bytes);
        }
    }

    fn store(&self, entries: &[Entry], forgotten: &[String]) -> Result<(), StoreError> {
        if !entries.is_empty() {
            self.store.put(entries)?;
        }
        forgotten.iter().try_for_each(|actor| self.store.prune(actor, 0))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::SystemTime;

    use super::*;
    use crate::guest::Digest;

    /// Writes only when it is let, and says what.
    #[derive(Debug)]
    struct Slow {
        go: Mutex<mpsc::Receiver<()>>,
        written: Mutex<Vec<Vec<(String, usize)>>>,
    }

    impl CheckpointStore for Slow {
        fn put(&self, entries: &[Entry]) -> Result<(), StoreError> {
            self.go.lock().unwrap().recv().unwrap();
            let entries = entries
                .iter()
                .map(|entry| (entry.actor.clone(), entry.checkpoint.state.len()));
            self.written.lock().unwrap().push(entries.collect());
            Ok(())
        }

        fn latest(&self, _: &str, _: Option<u64>) -> Result<Option<Kept>, StoreError> {
            Ok(None)
        }

        fn prune(&self, _: &str, _: u32) -> Result<(), StoreError> {
            Ok(())
        }
    }

    fn entry(actor: &str, bytes: usize) -> Entry {
        Entry {
            actor: actor.to_owned(),
            checkpoint: Arc::new(Checkpoint {
                module: "counter".to_owned(),
                digest: Digest::of(b""),
                state_version: 1,
                taken: SystemTime::UNIX_EPOCH,
                state: vec![0; bytes],
            }),
            keep: 1,
        }
    }

    #[tokio::test]
    async fn the_latest_wins_and_what_waits_is_written_together() {
        let (go, gate) = mpsc::channel();
        let store = Arc::new(Slow {
            go: Mutex::new(gate),
            written: Mutex::default(),
        });
        let writer = CheckpointWriter::new(store.clone());
        writer.flush().await;
        assert!(writer.put(entry("a", 1)));
        while writer.shared.lock().writing.is_empty() {
            tokio::task::yield_now().await;
        }
        // The first is being written; these wait.
        assert!(writer.put(entry("a", 2)));
        assert!(writer.put(entry("b", 3)));
        assert!(writer.put(entry("a", 4)));
        let unwritten = writer.latest("a", None).await.unwrap().unwrap();
        assert_eq!(unwritten.checkpoint.state.len(), 4, "the newest, written or not");
        assert!(!writer.put(entry("c", MOST_WAITING_BYTES)), "too much waits already");
        go.send(()).unwrap();
        go.send(()).unwrap();
        writer.flush().await;
        let written = store.written.lock().unwrap().clone();
        let named = |batch: &[(&str, usize)]| -> Vec<_> {
            batch
                .iter()
                .map(|(actor, bytes)| ((*actor).to_owned(), *bytes))
                .collect()
        };
        assert_eq!(written, [named(&[("a", 1)]), named(&[("a", 4), ("b", 3)])]);
        assert_eq!(writer.shared.lock().bytes, 0);
        // While another is being written, nothing of these is.
        assert!(writer.put(entry("c", 1)));
        while writer.shared.lock().writing.is_empty() {
            tokio::task::yield_now().await;
        }
        writer.forget("a");
        assert!(writer.put(entry("b", 5)));
        writer.forget("b");
        assert!(
            writer.latest("b", None).await.unwrap().is_none(),
            "it is to be given up"
        );
        go.send(()).unwrap();
        writer.flush().await;
        assert_eq!(store.written.lock().unwrap().len(), 3, "nothing of `b`");
        assert_eq!(writer.shared.lock().bytes, 0);
        assert!(
            writer.latest("a", None).await.unwrap().is_none(),
            "the store has the word"
        );
    }
}
