//! What waits, what is written, and what becomes of it while the store fails.

use std::collections::BTreeMap;
use std::sync::mpsc;
use std::time::SystemTime;

use super::queue::{BATCH_BYTES, MOST_WAITING_BYTES};
use super::*;
use crate::component::source::Digest;

/// Writes only when it is let, and says what.
#[derive(Debug)]
struct Slow {
    go: Mutex<mpsc::Receiver<()>>,
    written: Mutex<Vec<Vec<(String, usize)>>>,
}

impl CheckpointStore for Slow {
    fn put(&self, entries: &[Entry]) -> Result<(), StoreError> {
        self.go.lock().recv().unwrap();
        let entries = entries
            .iter()
            .map(|entry| (entry.actor.clone(), entry.checkpoint.state.len()));
        self.written.lock().push(entries.collect());
        Ok(())
    }

    fn latest(&self, _: &str, _: Option<u64>) -> Result<Option<Kept>, StoreError> {
        Ok(None)
    }

    fn prune(&self, _: &str, _: u32) -> Result<(), StoreError> {
        Ok(())
    }
}

/// Fails as it is told to, and has the newest state of each actor.
#[derive(Debug, Default)]
struct Failing(Mutex<Faults>);

#[derive(Debug, Default)]
struct Faults {
    /// Every write fails.
    is_full: bool,
    /// A write with a state of this actor fails.
    poison: Option<&'static str>,
    attempts: usize,
    kept: BTreeMap<String, usize>,
}

impl Failing {
    fn set(&self, change: impl FnOnce(&mut Faults)) {
        change(&mut self.0.lock());
    }

    fn kept(&self, actor: &str) -> Option<usize> {
        self.0.lock().kept.get(actor).copied()
    }

    fn attempts(&self) -> usize {
        self.0.lock().attempts
    }
}

impl CheckpointStore for Failing {
    fn put(&self, entries: &[Entry]) -> Result<(), StoreError> {
        let mut faults = self.0.lock();
        faults.attempts += 1;
        let is_poisoned = entries.iter().any(|entry| Some(&*entry.actor) == faults.poison);
        if faults.is_full || is_poisoned {
            return Err(StoreError("no room".into()));
        }
        for entry in entries {
            faults.kept.insert(entry.actor.clone(), entry.checkpoint.state.len());
        }
        Ok(())
    }

    fn latest(&self, actor: &str, before: Option<u64>) -> Result<Option<Kept>, StoreError> {
        let kept = self.kept(actor).filter(|_| before.is_none_or(|before| before > 0));
        Ok(kept.map(|bytes| Kept {
            number: 0,
            checkpoint: Checkpoint::clone(&entry(actor, bytes).checkpoint),
        }))
    }

    fn prune(&self, actor: &str, _: u32) -> Result<(), StoreError> {
        let mut faults = self.0.lock();
        if faults.is_full {
            return Err(StoreError("no room".into()));
        }
        faults.kept.remove(actor);
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
        hold: Vec::new(),
    }
}

impl CheckpointWriter {
    fn take(&self, actor: &str, bytes: usize) -> bool {
        self.put(entry(actor, bytes), Moment::now())
    }
}

fn failing() -> (Arc<Failing>, CheckpointWriter) {
    let store = Arc::new(Failing::default());
    (store.clone(), CheckpointWriter::new(store))
}

/// Lets virtual time pass until this is so.
async fn until(what: impl Fn() -> bool) {
    for _ in 0..1_000_000 {
        if what() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    unreachable!("it did not come to be");
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
    assert!(writer.take("a", 1));
    while !writer.shared.lock().queue.is_writing() {
        tokio::task::yield_now().await;
    }
    // The first is being written; these wait.
    assert!(writer.take("a", 2));
    assert!(writer.take("b", 3));
    assert!(writer.take("a", 4));
    let unwritten = writer.latest("a", None).await.unwrap().unwrap();
    assert_eq!(unwritten.checkpoint.state.len(), 4, "the newest, written or not");
    assert!(!writer.take("c", MOST_WAITING_BYTES), "too much waits already");
    go.send(()).unwrap();
    go.send(()).unwrap();
    writer.flush().await;
    let written = store.written.lock().clone();
    let named = |batch: &[(&str, usize)]| -> Vec<_> {
        batch
            .iter()
            .map(|(actor, bytes)| ((*actor).to_owned(), *bytes))
            .collect()
    };
    assert_eq!(written, [named(&[("a", 1)]), named(&[("a", 4), ("b", 3)])]);
    assert_eq!(writer.shared.lock().queue.bytes(), 0);
    // While another is being written, nothing of these is.
    assert!(writer.take("c", 1));
    while !writer.shared.lock().queue.is_writing() {
        tokio::task::yield_now().await;
    }
    writer.forget("a");
    assert!(writer.take("b", 5));
    writer.forget("b");
    assert!(
        writer.latest("b", None).await.unwrap().is_none(),
        "it is to be given up"
    );
    go.send(()).unwrap();
    writer.flush().await;
    assert_eq!(store.written.lock().len(), 3, "nothing of `b`");
    assert_eq!(writer.shared.lock().queue.bytes(), 0);
    assert!(
        writer.latest("a", None).await.unwrap().is_none(),
        "the store has the word"
    );
}

#[tokio::test(start_paused = true)]
async fn what_a_full_disk_refused_is_written_when_there_is_room() {
    let (store, writer) = failing();
    store.set(|faults| faults.is_full = true);
    assert!(writer.take("a", 1));
    assert!(writer.take("b", 2));
    until(|| store.attempts() > 4).await;
    // Newer states take the places of those that could not be written.
    assert!(writer.take("a", 3));
    let unwritten = writer.latest("a", None).await.unwrap().unwrap();
    assert_eq!(
        unwritten.checkpoint.state.len(),
        3,
        "and are there for an actor that starts"
    );
    let attempts = store.attempts();
    until(|| store.attempts() > attempts + 4).await;
    assert_eq!(writer.shared.lock().queue.bytes(), 5);
    store.set(|faults| faults.is_full = false);
    writer.flush().await;
    assert_eq!((store.kept("a"), store.kept("b")), (Some(3), Some(2)));
    assert_eq!(writer.shared.lock().queue.bytes(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_disk_that_stays_full_is_asked_four_times_a_minute_at_most_or_eight_with_jitter() {
    let (store, writer) = failing();
    store.set(|faults| faults.is_full = true);
    assert!(writer.take("a", 1));
    tokio::time::sleep(Duration::from_mins(10)).await;
    let before = store.attempts();
    tokio::time::sleep(Duration::from_mins(10)).await;
    let attempts = store.attempts() - before;
    assert!((40..=81).contains(&attempts), "{attempts} in ten minutes");
}

#[tokio::test(start_paused = true)]
async fn a_state_that_cant_be_written_ever_keeps_no_other() {
    let (store, writer) = failing();
    store.set(|faults| faults.poison = Some("m"));
    for actor in ["a", "m", "z"] {
        assert!(writer.take(actor, 1));
    }
    until(|| store.kept("a").is_some() && store.kept("z").is_some()).await;
    // Nor if it is as large as all that is written at once.
    assert!(writer.take("m", BATCH_BYTES));
    for actor in ["a", "z"] {
        assert!(writer.take(actor, 3));
    }
    until(|| store.kept("a") == Some(3) && store.kept("z") == Some(3)).await;
    assert!(writer.take("a", 2));
    until(|| store.kept("a") == Some(2)).await;
    assert_eq!(writer.finish(Duration::from_secs(5)).await, ["m"]);
}

#[tokio::test(start_paused = true)]
async fn what_is_to_be_given_up_is_given_up_when_the_disk_works_again() {
    let (store, writer) = failing();
    assert!(writer.take("a", 1));
    writer.flush().await;
    store.set(|faults| faults.is_full = true);
    writer.forget("a");
    until(|| store.kept("a") == Some(1) && writer.shared.lock().queue.is_failing()).await;
    assert!(writer.latest("a", None).await.unwrap().is_none());
    store.set(|faults| faults.is_full = false);
    writer.flush().await;
    assert_eq!(store.kept("a"), None);
}

#[tokio::test(start_paused = true)]
async fn the_end_of_a_node_tries_until_its_time_is_over_and_names_what_is_not_kept() {
    let (store, writer) = failing();
    store.set(|faults| faults.is_full = true);
    assert!(writer.take("a", 1));
    assert!(writer.take("b", 1));
    tokio::time::sleep(Duration::from_mins(10)).await;
    // It does not wait for the long pause between two attempts.
    let (before, began) = (store.attempts(), Instant::now());
    assert_eq!(writer.finish(Duration::from_secs(5)).await, ["a", "b"]);
    assert_eq!(began.elapsed(), Duration::from_secs(5));
    assert!(store.attempts() > before + 20, "{} attempts", store.attempts() - before);

    store.set(|faults| faults.is_full = false);
    assert!(writer.finish(Duration::from_secs(5)).await.is_empty());
    assert_eq!((store.kept("a"), store.kept("b")), (Some(1), Some(1)));
}

#[tokio::test(start_paused = true)]
async fn a_last_state_waits_for_room_and_one_that_does_not_come_is_named() {
    let (store, writer) = failing();
    store.set(|faults| faults.is_full = true);
    writer.expect_last(["killed", "last"].map(str::to_owned));
    assert!(writer.take("large", MOST_WAITING_BYTES));
    // The wait is for the last state, and this one is not the last.
    assert!(!writer.take("last", 1));
    let (patient, writes) = (writer.clone(), store.clone());
    let last = tokio::spawn(async move {
        let turn = patient.last_turn("last").await;
        assert!(writes.kept("large").is_some(), "there was no room before");
        turn.put(entry("last", 7), Moment::now());
    });
    // Whoever is killed while it waits is not kept.
    let killed = tokio::spawn({
        let writer = writer.clone();
        async move { drop(writer.last_turn("other").await) }
    });
    tokio::time::sleep(Duration::from_secs(1)).await;
    killed.abort();
    store.set(|faults| faults.is_full = false);
    last.await.unwrap();
    assert_eq!(writer.finish(Duration::from_secs(5)).await, ["killed", "other"]);
    assert_eq!(store.kept("last"), Some(7));
}

#[tokio::test(start_paused = true)]
async fn an_actor_that_could_not_be_restarted_has_no_last_state_and_what_waits_of_it_is_written() {
    let (store, writer) = failing();
    store.set(|faults| faults.is_full = true);
    assert!(writer.take("failed", 7));
    writer.expect_last(["failed", "other"].map(str::to_owned));
    writer.expect_none("failed");
    store.set(|faults| faults.is_full = false);
    assert_eq!(writer.finish(Duration::from_secs(5)).await, ["other"]);
    assert_eq!(store.kept("failed"), Some(7));
}

/// Actors are stopped one group after the other, and those that come late have less time before they are killed.
#[tokio::test(start_paused = true)]
async fn nobody_waits_for_room_beyond_the_first_seconds_of_a_stop() {
    let (store, writer) = failing();
    store.set(|faults| faults.is_full = true);
    assert!(writer.take("large", MOST_WAITING_BYTES));
    let began = Instant::now();
    writer.expect_last(["early", "late"].map(str::to_owned));
    writer.last_turn("early").await.put(entry("early", 3), Moment::now());
    assert_eq!(began.elapsed(), Duration::from_secs(5));
    writer.last_turn("late").await.put(entry("late", 4), Moment::now());
    assert_eq!(
        began.elapsed(),
        Duration::from_secs(5),
        "it waited for its turn already"
    );
    store.set(|faults| faults.is_full = false);
    assert!(writer.finish(Duration::from_secs(5)).await.is_empty());
    assert_eq!((store.kept("early"), store.kept("late")), (Some(3), Some(4)));
}

#[tokio::test]
async fn forty_last_states_of_twelve_mebibytes_are_all_kept() {
    let (store, writer) = failing();
    let ends = (0..40).map(|number| {
        let writer = writer.clone();
        tokio::spawn(async move {
            let actor = format!("actor-{number}");
            let turn = writer.last_turn(&actor).await;
            turn.put(entry(&actor, 12 << 20), Moment::now());
            writer.shared.lock().queue.bytes()
        })
    });
    let ends: Vec<_> = ends.collect();
    for end in ends {
        let waiting = end.await.unwrap();
        assert!(waiting <= MOST_WAITING_BYTES + last::AT_ONCE * (12 << 20), "{waiting}");
    }
    assert!(writer.finish(Duration::from_mins(1)).await.is_empty());
    assert!((0..40).all(|number| store.kept(&format!("actor-{number}")).is_some()));
}

#[tokio::test]
async fn a_state_that_comes_late_is_not_newer() {
    let (store, writer) = failing();
    let (early, late) = (Moment::now(), Moment::now());
    assert!(writer.put(entry("a", 2), late));
    assert!(writer.put(entry("a", 1), early));
    writer.flush().await;
    assert_eq!(store.kept("a"), Some(2));
    // Nor does it bring back what was given up.
    let before = Moment::now();
    writer.forget("a");
    assert!(writer.put(entry("a", 3), before));
    writer.flush().await;
    assert_eq!(store.kept("a"), None);
}
