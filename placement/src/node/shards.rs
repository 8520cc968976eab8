//! What this node takes, keeps, gives away and loses.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::event::{Event, LossReason};
use super::machine::{Node, Phase};
use super::owned::{Owned, Stage};
use crate::assign::Candidate;
use crate::mutation::{Mutation, broken};
use crate::statement::Statement;
use crate::words::{BootTime, Epoch, Incarnation, Member, ShardId, ShardRow, Standing, TypeId, TypeSpec, ViewChanges};

/// The most shards in one statement.
const SHARDS_PER_STATEMENT: usize = 1_024;

/// The part of its shards that a node which leaves gives away at a time, as a divisor: the others serve meanwhile.
const LEAVING_PARTS: usize = 16;

impl Node {
    /// Does what has become possible.
    pub(super) fn reconsider(&mut self, now: BootTime) {
        // A pause after a fault: a store that refuses everything would be asked without end.
        if self.retry_at.is_some() || self.is_over() {
            return;
        }
        for statement in std::mem::take(&mut self.repeat) {
            self.send(statement);
        }
        if self.phase != Phase::Live || !self.lease.is_good(now) {
            return;
        }
        self.repeat_standing();
        self.reclaim();
        self.end_others(now);
        self.release_stopped();
        if std::mem::take(&mut self.is_changed) {
            self.wants_balance = false;
            for of in self.types.clone() {
                self.follow_plan(&of, now);
            }
        }
        self.leave_if_empty();
    }

    /// The standing may have been lost with the store that it was told to.
    fn repeat_standing(&mut self) {
        let listed = self.view.member(self.me.incarnation).map(|member| member.standing);
        let is_asked = self.is_sent(|statement| matches!(statement, Statement::SetStanding { .. }));
        if self.me.standing == Standing::Draining && listed == Some(Standing::Live) && !is_asked {
            self.set_standing(Standing::Draining);
        }
    }

    fn set_standing(&mut self, standing: Standing) {
        self.send(Statement::SetStanding {
            incarnation: self.me.incarnation,
            standing,
        });
    }

    fn leave_if_empty(&mut self) {
        let takes = |statement: &Statement| {
            matches!(
                statement,
                Statement::Acquire { .. } | Statement::Reclaim { .. } | Statement::SetStanding { .. }
            )
        };
        if self.me.standing == Standing::Draining && self.owned.is_empty() && !self.is_sent(takes) {
            self.set_standing(Standing::Ended);
        }
    }

    /// The shards in this stage, by `epoch`, as many as fit into a statement.
    fn in_stage(&self, is_in: impl Fn(&Owned) -> bool) -> Vec<(ShardId, Epoch)> {
        let shards = self.owned.iter().filter(|(_, owned)| is_in(owned));
        let shards = shards.map(|(shard, owned)| (*shard, owned.epoch));
        shards.take(SHARDS_PER_STATEMENT).collect()
    }

    /// Goes on with what the node still has after its deadline.
    fn reclaim(&mut self) {
        let shards = self.in_stage(|owned| owned.stage == Stage::Suspended);
        let is_asked =
            |statement: &Statement| matches!(statement, Statement::Reclaim { .. } | Statement::ReadOwned { .. });
        if !shards.is_empty() && !self.is_sent(is_asked) {
            self.send(Statement::Reclaim {
                incarnation: self.me.incarnation,
                shards,
            });
        }
    }

    fn release_stopped(&mut self) {
        let shards = self.in_stage(|owned| matches!(owned.stage, Stage::Releasing { .. }));
        if !shards.is_empty() && !self.is_sent(|statement| matches!(statement, Statement::Release { .. })) {
            self.send(Statement::Release {
                incarnation: self.me.incarnation,
                shards,
            });
        }
    }

    /// Takes free shards of a type that this node should own, and gives away those that others should own.
    fn follow_plan(&mut self, of: &TypeSpec, now: BootTime) {
        let candidates = self.view.members().filter(|member| of.may_be_on(self.as_it_is(member)));
        let candidates: Vec<_> = candidates
            .map(|member| Candidate::new(member.incarnation, &member.name, member.weight))
            .collect();
        let present: Vec<_> = self.view.owners(of.type_id).collect();
        let plan = Arc::clone(&self.config.planner)(of.type_id, &candidates, &present);
        let me = Some(self.me.incarnation);
        let numbered = || (0_u32..).zip(present.iter().zip(plan.iter()));
        let free = numbered().filter(|(_, (present, should))| present.is_none() && **should == me);
        let free: Vec<_> = free.map(|(shard, _)| id(of.type_id, shard)).collect();
        let others = numbered().filter(|(_, (present, should))| **present == me && **should != me);
        let others: Vec<_> = others
            .map(|(shard, (_, should))| (id(of.type_id, shard), *should))
            .collect();
        self.acquire(free, now);
        let may_stay = of.may_be_on(&self.me);
        self.give_away(others, may_stay, now);
    }

    /// A member, but for this node itself, which knows more of itself than the store.
    fn as_it_is<'a>(&'a self, member: &'a Member) -> &'a Member {
        if member.incarnation == self.me.incarnation {
            &self.me
        } else {
            member
        }
    }

    fn acquire(&mut self, mut shards: Vec<ShardId>, now: BootTime) {
        shards.retain(|shard| !self.owned.contains_key(shard));
        if shards.is_empty() || broken(Mutation::FreeNotTaken) {
            return;
        }
        let is_asked =
            |statement: &Statement| matches!(statement, Statement::Acquire { .. } | Statement::ReadOwned { .. });
        if self.is_sent(is_asked) {
            return self.retry_later(now);
        }
        if shards.len() > SHARDS_PER_STATEMENT {
            shards.truncate(SHARDS_PER_STATEMENT);
            self.is_changed = true;
        }
        self.send(Statement::Acquire {
            incarnation: self.me.incarnation,
            shards,
        });
    }

    fn give_away(&mut self, shards: Vec<(ShardId, Option<Incarnation>)>, may_stay: bool, now: BootTime) {
        let is_too_early = now < self.last_join.after(self.timing.rebalance_after);
        if may_stay && is_too_early {
            self.wants_balance |= !shards.is_empty();
            return;
        }
        let moving = self.owned.values().filter(|owned| owned.moves()).count();
        let mut room = self.moves_at_once().saturating_sub(moving);
        for (shard, to) in shards {
            if room == 0 {
                return;
            }
            let Some(owned) = self.owned.get_mut(&shard).filter(|owned| owned.stage == Stage::Serving) else {
                continue;
            };
            owned.stage = if broken(Mutation::ReleasedBeforeWritten) {
                Stage::Releasing { to }
            } else {
                Stage::Stopping { to }
            };
            room -= 1;
            let epoch = owned.epoch;
            self.tell(Event::Stop { shard, epoch, to });
        }
        self.release_stopped();
    }

    /// The shards that may be on their way to others. A node that leaves has little time and gives everything away: a few at a time, it would
    /// take as many round trips to the store as there are shards.
    fn moves_at_once(&self) -> usize {
        let usual = self.timing.moves_at_once;
        match self.me.standing {
            Standing::Draining => usual.max(self.owned.len() / LEAVING_PARTS),
            _ => usual,
        }
    }

    /// When shards may be moved for balance, if the plan has any to move.
    pub(super) fn next_rebalance(&self) -> Option<BootTime> {
        self.wants_balance
            .then(|| self.last_join.after(self.timing.rebalance_after))
    }

    /// The entities of a shard that is on its way to another node have written, or ended.
    pub fn handle_stopped(&mut self, shard: ShardId, epoch: Epoch, now: BootTime) {
        if let Some(owned) = self.owned.get_mut(&shard).filter(|owned| owned.epoch == epoch)
            && let Stage::Stopping { to } = owned.stage
        {
            owned.stage = Stage::Releasing { to };
            self.reconsider(now);
        }
    }

    /// None of these is this node's any more at that epoch.
    pub(super) fn released(&mut self, shards: &[(ShardId, Epoch)], now: BootTime) {
        let rows = shards.iter().map(|(shard, epoch)| ShardRow {
            shard: *shard,
            epoch: *epoch,
            owner: None,
        });
        let changes = ViewChanges {
            revision: self.view.revision(),
            shards: rows.collect(),
            ..ViewChanges::default()
        };
        let applied = self.view.apply(&changes);
        self.changed(applied, now);
    }

    /// The row of a shard is another one: whether that makes it this node's, or somebody else's.
    pub(super) fn own_row(&mut self, row: ShardRow, now: BootTime) {
        let is_mine = row.owner == Some(self.me.incarnation);
        let before = self.owned.get(&row.shard).copied();
        if let Some(before) = before.filter(|before| !is_mine || row.epoch != before.epoch) {
            self.owned.remove(&row.shard);
            self.tell_loss(row.shard, before, LossReason::Taken);
        } else if before.is_some() {
            return;
        }
        if is_mine {
            // Without a lease it isn't served, and is reclaimed when there is one again.
            let is_good = self.lease.is_good(now);
            let stage = if is_good { Stage::Serving } else { Stage::Suspended };
            let (shard, epoch) = (row.shard, row.epoch);
            self.owned.insert(shard, Owned { epoch, stage });
            if is_good {
                self.tell(Event::Acquired { shard, epoch });
            }
        }
    }

    fn tell_loss(&mut self, shard: ShardId, owned: Owned, reason: LossReason) {
        let epoch = owned.epoch;
        match owned.stage {
            Stage::Serving | Stage::Stopping { .. } => self.tell(Event::Lost { shard, epoch, reason }),
            Stage::Releasing { to } => self.tell(Event::Released { shard, epoch, to }),
            Stage::Suspended => {}
        }
    }

    pub(super) fn lose_all(&mut self, reason: LossReason) {
        let owned: BTreeMap<_, _> = std::mem::take(&mut self.owned);
        for (shard, one) in &owned {
            if !matches!(one.stage, Stage::Releasing { .. }) {
                self.tell_loss(*shard, *one, reason);
            }
        }
        self.owned = owned;
    }

    /// At the deadline nothing is served any more.
    pub(super) fn suspend_if_due(&mut self, now: BootTime) {
        if self.lease.is_good(now) || broken(Mutation::DeadlineIgnoredAtTake) {
            return;
        }
        self.lose_all(LossReason::Deadline);
        for owned in self.owned.values_mut() {
            // What is being released stays so: that may be carried out at any time.
            if matches!(owned.stage, Stage::Serving | Stage::Stopping { .. }) {
                owned.stage = Stage::Suspended;
            }
        }
    }
}

fn id(type_id: TypeId, shard: u32) -> ShardId {
    ShardId { type_id, shard }
}
