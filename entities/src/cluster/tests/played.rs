//! A node, and another that the test plays.

use std::collections::BTreeMap;
use std::num::NonZeroU64;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use ractor::{Actor, ActorCell, ActorId, ActorProcessingErr, ActorRef, Message, RpcReplyPort};
use ractor_host_derive::RactorClusterMessage;
use ractor_host_directory::{
    BoxFuture, FoundActor, Inbox, Lent, Node, RemoteActors, SendRefused, WantedActor, add_peer, inbox, remove_peer,
};
use ractor_host_placement::routing::{Header, Reply, SessionId};
use ractor_host_placement::words::EntityKey;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::super::frame::{CAST, HELLO, Hello, Origin, Routed, SETTLED, Settled};
use super::super::*;
use crate::{ActivationLimits, Durability, Entities, EntityRef, MemoryStore, Native, NativeEntity, TypeSettings};

pub(super) const SOON: Option<Duration> = Some(Duration::from_secs(20));
pub(super) const TYPE: TypeId = TypeId(1);

/// The times that an entity has begun to sleep.
pub(super) static SLEEPS: AtomicU64 = AtomicU64::new(0);

/// The numbers of peers in this process.
static PEERS: AtomicU64 = AtomicU64::new(7_000);

#[derive(RactorClusterMessage)]
pub(super) enum NotesMsg {
    Note(u64),
    /// For this many milliseconds.
    Sleep(u64),
    #[rpc]
    All(RpcReplyPort<Vec<u64>>),
}

/// Notes numbers in the order in which they come.
pub(super) struct Notes;

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
            NotesMsg::Sleep(ms) => {
                SLEEPS.fetch_add(1, Ordering::SeqCst);
                tokio::time::sleep(Duration::from_millis(ms)).await;
            }
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

pub(super) fn node(number: u64) -> Incarnation {
    Incarnation(NonZeroU64::new(number).unwrap())
}

pub(super) const ME: u64 = 1;
pub(super) const OTHER: u64 = 2;

pub(super) fn shard(number: u32) -> ShardId {
    ShardId {
        type_id: TYPE,
        shard: number,
    }
}

/// Who has which of four shards.
pub(super) struct Map {
    of: EntityType,
    rows: Mutex<BTreeMap<u32, (u64, Option<u64>)>>,
    pub(super) is_good: AtomicBool,
    pub(super) stops: Mutex<Vec<u32>>,
    pub(super) stopped: Mutex<Vec<(ShardId, Epoch)>>,
    begun: Instant,
}

impl Map {
    pub(super) fn set(&self, number: u32, epoch: u64, owner: Option<u64>) {
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

    fn knows(&self, of: &EntityType) -> bool {
        *of == self.of
    }

    fn node_name(&self, incarnation: Incarnation) -> Option<Arc<str>> {
        (incarnation == node(OTHER)).then(|| "other@localhost".into())
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

pub(super) struct Played(UnboundedSender<SerializedMessage>);

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
pub(super) struct World {
    pub(super) entities: Entities,
    pub(super) cluster: Arc<Cluster>,
    pub(super) map: Arc<Map>,
    door: Arc<dyn Inbox>,
    pub(super) peer: ActorId,
    pub(super) sent: UnboundedReceiver<SerializedMessage>,
    /// The session of what the peer sends.
    session: SessionId,
}

impl World {
    pub(super) async fn new(durability: Durability) -> Self {
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
            .add(
                of.clone(),
                settings,
                Arc::new(Native::new("notes", |_: &Entity| (Notes, ()))),
            )
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

    /// Another session with the peer begins. Gives its gate.
    pub(super) async fn connect_again(&mut self, told: UnboundedSender<SerializedMessage>) -> ActorId {
        let node = ractor_host_directory::node_of(self.peer).unwrap();
        let node_id = PEERS.fetch_add(1, Ordering::SeqCst);
        add_peer(node_id, node, Arc::new(Played(told)));
        let gate = ActorId::Remote { node_id, pid: 1 };
        self.cluster.link_up(gate);
        gate
    }

    pub(super) fn notes(&self, key: &str) -> EntityRef<NotesMsg> {
        EntityRef::new(self.map.of.name(), key).unwrap()
    }

    /// What the peer gets next.
    pub(super) async fn next(&mut self) -> SerializedMessage {
        tokio::time::timeout(Duration::from_secs(20), self.sent.recv())
            .await
            .unwrap()
            .unwrap()
    }

    pub(super) async fn cast(&mut self, expected: &str) -> Vec<u8> {
        match self.next().await {
            SerializedMessage::Cast { variant, args, .. } if variant == expected => args,
            other => panic!("{other:?} in place of {expected}"),
        }
    }

    pub(super) async fn routed(&mut self) -> Routed {
        Routed::read(self.cast(CAST).await).unwrap()
    }

    pub(super) async fn settled(&mut self) -> Vec<Reply> {
        let settled = Settled::read(&self.cast(SETTLED).await).unwrap();
        assert_eq!((settled.from, settled.session), (node(ME), self.session));
        settled.replies
    }

    /// The peer sends to the node's gate.
    pub(super) fn say(&self, variant: &str, args: Vec<u8>) {
        let message = SerializedMessage::Cast {
            variant: variant.to_owned(),
            args,
            metadata: None,
        };
        self.door.put(message).unwrap();
    }

    pub(super) fn answer(&self, session: SessionId, replies: Vec<Reply>) {
        let settled = Settled {
            from: node(OTHER),
            session,
            replies,
        };
        self.say(SETTLED, settled.write());
    }

    pub(super) fn origin(&self, number: u64, of: ShardId, epoch: u64) -> Origin {
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
    pub(super) fn note(&self, key: &str, number: u64, epoch: u64) {
        let key = EntityKey::new(key.as_bytes()).unwrap();
        let of = shard(u32::from(key.bytes()[0]) % 4);
        let Ok(SerializedMessage::Cast { variant, args, .. }) = NotesMsg::Note(number).serialize() else {
            panic!("a cast");
        };
        let origin = self.origin(number, of, epoch);
        self.say(CAST, Routed::write(&origin, &key, &variant, &args));
    }

    pub(super) async fn until(&self, is_so: impl Fn() -> bool) {
        let waits = async {
            while !is_so() {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), waits).await.unwrap();
    }

    pub(super) async fn end(self) {
        let ActorId::Remote { node_id, .. } = self.peer else {
            panic!("a peer")
        };
        remove_peer(node_id);
        self.cluster.link_down(self.peer);
        self.entities.stop(Duration::from_millis(500)).await;
    }
}

pub(super) fn acknowledged(up_to: u64) -> Reply {
    Reply::Acknowledged {
        shard: shard(1),
        up_to,
        round: 1,
    }
}
