//! The timers of one instance.
//!
//! One task serves them all, so that they take one thread at most however many they are. It lives as long as a timer has a
//! deadline. All timers end when [`Timers`] is dropped, which is when the instance is.

mod sending;

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use parking_lot::{Mutex, MutexGuard};
use ractor::ActorId;
use tokio::sync::Notify;
use tokio::sync::oneshot::Receiver;
use tokio::sync::oneshot::error::TryRecvError;
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep_until};

use self::sending::{leave, probe};
use super::asks::Arrivals;
use super::own_actor::OwnActor;
use crate::accounting::family::{Quota, Share};
use crate::accounting::label::Label;
use crate::accounting::tally::{Counted, Held, Tally};
use crate::accounting::telemetry;
use crate::directory::trace::ActiveSpan;
use crate::directory::{self, MESSAGE_OVERHEAD, PutRefused};
use crate::entities::Seat;
use crate::policy::limits::{Common, Limit, Limits};

/// No timer waits longer: two years, which is what tokio's clock can hold.
const LONGEST: Duration = Duration::from_secs(2 * 365 * 86_400);

/// Timers that are served before other tasks and the guest itself get their turn.
const BATCH: usize = 64;

/// See the module.
pub(crate) struct Timers(Arc<Shared>);

struct Shared {
    label: Label,
    limits: Arc<Limits>,
    actor: Arc<dyn OwnActor>,
    quota: Arc<Quota>,
    tally: Arc<Tally>,
    running: Mutex<ActiveTimers>,
    /// Where messages to others wait for the state that they follow from, of an entity.
    seat: OnceLock<Seat>,
    /// There is an earlier deadline than the task knows of, or none at all.
    changed: Notify,
}

#[derive(Default)]
struct ActiveTimers {
    /// The last number given out.
    last: u64,
    timers: HashMap<u64, Timer>,
    deadlines: BTreeSet<(Instant, u64)>,
    /// Bytes of all messages.
    bytes: usize,
    /// The first of the timers that have asked for the actor's stop since that was last looked at.
    stop: Option<u64>,
    task: Option<AbortHandle>,
}

struct Timer {
    /// None once it has done all that it had to.
    deadline: Option<Instant>,
    period: Option<Duration>,
    action: Action,
    /// What became of its message.
    sent: Sent,
    /// Messages that the target had no room for since it last had.
    refused: usize,
    /// The family's part: of timers, and of the bytes of messages.
    _shares: [Share; 2],
    _counted: Counted,
}

/// What a timer does.
pub(super) enum Action {
    /// Casts a message.
    Send(TimedCast),
    /// Stops the actor.
    Stop,
    /// Has the instance called, by what arrives here. The timer ends when that was taken, so that it counts until then.
    ///
    /// The span is that of the handler that goes on then.
    Wake(Arc<Arrivals>, Option<Arc<ActiveSpan>>),
}

/// A message to come.
#[derive(Clone)]
pub(super) struct TimedCast {
    /// Whose mailbox it is for.
    pub(super) to: ActorId,
    /// The tag.
    pub(super) variant: String,
    /// The arguments.
    pub(super) args: Vec<u8>,
}

enum Sent {
    /// Handled, or never sent.
    Settled,
    /// In the target's mailbox until this is closed.
    Waiting(Receiver<Vec<u8>>),
    /// Another node has not taken it yet.
    Leaving(AbortHandle),
    /// The instance is to be called for it.
    Arrived,
}

/// There are as many timers as there may be, of this actor or of its family.
#[derive(Debug)]
pub(super) struct TooMany(pub(super) Limit);

impl Timers {
    pub(super) fn new(
        label: Label,
        limits: Arc<Limits>,
        actor: Arc<dyn OwnActor>,
        quota: Arc<Quota>,
        tally: Arc<Tally>,
    ) -> Self {
        Self(Arc::new(Shared {
            label,
            limits,
            actor,
            quota,
            tally,
            running: Mutex::default(),
            seat: OnceLock::new(),
            changed: Notify::new(),
        }))
    }

    /// Messages to others wait here.
    pub(super) fn held_by(self, seat: Option<Seat>) -> Self {
        if let Some(seat) = seat {
            // Just made: there is no other.
            drop(self.0.seat.set(seat));
        }
        self
    }

    /// Starts a timer. Returns its number.
    pub(super) fn start(&self, action: Action, after: Duration, period: Option<Duration>) -> Result<u64, TooMany> {
        let deadline = Instant::now() + after.min(LONGEST);
        let mut running = self.0.lock();
        // The lock is held from here to the entry: the check and what it permits are one step for others.
        let shares = running.make_room(&self.0, action.bytes())?;
        running.last += 1;
        let number = running.last;
        let mut timer = Timer {
            deadline: Some(deadline),
            // A period of zero would keep the task busy for ever.
            period: period.map(|period| period.clamp(Duration::from_millis(1), LONGEST)),
            action,
            sent: Sent::Settled,
            refused: 0,
            _shares: shares,
            _counted: self.0.tally.count(Held::Timer),
        };
        if let Action::Wake(arrivals, span) = &mut timer.action {
            // There it is kept, so that it ends when the guest goes on with it.
            arrivals.wake_started(number, span.take());
        }
        running.bytes += timer.action.bytes();
        running.timers.insert(number, timer);
        running.deadlines.insert((deadline, number));
        // The task says under this lock that it ends, so either it is still there and looks again, or a new one
        // starts.
        if running.task.is_none() {
            let task = tokio::spawn(serve(self.0.clone()));
            running.task = Some(task.abort_handle());
        } else if running.deadlines.first() == Some(&(deadline, number)) {
            // It keeps the permit where the task isn't waiting yet, so that a change between its look and its wait
            // isn't lost.
            self.0.changed.notify_one();
        }
        Ok(number)
    }

    /// The number of a timer that has ended as it began.
    pub(super) fn ended(&self) -> u64 {
        let mut running = self.0.lock();
        running.last += 1;
        running.last
    }

    /// The number of the timer that was started last.
    pub(crate) fn last(&self) -> u64 {
        self.0.lock().last
    }

    /// Ends all timers that were started after the one of this number.
    pub(super) fn cancel_after(&self, number: u64) {
        let mut running = self.0.lock();
        let later: Vec<u64> = running.timers.keys().copied().filter(|later| *later > number).collect();
        for later in later {
            running.end(later, &self.0.label);
        }
        // One that has fired may have asked for a stop, which ends with it.
        running.stop = running.stop.filter(|stop| *stop <= number);
        self.0.changed.notify_one();
    }

    /// Ends the timers of `wake-after` that were started after the one of this number.
    pub(crate) fn cancel_wakes_after(&self, number: u64) {
        let mut running = self.0.lock();
        let is_later = |(later, timer): (&u64, &Timer)| {
            (*later > number && matches!(timer.action, Action::Wake(..))).then_some(*later)
        };
        let later: Vec<u64> = running.timers.iter().filter_map(is_later).collect();
        for later in later {
            running.end(later, &self.0.label);
        }
        self.0.changed.notify_one();
    }

    /// True if a timer has asked for the actor's stop since this was last asked.
    pub(crate) fn take_stop(&self) -> bool {
        self.0.lock().stop.take().is_some()
    }

    /// What has arrived of a timer of `wake-after` was taken.
    pub(crate) fn taken(&self, number: u64) {
        self.0.lock().end(number, &self.0.label);
    }

    /// Ends a timer. False if it had ended.
    pub(super) fn cancel(&self, number: u64) -> bool {
        let mut running = self.0.lock();
        let was_live = running.timers.get(&number).is_some_and(Timer::is_live);
        if was_live {
            running.end(number, &self.0.label);
        }
        // So that the task ends now and not at a deadline that is no more.
        if running.deadlines.is_empty() {
            self.0.changed.notify_one();
        }
        was_live
    }
}

impl Drop for Timers {
    fn drop(&mut self) {
        let mut running = self.0.lock();
        if let Some(task) = running.task.take() {
            task.abort();
        }
        let numbers: Vec<u64> = running.timers.keys().copied().collect();
        for number in numbers {
            running.end(number, &self.0.label);
        }
    }
}

impl Action {
    fn bytes(&self) -> usize {
        match self {
            Self::Send(cast) => cast.variant.len() + cast.args.len(),
            Self::Stop | Self::Wake(..) => 0,
        }
    }
}

impl Timer {
    /// True if there is something to cancel.
    fn is_live(&self) -> bool {
        self.deadline.is_some() || matches!(self.sent, Sent::Leaving(_) | Sent::Arrived)
    }

    /// True if the last message is on its way.
    fn is_underway(&mut self) -> bool {
        if let Sent::Waiting(handled) = &mut self.sent
            && handled.try_recv() != Err(TryRecvError::Empty)
        {
            self.sent = Sent::Settled;
        }
        !matches!(self.sent, Sent::Settled)
    }
}

impl ActiveTimers {
    /// Room for one more timer whose message has this many bytes.
    fn make_room(&mut self, shared: &Shared, bytes: usize) -> Result<[Share; 2], TooMany> {
        let Shared { limits, quota, .. } = shared;
        let full = |running: &Self| {
            let bytes = running.bytes.saturating_add(bytes);
            running.timers.len() >= limits.timers || (bytes > limits.mailbox_bytes && !running.timers.is_empty())
        };
        let shares = || {
            let timer = quota.share(Common::Timers, 1)?;
            let message = quota.share(Common::MailboxBytes, bytes + MESSAGE_OVERHEAD)?;
            Ok([timer, message])
        };
        // The look through all timers only where there is no room without it: it would make the start of many timers
        // quadratic.
        if !full(self)
            && let Ok(shares) = shares()
        {
            return Ok(shares);
        }
        let handled = |timer: &mut Timer| timer.deadline.is_none() && !timer.is_underway();
        self.timers.retain(|_, timer| !handled(timer));
        self.bytes = self.timers.values().map(|timer| timer.action.bytes()).sum();
        if full(self) {
            return Err(TooMany(Limit::Timers(limits.timers)));
        }
        shares().map_err(TooMany)
    }

    /// Takes the timer whose time has come, with its number.
    fn due(&mut self, now: Instant) -> Option<u64> {
        let (deadline, number) = *self.deadlines.first()?;
        if deadline > now {
            return None;
        }
        self.deadlines.pop_first();
        let timer = self.timers.get_mut(&number)?;
        // Before it is sent, so that an interval goes on whatever becomes of this message.
        timer.deadline = timer.period.map(|period| next_tick(deadline, period, now));
        if let Some(deadline) = timer.deadline {
            self.deadlines.insert((deadline, number));
        }
        Some(number)
    }

    fn end(&mut self, number: u64, label: &Label) {
        let Some(timer) = self.timers.remove(&number) else {
            return;
        };
        self.bytes -= timer.action.bytes();
        if let Some(deadline) = timer.deadline {
            self.deadlines.remove(&(deadline, number));
        }
        // A message that has not left the node is cancelled with its timer.
        if let Sent::Leaving(task) = timer.sent {
            task.abort();
        }
        if let Action::Wake(arrivals, _) = &timer.action {
            arrivals.wake_ended(number);
        }
        telemetry::dead_letters(label, "timer", timer.refused);
    }

    /// A message was taken, or its target had no room for it.
    fn settle(&mut self, number: u64, label: &Label, taken: bool) {
        let Some(timer) = self.timers.get_mut(&number) else {
            return;
        };
        if taken {
            telemetry::dead_letters(label, "timer", std::mem::take(&mut timer.refused));
        } else {
            timer.refused += 1;
        }
        // One that waits for a native actor still counts, or timers could fill a mailbox that has no limit.
        let is_over = timer.deadline.is_none() && !matches!(timer.sent, Sent::Waiting(_));
        if is_over {
            self.end(number, label);
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, ActiveTimers> {
        self.running.lock()
    }

    /// Serves some timers whose time has come. True if there may be more.
    fn serve(self: &Arc<Self>) -> bool {
        let now = Instant::now();
        let mut running = self.lock();
        // A batch at a time, because the guest's own thread waits for this lock when it starts a timer.
        for _ in 0..BATCH {
            let Some(number) = running.due(now) else { return false };
            self.fire(&mut running, number);
        }
        true
    }

    /// When the next timer is due. None if there is none: then the task is over.
    fn next(&self) -> Option<Instant> {
        let mut running = self.lock();
        let next = running.deadlines.first().map(|(deadline, _)| *deadline);
        if next.is_none() {
            running.task = None;
        }
        next
    }

    fn fire(self: &Arc<Self>, running: &mut ActiveTimers, number: u64) {
        let Some(timer) = running.timers.get_mut(&number) else {
            return;
        };
        // This tick is left out: a target that is slower than the interval has one message of it at a time.
        if timer.is_underway() {
            return;
        }
        let cast = match &timer.action {
            Action::Send(cast) => cast,
            Action::Stop => {
                // Kept here and not with the actor: whatever replaces the instance and its timers forgets it.
                running.stop = Some(running.stop.map_or(number, |first| first.min(number)));
                self.actor.stop_is_due();
                return running.end(number, &self.label);
            }
            Action::Wake(arrivals, _) => {
                timer.sent = Sent::Arrived;
                return arrivals.wake(number);
            }
        };
        if let Some(seat) = self
            .seat
            .get()
            .filter(|_| cast.to.pid() != self.label.pid || !directory::is_ours(cast.to))
        {
            timer.sent = self.hold(seat, cast);
            return running.settle(number, &self.label, true);
        }
        if !directory::is_ours(cast.to) {
            // In a task, because another node may keep it waiting, and the other timers must not wait for that.
            let leave = tokio::spawn(leave(self.clone(), number, cast.clone()));
            // The lock is still held, so the task finds this entry however quick it is.
            timer.sent = Sent::Leaving(leave.abort_handle());
            return;
        }
        let Some(local) = directory::local(cast.to.pid()) else {
            return running.end(number, &self.label);
        };
        match local.send(cast.message()) {
            Ok(()) => {
                timer.sent = if timer.period.is_some() || local.inbox.is_none() {
                    Sent::Waiting(probe(&local))
                } else {
                    Sent::Settled
                };
                running.settle(number, &self.label, true);
            }
            Err(PutRefused::Full) => running.settle(number, &self.label, false),
            Err(PutRefused::Ended) => running.end(number, &self.label),
        }
    }
}

async fn serve(shared: Arc<Shared>) {
    loop {
        while shared.serve() {
            tokio::task::yield_now().await;
        }
        let Some(next) = shared.next() else { return };
        tokio::select! {
            () = sleep_until(next) => {}
            () = shared.changed.notified() => {}
        }
    }
}

/// The first tick after `now` of those that began at `deadline`: ticks that were missed are left out, and the others stay
/// where they would have been.
fn next_tick(deadline: Instant, period: Duration, now: Instant) -> Instant {
    let late = now.saturating_duration_since(deadline).as_nanos();
    let into_period = late.checked_rem(period.as_nanos()).unwrap_or_default();
    let into_period = Duration::from_nanos(u64::try_from(into_period).unwrap_or_default());
    now.max(deadline) + period - into_period
}

#[cfg(test)]
mod tests;
