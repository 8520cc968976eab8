//! Writes that fail, wait, are refused, or come late.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use ractor_host_placement::words::{Epoch, ShardId, TypeId};

use super::*;
use crate::store::{FencedStore, MemoryStore, StoredState};
use crate::tests::left_to_states::left_to_states;

/// Fails while it is told to, and for one entity always.
#[derive(Debug, Default)]
struct Failing {
    fails: AtomicBool,
    attempts: AtomicUsize,
    states: MemoryStore,
}

impl EntityStore for Failing {
    fn write(&self, writes: &[Arc<Write>]) -> Result<Vec<WriteOutcome>, StoreError> {
        self.attempts.fetch_add(1, Ordering::SeqCst);
        let is_bad = writes.iter().any(|write| write.entity.key.bytes() == b"bad");
        if self.fails.load(Ordering::SeqCst) || is_bad {
            return Err(StoreError::failed("no space left"));
        }
        self.states.write(writes)
    }

    left_to_states!(read);

    left_to_states!(others);
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

fn told(writer: &Writer, write: Write) -> tokio::sync::oneshot::Receiver<Written> {
    let (tell, told) = tokio::sync::oneshot::channel();
    writer.submit(write, move |written| {
        tell.send(written).ok();
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
    let read = writer.read(&Entity::new("t", "99").unwrap(), None).await.unwrap();
    assert_eq!(read.state.unwrap().bytes, b"x");
    for one in all {
        assert_eq!(one.await, Ok(Written::Durable));
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
    assert_eq!(good.await, Ok(Written::Durable));
    let begun = Instant::now();
    assert_eq!(bad.await, Ok(Written::GivenUp));
    assert!(begun.elapsed() < PATIENCE + LONGEST);
    writer.flush().await;
    let figures = writer.figures();
    assert_eq!((figures.writes, figures.given_up), (1, 1));
}

const FENCE: Fence = Fence {
    shard: ShardId {
        type_id: TypeId(1),
        shard: 0,
    },
    epoch: Epoch(1),
};

/// What comes of the next attempts; after those, what the store says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turn {
    /// Nothing is done, and that is known.
    Fails,
    /// It will be done, but nobody hears of it.
    IsLate,
}

/// A store of a cluster, whose attempts the test decides about.
#[derive(Debug, Default)]
struct Scripted {
    states: FencedStore,
    turns: Mutex<std::collections::VecDeque<Turn>>,
    /// What is under way still.
    late: Mutex<Vec<Arc<Write>>>,
    /// The keys and versions of all attempts.
    attempts: Mutex<Vec<Vec<(String, u64)>>>,
}

impl Scripted {
    fn owned(turns: &[Turn]) -> Arc<Self> {
        let store = Self::default();
        store.states.own(FENCE);
        store.turns.lock().extend(turns);
        Arc::new(store)
    }

    /// What was given up is carried out now.
    fn arrive(&self) -> Vec<WriteOutcome> {
        let late = std::mem::take(&mut *self.late.lock());
        late.iter()
            .flat_map(|write| self.states.write(std::slice::from_ref(write)).unwrap())
            .collect()
    }

    fn bytes(&self, key: &str) -> Option<Vec<u8>> {
        let stored = self.states.read(&Entity::new("t", key).unwrap(), None).unwrap();
        stored.state.map(|state| state.bytes)
    }
}

impl EntityStore for Scripted {
    fn write(&self, writes: &[Arc<Write>]) -> Result<Vec<WriteOutcome>, StoreError> {
        let named = |write: &Arc<Write>| {
            (
                String::from_utf8_lossy(write.entity.key.bytes()).into_owned(),
                write.version,
            )
        };
        self.attempts.lock().push(writes.iter().map(named).collect());
        match self.turns.lock().pop_front() {
            Some(Turn::Fails) => Err(StoreError::failed("no space left")),
            Some(Turn::IsLate) => {
                self.late.lock().extend_from_slice(writes);
                Err(StoreError::unknown("no answer in time"))
            }
            None => self.states.write(writes),
        }
    }

    left_to_states!(read);

    left_to_states!(others);
}

fn fenced(key: &str, bytes: &[u8]) -> Write {
    Write {
        fence: Some(FENCE),
        ..write(key, bytes)
    }
}

#[tokio::test(start_paused = true)]
async fn a_refused_write_is_not_tried_again() {
    let store = Scripted::owned(&[]);
    store.states.give_away(FENCE.shard);
    let writer = Writer::new(store.clone());
    assert_eq!(told(&writer, fenced("a", b"x")).await, Ok(Written::Refused));
    let deleted = writer.delete(&Entity::new("t", "a").unwrap(), Some(FENCE)).await;
    assert!(deleted.unwrap_err().is_refused());
    let read = writer.read(&Entity::new("t", "a").unwrap(), Some(FENCE)).await;
    assert!(read.unwrap_err().is_refused());
    assert_eq!(store.attempts.lock().len(), 2);
    assert_eq!((writer.figures().refused, writer.figures().failed), (2, 0));
}

#[tokio::test(start_paused = true)]
async fn what_may_have_been_done_before_the_refusal_is_unknown() {
    let store = Scripted::owned(&[Turn::IsLate]);
    let writer = Writer::new(store.clone());
    let told = told(&writer, fenced("a", b"x"));
    // The attempt is noted before what it leaves under way is.
    let arrived = loop {
        tokio::task::yield_now().await;
        let arrived = store.arrive();
        if !arrived.is_empty() {
            break arrived;
        }
    };
    assert_eq!(arrived, [WriteOutcome::Accepted]);
    store.states.give_away(FENCE.shard);
    assert_eq!(told.await, Ok(Written::GivenUp));
}

#[tokio::test(start_paused = true)]
async fn an_unknown_write_is_repeated_with_its_version_and_no_other_overtakes_it() {
    let store = Scripted::owned(&[Turn::IsLate, Turn::Fails, Turn::IsLate]);
    let writer = Writer::new(store.clone());
    let all =
        [("a", b"1"), ("b", b"1"), ("a", b"2"), ("a", b"3")].map(|(key, bytes)| told(&writer, fenced(key, bytes)));
    for one in all {
        assert_eq!(one.await, Ok(Written::Durable));
    }
    let attempts = store.attempts.lock().concat();
    let versions: Vec<u64> = attempts
        .iter()
        .filter(|(key, _)| key == "a")
        .map(|(_, version)| *version)
        .collect();
    assert!(versions.is_sorted(), "{attempts:?}");
    assert!(
        versions.iter().filter(|version| **version == versions[0]).count() > 1,
        "{attempts:?}"
    );
    assert_eq!(
        (store.bytes("a").unwrap(), store.bytes("b").unwrap()),
        (b"3".to_vec(), b"1".to_vec())
    );
    // Whatever is still under way.
    store.arrive();
    assert_eq!(store.bytes("a").unwrap(), b"3");
}

/// What was given up may not be carried out behind the next activation's back.
#[tokio::test(start_paused = true)]
async fn after_a_write_that_was_given_up_nothing_changes_what_was_read() {
    let store = Scripted::owned(&[Turn::IsLate; 64]);
    let writer = Writer::new(store.clone());
    let of = Entity::new("t", "a").unwrap();
    assert_eq!(told(&writer, fenced("a", b"late")).await, Ok(Written::GivenUp));
    let unread = writer.read(&of, Some(FENCE)).await.unwrap_err();
    assert!(unread.is_unknown(), "as long as the store is silent: {unread}");
    store.turns.lock().clear();
    let read = writer.read(&of, Some(FENCE)).await.unwrap();
    store.arrive();
    assert_eq!(writer.read(&of, Some(FENCE)).await.unwrap(), read);
    // Nor behind a deletion.
    store.turns.lock().extend([Turn::IsLate; 64]);
    assert_eq!(told(&writer, fenced("a", b"late")).await, Ok(Written::GivenUp));
    store.turns.lock().clear();
    let count = store.attempts.lock().len();
    writer.delete(&of, Some(FENCE)).await.unwrap();
    assert_eq!(
        store.attempts.lock().len(),
        count + 2,
        "in two steps, or it would miss what comes meanwhile"
    );
    store.arrive();
    assert_eq!(store.bytes("a"), None);
}
