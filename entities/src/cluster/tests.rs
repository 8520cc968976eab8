//! A node and what it sends to another, which the test plays.

use std::collections::BTreeMap;
use std::num::NonZeroU64;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use ractor::{Actor, ActorCell, ActorId, ActorProcessingErr, ActorRef, Message, RpcReplyPort};
use ractor_host_derive::RactorClusterMessage;
use ractor_host_directory::{
    BoxFuture, CallError, FoundActor, Inbox, Lent, NoReply, Node, RemoteActors, SendRefused, WantedActor, add_peer,
    inbox, remove_peer, reply_port,
};
use ractor_host_placement::node::{Event, LossReason};
use ractor_host_placement::routing::{Header, Reply, SessionId};
use ractor_host_placement::words::EntityKey;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::frame::{CALL, CAST, HELLO, Hello, Origin, Routed, SETTLED, Settled};
use super::outgoing::NOT_HERE;
use super::*;
use crate::{
    ActivationLimits, Durability, Entities, EntityRef, MemoryStore, Native, NativeEntity, TypeSettings,
};

const SOON: Option<Duration> = Some(Duration::from_secs(20));
const TYPE: TypeId = TypeId(1);

/// The numbers of peers in this process.
static PEERS: AtomicU64 = AtomicU64::new(7_000);

#[derive(RactorClusterMessage)]
enum NotesMsg {
    Note(u64),
    #[rpc]
    All(RpcReplyPort<Vec<u64>>),
}

/// Notes numbers in the order in which they come, one for each permit if it is slow.
struct Notes;

impl Actor for Notes {
    type Msg = NotesMsg;
    type State = Vec<u64>;
    type Arguments = ();

    async fn pre_start(&self, _: ActorRef<NotesMsg>, (): ()) -> Result<Vec<u64>, ActorProcessingErr> {
        Ok(Vec::new())
    }

    async fn handle(
        &self,
        _: ActorRef<NotesMsg>,
        message: NotesMsg,
        notes: &mut Vec<u64>,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            NotesMsg::Note(number) => notes.push(number),
            NotesMsg::All(reply) => reply.send(notes.clone())?,
        }
        Ok(())
    }
}

impl NativeEntity for Notes {
    fn snapshot(&self, notes: &Vec<u64>) -> Result<Vec<u8>, ActorProcessingErr> {
        Ok(notes.iter().flat_map(|number| number.to_be_bytes()).collect())
    }

    fn restore(&self, state: &[u8], _: u32) -> Result<Vec<u64>, ActorProcessingErr> {
        let (numbers, _) = state.as_chunks();
        Ok(numbers.iter().map(|number| u64::from_be_bytes(*number)).collect())
    }
}

fn node(number: u64) -> Incarnation {
    Incarnation(NonZeroU64::new(number).unwrap())
}

const ME: u64 = 1;
const OTHER: u64 = 2;

fn shard(number: u32) -> ShardId {
    ShardId {
        type_id: TYPE,
        shard: number,
    }
}

/// Who has which of four shards.
struct Map {
    of: EntityType,
    rows: Mutex<BTreeMap<u32, (u64, Option<u64>)>>,
    is_good: AtomicBool,
    stops: Mutex<Vec<u32>>,
    stopped: Mutex<Vec<(ShardId, Epoch)>>,
    begun: Instant,
}

impl Map {
    fn set(&self, number: u32, epoch: u64, owner: Option<u64>) {
        self.rows.lock().insert(number, (epoch, owner));
    }

    fn mine(&self, shard: ShardId) -> Option<Epoch> {
        let (epoch, owner) = *self.rows.lock().get(&shard.shard)?;
        (owner == Some(ME) && self.is_good.load(Ordering::SeqCst)).then_some(Epoch(epoch))
    }
}

impl Ownership for Map {
    fn me(&self) -> Incarnation {
        node(ME)
    }

    fn shard(&self, entity: &Entity) -> Option<ShardId> {
        (entity.entity_type == self.of).then(|| shard(u32::from(entity.key.bytes()[0]) % 4))
    }

    fn type_of(&self, type_id: TypeId) -> Option<EntityType> {
        (type_id == TYPE).then(|| self.of.clone())
    }

    fn may_take(&self, shard: ShardId) -> Option<Epoch> {
        self.mine(shard).filter(|_| !self.stops.lock().contains(&shard.shard))
    }

    fn may_release(&self, shard: ShardId) -> Option<Epoch> {
        self.mine(shard)
    }

    fn row(&self, shard: ShardId) -> Option<ShardRow> {
        let (epoch, owner) = *self.rows.lock().get(&shard.shard)?;
        Some(ShardRow {
            shard,
            epoch: Epoch(epoch),
            owner: owner.map(node),
        })
    }

    fn stopped(&self, shard: ShardId, epoch: Epoch) {
        self.stopped.lock().push((shard, epoch));
    }

    fn now(&self) -> BootTime {
        BootTime(u64::try_from(self.begun.elapsed().as_nanos()).unwrap())
    }
}

struct Played(UnboundedSender<SerializedMessage>);

impl RemoteActors for Played {
    fn stand_in(&self, _: u64) -> BoxFuture<'_, Option<ActorCell>> {
        Box::pin(async { None })
    }

    fn stand_in_named(&self, _: String) -> BoxFuture<'_, Option<ActorCell>> {
        Box::pin(async { None })
    }

    fn look(&self, _: WantedActor) -> BoxFuture<'_, Option<FoundActor>> {
        Box::pin(async { None })
    }

    fn lend(&self, _: u64) -> BoxFuture<'_, Option<Lent>> {
        Box::pin(async { None })
    }

    fn send(&self, _: u64, message: SerializedMessage) -> BoxFuture<'_, Result<(), SendRefused>> {
        // Only once it is polled, as of a link.
        Box::pin(async move { self.0.send(message).map_err(|_| SendRefused::UnknownActor) })
    }
}

/// A node with entities, whose shards are told by a map, and a peer.
struct World {
    entities: Entities,
    cluster: Arc<Cluster>,
    map: Arc<Map>,
    door: Arc<dyn Inbox>,
    peer: ActorId,
    sent: UnboundedReceiver<SerializedMessage>,
    /// The session of what the peer sends.
    session: SessionId,
}

impl World {
    async fn new(durability: Durability) -> Self {
        let number = PEERS.fetch_add(1, Ordering::SeqCst);
        let of = EntityType::new(&format!("routed-{number}")).unwrap();
        let store = Arc::new(MemoryStore::default());
        let started = Entities::start_in_cluster(None, store, ActivationLimits::default()).await;
        let (entities, cluster) = started.unwrap();
        let settings = TypeSettings {
            durability,
            ..TypeSettings::default()
        };
        entities
            .add(of.clone(), settings, Arc::new(Native::new("notes", |_: &Entity| (Notes, ()))))
            .unwrap();
        let map = Arc::new(Map {
            of,
            rows: Mutex::default(),
            is_good: AtomicBool::new(true),
            stops: Mutex::default(),
            stopped: Mutex::default(),
            begun: Instant::now(),
        });
        cluster.join(map.clone());
        let (told, sent) = unbounded_channel();
        let played = Node {
            name: format!("peer-{number}@localhost"),
            incarnation: number,
        };
        ractor_host_directory::set_node(Node {
            name: "own@localhost".to_owned(),
            incarnation: 1,
        });
        add_peer(number, played, Arc::new(Played(told)));
        let gate = entities.supervisor().get_children().into_iter().next().unwrap();
        let mut world = Self {
            entities,
            cluster,
            map,
            door: inbox(gate.get_id()).unwrap(),
            peer: ActorId::Remote {
                node_id: number,
                pid: 1,
            },
            sent,
            session: SessionId(1),
        };
        world.connect(number).await;
        world
    }

    /// The two gates see each other.
    async fn connect(&mut self, number: u64) {
        self.cluster.link_up(self.peer);
        let hello = Hello::read(&self.cast(HELLO).await).unwrap();
        assert_eq!(hello.from, node(ME));
        let hello = Hello {
            from: node(OTHER),
            session: self.session,
            process: number,
            node: format!("peer-{number}@localhost"),
        };
        self.say(HELLO, hello.write());
    }

    fn notes(&self, key: &str) -> EntityRef<NotesMsg> {
        EntityRef::new(self.map.of.name(), key).unwrap()
    }

    /// What the peer gets next.
    async fn next(&mut self) -> SerializedMessage {
        tokio::time::timeout(Duration::from_secs(20), self.sent.recv())
            .await
            .unwrap()
            .unwrap()
    }

    async fn cast(&mut self, expected: &str) -> Vec<u8> {
        match self.next().await {
            SerializedMessage::Cast { variant, args, .. } if variant == expected => args,
            other => panic!("{other:?} in place of {expected}"),
        }
    }

    async fn routed(&mut self) -> Routed {
        Routed::read(self.cast(CAST).await).unwrap()
    }

    async fn settled(&mut self) -> Vec<Reply> {
        let settled = Settled::read(&self.cast(SETTLED).await).unwrap();
        assert_eq!((settled.from, settled.session), (node(ME), self.session));
        settled.replies
    }

    /// The peer sends to the node's gate.
    fn say(&self, variant: &str, args: Vec<u8>) {
        let message = SerializedMessage::Cast {
            variant: variant.to_owned(),
            args,
            metadata: None,
        };
        self.door.put(message).unwrap();
    }

    fn answer(&self, session: SessionId, replies: Vec<Reply>) {
        let settled = Settled {
            from: node(OTHER),
            session,
            replies,
        };
        self.say(SETTLED, settled.write());
    }

    fn origin(&self, number: u64, of: ShardId, epoch: u64) -> Origin {
        Origin {
            from: node(OTHER),
            session: self.session,
            header: Header {
                shard: of,
                epoch: Epoch(epoch),
                number,
                round: 1,
            },
        }
    }

    /// The peer sends a note to an entity of the node.
    fn note(&self, key: &str, number: u64, epoch: u64) {
        let key = EntityKey::new(key.as_bytes()).unwrap();
        let of = shard(u32::from(key.bytes()[0]) % 4);
        let Ok(SerializedMessage::Cast { variant, args, .. }) = NotesMsg::Note(number).serialize() else {
            panic!("a cast");
        };
        let origin = self.origin(number, of, epoch);
        self.say(CAST, Routed::write(&origin, &key, &variant, &args));
    }

    async fn until(&self, is_so: impl Fn() -> bool) {
        let waits = async {
            while !is_so() {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), waits).await.unwrap();
    }

    async fn end(self) {
        let ActorId::Remote { node_id, .. } = self.peer else {
            panic!("a peer")
        };
        remove_peer(node_id);
        self.entities.stop(Duration::from_secs(20)).await;
    }
}

fn acknowledged(up_to: u64) -> Reply {
    Reply::Acknowledged {
        shard: shard(1),
        up_to,
        round: 1,
    }
}

/// In shard 1.
const KEY: &str = "a";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_for_another_node_is_kept_until_it_has_begun_there() {
    let mut world = World::new(Durability::None).await;
    world.map.set(1, 3, Some(OTHER));
    let notes = world.notes(KEY);
    for number in 1..=3 {
        notes.cast(NotesMsg::Note(number)).unwrap();
    }
    let mut session = SessionId(0);
    for number in 1..=3 {
        let Routed { origin, key, variant, .. } = world.routed().await;
        assert_eq!((key.bytes(), &*variant), (KEY.as_bytes(), "Note"));
        let header = origin.header;
        assert_eq!((header.number, header.epoch, header.shard), (number, Epoch(3), shard(1)));
        session = origin.session;
    }
    assert!(world.cluster.figures().kept_bytes > 0);
    world.answer(SessionId(session.0 + 1), vec![acknowledged(3)]);
    assert!(world.cluster.figures().kept_bytes > 0, "that was another session");
    world.answer(session, vec![acknowledged(3)]);
    assert_eq!(world.cluster.figures().kept_bytes, 0);
    // A call is answered by whoever handles it there.
    let asked = tokio::spawn(async move { notes.call(NotesMsg::All, SOON).await });
    let SerializedMessage::Call { variant, reply, .. } = world.next().await else {
        panic!("a call");
    };
    assert_eq!(variant, CALL);
    reply.send(ractor::BytesConvertable::into_bytes(vec![4_u64])).unwrap();
    assert_eq!(asked.await.unwrap(), Ok(vec![4]));
    assert_eq!(world.cluster.figures().sent, 4);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_another_node_refuses_goes_where_the_shard_has_gone_before_anything_newer() {
    let mut world = World::new(Durability::None).await;
    world.map.set(1, 3, Some(OTHER));
    let notes = world.notes(KEY);
    notes.cast(NotesMsg::Note(1)).unwrap();
    let session = world.routed().await.origin.session;
    let asked = tokio::spawn({
        let notes = notes.clone();
        async move { notes.call(NotesMsg::All, SOON).await }
    });
    let SerializedMessage::Call { reply, .. } = world.next().await else {
        panic!("a call");
    };
    // It is this node's by now; both go back.
    world.map.set(1, 4, Some(ME));
    let refused = |number| Reply::NotOwner {
        shard: shard(1),
        number,
        round: 1,
        epoch: Epoch(3),
        hint: None,
    };
    world.answer(session, vec![refused(1)]);
    notes.cast(NotesMsg::Note(2)).unwrap();
    told(fail(reply, FailureReason::new(NOT_HERE)));
    world.answer(session, vec![refused(2)]);
    assert_eq!(asked.await.unwrap(), Ok(vec![1]), "what is newer comes after it");
    assert_eq!(notes.call(NotesMsg::All, SOON).await, Ok(vec![1, 2]));
    let is_idle = || world.cluster.figures().kept_bytes == 0;
    world.until(is_idle).await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_of_another_node_are_handled_in_order_and_go_back_when_the_shard_has_gone() {
    let mut world = World::new(Durability::BeforeReply).await;
    world.map.set(1, 3, Some(ME));
    for number in 1..=5 {
        world.note(KEY, number, 3);
    }
    world.note(KEY, 5, 3);
    let mut up_to = 0;
    while up_to < 5 {
        for reply in world.settled().await {
            let Reply::Acknowledged { up_to: next, .. } = reply else {
                panic!("{reply:?}");
            };
            up_to = next;
        }
    }
    let notes = world.notes(KEY);
    assert_eq!(notes.call(NotesMsg::All, SOON).await, Ok(vec![1, 2, 3, 4, 5]));
    // The shard goes to the peer: what comes from there goes back, and what comes from here waits for its new owner.
    world.map.stops.lock().push(1);
    let (epoch, to) = (Epoch(3), Some(node(OTHER)));
    world.entities.handle_cluster_event(Event::Stop {
        shard: shard(1),
        epoch,
        to,
    });
    world.note(KEY, 6, 3);
    let refused = world.settled().await;
    let hinted = |reply: &Reply| matches!(reply, Reply::NotOwner { number: 6, hint, .. } if *hint == to);
    assert!(refused.iter().any(hinted), "{refused:?}");
    world.until(|| *world.map.stopped.lock() == [(shard(1), epoch)]).await;
    assert!(crate::active(notes.entity()).is_none());
    notes.cast(NotesMsg::Note(7)).unwrap();
    world.map.set(1, 4, Some(OTHER));
    world.map.stops.lock().clear();
    world.entities.handle_cluster_event(Event::Released {
        shard: shard(1),
        epoch,
        to,
    });
    assert_eq!(world.routed().await.origin.header.epoch, Epoch(4));
    let figures = world.cluster.figures();
    assert_eq!((figures.taken, figures.refused), (5, 1));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_on_its_way_to_a_node_that_is_lost_is_lost_and_callers_hear() {
    let mut world = World::new(Durability::None).await;
    world.map.set(1, 3, Some(OTHER));
    let notes = world.notes(KEY);
    let asked = tokio::spawn({
        let notes = notes.clone();
        async move { notes.call(NotesMsg::All, SOON).await }
    });
    let _unanswered = world.next().await;
    world.cluster.link_down(world.peer);
    let Err(CallError::Failed(reason)) = asked.await.unwrap() else {
        panic!("a failure with its reason");
    };
    assert!(reason.contains("whether it was handled is not known"), "{reason}");
    assert_eq!(world.cluster.figures().lost, 1);
    // What comes later finds the shard's next owner.
    notes.cast(NotesMsg::Note(1)).unwrap();
    world.map.set(1, 4, Some(ME));
    world.entities.handle_cluster_event(Event::Acquired {
        shard: shard(1),
        epoch: Epoch(4),
    });
    assert_eq!(notes.call(NotesMsg::All, SOON).await, Ok(vec![1]));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_whose_lease_is_over_handles_nothing_and_what_it_has_taken_waits_for_the_next_owner() {
    let mut world = World::new(Durability::BeforeReply).await;
    world.map.set(1, 3, Some(ME));
    let notes = world.notes(KEY);
    notes.cast(NotesMsg::Note(1)).unwrap();
    assert_eq!(notes.call(NotesMsg::All, SOON).await, Ok(vec![1]));
    world.map.is_good.store(false, Ordering::SeqCst);
    let (port, reply) = reply_port(SOON);
    notes.cast(NotesMsg::All(port)).unwrap();
    world.note(KEY, 2, 3);
    let refused = world.settled().await;
    assert!(matches!(refused[0], Reply::NotOwner { number: 2, .. }), "{refused:?}");
    let (epoch, reason) = (Epoch(3), LossReason::Deadline);
    world.entities.handle_cluster_event(Event::Lost {
        shard: shard(1),
        epoch,
        reason,
    });
    world.until(|| crate::active(notes.entity()).is_none()).await;
    assert!(!reply.has_come());
    // The call is handled once, by the peer.
    world.map.set(1, 4, Some(OTHER));
    world.cluster.changed();
    let SerializedMessage::Call { reply: port, .. } = world.next().await else {
        panic!("a call");
    };
    port.send(ractor::BytesConvertable::into_bytes(vec![9_u64])).unwrap();
    assert_eq!(reply.await, Ok::<_, NoReply>(vec![9]));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_can_neither_mark_messages_nor_confuse_the_gate() {
    let world = World::new(Durability::None).await;
    world.map.set(1, 3, Some(ME));
    for bytes in [vec![], vec![0; 16], vec![255; 400]] {
        for variant in [HELLO, CAST, SETTLED, "Later"] {
            world.say(variant, bytes.clone());
        }
    }
    // In another shard than its key says.
    let key = EntityKey::new(KEY.as_bytes()).unwrap();
    world.say(CAST, Routed::write(&world.origin(1, shard(2), 3), &key, "Note", &[]));
    let notes = world.notes(KEY);
    notes.cast(NotesMsg::Note(1)).unwrap();
    assert_eq!(notes.call(NotesMsg::All, SOON).await, Ok(vec![1]));
    world.end().await;
}
