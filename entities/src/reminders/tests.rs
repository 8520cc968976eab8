//! Reminders on a pretended clock, over a store in memory.

mod properties;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use parking_lot::Mutex;
use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort};
use ractor_host_derive::RactorClusterMessage;
use ractor_host_placement::words::EntityType;

use super::book::Book;
use super::*;
use crate::store::{EntityStore, MemoryStore, StoredReminder};
use crate::{
    ActivationLimits, Durability, Entities, EntityRef, Native, NativeEntity, TypeSettings, active, passivate, reminders,
};

const SOON: Option<Duration> = Some(Duration::from_secs(600));

/// What the pretended clock starts at.
const BEGIN_MS: u64 = 1_790_000_000_000;

const DAY: Duration = Duration::from_secs(24 * 3_600);

#[derive(RactorClusterMessage)]
enum AlarmMsg {
    /// Milliseconds until it rings, and between that and the next; 0 for once.
    Set(String, u64, u64, u64),
    SetAndFail(String, u64),
    Cancel(String),
    Ring(u64),
    /// Rings, and sets itself again.
    RingAgain(u64),
    #[rpc]
    Rung(RpcReplyPort<Vec<u64>>),
    #[rpc]
    List(RpcReplyPort<String>),
}

/// Fails at what is at least this.
const FAILS: u64 = 1_000;

/// Notes what it is reminded of.
struct Alarm {
    seen: Seen,
}

/// What alarms have begun with, whatever came of it, and when.
type Seen = Arc<Mutex<Vec<(String, u64, tokio::time::Instant)>>>;

impl Actor for Alarm {
    type Msg = AlarmMsg;
    type State = Vec<u64>;
    type Arguments = ();

    async fn pre_start(&self, _: ActorRef<AlarmMsg>, (): ()) -> Result<Vec<u64>, ActorProcessingErr> {
        Ok(Vec::new())
    }

    async fn handle(
        &self,
        myself: ActorRef<AlarmMsg>,
        message: AlarmMsg,
        rung: &mut Vec<u64>,
    ) -> Result<(), ActorProcessingErr> {
        let reminders = reminders(&myself).ok_or("it is no entity")?;
        let after = |ms| When::After(Duration::from_millis(ms));
        match message {
            AlarmMsg::Set(id, ms, period_ms, what) => {
                let period = Some(Duration::from_millis(period_ms)).filter(|period| !period.is_zero());
                reminders.set(id, after(ms), period, AlarmMsg::Ring(what))?;
            }
            AlarmMsg::SetAndFail(id, ms) => {
                reminders.set(id, after(ms), None, AlarmMsg::Ring(0))?;
                return Err("as asked".into());
            }
            AlarmMsg::Cancel(id) => {
                reminders.cancel(&id);
            }
            AlarmMsg::Ring(what) => {
                let name = myself.get_name().unwrap_or_default();
                self.seen.lock().push((name, what, tokio::time::Instant::now()));
                if what >= FAILS {
                    return Err("as asked".into());
                }
                rung.push(what);
            }
            AlarmMsg::RingAgain(what) => {
                rung.push(what);
                reminders.set("again", after(5_000), None, AlarmMsg::RingAgain(what + 1))?;
            }
            AlarmMsg::Rung(reply) => reply.send(rung.clone())?,
            AlarmMsg::List(reply) => reply.send(
                reminders
                    .list()
                    .into_iter()
                    .map(|one| one.id)
                    .collect::<Vec<_>>()
                    .join(" "),
            )?,
        }
        Ok(())
    }
}

impl NativeEntity for Alarm {
    fn snapshot(&self, rung: &Vec<u64>) -> Result<Vec<u8>, ActorProcessingErr> {
        Ok(rung.iter().flat_map(|one| one.to_be_bytes()).collect())
    }

    fn restore(&self, state: &[u8], _: u32) -> Result<Vec<u64>, ActorProcessingErr> {
        let (numbers, _) = state.as_chunks();
        Ok(numbers.iter().map(|bytes| u64::from_be_bytes(*bytes)).collect())
    }
}

struct World {
    entities: Entities,
    store: Arc<MemoryStore>,
    of: String,
    seen: Seen,
    durability: Durability,
    clock: Clock,
    step_ms: Arc<AtomicI64>,
}

impl World {
    async fn new(durability: Durability) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let of = format!("alarm{}", NEXT.fetch_add(1, Ordering::Relaxed));
        let (begun, step_ms) = (tokio::time::Instant::now(), Arc::new(AtomicI64::new(0)));
        let step = step_ms.clone();
        let clock = Clock::pretended(move || {
            (BEGIN_MS + whole_millis(begun.elapsed())).saturating_add_signed(step.load(Ordering::SeqCst))
        });
        let (store, seen) = (Arc::new(MemoryStore::default()), Seen::default());
        let entities = Self::start(&store, &of, &seen, durability, &clock).await;
        Self {
            entities,
            store,
            of,
            seen,
            durability,
            clock,
            step_ms,
        }
    }

    async fn start(store: &Arc<MemoryStore>, of: &str, seen: &Seen, durability: Durability, clock: &Clock) -> Entities {
        let limits = ActivationLimits {
            a_second: 100_000,
            ..ActivationLimits::default()
        };
        let entities = Entities::start_by(None, store.clone(), limits, clock.clone())
            .await
            .unwrap();
        let seen = seen.clone();
        let code = Native::new("alarm", move |_: &Entity| (Alarm { seen: seen.clone() }, ()));
        let settings = TypeSettings {
            durability,
            ..TypeSettings::default()
        };
        let of = EntityType::new(of).unwrap();
        entities.add(of, settings, Arc::new(code)).unwrap();
        entities.remind();
        entities
    }

    /// The node is away for so long.
    async fn outage(&mut self, time: Duration) {
        assert!(self.entities.stop(Duration::from_secs(60)).await.is_empty());
        tokio::time::sleep(time).await;
        self.entities = Self::start(&self.store, &self.of, &self.seen, self.durability, &self.clock).await;
    }

    fn alarm(&self, key: &str) -> EntityRef<AlarmMsg> {
        EntityRef::new(&self.of, key).unwrap()
    }

    fn set(&self, key: &str, id: &str, seconds: u64, period: u64, what: u64) {
        let message = AlarmMsg::Set(id.to_owned(), seconds * 1_000, period * 1_000, what);
        self.alarm(key).cast(message).unwrap();
    }

    async fn rung(&self, key: &str) -> Vec<u64> {
        self.alarm(key).call(AlarmMsg::Rung, SOON).await.unwrap()
    }

    async fn list(&self, key: &str) -> Vec<String> {
        let ids = self.alarm(key).call(AlarmMsg::List, SOON).await.unwrap();
        ids.split_whitespace().map(str::to_owned).collect()
    }

    async fn passivate(&self, key: &str) {
        let entity = self.alarm(key).entity().clone();
        assert!(passivate(&entity));
        while active(&entity).is_some() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    fn stored(&self, key: &str) -> Vec<StoredReminder> {
        self.store.read(self.alarm(key).entity(), None).unwrap().reminders
    }

    fn seen(&self) -> Vec<u64> {
        self.seen.lock().iter().map(|(_, what, _)| *what).collect()
    }
}

async fn seconds(seconds: u64) {
    tokio::time::sleep(Duration::from_secs(seconds)).await;
}

#[tokio::test(start_paused = true)]
async fn a_reminder_wakes_an_entity_that_is_not_active_once_and_is_gone() {
    for durability in [Durability::BeforeReply, Durability::Every(DAY)] {
        let world = World::new(durability).await;
        world.set("a", "one", 100, 0, 7);
        assert_eq!(world.list("a").await, ["one"]);
        world.passivate("a").await;
        seconds(98).await;
        assert!(active(world.alarm("a").entity()).is_none() && world.seen().is_empty());
        seconds(4).await;
        assert_eq!(world.seen(), [7], "{durability:?}");
        assert_eq!(world.rung("a").await, [7]);
        assert!(world.list("a").await.is_empty() && world.stored("a").is_empty());
        seconds(1_000).await;
        assert_eq!(world.seen(), [7]);
        assert_eq!(world.entities.figures()[0].1.reminders.fired, 1);
    }
}

#[tokio::test(start_paused = true)]
async fn one_that_is_cancelled_or_set_anew_does_not_come_as_it_was() {
    let world = World::new(Durability::BeforeReply).await;
    world.set("a", "gone", 50, 0, 1);
    world.set("a", "moved", 50, 0, 2);
    assert_eq!(world.list("a").await, ["gone", "moved"]);
    world.alarm("a").cast(AlarmMsg::Cancel("gone".to_owned())).unwrap();
    world.set("a", "moved", 200, 0, 3);
    assert_eq!(world.list("a").await, ["moved"]);
    seconds(100).await;
    assert!(world.seen().is_empty());
    seconds(110).await;
    assert_eq!(world.rung("a").await, [3]);
}

#[tokio::test(start_paused = true)]
async fn what_a_failed_message_has_set_was_never_set() {
    let world = World::new(Durability::BeforeReply).await;
    world.set("a", "kept", 50, 0, 1);
    assert_eq!(world.list("a").await, ["kept"]);
    world
        .alarm("a")
        .cast(AlarmMsg::SetAndFail("lost".to_owned(), 50_000))
        .unwrap();
    seconds(1).await;
    assert_eq!(world.list("a").await, ["kept"]);
    seconds(60).await;
    assert_eq!(world.rung("a").await, [1]);
}

#[tokio::test(start_paused = true)]
async fn a_period_longer_than_49_days_comes_when_it_should_and_a_handler_may_set_its_own_anew() {
    let world = World::new(Durability::BeforeReply).await;
    let (days, period) = (DAY * 60, 60 * 24 * 3_600);
    world.set("a", "rare", period, period, 1);
    world.list("a").await;
    world.passivate("a").await;
    for times in 1_u64..=3 {
        // The days pass at once, but for a minute.
        let days_ms = i64::try_from(whole_millis(days)).unwrap() - 60_000;
        world.step_ms.fetch_add(days_ms, Ordering::SeqCst);
        seconds(45).await;
        assert_eq!(world.seen().len() as u64, times - 1);
        seconds(15).await;
        seconds(2).await;
        assert_eq!(world.seen().len() as u64, times);
        // Where it should be, however late the last was.
        let next_ms = BEGIN_MS + (times + 1) * period * 1_000;
        assert_eq!(
            world.stored("a")[0]
                .due_ms
                .map(|due_ms| due_ms.abs_diff(next_ms) < 1_000),
            Some(true)
        );
        world.step_ms.fetch_sub(2_000, Ordering::SeqCst);
    }
    world.alarm("c").cast(AlarmMsg::RingAgain(1)).unwrap();
    seconds(17).await;
    assert_eq!(world.rung("c").await, [1, 2, 3, 4]);
}

#[tokio::test(start_paused = true)]
async fn after_an_outage_each_overdue_reminder_comes_once_and_in_order_and_not_all_at_the_same_time() {
    let mut world = World::new(Durability::BeforeReply).await;
    let keys: Vec<String> = (0..200).map(|key| key.to_string()).collect();
    for key in &keys {
        world.set(key, "z-first", 60, 0, 1);
        world.set(key, "second", 70, 10, 2);
        world.set(key, "a-third", 80, 0, 3);
    }
    for key in &keys {
        assert_eq!(world.list(key).await.len(), 3);
    }
    world.outage(Duration::from_secs(3_600)).await;
    let back = tokio::time::Instant::now();
    seconds(62).await;
    let seen = world.seen.lock().clone();
    let mut by_key: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    let mut by_second: BTreeMap<u64, usize> = BTreeMap::new();
    for (key, what, at) in seen {
        let of_key = by_key.entry(key.clone()).or_default();
        if of_key.is_empty() {
            let waited = at.duration_since(back).as_secs();
            *by_second.entry(waited).or_default() += 1;
            let slot = u64::from(slot(&key.parse().unwrap()));
            assert!((slot..slot + 3).contains(&waited), "slot {slot} after {waited} s");
        }
        of_key.push(what);
    }
    assert_eq!(by_key.len(), keys.len());
    // The one with a period has become due again since.
    assert!(by_key.values().all(|all| all.starts_with(&[1, 2, 3])), "{by_key:?}");
    assert!(
        by_second.len() > 40 && by_second.values().all(|count| *count < 20),
        "{by_second:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn one_that_is_set_in_the_minute_after_an_outage_is_not_kept_back() {
    let mut world = World::new(Durability::BeforeReply).await;
    world.outage(Duration::from_secs(3_600)).await;
    let late = (0..1_000)
        .map(|key| key.to_string())
        .find(|key| slot(world.alarm(key).entity()) == SLOTS - 1);
    let key = late.unwrap();
    world.set(&key, "one", 2, 0, 1);
    seconds(4).await;
    assert_eq!(world.seen(), [1]);
}

#[tokio::test(start_paused = true)]
async fn a_step_of_the_clock_is_noticed() {
    let world = World::new(Durability::BeforeReply).await;
    world.set("a", "one", 3_600, 0, 1);
    world.set("a", "two", 10_000, 0, 2);
    world.list("a").await;
    seconds(100).await;
    world.step_ms.store(4_000_000, Ordering::SeqCst);
    seconds(80).await;
    assert_eq!(world.seen(), [1], "it is due by the clock's new time");
    world.step_ms.store(-10_000_000, Ordering::SeqCst);
    seconds(10_000).await;
    assert_eq!(world.seen(), [1], "nothing comes twice because it is earlier again");
    seconds(10_100).await;
    assert_eq!(world.seen(), [1, 2]);
}

#[tokio::test(start_paused = true)]
async fn a_firing_that_fails_eight_times_is_a_dead_letter_and_holds_up_its_own_entity_alone() {
    let world = World::new(Durability::BeforeReply).await;
    world.set("a", "bad", 10, 0, FAILS);
    world.set("a", "bad-and-often", 11, 10_000, FAILS + 1);
    world.set("a", "good", 12, 0, 1);
    world.set("b", "good", 12, 0, 2);
    assert_eq!(world.list("a").await.len(), 3);
    world.list("b").await;
    seconds(15).await;
    assert_eq!(world.rung("b").await, [2]);
    seconds(600).await;
    let of_a: Vec<u64> = world.seen().into_iter().filter(|what| *what != 2).collect();
    let expected = [[FAILS; 8], [FAILS + 1; 8]].concat();
    assert_eq!(of_a, [expected, vec![1]].concat(), "one after the other");
    assert_eq!(world.rung("a").await, [1]);
    let stored = world.stored("a");
    let row = |id: &str| stored.iter().find(|row| row.id == id).unwrap().clone();
    assert_eq!(
        (row("bad").due_ms, row("bad").given_up.unwrap().due_ms),
        (None, BEGIN_MS + 10_000)
    );
    assert_eq!(row("bad-and-often").due_ms, Some(BEGIN_MS + 10_011_000));
    assert!(row("bad-and-often").given_up.is_some());
    let figures = world.entities.figures()[0].1.reminders;
    assert_eq!((figures.fired, figures.failed, figures.given_up), (2, 16, 2));
    let listed = world.entities.reminders(world.alarm("a").entity()).await.unwrap();
    assert_eq!(listed.iter().filter(|one| one.given_up.is_some()).count(), 2);
    // It is there until the entity sets it anew or cancels it.
    world.set("a", "bad", 1, 0, 3);
    seconds(3).await;
    assert_eq!(world.rung("a").await, [1, 3]);
}

#[tokio::test(start_paused = true)]
async fn what_is_deleted_has_no_reminders() {
    let world = World::new(Durability::BeforeReply).await;
    for is_active in [true, false] {
        world.set("a", "one", 10, 10, 1);
        world.list("a").await;
        if !is_active {
            world.passivate("a").await;
        }
        world.entities.delete(world.alarm("a").entity()).await.unwrap();
        assert!(world.stored("a").is_empty());
        seconds(100).await;
        assert!(world.seen().is_empty());
        assert!(world.list("a").await.is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn the_reminders_of_an_entity_are_bounded() {
    let mut book = Book::new(ReminderLimits { count: 2, bytes: 20 });
    let row = |id: &str, bytes: usize| StoredReminder {
        id: id.to_owned(),
        due_ms: Some(1),
        period_ms: None,
        variant: String::new(),
        args: vec![0; bytes],
        given_up: None,
    };
    assert_eq!(book.handle_set(row("", 0)), Err(ReminderError::BadId));
    assert_eq!(book.handle_set(row(&"x".repeat(256), 0)), Err(ReminderError::BadId));
    assert_eq!(book.handle_set(row("a", 20)), Err(ReminderError::TooLarge(20)));
    assert_eq!(book.handle_set(row("a", 10)), Ok(()));
    assert_eq!(book.handle_set(row("b", 9)), Err(ReminderError::TooLarge(20)));
    assert_eq!(book.handle_set(row("b", 8)), Ok(()));
    assert_eq!(book.handle_set(row("c", 0)), Err(ReminderError::TooMany(2)));
    assert_eq!(book.handle_set(row("a", 0)), Ok(()), "in place of itself");
    assert!(book.handle_cancel("b"));
    assert_eq!(book.handle_set(row("c", 0)), Ok(()));
    let world = World::new(Durability::None).await;
    world.set("a", "one", 10, 0, 1);
    seconds(100).await;
    assert!(world.seen().is_empty());
    assert_eq!(
        world.entities.figures()[0].1.crashes,
        1,
        "it was told, and failed by it"
    );
}

#[test]
fn the_slot_of_an_entity_is_the_same_for_ever() {
    let slots =
        [("cart", "4711"), ("cart", "4712"), ("orders", "x")].map(|(of, key)| slot(&Entity::new(of, key).unwrap()));
    assert_eq!(slots, [34, 45, 25]);
    let mut counts = [0; SLOTS as usize];
    for key in 0..6_000 {
        counts[usize::from(slot(&Entity::new("cart", key.to_string()).unwrap()))] += 1;
    }
    assert!(counts.iter().all(|count| (50..150).contains(count)), "{counts:?}");
}

#[test]
fn a_period_that_was_missed_is_left_out_and_the_next_is_where_it_would_have_been() {
    let firing = |due_ms, period_ms| Firing {
        id: String::new(),
        due_ms,
        period_ms,
    };
    assert_eq!(firing(1_000, None).next_ms(5_000), None);
    assert_eq!(firing(1_000, Some(300)).next_ms(900), Some(1_300));
    assert_eq!(firing(1_000, Some(300)).next_ms(1_000), Some(1_300));
    assert_eq!(firing(1_000, Some(300)).next_ms(1_599), Some(1_600));
    assert_eq!(firing(1_000, Some(300)).next_ms(1_600), Some(1_900));
    assert_eq!(firing(1_000, Some(u64::MAX)).next_ms(1_600), Some(LAST_MS));
    assert_eq!(firing(LAST_MS, Some(1_000)).next_ms(0), None);
}

#[test]
fn a_nudge_is_known_by_its_variant() {
    assert!(is_nudge(&nudge()));
    let other = SerializedMessage::Cast {
        variant: "Ring".to_owned(),
        args: Vec::new(),
        metadata: None,
    };
    assert!(!is_nudge(&other));
}
