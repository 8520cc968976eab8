//! What an actor waits for without standing still: replies of `requests.ask`, and timers of `timers.wake-after`.
//!
//! No task waits for a reply. Whoever sends it wakes the caller's asks where it stands, and these put it in order behind what has
//! arrived before and have the actor look, by a token in ractor's mailbox. One task for each actor that asks looks after the
//! timeouts; it lives as long as one of them is to come. All of it ends when [`Asks`] is dropped, which is when the instance is.

mod queue;

use std::sync::{Arc, Weak};
use std::task::{Wake, Waker};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep_until};

pub(crate) use self::queue::Arrival;
use self::queue::{ArrivalQueue, Ask, Effects, Stage};
use super::own_actor::OwnActor;
use super::waits::{EndedAsk, Outstanding};
use crate::accounting::family::{Quota, Share};
use crate::accounting::label::Label;
use crate::accounting::tally::{Held, Tally};
use crate::accounting::telemetry;
use crate::directory::trace::ActiveSpan;
use crate::directory::{self, Placed, Reply};
use crate::policy::limits::{Common, Limit, Limits};
use crate::sync::Mutex;

/// Asks that end by their timeouts before other tasks get their turn.
const BATCH: usize = 64;

/// See the module.
pub(crate) struct Asks(Arc<Arrivals>);

/// Where replies and wakes arrive. Known to those who send them.
pub(crate) struct Arrivals {
    label: Label,
    limits: Arc<Limits>,
    quota: Arc<Quota>,
    actor: Arc<dyn OwnActor>,
    tally: Arc<Tally>,
    queue: Mutex<Guarded>,
    /// There is an earlier deadline than the task knows of.
    changed: Arc<Notify>,
    /// Something has arrived. For an actor that drains, which takes no tokens any more.
    came: Notify,
}

#[derive(Default)]
struct Guarded {
    queue: ArrivalQueue,
    /// What looks after timeouts, and when it does so next.
    task: Option<(AbortHandle, Instant)>,
}

/// A call as it was sent.
pub(super) struct SentCall {
    /// The guest of this process that it is to; none if it is to any other actor.
    pub(super) target: Option<u64>,
    /// Where it waits for its turn.
    pub(super) placed: Placed,
    pub(super) reply: Reply<Vec<u8>>,
    /// When the wait began, and its length.
    pub(super) begun: Instant,
    pub(super) wait: Duration,
    pub(super) share: Share,
    pub(super) span: Option<Arc<ActiveSpan>>,
    pub(super) call_span: Option<ActiveSpan>,
}

impl Asks {
    pub(super) fn new(
        label: Label,
        limits: Arc<Limits>,
        quota: Arc<Quota>,
        actor: Arc<dyn OwnActor>,
        tally: Arc<Tally>,
    ) -> Self {
        Self(Arc::new(Arrivals {
            label,
            limits,
            quota,
            actor,
            tally,
            queue: Mutex::default(),
            changed: Arc::default(),
            came: Notify::new(),
        }))
    }

    /// Where what is asked for arrives.
    pub(crate) fn arrivals(&self) -> Arc<Arrivals> {
        self.0.clone()
    }

    /// Room for one more ask.
    ///
    /// # Errors
    /// The actor, or its family, has as many as it may have.
    pub(super) fn room(&self) -> Result<Share, Limit> {
        let most = self.0.limits.asks;
        // Nobody else adds one: the instance that asks stands still for as long as this takes.
        if self.0.queue.lock().queue.count() >= most {
            return Err(Limit::Asks(most));
        }
        self.0.quota.share(Common::Asks, 1)
    }

    /// A call was sent, and its reply is to come under this token.
    pub(super) fn sent(&self, token: u64, call: SentCall) {
        let SentCall {
            target,
            placed,
            reply,
            begun,
            wait,
            share,
            span,
            call_span,
        } = call;
        let deadline = begun + wait;
        let ask = Ask {
            target,
            placed,
            stage: Stage::Outstanding(reply),
            begun,
            deadline,
            is_longest: wait == self.0.limits.call_wait,
            _share: share,
            _counted: Some(self.0.tally.count(Held::Ask)),
            span,
            call_span,
        };
        {
            let mut guarded = self.0.queue.lock();
            guarded.queue.handle_sent(token, ask);
            self.0.look_after_timeouts(&mut guarded, deadline);
        }
        // It may have come by now, and leaves the waker there if not.
        self.0.hear(&Arc::new(AskWaker {
            token,
            arrivals: Arc::downgrade(&self.0),
        }));
    }

    /// Gives up an ask. False if its outcome was taken, or it never was.
    pub(super) fn cancel(&self, token: u64) -> bool {
        // Dropped outside of the lock, because that may wake who is to answer.
        let given_up = self.0.queue.lock().queue.handle_cancel(token);
        given_up.is_some()
    }

    /// Gives up all asks with tokens above this one.
    pub(crate) fn cancel_after(&self, token: u64) {
        let given_up = self.0.queue.lock().queue.handle_cancel_after(token);
        drop(given_up);
    }

    /// The actor looks for what has arrived, and is to be told of what arrives from now on.
    pub(crate) fn look(&self) {
        self.0.queue.lock().queue.handle_look();
    }

    /// What has arrived first, and the span of the handler that waits for it.
    pub(crate) fn take(&self) -> Option<(Arrival, Option<Arc<ActiveSpan>>)> {
        let taken = self.0.queue.lock().queue.poll_arrival();
        taken.map(|(arrival, span, _ask)| (arrival, span))
    }

    /// Has the actor look once more, if something is left.
    pub(crate) fn look_again(&self) {
        let is_left = self.0.queue.lock().queue.poll_left();
        if is_left {
            self.0.came.notify_one();
            self.0.actor.look_for_arrivals();
        }
    }

    /// True if something is to come yet, or has come.
    pub(crate) fn is_waiting(&self) -> bool {
        self.0.queue.lock().queue.is_waiting()
    }
}

impl Drop for Asks {
    fn drop(&mut self) {
        let (given_up, task) = {
            let mut guarded = self.0.queue.lock();
            (guarded.queue.handle_end(), guarded.task.take())
        };
        if let Some((task, _)) = task {
            task.abort();
        }
        // Outside of the lock, because it wakes who is to answer.
        drop(given_up);
    }
}

impl Arrivals {
    /// Done when something has arrived since this was last awaited.
    pub(crate) async fn come(&self) {
        self.came.notified().await;
    }

    /// A timer of `wake-after` was started, by a handler with this span.
    pub(super) fn wake_started(&self, timer: u64, span: Option<Arc<ActiveSpan>>) {
        self.queue.lock().queue.handle_wake_started(timer, span);
    }

    /// The time of a timer has come.
    pub(super) fn wake(&self, timer: u64) {
        let effects = self.queue.lock().queue.handle_wake(timer);
        self.follow(effects);
    }

    /// A timer of `wake-after` has ended.
    pub(super) fn wake_ended(&self, timer: u64) {
        let span = self.queue.lock().queue.handle_wake_ended(timer);
        drop(span);
    }

    fn hear(&self, ask: &Arc<AskWaker>) {
        let (now, waker) = (Instant::now(), Waker::from(ask.clone()));
        let mut guarded = self.queue.lock();
        let effects = guarded
            .queue
            .handle_heard(ask.token, &waker, now, &self.limits, &self.quota);
        drop(guarded);
        self.follow(effects);
    }

    fn follow(&self, effects: Effects) {
        let Effects { tells, reached, done } = effects;
        drop(done);
        if let Some(limit) = reached {
            telemetry::limit(&self.label, limit);
        }
        if tells {
            self.came.notify_one();
            self.actor.look_for_arrivals();
        }
    }

    fn look_after_timeouts(self: &Arc<Self>, guarded: &mut Guarded, deadline: Instant) {
        match &mut guarded.task {
            None => {
                let task = tokio::spawn(end_in_time(Arc::downgrade(self), self.changed.clone(), deadline));
                guarded.task = Some((task.abort_handle(), deadline));
            }
            Some((_, next)) if deadline < *next => {
                *next = deadline;
                self.changed.notify_one();
            }
            Some(_) => {}
        }
    }

    /// Ends the asks whose time is over. Gives when to look again; none if nothing is left to look after.
    fn expire(&self) -> Option<Instant> {
        let now = Instant::now();
        // A batch at a time, because the guest's own thread waits for this lock when it asks.
        for _ in 0..BATCH {
            let expired = self.queue.lock().queue.handle_expired(now, &self.limits, &self.quota);
            match expired {
                Some(effects) => self.follow(effects),
                None => break,
            }
        }
        let mut guarded = self.queue.lock();
        let next = guarded.queue.next_deadline();
        // Under the lock, so that an ask that comes now finds no task and starts one.
        match (next, &mut guarded.task) {
            (Some(next), Some((_, known))) => *known = next,
            _ => guarded.task = None,
        }
        next
    }
}

async fn end_in_time(arrivals: Weak<Arrivals>, changed: Arc<Notify>, mut next: Instant) {
    loop {
        tokio::select! {
            () = sleep_until(next) => {}
            () = changed.notified() => {}
        }
        // Not held while it sleeps: the asks end with their instance.
        let Some(arrivals) = arrivals.upgrade() else { return };
        match arrivals.expire() {
            Some(then) => next = then,
            None => return,
        }
    }
}

impl Outstanding for Arrivals {
    fn waits_for_all(&self, waits: &mut dyn FnMut(u64) -> bool) -> bool {
        self.queue.lock().queue.waits_for_all(waits)
    }

    fn newest(&self) -> Option<Instant> {
        self.queue.lock().queue.newest().map(|newest| newest.begun)
    }

    fn end_newest(&self) -> Option<EndedAsk> {
        let newest = self.queue.lock().queue.newest()?;
        // Found, and dropped, without the lock: it may be the last that holds what waits there.
        let inbox = directory::local(newest.target).and_then(|actor| actor.inbox);
        let mut guarded = self.queue.lock();
        let effects = guarded.queue.handle_circle(newest.token, &self.limits, &self.quota);
        // Before the actor hears of it. What it does then may have the other go on, which must not find this message any more.
        let message = match (&effects.done, &inbox) {
            (Some(_), Some(inbox)) => inbox.withdraw(newest.placed),
            _ => None,
        };
        drop(guarded);
        let Effects { tells, done, .. } = effects;
        if tells {
            self.came.notify_one();
            self.actor.look_for_arrivals();
        }
        Some(EndedAsk { reply: done, message })
    }
}

/// What the other side wakes when it answers, or won't.
struct AskWaker {
    token: u64,
    arrivals: Weak<Arrivals>,
}

impl Wake for AskWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if let Some(arrivals) = self.arrivals.upgrade() {
            arrivals.hear(self);
        }
    }
}
