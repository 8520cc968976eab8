//! The actor that carries out what [`super::plan`] decides.
//!
//! It never waits: what takes time is a task that reports back, so that one child's backoff or slow start keeps no other
//! from being seen to.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use parking_lot::Mutex;
use ractor::{Actor, ActorId, ActorProcessingErr, ActorRef, SupervisionEvent};
use tokio::sync::watch;

use self::history::Fresh;
use super::batch::start_together;
use super::child::{Child, ChildStart, stop};
use super::counts::{ActorTally, TreeState};
use super::in_place::{Closing, SharedBudget};
use super::message::{ChildHandle, LiveChild, NotStarted, RunningChild, SupervisorMessage, is_supervisor};
use super::plan::{ChildExit, PlanCommand, RestartPlan};
use super::readiness::{GivenUp, OnGiveUp};
use super::report;
use super::shutdown::{self, ShutdownMode};
use super::spec::{Strategy, SupervisorSpec};
use crate::guest::{RestartBudget, RestartDecision, RestartIntensity};

mod changed;
mod history;
mod steered;

/// The most actors that are given up together and named in the log.
const LOGGED: usize = 20;

/// A supervisor, the root or any other.
pub(super) struct Supervisor;

pub(super) struct Arguments {
    pub(super) spec: Arc<SupervisorSpec>,
    pub(super) tree: TreeState,
    pub(super) is_root: bool,
    /// It takes the place of one that failed.
    pub(super) again: bool,
}

pub(super) struct State {
    myself: ActorRef<SupervisorMessage>,
    /// What it was first started as, by which the supervisor above it knows it.
    origin: Arc<SupervisorSpec>,
    /// What it is by now.
    spec: Arc<SupervisorSpec>,
    tree: TreeState,
    is_root: bool,
    plan: RestartPlan,
    /// The budget of all children, where they have one together.
    shared_budget: SharedBudget,
    children: Vec<Child>,
    by_id: HashMap<ActorId, usize>,
    /// Starts that are under way.
    starting: usize,
    /// Actors that have ended, and whether they failed, before it was known here which child they were.
    early: HashMap<ActorId, bool>,
    /// Tells the guests that nothing is restarted any more.
    closing: watch::Sender<Closing>,
    tally: ActorTally,
    /// Why it gave up.
    failure: Option<String>,
}

#[cfg_attr(feature = "async-trait", ractor::async_trait)]
impl Actor for Supervisor {
    type Msg = SupervisorMessage;
    type State = State;
    type Arguments = Arguments;

    async fn pre_start(
        &self,
        myself: ActorRef<SupervisorMessage>,
        arguments: Arguments,
    ) -> Result<State, ActorProcessingErr> {
        let again = arguments.again;
        let mut state = State::new(myself, arguments);
        for batch in state.batches() {
            let launches = batch
                .into_iter()
                .filter(|index| !state.plan.is_held(*index))
                .filter_map(|index| state.launch(index, again))
                .collect();
            let mut started = start_together(launches).await;
            // Also after a failure: `live` below has to know those that did start, so that they are stopped.
            for (index, running) in started.running.drain(..) {
                state.enter(index, running);
            }
            if let Some(error) = started.failure() {
                // Closed first: a guest that fails while it is stopped is not to be restarted in place.
                state.close(Closing::Ending);
                shutdown::shut_down(state.live(), &ShutdownMode::Drain, shutdown::PATIENCE).await;
                return Err(error.into());
            }
        }
        Ok(state)
    }

    async fn handle(
        &self,
        _: ActorRef<SupervisorMessage>,
        message: SupervisorMessage,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        let commands = match message {
            SupervisorMessage::Started(index, outcome) => state.started(index, outcome),
            SupervisorMessage::Waited(index) => state.plan.handle_waited(index),
            SupervisorMessage::RestartedInPlace(index) => {
                state.restarted_in_place(index, Fresh::Failed);
                state.plan.handle_restarted(index)
            }
            SupervisorMessage::Refreshed(index) => {
                state.restarted_in_place(index, Fresh::Asked);
                Vec::new()
            }
            SupervisorMessage::Steer(order) => state.steer(order),
            SupervisorMessage::Change(orders) => state.change(orders),
            SupervisorMessage::Gone(index, id) if state.by_id.contains_key(&id) => {
                state.ended(index, id, false, "it could not be stopped")
            }
            // The usual case: the event of its end came first.
            SupervisorMessage::Gone(..) => Vec::new(),
            SupervisorMessage::End => {
                state.close(Closing::Ending);
                state.plan.handle_end()
            }
            SupervisorMessage::Freeze(reply) => {
                // Both before the answer: whoever has it begins to stop actors, and none of them may be started again.
                state.close(Closing::Draining);
                state.plan.freeze();
                // Whoever asked may have lost patience.
                drop(reply.send(state.live()));
                Vec::new()
            }
        };
        state.execute(commands)
    }

    async fn handle_supervisor_evt(
        &self,
        _: ActorRef<SupervisorMessage>,
        event: SupervisionEvent,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        report::event(&event, &state.spec.name, &state.tree.events, |id| state.name(id));
        if !event.actor_cell().is_some_and(is_supervisor) {
            state.tally.count(&event);
        }
        let (cell, failed, reason) = match &event {
            SupervisionEvent::ActorFailed(cell, error) => (cell, true, error.to_string()),
            SupervisionEvent::ActorTerminated(cell, _, reason) => (cell, false, reason.clone().unwrap_or_default()),
            _ => return Ok(()),
        };
        let commands = match state.by_id.get(&cell.get_id()) {
            Some(index) => state.ended(*index, cell.get_id(), failed, &reason),
            None => {
                // A child may end before its start is reported. With no start under way, it is an actor that a program has linked here.
                if state.starting > 0 {
                    state.early.insert(cell.get_id(), failed);
                }
                Vec::new()
            }
        };
        state.execute(commands)
    }
}

impl State {
    fn new(myself: ActorRef<SupervisorMessage>, arguments: Arguments) -> Self {
        let Arguments {
            spec: origin,
            tree,
            is_root,
            ..
        } = arguments;
        // The configuration may have been changed since it was first started.
        let spec = tree.steering.enter(&myself, &origin);
        let budget = || Arc::new(Mutex::new(RestartBudget::new(spec.intensity)));
        let shared = budget();
        let child = |child: &super::spec::ChildSpec| Child {
            spec: child.clone(),
            budget: match spec.strategy {
                Strategy::OneForOne => budget(),
                Strategy::RestForOne | Strategy::OneForAll => shared.clone(),
            },
            running: None,
            waiting: Vec::new(),
            is_killed: false,
            is_leaving: false,
            is_new: false,
            is_on_trial: false,
        };
        let children: Vec<Child> = spec.children.iter().map(child).collect();
        let kinds = children.iter().map(|child| (child.spec.kind(), child.spec.restart));
        let mut plan = RestartPlan::new(spec.strategy, kinds);
        // What was stopped stays so, although its supervisor has another life.
        let stopped = tree.steering.stopped_below(&spec);
        stopped.into_iter().for_each(|index| plan.keep_down(index));
        Self {
            plan,
            shared_budget: shared,
            children,
            myself,
            origin,
            is_root,
            by_id: HashMap::new(),
            starting: 0,
            early: HashMap::new(),
            closing: watch::Sender::new(Closing::No),
            tally: ActorTally::new(tree.clone()),
            failure: None,
            spec,
            tree,
        }
    }

    /// The places of the children, those together that are started together.
    fn batches(&self) -> Vec<Vec<usize>> {
        neighbours(self.children.iter().map(|child| child.spec.batch).zip(0..))
    }

    fn launch(&self, index: usize, again: bool) -> Option<ChildStart> {
        let child = self.children.get(index)?;
        Some(ChildStart {
            index,
            spec: child.spec.clone(),
            budget: child.budget.clone(),
            supervisor: self.myself.clone(),
            closing: self.closing.subscribe(),
            tree: self.tree.clone(),
            again,
            waits_for_name: again,
        })
    }

    /// A child has come to life.
    fn enter(&mut self, index: usize, running: RunningChild) {
        self.by_id.insert(running.cell.get_id(), index);
        if let Some(child) = self.children.get_mut(index) {
            child.running = Some(running);
        }
    }

    fn name(&self, id: ActorId) -> Option<Arc<str>> {
        let child = self.children.get(*self.by_id.get(&id)?)?;
        Some(child.spec.name.clone())
    }

    fn started(&mut self, index: usize, outcome: Result<RunningChild, NotStarted>) -> Vec<PlanCommand> {
        self.starting = self.starting.saturating_sub(1);
        let running = match outcome {
            Ok(running) => running,
            Err(error) => {
                tracing::error!(supervisor = self.spec.name, "{error}");
                self.forget_early();
                let reason = error.to_string();
                self.end_trial(index);
                self.is_not_up(index, &reason);
                return self.decide(index, &reason, |plan, spend| plan.handle_start_failed(index, spend));
            }
        };
        let id = running.cell.get_id();
        self.tell_start(index, &running);
        self.enter(index, running);
        self.pass_trial(index);
        self.is_up(index);
        // Up first and ended second: in the other order the plan would take a child that has ended for one that is up.
        let mut commands = self.plan.handle_started(index);
        if let Some(failed) = self.early.remove(&id) {
            commands.extend(self.ended(index, id, failed, "it ended as soon as it had started"));
        }
        self.forget_early();
        commands
    }

    fn forget_early(&mut self) {
        // While a start is under way, any of them may turn out to be the child that it brings.
        if self.starting == 0 {
            self.early.clear();
        }
    }

    fn ended(&mut self, index: usize, id: ActorId, failed: bool, reason: &str) -> Vec<PlanCommand> {
        self.by_id.remove(&id);
        let running = self.children.get_mut(index).and_then(|child| child.running.take());
        let ending = match running.map(|running| running.handle) {
            _ if self.has_been_killed(index) => ChildExit::Killed,
            // It failed while it was being stopped, and nobody misses it.
            Some(ChildHandle::Guest(..)) if self.plan.is_held(index) => ChildExit::Stopped,
            Some(ChildHandle::Guest(_, gave_up)) if gave_up.get() => ChildExit::GaveUp,
            _ if failed => ChildExit::Failed,
            _ => ChildExit::Stopped,
        };
        self.is_down(index);
        // The guest has asked the budget by itself. The plan doesn't ask again, so `decide` would say nothing of it.
        if ending == ChildExit::GaveUp {
            self.give_up(index);
        }
        self.decide(index, reason, |plan, spend| plan.handle_ended(index, ending, spend))
    }

    /// Lets the plan ask the budget, and tells of the verdict.
    fn decide(
        &mut self,
        index: usize,
        reason: &str,
        ask: impl FnOnce(&mut RestartPlan, &mut dyn FnMut() -> RestartDecision) -> Vec<PlanCommand>,
    ) -> Vec<PlanCommand> {
        let Some(child) = self.children.get(index) else {
            return Vec::new();
        };
        // The plan asks only where a restart is possible at all, so that no other end takes from the budget.
        let mut verdict = None;
        let mut spend = || *verdict.insert(child.spend());
        let commands = ask(&mut self.plan, &mut spend);
        match verdict {
            Some(RestartDecision::Restart { after, restart }) => {
                let (actor, supervisor) = (&*child.spec.name, &*self.spec.name);
                tracing::warn!(actor, supervisor, restart, ?after, reason, "it is started again");
            }
            Some(RestartDecision::GiveUp) => self.give_up(index),
            None => {}
        }
        commands
    }

    /// There were too many restarts. What follows from that is the plan's.
    fn give_up(&mut self, index: usize) {
        let name = self
            .children
            .get(index)
            .map(|child| child.spec.name.clone())
            .unwrap_or_default();
        let RestartIntensity {
            max_restarts, within, ..
        } = self.spec.intensity;
        let supervisor = &self.spec.name;
        let reason = format!("more than {max_restarts} restarts within {within:?}, the last one for `{name}`");
        match self.spec.strategy {
            Strategy::OneForOne => self.miss(index..index.saturating_add(1), &reason),
            // Another one may fail while all are being stopped.
            _ if self.failure.is_some() => {}
            Strategy::RestForOne | Strategy::OneForAll => {
                tracing::error!(supervisor, "the supervisor gives up, and its actors end: {reason}");
                if self.is_root {
                    self.miss(0..self.children.len(), &reason);
                }
                // Below the root it is for the supervisor above to say whether they come back.
                self.failure = Some(format!("the supervisor `{supervisor}` gave up: {reason}"));
            }
        }
    }

    /// These children are down for good, and everybody below them.
    fn miss(&self, children: Range<usize>, reason: &str) {
        let (supervisor, reason): (Arc<str>, Arc<str>) = (self.spec.name.as_str().into(), reason.into());
        let children = self.children.get(children).unwrap_or_default();
        let current = |origin: &Arc<SupervisorSpec>| self.tree.steering.current(origin);
        let actors = children.iter().flat_map(|child| child.spec.actors(&current));
        let missed: Vec<GivenUp> = actors
            .map(|(actor, then)| GivenUp {
                actor,
                supervisor: supervisor.clone(),
                reason: reason.clone(),
                then,
            })
            .collect();
        for given_up in missed.iter().take(LOGGED) {
            let (actor, supervisor, reason) = (&*given_up.actor, &*supervisor, &*reason);
            match given_up.then {
                OnGiveUp::Exit => tracing::error!(actor, supervisor, reason, "given up; the node can't do without it"),
                OnGiveUp::Stay => {
                    tracing::error!(actor, supervisor, reason, "given up; the node is not ready without it")
                }
            }
        }
        if let Some(more) = missed.len().checked_sub(LOGGED).filter(|more| *more > 0) {
            tracing::error!(supervisor = &*supervisor, more, "others are given up with them");
        }
        self.tell_given_up(missed.iter().take(LOGGED));
        self.tree.given_up_actors.add(missed);
    }

    /// Nothing that fails from now on is restarted. What was said first stays.
    fn close(&self, how: Closing) {
        self.closing.send_if_modified(|closing| {
            let is_first = *closing == Closing::No;
            if is_first {
                *closing = how;
            }
            is_first
        });
    }

    fn execute(&mut self, commands: Vec<PlanCommand>) -> Result<(), ActorProcessingErr> {
        // Before the commands: a guest that fails while it is being stopped is not to be restarted in place.
        if self.plan.is_over() {
            self.close(Closing::Ending);
        }
        for command in commands {
            match command {
                PlanCommand::Refresh(index) => self.refresh(index),
                PlanCommand::Stop(index) => {
                    if let Some(child) = self.children.get(index)
                        && let Some(running) = &child.running
                    {
                        let which = (index, child.spec.name.clone());
                        stop(running, which, child.is_leaving, self.myself.clone());
                    }
                }
                PlanCommand::Wait(index, after) => {
                    let myself = self.myself.clone();
                    tokio::spawn(async move {
                        tokio::time::sleep(after).await;
                        // The supervisor may have ended by now.
                        drop(myself.cast(SupervisorMessage::Waited(index)));
                    });
                }
                PlanCommand::Start(index) => self.start(index),
                PlanCommand::End => self.end()?,
            }
        }
        Ok(())
    }

    fn start(&mut self, index: usize) {
        let child = self.children.get_mut(index);
        let is_new = child.is_some_and(|child| std::mem::take(&mut child.is_new));
        let Some(launch) = self.launch(index, !is_new) else {
            return;
        };
        let launch = ChildStart {
            waits_for_name: true,
            ..launch
        };
        self.starting += 1;
        let myself = self.myself.clone();
        let child = launch.spec.name.to_string();
        tokio::spawn(async move {
            // A task of its own, because what a program does there may panic.
            let outcome = tokio::spawn(launch.start()).await.unwrap_or_else(|ended| {
                let reason = ended.to_string().into();
                Err(NotStarted { child, reason })
            });
            if let Err(error) = myself.cast(SupervisorMessage::Started(index, outcome)) {
                tracing::debug!(%error, "an actor was started for a supervisor that has ended");
            }
        });
    }

    /// All children are down.
    fn end(&mut self) -> Result<(), ActorProcessingErr> {
        match self.failure.take() {
            // There is nobody above it to tell, and the node may go on.
            Some(_) if self.is_root => Ok(()),
            Some(failure) => Err(failure.into()),
            None => {
                self.myself.stop(Some("its supervisor restarts or ends".to_owned()));
                Ok(())
            }
        }
    }

    /// Who is alive, in the order of their start: those that are stopped together, together.
    fn live(&self) -> Vec<Vec<LiveChild>> {
        let up = self.plan.up().filter_map(|index| {
            let child = self.children.get(index)?;
            let running = child.running.as_ref()?;
            let live = match &running.handle {
                ChildHandle::Supervisor(actor) => LiveChild::Supervisor(actor.clone()),
                ChildHandle::Guest(..) | ChildHandle::Native => LiveChild::Actor(running.cell.clone()),
            };
            Some((child.spec.batch, live))
        });
        let mut batches = neighbours(up);
        // What a program has linked to it besides.
        let strangers = self.myself.get_cell().get_children().into_iter();
        let strangers = strangers.filter(|cell| !self.by_id.contains_key(&cell.get_id()));
        batches.push(strangers.map(LiveChild::Actor).collect());
        batches
    }
}

/// Neighbours of the same batch together, and everybody else alone.
fn neighbours<T>(children: impl Iterator<Item = (Option<usize>, T)>) -> Vec<Vec<T>> {
    let mut batches: Vec<Vec<T>> = Vec::new();
    let mut last = None;
    for (batch, child) in children {
        match batches.last_mut() {
            Some(neighbours) if batch.is_some() && batch == last => neighbours.push(child),
            _ => batches.push(vec![child]),
        }
        last = batch;
    }
    batches
}
