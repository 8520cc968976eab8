//! Entities as they are reached by others than references: as plain actors, and by the actor of their type.

use ractor::message::SerializedMessage;
use ractor::{ActorCell, Message, pg};
use ractor_host_directory::{DESCRIBE_VARIANT, NoReply, PROBE_VARIANT, PutRefused, inbox, reply_port};

use super::*;
use crate::{active_actors, to_type_actor, type_group};

/// The actor of the type of this world.
fn type_actor(world: &World) -> ActorCell {
    let members = pg::get_members(&type_group(&EntityType::new(&world.of).unwrap()));
    let [actor] = &*members else {
        panic!("{} actors of the type", members.len());
    };
    actor.clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_entity_is_a_plain_actor_as_long_as_its_stand_in_is_kept() {
    let world = World::new(TypeSettings::default()).await;
    let counter = world.counter("a");
    let (actor, stand_in) = counter.actor_ref().await.unwrap();
    assert!(active(counter.entity()).is_none(), "nobody has sent anything yet");
    for _ in 0..10 {
        actor.cast(CounterMsg::Add(1)).unwrap();
    }
    let counted = actor.call(CounterMsg::Get, SOON).await.unwrap().unwrap();
    assert_eq!(counted, 10);
    // It outlives the entity.
    assert!(passivate(counter.entity()));
    world.ends("a").await;
    let counted = actor.call(CounterMsg::Get, SOON).await.unwrap().unwrap();
    assert_eq!(counted, 0, "nothing is kept of this type");
    actor.cast(CounterMsg::Add(5)).unwrap();
    drop(stand_in);
    world.until(|| actor.cast(CounterMsg::Add(100)).is_err()).await;
    // What was sent by then comes, though nobody waits for the stand-in.
    let comes = async {
        while world.get("a").await % 100 != 5 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), comes).await.unwrap();
    assert_eq!(counter.actor_ref().await.map(drop), Ok(()));
    world.entities.stop(Duration::from_secs(20)).await;
    assert_eq!(counter.actor_ref().await.map(drop), Err(CallError::UnknownActor));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_actor_of_a_type_passes_on_what_is_for_entities_and_says_what_is_wrong_with_the_rest() {
    let settings = TypeSettings {
        waiting_messages: 2,
        durability: Durability::BeforeReply,
        ..TypeSettings::default()
    };
    let world = World::new(settings).await;
    world.entities.admit_peers().await.unwrap();
    assert!(
        world.entities.admit_peers().await.is_err(),
        "there is one for each type"
    );
    let actor = type_actor(&world);
    let door = inbox(actor.get_id()).unwrap();
    let key = EntityKey::new(b"a").unwrap();
    let call = |variant: &str, args: Vec<u8>| {
        let (port, reply) = reply_port(SOON);
        let call = SerializedMessage::Call {
            variant: variant.to_owned(),
            args,
            reply: port,
            metadata: None,
        };
        (call, reply)
    };
    // By its mailbox, as peers send, and as others of this process do.
    door.put(to_type_actor(&key, CounterMsg::Add(3).serialize().unwrap()))
        .unwrap();
    let (get, reply) = call("Get", Vec::new());
    door.put(to_type_actor(&key, get)).unwrap();
    assert_eq!(reply.await, Ok(3_u64.to_be_bytes().to_vec()));
    let (get, reply) = call("Get", Vec::new());
    actor.send_serialized(to_type_actor(&key, get)).unwrap();
    assert_eq!(reply.await, Ok(3_u64.to_be_bytes().to_vec()));
    assert_eq!(
        active_actors()
            .iter()
            .filter(|cell| cell.get_name() == Some(world.counter("a").to_string()))
            .count(),
        1
    );
    for (variant, args, said) in [
        ("Get", Vec::new(), "and no other message"),
        ("Call", vec![1, 2, 3], "not a key"),
    ] {
        let (wrong, reply) = call(variant, args);
        door.put(wrong).unwrap();
        let Err(NoReply::Failed(reason)) = reply.await else {
            panic!("{variant} has no reason");
        };
        assert!(reason.as_str().contains(said), "{reason}");
    }
    // Natives don't say what they take, and a probe has come past everything at once.
    for variant in [DESCRIBE_VARIANT, PROBE_VARIANT] {
        let (question, reply) = call(variant, Vec::new());
        door.put(question).unwrap();
        assert_eq!(reply.await, Err(NoReply::Dropped), "{variant:?}");
    }
    // While the store is silent, two messages may wait for an activation.
    world.store.set(Gate::Silent);
    let other = EntityKey::new(b"b").unwrap();
    let add = || to_type_actor(&other, CounterMsg::Add(1).serialize().unwrap());
    for _ in 0..2 {
        door.put(add()).unwrap();
    }
    let refused = door.put(add()).unwrap_err();
    assert_eq!(refused.reason, PutRefused::Full);
    let (SerializedMessage::Cast { args, .. }, SerializedMessage::Cast { args: same, .. }) = (refused.message, add())
    else {
        panic!("no casts");
    };
    assert_eq!(args, same, "the message comes back as it was");
    let (get, reply) = call("Get", Vec::new());
    door.put(to_type_actor(&other, get)).unwrap();
    let Err(NoReply::Failed(reason)) = reply.await else {
        panic!("no reason");
    };
    assert!(reason.as_str().contains("as much waits for the entity"), "{reason}");
    let figures = world.entities.figures();
    assert_eq!(figures.first().map(|(_, figures)| figures.waiting), Some(2));
    world.store.set(Gate::Open);
    let nobody_waits = || world.entities.figures().iter().all(|(_, figures)| figures.waiting == 0);
    world.until(nobody_waits).await;
    assert_eq!(world.get("b").await, 2);
    // While the entities end, the actor is there and refuses what comes: calls of peers to it end with it.
    world.store.set(Gate::Shut);
    let (port, owed) = reply_port::<u64>(SOON);
    world.counter("a").cast(CounterMsg::AddAndGet(40, port)).unwrap();
    let entities = world.entities.clone();
    let stopping = tokio::spawn(async move { entities.stop(Duration::from_secs(20)).await });
    world
        .until(|| !crate::has_type(&EntityType::new(&world.of).unwrap()))
        .await;
    assert_eq!(
        door.put(add()).map_err(|not_put| not_put.reason),
        Err(PutRefused::Ended)
    );
    assert_eq!(actor.get_status(), ractor::ActorStatus::Running);
    world.store.set(Gate::Open);
    assert_eq!(owed.await, Ok(43));
    assert!(stopping.await.unwrap().is_empty());
    let group = type_group(&EntityType::new(&world.of).unwrap());
    world.until(|| pg::get_members(&group).is_empty()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_went_wrong_last_is_remembered_by_type() {
    let world = World::starting(TypeSettings::default(), |entity| match entity.key.bytes() {
        b"bad" => u64::MAX,
        _ => 0,
    })
    .await;
    let said = |world: &World| {
        let figures = world.entities.figures();
        figures
            .first()
            .and_then(|(_, figures)| figures.last_error.clone())
            .unwrap_or_default()
    };
    assert_eq!(&*said(&world), "");
    assert!(world.counter("bad").call(CounterMsg::Get, SOON).await.is_err());
    assert!(
        said(&world).contains("/bad: ") && said(&world).contains("never starts"),
        "{}",
        said(&world)
    );
    let failing = world.counter("a");
    failing
        .call(|reply| CounterMsg::AddAndFail(1, reply), SOON)
        .await
        .unwrap();
    world.until(|| said(&world).contains("/a: ")).await;
    assert!(said(&world).contains("as asked"), "{}", said(&world));
}
