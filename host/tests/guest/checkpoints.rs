//! When actors are asked for the states that are kept.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ractor_host::checkpoint::{Schedule, Scheduled};
use ractor_host::guest::{CheckpointStore, CheckpointWriter, Checkpoints, Entry, GuestOptions, Kept, StoreError};

use crate::reload_support::{Fail, Node, get, version};
use crate::support::{Running, start_module};

/// How many checkpoints came, by the actor's name.
#[derive(Debug, Default)]
struct Counting(Mutex<HashMap<String, usize>>);

impl CheckpointStore for Counting {
    fn put(&self, entries: &[Entry]) -> Result<(), StoreError> {
        let mut counts = self.0.lock().unwrap();
        for entry in entries {
            *counts.entry(entry.actor.clone()).or_default() += 1;
        }
        Ok(())
    }

    fn latest(&self, _: &str, _: Option<u64>) -> Result<Option<Kept>, StoreError> {
        Ok(None)
    }

    fn prune(&self, _: &str, _: u32) -> Result<(), StoreError> {
        Ok(())
    }
}

impl Counting {
    fn of(&self, actor: &str) -> usize {
        self.0.lock().unwrap().get(actor).copied().unwrap_or_default()
    }

    async fn wait_for(&self, actor: &str, count: usize) {
        let enough = async {
            while self.of(actor) < count {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        let waited = tokio::time::timeout(Duration::from_secs(30), enough).await;
        waited.unwrap_or_else(|_| panic!("{count} checkpoints of {actor} did not come"));
    }
}

async fn start(node: &Node, name: &str) -> Running {
    let options = GuestOptions {
        name: Some(name.to_owned()),
        ..node.options.clone()
    };
    let guest = start_module(&node.first, options).await.unwrap();
    // Its `post-start` is over then.
    assert!(get(&guest.cell).await.is_some());
    guest
}

/// Each snapshot of these guests is another one, so that a checkpoint comes of each.
#[tokio::test]
async fn an_actor_that_handled_nothing_is_not_asked_again() {
    let node = Node::with(version(1).failing(Fail::SnapshotChanges)).await;
    let (idle, busy) = ("checkpoints-idle", "checkpoints-busy");
    let (quiet, working) = (start(&node, idle).await, start(&node, busy).await);
    let store = Arc::new(Counting::default());
    let _schedule = Schedule::start(
        &node.modules,
        [Scheduled {
            module: "test-module".to_owned(),
            names: [idle.to_owned(), busy.to_owned()].into(),
            checkpoints: Checkpoints {
                every: Duration::from_millis(1),
                keep: 1,
                writer: CheckpointWriter::new(store.clone()),
            },
        }],
    );
    store.wait_for(idle, 1).await;
    for _ in 0..10 {
        let before = store.of(busy);
        working.cast("add", &[1]);
        store.wait_for(busy, before + 1).await;
    }
    assert_eq!(store.of(idle), 1, "nothing has happened since the first");
    quiet.cast("add", &[1]);
    store.wait_for(idle, 2).await;
    quiet.restart("to see that this counts");
    store.wait_for(idle, 3).await;
}

/// More actors than are asked at once are busy, each with one message that never ends. They are asked for two seconds each.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn actors_that_are_busy_keep_no_other_from_being_asked() {
    const BUSY: usize = 20;
    const CHECKPOINTS: usize = 30;
    let node = Node::with(version(1).failing(Fail::SnapshotChanges)).await;
    let free = "checkpoints-free";
    let mut names: Vec<_> = (0..BUSY).map(|number| format!("checkpoints-spin-{number}")).collect();
    let mut spinning = Vec::new();
    for name in &names {
        let guest = start(&node, name).await;
        guest.cast("spin", b"");
        spinning.push(guest);
    }
    let working = start(&node, free).await;
    names.push(free.to_owned());
    let store = Arc::new(Counting::default());
    let _schedule = Schedule::start(
        &node.modules,
        [Scheduled {
            module: "test-module".to_owned(),
            names: names.into_iter().collect(),
            checkpoints: Checkpoints {
                every: Duration::from_millis(1),
                keep: 1,
                writer: CheckpointWriter::new(store.clone()),
            },
        }],
    );
    let kept = async {
        for _ in 0..CHECKPOINTS {
            let before = store.of(free);
            working.cast("add", &[1]);
            store.wait_for(free, before + 1).await;
        }
    };
    // A third less than it takes if each has to wait until others are given up.
    let kept = tokio::time::timeout(Duration::from_secs(40), kept).await;
    assert!(kept.is_ok(), "{} of {CHECKPOINTS} checkpoints", store.of(free));
    for guest in spinning {
        guest.cell.kill();
    }
}
