//! The asks of one actor and what has arrived for it: a machine without a lock, a task or a log of its own.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use tokio::time::Instant;

use crate::accounting::family::{Quota, Share};
use crate::accounting::tally::Counted;
use crate::component::bindings::requests::CallError;
use crate::directory::trace::ActiveSpan;
use crate::directory::{NoReply, Placed, Reply};
use crate::policy::limits::{Common, Limit, Limits};

/// What an ask comes to.
pub(crate) type AskOutcome = Result<Vec<u8>, CallError>;

/// Something that a guest is called for.
#[derive(Debug, Clone)]
pub(crate) enum Arrival {
    /// The outcome of the ask with this token.
    Reply(u64, AskOutcome),
    /// The time of the timer with this number has come.
    Wake(u64),
}

/// See the module.
#[derive(Default)]
pub(super) struct ArrivalQueue {
    asks: HashMap<u64, Ask>,
    /// What has arrived and was not taken yet, in order.
    arrived: VecDeque<Arrived>,
    deadlines: BTreeSet<(Instant, u64)>,
    /// Of the replies that have arrived.
    bytes: usize,
    /// Timers of `wake-after` that run, or have fired and were not taken yet.
    wakes: usize,
    /// The spans of the handlers that have started such timers, as far as these belong to a trace.
    wake_spans: HashMap<u64, Arc<ActiveSpan>>,
    /// The actor was told of an arrival and has not looked since.
    told: bool,
}

/// One call that was sent.
pub(super) struct Ask {
    /// The guest of this process that it is to; none if it is to any other actor.
    pub(super) target: Option<u64>,
    /// Where it waits for its turn.
    pub(super) placed: Placed,
    pub(super) stage: Stage,
    pub(super) begun: Instant,
    pub(super) deadline: Instant,
    /// No call of this actor may wait longer, so that the end of the wait is a limit that was reached.
    pub(super) is_longest: bool,
    /// Its part of the asks of the family.
    pub(super) _share: Share,
    pub(super) _counted: Option<Counted>,
    /// The span of the handler that has asked, which is that of the reply, too.
    pub(super) span: Option<Arc<ActiveSpan>>,
    /// That of the call itself.
    pub(super) call_span: Option<ActiveSpan>,
}

/// The ask of an actor that was sent last, of those that wait for guests of this process.
pub(super) struct NewestAsk {
    pub(super) token: u64,
    pub(super) target: u64,
    pub(super) placed: Placed,
    pub(super) begun: Instant,
}

/// How far an ask is.
pub(super) enum Stage {
    Outstanding(Reply<Vec<u8>>),
    /// With the part that its bytes have of those that may wait.
    Arrived {
        outcome: AskOutcome,
        _share: Option<Share>,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Arrived {
    Reply(u64),
    Wake(u64),
}

/// What follows from a change.
#[derive(Default)]
pub(super) struct Effects {
    /// The actor is to be told that something has arrived.
    pub(super) tells: bool,
    /// A limit was reached.
    pub(super) reached: Option<Limit>,
    /// To be dropped when the lock is free, because that may wake somebody.
    pub(super) done: Option<Reply<Vec<u8>>>,
}

impl ArrivalQueue {
    /// How many asks there are whose outcomes were not taken.
    pub(super) fn count(&self) -> usize {
        self.asks.len()
    }

    /// True if something is to come yet, or has come.
    pub(super) fn is_waiting(&self) -> bool {
        !self.asks.is_empty() || self.wakes > 0
    }

    /// An ask was sent.
    pub(super) fn handle_sent(&mut self, token: u64, ask: Ask) {
        self.deadlines.insert((ask.deadline, token));
        self.asks.insert(token, ask);
    }

    /// Looks whether the ask with this token has come to an end. If not, `waker` is woken when it has.
    pub(super) fn handle_heard(
        &mut self,
        token: u64,
        waker: &Waker,
        now: Instant,
        limits: &Limits,
        quota: &Arc<Quota>,
    ) -> Effects {
        let Some(ask) = self.asks.get_mut(&token) else {
            return Effects::default();
        };
        let Stage::Outstanding(reply) = &mut ask.stage else {
            return Effects::default();
        };
        let outcome = match Pin::new(reply).poll(&mut Context::from_waker(waker)) {
            Poll::Pending => return Effects::default(),
            Poll::Ready(Ok(reply)) => Ok(reply),
            Poll::Ready(Err(NoReply::Failed(reason))) => Err(CallError::Failed(reason.into())),
            // The other side knows the timeout too, and may be the first to give up for it.
            Poll::Ready(Err(NoReply::Dropped)) if now >= ask.deadline => Err(CallError::Timeout),
            Poll::Ready(Err(NoReply::Dropped)) => Err(CallError::NoReply),
        };
        self.arrive(token, outcome, limits, quota)
    }

    /// The next ask whose time is over gets its outcome. None if there is none.
    pub(super) fn handle_expired(&mut self, now: Instant, limits: &Limits, quota: &Arc<Quota>) -> Option<Effects> {
        let (deadline, token) = *self.deadlines.first()?;
        if deadline > now {
            return None;
        }
        // First, so that this ends whatever is found there.
        self.deadlines.remove(&(deadline, token));
        Some(self.arrive(token, Err(CallError::Timeout), limits, quota))
    }

    /// The time at which the next ask ends by itself.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.deadlines.first().map(|(deadline, _)| *deadline)
    }

    /// This ask ends a circle of actors that wait for each other, unless something has come since the circle was seen.
    pub(super) fn handle_circle(&mut self, token: u64, limits: &Limits, quota: &Arc<Quota>) -> Effects {
        if !self.waits_for_all(&mut |_| true) {
            return Effects::default();
        }
        self.arrive(token, Err(CallError::WouldDeadlock), limits, quota)
    }

    /// The ask that was sent last and has no reply.
    pub(super) fn newest(&self) -> Option<NewestAsk> {
        let outstanding = self.asks.iter().filter_map(|(token, ask)| match ask.stage {
            Stage::Outstanding(_) => Some(NewestAsk {
                token: *token,
                target: ask.target?,
                placed: ask.placed,
                begun: ask.begun,
            }),
            Stage::Arrived { .. } => None,
        });
        outstanding.max_by_key(|ask| (ask.begun, ask.token))
    }

    /// True if the actor waits for guests alone, for each of which `waits` is true.
    pub(super) fn waits_for_all(&mut self, waits: &mut dyn FnMut(u64) -> bool) -> bool {
        let may_go_on = !self.arrived.is_empty() || self.wakes > 0 || self.asks.is_empty();
        !may_go_on
            && self.asks.values_mut().all(|ask| match (&mut ask.stage, ask.target) {
                (Stage::Outstanding(reply), Some(target)) => !reply.has_come() && waits(target),
                _ => false,
            })
    }

    /// Gives up an ask. False if its outcome was taken, or it never was.
    pub(super) fn handle_cancel(&mut self, token: u64) -> Option<Ask> {
        let ask = self.asks.remove(&token)?;
        self.forget(token, &ask);
        Some(ask)
    }

    /// Gives up all asks with tokens above this one.
    pub(super) fn handle_cancel_after(&mut self, token: u64) -> Vec<Ask> {
        let later: Vec<u64> = self.asks.keys().copied().filter(|later| *later > token).collect();
        later
            .into_iter()
            .filter_map(|later| self.handle_cancel(later))
            .collect()
    }

    fn forget(&mut self, token: u64, ask: &Ask) {
        match &ask.stage {
            Stage::Outstanding(_) => {
                self.deadlines.remove(&(ask.deadline, token));
            }
            Stage::Arrived { outcome, .. } => {
                self.bytes -= outcome.as_ref().map_or(0, Vec::len);
                self.remove_arrived(Arrived::Reply(token));
            }
        }
    }

    /// A timer of `wake-after` was started, by a handler with this span.
    pub(super) fn handle_wake_started(&mut self, timer: u64, span: Option<Arc<ActiveSpan>>) {
        self.wakes += 1;
        self.wake_spans.extend(span.map(|span| (timer, span)));
    }

    /// The time of a timer has come.
    pub(super) fn handle_wake(&mut self, timer: u64) -> Effects {
        self.arrived.push_back(Arrived::Wake(timer));
        self.tell()
    }

    /// A timer has ended: what there is of it won't be taken any more, or was.
    ///
    /// Gives the span that it had, to be dropped when the lock is free.
    pub(super) fn handle_wake_ended(&mut self, timer: u64) -> Option<Arc<ActiveSpan>> {
        self.wakes = self.wakes.saturating_sub(1);
        self.remove_arrived(Arrived::Wake(timer));
        self.wake_spans.remove(&timer)
    }

    /// What has arrived first, and the span of the handler that waits for it. That of a timer is to be followed by
    /// [`handle_wake_ended`](Self::handle_wake_ended). The ask is to be dropped when the lock is free.
    pub(super) fn poll_arrival(&mut self) -> Option<(Arrival, Option<Arc<ActiveSpan>>, Option<Ask>)> {
        match self.arrived.pop_front()? {
            Arrived::Wake(timer) => Some((Arrival::Wake(timer), self.wake_spans.remove(&timer), None)),
            Arrived::Reply(token) => {
                let mut ask = self.asks.remove(&token)?;
                let Stage::Arrived { outcome, .. } = &mut ask.stage else {
                    return None;
                };
                // In its place something without bytes. What is left goes when the lock is free.
                let outcome = std::mem::replace(outcome, Err(CallError::NoReply));
                self.bytes -= outcome.as_ref().map_or(0, Vec::len);
                Some((Arrival::Reply(token, outcome), ask.span.take(), Some(ask)))
            }
        }
    }

    /// The actor looks: it is to be told of what arrives from now on.
    pub(super) fn handle_look(&mut self) {
        self.told = false;
    }

    /// True if something has arrived and was not taken, of which the actor is to be told again.
    pub(super) fn poll_left(&mut self) -> bool {
        !self.arrived.is_empty() && self.tell().tells
    }

    /// Everything, when it is given up.
    pub(super) fn handle_end(&mut self) -> Self {
        std::mem::take(self)
    }

    fn arrive(&mut self, token: u64, outcome: AskOutcome, limits: &Limits, quota: &Arc<Quota>) -> Effects {
        let (outcome, share, mut reached) = self.admit(outcome, limits, quota);
        let Some(ask) = self.asks.get_mut(&token) else {
            return Effects::default();
        };
        self.bytes += outcome.as_ref().map_or(0, Vec::len);
        // A shorter wait was the guest's own wish, and no limit that it reached.
        if ask.is_longest && matches!(outcome, Err(CallError::Timeout)) {
            reached = Some(Limit::CallWait(limits.call_wait));
        }
        self.deadlines.remove(&(ask.deadline, token));
        end_call(ask.call_span.take(), &outcome);
        let before = std::mem::replace(&mut ask.stage, Stage::Arrived { outcome, _share: share });
        self.arrived.push_back(Arrived::Reply(token));
        Effects {
            reached,
            done: match before {
                Stage::Outstanding(reply) => Some(reply),
                Stage::Arrived { .. } => None,
            },
            ..self.tell()
        }
    }

    /// The outcome, as far as there is room for it: replies that wait take from what the mailboxes of the family may have.
    fn admit(
        &self,
        outcome: AskOutcome,
        limits: &Limits,
        quota: &Arc<Quota>,
    ) -> (AskOutcome, Option<Share>, Option<Limit>) {
        let bytes = match &outcome {
            Ok(reply) => reply.len(),
            Err(_) => return (outcome, None, None),
        };
        if bytes > limits.reply_bytes {
            let reached = Limit::ReplyBytes(limits.reply_bytes);
            return (Err(CallError::TooLarge), None, Some(reached));
        }
        // As for the mailbox: where nothing waits, what may be sent at all may come.
        if self.bytes > 0 && self.bytes.saturating_add(bytes) > limits.mailbox_bytes {
            let reached = Limit::MailboxBytes(limits.mailbox_bytes);
            return (Err(CallError::Overloaded), None, Some(reached));
        }
        match quota.share(Common::MailboxBytes, bytes) {
            Ok(share) => (outcome, Some(share), None),
            Err(reached) => (Err(CallError::Overloaded), None, Some(reached)),
        }
    }

    fn tell(&mut self) -> Effects {
        Effects {
            tells: !std::mem::replace(&mut self.told, true),
            ..Effects::default()
        }
    }

    fn remove_arrived(&mut self, arrived: Arrived) {
        if let Some(at) = self.arrived.iter().position(|other| *other == arrived) {
            self.arrived.remove(at);
        }
    }
}

/// The span of a call ends with this outcome.
fn end_call(span: Option<ActiveSpan>, outcome: &AskOutcome) {
    if let (Some(span), Err(error)) = (span, outcome) {
        span.failed(&error.to_string());
    }
}

#[cfg(test)]
mod tests;
