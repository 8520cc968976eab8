//! Calls that are repeated, on a pretended clock, over a store in memory that fails when it is told to.

mod book;
mod bounds;
mod faults;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use ractor::message::SerializedMessage;
use ractor::{Actor, ActorProcessingErr, ActorRef, Message, RpcReplyPort};
use ractor_host_derive::RactorClusterMessage;
use ractor_host_directory::{CallError, FailureReason, fail, reply_port};
use ractor_host_placement::statement::WriteOutcome;
use tokio::time::Instant;

use super::*;
use crate::reminders::{Clock, whole_millis};
use crate::seat::told;
use crate::store::{EntityStore, KeptReply, MemoryStore, StoreError, Write};
use crate::tests::left_to_states::left_to_states;
use crate::{
    ActivationLimits, Entities, EntityRef, Native, NativeEntity, TypeSettings, active, delete_active, passivate, send,
};

const SOON: Option<Duration> = Some(Duration::from_secs(120));

/// What the pretended clock starts at.
const BEGIN_MS: u64 = 1_790_000_000_000;

#[derive(RactorClusterMessage)]
enum TillMsg {
    /// Counts this, and says how much was counted in all.
    #[rpc]
    Count(u64, RpcReplyPort<u64>),
    /// The same, when asked to by `Answer`.
    #[rpc]
    CountLater(u64, RpcReplyPort<u64>),
    Answer,
    #[rpc]
    CountAndRefuse(u64, RpcReplyPort<u64>),
    #[rpc]
    CountInSilence(u64, RpcReplyPort<u64>),
    #[rpc]
    CountAndCrash(u64, RpcReplyPort<u64>),
    /// Counts 1 and replies with as many bytes.
    #[rpc]
    Large(u64, RpcReplyPort<Vec<u8>>),
    #[rpc]
    CountAndDelete(u64, RpcReplyPort<u64>),
    /// How often this was counted.
    #[rpc]
    Counted(u64, RpcReplyPort<u64>),
}

/// Knows how often each number was counted.
struct Till {
    crashes: Arc<AtomicBool>,
}

#[derive(Default)]
struct Counts {
    counted: BTreeMap<u64, u64>,
    owed: Vec<RpcReplyPort<u64>>,
}

impl Counts {
    fn count(&mut self, number: u64) -> u64 {
        *self.counted.entry(number).or_default() += 1;
        self.counted.values().sum()
    }
}

impl Actor for Till {
    type Msg = TillMsg;
    type State = Counts;
    type Arguments = ();

    async fn pre_start(&self, _: ActorRef<TillMsg>, (): ()) -> Result<Counts, ActorProcessingErr> {
        Ok(Counts::default())
    }

    async fn handle(
        &self,
        myself: ActorRef<TillMsg>,
        message: TillMsg,
        counts: &mut Counts,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            TillMsg::Count(number, reply) => {
                reply.send(counts.count(number))?;
                if self.crashes.swap(false, Ordering::SeqCst) {
                    return Err("as asked".into());
                }
            }
            TillMsg::CountLater(number, reply) => {
                counts.count(number);
                counts.owed.push(reply);
            }
            TillMsg::Answer => {
                let sum = counts.counted.values().sum();
                for reply in counts.owed.drain(..) {
                    reply.send(sum)?;
                }
            }
            TillMsg::CountAndRefuse(number, reply) => {
                counts.count(number);
                told(fail(reply, FailureReason::new("too dear")));
            }
            TillMsg::CountInSilence(number, _) => drop(counts.count(number)),
            TillMsg::CountAndCrash(number, _) => {
                counts.count(number);
                return Err("as asked".into());
            }
            TillMsg::Large(bytes, reply) => {
                counts.count(1);
                reply.send(vec![7; usize::try_from(bytes)?])?;
            }
            TillMsg::CountAndDelete(number, reply) => {
                reply.send(counts.count(number))?;
                delete_active(&myself.get_name().unwrap_or_default().parse()?);
            }
            TillMsg::Counted(number, reply) => reply.send(counts.counted.get(&number).copied().unwrap_or_default())?,
        }
        Ok(())
    }
}

impl NativeEntity for Till {
    fn snapshot(&self, counts: &Counts) -> Result<Vec<u8>, ActorProcessingErr> {
        let pairs = counts.counted.iter().flat_map(|(number, times)| [*number, *times]);
        Ok(pairs.flat_map(u64::to_be_bytes).collect())
    }

    fn restore(&self, state: &[u8], _: u32) -> Result<Counts, ActorProcessingErr> {
        let (numbers, _) = state.as_chunks();
        let numbers: Vec<u64> = numbers.iter().map(|bytes| u64::from_be_bytes(*bytes)).collect();
        let counted = numbers.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect();
        Ok(Counts {
            counted,
            owed: Vec::new(),
        })
    }
}

/// What one node has of the store: it fails as long as it is told to.
#[derive(Debug, Default)]
struct Handle {
    states: Arc<MemoryStore>,
    fails: AtomicBool,
}

impl EntityStore for Handle {
    fn write(&self, writes: &[Arc<Write>]) -> Result<Vec<WriteOutcome>, StoreError> {
        if self.fails.load(Ordering::SeqCst) {
            return Err(StoreError::failed("no space left"));
        }
        self.states.write(writes)
    }

    left_to_states!(read);

    left_to_states!(others);
}

struct World {
    entities: Entities,
    store: Arc<Handle>,
    of: String,
    clock: Clock,
    crashes: Arc<AtomicBool>,
    settings: TypeSettings,
}

impl World {
    async fn new() -> Self {
        Self::of(Durability::BeforeReply).await
    }

    async fn of(durability: Durability) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let begun = Instant::now();
        let clock = Clock::pretended(move || BEGIN_MS + whole_millis(begun.elapsed()));
        let (store, crashes) = (Arc::new(Handle::default()), Arc::new(AtomicBool::default()));
        let of = format!("till{}", NEXT.fetch_add(1, Ordering::Relaxed));
        let settings = TypeSettings {
            durability,
            ..TypeSettings::default()
        };
        let entities = Self::start(&store, &of, &clock, &crashes, &settings).await;
        Self {
            entities,
            store,
            of,
            clock,
            crashes,
            settings,
        }
    }

    async fn start(
        store: &Arc<Handle>,
        of: &str,
        clock: &Clock,
        crashes: &Arc<AtomicBool>,
        settings: &TypeSettings,
    ) -> Entities {
        let limits = ActivationLimits {
            a_second: 100_000,
            ..ActivationLimits::default()
        };
        let started = Entities::start_by(None, store.clone(), limits, clock.clone()).await;
        let (entities, crashes) = (started.unwrap(), crashes.clone());
        let make = move |_: &Entity| {
            let crashes = crashes.clone();
            (Till { crashes }, ())
        };
        let code = Arc::new(Native::new("till", make));
        entities
            .add(EntityType::new(of).unwrap(), settings.clone(), code)
            .unwrap();
        entities
    }

    /// The node is gone at once, with all that it had not written, and comes back.
    async fn loses_its_node(&mut self) {
        self.store.fails.store(true, Ordering::SeqCst);
        self.entities.stop(Duration::ZERO).await;
        self.store = Arc::new(Handle {
            states: self.store.states.clone(),
            fails: AtomicBool::new(false),
        });
        self.entities = Self::start(&self.store, &self.of, &self.clock, &self.crashes, &self.settings).await;
    }

    fn till(&self) -> EntityRef<TillMsg> {
        EntityRef::new(&self.of, "a").unwrap()
    }

    async fn count(&self, key: &str, number: u64) -> Result<u64, CallError> {
        let till = self.till();
        let keyed = till.with_idempotency_key(key);
        keyed.call(|reply| TillMsg::Count(number, reply), SOON).await
    }

    async fn keyed(&self, key: &str, message: fn(u64, RpcReplyPort<u64>) -> TillMsg) -> Result<u64, CallError> {
        let till = self.till();
        let keyed = till.with_idempotency_key(key);
        keyed.call(|reply| message(5, reply), SOON).await
    }

    async fn counted(&self, number: u64) -> u64 {
        let till = self.till();
        till.call(|reply| TillMsg::Counted(number, reply), SOON).await.unwrap()
    }

    async fn passivate(&self) {
        let entity = self.till().entity().clone();
        assert!(passivate(&entity));
        self.ends().await;
    }

    async fn ends(&self) {
        while active(self.till().entity()).is_some() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    fn stored(&self) -> Vec<KeptReply> {
        self.store.states.read(self.till().entity(), None).unwrap().replies
    }

    fn answered_again(&self) -> u64 {
        self.entities.figures()[0].1.answered_again
    }
}

fn said(outcome: Result<u64, CallError>) -> String {
    match outcome {
        Err(CallError::Failed(reason)) => reason,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_repeated_is_handled_once_and_has_one_reply() {
    let mut world = World::new().await;
    assert_eq!(world.count("one", 5).await, Ok(1));
    assert_eq!(world.count("two", 6).await, Ok(2));
    assert_eq!(world.count("one", 5).await, Ok(1));
    assert_eq!(world.stored().len(), 2);
    world.passivate().await;
    assert_eq!(world.count("one", 5).await, Ok(1), "by what the store has");
    world.loses_its_node().await;
    assert_eq!(world.count("two", 6).await, Ok(2));
    assert_eq!((world.counted(5).await, world.counted(6).await), (1, 1));
    assert_eq!(world.answered_again(), 1, "since the node was started");
    // A call without a key is another each time.
    let till = world.till();
    for times in 3..5 {
        let count = till.call(|reply| TillMsg::Count(5, reply), SOON).await;
        assert_eq!(count, Ok(times));
    }
}

#[tokio::test(start_paused = true)]
async fn a_key_belongs_to_one_call_of_one_caller() {
    let world = World::new().await;
    assert_eq!(world.count("one", 5).await, Ok(1));
    assert!(said(world.count("one", 6).await).contains("was used for another message"));
    assert!(said(world.keyed("one", TillMsg::Counted).await).contains("was used for another message"));
    assert_eq!(world.counted(6).await, 0);
    let till = world.till();
    let keyed = till.with_idempotency_key("one").in_scope("other");
    assert_eq!(keyed.call(|reply| TillMsg::Count(6, reply), SOON).await, Ok(2));
    let long = "x".repeat(KEY_BYTES + 1);
    for key in ["", long.as_str()] {
        assert!(said(world.count(key, 5).await).contains("1 to 255 bytes"), "{key:?}");
    }
    let scope = Scope::new("actor", &"x".repeat(1_000));
    assert!(scope.as_str().len() <= SCOPE_BYTES && scope != Scope::new("actor", &"x".repeat(1_001)));
}

#[tokio::test(start_paused = true)]
async fn who_repeats_a_call_that_is_being_handled_hears_what_comes_of_it() {
    let mut world = World::new().await;
    let till = world.till();
    let call = |key: &'static str| {
        let till = till.clone();
        tokio::spawn(async move {
            let keyed = till.with_idempotency_key(key);
            keyed.call(|reply| TillMsg::CountLater(5, reply), SOON).await
        })
    };
    let calls = [call("one"), call("one"), call("one")];
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(calls.iter().all(|call| !call.is_finished()));
    till.cast(TillMsg::Answer).unwrap();
    for call in calls {
        assert_eq!(call.await.unwrap(), Ok(1));
    }
    assert_eq!(world.counted(5).await, 1);
    // One whose reply never came: the state has what it did, and so it isn't handled again.
    let lost = [call("two"), call("two")];
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(world.counted(5).await, 2);
    world.loses_its_node().await;
    for call in lost {
        call.await.unwrap().unwrap_err();
    }
    assert!(said(world.keyed("two", TillMsg::CountLater).await).contains("it is not handled again"));
    assert_eq!(world.counted(5).await, 2);
}

#[tokio::test(start_paused = true)]
async fn a_reply_that_was_put_off_is_seen_only_when_it_is_kept() {
    let mut world = World::new().await;
    let till = world.till();
    let call = tokio::spawn(async move {
        let keyed = till.with_idempotency_key("one");
        keyed.call(|reply| TillMsg::CountLater(5, reply), SOON).await
    });
    tokio::time::sleep(Duration::from_secs(1)).await;
    world.store.fails.store(true, Ordering::SeqCst);
    world.till().cast(TillMsg::Answer).unwrap();
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert!(!call.is_finished());
    world.store.fails.store(false, Ordering::SeqCst);
    assert_eq!(call.await.unwrap(), Ok(1));
    world.loses_its_node().await;
    assert_eq!(world.keyed("one", TillMsg::CountLater).await, Ok(1));
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_an_outcome_and_a_crash_is_none() {
    let mut world = World::new().await;
    for _ in 0..2 {
        assert!(said(world.keyed("dear", TillMsg::CountAndRefuse).await).contains("too dear"));
        assert!(said(world.keyed("mute", TillMsg::CountInSilence).await).contains("gave no reply"));
        world.passivate().await;
    }
    assert_eq!(world.counted(5).await, 2);
    for _ in 0..2 {
        let crashed = said(world.keyed("bad", TillMsg::CountAndCrash).await);
        assert!(crashed.contains("failed before"), "{crashed}");
        world.ends().await;
    }
    assert_eq!((world.counted(5).await, world.stored().len()), (2, 2));
    // The handler has replied and then failed: nobody saw the reply, and it is as if it had never been.
    world.crashes.store(true, Ordering::SeqCst);
    assert!(said(world.count("late", 6).await).contains("failed before"));
    assert_eq!(world.count("late", 6).await, Ok(3));
    world.loses_its_node().await;
    assert_eq!(world.count("late", 6).await, Ok(3));
}
