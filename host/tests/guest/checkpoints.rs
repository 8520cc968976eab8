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
