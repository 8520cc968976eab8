//! Which actor of a module is reloaded when, and whether all go back: what is decided, without doing any of it. `driver` does it.
//!
//! Actors are known by their pids. The driver carries out what [`Rollout::poll`] says, and reports what came of it with the
//! `handle_*` functions, in any order.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use super::OnFailure;
use super::report::{Outcome, Verdict};
use crate::guest::{Mode, NotReloaded};

/// The number of times to look for actors that started meanwhile. Those that start after the new version is current have it.
const SWEEPS: usize = 3;

/// What is to be done next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RolloutCommand {
    /// Reload this actor: [`Rollout::handle_swapped`] takes what came of it, and then [`Rollout::handle_proven`].
    Swap(u64, Mode),
    /// Make the new version current, if it isn't, and find the actors that don't run it: [`Rollout::handle_late`].
    Advance,
    /// Make the old version current again, and find the actors that don't run it: [`Rollout::handle_strays`].
    TakeBack,
    /// Give this actor the old version again: [`Rollout::handle_returned`].
    Return(u64, Mode),
    /// This actor stays with the new version, and its old instance can go.
    Confirm(u64),
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Rollout {
    on_failure: OnFailure,
    /// How many actors are reloaded at the same time.
    concurrency: usize,
    phase: RolloutPhase,
    /// In the order in which they are reloaded.
    actors: Vec<ActorEntry>,
    at: BTreeMap<u64, usize>,
    /// The first of `actors` that this phase has not come to.
    next: usize,
    /// How many are at it: they come to the end of a message, or are between two instances.
    busy: usize,
    /// How many are at it or prove themselves.
    open: usize,
    sweeps: usize,
    /// One has failed, for which all go back: no other one is begun with.
    failing: bool,
    /// One that was taken to have proven itself has failed since, so that what follows has to be decided anew.
    relapsed: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RolloutPhase {
    Forward,
    /// The driver looks for actors that started meanwhile.
    Advancing,
    TakingBack,
    Back,
    Confirm,
}

#[derive(Debug)]
struct ActorEntry {
    pid: u64,
    mode: Mode,
    outcome: Option<Outcome>,
    /// It runs the new version although it could not be reloaded, or has failed with it.
    is_stray: bool,
}

impl ActorEntry {
    fn is_reloaded(&self) -> bool {
        matches!(self.outcome, Some(Outcome::Reloaded { .. }))
    }

    fn goes_back(&self) -> bool {
        self.is_reloaded() || self.is_stray
    }
}

impl Rollout {
    /// Of these actors, each in its mode.
    pub(crate) fn new(
        on_failure: OnFailure,
        concurrency: usize,
        actors: impl IntoIterator<Item = (u64, Mode)>,
    ) -> Self {
        let mut rollout = Self {
            on_failure,
            concurrency: concurrency.max(1),
            phase: RolloutPhase::Forward,
            actors: Vec::new(),
            at: BTreeMap::new(),
            next: 0,
            busy: 0,
            open: 0,
            sweeps: 0,
            failing: false,
            relapsed: false,
        };
        actors.into_iter().for_each(|(pid, mode)| rollout.add(pid, mode, None));
        rollout
    }

    /// What to do next; none if that depends on what is under way, and if all is done when nothing is.
    pub(crate) fn poll(&mut self) -> Option<RolloutCommand> {
        loop {
            match self.phase {
                RolloutPhase::Forward => match self.actors.get_mut(self.next) {
                    // Whoever has not been touched needs no way back.
                    Some(actor) if self.failing => {
                        actor.outcome = Some(Outcome::Untouched);
                        self.next += 1;
                    }
                    Some(actor) if self.busy < self.concurrency => {
                        let command = RolloutCommand::Swap(actor.pid, actor.mode);
                        self.begin();
                        return Some(command);
                    }
                    Some(_) => return None,
                    // What is still on probation may turn all of it around.
                    None if self.open > 0 => return None,
                    None => return self.forward_ended(),
                },
                RolloutPhase::Back => match self.actors.get(self.next) {
                    Some(actor) if !actor.goes_back() => self.next += 1,
                    Some(actor) if self.busy < self.concurrency => {
                        let command = RolloutCommand::Return(actor.pid, actor.mode);
                        self.begin();
                        return Some(command);
                    }
                    _ => return None,
                },
                RolloutPhase::Confirm => {
                    let actor = self.actors.get(self.next)?;
                    self.next += 1;
                    if actor.is_reloaded() {
                        return Some(RolloutCommand::Confirm(actor.pid));
                    }
                }
                RolloutPhase::Advancing | RolloutPhase::TakingBack => return None,
            }
        }
    }

    /// An actor runs the new code and has to prove itself, or could not be reloaded.
    pub(crate) fn handle_swapped(&mut self, pid: u64, swapped: Result<(), NotReloaded>) {
        self.busy = self.busy.saturating_sub(1);
        if let Err(error) = swapped {
            self.open = self.open.saturating_sub(1);
            self.failed(pid, error);
        }
    }

    /// An actor has proven itself, or had nothing at which to fail; or it has failed, and has its old code again.
    pub(crate) fn handle_proven(&mut self, pid: u64, proven: Result<(), NotReloaded>) {
        self.open = self.open.saturating_sub(1);
        match proven {
            Ok(()) => {
                if let Some(actor) = self.actor(pid) {
                    actor.outcome = Some(Outcome::Reloaded { mode: actor.mode });
                }
            }
            Err(error) => self.failed(pid, error),
        }
    }

    /// An actor that nobody watched any more has failed with the new code after all, and has its old code again. This has to be
    /// known before [`handle_late`](Self::handle_late).
    pub(crate) fn handle_relapsed(&mut self, pid: u64, error: NotReloaded) {
        if self.phase == RolloutPhase::Advancing && self.actor(pid).is_some_and(|actor| actor.is_reloaded()) {
            self.relapsed = true;
            self.failed(pid, error);
        }
    }

    /// The new version is current, and these actors don't run it.
    pub(crate) fn handle_late(&mut self, late: impl IntoIterator<Item = u64>) {
        if self.phase != RolloutPhase::Advancing {
            return;
        }
        // They are of the same code, so what was decided for the others holds for them.
        let mode = self.mode();
        for pid in late {
            // `Mixed` leaves those that failed with their old code. They are found in every sweep, and had their turn.
            if !self.at.contains_key(&pid) {
                self.add(pid, mode, None);
            }
        }
        let is_decided = !std::mem::take(&mut self.relapsed);
        self.phase = if self.next < self.actors.len() || !is_decided {
            RolloutPhase::Forward
        } else {
            self.begin_phase(RolloutPhase::Confirm)
        };
    }

    /// The old version is current again, and these actors don't run it.
    pub(crate) fn handle_strays(&mut self, strays: impl IntoIterator<Item = u64>) {
        if self.phase != RolloutPhase::TakingBack {
            return;
        }
        // Those that started with the rejected version go back like those that were reloaded, and so do those that failed and run it
        // nevertheless.
        let mode = self.mode();
        for pid in strays {
            match self.actor(pid) {
                Some(actor) => actor.is_stray = true,
                None => self.add(pid, mode, Some(Outcome::Reloaded { mode })),
            }
        }
        self.phase = self.begin_phase(RolloutPhase::Back);
    }

    /// An actor has its old code again, or not.
    pub(crate) fn handle_returned(&mut self, pid: u64, returned: Result<(), NotReloaded>) {
        self.busy = self.busy.saturating_sub(1);
        self.open = self.open.saturating_sub(1);
        if let Some(actor) = self.actor(pid) {
            actor.outcome = Some(match returned {
                // That it has its old code now is what was said of it already.
                Ok(()) if !actor.is_reloaded() => return,
                Ok(()) => Outcome::RolledBack,
                Err(NotReloaded::Ended) => Outcome::Ended,
                Err(NotReloaded::Failed { step, reason, .. }) => Outcome::NotRolledBack { step, reason },
            });
        }
    }

    /// What became of the module as things stand.
    pub(crate) fn verdict(&self) -> Verdict {
        if matches!(self.phase, RolloutPhase::TakingBack | RolloutPhase::Back) {
            return Verdict::RolledBack;
        }
        let mut actors = self.actors.iter();
        let has_failed = actors.any(|actor| matches!(actor.outcome, Some(Outcome::Failed { .. })));
        match self.on_failure {
            _ if !has_failed => Verdict::Reloaded,
            OnFailure::Mixed if self.actors.iter().any(ActorEntry::is_reloaded) => Verdict::Mixed,
            OnFailure::Mixed | OnFailure::Rollback => Verdict::RolledBack,
        }
    }

    /// What became of each actor, in the order in which they were reloaded.
    pub(crate) fn into_outcomes(self) -> impl Iterator<Item = (u64, Outcome)> {
        let actors = self.actors.into_iter();
        actors.map(|actor| (actor.pid, actor.outcome.unwrap_or(Outcome::Untouched)))
    }

    fn forward_ended(&mut self) -> Option<RolloutCommand> {
        if self.verdict() == Verdict::RolledBack {
            // First of all, so that nobody starts with the rejected version any more: those who did are known then.
            self.phase = RolloutPhase::TakingBack;
            return Some(RolloutCommand::TakeBack);
        }
        if self.sweeps == SWEEPS {
            self.phase = self.begin_phase(RolloutPhase::Confirm);
            return self.poll();
        }
        self.sweeps += 1;
        self.phase = RolloutPhase::Advancing;
        Some(RolloutCommand::Advance)
    }

    fn begin(&mut self) {
        self.next += 1;
        self.busy += 1;
        self.open += 1;
    }

    fn begin_phase(&mut self, phase: RolloutPhase) -> RolloutPhase {
        self.next = 0;
        phase
    }

    fn failed(&mut self, pid: u64, error: NotReloaded) {
        // An actor that has ended says nothing of the new code.
        self.failing |= error != NotReloaded::Ended && self.on_failure == OnFailure::Rollback;
        if let Some(actor) = self.actor(pid) {
            actor.outcome = Some(error.into());
        }
    }

    fn mode(&self) -> Mode {
        self.actors.first().map_or(Mode::Snapshot, |actor| actor.mode)
    }

    fn add(&mut self, pid: u64, mode: Mode, outcome: Option<Outcome>) {
        self.at.insert(pid, self.actors.len());
        self.actors.push(ActorEntry {
            pid,
            mode,
            outcome,
            is_stray: false,
        });
    }

    fn actor(&mut self, pid: u64) -> Option<&mut ActorEntry> {
        self.at.get(&pid).and_then(|at| self.actors.get_mut(*at))
    }
}
