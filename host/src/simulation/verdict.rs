//! What has to be true of the module of a process after a rollout: at its end, before the next one, and at the end of the run.

use std::collections::BTreeMap;

use super::guest::Guest;
use super::process::{Context, Process};
use super::rollouts::UnderWay;
use crate::supervision::sim::{OnFailure, Outcome, Verdict};

impl Process {
    /// What has to be true of a module whose rollout has ended.
    pub(super) fn rollout_ended(&mut self, context: &mut Context<'_>) {
        let Some(under_way) = self.reloads.under_way.take() else {
            return;
        };
        let UnderWay {
            rollout,
            old,
            new,
            on_failure,
            ..
        } = under_way;
        let verdict = rollout.verdict();
        context.trace(format!("{verdict:?}"));
        let outcomes: BTreeMap<u64, Outcome> = rollout.into_outcomes().collect();
        context.history.rolled_out(verdict);
        let current = match verdict {
            Verdict::RolledBack => old,
            _ => new,
        };
        if current != self.reloads.current {
            let found = format!(
                "{}: after {verdict:?}, {:?} is current",
                self.name, self.reloads.current
            );
            context.history.violation(found);
        }
        let has_failed = outcomes
            .values()
            .any(|one| matches!(one, Outcome::Failed { .. } | Outcome::NotRolledBack { .. }));
        if has_failed != (verdict != Verdict::Reloaded) || (verdict == Verdict::Mixed && on_failure != OnFailure::Mixed)
        {
            let found = format!("{}: {verdict:?} of {on_failure:?} after {outcomes:?}", self.name);
            context.history.violation(found);
        }
        self.reloads.others = outcomes
            .iter()
            .filter(|(_, outcome)| {
                let is_failed = matches!(outcome, Outcome::Failed { .. }) && verdict == Verdict::Mixed;
                is_failed || matches!(outcome, Outcome::NotRolledBack { .. })
            })
            .map(|(pid, _)| (*pid, verdict))
            .collect();
        self.check_codes(context);
        if verdict != Verdict::RolledBack {
            self.reloads.previous = Some(old);
        }
    }

    /// All guests run what the last rollout said.
    pub(super) fn check_codes(&self, context: &mut Context<'_>) {
        for found in self.astray() {
            context.history.violation(format!("{}: {found}", self.name));
        }
    }

    /// The guests that don't run what the last rollout said.
    pub(super) fn astray(&self) -> Vec<String> {
        let current = self.reloads.current;
        let is_right = |guest: &&Guest| match self.reloads.others.get(&guest.pid) {
            None => guest.running.code == current,
            Some(Verdict::Mixed) => guest.running.code != current,
            // It may have got its code too late to be heard, or still have that of an earlier rollout.
            Some(_) => true,
        };
        if self.reloads.under_way.is_some() {
            return Vec::new();
        }
        let astray = self.guests.values().filter(|guest| !is_right(guest));
        let astray = astray.map(|guest| format!("{} runs {:?}, not {current:?}", guest.name, guest.running.code));
        astray.collect()
    }
}
