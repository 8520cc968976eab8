//! The types of entities that a node has, and the way of a message to an entity.

mod active;
mod clustered;
mod deleting;
mod kind;
mod refused;
mod starts;

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use parking_lot::{Mutex, RwLock};
use ractor::message::SerializedMessage;
use ractor::{Actor, ActorCell, ActorProcessingErr, ActorRef, Message, SpawnErr, SupervisionEvent};
use ractor_host_directory::{reply_port, share_entities};
use ractor_host_placement::activation::{ActivationLimits, Activations};
use ractor_host_placement::words::{Entity, EntityKey, EntityType};
use tokio::sync::Notify;
use tokio::time::Instant;

pub(crate) use self::clustered::PutHere;
pub(crate) use self::kind::TypeState;
use self::refused::Full;
pub use self::refused::{NotSent, Refused};
use self::starts::Node;
use crate::cluster::{self, Cluster};
use crate::code::{EntityCode, TypeSettings};
use crate::keys::run_forgetting;
use crate::reminders::schedule::{ReminderFigures, Schedule};
use crate::reminders::{Clock, Reminder};
use crate::store::{EntityStore, StoreError};
use crate::table::Table;
use crate::type_actor::TypeActor;
use crate::writer::{Writer, WriterFigures};

/// The types of this process: references find them here, so that they can travel.
static TYPES: LazyLock<RwLock<HashMap<EntityType, Arc<TypeState>>>> = LazyLock::new(RwLock::default);

/// What a type has done so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TypeFigures {
    /// Entities that are active now.
    pub active: usize,
    /// Messages that wait for entities to be activated.
    pub waiting: usize,
    /// What went wrong last: an activation, or an entity that failed, with its name. None if nothing has.
    pub last_error: Option<Arc<str>>,
    /// Activations that succeeded.
    pub activations: u64,
    /// Activations that failed.
    pub failed_activations: u64,
    /// Entities that ended because they had nothing to do, or because others needed the place.
    pub passivations: u64,
    /// Activations that ended otherwise than in order.
    pub crashes: u64,
    /// Messages that were given up with an activation that failed.
    pub dead_letters: u64,
    /// Calls with idempotency keys that were answered by what was kept of them.
    pub answered_again: u64,
    /// What its reminders have done.
    pub reminders: ReminderFigures,
}

/// The longest that a node which ends waits for others to say that they send nothing more.
const FAREWELLS: Duration = Duration::from_secs(2);

/// The entities of this process's node. Clones are the same.
#[derive(Clone)]
pub struct Entities(Arc<Node>);

/// A type could not be added.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("this process has entities of the type {:?} already", .0.name())]
pub struct TypeTaken(pub EntityType);

impl std::fmt::Debug for Entities {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Entities").finish_non_exhaustive()
    }
}

impl Entities {
    /// Those of a node that keeps their states in this store. Must be called within a runtime.
    ///
    /// # Errors
    /// ractor refuses to start the supervisor that stands above them.
    pub async fn start(store: Arc<dyn EntityStore>, limits: ActivationLimits) -> Result<Self, SpawnErr> {
        Self::start_as(None, store, limits).await
    }

    /// The same, where the supervisor above them has a name.
    ///
    /// # Errors
    /// ractor refuses to start it, for its name perhaps.
    pub async fn start_as(
        supervisor: Option<String>,
        store: Arc<dyn EntityStore>,
        limits: ActivationLimits,
    ) -> Result<Self, SpawnErr> {
        Self::start_by(supervisor, store, limits, Clock::system()).await
    }

    /// The same, as part of a cluster: other nodes may have the entities, and this one has none before the cluster has
    /// [joined](Cluster::join).
    ///
    /// # Errors
    /// ractor refuses to start it, for its name perhaps.
    pub async fn start_in_cluster(
        supervisor: Option<String>,
        store: Arc<dyn EntityStore>,
        limits: ActivationLimits,
    ) -> Result<(Self, Arc<Cluster>), SpawnErr> {
        let cluster = Cluster::new();
        let started = Self::start_with(supervisor, store, limits, (Clock::system(), Some(cluster.clone()))).await?;
        let gate = cluster.open(started.supervisor()).await?;
        started.0.type_actors.lock().push(gate);
        let sending = tokio::spawn(cluster.clone().run());
        *started.0.sending.lock() = Some(sending.abort_handle());
        share_entities();
        cluster::set_of_process(Some(cluster.clone()));
        Ok((started, cluster))
    }

    /// The same by another clock.
    pub(crate) async fn start_by(
        supervisor: Option<String>,
        store: Arc<dyn EntityStore>,
        limits: ActivationLimits,
        clock: Clock,
    ) -> Result<Self, SpawnErr> {
        Self::start_with(supervisor, store, limits, (clock, None)).await
    }

    async fn start_with(
        supervisor: Option<String>,
        store: Arc<dyn EntityStore>,
        limits: ActivationLimits,
        (clock, cluster): (Clock, Option<Arc<Cluster>>),
    ) -> Result<Self, SpawnErr> {
        let (supervisor, _) = Actor::spawn(supervisor, Above, ()).await?;
        let writer = Writer::new(store);
        let forgetting = tokio::spawn(run_forgetting(writer.store().clone(), clock.clone()));
        let node = Arc::new(Node {
            schedule: Schedule::new(writer.clone(), clock),
            writer,
            supervisor: supervisor.get_cell(),
            cluster,
            starts: Mutex::new(Activations::new(limits)),
            wanted: Notify::new(),
            begun: Instant::now(),
            types: Mutex::default(),
            type_actors: Mutex::default(),
            tasks: Mutex::default(),
            sending: Mutex::default(),
        });
        let starting = tokio::spawn(node.clone().run_starts());
        node.tasks
            .lock()
            .extend([starting.abort_handle(), forgetting.abort_handle()]);
        Ok(Self(node))
    }

    /// Reminds entities from now on: asked once, when the types are there.
    pub fn remind(&self) {
        let reminding = tokio::spawn(self.0.schedule.clone().run());
        self.0.tasks.lock().push(reminding.abort_handle());
    }

    /// The actor above all entities of this node.
    pub fn supervisor(&self) -> ActorCell {
        self.0.supervisor.clone()
    }

    /// Takes messages for entities of this type from now on.
    ///
    /// # Errors
    /// There are such in this process.
    pub fn add(&self, of: EntityType, settings: TypeSettings, code: Arc<dyn EntityCode>) -> Result<(), TypeTaken> {
        let state = Arc::new(TypeState::new(of.clone(), settings, code, self.0.clone()));
        match TYPES.write().entry(of) {
            Entry::Occupied(taken) => return Err(TypeTaken(taken.key().clone())),
            Entry::Vacant(free) => drop(free.insert(state.clone())),
        }
        self.0.types.lock().push(state.clone());
        let sweeping = tokio::spawn(state.run_sweeps());
        self.0.tasks.lock().push(sweeping.abort_handle());
        Ok(())
    }

    /// Has peers reach the entities of all types that were added: see [`type_group`](crate::type_group).
    ///
    /// # Errors
    /// Another actor of this process has the name of one of them.
    pub async fn admit_peers(&self) -> Result<(), SpawnErr> {
        let types = self.0.types.lock().clone();
        for of in types {
            let actor = TypeActor::spawn(of, self.0.supervisor.clone()).await?;
            self.0.type_actors.lock().push(actor);
        }
        Ok(())
    }

    /// Ends all entities in order, within this time: each handles what it has and its state is written. From now on messages are refused.
    /// Gives the entities that didn't end in time; they are killed.
    pub async fn stop(&self, patience: Duration) -> Vec<Entity> {
        let types = std::mem::take(&mut *self.0.types.lock());
        {
            let mut all = TYPES.write();
            for of in &types {
                all.remove(&of.of);
            }
        }
        for task in std::mem::take(&mut *self.0.tasks.lock()) {
            task.abort();
        }
        for of in &types {
            of.give_up_starting();
            of.leave_all();
        }
        let begun = Instant::now();
        let ended = async {
            for of in &types {
                of.wait_until(Table::is_empty).await;
            }
            self.0.writer.flush().await;
        };
        let in_time = tokio::time::timeout(patience, ended).await.is_ok();
        let mut left = Vec::new();
        if !in_time {
            for of in &types {
                for (key, active) in of.table.lock().all() {
                    left.push(of.entity(key));
                    if let Some(active) = active {
                        active.0.local.cell.kill();
                    }
                }
            }
        }
        if let Some(cluster) = &self.0.cluster {
            // What was sent to entities of other nodes is begun there.
            let left = patience.saturating_sub(begun.elapsed());
            if tokio::time::timeout(left, cluster.drain()).await.is_err() {
                let bytes = cluster.figures().kept_bytes;
                tracing::warn!(
                    bytes,
                    "messages to entities of other nodes were not begun there when this node stopped: they may be lost"
                );
            }
            if tokio::time::timeout(FAREWELLS, cluster.take_leave()).await.is_err() {
                tracing::warn!(
                    "a node has not said that it sends nothing more to this one: what it sends now may be lost"
                );
            }
            cluster::set_of_process(None);
        }
        if let Some(sending) = self.0.sending.lock().take() {
            sending.abort();
        }
        // At last: a peer gives up its calls to an actor that ends, and entities may have answered them until now.
        for actor in std::mem::take(&mut *self.0.type_actors.lock()) {
            actor.stop(None);
        }
        self.0.supervisor.stop(None);
        left
    }

    /// The types of this node and what they have done.
    pub fn figures(&self) -> Vec<(EntityType, TypeFigures)> {
        let types = self.0.types.lock().clone();
        types.iter().map(|of| (of.of.clone(), of.figures())).collect()
    }

    /// What was written so far.
    pub fn writer_figures(&self) -> WriterFigures {
        self.0.writer.figures()
    }

    /// The entities that are active, with their actors.
    pub fn active(&self) -> Vec<(Entity, ActorCell)> {
        let types = self.0.types.lock().clone();
        let mut all = Vec::new();
        for of in types {
            let table = of.table.lock();
            all.extend(
                table
                    .actors()
                    .map(|(key, active)| (of.entity(key), active.0.local.cell.clone())),
            );
        }
        all
    }

    /// The keys of a type that have states in the store, in order, after this one.
    ///
    /// # Errors
    /// The store could not be read.
    pub async fn keys(
        &self,
        of: EntityType,
        after: Option<EntityKey>,
        most: usize,
    ) -> Result<Vec<EntityKey>, StoreError> {
        let store = self.0.writer.store().clone();
        let read = tokio::task::spawn_blocking(move || store.keys(&of, after.as_ref(), most)).await;
        read.unwrap_or_else(|ended| Err(StoreError::unknown(ended)))
    }

    /// The reminders of an entity, as they are written, by their ids.
    ///
    /// # Errors
    /// The store could not be read.
    pub async fn reminders(&self, entity: &Entity) -> Result<Vec<Reminder>, StoreError> {
        let stored = self.0.writer.read(entity, None).await?;
        let mut reminders: Vec<Reminder> = stored.reminders.iter().map(Reminder::from).collect();
        reminders.sort_by(|one, other| one.id.cmp(&other.id));
        Ok(reminders)
    }

    /// Gives up an entity's state, with its reminders. If it is active it ends first, in order; what comes for it meanwhile finds a fresh one.
    /// In a cluster the node does so that has the entity.
    ///
    /// # Errors
    /// It could not be written.
    pub async fn delete(&self, entity: &Entity) -> Result<(), StoreError> {
        let of = find(&entity.entity_type);
        if let Some(cluster) = &self.0.cluster
            && of.as_ref().is_none_or(|of| of.right(entity).is_err())
        {
            let (port, reply) = reply_port(None);
            cluster
                .delete(entity, port)
                .map_err(|reason| StoreError::failed(reason.to_string()))?;
            return reply
                .await
                .map(drop)
                .map_err(|error| StoreError::failed(error.to_string()));
        }
        match of {
            Some(of) => of.delete(entity).await,
            None => self.0.writer.delete(entity, None).await,
        }
    }
}

/// Sends to an entity of this process, or of its cluster, and has it activated if need be. Never waits.
///
/// # Errors
/// The message was not taken.
#[expect(
    clippy::result_large_err,
    reason = "the message itself is handed back, as ractor does"
)]
pub fn send(entity: &Entity, message: SerializedMessage) -> Result<(), Refused> {
    if let Some(of) = find(&entity.entity_type) {
        return of.send(&entity.key, message);
    }
    // Other nodes may have the type.
    let Some(cluster) = cluster::of_process() else {
        return Err(Refused {
            message,
            reason: NotSent::UnknownType,
            full: None,
        });
    };
    let sent = cluster.enqueue(entity, message);
    sent.map_err(|not_routed| Refused::elsewhere(&cluster, not_routed))?;
    cluster.flush();
    Ok(())
}

/// As [`send`], and waits while the entity takes messages more slowly than they come, but for no longer than `patience`.
///
/// # Errors
/// The message was not taken.
pub async fn send_within(entity: &Entity, message: SerializedMessage, patience: Duration) -> Result<(), Refused> {
    let deadline = Instant::now() + patience;
    let mut message = message;
    loop {
        let refused = match send(entity, message) {
            Ok(()) => return Ok(()),
            Err(refused) => refused,
        };
        let full = refused.full.clone();
        let Some(room) = full.as_ref().and_then(Full::room) else {
            return Err(refused);
        };
        if tokio::time::timeout_at(deadline, room).await.is_err() {
            return Err(refused);
        }
        message = refused.message;
    }
}

/// The actors of all entities of this process that are active.
pub fn active_actors() -> Vec<ActorCell> {
    let types: Vec<_> = TYPES.read().values().cloned().collect();
    let mut all = Vec::new();
    for of in types {
        let table = of.table.lock();
        all.extend(table.actors().map(|(_, active)| active.0.local.cell.clone()));
    }
    all
}

/// True if this process has entities of this type.
pub fn has_type(of: &EntityType) -> bool {
    find(of).is_some()
}

/// True if this process has entities of this type, and their states are kept.
pub(crate) fn keeps_states(of: &EntityType) -> bool {
    find(of).is_some_and(|of| of.keeps_states())
}

/// The actor of an entity, if it is active.
pub fn active(entity: &Entity) -> Option<ActorCell> {
    let active = find(&entity.entity_type)?.table.lock().active_actor(&entity.key)?;
    Some(active.0.local.cell.clone())
}

/// Has an entity end once it has handled what it has; its state is written, and the next message activates it again. False if it isn't
/// active.
pub fn passivate(entity: &Entity) -> bool {
    find(&entity.entity_type).is_some_and(|of| of.leave(&entity.key, false).is_some())
}

/// Gives up the state of an entity that is active, with the message that it handles; then it ends. False if it isn't active.
pub fn delete_active(entity: &Entity) -> bool {
    let active = find(&entity.entity_type).and_then(|of| of.table.lock().active_actor(&entity.key));
    active.inspect(|active| active.0.seat.delete()).is_some()
}

pub(crate) fn find(of: &EntityType) -> Option<Arc<TypeState>> {
    TYPES.read().get(of).cloned()
}

/// The actor above all entities: whoever ends is looked after elsewhere.
struct Above;

/// What it is sent. It has no form for peers, who don't hear of the actor.
enum Nothing {}

impl Message for Nothing {}

impl Actor for Above {
    type Msg = Nothing;
    type State = ();
    type Arguments = ();

    async fn pre_start(&self, _: ActorRef<Nothing>, (): ()) -> Result<(), ActorProcessingErr> {
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        _: ActorRef<Nothing>,
        event: SupervisionEvent,
        (): &mut (),
    ) -> Result<(), ActorProcessingErr> {
        if let SupervisionEvent::ActorFailed(actor, error) = event {
            let entity = actor.get_name().unwrap_or_default();
            tracing::error!(entity, pid = actor.get_id().pid(), %error, "the entity has failed; its next message activates it again");
            if let Ok(entity) = entity.parse::<Entity>()
                && let Some(of) = find(&entity.entity_type)
            {
                of.note_error(&entity, &error);
            }
        }
        Ok(())
    }
}
