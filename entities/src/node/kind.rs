//! One type of entities: who is active, and the way of a message.

use std::fmt::Display;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use ractor::ActorCell;
use ractor::message::SerializedMessage;
use ractor_host_directory::{FailureReason, NotPut, PutRefused, fail, retained_bytes};
use ractor_host_placement::words::{Entity, EntityKey, EntityType};
use tokio::sync::Notify;
use tokio::time::Instant;

use super::active::{Active, ActiveParts, end_at_once};
use super::starts::Node;
use super::{Full, NotSent, Refused, TYPES, TypeFigures};
use crate::cluster::Way;
use crate::code::{Activated, EntityCode, TypeSettings};
use crate::reminders::is_nudge;
use crate::seat::{Durability, Seat, told};
use crate::table::{AfterEnd, Route, Table, WaitingLimits};

/// Entities that are looked at for having nothing to do, in one go.
const SWEEP: usize = 256;

/// One type of entities.
pub(crate) struct TypeState {
    pub(crate) of: EntityType,
    pub(super) settings: TypeSettings,
    code: Arc<dyn EntityCode>,
    pub(super) node: Arc<Node>,
    pub(super) table: Mutex<Table<Active, SerializedMessage>>,
    counts: Counts,
    last_error: Mutex<Option<Arc<str>>>,
    /// Told when an entity has given up its place, or is active.
    pub(super) freed: Notify,
}

#[derive(Default)]
struct Counts {
    activations: AtomicU64,
    failed_activations: AtomicU64,
    passivations: AtomicU64,
    crashes: AtomicU64,
    dead_letters: AtomicU64,
    answered_again: Arc<AtomicU64>,
}

/// One more.
fn count(counter: &AtomicU64) {
    // Figures alone: nothing is ordered by them.
    counter.fetch_add(1, Ordering::Relaxed);
}

impl TypeState {
    /// With nobody active yet.
    pub(super) fn new(of: EntityType, settings: TypeSettings, code: Arc<dyn EntityCode>, node: Arc<Node>) -> Self {
        let limits = WaitingLimits {
            messages: settings.waiting_messages,
            bytes: settings.waiting_bytes,
            all_bytes: settings.all_waiting_bytes,
        };
        Self {
            of,
            settings,
            code,
            node,
            table: Mutex::new(Table::new(limits)),
            counts: Counts::default(),
            last_error: Mutex::new(None),
            freed: Notify::new(),
        }
    }

    /// What its entities say of themselves.
    pub(crate) async fn describe(&self, question: &[u8]) -> Option<Vec<u8>> {
        self.code.describe(question).await
    }

    /// The actor above its entities.
    pub(crate) fn supervisor(&self) -> ActorCell {
        self.node.supervisor.clone()
    }

    /// Something went wrong with an entity.
    pub(super) fn note_error(&self, entity: &Entity, error: &dyn Display) {
        let (name, error) = (entity.to_string(), error.to_string());
        let said = if error.contains(&name) {
            error
        } else {
            format!("{name}: {error}")
        };
        // Of bounded length, and on one line, whoever wrote it.
        let said = FailureReason::new(&said);
        *self.last_error.lock() = Some(said.as_str().into());
    }

    /// Waits until this is so. It looks again whenever an entity has given up its place, or is active.
    pub(super) async fn wait_until(&self, is_so: impl Fn(&Table<Active, SerializedMessage>) -> bool) {
        let mut freed = pin!(self.freed.notified());
        loop {
            // Before the look, so that nothing is missed.
            freed.as_mut().enable();
            if is_so(&self.table.lock()) {
                return;
            }
            freed.as_mut().await;
            freed.set(self.freed.notified());
        }
    }

    pub(crate) fn entity(&self, key: &EntityKey) -> Entity {
        Entity {
            entity_type: self.of.clone(),
            key: key.clone(),
        }
    }

    pub(super) fn keeps_states(&self) -> bool {
        self.durability() != Durability::None
    }

    pub(crate) fn durability(&self) -> Durability {
        self.settings.durability
    }

    pub(super) fn figures(&self) -> TypeFigures {
        let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let (active, waiting) = {
            let table = self.table.lock();
            (table.active(), table.waiting_messages())
        };
        TypeFigures {
            active,
            waiting,
            last_error: self.last_error.lock().clone(),
            activations: of(&self.counts.activations),
            failed_activations: of(&self.counts.failed_activations),
            passivations: of(&self.counts.passivations),
            crashes: of(&self.counts.crashes),
            dead_letters: of(&self.counts.dead_letters),
            answered_again: of(&self.counts.answered_again),
            reminders: self.node.schedule.figures(self.of.name()),
        }
    }

    #[expect(
        clippy::result_large_err,
        reason = "the message itself is handed back, as ractor does"
    )]
    pub(super) fn send(self: &Arc<Self>, key: &EntityKey, message: SerializedMessage) -> Result<(), Refused> {
        let Some(cluster) = &self.node.cluster else {
            return self.put(key, message, |_| None::<fn(SerializedMessage) -> Result<(), Refused>>);
        };
        let (mut is_sent, is_nudge) = (false, is_nudge(&message));
        let outcome = self.put(key, message, |has_place| {
            let entity = self.entity(key);
            if cluster.is_here(&entity, has_place, Way::Any) {
                return None;
            }
            is_sent = true;
            // With the lock of the table, so that it comes behind what goes from there to other nodes.
            Some(move |message| {
                let sent = cluster.enqueue(&entity, message);
                sent.map_err(|not_routed| Refused::elsewhere(cluster, not_routed))
            })
        });
        if is_sent && is_nudge {
            // Whoever has the entity by now sees to its reminders.
            self.node.schedule.not_active((&self.entity(key), None), false);
        } else if is_sent {
            cluster.flush();
        }
        outcome
    }

    /// Puts it where messages for the entity wait, unless `elsewhere` says who takes it in place of that. It is asked under the lock of the
    /// table, and whether the entity has a place in there.
    #[expect(
        clippy::result_large_err,
        reason = "the message itself is handed back, as ractor does"
    )]
    pub(super) fn put<F>(
        self: &Arc<Self>,
        key: &EntityKey,
        message: SerializedMessage,
        elsewhere: impl FnOnce(bool) -> Option<F>,
    ) -> Result<(), Refused>
    where
        F: FnOnce(SerializedMessage) -> Result<(), Refused>,
    {
        let (bytes, now) = (retained_bytes(&message), Instant::now().into_std());
        let mut route = {
            let mut table = self.table.lock();
            if let Some(send) = elsewhere(table.has_place(key)) {
                return send(message);
            }
            table.handle_message(key, message, bytes, now)
        };
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
                    full: Some(Full::Mailbox(active.0.local.clone())),
                });
            }
            route = self.table.lock().handle_refused(key, activation, message, bytes, now);
        }
    }

    /// Activates an entity, and tells whoever waits if that fails.
    pub(super) async fn activate(self: Arc<Self>, key: EntityKey) {
        let entity = self.entity(&key);
        let Ok(right) = self.right(&entity) else {
            return self.not_here(&entity);
        };
        self.make_room();
        let activation = self.table.lock().next_activation();
        let seat = Seat::new(
            (entity.clone(), right),
            self.settings.durability,
            (self.node.writer.clone(), self.node.schedule.clone()),
            self.code.name().to_owned(),
            (activation, self.settings.held_bytes, self.settings.reminders),
            self.counts.answered_again.clone(),
        );
        match self.code.activate(&seat, self.node.supervisor.clone()).await {
            Ok(activated) => self.activated(key, activation, seat, activated),
            Err(_) if self.right(&entity).is_err() => self.not_here(&entity),
            Err(reason) => {
                count(&self.counts.failed_activations);
                if seat.is_elsewhere() {
                    tracing::info!(%entity, reason, "the entity is not activated here");
                } else {
                    tracing::error!(%entity, reason, "the entity could not be activated");
                }
                self.note_error(&entity, &reason);
                // While it has its place: nobody else activates it meanwhile.
                self.node
                    .schedule
                    .not_active((&entity, seat.fence()), !seat.is_unread());
                let waiting = self.table.lock().handle_not_active(&key);
                self.freed.notify_waiters();
                self.give_up(waiting, &format!("{entity} could not be activated: {reason}"));
                self.node.started(entity.clone(), false);
                if self.is_always(&entity) && self.table.lock().handle_wanted(&key) {
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
        let (lost, gives_back) = (local.clone(), live.gives_back());
        seat.is_lost_by(move || end_at_once(&lost, gives_back));
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
            let is_wanted = !self.is_stopped() && self.right(&self.entity(&key)).is_ok();
            if !is_wanted && table.handle_leave(&key).is_some() {
                active.leave();
            }
            refused
        };
        // Whoever has waited for it to have no place between two.
        self.freed.notify_waiters();
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
        // One that another node has by now is not at fault either.
        let is_orderly = seat.is_over() || seat.is_elsewhere();
        seat.close();
        let entity = self.entity(key);
        if !is_orderly {
            count(&self.counts.crashes);
            self.node.starts.lock().handle_crashed(entity.clone(), self.node.now());
        }
        let left = seat.take_given_back();
        left.iter().for_each(|message| seat.waits_no_more(message));
        self.node.schedule.ended(&entity);
        if seat.is_deleted() {
            // Before it can be activated again: a native, or one that has failed, has not given up its state by itself.
            drop(self.node.writer.delete(&entity, seat.fence()));
        }
        let left = left
            .into_iter()
            // Whatever is due, it is nudged for again.
            .filter(|message| !is_nudge(message))
            .map(|message| (retained_bytes(&message), message))
            .collect();
        seat.waits_for_nothing();
        let after = {
            let mut table = self.table.lock();
            let after = table.handle_ended(key, activation, left);
            if after == AfterEnd::Activate && self.right(&entity).is_err() {
                self.send_on(&entity, &mut table);
                AfterEnd::Nothing
            } else {
                after
            }
        };
        self.freed.notify_waiters();
        self.flush();
        if after == AfterEnd::Activate || (self.is_always(&entity) && self.table.lock().handle_wanted(key)) {
            self.node.want(entity);
        }
    }

    /// True if it is to be active on this node whatever comes for it.
    pub(super) fn is_always(&self, entity: &Entity) -> bool {
        self.settings.always.contains(&entity.key) && !self.is_stopped() && self.right(entity).is_ok()
    }

    pub(super) fn is_stopped(&self) -> bool {
        !TYPES.read().contains_key(&self.of)
    }

    /// Has an entity end.
    pub(super) fn leave(&self, key: &EntityKey, deletes: bool) -> Option<Active> {
        let active = self.table.lock().handle_leave(key)?;
        if deletes {
            active.0.seat.delete();
        }
        active.leave();
        Some(active)
    }

    /// Those that wait for an entity which isn't active hear that it won't be.
    pub(super) fn give_up_starting(&self) {
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

    pub(super) fn leave_all(&self) {
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
        for message in messages.into_iter().filter(|message| !is_nudge(message)) {
            count(&self.counts.dead_letters);
            let message = match &self.node.cluster {
                Some(cluster) => cluster.dropped(message),
                None => Some(message),
            };
            if let Some(SerializedMessage::Call { reply, .. }) = message {
                told(fail(reply, FailureReason::new(reason)));
            }
        }
    }

    /// Ends entities that have nothing to do, and has others keep their states.
    pub(super) async fn run_sweeps(self: Arc<Self>) {
        self.want_always(|_| true);
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
