//! The types of entities that a node has, and the way of a message to an entity.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use parking_lot::{Mutex, RwLock};
use ractor::message::SerializedMessage;
use ractor::{Actor, ActorCell, ActorProcessingErr, ActorRef, SpawnErr, SupervisionEvent};
use ractor_host_directory::{FailureReason, Local, NotPut, PutRefused, fail, retained_bytes};
use ractor_host_placement::activation::{ActivationLimits, Activations};
use ractor_host_placement::words::{BootTime, Entity, EntityKey, EntityType};
use tokio::sync::Notify;
use tokio::task::AbortHandle;
use tokio::time::Instant;

use crate::code::{Activated, EntityCode, LiveEntity, TypeSettings};
use crate::seat::{Durability, Seat, told};
use crate::store::{EntityStore, StoreError};
use crate::table::{AfterEnd, Route, Table, WaitingLimits};
use crate::writer::{Writer, WriterFigures};

/// Entities that are looked at for having nothing to do, in one go.
const SWEEP: usize = 256;

/// The types of this process: references find them here, so that they can travel.
static TYPES: LazyLock<RwLock<HashMap<EntityType, Arc<TypeState>>>> = LazyLock::new(RwLock::default);

/// A message was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotSent {
    /// This node has no such type.
    #[error("this node has no entities of that type")]
    UnknownType,
    /// As much waits for the entity already as may.
    #[error("as much waits for the entity as its limits allow")]
    Overloaded,
}

/// A message that was not taken, and why.
#[derive(Debug)]
pub struct Refused {
    /// The message. If it is a call, dropping it tells the caller.
    pub message: SerializedMessage,
    /// Why.
    pub reason: NotSent,
    /// Where there may be room soon.
    full: Option<Local>,
}

/// What a type has done so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TypeFigures {
    /// Entities that are active now.
    pub active: usize,
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
}

#[derive(Default)]
struct Counts {
    activations: AtomicU64,
    failed_activations: AtomicU64,
    passivations: AtomicU64,
    crashes: AtomicU64,
    dead_letters: AtomicU64,
}

/// One more.
fn count(counter: &AtomicU64) {
    // Figures alone: nothing is ordered by them.
    counter.fetch_add(1, Ordering::Relaxed);
}

/// An active entity.
#[derive(Clone)]
pub(crate) struct Active(Arc<ActiveParts>);

struct ActiveParts {
    local: Local,
    seat: Seat,
    live: Arc<dyn LiveEntity>,
}

impl Active {
    fn put(&self, message: SerializedMessage) -> Result<(), NotPut> {
        let Local { cell, inbox } = &self.0.local;
        if let Some(inbox) = inbox {
            return inbox.put(message).map(drop);
        }
        cell.send_serialized(message).map_err(|refused| match *refused {
            ractor::MessagingErr::SendErr(message) => NotPut {
                message,
                reason: PutRefused::Ended,
            },
            // The message is gone; nobody waits for one that stands for nothing.
            ractor::MessagingErr::ChannelClosed | ractor::MessagingErr::InvalidActorType => NotPut {
                message: SerializedMessage::CallReply(0, Vec::new()),
                reason: PutRefused::Ended,
            },
        })
    }

    /// Has it end once it has handled what it has.
    fn leave(&self) {
        if let Some(inbox) = &self.0.local.inbox {
            inbox.drains();
        }
        // It may have ended by now.
        drop(self.0.local.cell.drain());
    }
}

/// The entities of this process's node. Clones are the same.
#[derive(Clone)]
pub struct Entities(Arc<Node>);

struct Node {
    writer: Writer,
    supervisor: ActorCell,
    starts: Mutex<Activations<Entity>>,
    wanted: Notify,
    begun: Instant,
    types: Mutex<Vec<Arc<TypeState>>>,
    tasks: Mutex<Vec<AbortHandle>>,
}

/// One type of entities.
struct TypeState {
    of: EntityType,
    settings: TypeSettings,
    code: Arc<dyn EntityCode>,
    node: Arc<Node>,
    table: Mutex<Table<Active, SerializedMessage>>,
    counts: Counts,
}

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
        let (supervisor, _) = Actor::spawn(None, Above, ()).await?;
        let node = Arc::new(Node {
            writer: Writer::new(store),
            supervisor: supervisor.get_cell(),
            starts: Mutex::new(Activations::new(limits)),
            wanted: Notify::new(),
            begun: Instant::now(),
            types: Mutex::default(),
            tasks: Mutex::default(),
        });
        let starting = tokio::spawn(node.clone().run_starts());
        node.tasks.lock().push(starting.abort_handle());
        Ok(Self(node))
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
        let limits = WaitingLimits {
            messages: settings.waiting_messages,
            bytes: settings.waiting_bytes,
            all_bytes: settings.all_waiting_bytes,
        };
        let state = Arc::new(TypeState {
            of: of.clone(),
            settings,
            code,
            node: self.0.clone(),
            table: Mutex::new(Table::new(limits)),
            counts: Counts::default(),
        });
        match TYPES.write().entry(of) {
            std::collections::hash_map::Entry::Occupied(taken) => return Err(TypeTaken(taken.key().clone())),
            std::collections::hash_map::Entry::Vacant(free) => drop(free.insert(state.clone())),
        }
        self.0.types.lock().push(state.clone());
        let sweeping = tokio::spawn(state.run_sweeps());
        self.0.tasks.lock().push(sweeping.abort_handle());
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
        let ended = async {
            for of in &types {
                while !of.table.lock().is_empty() {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
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
        read.unwrap_or_else(|ended| Err(StoreError(ended.into())))
    }

    /// Gives up an entity's state. If it is active it ends first, in order; what comes for it meanwhile finds a fresh one.
    ///
    /// # Errors
    /// It could not be written.
    pub async fn delete(&self, entity: &Entity) -> Result<(), StoreError> {
        let of = TYPES.read().get(&entity.entity_type).cloned();
        if let Some(of) = of
            && let Some(active) = of.leave(&entity.key, true)
        {
            active.0.seat.settle().await;
            while of.table.lock().is_leaving(&entity.key) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
        self.0.writer.delete(entity).await
    }
}

/// Sends to an entity of this process, and activates it if need be. Never waits.
///
/// # Errors
/// The message was not taken.
#[expect(
    clippy::result_large_err,
    reason = "the message itself is handed back, as ractor does"
)]
pub fn send(entity: &Entity, message: SerializedMessage) -> Result<(), Refused> {
    match find(&entity.entity_type) {
        Some(of) => of.send(&entity.key, message),
        None => Err(Refused {
            message,
            reason: NotSent::UnknownType,
            full: None,
        }),
    }
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
        let inbox = refused.full.as_ref().and_then(|local| local.inbox.clone());
        let Some(room) = inbox.as_ref().and_then(|inbox| inbox.room()) else {
            return Err(refused);
        };
        if tokio::time::timeout_at(deadline, room).await.is_err() {
            return Err(refused);
        }
        message = refused.message;
    }
}

/// True if this process has entities of this type.
pub fn has_type(of: &EntityType) -> bool {
    find(of).is_some()
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

fn find(of: &EntityType) -> Option<Arc<TypeState>> {
    TYPES.read().get(of).cloned()
}

impl TypeState {
    fn entity(&self, key: &EntityKey) -> Entity {
        Entity {
            entity_type: self.of.clone(),
            key: key.clone(),
        }
    }

    fn figures(&self) -> TypeFigures {
        let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        TypeFigures {
            active: self.table.lock().active(),
            activations: of(&self.counts.activations),
            failed_activations: of(&self.counts.failed_activations),
            passivations: of(&self.counts.passivations),
            crashes: of(&self.counts.crashes),
            dead_letters: of(&self.counts.dead_letters),
        }
    }

    #[expect(
        clippy::result_large_err,
        reason = "the message itself is handed back, as ractor does"
    )]
    fn send(self: &Arc<Self>, key: &EntityKey, message: SerializedMessage) -> Result<(), Refused> {
        let (bytes, now) = (retained_bytes(&message), Instant::now().into_std());
        let mut route = self.table.lock().handle_message(key, message, bytes, now);
        loop {
            let (activation, active, message) = match route {
                Route::To(activation, active, message) => (activation, active, message),
                Route::Waits => return Ok(()),
                Route::Activate => {
                    self.node.want(self.entity(key));
                    return Ok(());
                }
                Route::Full(message) => {
                    return Err(Refused {
                        message,
                        reason: NotSent::Overloaded,
                        full: None,
                    });
                }
            };
            let NotPut { message, reason } = match active.put(message) {
                Ok(()) => return Ok(()),
                Err(not_put) => not_put,
            };
            if reason == PutRefused::Full {
                return Err(Refused {
                    message,
                    reason: NotSent::Overloaded,
                    full: Some(active.0.local.clone()),
                });
            }
            route = self.table.lock().handle_refused(key, activation, message, bytes, now);
        }
    }

    /// Activates an entity, and tells whoever waits if that fails.
    async fn activate(self: Arc<Self>, key: EntityKey) {
        let entity = self.entity(&key);
        self.make_room();
        let activation = self.table.lock().next_activation();
        let seat = Seat::new(
            entity.clone(),
            self.settings.durability,
            self.node.writer.clone(),
            self.code.name().to_owned(),
            (activation, self.settings.held_bytes),
        );
        match self.code.activate(&seat, self.node.supervisor.clone()).await {
            Ok(activated) => self.activated(key, activation, seat, activated),
            Err(reason) => {
                count(&self.counts.failed_activations);
                tracing::error!(%entity, reason, "the entity could not be activated");
                let waiting = self.table.lock().handle_not_active(&key);
                self.give_up(waiting, &format!("{entity} could not be activated: {reason}"));
                self.node.started(entity.clone(), false);
                let is_wanted = self.settings.always.contains(&key) && !self.is_stopped();
                if is_wanted && self.table.lock().handle_wanted(&key) {
                    // After a pause, as every activation of an entity that has failed.
                    self.node.want(entity);
                }
            }
        }
    }

    fn activated(self: &Arc<Self>, key: EntityKey, activation: u32, seat: Seat, activated: Activated) {
        let Activated { local, ended, live } = activated;
        let cell = local.cell.clone();
        seat.ends_by(move || cell.kill());
        count(&self.counts.activations);
        let active = Active(Arc::new(ActiveParts {
            local,
            seat: seat.clone(),
            live,
        }));
        let refused: Vec<_> = {
            let mut table = self.table.lock();
            let now = Instant::now().into_std();
            let waiting = table.handle_active(&key, activation, active.clone(), now);
            // With the lock, so that what comes from now on comes behind these.
            let refused = waiting
                .into_iter()
                .filter_map(|message| active.put(message).err())
                .collect();
            // Nobody would have it end any more.
            if self.is_stopped() && table.handle_leave(&key).is_some() {
                active.leave();
            }
            refused
        };
        if !refused.is_empty() {
            let messages = refused.into_iter().map(|not_put| not_put.message);
            self.give_up(messages, "the entity has ended, or its mailbox is full");
        }
        self.node.started(self.entity(&key), true);
        let of = self.clone();
        tokio::spawn(async move {
            ended.await;
            of.ended(&key, activation, &seat);
        });
    }

    fn ended(&self, key: &EntityKey, activation: u32, seat: &Seat) {
        let is_orderly = seat.is_over();
        seat.close();
        let entity = self.entity(key);
        if !is_orderly {
            count(&self.counts.crashes);
            self.node.starts.lock().handle_crashed(entity.clone(), self.node.now());
        }
        let left = seat.take_given_back();
        let left = left
            .into_iter()
            .map(|message| (retained_bytes(&message), message))
            .collect();
        let after = self.table.lock().handle_ended(key, activation, left);
        let is_wanted = self.settings.always.contains(key) && !self.is_stopped();
        if after == AfterEnd::Activate || (is_wanted && self.table.lock().handle_wanted(key)) {
            self.node.want(entity);
        }
    }

    fn is_stopped(&self) -> bool {
        !TYPES.read().contains_key(&self.of)
    }

    /// Has an entity end.
    fn leave(&self, key: &EntityKey, deletes: bool) -> Option<Active> {
        let active = self.table.lock().handle_leave(key)?;
        if deletes {
            active.0.seat.delete();
        }
        active.leave();
        Some(active)
    }

    /// Those that wait for an entity which isn't active hear that it won't be.
    fn give_up_starting(&self) {
        let waiting: Vec<_> = {
            let mut table = self.table.lock();
            let keys: Vec<EntityKey> = table
                .all()
                .filter(|(_, actor)| actor.is_none())
                .map(|(key, _)| key.clone())
                .collect();
            keys.iter().flat_map(|key| table.handle_not_active(key)).collect()
        };
        self.give_up(waiting, "the node stops");
    }

    fn leave_all(&self) {
        let keys: Vec<EntityKey> = self.table.lock().actors().map(|(key, _)| key.clone()).collect();
        for key in keys {
            self.leave(&key, false);
        }
    }

    /// Ends the entity longest without a message if there are as many as may be.
    fn make_room(&self) {
        if self.table.lock().active() < self.settings.max_active {
            return;
        }
        let now = Instant::now().into_std();
        let candidates = self.table.lock().poll_idle(Duration::ZERO, now, SWEEP);
        let may_end =
            |(key, active): &&(EntityKey, Active)| !active.0.live.is_busy() && !self.settings.always.contains(key);
        if let Some((key, _)) = candidates.iter().find(may_end) {
            self.passivate(key);
        }
    }

    fn passivate(&self, key: &EntityKey) {
        if self.leave(key, false).is_some() {
            count(&self.counts.passivations);
        }
    }

    fn give_up(&self, messages: impl IntoIterator<Item = SerializedMessage>, reason: &str) {
        for message in messages {
            self.counts.dead_letters.fetch_add(1, Ordering::Relaxed);
            if let SerializedMessage::Call { reply, .. } = message {
                told(fail(reply, FailureReason::new(reason)));
            }
        }
    }

    /// Ends entities that have nothing to do, and has others keep their states.
    async fn run_sweeps(self: Arc<Self>) {
        for key in &self.settings.always {
            if self.table.lock().handle_wanted(key) {
                self.node.want(self.entity(key));
            }
        }
        let every = match self.settings.durability {
            Durability::Every(every) => Some(every),
            Durability::None | Durability::BeforeReply => None,
        };
        let shortest = [every, self.settings.passivate_after].into_iter().flatten().min();
        let Some(shortest) = shortest else { return };
        let pause = (shortest / 4).clamp(Duration::from_millis(20), Duration::from_secs(5));
        loop {
            tokio::time::sleep(pause).await;
            if let Some(idle) = self.settings.passivate_after {
                self.sweep_idle(idle);
            }
            if every.is_some() {
                let overdue: Vec<Active> = {
                    let table = self.table.lock();
                    let actors = table.actors().map(|(_, active)| active);
                    actors.filter(|active| active.0.seat.is_overdue()).cloned().collect()
                };
                overdue.iter().for_each(|active| active.0.live.keep_state());
            }
        }
    }

    fn sweep_idle(&self, idle: Duration) {
        let now = Instant::now().into_std();
        loop {
            let found = self.table.lock().poll_idle(idle, now, SWEEP);
            let mut ended = 0;
            for (key, active) in &found {
                if !active.0.live.is_busy() && !self.settings.always.contains(key) {
                    self.passivate(key);
                    ended += 1;
                }
            }
            // Those that are left are busy; the next sweep looks at them again.
            if ended == 0 {
                return;
            }
        }
    }
}

impl Node {
    fn now(&self) -> BootTime {
        BootTime(u64::try_from(self.begun.elapsed().as_nanos()).unwrap_or(u64::MAX))
    }

    fn want(&self, entity: Entity) {
        self.starts.lock().handle_wanted(entity);
        self.wanted.notify_one();
    }

    fn started(&self, entity: Entity, succeeded: bool) {
        self.starts.lock().handle_finished(entity, succeeded, self.now());
        self.wanted.notify_one();
    }

    /// Begins activations, as many at a time and in a second as may be.
    async fn run_starts(self: Arc<Self>) {
        loop {
            loop {
                let next = self.starts.lock().poll_start(self.now());
                let Some(entity) = next else { break };
                match find(&entity.entity_type) {
                    Some(of) => drop(tokio::spawn(of.activate(entity.key))),
                    None => self.starts.lock().handle_finished(entity, true, self.now()),
                }
            }
            let timeout = self.starts.lock().poll_timeout();
            let wait = timeout.map(|at| at.since(self.now()).max(Duration::from_millis(1)));
            let time = async {
                match wait {
                    Some(wait) => tokio::time::sleep(wait).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = self.wanted.notified() => {}
                () = time => {}
            }
        }
    }
}

/// The actor above all entities: whoever ends is looked after elsewhere.
struct Above;

impl Actor for Above {
    type Msg = ();
    type State = ();
    type Arguments = ();

    async fn pre_start(&self, _: ActorRef<()>, (): ()) -> Result<(), ActorProcessingErr> {
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        _: ActorRef<()>,
        event: SupervisionEvent,
        (): &mut (),
    ) -> Result<(), ActorProcessingErr> {
        if let SupervisionEvent::ActorFailed(actor, error) = event {
            let entity = actor.get_name().unwrap_or_default();
            tracing::error!(entity, pid = actor.get_id().pid(), %error, "the entity has failed; its next message activates it again");
        }
        Ok(())
    }
}
