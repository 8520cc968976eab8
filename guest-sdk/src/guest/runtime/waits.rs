//! What this actor waits for without standing still: replies and timers, by the numbers that the host gave them.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use super::executor::{Arrived, Awaiting, Coming};
use super::{live, waiting_host as host};
use crate::guest::bindings::Pid;
use crate::guest::bindings::ractor::actor::entities::Entity;
use crate::guest::bindings::ractor::actor::requests::CallError;
use crate::guest::bindings::ractor::actor::timers::TimerError;

/// What handlers wait with.
pub(super) static AWAITING: Awaiting = Awaiting {
    ask,
    ask_entity,
    reply,
    wake_after,
    stop: live::stop,
};

thread_local! {
    static WAITS: RefCell<Waits> = const { RefCell::new(Waits { replies: Numbered::new(), wakes: Numbered::new() }) };
}

/// What a handler waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Reply,
    Wake,
}

struct Waits {
    replies: Numbered,
    wakes: Numbered,
}

impl Waits {
    fn of(&mut self, kind: Kind) -> &mut Numbered {
        match kind {
            Kind::Reply => &mut self.replies,
            Kind::Wake => &mut self.wakes,
        }
    }
}

/// The waits of one kind. The host counts its numbers up, so that a new one belongs at the end; what is over is left in its place
/// until it is at an end, or there is more of it than of what waits. So neither a thousand waits nor a long one beside many short
/// ones make the others dear.
struct Numbered {
    waits: VecDeque<(u64, Stage)>,
    over: usize,
}

enum Stage {
    /// Nothing has come. Whoever polled last is woken when it does.
    Waits(Option<Waker>),
    Came(Arrived),
    /// Taken, or given up.
    Over,
}

impl Numbered {
    const fn new() -> Self {
        Self {
            waits: VecDeque::new(),
            over: 0,
        }
    }

    fn begin(&mut self, number: u64) {
        let at = self.waits.partition_point(|(before, _)| *before < number);
        self.waits.insert(at, (number, Stage::Waits(None)));
    }

    fn find(&mut self, number: u64) -> Option<&mut Stage> {
        let at = self.waits.binary_search_by_key(&number, |(number, _)| *number).ok()?;
        self.waits.get_mut(at).map(|(_, stage)| stage)
    }

    /// Something has come. Returns who is to be woken. Nobody waits for a number that isn't there.
    fn settle(&mut self, number: u64, arrived: Arrived) -> Option<Waker> {
        let stage = self.find(number)?;
        match std::mem::replace(stage, Stage::Came(arrived)) {
            Stage::Waits(waker) => waker,
            over => {
                *stage = over;
                None
            }
        }
    }

    /// What has come, or else `waker` is woken when it does. Returns a waker that is to be dropped.
    fn poll(&mut self, number: u64, waker: Waker) -> (Poll<Arrived>, Option<Waker>) {
        let Some(stage) = self.find(number) else {
            return (Poll::Pending, Some(waker));
        };
        match std::mem::replace(stage, Stage::Over) {
            Stage::Came(arrived) => {
                self.end_one();
                (Poll::Ready(arrived), Some(waker))
            }
            Stage::Waits(before) => {
                *stage = Stage::Waits(Some(waker));
                (Poll::Pending, before)
            }
            Stage::Over => (Poll::Pending, Some(waker)),
        }
    }

    /// Gives a wait up. Returns what it was at.
    fn give_up(&mut self, number: u64) -> Stage {
        let Some(stage) = self.find(number) else {
            return Stage::Over;
        };
        let before = std::mem::replace(stage, Stage::Over);
        if !matches!(before, Stage::Over) {
            self.end_one();
        }
        before
    }

    fn end_one(&mut self) {
        self.over += 1;
        let is_over = |wait: Option<&(u64, Stage)>| matches!(wait, Some((_, Stage::Over)));
        while is_over(self.waits.front()) {
            self.waits.pop_front();
            self.over -= 1;
        }
        if self.over > self.waits.len() / 2 {
            self.waits.retain(|(_, stage)| !matches!(stage, Stage::Over));
            self.over = 0;
        }
    }

    fn is_waiting(&self) -> bool {
        self.waits.iter().any(|(_, stage)| matches!(stage, Stage::Waits(_)))
    }
}

/// One wait. Dropping it gives it up.
#[derive(Debug)]
pub(super) struct Arrival {
    kind: Kind,
    number: u64,
    is_over: bool,
}

impl Arrival {
    pub(super) fn of(kind: Kind, number: u64) -> Self {
        WAITS.with_borrow_mut(|waits| waits.of(kind).begin(number));
        Self {
            kind,
            number,
            is_over: false,
        }
    }
}

fn ask(to: Pid, variant: &str, args: &[u8], wait_ms: Option<u64>) -> Result<Coming, CallError> {
    host::ask(to, variant, args, wait_ms).map(reply)
}

fn ask_entity(to: &Entity, variant: &str, args: &[u8], wait_ms: Option<u64>) -> Result<Coming, CallError> {
    host::ask_entity(to, variant, args, wait_ms).map(reply)
}

fn reply(token: u64) -> Coming {
    Box::pin(Arrival::of(Kind::Reply, token))
}

fn wake_after(ms: u64) -> Result<Coming, TimerError> {
    let timer = host::wake_after(ms)?;
    Ok(Box::pin(Arrival::of(Kind::Wake, timer)))
}

impl Future for Arrival {
    type Output = Arrived;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Arrived> {
        let waker = context.waker().clone();
        // A waker is dropped when nothing is borrowed: it may be all that has kept something that drops another wait.
        let (polled, _waker) = WAITS.with_borrow_mut(|waits| waits.of(self.kind).poll(self.number, waker));
        self.is_over = polled.is_ready();
        polled
    }
}

impl Drop for Arrival {
    fn drop(&mut self) {
        if self.is_over {
            return;
        }
        // As above, it is dropped when nothing is borrowed.
        let was = WAITS.with_borrow_mut(|waits| waits.of(self.kind).give_up(self.number));
        if matches!(was, Stage::Waits(_)) {
            match self.kind {
                Kind::Reply => host::cancel_ask(self.number),
                Kind::Wake => host::cancel_wake(self.number),
            }
        }
    }
}

/// The host brings something. Whoever waits for it is woken.
pub(super) fn settle(kind: Kind, number: u64, arrived: Arrived) {
    let waker = WAITS.with_borrow_mut(|waits| waits.of(kind).settle(number, arrived));
    if let Some(waker) = waker {
        waker.wake();
    }
}

/// Whether anything can come.
pub(super) fn is_waiting() -> bool {
    WAITS.with_borrow(|waits| waits.replies.is_waiting() || waits.wakes.is_waiting())
}

/// How many waits take up memory.
#[cfg(test)]
pub(super) fn kept() -> usize {
    WAITS.with_borrow(|waits| waits.replies.waits.len() + waits.wakes.waits.len())
}
