//! What an operator has a supervisor do with one child. The child alone: its siblings keep what they have, whatever the strategy.

use super::{ChildKind, ChildState, Hold, PlanCommand, PlanPhase, PlannedChild, RestartPlan, RestartType};

/// Why nothing is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    /// The supervisor is about to end, or all of its children are.
    #[error("its supervisor is ending")]
    Ending,
    #[error("it runs already")]
    Runs,
    #[error("it does not run; `ractor-host start` starts it")]
    DoesNotRun,
    #[error("it is being started; try again in a moment")]
    Starting,
    #[error("it is being stopped; try again in a moment")]
    Stopping,
    #[error("it was stopped already")]
    Stopped,
}

impl RestartPlan {
    /// This child is to be down, and to stay so until [`handle_start_asked`](Self::handle_start_asked). One that is being started
    /// is stopped once it is up.
    pub(crate) fn handle_stop_asked(&mut self, child: usize) -> Result<Vec<PlanCommand>, Refusal> {
        self.check_running()?;
        if self.is_held(child) {
            return Err(Refusal::Stopped);
        }
        self.hold(child);
        self.due.remove(&child);
        if self.state(child) == Some(ChildState::Up) {
            // Beside whatever else is under way: nobody depends on one that is to go.
            self.outdated.remove(&child);
            self.set(child, ChildState::Stopping);
            return Ok(vec![PlanCommand::Stop(child)]);
        }
        Ok(Vec::new())
    }

    /// This child is to be up: one that was stopped, that was given up, or that has stopped itself.
    pub(crate) fn handle_start_asked(&mut self, child: usize) -> Result<Vec<PlanCommand>, Refusal> {
        match self.phase {
            PlanPhase::Running => {}
            PlanPhase::Ended => self.reopen(),
            PlanPhase::Ending | PlanPhase::Frozen => return Err(Refusal::Ending),
        }
        match self.state(child) {
            // One that was to be stopped as soon as it is up is to stay.
            Some(ChildState::Starting) => {
                self.release(child);
                Ok(Vec::new())
            }
            Some(ChildState::Stopping) => {
                self.release(child);
                self.due.insert(child);
                Ok(Vec::new())
            }
            Some(ChildState::Down) => {
                self.release(child);
                Ok(self.start(child).into_iter().collect())
            }
            Some(ChildState::Up) | None => Err(Refusal::Runs),
        }
    }

    /// This child is to go on afresh: a guest with a fresh instance, another one as a new actor.
    pub(crate) fn handle_restart_asked(&mut self, child: usize) -> Result<Vec<PlanCommand>, Refusal> {
        self.check_running()?;
        match self.state(child) {
            Some(ChildState::Up) if self.is_guest(child) => Ok(vec![PlanCommand::Refresh(child)]),
            Some(ChildState::Up) => {
                self.outdated.remove(&child);
                self.due.insert(child);
                self.set(child, ChildState::Stopping);
                Ok(vec![PlanCommand::Stop(child)])
            }
            Some(ChildState::Starting) => Err(Refusal::Starting),
            Some(ChildState::Stopping) => Err(Refusal::Stopping),
            Some(ChildState::Down) | None => Err(Refusal::DoesNotRun),
        }
    }

    /// Whether this child may be killed, which is no affair of the plan until it has ended.
    pub(crate) fn check_kill(&self, child: usize) -> Result<(), Refusal> {
        match self.state(child) {
            Some(ChildState::Up | ChildState::Stopping) => Ok(()),
            Some(ChildState::Starting) => Err(Refusal::Starting),
            Some(ChildState::Down) | None => Err(Refusal::DoesNotRun),
        }
    }

    /// This child was stopped in an earlier life of its supervisor, and is not started with the others.
    pub(crate) fn keep_down(&mut self, child: usize) {
        self.hold(child);
        self.set(child, ChildState::Down);
    }

    /// A place for one more child, which is down.
    pub(crate) fn add(&mut self, kind: ChildKind, restart: RestartType) -> usize {
        self.children.push(PlannedChild {
            kind,
            restart,
            state: ChildState::Down,
            hold: Hold::Free,
        });
        self.children.len() - 1
    }

    /// What comes up in this place next is of this kind. It is down.
    pub(crate) fn replace(&mut self, child: usize, kind: ChildKind, restart: RestartType) {
        if let Some(child) = self.children.get_mut(child) {
            (child.kind, child.restart) = (kind, restart);
        }
    }

    /// True if an operator has stopped it.
    pub(crate) fn is_held(&self, child: usize) -> bool {
        self.children.get(child).is_some_and(|child| child.hold == Hold::Held)
    }

    /// True if there is no actor of this child, and none on its way.
    pub(crate) fn is_down(&self, child: usize) -> bool {
        self.state(child) == Some(ChildState::Down)
    }

    /// True if all children have ended, and there is no supervisor above to start them again.
    pub(crate) fn has_ended(&self) -> bool {
        self.phase == PlanPhase::Ended
    }

    /// A root that gave up begins anew: with those children that somebody starts, and no others.
    fn reopen(&mut self) {
        self.phase = PlanPhase::Running;
        for child in &mut self.children {
            child.hold = Hold::Held;
        }
    }

    fn check_running(&self) -> Result<(), Refusal> {
        match self.phase {
            PlanPhase::Running => Ok(()),
            PlanPhase::Ending | PlanPhase::Ended | PlanPhase::Frozen => Err(Refusal::Ending),
        }
    }

    fn hold(&mut self, child: usize) {
        if let Some(child) = self.children.get_mut(child) {
            child.hold = Hold::Held;
        }
    }

    fn release(&mut self, child: usize) {
        if let Some(child) = self.children.get_mut(child) {
            child.hold = Hold::Free;
        }
    }
}
