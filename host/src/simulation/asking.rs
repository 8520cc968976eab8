//! How guests are asked for their states: the machine of the schedule that ships.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use tokio::sync::OwnedSemaphorePermit;

use super::Time;
use super::computer::guest_index;
use super::guest::Guest;
use super::history::Notes;
use super::keeper::{Brought, brought};
use super::plan::ComputerPlan;
use super::process::{Context, Event, Process};
use crate::checkpoint::sim::{AnswerOutcome, CheckpointActor, Collection, CollectionStep, StateAnswer, hash};

/// The number of entries of a configuration that have the guests of a node. They take turns.
const SECTIONS: usize = 2;

/// A guest as the machine knows it.
#[derive(Debug, Clone)]
pub(super) struct Handle {
    pid: u64,
    turns: Arc<AtomicU64>,
}

impl Handle {
    pub(super) fn new(pid: u64) -> Self {
        Self {
            pid,
            turns: Arc::default(),
        }
    }

    pub(super) fn has_turn(&self) {
        self.turns.fetch_add(1, Ordering::Relaxed);
    }
}

impl CheckpointActor for Handle {
    fn pid(&self) -> u64 {
        self.pid
    }

    fn turns(&self) -> u64 {
        self.turns.load(Ordering::Relaxed)
    }
}

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Who {
    /// The schedule.
    Rounds,
    /// The stop, for the last time before actors are killed.
    LastCall,
}

/// A question that a guest was asked: by whom, and which of theirs.
pub(super) type Question = (Who, u64);

/// What a guest answered.
#[derive(Debug)]
pub(super) enum Answered {
    State(Brought, OwnedSemaphorePermit),
    NoRoom,
    Ended,
}

/// Both who ask.
pub(super) struct Askers {
    rounds: Option<Asker>,
    last_call: Option<Asker>,
    at_once: usize,
    /// Questions whose guests have ended.
    pub(super) ended: Vec<Question>,
}

struct Asker {
    machine: Collection<Handle>,
    /// When it is woken next.
    wake: Option<Time>,
}

impl Asker {
    fn new(machine: Collection<Handle>) -> Self {
        Self { machine, wake: None }
    }
}

impl Askers {
    pub(super) fn new(at_once: usize) -> Self {
        Self {
            rounds: None,
            last_call: None,
            at_once,
            ended: Vec::new(),
        }
    }

    pub(super) fn begin(&mut self, plan: &ComputerPlan, now: Instant) {
        let every = std::time::Duration::from_micros(plan.every);
        self.rounds = Some(Asker::new(Collection::since(
            self.at_once,
            [(every, now); SECTIONS],
            now,
        )));
    }

    pub(super) fn last_call(&mut self, now: Instant) {
        self.last_call = Some(Asker::new(Collection::once(self.at_once, SECTIONS, now)));
    }

    /// Nobody is asked any more.
    pub(super) fn finish(&mut self) {
        (self.rounds, self.last_call) = (None, None);
    }

    fn of(&mut self, who: Who) -> &mut Option<Asker> {
        match who {
            Who::Rounds => &mut self.rounds,
            Who::LastCall => &mut self.last_call,
        }
    }
}

impl Process {
    /// The time of somebody who asks may have come.
    pub(super) fn wake_asker(&mut self, who: Who) {
        if let Some(asker) = self.keeper.askers.of(who) {
            asker.wake = None;
        }
    }

    /// Carries out what the machines have decided.
    pub(super) fn poll_asking(&mut self, context: &mut Context<'_>) {
        for question in std::mem::take(&mut self.keeper.askers.ended) {
            self.answered(question, Answered::Ended, context);
        }
        for who in [Who::Rounds, Who::LastCall] {
            let Some(mut asker) = self.keeper.askers.of(who).take() else {
                continue;
            };
            asker.machine.handle_timeout(context.now);
            while let Some(step) = asker.machine.poll_step(context.now) {
                self.take_asking_step(&mut asker, who, step, context);
            }
            if let Some(at) = asker.machine.poll_timeout(context.now) {
                let at = context.time + context.until(at);
                if asker.wake.is_none_or(|wake| at < wake) {
                    asker.wake = Some(at);
                    context.after(at - context.time, Event::Asking(who));
                }
            }
            *self.keeper.askers.of(who) = Some(asker);
        }
    }

    fn take_asking_step(
        &mut self,
        asker: &mut Asker,
        who: Who,
        step: CollectionStep<Handle>,
        context: &mut Context<'_>,
    ) {
        match step {
            CollectionStep::Round(section) => {
                let guests = self.guests.values().filter(|guest| guest.index % SECTIONS == section);
                let living = guests.map(|guest| (guest.name.clone(), guest.handle.clone()));
                asker.machine.handle_living(section, living);
            }
            CollectionStep::Ask { ask, actor, room } => match self.guests.get_mut(&actor.pid) {
                Some(guest) => {
                    guest.asked.push(((who, ask), room));
                    if guest.is_at_boundary() {
                        guest.answer(context);
                    }
                }
                None => context.after(0, Event::Answered((who, ask), Answered::Ended)),
            },
            CollectionStep::GiveUp { ask, .. } => {
                for guest in self.guests.values_mut() {
                    guest.asked.retain(|(question, _)| *question != (who, ask));
                }
            }
        }
    }

    /// What a guest answered has got to who asked.
    pub(super) fn answered(&mut self, (who, ask): Question, answered: Answered, context: &mut Context<'_>) {
        let Some(asker) = self.keeper.askers.of(who) else {
            return;
        };
        let answer = match &answered {
            Answered::State(brought, _) => StateAnswer::State(hash(1, brought.state())),
            Answered::NoRoom => StateAnswer::NoRoom,
            Answered::Ended => StateAnswer::Ended,
        };
        let outcome = asker.machine.handle_answer(ask, answer);
        if let (AnswerOutcome::Write { section, name }, Answered::State(brought, _place)) = (outcome, answered) {
            let state = Notes::from_bytes(brought.state());
            if brought.pass(&mut self.keeper.queue) {
                context.history.brought((self.computer, guest_index(&name)), &state);
            } else if let Some(asker) = self.keeper.askers.of(who) {
                asker.machine.handle_left_out(section, &name);
            }
        }
    }
}

impl Guest {
    /// Between two messages: says its state to those who asked, if there is a place for it.
    pub(super) fn answer(&mut self, context: &mut Context<'_>) {
        for (question, room) in std::mem::take(&mut self.asked) {
            let answered = match room.enter() {
                Some(place) => Answered::State(brought(self, context.wall), place),
                None => Answered::NoRoom,
            };
            let delay = context.slow(2_000);
            context.after(delay, Event::Answered(question, answered));
        }
    }
}
