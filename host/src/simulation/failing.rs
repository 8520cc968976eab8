//! Guests that fail at a message: the restart in place, with the budget and the supervisor's plan that ship.
//!
//! The message at hand is lost. What waits is handled by the next instance, which goes on from the last state that was handed to the
//! writer.

use std::time::Duration;

use tokio::time::Instant;

use super::SECOND;
use super::guest::{Guest, Status};
use super::plan::ComputerPlan;
use super::process::{Context, Event, Process};
use super::rollouts::Turn;
use crate::guest::{RestartBudget, RestartDecision, RestartIntensity, RestartType};
use crate::supervision::Strategy;
use crate::supervision::sim::{ChildExit, ChildKind, PlanCommand, RestartPlan};

/// What a run says about restarts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Failing {
    /// Of a thousand messages, this many are failed at.
    pub(super) per_mille: u64,
    /// Who is restarted with the one that fails.
    pub(super) strategy: Strategy,
    /// How many restarts there may be within a minute.
    pub(super) most: u32,
}

/// The supervisor of a node's guests.
pub(super) struct Supervisor {
    plan: RestartPlan,
    budget: RestartBudget,
    /// Guests that have failed for good, and that a stop has not heard of.
    pub(super) ended: Vec<u64>,
}

impl Supervisor {
    pub(super) fn new(plan: &ComputerPlan) -> Self {
        let Failing { strategy, most, .. } = plan.failing;
        let intensity = RestartIntensity {
            max_restarts: most,
            within: Duration::from_secs(60),
            ..RestartIntensity::default()
        };
        Self {
            plan: RestartPlan::new(
                strategy,
                (0..plan.guests).map(|_| (ChildKind::Guest, RestartType::Transient)),
            ),
            budget: RestartBudget::new(intensity),
            ended: Vec::new(),
        }
    }

    /// The guests are stopped, and none is restarted any more.
    pub(super) fn freeze(&mut self) {
        self.plan.freeze();
    }
}

impl Process {
    /// The instance of a guest is gone.
    pub(super) fn fails(&mut self, pid: u64, context: &mut Context<'_>) {
        let is_over = self.stop.is_some();
        let Some(guest) = self.guests.get_mut(&pid) else { return };
        let index = guest.index;
        let is_ended = guest.status != Status::Running && !is_over;
        guest.is_down = true;
        let verdict = match guest.status {
            Status::Running if !is_over => self.supervisor.budget.spend(Instant::from_std(context.now)),
            _ => RestartDecision::GiveUp,
        };
        match verdict {
            RestartDecision::Restart { after, .. } => context.after(after.as_micros() as u64, Event::Revive(pid)),
            RestartDecision::GiveUp => {
                context.trace(format!("{} fails for good", guest.name));
                context.history.gave_up((self.computer, index));
                self.withdraw(pid);
                if is_ended {
                    // By an operator, who starts it again.
                    return context.soon(3 * SECOND, Event::Reload(Turn::Start(index)));
                }
                self.supervisor.ended.push(pid);
                let commands = self
                    .supervisor
                    .plan
                    .handle_ended(index, ChildExit::GaveUp, || RestartDecision::GiveUp);
                self.obey(commands, context);
            }
        }
    }

    /// The wait of a guest that failed is over.
    pub(super) fn revive(&mut self, pid: u64, context: &mut Context<'_>) {
        let Some(guest) = self.guests.get(&pid).filter(|guest| guest.is_down) else {
            return;
        };
        let index = guest.index;
        if self.renew(pid, context) {
            let commands = self.supervisor.plan.handle_restarted(index);
            self.obey(commands, context);
            self.check_others(index, context);
        }
    }

    /// Those that share the fate of a guest that was restarted are to go on with fresh instances, too.
    fn check_others(&self, index: usize, context: &mut Context<'_>) {
        let share = |guest: &&Guest| match self.plan.failing.strategy {
            Strategy::OneForOne => false,
            Strategy::RestForOne => guest.index > index,
            Strategy::OneForAll => guest.index != index,
        };
        for guest in self.guests.values().filter(share) {
            if !guest.is_stale && self.stop.is_none() {
                let found = format!("{} goes on as if {index} had not been restarted", guest.name);
                context.history.violation(found);
            }
        }
    }

    /// A guest goes on from its last state. False if that can't be read.
    pub(super) fn renew(&mut self, pid: u64, context: &mut Context<'_>) -> bool {
        let computer = self.computer;
        let Some(guest) = self.guests.get_mut(&pid) else {
            return false;
        };
        guest.handle.has_turn();
        match self.keeper.latest(&guest.name) {
            Some(notes) => {
                context.history.resumed((computer, guest.index), &notes);
                guest.notes = notes;
                if let Some(trial) = &mut guest.running.trial {
                    trial.handle_restarted();
                }
                guest.is_down = false;
                guest.is_stale = false;
                guest.answer(context);
                context.after(0, Event::Begin(pid));
                true
            }
            None => {
                self.fails(pid, context);
                false
            }
        }
    }

    fn obey(&mut self, commands: Vec<PlanCommand>, context: &mut Context<'_>) {
        for command in commands {
            match command {
                PlanCommand::Refresh(index) => {
                    let Some(guest) = self.guests.values_mut().find(|guest| guest.index == index) else {
                        continue;
                    };
                    guest.is_stale = true;
                    context.after(0, Event::Begin(guest.pid));
                }
                // A guest that has ended stays so, and where the others go with it there are restarts enough.
                other => context.history.violation(format!("the supervisor wants {other:?}")),
            }
        }
    }
}

impl Guest {
    /// Everything that it took was handled, lost at hand, or waits.
    pub(super) fn is_complete(&self) -> bool {
        self.taken == self.handled + self.lost + self.waits()
    }
}
