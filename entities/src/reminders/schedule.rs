//! When the reminders of a node's entities are due: reads ahead what the store has, a page at a time, and nudges the entities.
//!
//! Which firing is under way, waits for another attempt or is done, is known to a pure machine of [`ractor_host_placement::reminders`].

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use ractor_host_placement::reminders::{Reminders, Retry};
use ractor_host_placement::words::{BootTime, Entity};
use tokio::sync::Notify;
use tokio::time::Instant;

use super::{Clock, Firing, SLOTS, nudge, whole_millis};
use crate::node::{keeps_states, send};
use crate::store::{Change, DuePlace, Fence, GivenUp, ReminderChange, StoreError, StoredDue, Write};
use crate::writer::{Writer, Written};

/// The rows that are read at a time.
const PAGE: usize = 256;

/// The pages that are read in one go. What is behind them is read in the next.
const PAGES: usize = 64;

/// The entities that are nudged and have not begun to handle that.
const NUDGED: usize = 1_024;

/// A nudge that wasn't heard of for this long is given again: a mailbox may have dropped it.
const UNHEARD: Duration = Duration::from_secs(60);

/// The shortest time between two looks into the store.
const SHORTEST_PAUSE: Duration = Duration::from_millis(20);

/// The time between two looks while something is due that can't be handled yet.
const PAUSE: Duration = Duration::from_secs(1);

/// The longest time between two looks while there are reminders: so a step of the system's clock is noticed.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// By how much the system's clock may differ from the time that has passed before that is called a step, in milliseconds.
const STEP_MS: u64 = 1_000;

/// A step forward by this much, in milliseconds, is like an outage: what is due by it is spread over a minute.
const OUTAGE_MS: u64 = 60_000;

/// What reminders have done so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ReminderFigures {
    /// Firings that are in a state.
    pub fired: u64,
    /// Firings that failed, and were tried again or given up.
    pub failed: u64,
    /// Firings that were given up.
    pub given_up: u64,
}

/// See the module. Clones are the same.
#[derive(Clone)]
pub(crate) struct Schedule(Arc<Shared>);

struct Shared {
    writer: Writer,
    clock: Clock,
    begun: Instant,
    inner: Mutex<Inner>,
    /// When the store is looked at next, in milliseconds since 1970.
    planned_ms: AtomicU64,
    wake: Notify,
}

#[derive(Default)]
struct Inner {
    machine: Reminders,
    nudged: HashMap<Entity, Nudged>,
    figures: HashMap<String, ReminderFigures>,
}

/// An entity that was nudged, or has begun with a firing that is in no durable state yet.
struct Nudged {
    firing: Firing,
    /// None once it has begun.
    since: Option<Instant>,
}

/// Since when a node makes up for an outage.
#[derive(Clone, Copy)]
struct CatchUp {
    from_ms: u64,
    begun: Instant,
}

/// Where the driver stands.
struct Driver {
    after: DuePlace,
    catch_up: Option<CatchUp>,
    /// The system's clock and the time that had passed, when they were last compared.
    seen: (u64, Instant),
}

const FIRST: DuePlace = DuePlace {
    due_ms: 0,
    reminder: None,
};

impl Schedule {
    pub(crate) fn new(writer: Writer, clock: Clock) -> Self {
        Self(Arc::new(Shared {
            writer,
            clock,
            begun: Instant::now(),
            inner: Mutex::default(),
            planned_ms: AtomicU64::new(0),
            wake: Notify::new(),
        }))
    }

    pub(crate) fn now_ms(&self) -> u64 {
        self.0.clock.now_ms()
    }

    /// For what is kept for a time.
    pub(crate) fn steady_ms(&self) -> u64 {
        self.0.clock.steady_ms()
    }

    pub(crate) fn figures(&self, of: &str) -> ReminderFigures {
        self.0.inner.lock().figures.get(of).copied().unwrap_or_default()
    }

    /// An entity has begun with this firing.
    pub(crate) fn begun(&self, entity: &Entity, firing: &Firing) {
        let mut inner = self.0.inner.lock();
        inner.machine.handle_begun(entity, firing.key());
        let nudged = Nudged {
            firing: firing.clone(),
            since: None,
        };
        inner.nudged.insert(entity.clone(), nudged);
    }

    /// An entity was nudged, and nothing is due as far as it knows. The store is looked at again, but not at once: what the entity knows may
    /// be on its way there.
    pub(crate) fn nothing_due(&self, entity: &Entity) {
        let mut inner = self.0.inner.lock();
        inner.nudged.remove(entity);
        inner.machine.handle_ended(entity);
    }

    /// These firings are in a state that is durable, and so are these changes of the reminders.
    pub(crate) fn written(&self, entity: &Entity, handled: &[Firing], changes: &[ReminderChange]) {
        if !handled.is_empty() {
            let now = self.boot_time();
            let mut inner = self.0.inner.lock();
            for firing in handled {
                inner.machine.handle_done(entity, firing.key(), now);
                inner.figure(entity).fired += 1;
                let is_it = inner.nudged.get(entity).is_some_and(|nudged| nudged.firing == *firing);
                if is_it {
                    inner.nudged.remove(entity);
                }
            }
        }
        let planned_ms = self.0.planned_ms.load(Ordering::SeqCst);
        let is_sooner = |change: &ReminderChange| match change {
            ReminderChange::Put(reminder) => reminder.due_ms.is_some_and(|due_ms| due_ms < planned_ms),
            ReminderChange::Remove(_) | ReminderChange::GiveUp { .. } => false,
        };
        if !handled.is_empty() || changes.iter().any(is_sooner) {
            self.0.wake.notify_one();
        }
    }

    /// The handling of a firing has failed. If that was once too often, it is given up: this is how.
    pub(crate) fn failed(&self, (entity, fence): (&Entity, Option<Fence>), firing: &Firing) -> Option<ReminderChange> {
        let now = self.boot_time();
        let retry = {
            let mut inner = self.0.inner.lock();
            inner.nudged.remove(entity);
            inner.figure(entity).failed += 1;
            let retry = inner.machine.handle_failed(entity, firing.key(), now);
            inner.figure(entity).given_up += u64::from(retry == Retry::Never);
            retry
        };
        self.0.wake.notify_one();
        if retry == Retry::Later {
            return None;
        }
        let now_ms = self.now_ms();
        let change = ReminderChange::GiveUp {
            id: firing.id.clone(),
            next_ms: firing.next_ms(now_ms),
            given_up: GivenUp {
                due_ms: firing.due_ms,
                at_ms: now_ms,
            },
        };
        tracing::error!(
            %entity, reminder = firing.id, due_ms = firing.due_ms,
            "a reminder has failed too often and is given up; `ractor-host show` lists it"
        );
        let write = Write {
            reminders: vec![change.clone()],
            fence,
            ..Write::state(entity.clone(), Change::Keep)
        };
        let (schedule, entity, firing) = (self.clone(), entity.clone(), firing.clone());
        self.0.writer.submit(write, move |written| {
            let now = schedule.boot_time();
            let mut inner = schedule.0.inner.lock();
            if written == Written::Durable {
                inner.machine.handle_done(&entity, firing.key(), now);
            } else {
                inner.machine.handle_ended(&entity);
            }
        });
        Some(change)
    }

    /// An entity could not be activated. `is_at_fault` if that says something of the entity, and not of the store.
    pub(crate) fn not_active(&self, (entity, fence): (&Entity, Option<Fence>), is_at_fault: bool) {
        let now = self.boot_time();
        let nudged = {
            let mut inner = self.0.inner.lock();
            let Some(nudged) = inner.nudged.remove(entity) else {
                return;
            };
            if !is_at_fault {
                inner.machine.handle_put_off(entity, nudged.firing.key(), now);
            }
            nudged
        };
        if is_at_fault {
            self.failed((entity, fence), &nudged.firing);
        }
    }

    /// An activation has ended: what it was nudged for and hasn't begun with is due again.
    pub(crate) fn ended(&self, entity: &Entity) {
        let mut inner = self.0.inner.lock();
        if inner.nudged.remove(entity).is_some() {
            inner.machine.handle_ended(entity);
            drop(inner);
            self.0.wake.notify_one();
        }
    }

    fn boot_time(&self) -> BootTime {
        BootTime(u64::try_from(self.0.begun.elapsed().as_nanos()).unwrap_or(u64::MAX))
    }

    /// Nudges entities whose reminders are due, for ever. What was due when this begins is spread over a minute.
    pub(crate) async fn run(self) {
        let now_ms = self.now_ms();
        let mut driver = Driver {
            after: FIRST,
            catch_up: Some(CatchUp {
                from_ms: now_ms,
                begun: Instant::now(),
            }),
            seen: (now_ms, Instant::now()),
        };
        let mut has_failed = false;
        loop {
            let pause = match self.look(&mut driver).await {
                Ok(pause) => {
                    has_failed = false;
                    pause
                }
                Err(error) => {
                    // Once: a store that is away says the same thing each time.
                    if !std::mem::replace(&mut has_failed, true) {
                        tracing::error!(%error, "reminders can't be read; that is tried again");
                    }
                    Some(PAUSE)
                }
            };
            let wait = async {
                match pause {
                    Some(pause) => tokio::time::sleep(pause).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = wait => {}
                () = self.0.wake.notified() => {}
            }
            tokio::time::sleep(SHORTEST_PAUSE).await;
        }
    }

    /// Nudges entities whose reminders are due. Gives how long to wait until the next look; none if there is no reminder.
    async fn look(&self, driver: &mut Driver) -> Result<Option<Duration>, StoreError> {
        let now_ms = self.now_ms();
        self.compare_clocks(driver, now_ms);
        self.forget_unheard();
        // Before the store is read: what is written from now on has this look come again.
        self.0.planned_ms.store(u64::MAX, Ordering::SeqCst);
        let mut is_waiting = self.nudge_due(driver, now_ms).await?;
        let next = self
            .due(0..=SLOTS - 1, &FIRST.at(now_ms.saturating_add(1)), u64::MAX, 1)
            .await?;
        let mut pause = next
            .first()
            .map(|next| Duration::from_millis(next.due_ms.saturating_sub(now_ms)).min(LONGEST_PAUSE));
        if let Some(catch_up) = driver.catch_up {
            if catch_up.is_over() {
                driver.catch_up = None;
            }
            is_waiting = true;
        }
        if is_waiting {
            pause = Some(pause.unwrap_or(PAUSE).min(PAUSE));
        }
        let planned_ms = pause.map_or(u64::MAX, |pause| now_ms.saturating_add(whole_millis(pause)));
        self.0.planned_ms.store(planned_ms, Ordering::SeqCst);
        Ok(pause)
    }

    /// True if something is due that has not been handled.
    async fn nudge_due(&self, driver: &mut Driver, now_ms: u64) -> Result<bool, StoreError> {
        let last = SLOTS - 1;
        let Some(catch_up) = driver.catch_up else {
            return self.nudge_slots(&mut driver.after, 0..=last, now_ms).await;
        };
        let open = catch_up.open_slot();
        let mut is_waiting = self.nudge_slots(&mut driver.after, 0..=open, now_ms).await?;
        if open < last {
            // What has become due since then is no part of the outage.
            let mut after = FIRST.at(catch_up.from_ms);
            is_waiting |= self.nudge_slots(&mut after, open + 1..=last, now_ms).await?;
        }
        Ok(is_waiting)
    }

    async fn nudge_slots(
        &self,
        after: &mut DuePlace,
        slots: std::ops::RangeInclusive<u8>,
        now_ms: u64,
    ) -> Result<bool, StoreError> {
        let mut is_waiting = *after != FIRST;
        for _ in 0..PAGES {
            let read_at = self.boot_time();
            let page = self.due(slots.clone(), after, now_ms, PAGE).await?;
            self.0.inner.lock().machine.handle_read(read_at, self.boot_time());
            is_waiting |= !page.is_empty();
            let mut room = NUDGED.saturating_sub(self.unheard());
            for due in &page {
                if !self.nudge(due, &mut room) {
                    // There is room again when some of those that are nudged have begun, or a moment later.
                    return Ok(true);
                }
            }
            match page.last().filter(|_| page.len() == PAGE) {
                Some(last) => *after = last.place(),
                None => {
                    *after = FIRST;
                    return Ok(is_waiting);
                }
            }
        }
        Ok(true)
    }

    /// Nudges one entity, if it is its turn. False if as many are nudged already as may.
    fn nudge(&self, due: &StoredDue, room: &mut usize) -> bool {
        if !keeps_states(&due.entity.entity_type) {
            return true;
        }
        let firing = Firing {
            id: due.id.clone(),
            due_ms: due.due_ms,
            period_ms: due.period_ms,
        };
        let now = self.boot_time();
        {
            let mut inner = self.0.inner.lock();
            if *room == 0 {
                return false;
            }
            if !inner.machine.handle_one_due(&due.entity, firing.key(), now) {
                return true;
            }
            *room -= 1;
            let since = Some(Instant::now());
            let firing = firing.clone();
            inner.nudged.insert(due.entity.clone(), Nudged { firing, since });
        }
        if send(&due.entity, nudge()).is_err() {
            // As much waits for it as may.
            let mut inner = self.0.inner.lock();
            inner.nudged.remove(&due.entity);
            inner.machine.handle_put_off(&due.entity, firing.key(), now);
        }
        true
    }

    fn unheard(&self) -> usize {
        let inner = self.0.inner.lock();
        inner.nudged.values().filter(|nudged| nudged.since.is_some()).count()
    }

    fn forget_unheard(&self) {
        let mut inner = self.0.inner.lock();
        let is_unheard = |nudged: &Nudged| nudged.since.is_some_and(|since| since.elapsed() >= UNHEARD);
        let all = inner.nudged.iter();
        let unheard: Vec<Entity> = all
            .filter(|(_, nudged)| is_unheard(nudged))
            .map(|(entity, _)| entity.clone())
            .collect();
        for entity in unheard {
            inner.nudged.remove(&entity);
            inner.machine.handle_ended(&entity);
        }
    }

    /// Notices a step of the system's clock.
    fn compare_clocks(&self, driver: &mut Driver, now_ms: u64) {
        let (seen_ms, seen_at) = std::mem::replace(&mut driver.seen, (now_ms, Instant::now()));
        let expected_ms = seen_ms.saturating_add(whole_millis(seen_at.elapsed()));
        if now_ms.abs_diff(expected_ms) < STEP_MS {
            return;
        }
        tracing::warn!(
            from_ms = expected_ms,
            to_ms = now_ms,
            "the system's clock has made a step; reminders are due by its new time"
        );
        if now_ms.saturating_sub(expected_ms) >= OUTAGE_MS {
            driver.catch_up = Some(CatchUp {
                from_ms: now_ms,
                begun: Instant::now(),
            });
        }
    }

    async fn due(
        &self,
        slots: std::ops::RangeInclusive<u8>,
        after: &DuePlace,
        until_ms: u64,
        most: usize,
    ) -> Result<Vec<StoredDue>, StoreError> {
        let (store, after) = (self.0.writer.store().clone(), after.clone());
        let read = tokio::task::spawn_blocking(move || store.due(slots, &after, until_ms, most)).await;
        read.unwrap_or_else(|ended| Err(StoreError::unknown(ended)))
    }
}

impl Inner {
    fn figure(&mut self, entity: &Entity) -> &mut ReminderFigures {
        let of = entity.entity_type.name();
        if !self.figures.contains_key(of) {
            self.figures.insert(of.to_owned(), ReminderFigures::default());
        }
        self.figures.entry(of.to_owned()).or_default()
    }
}

impl CatchUp {
    /// The last slot whose overdue reminders have their turn by now: another one each second.
    fn open_slot(&self) -> u8 {
        let seconds = self.begun.elapsed().as_secs();
        u8::try_from(seconds).unwrap_or(SLOTS).min(SLOTS - 1)
    }

    fn is_over(&self) -> bool {
        self.begun.elapsed() >= Duration::from_secs(SLOTS.into())
    }
}

impl DuePlace {
    fn at(&self, due_ms: u64) -> Self {
        Self { due_ms, reminder: None }
    }
}
