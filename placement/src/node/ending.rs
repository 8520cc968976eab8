//! Leases of others that have run out, and when this node ends them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::machine::Node;
use crate::assign::Candidate;
use crate::mutation::{Mutation, broken};
use crate::statement::Statement;
use crate::words::{BootTime, Incarnation, ViewChanges};
use crate::words::{Member, Standing};

/// What is known of leases that are about to run out, or have.
#[derive(Debug, Default)]
pub(super) struct Endings {
    /// When each will have run out, by this node's clock.
    fading: BTreeMap<Incarnation, BootTime>,
    /// Those that this node is ending.
    asked: BTreeSet<Incarnation>,
}

impl Endings {
    /// The leases that a poll told of. A node that isn't among them has renewed.
    pub(super) fn fading(&mut self, fading: &[(Incarnation, Duration)], now: BootTime) {
        let before = std::mem::take(&mut self.fading);
        let ends = |(incarnation, left): &(Incarnation, Duration)| {
            let at = now.after(*left);
            // Those that have run out already keep the time at which that was seen.
            (
                *incarnation,
                before.get(incarnation).map_or(at, |before| at.min(*before)),
            )
        };
        self.fading = fading.iter().map(ends).collect();
    }

    pub(super) fn has_fading(&self) -> bool {
        !self.fading.is_empty()
    }

    pub(super) fn is_fading(&self, incarnation: Incarnation) -> bool {
        self.fading.contains_key(&incarnation)
    }

    /// The question about this one was answered, or failed, or needs no answer any more.
    pub(super) fn concluded(&mut self, incarnation: Incarnation) {
        self.asked.remove(&incarnation);
    }

    fn forget(&mut self, incarnation: Incarnation) {
        self.asked.remove(&incarnation);
        self.fading.remove(&incarnation);
    }
}

impl Node {
    /// Ends those whose lease has run out, if this node has seen the store serve for long enough.
    pub(super) fn end_others(&mut self, now: BootTime) {
        if !self.lease.has_seen_the_store_serve() {
            return;
        }
        let fading = self.endings.fading.iter();
        let due = fading.filter(|(incarnation, at)| {
            **incarnation != self.me.incarnation && at.after(self.turn(**incarnation)) <= now
        });
        let due: Vec<_> = due.map(|(incarnation, _)| *incarnation).collect();
        for incarnation in due {
            if broken(Mutation::TakenByLease) {
                self.ended(incarnation, true, now);
            } else if self.endings.asked.insert(incarnation) {
                self.send(Statement::End { incarnation });
            }
        }
    }

    /// How long this node leaves the end of another to those before it: a thousand nodes don't all end the same one.
    fn turn(&self, other: Incarnation) -> Duration {
        let seed = other.0.get();
        let score = |member: &Member| Candidate::new(member.incarnation, &member.name, 1).preference(seed);
        let mine = score(&self.me);
        let others = self.view.members().filter(|member| {
            member.standing != Standing::Ended
                && member.incarnation != other
                && !self.endings.is_fading(member.incarnation)
        });
        let before = others.filter(|member| score(member) > mine).count();
        self.timing.retry_after * before.min(40) as u32
    }

    /// What came of ending another node.
    pub(super) fn ended(&mut self, incarnation: Incarnation, is_ended: bool, now: BootTime) {
        self.endings.forget(incarnation);
        let member = self.view.member(incarnation).cloned();
        if let Some(member) = member.filter(|_| is_ended) {
            let changes = ViewChanges {
                revision: self.view.revision(),
                members: vec![Member {
                    standing: Standing::Ended,
                    ..member
                }],
                ..ViewChanges::default()
            };
            let applied = self.view.apply(&changes);
            self.changed(applied, now);
        }
    }
}
