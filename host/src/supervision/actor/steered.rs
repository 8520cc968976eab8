//! The supervisor's side of what operators do with its children.

use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::watch;

use super::State;
use crate::guest::RestartBudget;
use crate::supervision::in_place::Closing;
use crate::supervision::message::{ChildHandle, RunningChild};
use crate::supervision::plan::{PlanCommand, Refusal};
use crate::supervision::spec::{Strategy, SupervisorSpec};
use crate::supervision::steering::{SteerAction, SteerGoal, SteerOrder, SteerWait};

impl State {
    /// Does what an operator wants, or says why not.
    pub(super) fn steer(&mut self, order: SteerOrder) -> Vec<PlanCommand> {
        let SteerOrder { child, action, reply } = order;
        // Whoever asks has looked it up before, and the configuration may have been changed since.
        if self.children.get(child).is_some_and(|child| child.spec.is_removed) {
            drop(reply.send(Err("it is no part of node.toml any more".to_owned())));
            return Vec::new();
        }
        let planned = match action {
            SteerAction::Stop => self.plan.handle_stop_asked(child),
            SteerAction::Start => self.start_asked(child),
            SteerAction::Restart => self.plan.handle_restart_asked(child),
            SteerAction::Kill => self.plan.check_kill(child).map(|()| Vec::new()),
        };
        let commands = match planned {
            Ok(commands) => commands,
            Err(refusal) => {
                // Whoever asked may have lost patience, here and below.
                drop(reply.send(Err(refusal.to_string())));
                return Vec::new();
            }
        };
        self.note(child, action);
        let until = match action {
            SteerAction::Stop | SteerAction::Kill => SteerGoal::Down,
            SteerAction::Start | SteerAction::Restart => SteerGoal::Up,
        };
        let wait = SteerWait { until, reply };
        let is_down = self.plan.is_down(child);
        let Some(child) = self.children.get_mut(child) else {
            return commands;
        };
        if action == SteerAction::Stop && is_down {
            // It was given up, or waits to be started again: there is nobody to wait for.
            drop(wait.reply.send(Ok(())));
        } else {
            child.waiting.push(wait);
        }
        if action == SteerAction::Kill
            && let Some(RunningChild { cell, .. }) = &child.running
        {
            child.is_killed = true;
            cell.kill();
        }
        commands
    }

    pub(super) fn start_asked(&mut self, child: usize) -> Result<Vec<PlanCommand>, Refusal> {
        let is_over = self.plan.has_ended();
        if is_over && !self.is_root {
            return Err(Refusal::Ending);
        }
        let commands = self.plan.handle_start_asked(child)?;
        if is_over {
            // The root had given up, and told the guests of its earlier children that nothing is restarted.
            self.closing = watch::Sender::new(Closing::No);
        }
        if is_over || self.spec.strategy == Strategy::OneForOne {
            self.renew_budget(child);
        }
        Ok(commands)
    }

    /// Whoever is started by an operator has all chances again.
    fn renew_budget(&mut self, child: usize) {
        let fresh = RestartBudget::new(self.spec.intensity);
        if let Some(child) = self.children.get(child) {
            let budget: &Arc<Mutex<RestartBudget>> = &child.budget;
            *budget.lock() = fresh;
        }
    }

    /// Has a guest go on afresh.
    pub(super) fn refresh(&self, index: usize) {
        if let Some(child) = self.children.get(index)
            && let Some(RunningChild {
                handle: ChildHandle::Guest(guest, _),
                ..
            }) = &child.running
        {
            guest.restart(format!("another actor of the supervisor `{}` failed", self.spec.name));
        }
    }

    /// Lets the tree and the log know of what an operator did.
    fn note(&self, index: usize, action: SteerAction) {
        let Some(child) = self.children.get(index) else {
            return;
        };
        let (name, supervisor) = (&child.spec.name, self.spec.name.as_str());
        let actor = &**name;
        match action {
            SteerAction::Stop => {
                self.tree.steering.set_stopped(name, supervisor);
                let current = |origin: &Arc<SupervisorSpec>| self.tree.steering.current(origin);
                for (missed, _) in child.spec.actors(&current) {
                    self.tree.given_up_actors.remove(&missed);
                }
                tracing::info!(
                    actor,
                    supervisor,
                    "stopped by an operator; it stays down until it is started"
                );
            }
            SteerAction::Start => {
                self.tree.steering.set_wanted(name);
                tracing::info!(actor, supervisor, "started by an operator");
            }
            SteerAction::Kill => tracing::warn!(actor, supervisor, "killed by an operator"),
            SteerAction::Restart => tracing::info!(actor, supervisor, "restarted by an operator"),
        }
    }

    /// A child is up, or goes on with a fresh instance.
    pub(super) fn is_up(&mut self, index: usize) {
        self.tell(index, SteerGoal::Up, &Ok(()));
    }

    /// A child did not come up.
    pub(super) fn is_not_up(&mut self, index: usize, reason: &str) {
        self.tell(index, SteerGoal::Up, &Err(reason.to_owned()));
        self.tell(index, SteerGoal::Down, &Ok(()));
    }

    /// A child has ended.
    pub(super) fn is_down(&mut self, index: usize) {
        self.tell(index, SteerGoal::Down, &Ok(()));
    }

    /// True once after a child was killed by an operator.
    pub(super) fn has_been_killed(&mut self, index: usize) -> bool {
        let child = self.children.get_mut(index);
        child.is_some_and(|child| std::mem::take(&mut child.is_killed))
    }

    fn tell(&mut self, index: usize, goal: SteerGoal, outcome: &Result<(), String>) {
        let Some(child) = self.children.get_mut(index) else {
            return;
        };
        for wait in child.waiting.extract_if(.., |wait| wait.until == goal) {
            drop(wait.reply.send(outcome.clone()));
        }
    }
}
