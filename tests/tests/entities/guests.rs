//! Guests as entities, in this process, over a store whose commits the test lets through.

use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, LazyLock, Mutex};
use std::time::Duration;

use carts::{CartMsg, ListenerMsg};
use ractor::{Actor, ActorProcessingErr, ActorRef, pg};
use ractor_host::guest::{
    Allocation, Engine, EngineConfig, Grants, GuestEntities, GuestOptions, ModuleSource, Modules, Profile,
};
use ractor_host_entities::{
    ActivationLimits, DuePlace, Durability, Entities, Entity, EntityKey, EntityRef, EntityStore, EntityType, Fence,
    MemoryStore, StoreError, Stored, StoredDue, TypeSettings, Write, WriteOutcome, active, passivate,
};
use ractor_host_tests::programs;
use ractor_host_tests::wait::PATIENCE;
use tokio::sync::mpsc;

const SOON: Option<Duration> = Some(PATIENCE);

/// Long enough for what must not come to come, on a machine that has nothing else to do. What is asserted after it holds however long it
/// is.
const A_WHILE: Duration = Duration::from_millis(150);

static ENGINE: LazyLock<Engine> = LazyLock::new(|| {
    let config = EngineConfig {
        allocation: Allocation::Pool { guests: 64 },
        memory_reservation: 64 << 20,
        ..EngineConfig::default()
    };
    Engine::new(config).unwrap()
});

/// Commits only while the test lets it.
#[derive(Debug, Default)]
struct GatedStore {
    states: MemoryStore,
    is_shut: Mutex<bool>,
    opened: Condvar,
}

impl GatedStore {
    fn shut(&self, is_shut: bool) {
        *self.is_shut.lock().unwrap() = is_shut;
        self.opened.notify_all();
    }
}

impl EntityStore for GatedStore {
    fn write(&self, writes: &[Arc<Write>]) -> Result<Vec<WriteOutcome>, StoreError> {
        let is_shut = self.is_shut.lock().unwrap();
        drop(self.opened.wait_while(is_shut, |is_shut| *is_shut).unwrap());
        self.states.write(writes)
    }

    fn read(&self, entity: &Entity, fence: Option<Fence>) -> Result<Stored, StoreError> {
        self.states.read(entity, fence)
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

/// A native actor that passes on what it is told.
struct Listener;

impl Actor for Listener {
    type Msg = ListenerMsg;
    type State = mpsc::UnboundedSender<u64>;
    type Arguments = Self::State;

    async fn pre_start(&self, _: ActorRef<ListenerMsg>, told: Self::State) -> Result<Self::State, ActorProcessingErr> {
        Ok(told)
    }

    async fn handle(
        &self,
        _: ActorRef<ListenerMsg>,
        ListenerMsg::Put(more): ListenerMsg,
        told: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        told.send(more)?;
        Ok(())
    }
}

struct World {
    entities: Entities,
    store: Arc<GatedStore>,
    of: String,
    listener: String,
    told: mpsc::UnboundedReceiver<u64>,
}

impl World {
    async fn new(durability: Durability) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let of = format!("cart{}", NEXT.fetch_add(1, Ordering::Relaxed));
        let modules = Modules::default();
        let source = ModuleSource {
            name: "carts".to_owned(),
            path: programs::guest("carts"),
            source: None,
            digest: None,
        };
        modules.insert(ENGINE.load(&source).await.unwrap());
        let options = GuestOptions {
            profile: Arc::new(Profile {
                grants: Arc::new(Grants::of_actors()),
                ..Profile::default()
            }),
            modules,
            ..GuestOptions::default()
        };
        let store = Arc::new(GatedStore::default());
        let entities = Entities::start(store.clone(), ActivationLimits::default())
            .await
            .unwrap();
        let settings = TypeSettings {
            durability,
            ..TypeSettings::default()
        };
        let code = Arc::new(GuestEntities::new("carts", options));
        entities.add(EntityType::new(&of).unwrap(), settings, code).unwrap();
        let (tell, told) = mpsc::unbounded_channel();
        let listener = format!("listener-of-{of}");
        Actor::spawn(Some(listener.clone()), Listener, tell).await.unwrap();
        Self {
            entities,
            store,
            of,
            listener,
            told,
        }
    }

    fn cart(&self, key: &str) -> EntityRef<CartMsg> {
        EntityRef::new(&self.of, key).unwrap()
    }

    /// As the guest's SDK names it, which natively is the same.
    fn other(&self, key: &str) -> ractor_guest::entity::EntityRef<CartMsg> {
        self.cart(key)
    }

    async fn put(&self, key: &str, more: u64) -> u64 {
        let cart = self.cart(key);
        cart.call(|reply| CartMsg::PutAndGet(more, reply), SOON).await.unwrap()
    }

    async fn get(&self, key: &str) -> u64 {
        self.cart(key).call(CartMsg::Get, SOON).await.unwrap()
    }

    async fn ends(&self, key: &str) {
        self.until(|| active(self.cart(key).entity()).is_none()).await;
    }

    async fn until(&self, is_so: impl Fn() -> bool) {
        let wait = async {
            while !is_so() {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        tokio::time::timeout(PATIENCE, wait).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_entity_keeps_its_state_and_knows_its_key() {
    for durability in [Durability::BeforeReply, Durability::Every(Duration::from_secs(3_600))] {
        let world = World::new(durability).await;
        assert_eq!((world.put("a", 1).await, world.put("b", 20).await), (1, 20));
        let name = world.cart("b").call(CartMsg::Name, SOON).await.unwrap();
        assert_eq!(name, world.cart("b").to_string());
        assert!(passivate(world.cart("a").entity()));
        world.ends("a").await;
        assert_eq!((world.get("a").await, world.get("b").await), (1, 20));
        world.cart("b").cast(CartMsg::Stop).unwrap();
        world.ends("b").await;
        assert_eq!(world.get("b").await, 20, "{durability:?}");
        assert!(world.entities.stop(PATIENCE).await.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_changes_is_written_now_and_then_though_no_message_comes() {
    let world = World::new(Durability::Every(Duration::from_millis(50))).await;
    world.put("a", 3).await;
    let entity = world.cart("a").entity().clone();
    world
        .until(|| world.store.states.read(&entity, None).unwrap().state.is_some())
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_leaves_an_entity_before_its_state_is_durable() {
    let mut world = World::new(Durability::BeforeReply).await;
    for key in ["a", "b"] {
        world.put(key, 0).await;
    }
    let group = format!("group-of-{}", world.of);
    world.store.shut(true);
    let cart = world.cart("a");
    cart.cast(CartMsg::Tell(world.listener.clone(), 1)).unwrap();
    cart.cast(CartMsg::TellLater(world.listener.clone(), 2)).unwrap();
    cart.cast(CartMsg::PutInBoth(world.other("b"), 4)).unwrap();
    cart.cast(CartMsg::Join(group.clone(), 8)).unwrap();
    // Whichever is answered first says so by itself.
    let (tell_reply, mut replied) = mpsc::unbounded_channel();
    let tell_refusal = tell_reply.clone();
    let calls = tokio::spawn(async move {
        // In this order.
        tokio::join!(
            async {
                let reply = cart.call(|reply| CartMsg::PutAndGet(16, reply), SOON).await;
                tell_reply.send(()).unwrap();
                reply
            },
            async {
                let refused = cart.call(|reply| CartMsg::Refuse(32, reply), SOON).await;
                tell_refusal.send(()).unwrap();
                refused
            }
        )
    });
    tokio::time::sleep(A_WHILE).await;
    assert!(world.told.try_recv().is_err() && replied.try_recv().is_err());
    assert!(pg::get_members(&group).is_empty());
    world.store.shut(false);
    let mut told = [world.told.recv().await, world.told.recv().await];
    told.sort();
    assert_eq!(told, [Some(1), Some(2)]);
    let (reply, refused) = calls.await.unwrap();
    assert_eq!(reply, Ok(31));
    let refused = refused.unwrap_err().to_string();
    assert!(refused.contains("the shop is closed"), "{refused}");
    world.until(|| !pg::get_members(&group).is_empty()).await;
    // The cast came to the other cart before the reply did.
    assert_eq!(world.get("b").await, 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_handler_that_waits_goes_on_and_others_wait_for_it() {
    let world = World::new(Durability::BeforeReply).await;
    for round in 1..=3 {
        let (cart, other) = (world.cart("a"), world.other("b"));
        let asked = cart.call(|reply| CartMsg::PutAndAsk(other, 5, reply), SOON).await;
        assert_eq!(asked, Ok(vec![5 * round, 5 * round]));
    }
    passivate(world.cart("a").entity());
    world.ends("a").await;
    assert_eq!((world.get("a").await, world.get("b").await), (15, 15));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failure_goes_back_to_what_is_durable_and_callers_hear() {
    let mut world = World::new(Durability::BeforeReply).await;
    assert_eq!(world.put("a", 7).await, 7);
    // What the failed message did is gone, and everything before it is there.
    let cart = world.cart("a");
    cart.cast(CartMsg::Tell(world.listener.clone(), 1)).unwrap();
    cart.cast(CartMsg::Crash(100)).unwrap();
    assert_eq!(world.get("a").await, 8);
    assert_eq!(world.told.recv().await, Some(1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_entity_can_give_itself_up() {
    for durability in [
        Durability::BeforeReply,
        Durability::Every(Duration::from_secs(3_600)),
        Durability::None,
    ] {
        let world = World::new(durability).await;
        world.put("a", 7).await;
        assert_eq!(world.cart("a").call(CartMsg::Delete, SOON).await, Ok(true));
        assert_eq!(world.get("a").await, 0, "{durability:?}");
        assert_eq!(world.put("a", 2).await, 2);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_entity_that_is_killed_has_all_that_was_replied() {
    let world = World::new(Durability::BeforeReply).await;
    let mut seen = 0;
    for round in 0..20_u64 {
        let cart = world.cart("a");
        // Killed in the middle of it, nobody knows what became of it.
        if let Ok(things) = cart.call(|reply| CartMsg::PutAndGet(1, reply), SOON).await {
            assert!(things > seen, "{things} after {seen}");
            seen = things;
        }
        if round % 5 == 4 {
            cart.cast(CartMsg::Put(1_000)).unwrap();
            if let Some(cell) = active(cart.entity()) {
                cell.kill();
            }
        }
    }
    let at_last = world.get("a").await;
    assert!(seen > 0 && at_last >= seen, "{at_last} after {seen}");
}

/// What an actor has taken and not begun with is for the next activation.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_for_an_entity_that_ends_is_not_lost() {
    for ends in [CartMsg::Stop, CartMsg::Crash(1_000)] {
        let world = World::new(Durability::BeforeReply).await;
        world.put("a", 1).await;
        world.store.shut(true);
        let cart = world.cart("a");
        cart.cast(CartMsg::Put(1)).unwrap();
        cart.cast(ends).unwrap();
        let after: Vec<_> = (0..20)
            .map(|_| {
                let cart = cart.clone();
                tokio::spawn(async move { cart.call(|reply| CartMsg::PutAndGet(1, reply), SOON).await })
            })
            .collect();
        tokio::time::sleep(A_WHILE).await;
        world.store.shut(false);
        let mut replies = Vec::new();
        for reply in after {
            replies.push(reply.await.unwrap().unwrap());
        }
        replies.sort_unstable();
        assert_eq!(replies, (3..23).collect::<Vec<_>>());
    }
}
