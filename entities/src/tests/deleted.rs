//! Entities that an operator deletes.

use super::{CounterMsg, Gate, SOON, World, settings};
use crate::{Durability, EntityStore as _, passivate};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deleted_entity_starts_afresh() {
    let world = World::new(settings(Durability::BeforeReply)).await;
    for is_active in [true, false] {
        let counter = world.counter("a");
        let count = counter.call(|reply| CounterMsg::AddAndGet(4, reply), SOON).await;
        assert_eq!(count, Ok(4));
        if !is_active {
            passivate(counter.entity());
            world.ends("a").await;
        }
        world.entities.delete(counter.entity()).await.unwrap();
        assert_eq!(
            world.store.states.read(counter.entity(), None).unwrap().state,
            None,
            "{is_active}"
        );
        assert_eq!(world.get("a").await, 0);
        world.entities.delete(counter.entity()).await.unwrap();
    }
}

/// An activation that has read the state may not bring back what is deleted meanwhile.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_is_deleted_while_it_is_activated_stays_deleted() {
    let world = World::new(settings(Durability::BeforeReply)).await;
    for round in 0..40 {
        let key = format!("k{round}");
        let counter = world.counter(&key);
        let count = counter.call(|reply| CounterMsg::AddAndGet(5, reply), SOON).await;
        assert_eq!(count, Ok(5));
        passivate(counter.entity());
        world.ends(&key).await;
        let adds = tokio::spawn({
            let counter = counter.clone();
            async move { counter.call(|reply| CounterMsg::AddAndGet(1, reply), SOON).await }
        });
        // At another point of the activation each time.
        for _ in 0..round * 4 {
            tokio::task::yield_now().await;
        }
        world.entities.delete(counter.entity()).await.unwrap();
        let added = adds.await.unwrap();
        let now = world.get(&key).await;
        // Either the call was before the deletion, or after it.
        assert!(
            matches!((&added, now), (Ok(6) | Err(_), 0) | (Ok(1), 1 | 0)),
            "{round}: {added:?}, then {now}"
        );
        let kept = world.store.states.read(counter.entity(), None).unwrap().state;
        let kept = kept.map_or(0, |state| u64::from_be_bytes(state.bytes.try_into().unwrap()));
        assert_eq!(kept, now, "{round}");
    }
}

/// Whoever deletes hears that it was not done, also of an entity that was active.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_deletion_that_can_not_be_written_is_no_success() {
    let world = World::new(settings(Durability::BeforeReply)).await;
    let counter = world.counter("a");
    let count = counter.call(|reply| CounterMsg::AddAndGet(4, reply), SOON).await;
    assert_eq!(count, Ok(4));
    world.store.set(Gate::Fails);
    let deleted = world.entities.delete(counter.entity()).await;
    assert!(deleted.is_err(), "{deleted:?}");
    world.store.set(Gate::Open);
    assert_eq!(world.get("a").await, 4);
}
