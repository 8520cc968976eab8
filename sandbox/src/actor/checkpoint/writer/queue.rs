//! What waits to be written, and when: a machine without a clock, a task or a disk of its own.
//!
//! States, times and what became of attempts go in through `handle_*`; attempts, the time of the next and what is to be said
//! come out through `poll_*`. The writer above carries them out; the simulation of whole nodes does, too.

use std::collections::{BTreeMap, BTreeSet, HashMap, btree_map};
use std::ops::Bound;
use std::time::{Duration, Instant};

use super::attempt::{Backoff, Job, Jobs, Outcome};
use crate::actor::checkpoint::store::{Entry, Moment, StoreError};

/// Of states that wait to be written, all actors' together. Beyond it checkpoints are left out, which the actor's next one
/// makes up for; its last one waits for room.
pub(super) const MOST_WAITING_BYTES: usize = 256 << 20;

/// Of states that are written together: a disk that is slow has written some of them when the time of a stop is over.
pub(super) const BATCH_BYTES: usize = 16 << 20;

/// The multiple of the patience of a stop that it may take altogether, as long as states are being written.
const MOST_PATIENCE: u32 = 6;

/// Which of its states an actor brings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// One of many.
    Passing,
    /// The last.
    Last,
}

/// What is to be done in the store now.
#[derive(Debug)]
pub struct Attempt {
    /// What is to be written or removed, by actor.
    pub jobs: Jobs,
    /// Where it begins when it goes one by one, so that none is always the last.
    pub first: usize,
}

/// What is worth saying.
#[derive(Debug)]
pub enum News {
    /// This many checkpoints were not taken, for want of room.
    LeftOut(u64),
    /// An attempt failed, after one that didn't; this many states wait.
    Fails(StoreError, usize),
    /// One more failed.
    StillFails(StoreError, usize),
    /// All that failed is written, after so long; the last attempt wrote this many.
    Works(Duration, usize),
}

/// See the module.
#[derive(Debug, Default)]
pub struct Queue {
    /// By actor.
    waiting: BTreeMap<String, Job>,
    /// What the attempt that is under way writes.
    writing: BTreeMap<String, Job>,
    is_writing: bool,
    bytes: usize,
    /// Since when the node stops.
    ending: Option<Instant>,
    finish: Option<Finish>,
    left_out: u64,
    /// Since when the store fails.
    failing: Option<Instant>,
    /// Actors whose last attempt failed.
    unlucky: BTreeSet<String>,
    backoff: Backoff,
    /// The next attempt is not before this.
    due: Option<Instant>,
    /// See [`Attempt::first`].
    first: usize,
    /// The actor whose turn it was last, so that one that fails is not always the next.
    turn_of: String,
    /// When the newest state of each actor was taken that came here. One that comes late is no news.
    newest: HashMap<String, Moment>,
    /// Checkpoints that are to be held with the actor's next one.
    held: HashMap<String, Vec<u64>>,
    /// Actors whose last states are not here.
    unkept: BTreeSet<String>,
    news: Vec<News>,
}

/// The end of the wait for the last writes.
#[derive(Debug, Clone, Copy)]
struct Finish {
    patience: Duration,
    /// Without a success. Each one puts it off.
    until: Instant,
    /// Whatever succeeds.
    at_last: Instant,
}

impl Queue {
    /// Takes a checkpoint to be written: once this has returned true, it is kept or a newer one is. False if too much waits.
    pub fn handle_passing(&mut self, entry: Entry, moment: Moment) -> bool {
        let before = self.waiting.get(&entry.actor).map_or(0, Job::bytes);
        let after = (self.bytes - before).saturating_add(entry.checkpoint.state.len());
        // A state that is alone is taken however large it is, or it could never be written.
        if after > MOST_WAITING_BYTES && self.bytes > before {
            self.left_out += 1;
            return false;
        }
        self.accept(entry, moment, Turn::Passing);
        true
    }

    /// Takes the last checkpoint of an actor, whatever waits.
    pub fn handle_last(&mut self, entry: Entry, moment: Moment) {
        self.accept(entry, moment, Turn::Last);
    }

    /// While the node stops, only an actor's last state counts as the one that is expected.
    fn accept(&mut self, mut entry: Entry, moment: Moment, turn: Turn) {
        // Before its age is looked at: if a newer one is here, that one is what is kept of the actor.
        if turn == Turn::Last || self.ending.is_none() {
            self.unkept.remove(&entry.actor);
        }
        if self.newest.get(&entry.actor).is_some_and(|newest| *newest > moment) {
            // Somebody was slow to bring it.
            return;
        }
        self.newest.insert(entry.actor.clone(), moment);
        if let Some(held) = self.held.get(&entry.actor) {
            entry.hold.extend(held);
        }
        let actor = entry.actor.clone();
        let job = Job {
            forgets: false,
            entry: Some(entry),
        };
        self.enqueue(actor, job);
    }

    /// All checkpoints of an actor are given up, and what waits to be written of it.
    pub(super) fn handle_forget(&mut self, actor: &str, moment: Moment) {
        // A state from before is news no more: a slow task must not bring back what was given up.
        self.newest.insert(actor.to_owned(), moment);
        self.held.remove(actor);
        let job = Job {
            forgets: true,
            entry: None,
        };
        self.enqueue(actor.to_owned(), job);
    }

    /// The actor's code can't take this checkpoint over: it stays beside those that come, until they are all given up.
    pub(super) fn handle_hold(&mut self, actor: &str, number: u64) {
        self.held.entry(actor.to_owned()).or_default().push(number);
    }

    /// The node stops: from these actors there will be one more state each.
    pub fn handle_ending(&mut self, actors: impl IntoIterator<Item = String>, now: Instant) {
        self.ending.get_or_insert(now);
        self.unkept.extend(actors);
        // The wait was for a node that goes on; there is little time from here.
        self.due = None;
    }

    /// An actor that was to bring its last state won't.
    pub(super) fn handle_unkept(&mut self, actor: String) {
        self.unkept.insert(actor);
    }

    /// An actor will bring no last state, because it has none.
    pub(super) fn handle_none(&mut self, actor: &str) {
        self.unkept.remove(actor);
    }

    /// All actors have ended: what waits now is all there is, and has until `patience` passes without a success.
    pub fn handle_finish(&mut self, patience: Duration, now: Instant) {
        self.handle_ending([], now);
        self.finish = Some(Finish {
            patience,
            until: now + patience,
            at_last: now + patience.saturating_mul(MOST_PATIENCE),
        });
    }

    /// The attempt is over. `random`, from 0 to 1, keeps nodes that share a disk from keeping step.
    pub fn handle_outcome(&mut self, outcome: Outcome, random: f64, now: Instant) {
        let Outcome { left, error } = outcome;
        self.is_writing = false;
        let written = self.writing.len() - left.len();
        self.first = self.first.wrapping_add(written).wrapping_add(1);
        self.put_back(left);
        if written > 0
            && let Some(finish) = &mut self.finish
        {
            finish.until = now + finish.patience;
        }
        match error {
            None => self.works(written, now),
            Some(error) => self.fails(error, random, now),
        }
    }

    /// What is to be written now, if anything. Nothing more comes until its outcome is handled.
    pub fn poll_attempt(&mut self, now: Instant) -> Option<Attempt> {
        // One attempt at a time: two could write states of one actor in the wrong order.
        if self.is_writing || self.waiting.is_empty() || self.due.is_some_and(|due| due > now) {
            return None;
        }
        if self.left_out > 0 {
            let left_out = std::mem::take(&mut self.left_out);
            self.news.push(News::LeftOut(left_out));
        }
        (self.is_writing, self.due) = (true, None);
        let mut bytes = 0;
        // Asked before each and not after it, so that a state which is larger by itself is a batch, too.
        while bytes < BATCH_BYTES
            && let Some((actor, job)) = self.pop()
        {
            bytes += job.bytes();
            self.writing.insert(actor, job);
        }
        Some(Attempt {
            jobs: self.writing.clone().into_iter().collect(),
            first: self.first,
        })
    }

    /// When to ask for an attempt again, if something waits for its time.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.due.filter(|_| !self.is_writing && !self.waiting.is_empty())
    }

    /// What is worth saying, and was not given before.
    pub fn poll_news(&mut self) -> Option<News> {
        (!self.news.is_empty()).then(|| self.news.remove(0))
    }

    /// When the wait for the last writes is given up. None before it has begun.
    pub fn finishes_at(&self) -> Option<Instant> {
        self.finish.map(|finish| finish.until.min(finish.at_last))
    }

    /// True if nothing waits, nor is being written.
    pub fn is_idle(&self) -> bool {
        self.waiting.is_empty() && !self.is_writing
    }

    /// Of states that wait or are being written.
    #[cfg(test)]
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// True while an attempt is under way.
    #[cfg(test)]
    pub(super) fn is_writing(&self) -> bool {
        self.is_writing
    }

    /// True from an attempt that failed until everything that failed is written.
    #[cfg(test)]
    pub(super) fn is_failing(&self) -> bool {
        self.failing.is_some()
    }

    /// False if an actor that can wait should.
    pub fn has_room(&self) -> bool {
        self.bytes < MOST_WAITING_BYTES
    }

    /// Since when the node stops.
    pub fn ending(&self) -> Option<Instant> {
        self.ending
    }

    /// What is to be done for this actor.
    pub fn unwritten(&self, actor: &str) -> Option<Job> {
        self.waiting.get(actor).or_else(|| self.writing.get(actor)).cloned()
    }

    /// The actors whose newest state is not written, by name: those that wait still, and those of which there was none.
    pub fn unkept(&self) -> Vec<String> {
        let unwritten = self.waiting.iter().chain(&self.writing);
        let unwritten = unwritten.filter(|(_, job)| job.entry.is_some()).map(|(actor, _)| actor);
        let names: BTreeSet<&String> = unwritten.chain(&self.unkept).collect();
        names.into_iter().cloned().collect()
    }

    fn enqueue(&mut self, actor: String, job: Job) {
        self.bytes += job.bytes();
        let place = self.waiting.entry(actor).or_default();
        let older = std::mem::replace(place, job);
        self.bytes -= older.bytes();
        // What is to be given up is, also if something is to be kept by now.
        place.forgets |= older.forgets;
    }

    /// The job of the actor whose turn is next.
    fn pop(&mut self) -> Option<(String, Job)> {
        let after = (Bound::Excluded(self.turn_of.as_str()), Bound::Unbounded);
        // Around the circle of names, beginning behind the last: one that always fails comes no sooner than the
        // others.
        let mut next = self.waiting.range::<str, _>(after).chain(&self.waiting);
        let actor = next.next()?.0.clone();
        self.turn_of.clone_from(&actor);
        self.waiting.remove_entry(&actor)
    }

    /// What was not written waits again, unless something newer does.
    fn put_back(&mut self, left: Jobs) {
        let written = std::mem::take(&mut self.writing);
        // What waits again is counted again below, unless something newer has taken its place.
        self.bytes -= written.values().map(Job::bytes).sum::<usize>();
        for actor in written.keys() {
            self.unlucky.remove(actor);
        }
        for (actor, job) in left {
            self.unlucky.insert(actor.clone());
            match self.waiting.entry(actor) {
                btree_map::Entry::Occupied(mut newer) => newer.get_mut().forgets |= job.forgets,
                btree_map::Entry::Vacant(place) => {
                    self.bytes += job.bytes();
                    place.insert(job);
                }
            }
        }
        for (actor, job) in written {
            // What it was to hold is held now, unless it was not written.
            if let Some(entry) = job.entry
                && !self.waiting.contains_key(&actor)
                && let Some(held) = self.held.get_mut(&actor)
            {
                held.retain(|number| !entry.hold.contains(number));
                if held.is_empty() {
                    self.held.remove(&actor);
                }
            }
        }
    }

    fn fails(&mut self, error: StoreError, random: f64, now: Instant) {
        let states = self.waiting.len();
        let is_news = self.failing.is_none();
        self.failing.get_or_insert(now);
        self.news.push(if is_news {
            News::Fails(error, states)
        } else {
            News::StillFails(error, states)
        });
        self.due = Some(now + self.backoff.failed(self.ending.is_some(), random));
    }

    /// A batch was written. The store works if no other waits that failed before.
    fn works(&mut self, states: usize, now: Instant) {
        // A batch that was written proves nothing while another still fails: it would be news after each.
        if !self.unlucky.is_empty() {
            return;
        }
        self.backoff.succeeded();
        if let Some(since) = self.failing.take() {
            let after = now.saturating_duration_since(since);
            self.news.push(News::Works(after, states));
        }
    }
}
