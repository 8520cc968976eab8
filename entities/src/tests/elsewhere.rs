//! Entities that another node has by now, as the store says.

use super::{CounterMsg, Gate, SOON, World, settings};
use crate::{Durability, active};

fn says_elsewhere(outcome: &Result<u64, ractor_host_directory::CallError>) -> bool {
    matches!(outcome, Err(error) if error.to_string().contains("another node"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_entity_whose_write_is_refused_ends_at_once_and_nothing_that_it_held_leaves() {
    let world = World::new(settings(Durability::BeforeReply)).await;
    let counter = world.counter("a");
    let first = counter.call(|reply| CounterMsg::AddAndGet(4, reply), SOON).await;
    assert_eq!(first, Ok(4));
    let attempts = world.entities.writer_figures();
    world.store.set(Gate::Shut);
    let waits: Vec<_> = (0..3)
        .map(|_| {
            let counter = counter.clone();
            tokio::spawn(async move { counter.call(|reply| CounterMsg::AddAndGet(1, reply), SOON).await })
        })
        .collect();
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    world.store.set(Gate::Elsewhere);
    for one in waits {
        let outcome = one.await.unwrap();
        assert!(says_elsewhere(&outcome), "{outcome:?}");
    }
    world.ends("a").await;
    let figures = world.entities.writer_figures();
    assert!(
        figures.refused > attempts.refused && figures.writes == attempts.writes,
        "{figures:?}"
    );
    assert_eq!((figures.failed, figures.given_up), (0, 0), "it is tried once");
    // It is back: what was refused has left nothing.
    world.store.set(Gate::Open);
    assert_eq!(world.get("a").await, 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_entity_that_is_another_nodes_is_not_activated() {
    let world = World::new(settings(Durability::BeforeReply)).await;
    world.store.set(Gate::Elsewhere);
    let counter = world.counter("a");
    let outcome = counter.call(CounterMsg::Get, SOON).await;
    assert!(says_elsewhere(&outcome), "{outcome:?}");
    assert!(active(counter.entity()).is_none());
    world.store.set(Gate::Open);
    assert_eq!(world.get("a").await, 0);
}
