//! What a supervisor does about its children: decisions as a function of what has happened to them.
//!
//! Events go in through `handle_*`, commands come out; nothing here waits, starts or stops. Children are known by their
//! place in the supervisor's order, which is the order of their start. [`super::actor`] carries the commands out.
//!
//! A guest is restarted in place, by itself. So the plan is told of its failures only once it has been restarted, and may
//! ask it to go on with a fresh instance; only a guest that has ended is started again as a new actor.

use std::collections::BTreeSet;
use std::time::Duration;

use super::spec::{ChildKind, Strategy};
use crate::guest::{RestartDecision, RestartType};

mod steering;

pub(crate) use steering::Refusal;

/// How a child came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ChildExit {
    /// It stopped itself or was stopped.
    Stopped,
    Failed,
    /// An operator killed it, which counts as a failure. A guest of which this is said is no actor any more and can't go on in place.
    Killed,
    /// A guest that would have been restarted in place, but not once more.
    GaveUp,
}

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PlanCommand {
    /// Ask this guest to go on with a fresh instance.
    Refresh(usize),
    /// Stop this child, and say when it has ended.
    Stop(usize),
    /// Say `handle_waited` of this child after this time.
    Wait(usize, Duration),
    /// Start this child, and say how that went.
    Start(usize),
    /// Every child is down: end the supervisor itself.
    End,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct RestartPlan {
    strategy: Strategy,
    children: Vec<PlannedChild>,
    /// Children that are to be stopped, the last first.
    outdated: BTreeSet<usize>,
    /// Children that are to be started, or guests to be restarted in place, the first first, when none is outdated.
    due: BTreeSet<usize>,
    /// The wait before any of them.
    wait: Option<(usize, Duration)>,
    waiting: bool,
    /// Children that are being started or stopped.
    moving: usize,
    phase: PlanPhase,
}

#[derive(Debug)]
struct PlannedChild {
    kind: ChildKind,
    restart: RestartType,
    state: ChildState,
    hold: Hold,
}

/// Whether an operator has stopped a child, so that only an operator starts it again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hold {
    Free,
    Held,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ChildState {
    Up,
    Stopping,
    Starting,
    Down,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PlanPhase {
    /// Children are restarted as the strategy says.
    Running,
    /// Children are stopped, one after the other.
    Ending,
    /// They all were.
    Ended,
    /// The shutdown stops them.
    Frozen,
}

impl RestartPlan {
    /// All children are up.
    pub(crate) fn new(strategy: Strategy, children: impl IntoIterator<Item = (ChildKind, RestartType)>) -> Self {
        let child = |(kind, restart)| PlannedChild {
            kind,
            restart,
            state: ChildState::Up,
            hold: Hold::Free,
        };
        Self {
            strategy,
            children: children.into_iter().map(child).collect(),
            outdated: BTreeSet::new(),
            due: BTreeSet::new(),
            wait: None,
            waiting: false,
            moving: 0,
            phase: PlanPhase::Running,
        }
    }

    /// A child has ended. `spend` decides about a restart, and is asked only if there may be one.
    pub(crate) fn handle_ended(
        &mut self,
        child: usize,
        ending: ChildExit,
        spend: impl FnOnce() -> RestartDecision,
    ) -> Vec<PlanCommand> {
        let was = self.set(child, ChildState::Down);
        if self.phase == PlanPhase::Running && self.strategy == Strategy::OneForOne && self.due.remove(&child) {
            // An operator wants it anew. Here nobody has to wait for a sibling that is being started.
            return self.start(child).into_iter().collect();
        }
        if self.phase == PlanPhase::Running
            // Its end was asked for. If it is to come back it is `due` already, and it costs no restart.
            && was != Some(ChildState::Stopping)
            && self.is_restarted_after(child, ending)
        {
            return self.decide(child, spend());
        }
        if self.phase == PlanPhase::Running && ending == ChildExit::GaveUp && !self.is_held(child) {
            return self.decide(child, RestartDecision::GiveUp);
        }
        self.poll()
    }

    fn is_restarted_after(&self, child: usize, ending: ChildExit) -> bool {
        match self.children.get(child) {
            None => false,
            // It had its chance, in place.
            Some(child) if child.kind == ChildKind::Guest && ending != ChildExit::Killed => false,
            Some(child) => match child.restart {
                RestartType::Temporary => false,
                RestartType::Transient => ending != ChildExit::Stopped,
                RestartType::Permanent => true,
            },
        }
    }

    /// A guest was restarted in place, after a failure or because it had stopped itself.
    pub(crate) fn handle_restarted(&mut self, child: usize) -> Vec<PlanCommand> {
        if self.phase == PlanPhase::Running {
            self.restart_others(child);
        }
        self.poll()
    }

    /// A wait is over.
    pub(super) fn handle_waited(&mut self, child: usize) -> Vec<PlanCommand> {
        self.waiting = false;
        // Each child waits by itself here; `due` and its one wait are for those that share their fate.
        if self.phase == PlanPhase::Running && self.strategy == Strategy::OneForOne {
            return self.start(child).into_iter().collect();
        }
        self.poll()
    }

    /// A child is up again.
    pub(super) fn handle_started(&mut self, child: usize) -> Vec<PlanCommand> {
        self.set(child, ChildState::Up);
        match self.phase {
            PlanPhase::Running if self.is_held(child) => {
                // It was starting when it was to be stopped.
                self.set(child, ChildState::Stopping);
                return vec![PlanCommand::Stop(child)];
            }
            PlanPhase::Running => {}
            PlanPhase::Ending | PlanPhase::Ended => {
                // It came up after the list of those to be stopped was made.
                self.outdated.insert(child);
            }
            PlanPhase::Frozen => {
                // It was starting when the shutdown learned who is alive, so the shutdown doesn't know it.
                self.set(child, ChildState::Stopping);
                return vec![PlanCommand::Stop(child)];
            }
        }
        self.poll()
    }

    /// A child did not come up. `spend` is as for [`handle_ended`](Self::handle_ended).
    pub(super) fn handle_start_failed(
        &mut self,
        child: usize,
        spend: impl FnOnce() -> RestartDecision,
    ) -> Vec<PlanCommand> {
        self.set(child, ChildState::Down);
        if self.phase == PlanPhase::Running && !self.is_held(child) {
            return self.decide(child, spend());
        }
        self.poll()
    }

    /// The supervisor is to stop, and its children before it.
    pub(super) fn handle_end(&mut self) -> Vec<PlanCommand> {
        if self.phase == PlanPhase::Running {
            self.end();
        }
        self.poll()
    }

    /// From now on nothing is started, and somebody else stops the children.
    pub(crate) fn freeze(&mut self) {
        self.phase = PlanPhase::Frozen;
        self.outdated.clear();
        self.due.clear();
        self.wait = None;
    }

    /// True from when nothing is restarted any more.
    pub(super) fn is_over(&self) -> bool {
        self.phase != PlanPhase::Running
    }

    /// The children that are up, in their order.
    pub(super) fn up(&self) -> impl DoubleEndedIterator<Item = usize> + '_ {
        let states = self.children.iter().enumerate();
        states
            .filter(|(_, child)| matches!(child.state, ChildState::Up | ChildState::Stopping))
            .map(|(index, _)| index)
    }

    fn decide(&mut self, failed: usize, verdict: RestartDecision) -> Vec<PlanCommand> {
        match (verdict, self.strategy) {
            // Its failure is its own.
            (RestartDecision::GiveUp, Strategy::OneForOne) => return Vec::new(),
            (RestartDecision::GiveUp, _) => self.end(),
            (RestartDecision::Restart { after, .. }, Strategy::OneForOne) => {
                return vec![PlanCommand::Wait(failed, after)];
            }
            (RestartDecision::Restart { after, .. }, _) => {
                self.due.insert(failed);
                // Failures that come before the wait has begun share it, and the longest one counts.
                let longest = self.wait.map_or(after, |(_, wait)| wait.max(after));
                self.wait = Some((failed, longest));
                self.restart_others(failed);
            }
        }
        self.poll()
    }

    /// Marks those that share the fate of the one that failed.
    fn restart_others(&mut self, failed: usize) {
        let affected = match self.strategy {
            Strategy::OneForOne => return,
            Strategy::RestForOne => failed.saturating_add(1)..self.children.len(),
            Strategy::OneForAll => 0..self.children.len(),
        };
        for index in affected.filter(|index| *index != failed) {
            let Some(child) = self.children.get(index).filter(|child| child.hold == Hold::Free) else {
                continue;
            };
            // One that is starting counts too: it may have met the child that failed.
            let is_alive = matches!(child.state, ChildState::Up | ChildState::Starting);
            let is_back = child.restart != RestartType::Temporary;
            if is_alive && (!is_back || child.kind != ChildKind::Guest) {
                self.outdated.insert(index);
            }
            if is_back {
                self.due.insert(index);
            }
        }
    }

    fn end(&mut self) {
        self.phase = PlanPhase::Ending;
        self.due.clear();
        self.wait = None;
        self.outdated = self.up().collect();
    }

    /// What can be done by now. One child is stopped or started at a time, so that those after it find it ready.
    fn poll(&mut self) -> Vec<PlanCommand> {
        if self.phase == PlanPhase::Frozen || self.moving > 0 {
            return Vec::new();
        }
        // All stops come before the first start, so that no child meets one that is about to go.
        while let Some(child) = self.outdated.pop_last() {
            if self.state(child) == Some(ChildState::Up) {
                self.set(child, ChildState::Stopping);
                return vec![PlanCommand::Stop(child)];
            }
        }
        match self.phase {
            PlanPhase::Ending => {
                self.phase = PlanPhase::Ended;
                return vec![PlanCommand::End];
            }
            PlanPhase::Ended | PlanPhase::Frozen => return Vec::new(),
            // Only starts wait for the backoff; what had to be stopped was stopped above.
            PlanPhase::Running if self.waiting => return Vec::new(),
            PlanPhase::Running => {}
        }
        if let Some((child, wait)) = self.wait.take() {
            self.waiting = true;
            return vec![PlanCommand::Wait(child, wait)];
        }
        let mut commands = Vec::new();
        while let Some(child) = self.due.pop_first() {
            if let Some(start) = self.start(child) {
                commands.push(start);
                break;
            }
            // It is up and goes on in place. Nothing has to be ready before the next one, so the loop goes on too.
            if self.is_guest(child) && !self.is_held(child) {
                commands.push(PlanCommand::Refresh(child));
            }
        }
        commands
    }

    /// Starts a child that is down.
    fn start(&mut self, child: usize) -> Option<PlanCommand> {
        if self.state(child) != Some(ChildState::Down) || self.is_held(child) {
            return None;
        }
        self.set(child, ChildState::Starting);
        Some(PlanCommand::Start(child))
    }

    fn state(&self, child: usize) -> Option<ChildState> {
        self.children.get(child).map(|child| child.state)
    }

    fn is_guest(&self, child: usize) -> bool {
        self.children
            .get(child)
            .is_some_and(|child| child.kind == ChildKind::Guest)
    }

    /// Sets the state of a child, and returns the one before.
    fn set(&mut self, child: usize, state: ChildState) -> Option<ChildState> {
        let is_moving = |state| usize::from(matches!(state, ChildState::Starting | ChildState::Stopping));
        let child = self.children.get_mut(child)?;
        let was = std::mem::replace(&mut child.state, state);
        self.moving = self.moving + is_moving(state) - is_moving(was);
        Some(was)
    }
}
