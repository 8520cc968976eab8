//! Whether what many callers saw of one entity could have come of one call after the other: the search of Wing and Gong, which remembers
//! where it has been, as Lowe added to it.
//!
//! It is written here because the tester of the crate stateright doesn't remember where it has been, so that some dozen calls whose outcome
//! nobody knows take it for ever, and because that crate can't be had without its web server.

use std::collections::HashSet;
use std::fmt::{Debug, Write as _};
use std::hash::Hash;

/// The steps of a search after which nothing is known.
const STEPS: usize = 5_000_000;

/// The calls that are shown of those among which a history goes wrong.
const SHOWN: usize = 12;

/// What an entity does when one call comes after the other.
pub(crate) trait Model: Clone + Debug + Eq + Hash {
    /// What it is asked.
    type Call: Clone + Debug;
    /// What it says.
    type Reply: Clone + Debug + PartialEq;

    /// The entity after a call, and its reply.
    fn after(&self, call: &Self::Call) -> (Self, Self::Reply);
}

/// A call as its caller saw it. Times are in microseconds since the beginning of the run.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Operation<Call, Reply> {
    pub(crate) client: usize,
    pub(crate) call: Call,
    pub(crate) called_at: u64,
    /// None if nobody knows whether it was handled: it may be at any later time, or never.
    pub(crate) returned: Option<Returned<Reply>>,
}

/// The end of a call that was handled.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Returned<Reply> {
    pub(crate) at: u64,
    pub(crate) reply: Reply,
}

/// An operation of the entities of a model.
pub(crate) type Of<M> = Operation<<M as Model>::Call, <M as Model>::Reply>;

/// What the search came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// There is an order in which every reply is what it has to be.
    Linearizable,
    /// There is none. The text has the longest beginning of one, and what could come next.
    Wrong(String),
    /// The search took too long.
    Undecided,
}

/// Looks for an order of these calls, from this state on, in which each call lies between its beginning and its end, and every reply that
/// was seen is right.
pub(crate) fn check<M: Model>(initial: &M, operations: &[Of<M>]) -> Verdict {
    let mut sorted: Vec<&Of<M>> = operations.iter().collect();
    sorted.sort_by_key(|operation| operation.called_at);
    Search::new(initial, sorted).run()
}

/// The calls that are in the order so far, a bit for each.
type Done = Vec<u64>;

/// A place in the search.
struct Place<M> {
    state: M,
    /// The calls that may come next, and how many of them were tried.
    next: Vec<usize>,
    tried: usize,
}

struct Search<'a, M: Model> {
    /// By their beginnings.
    operations: Vec<&'a Of<M>>,
    done: Done,
    /// The completed calls that aren't in the order yet.
    left: usize,
    order: Vec<usize>,
    places: Vec<Place<M>>,
    seen: HashSet<(Done, M)>,
    /// The longest order so far, and the state at its end.
    longest: (Vec<usize>, M),
}

impl<'a, M: Model> Search<'a, M> {
    fn new(initial: &M, operations: Vec<&'a Of<M>>) -> Self {
        let left = operations.iter().filter(|one| one.returned.is_some()).count();
        let done = vec![0; operations.len().div_ceil(64)];
        Self {
            operations,
            done,
            left,
            order: Vec::new(),
            places: Vec::new(),
            seen: HashSet::new(),
            longest: (Vec::new(), initial.clone()),
        }
    }

    fn run(mut self) -> Verdict {
        self.enter(self.longest.1.clone());
        for _ in 0..STEPS {
            if self.left == 0 {
                return Verdict::Linearizable;
            }
            let Some(place) = self.places.last_mut() else {
                return Verdict::Wrong(self.told());
            };
            let Some(next) = place.next.get(place.tried).copied() else {
                self.leave();
                continue;
            };
            place.tried += 1;
            let operation = self.operations[next];
            let (state, reply) = place.state.after(&operation.call);
            let is_right = operation.returned.as_ref().is_none_or(|seen| seen.reply == reply);
            if is_right {
                self.append(next, state);
            }
        }
        Verdict::Undecided
    }

    fn append(&mut self, next: usize, state: M) {
        self.flip(next);
        if !self.seen.insert((self.done.clone(), state.clone())) {
            self.flip(next);
            return;
        }
        self.left -= usize::from(self.operations[next].returned.is_some());
        self.order.push(next);
        if self.order.len() > self.longest.0.len() {
            self.longest = (self.order.clone(), state.clone());
        }
        self.enter(state);
    }

    fn enter(&mut self, state: M) {
        let next = self.candidates(&self.done);
        self.places.push(Place { state, next, tried: 0 });
    }

    /// Goes back by one call.
    fn leave(&mut self) {
        self.places.pop();
        if let Some(last) = self.order.pop() {
            self.flip(last);
            self.left += usize::from(self.operations[last].returned.is_some());
        }
    }

    fn flip(&mut self, at: usize) {
        self.done[at / 64] ^= 1 << (at % 64);
    }

    /// The calls that may come next: those that began before any other call that isn't in the order had ended. What ended first comes
    /// first, and those without an end last.
    fn candidates(&self, done: &Done) -> Vec<usize> {
        let mut first_end = u64::MAX;
        let mut found = Vec::new();
        for (at, operation) in self.operations.iter().enumerate() {
            if operation.called_at > first_end {
                break;
            }
            if done[at / 64] & (1 << (at % 64)) == 0 {
                let end = end_of(operation);
                first_end = first_end.min(end);
                found.push((end, at));
            }
        }
        found.sort_unstable();
        found.into_iter().map(|(_, at)| at).collect()
    }

    /// Where the longest order ends, for whoever looks for the reason.
    fn told(&self) -> String {
        let (order, state) = &self.longest;
        let mut done: Done = vec![0; self.done.len()];
        for at in order {
            done[at / 64] |= 1 << (at % 64);
        }
        let mut text = format!(
            "no order explains more than {} of {} calls;",
            order.len(),
            self.operations.len()
        );
        let mut line = |what: &str, at: usize| {
            let operation = self.operations[at];
            let reply = operation.returned.as_ref().map(|seen| &seen.reply);
            let (from, to) = (operation.called_at, end_of(operation));
            let (client, call) = (operation.client, &operation.call);
            let to = if to == u64::MAX { "?".to_owned() } else { to.to_string() };
            // Into a text, which takes everything.
            write!(text, "\n  {what} {from}..{to} client {client}: {call:?} -> {reply:?}").ok();
        };
        for at in order.iter().rev().take(SHOWN).rev() {
            line("before", *at);
        }
        for at in self.candidates(&done).into_iter().take(SHOWN) {
            line("next?", at);
        }
        write!(text, "\n  the state between these: {state:?}").ok();
        text
    }
}

fn end_of<Call, Reply>(operation: &Operation<Call, Reply>) -> u64 {
    operation.returned.as_ref().map_or(u64::MAX, |returned| returned.at)
}
