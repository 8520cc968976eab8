//! Transactions: one statement each, from its arrival to its commit.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::super::Time;
use super::super::random::Random;
use super::locks::Locks;
use super::rows::{Key, Rows, Value};
use super::statements::Target;
use crate::mutation::{Mutation, broken};
use crate::statement::{Answer, Statement, StatementId, StoreFault};
use crate::words::{Epoch, Generation, Incarnation, ShardId};

/// Who sent a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) struct Origin {
    pub(in super::super) node: usize,
    /// Which life of the node's process.
    pub(in super::super) life: u64,
    pub(in super::super) statement: StatementId,
}

/// Something that will happen at the store.
#[derive(Debug)]
pub(in super::super) enum StoreEvent {
    Arrive(Origin, Statement),
    Scan(u64),
    LockTimeout(u64, usize),
    Commit(u64),
}

/// An answer, on its way.
#[derive(Debug)]
pub(in super::super) struct StoreReply {
    pub(in super::super) to: Origin,
    pub(in super::super) result: Result<Answer, StoreFault>,
}

/// What was committed, for whoever checks it.
#[derive(Debug, Clone)]
pub(in super::super) enum Committed {
    Ended(Incarnation),
    Taken {
        by: Incarnation,
        key: Key,
        /// Who had it, if nobody had released it.
        from: Option<Incarnation>,
    },
    State {
        by: Incarnation,
        number: u32,
        shard: ShardId,
        epoch: Epoch,
        version: u64,
        before: Option<(Epoch, u64)>,
        bytes: Rc<Vec<u8>>,
    },
    Advanced {
        number: u32,
        due: u64,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// It locks the rows that it is about.
    Rows,
    /// It locks the rows of states, if it writes any.
    States,
}

#[derive(Debug)]
pub(super) struct Transaction {
    origin: Origin,
    pub(super) statement: Statement,
    pub(super) snapshot: u64,
    /// The oldest transaction that was open at its snapshot.
    pub(super) revision: u64,
    /// When it began, by the store's clock.
    pub(super) started: Time,
    step: Step,
    targets: Vec<Target>,
    next: usize,
    /// Rows that it has locked and whose condition holds.
    pub(super) passed: BTreeSet<Key>,
}

/// How a store behaves at the moment.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct Temper {
    /// What each step takes at most.
    pub(in super::super) step: Time,
    /// How many of a thousand steps take very long.
    pub(in super::super) late: u64,
    /// What those take at most.
    pub(in super::super) late_step: Time,
    /// It doesn't answer, or (true) it refuses.
    pub(in super::super) away: Option<bool>,
}

/// The store.
#[derive(Debug)]
pub(in super::super) struct Store {
    pub(super) rows: Rows,
    locks: Locks,
    active: BTreeMap<u64, Transaction>,
    next_xid: u64,
    pub(in super::super) generation: Generation,
    pub(in super::super) temper: Temper,
    /// How far its clock is from the simulation's.
    pub(in super::super) clock_offset: Time,
    pub(in super::super) now: Time,
    pub(in super::super) effects: Vec<(Time, StoreEvent)>,
    pub(in super::super) replies: Vec<StoreReply>,
    pub(in super::super) committed: Vec<Committed>,
}

/// The longest that a transaction waits for a lock.
const LOCK_TIMEOUT: Time = 1_000_000_000;

impl Store {
    pub(in super::super) fn new(rows: impl IntoIterator<Item = (Key, Value)>, temper: Temper) -> Self {
        let mut store = Self {
            rows: Rows::default(),
            locks: Locks::default(),
            active: BTreeMap::new(),
            next_xid: 2,
            generation: Generation { system: 7, timeline: 1 },
            temper,
            clock_offset: 1_000_000_000_000,
            now: 0,
            effects: Vec::new(),
            replies: Vec::new(),
            committed: Vec::new(),
        };
        let rows = rows.into_iter().map(|(key, value)| (key, value, true)).collect();
        store.rows.commit(1, rows, 0, 0);
        store
    }

    /// What the store's clock says.
    pub(in super::super) fn clock(&self) -> Time {
        self.now + self.clock_offset
    }

    pub(in super::super) fn latest(&self, key: Key) -> Option<&Value> {
        self.rows.latest(key).map(|(_, value)| value)
    }

    pub(in super::super) fn handle(&mut self, event: StoreEvent, now: Time, random: &mut Random) {
        self.now = now;
        match event {
            StoreEvent::Arrive(origin, statement) => self.arrive(origin, statement, random),
            StoreEvent::Scan(xid) => {
                if let Some(mut transaction) = self.active.remove(&xid) {
                    transaction.targets = self.targets(&transaction);
                    self.active.insert(xid, transaction);
                    self.go_on(xid, random);
                }
            }
            StoreEvent::LockTimeout(xid, at) => {
                if self.active.get(&xid).is_some_and(|waiting| waiting.next == at) {
                    self.abort(xid, StoreFault::Failed, random);
                }
            }
            StoreEvent::Commit(xid) => self.commit(xid, random),
        }
    }

    fn later(&mut self, event: StoreEvent, random: &mut Random) {
        let longest = if random.below(1_000) < self.temper.late {
            self.temper.late_step
        } else {
            self.temper.step
        };
        self.effects.push((self.now + random.below(longest), event));
    }

    fn arrive(&mut self, to: Origin, statement: Statement, random: &mut Random) {
        if let Some(refuses) = self.temper.away {
            if refuses {
                let result = Err(StoreFault::Failed);
                self.replies.push(StoreReply { to, result });
            }
            return;
        }
        let xid = self.next_xid;
        self.next_xid += 1;
        let revision = self.active.keys().next().copied().unwrap_or(xid);
        let transaction = Transaction {
            origin: to,
            statement,
            snapshot: self.rows.last_commit,
            revision,
            started: self.clock(),
            step: Step::Rows,
            targets: Vec::new(),
            next: 0,
            passed: BTreeSet::new(),
        };
        self.active.insert(xid, transaction);
        self.later(StoreEvent::Scan(xid), random);
    }

    /// Locks what is left to lock; then the transaction only has to commit.
    fn go_on(&mut self, xid: u64, random: &mut Random) {
        while let Some(transaction) = self.active.get_mut(&xid) {
            if let Some(target) = transaction.targets.get(transaction.next).copied() {
                let no_lock = broken(Mutation::FenceWithoutLock) && target.mode == super::locks::Mode::Shared;
                if !no_lock && !self.locks.ask(target.key, target.mode, xid, target.waits) {
                    if target.waits {
                        let at = transaction.next;
                        self.effects
                            .push((self.now + LOCK_TIMEOUT, StoreEvent::LockTimeout(xid, at)));
                        return;
                    }
                    transaction.next += 1;
                    continue;
                }
                self.locked(xid, target, no_lock);
            } else if transaction.step == Step::Rows {
                transaction.step = Step::States;
                let Some(transaction) = self.active.get(&xid) else {
                    return;
                };
                let more = self.state_targets(transaction);
                if let Some(transaction) = self.active.get_mut(&xid) {
                    transaction.targets.extend(more);
                }
            } else {
                return self.later(StoreEvent::Commit(xid), random);
            }
        }
    }

    /// A transaction has a lock: its condition is looked at again, if somebody has changed the row since the snapshot.
    fn locked(&mut self, xid: u64, target: Target, no_lock: bool) {
        let Some(mut transaction) = self.active.remove(&xid) else {
            return;
        };
        let row = self.rows.latest(target.key);
        let is_old = row.is_some_and(|(commit, _)| commit > transaction.snapshot) && !no_lock;
        let row = row.map(|(_, value)| value);
        let is_condition = transaction.step == Step::Rows;
        if !is_condition || !is_old || self.holds(&transaction, target.key, row) {
            transaction.passed.insert(target.key);
        }
        transaction.next += 1;
        self.active.insert(xid, transaction);
    }

    fn commit(&mut self, xid: u64, random: &mut Random) {
        let Some(transaction) = self.active.get(&xid) else {
            return;
        };
        let mut notes = Vec::new();
        let writes = self.writes(transaction, &mut notes);
        let outcome = self.outcome(transaction, &writes);
        let (to, generation) = (transaction.origin, self.generation);
        self.replies.push(StoreReply {
            to,
            result: Ok(Answer { generation, outcome }),
        });
        let oldest = self.active.values().map(|one| one.snapshot).min().unwrap_or(0);
        if !writes.is_empty() {
            self.rows.commit(xid, writes, oldest, self.now);
        }
        self.committed.append(&mut notes);
        self.finish(xid, random);
    }

    /// The transaction is over: those who waited for it go on.
    fn finish(&mut self, xid: u64, random: &mut Random) {
        let Some(transaction) = self.active.remove(&xid) else {
            return;
        };
        let keys = transaction.targets.iter().map(|target| target.key);
        for woken in self.locks.release(xid, keys) {
            let Some(waiter) = self.active.get(&woken) else {
                continue;
            };
            if let Some(target) = waiter.targets.get(waiter.next).copied() {
                self.locked(woken, target, false);
                self.go_on(woken, random);
            }
        }
    }

    fn abort(&mut self, xid: u64, fault: StoreFault, random: &mut Random) {
        if let Some(transaction) = self.active.get(&xid) {
            let (to, result) = (transaction.origin, Err(fault));
            self.replies.push(StoreReply { to, result });
        }
        self.finish(xid, random);
    }

    /// The connection of a transaction ends.
    pub(in super::super) fn kill(&mut self, xid: u64, random: &mut Random) {
        self.abort(xid, StoreFault::Unknown, random);
    }

    /// All connections end; what hasn't committed never will, and nobody knows which is which.
    pub(in super::super) fn restart(&mut self, random: &mut Random) {
        // All at once: nobody gets a lock that another gives back.
        for (_, transaction) in std::mem::take(&mut self.active) {
            let result = Err(StoreFault::Unknown);
            let to = transaction.origin;
            self.replies.push(StoreReply { to, result });
        }
        self.locks = Locks::default();
        let _ = random;
    }

    /// A standby takes over. With asynchronous replication it lacks what was committed after that time.
    pub(in super::super) fn fail_over(&mut self, lost_since: Option<Time>, random: &mut Random) {
        self.restart(random);
        self.generation.timeline += 1;
        if let Some(time) = lost_since {
            self.rows.lose_since(time);
        }
    }
}
