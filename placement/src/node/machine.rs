//! The node itself: what it asks the store, and what it makes of the answers.

use std::collections::{BTreeMap, VecDeque};

use super::ending::Endings;
use super::event::{Event, LossReason};
use super::lease::Lease;
use super::owned::{Owned, Stage};
use super::{NodeConfig, Timing};
use crate::mutation::{Mutation, broken};
use crate::statement::{Answer, Outcome, Statement, StatementId, StoreFault};
use crate::words::{
    Applied, BootTime, Epoch, Generation, Incarnation, Member, ShardId, ShardRow, Standing, TypeSpec, View, ViewChanges,
};

/// How far a node has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// It isn't listed yet.
    Joining,
    /// It is listed and reads everything.
    Reading,
    Live,
    /// Others have ended it, or it has left.
    Over,
}

/// A statement that was sent.
#[derive(Debug)]
pub(super) struct Sent {
    pub(super) statement: Statement,
    at: BootTime,
    times_out: BootTime,
}

/// One incarnation of a node.
#[derive(Debug)]
pub struct Node {
    pub(super) me: Member,
    pub(super) types: Vec<TypeSpec>,
    pub(super) timing: Timing,
    pub(super) config: NodeConfig,
    pub(super) phase: Phase,
    pub(super) lease: Lease,
    pub(super) view: View,
    generation: Option<Generation>,
    pub(super) endings: Endings,
    pub(super) owned: BTreeMap<ShardId, Owned>,
    /// When a node was seen to appear.
    pub(super) last_join: BootTime,
    /// Something is different since plans were made.
    pub(super) is_changed: bool,
    /// The plan moves shards for balance, and it is too early for that.
    pub(super) wants_balance: bool,
    /// Not before this is anything but a renewal tried again.
    pub(super) retry_at: Option<BootTime>,
    /// What has to be asked again.
    pub(super) repeat: Vec<Statement>,
    next_renewal: Option<BootTime>,
    next_id: u64,
    sent: BTreeMap<StatementId, Sent>,
    outbox: VecDeque<Statement>,
    events: VecDeque<Event>,
}

impl Node {
    /// Begins to join.
    pub fn new(config: NodeConfig, now: BootTime) -> Self {
        let join = Statement::Join {
            member: config.member.clone(),
            lease: config.timing.lease,
        };
        Self {
            me: config.member.clone(),
            types: config.types.clone(),
            timing: config.timing,
            phase: Phase::Joining,
            lease: Lease::new(config.timing),
            view: View::new(&config.types),
            config,
            generation: None,
            endings: Endings::default(),
            owned: BTreeMap::new(),
            last_join: now,
            is_changed: false,
            wants_balance: false,
            retry_at: None,
            repeat: Vec::new(),
            next_renewal: None,
            next_id: 0,
            sent: BTreeMap::new(),
            outbox: VecDeque::from([join]),
            events: VecDeque::new(),
        }
    }

    /// The node's incarnation.
    pub fn incarnation(&self) -> Incarnation {
        self.me.incarnation
    }

    /// What it knows of the cluster.
    pub fn view(&self) -> &View {
        &self.view
    }

    /// True once this incarnation has been ended or has left.
    pub fn is_over(&self) -> bool {
        self.phase == Phase::Over
    }

    /// The next statement to send, which counts as sent at `now`.
    pub fn poll_statement(&mut self, now: BootTime) -> Option<(StatementId, Statement)> {
        let statement = self.outbox.pop_front()?;
        let id = StatementId(self.next_id);
        self.next_id += 1;
        let timeout = match statement {
            Statement::Renew { .. } => self.timing.renew_timeout,
            _ => self.timing.statement_timeout,
        };
        let sent = Sent {
            statement: statement.clone(),
            at: now,
            times_out: now.after(timeout),
        };
        self.sent.insert(id, sent);
        Some((id, statement))
    }

    /// The next thing that happened.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// When [`Node::handle_timeout`] is due.
    pub fn poll_timeout(&self) -> Option<BootTime> {
        if self.is_over() {
            return None;
        }
        let serves = |owned: &Owned| matches!(owned.stage, Stage::Serving | Stage::Stopping { .. });
        let is_serving = || self.owned.values().any(serves) && !broken(Mutation::DeadlineIgnoredAtTake);
        let deadline = self.lease.deadline().filter(|_| is_serving());
        // Planned already, and waiting for an answer of the store.
        let rebalance = self.next_rebalance().filter(|_| !self.is_changed);
        let answers = self.sent.values().map(|sent| sent.times_out);
        let others = [deadline, self.next_renewal, self.retry_at, rebalance];
        answers.chain(others.into_iter().flatten()).min()
    }

    /// Time has passed.
    pub fn handle_timeout(&mut self, now: BootTime) {
        let late = self.sent.iter().filter(|(_, sent)| sent.times_out <= now);
        let late: Vec<_> = late.map(|(id, _)| *id).collect();
        for id in late {
            let sent = self.take_sent(id);
            if let Some(sent) = sent {
                self.fault(sent, StoreFault::Unknown, now);
            }
        }
        self.suspend_if_due(now);
        self.renew_if_due(now);
        if self.retry_at.is_some_and(|at| at <= now) || self.next_rebalance().is_some_and(|at| at <= now) {
            self.retry_at = None;
            self.is_changed = true;
        }
        self.reconsider(now);
    }

    /// What is known of a statement that was given up: an answer that comes after that changes nothing.
    fn take_sent(&mut self, id: StatementId) -> Option<Sent> {
        if broken(Mutation::ViewGoesBack) {
            let Sent {
                statement,
                at,
                times_out,
            } = self.sent.get_mut(&id)?;
            let (statement, at, before) = (statement.clone(), *at, *times_out);
            *times_out = BootTime(u64::MAX);
            return (before != *times_out).then_some(Sent {
                statement,
                at,
                times_out: before,
            });
        }
        self.sent.remove(&id)
    }

    /// What came of a statement.
    pub fn handle_outcome(&mut self, id: StatementId, result: Result<Answer, StoreFault>, now: BootTime) {
        let Some(sent) = self.sent.remove(&id) else {
            return;
        };
        if self.is_over() {
            return;
        }
        // First of all: what the answer says about shards may not be acted on with a lease that has run out.
        self.suspend_if_due(now);
        match result {
            Err(fault) => self.fault(sent, fault, now),
            Ok(answer) if self.generation.is_some_and(|known| known != answer.generation) => {
                self.change_generation(answer.generation, now);
            }
            Ok(answer) => {
                self.generation = Some(answer.generation);
                self.conclude(sent, answer.outcome, now);
            }
        }
        self.reconsider(now);
    }

    fn conclude(&mut self, sent: Sent, outcome: Outcome, now: BootTime) {
        match (sent.statement, outcome) {
            (Statement::Join { .. }, _) => {
                self.phase = Phase::Reading;
                self.outbox.push_back(Statement::ReadAll);
            }
            (Statement::Renew { .. }, Outcome::Renewed { is_renewed, changes }) => {
                self.renewed(sent.at, is_renewed, &changes, now);
            }
            (
                Statement::SetStanding {
                    standing: Standing::Ended,
                    ..
                },
                _,
            ) => {
                self.phase = Phase::Over;
                self.tell(Event::Left);
            }
            (Statement::End { incarnation }, Outcome::Ended { is_ended }) => self.ended(incarnation, is_ended, now),
            (Statement::Acquire { shards, .. }, Outcome::Acquired(rows)) => {
                if rows.len() < shards.len() {
                    self.retry_later(now);
                }
                self.take_rows(rows, now);
            }
            (Statement::Reclaim { shards, .. }, Outcome::Acquired(rows)) => {
                if rows.len() < shards.len() {
                    self.outbox.push_back(self.read_owned());
                }
                self.take_rows(rows, now);
            }
            (Statement::Release { shards, .. }, Outcome::Released) => self.released(&shards, now),
            (Statement::ReadOwned { .. }, Outcome::Owned { is_listed, shards }) => {
                self.owned_read(is_listed, shards, now);
            }
            (Statement::ReadAll, Outcome::All(changes)) => self.all_read(&changes, now),
            _ => {}
        }
    }

    fn fault(&mut self, sent: Sent, fault: StoreFault, now: BootTime) {
        match sent.statement {
            Statement::Renew { .. } => {
                self.lease.miss();
                self.next_renewal = Some(now.after(self.timing.retry_after));
            }
            Statement::Join { .. } | Statement::ReadAll | Statement::SetStanding { .. } if self.is_over() => {}
            // A pause, or a store that refuses everything would be asked without end.
            Statement::Join { .. } | Statement::ReadAll | Statement::SetStanding { .. } => {
                self.repeat.push(sent.statement);
                self.retry_later(now);
            }
            Statement::Acquire { .. } | Statement::Reclaim { .. } if fault == StoreFault::Unknown => {
                // It may have been carried out: what is ours is read, and taken from there.
                self.repeat.push(self.read_owned());
                self.retry_later(now);
            }
            Statement::End { incarnation } => {
                self.endings.concluded(incarnation);
                self.retry_later(now);
            }
            _ => self.retry_later(now),
        }
    }

    pub(super) fn retry_later(&mut self, now: BootTime) {
        let at = now.after(self.timing.retry_after);
        self.retry_at = Some(self.retry_at.map_or(at, |before| before.min(at)));
    }

    fn renew_if_due(&mut self, now: BootTime) {
        if self.next_renewal.is_none_or(|at| at > now) {
            return;
        }
        // One at a time. What comes of the one that is on its way says when the next one is due.
        self.next_renewal = None;
        if !self.is_sent(|statement| matches!(statement, Statement::Renew { .. })) {
            self.outbox.push_back(Statement::Renew {
                incarnation: self.me.incarnation,
                lease: self.timing.lease,
                since: self.view.revision(),
                fading_below: self.timing.renew_every * 2,
            });
        }
    }

    /// True if such a statement is waiting to be sent or answered.
    pub(super) fn is_sent(&self, which: impl Fn(&Statement) -> bool) -> bool {
        self.outbox.iter().any(&which) || self.sent.values().any(|sent| which(&sent.statement))
    }

    pub(super) fn send(&mut self, statement: Statement) {
        self.outbox.push_back(statement);
    }

    pub(super) fn tell(&mut self, event: Event) {
        self.events.push_back(event);
    }

    fn read_owned(&self) -> Statement {
        Statement::ReadOwned {
            incarnation: self.me.incarnation,
        }
    }

    fn renewed(&mut self, sent: BootTime, is_renewed: bool, changes: &ViewChanges, now: BootTime) {
        if !is_renewed {
            return self.over();
        }
        self.lease.confirm(sent, now);
        let applied = self.view.apply(changes);
        self.endings.fading(&changes.fading, now);
        self.changed(applied, now);
        let pause = if self.endings.has_fading() {
            self.timing.retry_after
        } else {
            self.timing.renew_every.saturating_sub(now.since(sent))
        };
        self.next_renewal = Some(now.after(pause));
    }

    /// Others have ended this incarnation, or the store has lost it.
    fn over(&mut self) {
        self.lose_all(LossReason::Ended);
        self.owned.clear();
        self.phase = Phase::Over;
        self.outbox.clear();
        self.sent.clear();
        self.tell(Event::Ended);
    }

    /// The view has changed: what that means for this node's shards.
    pub(super) fn changed(&mut self, applied: Applied, now: BootTime) {
        self.is_changed |= !applied.is_nothing();
        if applied.joined {
            self.last_join = now;
        }
        for incarnation in applied.ended {
            self.endings.concluded(incarnation);
            self.tell(Event::NodeEnded(incarnation));
        }
        for row in applied.shards {
            self.own_row(row, now);
        }
    }

    fn all_read(&mut self, changes: &ViewChanges, now: BootTime) {
        if self.phase == Phase::Reading {
            self.phase = Phase::Live;
            self.next_renewal = Some(now);
            self.tell(Event::Joined);
        }
        let applied = self.view.apply(changes);
        self.changed(applied, now);
        self.owned.retain(|shard, owned| {
            let row = self.view.row(*shard);
            row.is_some_and(|row| row.owner == Some(self.me.incarnation) && row.epoch == owned.epoch)
        });
        self.renew_if_due(now);
    }

    fn owned_read(&mut self, is_listed: bool, rows: Vec<ShardRow>, now: BootTime) {
        if !is_listed {
            return self.over();
        }
        self.take_rows(rows, now);
        self.is_changed = true;
    }

    /// Rows that are this node's by an answer of the store.
    fn take_rows(&mut self, rows: Vec<ShardRow>, now: BootTime) {
        let changes = ViewChanges {
            shards: rows,
            ..ViewChanges::default()
        };
        let applied = self.view.apply(&changes);
        self.changed(applied, now);
    }

    /// The store is another one: nothing that is known of it holds any more.
    fn change_generation(&mut self, generation: Generation, now: BootTime) {
        self.generation = Some(generation);
        self.lose_all(LossReason::Generation);
        for owned in self.owned.values_mut() {
            owned.stage = Stage::Suspended;
        }
        self.sent.clear();
        self.outbox.clear();
        self.repeat.clear();
        self.endings = Endings::default();
        self.view = View::new(&self.types);
        // The lease may be among what was lost: the next renewal tells.
        self.lease = Lease::new(self.timing);
        self.next_renewal = Some(now);
        let statement = if self.phase == Phase::Joining {
            Statement::Join {
                member: self.config.member.clone(),
                lease: self.timing.lease,
            }
        } else {
            Statement::ReadAll
        };
        self.outbox.push_back(statement);
        self.tell(Event::GenerationChanged);
    }

    /// From when on this node may not act, unless a renewal is confirmed before. None while it may not.
    pub fn deadline(&self) -> Option<BootTime> {
        self.lease.deadline()
    }

    /// The epoch at which this node may take a message for the shard, if it may.
    pub fn may_take(&self, shard: ShardId, now: BootTime) -> Option<Epoch> {
        let owned = self.owned.get(&shard)?;
        let is_good = self.lease.is_good(now) || broken(Mutation::DeadlineIgnoredAtTake);
        let serves = owned.stage == Stage::Serving
            || (broken(Mutation::ServedAfterRelease) && matches!(owned.stage, Stage::Releasing { .. }));
        (serves && is_good).then_some(owned.epoch)
    }

    /// The epoch at which this node may release outputs of the shard's entities, if it may.
    pub fn may_release(&self, shard: ShardId, now: BootTime) -> Option<Epoch> {
        let owned = self.owned.get(&shard)?;
        let is_good = self.lease.is_good(now) || broken(Mutation::DeadlineIgnoredAtRelease);
        let serves = matches!(owned.stage, Stage::Serving | Stage::Stopping { .. });
        (serves && is_good).then_some(owned.epoch)
    }

    /// The node is about to stop: it gives away what it owns, and then leaves.
    pub fn handle_drain(&mut self, now: BootTime) {
        if self.me.standing == Standing::Live && !self.is_over() {
            self.me.standing = Standing::Draining;
            self.send(Statement::SetStanding {
                incarnation: self.me.incarnation,
                standing: Standing::Draining,
            });
            self.is_changed = true;
            self.reconsider(now);
        }
    }
}
