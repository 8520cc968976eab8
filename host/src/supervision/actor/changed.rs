//! The supervisor's side of a change of the configuration: further children, and children that go.

use std::sync::Arc;

use parking_lot::Mutex;

use super::State;
use crate::guest::RestartBudget;
use crate::supervision::changing::{ChildChange, ChildOrder};
use crate::supervision::child::Child;
use crate::supervision::in_place::SharedBudget;
use crate::supervision::plan::PlanCommand;
use crate::supervision::spec::{ChildSpec, Strategy};
use crate::supervision::steering::{SteerGoal, SteerWait};

impl State {
    /// Makes the changes one after the other. Whoever wants one is told when it is done, or why it is not.
    pub(super) fn change(&mut self, orders: Vec<ChildOrder>) -> Vec<PlanCommand> {
        let mut commands = Vec::new();
        for order in orders {
            let name = order.name();
            let ChildOrder { change, reply } = order;
            let changed = match change {
                ChildChange::Add(child) => self.add(child).and_then(|index| self.try_out(index)),
                ChildChange::PutBack(child) => self.add(child).and_then(|index| self.begin(index)),
                ChildChange::AddStopped(child) => self.add(child).map(|index| self.keep_down(index)),
                ChildChange::Remove(_) => self.remove(&name),
            };
            match changed {
                Ok(Changed::Waits {
                    index,
                    until,
                    commands: further,
                }) => {
                    commands.extend(further);
                    if let Some(child) = self.children.get_mut(index) {
                        child.waiting.push(SteerWait { until, reply });
                    }
                }
                // Whoever asked may have lost patience, here and below.
                Ok(Changed::Done) => drop(reply.send(Ok(()))),
                Err(reason) => drop(reply.send(Err(reason))),
            }
        }
        self.tree.steering.renew(&self.origin, &self.spec);
        commands
    }

    /// A place for the child, which is down.
    fn add(&mut self, spec: ChildSpec) -> Result<usize, String> {
        let known = self.spec.children.iter().position(|child| child.name == spec.name);
        let (kind, restart) = (spec.kind(), spec.restart);
        let index = match known {
            Some(index)
                if !self.plan.is_down(index) || self.spec.children.get(index).is_some_and(|c| !c.is_removed) =>
            {
                return Err("its supervisor has a child of that name".to_owned());
            }
            Some(index) => {
                self.plan.replace(index, kind, restart);
                index
            }
            None => self.plan.add(kind, restart),
        };
        let child = Child {
            spec: spec.clone(),
            budget: self.budget(),
            running: None,
            waiting: Vec::new(),
            is_killed: false,
            is_leaving: false,
            is_new: known.is_none(),
            is_on_trial: false,
        };
        let children = &mut Arc::make_mut(&mut self.spec).children;
        match (self.children.get_mut(index), children.get_mut(index)) {
            (Some(place), Some(own)) => (*place, *own) = (child, spec),
            _ => {
                self.children.push(child);
                children.push(spec);
            }
        }
        Ok(index)
    }

    fn keep_down(&mut self, index: usize) -> Changed {
        self.plan.keep_down(index);
        if let Some(child) = self.children.get(index) {
            self.tree.steering.set_stopped(&child.spec.name, &self.spec.name);
        }
        Changed::Done
    }

    /// Starts a child that may turn out not to be able to.
    fn try_out(&mut self, index: usize) -> Result<Changed, String> {
        let changed = self.begin(index)?;
        if let Some(child) = self.children.get_mut(index) {
            child.is_on_trial = true;
        }
        Ok(changed)
    }

    /// A child has come up: what becomes of it from now on is dealt with as for any other.
    pub(super) fn pass_trial(&mut self, index: usize) {
        if let Some(child) = self.children.get_mut(index) {
            child.is_on_trial = false;
        }
    }

    /// A child did not come up. One that was on trial is kept down, which costs no restart and concerns none of its siblings: whoever
    /// wanted it takes it back.
    pub(super) fn end_trial(&mut self, index: usize) {
        let child = self.children.get_mut(index);
        if child.is_some_and(|child| std::mem::take(&mut child.is_on_trial)) {
            self.keep_down(index);
        }
    }

    fn begin(&mut self, index: usize) -> Result<Changed, String> {
        let commands = self.start_asked(index).map_err(|refusal| refusal.to_string())?;
        Ok(Changed::Waits {
            index,
            until: SteerGoal::Up,
            commands,
        })
    }

    fn remove(&mut self, name: &Arc<str>) -> Result<Changed, String> {
        let mut children = self.spec.children.iter();
        let found = children.position(|child| child.name == *name && !child.is_removed);
        let index = found.ok_or("its supervisor has no child of that name")?;
        let was_held = self.plan.is_held(index);
        // One that was held already is on its way down, or down.
        let commands = match self.plan.handle_stop_asked(index) {
            Ok(commands) => commands,
            Err(_) if was_held => Vec::new(),
            Err(refusal) => return Err(refusal.to_string()),
        };
        self.tree.given_up_actors.remove(name);
        self.tree.steering.set_wanted(name);
        let places = [
            Arc::make_mut(&mut self.spec).children.get_mut(index),
            self.children.get_mut(index).map(|child| &mut child.spec),
        ];
        for child in places.into_iter().flatten() {
            child.is_removed = true;
        }
        if let Some(child) = self.children.get_mut(index) {
            child.is_leaving = true;
        }
        if self.plan.is_down(index) {
            return Ok(Changed::Done);
        }
        Ok(Changed::Waits {
            index,
            until: SteerGoal::Down,
            commands,
        })
    }

    /// The budget of a child that comes anew.
    fn budget(&self) -> SharedBudget {
        match self.spec.strategy {
            Strategy::OneForOne => Arc::new(Mutex::new(RestartBudget::new(self.spec.intensity))),
            Strategy::RestForOne | Strategy::OneForAll => self.shared_budget.clone(),
        }
    }
}

/// What came of an order.
enum Changed {
    Done,
    /// It is done when this child is up, or down.
    Waits {
        index: usize,
        until: SteerGoal,
        commands: Vec<PlanCommand>,
    },
}
