//! Native entities over a store whose commits the test lets through.

mod deleted;
mod elsewhere;
pub(crate) mod left_to_states;
mod reached;
mod scenarios;
mod stores;

/// Where the words are, for what is compiled elsewhere as well.
use crate as entities;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::{Condvar, Mutex};
use ractor::{Actor, ActorProcessingErr, ActorRef, BytesConvertable, RpcReplyPort};
use ractor_host_derive::RactorClusterMessage;
use ractor_host_directory::CallError;

use self::left_to_states::left_to_states;
use crate::{
    ActivationLimits, Durability, Entities, Entity, EntityKey, EntityRef, EntityStore, EntityType, Fence, MemoryStore,
    Native, NativeEntity, StoreError, Stored, TypeSettings, Write, WriteOutcome, active, passivate,
};

const SOON: Option<Duration> = Some(Duration::from_secs(20));

/// Commits only while the test lets it.
#[derive(Debug, Default)]
struct GatedStore {
    states: MemoryStore,
    gate: Mutex<Gate>,
    opened: Condvar,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Gate {
    #[default]
    Open,
    Shut,
    /// Nor is anything read.
    Silent,
    Fails,
    /// Another node has everything by now.
    Elsewhere,
}

impl GatedStore {
    fn set(&self, gate: Gate) {
        *self.gate.lock() = gate;
        self.opened.notify_all();
    }
}

impl EntityStore for GatedStore {
    fn write(&self, writes: &[Arc<Write>]) -> Result<Vec<WriteOutcome>, StoreError> {
        let mut gate = self.gate.lock();
        self.opened
            .wait_while(&mut gate, |gate| matches!(gate, Gate::Shut | Gate::Silent));
        match *gate {
            Gate::Fails => Err(StoreError::failed("no space left")),
            Gate::Elsewhere => Ok(vec![WriteOutcome::Refused; writes.len()]),
            Gate::Open | Gate::Shut | Gate::Silent => self.states.write(writes),
        }
    }

    fn read(&self, entity: &Entity, fence: Option<Fence>) -> Result<Stored, StoreError> {
        let mut gate = self.gate.lock();
        self.opened.wait_while(&mut gate, |gate| *gate == Gate::Silent);
        if *gate == Gate::Elsewhere {
            return Err(StoreError::elsewhere(entity));
        }
        self.states.read(entity, fence)
    }

    left_to_states!(others);
}

#[derive(RactorClusterMessage)]
enum CounterMsg {
    Add(u64),
    #[rpc]
    AddAndFail(u64, RpcReplyPort<u64>),
    #[rpc]
    AddAndGet(u64, RpcReplyPort<u64>),
    #[rpc]
    Get(RpcReplyPort<u64>),
}

struct Counter;

impl Actor for Counter {
    type Msg = CounterMsg;
    type State = u64;
    type Arguments = u64;

    async fn pre_start(&self, _: ActorRef<CounterMsg>, start: u64) -> Result<u64, ActorProcessingErr> {
        if start == u64::MAX {
            return Err("this one never starts".into());
        }
        Ok(start)
    }

    async fn handle(
        &self,
        _: ActorRef<CounterMsg>,
        message: CounterMsg,
        count: &mut u64,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            CounterMsg::Add(more) => *count += more,
            CounterMsg::AddAndFail(more, reply) => {
                *count += more;
                reply.send(*count)?;
                return Err("as asked".into());
            }
            CounterMsg::AddAndGet(more, reply) => {
                *count += more;
                reply.send(*count)?;
            }
            CounterMsg::Get(reply) => reply.send(*count)?,
        }
        Ok(())
    }
}

impl NativeEntity for Counter {
    fn snapshot(&self, count: &u64) -> Result<Vec<u8>, ActorProcessingErr> {
        Ok(count.to_be_bytes().to_vec())
    }

    fn restore(&self, state: &[u8], _: u32) -> Result<u64, ActorProcessingErr> {
        Ok(u64::from_be_bytes(state.try_into()?))
    }
}

/// A test that fails leaves no thread behind that waits for the store.
impl Drop for World {
    fn drop(&mut self) {
        self.store.set(Gate::Open);
    }
}

struct World {
    entities: Entities,
    store: Arc<GatedStore>,
    of: String,
}

impl World {
    /// With a type of its own, because types are those of the process.
    async fn new(settings: TypeSettings) -> Self {
        Self::starting(settings, |_| 0).await
    }

    async fn starting(settings: TypeSettings, start: impl Fn(&Entity) -> u64 + Send + Sync + 'static) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let of = format!("counter{}", NEXT.fetch_add(1, Ordering::Relaxed));
        let store = Arc::new(GatedStore::default());
        let limits = ActivationLimits {
            a_second: 100_000,
            ..ActivationLimits::default()
        };
        let entities = Entities::start(store.clone(), limits).await.unwrap();
        let code = Native::new("counter", move |entity: &Entity| (Counter, start(entity)));
        entities
            .add(EntityType::new(&of).unwrap(), settings, Arc::new(code))
            .unwrap();
        Self { entities, store, of }
    }

    fn counter(&self, key: &str) -> EntityRef<CounterMsg> {
        EntityRef::new(&self.of, key).unwrap()
    }

    async fn get(&self, key: &str) -> u64 {
        self.counter(key).call(CounterMsg::Get, SOON).await.unwrap()
    }

    async fn ends(&self, key: &str) {
        self.until(|| active(self.counter(key).entity()).is_none()).await;
    }

    async fn until(&self, is_so: impl Fn() -> bool) {
        let wait = async {
            while !is_so() {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), wait).await.unwrap();
    }
}

fn settings(durability: Durability) -> TypeSettings {
    TypeSettings {
        durability,
        ..TypeSettings::default()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_key_has_a_state_and_keeps_it_while_it_is_not_active() {
    for durability in [Durability::BeforeReply, Durability::Every(Duration::from_secs(3_600))] {
        let world = World::new(settings(durability)).await;
        for (key, more) in [("a", 1), ("b", 20), ("a", 300)] {
            world.counter(key).cast(CounterMsg::Add(more)).unwrap();
        }
        assert_eq!((world.get("a").await, world.get("b").await), (301, 20));
        assert!(passivate(world.counter("a").entity()));
        world.ends("a").await;
        assert_eq!(
            (world.get("a").await, world.get("b").await),
            (301, 20),
            "{durability:?}"
        );
        assert!(world.entities.stop(Duration::from_secs(20)).await.is_empty());
        let refused = world.counter("a").cast(CounterMsg::Add(1));
        assert_eq!(refused, Err(CallError::UnknownActor), "the node has stopped");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_durability_a_passivated_entity_starts_afresh() {
    let world = World::new(settings(Durability::None)).await;
    world.counter("a").cast(CounterMsg::Add(1)).unwrap();
    assert_eq!(world.get("a").await, 1);
    passivate(world.counter("a").entity());
    world.ends("a").await;
    assert_eq!(world.get("a").await, 0);
    assert_eq!(world.entities.writer_figures().commits, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_reply_is_seen_before_its_state_is_durable() {
    let world = World::new(settings(Durability::BeforeReply)).await;
    assert_eq!(world.get("a").await, 0);
    world.store.set(Gate::Shut);
    let counter = world.counter("a");
    let waits = tokio::spawn(async move {
        // In this order: the second one reads what isn't durable yet.
        let added = counter.call(|reply| CounterMsg::AddAndGet(5, reply), SOON);
        tokio::join!(added, counter.call(CounterMsg::Get, SOON))
    });
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(!waits.is_finished());
    let written = |world: &World| {
        world
            .store
            .states
            .read(world.counter("a").entity(), None)
            .unwrap()
            .state
            .unwrap()
            .bytes
    };
    assert_eq!(written(&world), 0_u64.to_be_bytes());
    world.store.set(Gate::Open);
    assert_eq!(waits.await.unwrap(), (Ok(5), Ok(5)));
    assert_eq!(written(&world), 5_u64.to_be_bytes());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failure_takes_what_the_message_at_hand_did_and_nothing_else() {
    let world = World::new(settings(Durability::BeforeReply)).await;
    let counter = world.counter("a");
    let first = counter.call(|reply| CounterMsg::AddAndGet(7, reply), SOON).await;
    assert_eq!(first, Ok(7));
    world.store.set(Gate::Shut);
    // The first is on its way into the store, and the second waits behind it.
    counter.cast(CounterMsg::Add(10)).unwrap();
    let waits = tokio::spawn({
        let counter = counter.clone();
        async move {
            let before = counter.call(|reply| CounterMsg::AddAndGet(100, reply), SOON);
            tokio::join!(before, counter.call(|reply| CounterMsg::AddAndFail(1_000, reply), SOON))
        }
    });
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(!waits.is_finished());
    world.store.set(Gate::Open);
    let (before, lost) = waits.await.unwrap();
    assert_eq!(before, Ok(117));
    assert!(lost.is_err(), "{lost:?}");
    assert_eq!(world.get("a").await, 117);
    let figures = world.entities.figures();
    assert!(figures.iter().any(|(_, figures)| figures.crashes == 1), "{figures:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_entity_whose_state_cannot_be_written_ends_and_comes_back_when_it_can() {
    let world = World::new(settings(Durability::BeforeReply)).await;
    assert_eq!(world.get("a").await, 0);
    world.store.set(Gate::Fails);
    let counter = world.counter("a");
    let unknown = counter.call(|reply| CounterMsg::AddAndGet(5, reply), SOON).await;
    let Err(CallError::Failed(reason)) = unknown else {
        panic!("{unknown:?}");
    };
    assert!(reason.contains("not known"), "{reason}");
    world.store.set(Gate::Open);
    assert_eq!(world.get("a").await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn idle_entities_leave_the_memory() {
    let world = World::new(TypeSettings {
        passivate_after: Some(Duration::from_millis(80)),
        always: vec![EntityKey::new(b"always").unwrap()],
        ..settings(Durability::BeforeReply)
    })
    .await;
    let always = world.counter("always");
    world.until(|| active(always.entity()).is_some()).await;
    for key in 0..50 {
        world.counter(&key.to_string()).cast(CounterMsg::Add(key)).unwrap();
    }
    world.until(|| world.entities.active().len() == 1).await;
    assert_eq!(world.get("49").await, 49);
    assert!(active(always.entity()).is_some(), "it never leaves");
    passivate(always.entity());
    world.until(|| active(always.entity()).is_some()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_keys_take_the_places_of_few() {
    let world = World::new(TypeSettings {
        max_active: 20,
        ..settings(Durability::BeforeReply)
    })
    .await;
    for round in 1..=2 {
        for key in 0..200_u64 {
            let counter = world.counter(&key.to_string());
            let count = counter.call(|reply| CounterMsg::AddAndGet(key, reply), SOON).await;
            assert_eq!(count, Ok(key * round));
            assert!(world.entities.active().len() <= 21);
        }
    }
    let keys = world
        .entities
        .keys(EntityType::new(&world.of).unwrap(), None, 1_000)
        .await;
    assert_eq!(keys.unwrap().len(), 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_waits_for_an_entity_that_cannot_start_hears_why() {
    let world = World::starting(settings(Durability::BeforeReply), |entity| {
        if entity.key.bytes() == b"bad" { u64::MAX } else { 3 }
    })
    .await;
    let refused = world.counter("bad").call(CounterMsg::Get, SOON).await;
    let Err(CallError::Failed(reason)) = refused else {
        panic!("{refused:?}");
    };
    assert!(reason.contains("this one never starts"), "{reason}");
    assert_eq!(world.get("good").await, 3);
}

/// Whoever sends while entities come and go loses nothing, and a reply that was seen is in every state after it.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_is_lost_while_entities_come_and_go() {
    let world = Arc::new(
        World::new(TypeSettings {
            max_active: 4,
            ..settings(Durability::BeforeReply)
        })
        .await,
    );
    let mut senders = tokio::task::JoinSet::new();
    for sender in 0..4_u64 {
        let world = world.clone();
        senders.spawn(async move {
            for message in 0..300_u64 {
                let key = ((sender + message) % 10).to_string();
                if message % 3 == 0 {
                    world
                        .counter(&key)
                        .call(|reply| CounterMsg::AddAndGet(1, reply), SOON)
                        .await
                        .unwrap();
                } else {
                    world.counter(&key).cast(CounterMsg::Add(1)).unwrap();
                }
                if message % 17 == 0 {
                    passivate(world.counter(&key).entity());
                }
            }
        });
    }
    while let Some(sender) = senders.join_next().await {
        sender.unwrap();
    }
    let mut sum = 0;
    for key in 0..10 {
        sum += world.get(&key.to_string()).await;
    }
    assert_eq!(sum, 1_200);
    assert!(world.entities.stop(Duration::from_secs(20)).await.is_empty());
}

#[test]
fn a_reference_travels_as_its_written_form() {
    let entity = EntityRef::<CounterMsg>::new("cart", [0, 255, b'%']).unwrap();
    let bytes = entity.clone().into_bytes();
    assert_eq!(bytes, b"entity:cart/%00%FF%25");
    assert_eq!(EntityRef::from_bytes(bytes), entity);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_for_entities_is_bounded() {
    let world = World::new(TypeSettings {
        all_waiting_bytes: 100_000,
        ..settings(Durability::BeforeReply)
    })
    .await;
    // No entity comes to life while the store is asked for its state.
    world.store.set(Gate::Silent);
    let mut taken = 0;
    while world.counter(&taken.to_string()).cast(CounterMsg::Add(1)).is_ok() {
        taken += 1;
    }
    assert!((50..200).contains(&taken), "{taken}");
    world.store.set(Gate::Open);
    let mut sum = 0;
    for key in 0..taken {
        sum += world.get(&key.to_string()).await;
    }
    assert_eq!(sum, taken, "what was taken came");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_waits_when_the_node_stops_hears() {
    let world = World::new(settings(Durability::BeforeReply)).await;
    world.store.set(Gate::Silent);
    let counter = world.counter("a");
    let waits = tokio::spawn(async move { counter.call(CounterMsg::Get, SOON).await });
    tokio::time::sleep(Duration::from_millis(50)).await;
    let left = world.entities.stop(Duration::from_millis(200)).await;
    let refused = waits.await.unwrap();
    assert!(
        matches!(refused, Err(CallError::Failed(_) | CallError::UnknownActor)),
        "{refused:?}"
    );
    assert!(left.is_empty(), "{left:?}");
    world.store.set(Gate::Open);
}
