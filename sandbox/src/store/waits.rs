//! Which guest waits for which: so that calls in a circle end at once instead of after a timeout.
//!
//! A guest that calls another one handles nothing until it has the reply. If that one waits, maybe through others, for a
//! reply of the first, none of them will ever come. A guest whose mailbox is held waits in the same way, for several replies
//! at once: any of them has it go on, so it is in a circle only if all of them are. Only guests of this process are seen;
//! what goes through a native actor or another node ends by its timeout. So does what only a timeout would end: a circle is told at once.
//! News of other actors are nothing to wait for here: an actor with children could always hear of one, and no circle that it is in
//! would be found.

use std::collections::{HashMap, HashSet};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use ractor::message::SerializedMessage;
use tokio::time::Instant;

use crate::directory::{NoReply, Reply};
use crate::sync::{LazyLock, Mutex, MutexGuard};

static WAITS: LazyLock<Mutex<HashMap<u64, Wait>>> = LazyLock::new(Mutex::default);

enum Wait {
    /// It stands still for one reply.
    Call { target: u64, reply: Shared },
    /// Its mailbox is held until one of these replies comes.
    Held(Arc<dyn Outstanding>),
}

/// A reply that its caller waits for and others may look at.
type Shared = Arc<Mutex<Reply<Vec<u8>>>>;

/// What a guest whose mailbox is held waits for.
pub(crate) trait Outstanding: Send + Sync {
    /// True if it waits for nothing but replies of guests, none of which has come, and `waits` is true for each of these guests. Asks no
    /// further after the first for which it is false.
    fn waits_for_all(&self, waits: &mut dyn FnMut(u64) -> bool) -> bool;

    /// When the last of them was sent. None if there is none.
    fn newest(&self) -> Option<Instant>;

    /// Ends the one that was sent last, because it is one in a circle, and takes its message back if that still waits for its turn:
    /// whoever is told that a call failed for a circle must not have it handled afterwards.
    fn end_newest(&self) -> Option<EndedAsk>;
}

/// What is left of an ask that was ended. To be dropped outside of any lock, because that may wake somebody.
#[expect(dead_code, reason = "held for its end alone")]
pub(crate) struct EndedAsk {
    pub(crate) reply: Option<Reply<Vec<u8>>>,
    pub(crate) message: Option<SerializedMessage>,
}

/// The call would be one in a circle.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Circle;

/// The wait of one guest for a reply of another: the reply, or why there is none.
pub(crate) struct Waiting {
    caller: u64,
    reply: Shared,
}

impl Waiting {
    /// The guest `caller` begins to wait for a reply of the guest `target`.
    ///
    /// # Errors
    /// `target` waits for `caller`.
    pub(crate) fn begin(caller: u64, target: u64, reply: Reply<Vec<u8>>) -> Result<Self, Circle> {
        // From the search to the entry: two that begin to wait for each other at once must not both find no circle.
        let mut waits = waits();
        let mut next = target;
        while next != caller {
            match waits.get(&next) {
                // One whose reply has come is about to go on, whether or not it has run since. Its entry is no wait
                // any more.
                Some(Wait::Call { target, reply }) if !reply.lock().has_come() => next = *target,
                // Several ways go on from here. Most calls never come to this.
                Some(Wait::Held(_)) if circle(&waits, caller, vec![next]).is_some() => return Err(Circle),
                _ => {
                    let reply = Arc::new(Mutex::new(reply));
                    let wait = Wait::Call {
                        target,
                        reply: reply.clone(),
                    };
                    waits.insert(caller, wait);
                    return Ok(Self { caller, reply });
                }
            }
        }
        Err(Circle)
    }
}

/// The wait of a guest whose mailbox is held, until it goes on.
#[derive(Debug)]
pub(crate) struct HeldWait(u64);

impl HeldWait {
    /// The mailbox of the guest `actor` is held from now on, until one of these comes. If all of them wait for it, one ask of the
    /// circle is ended: then there is something to go on with. It is the one that was sent last, whoever of the circle
    /// came to wait last, because that one has closed the circle, and its message is the one that nobody has begun to handle.
    pub(crate) fn begin(actor: u64, asks: Arc<dyn Outstanding>) -> Self {
        let mut waits = waits();
        let mut ways = Vec::new();
        let may_be_circle = asks.waits_for_all(&mut |target| {
            // Many asks may be to one actor.
            if ways.last() != Some(&target) {
                ways.push(target);
            }
            target == actor || waits.contains_key(&target)
        });
        let circle = may_be_circle.then(|| circle(&waits, actor, ways)).flatten();
        waits.insert(actor, Wait::Held(asks));
        // Still with the lock: if two look at once, one of them must find that the other goes on.
        let ended = circle.and_then(|members| newest(&waits, &members)?.end_newest());
        drop(waits);
        drop(ended);
        Self(actor)
    }
}

impl Drop for HeldWait {
    fn drop(&mut self) {
        let entry = waits().remove(&self.0);
        // Outside of the lock: it may be the last that holds the asks.
        drop(entry);
    }
}

/// Everybody who can be reached on these ways, with `caller`, if none of them can go on before `caller` does.
fn circle(waits: &HashMap<u64, Wait>, caller: u64, mut ways: Vec<u64>) -> Option<HashSet<u64>> {
    let mut seen = HashSet::from([caller]);
    while let Some(next) = ways.pop() {
        if !seen.insert(next) {
            continue;
        }
        let waits_too = match waits.get(&next)? {
            Wait::Call { target, reply } => {
                ways.push(*target);
                !reply.lock().has_come()
            }
            Wait::Held(asks) => asks.waits_for_all(&mut |target| {
                ways.push(target);
                target == caller || waits.contains_key(&target)
            }),
        };
        if !waits_too {
            return None;
        }
    }
    Some(seen)
}

/// The member of a circle that has sent the last of its asks.
fn newest<'a>(waits: &'a HashMap<u64, Wait>, members: &HashSet<u64>) -> Option<&'a dyn Outstanding> {
    let asking = members.iter().filter_map(|member| match waits.get(member)? {
        Wait::Held(asks) => Some((asks.newest()?, &**asks)),
        Wait::Call { .. } => None,
    });
    asking.max_by_key(|(newest, _)| *newest).map(|(_, asks)| asks)
}

impl Future for Waiting {
    type Output = Result<Vec<u8>, NoReply>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        // This lock alone. Whoever holds the other one may be waiting for this, never the other way round.
        Pin::new(&mut *self.reply.lock()).poll(cx)
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        // A guest waits for one thing at a time, so the entry is this one. The reply lives on in `self` until the
        // lock is free: dropping it may wake somebody.
        waits().remove(&self.caller);
    }
}

fn waits() -> MutexGuard<'static, HashMap<u64, Wait>> {
    WAITS.lock()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory::reply_port;

    /// Pids that no other test uses.
    const A: u64 = u64::MAX - 1;
    const B: u64 = u64::MAX - 2;
    const C: u64 = u64::MAX - 3;

    #[tokio::test]
    async fn a_circle_is_found_by_the_one_who_would_close_it() {
        let (to_a, a) = reply_port(None);
        let (to_b, b) = reply_port(None);
        let a = Waiting::begin(A, B, a).ok().unwrap();
        let b = Waiting::begin(B, C, b).ok().unwrap();
        let begin = |caller, target| Waiting::begin(caller, target, reply_port(None).1).map(drop);
        assert_eq!(begin(C, A), Err(Circle), "A waits for B, B for C");
        assert_eq!(begin(C, C), Err(Circle), "of one");

        // Whoever has its reply doesn't wait any more, even if it hasn't noticed.
        to_b.send(vec![1]).unwrap();
        assert_eq!(begin(C, A), Ok(()));
        assert_eq!(b.await, Ok(vec![1]), "a look at the reply doesn't take it");
        drop(to_a);
        assert_eq!(begin(B, A), Ok(()), "who will have no reply doesn't wait either");
        assert_eq!(a.await, Err(NoReply::Dropped));
    }
}
