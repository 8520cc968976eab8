//! Operators reload the module of a process, and end and start its actors: the rollout that ships, carried out on what is here.
//!
//! After a restart of its process a module runs its first version: what is deployed is not recorded.

use std::collections::BTreeMap;

use super::code::{Code, Swap, failed};
use super::process::{Context, Event, Process};
use super::{MILLI, SECOND, Time};
use crate::guest::{Aftermath, Mode, NotReloaded, Step};
use crate::supervision::sim::{OnFailure, Rollout, RolloutCommand, Verdict};
use ractor_host_cluster::internals::random::Random;

/// What a process has to do about reloads, and about actors that come and go.
#[derive(Debug)]
pub(super) enum Turn {
    /// An operator reloads the module, unless that is under way.
    Reload,
    /// A guest has been between two instances for long enough.
    Swapped(u64),
    /// Whoever asked for this has waited for as long as they have patience, or for as long as a guest is watched.
    Over(u64),
    /// This rollout has to have ended.
    Late(u32),
    /// An operator ends a guest.
    End,
    /// The operator starts it again.
    Start(usize),
}

/// The module of a process.
pub(super) struct Reloads {
    /// What guests run that start.
    pub(super) current: Code,
    pub(super) previous: Option<Code>,
    /// How many versions there have been, rollouts, questions, and guests that were started later.
    versions: u32,
    rollouts: u32,
    asks: u64,
    pub(super) started: u64,
    pub(super) under_way: Option<UnderWay>,
    /// Guests of which the report of the last rollout says that they have the code that they had.
    pub(super) others: BTreeMap<u64, Verdict>,
    /// Guests that have ended, and of which the rollout has not heard.
    pub(super) ended: Vec<u64>,
}

/// A rollout.
pub(super) struct UnderWay {
    pub(super) number: u32,
    pub(super) rollout: Rollout,
    pub(super) on_failure: OnFailure,
    pub(super) old: Code,
    pub(super) new: Code,
    pub(super) probation: u32,
    /// How long a guest is watched at most.
    pub(super) watched: Time,
    pub(super) patience: Time,
    pub(super) since: Time,
    pub(super) asks: BTreeMap<u64, (u64, At)>,
    /// How guests ended their trials of which it was not waited for that.
    pub(super) unheard: BTreeMap<u64, Result<(), NotReloaded>>,
}

/// The event for which the rollout waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum At {
    Swap,
    Proof,
    Return,
}

impl UnderWay {
    /// In the longest course there is: guests one by one there and back, each at the end of all patience.
    fn longest(&self) -> Time {
        20 * (self.patience + self.watched) + 10 * SECOND
    }
}

impl Reloads {
    pub(super) fn new() -> Self {
        Self {
            current: Code::FIRST,
            previous: None,
            versions: 1,
            rollouts: 0,
            asks: 0,
            started: 0,
            under_way: None,
            others: BTreeMap::new(),
            ended: Vec::new(),
        }
    }

    /// True if whoever asked this still waits.
    pub(super) fn awaits(&self, ask: u64) -> bool {
        let mut under_way = self.under_way.iter();
        under_way.any(|under_way| under_way.asks.contains_key(&ask))
    }

    /// A version that there was not yet, or now and then the one before.
    fn next(&mut self, random: &mut Random) -> Code {
        match self.previous.filter(|_| random.chance(25)) {
            Some(previous) => previous,
            None => {
                self.versions += 1;
                Code::draw(self.versions, random)
            }
        }
    }

    fn ask(&mut self, pid: u64, at: At) -> u64 {
        self.asks += 1;
        if let Some(under_way) = &mut self.under_way {
            under_way.asks.insert(self.asks, (pid, at));
        }
        self.asks
    }
}

impl Process {
    pub(super) fn turn(&mut self, turn: Turn, context: &mut Context<'_>) {
        match turn {
            Turn::Reload => self.reload(context),
            Turn::Swapped(pid) => self.swapped(pid, context),
            Turn::Over(ask) => self.is_over(ask),
            Turn::Late(number) => self.check_time(number, context),
            Turn::End => self.end_one(context),
            Turn::Start(index) => self.start_one(index, context),
        }
    }

    fn reload(&mut self, context: &mut Context<'_>) {
        if self.stop.is_some() || context.is_calm {
            return;
        }
        context.soon(2 * self.plan.reloads_every, Event::Reload(Turn::Reload));
        if self.reloads.under_way.is_some() {
            return;
        }
        self.check_codes(context);
        let random = &mut *context.random;
        let new = self.reloads.next(random);
        let on_failure = random.pick(&[OnFailure::Rollback, OnFailure::Mixed]);
        let concurrency = random.pick(&[1, 2, 16]);
        self.reloads.rollouts += 1;
        let behind = self.behind(new).into_iter().map(|pid| (pid, Mode::Snapshot));
        let under_way = UnderWay {
            number: self.reloads.rollouts,
            rollout: Rollout::new(on_failure, concurrency, behind),
            on_failure,
            old: self.reloads.current,
            new,
            probation: random.pick(&[0, 1, 3, 10]),
            watched: random.pick(&[10 * MILLI, SECOND, 4 * SECOND]),
            patience: random.pick(&[10 * MILLI, SECOND, 5 * SECOND]),
            since: context.time,
            asks: BTreeMap::new(),
            unheard: BTreeMap::new(),
        };
        context.trace(format!("reloads with {new:?}, {on_failure:?}"));
        context.after(under_way.longest(), Event::Reload(Turn::Late(under_way.number)));
        self.reloads.under_way = Some(under_way);
    }

    /// The guests that run another version.
    fn behind(&self, code: Code) -> Vec<u64> {
        let others = self.guests.values().filter(|guest| guest.running.code != code);
        others.map(|guest| guest.pid).collect()
    }

    /// Does what the rollout decides.
    pub(super) fn poll_rollout(&mut self, context: &mut Context<'_>) {
        for pid in std::mem::take(&mut self.reloads.ended) {
            let Some(under_way) = &mut self.reloads.under_way else {
                continue;
            };
            let asks = under_way.asks.extract_if(.., |_, (other, _)| *other == pid);
            for (_, (_, at)) in asks {
                under_way.rollout.came(at, pid, Err(NotReloaded::Ended));
            }
        }
        while let Some(under_way) = &mut self.reloads.under_way {
            match under_way.rollout.poll() {
                Some(command) => self.take_command(command, context),
                None if under_way.asks.is_empty() => self.rollout_ended(context),
                None => return,
            }
        }
    }

    fn take_command(&mut self, command: RolloutCommand, context: &mut Context<'_>) {
        match command {
            RolloutCommand::Swap(pid, _) => self.ask_to_swap(pid, At::Swap, context),
            RolloutCommand::Return(pid, _) => self.ask_to_swap(pid, At::Return, context),
            RolloutCommand::Advance => {
                let Some(new) = self.reloads.under_way.as_ref().map(|one| one.new) else {
                    return;
                };
                self.reloads.current = new;
                let late = self.behind(new);
                let Some(under_way) = &mut self.reloads.under_way else {
                    return;
                };
                for pid in &late {
                    if let Some(Err(error)) = under_way.unheard.remove(pid) {
                        under_way.rollout.handle_relapsed(*pid, error);
                    }
                }
                under_way.rollout.handle_late(late);
            }
            RolloutCommand::TakeBack => {
                let Some(old) = self.reloads.under_way.as_ref().map(|one| one.old) else {
                    return;
                };
                self.reloads.current = old;
                let strays = self.behind(old);
                if let Some(under_way) = &mut self.reloads.under_way {
                    under_way.rollout.handle_strays(strays);
                }
            }
            RolloutCommand::Confirm(pid) => {
                if let Some(guest) = self.guests.get_mut(&pid) {
                    guest.running.trial = None;
                }
            }
        }
    }

    fn ask_to_swap(&mut self, pid: u64, at: At, context: &mut Context<'_>) {
        let Some(under_way) = &mut self.reloads.under_way else {
            return;
        };
        let Some(guest) = self.guests.get_mut(&pid) else {
            return under_way.rollout.came(at, pid, Err(NotReloaded::Ended));
        };
        let (to, probation) = match at {
            At::Return => (under_way.old, 0),
            At::Swap | At::Proof => (under_way.new, under_way.probation),
        };
        let patience = under_way.patience;
        let ask = self.reloads.ask(pid, at);
        guest.running.asked = Some(Swap { ask, to, probation });
        context.after(0, Event::Begin(pid));
        context.after(patience, Event::Reload(Turn::Over(ask)));
    }

    /// A guest was swapped, or not, and somebody waits for that.
    pub(super) fn swap_came(&mut self, ask: u64, swapped: Result<(), NotReloaded>, context: &mut Context<'_>) {
        let Some(under_way) = &mut self.reloads.under_way else {
            return;
        };
        let Some((pid, at)) = under_way.asks.remove(&ask) else {
            return;
        };
        let is_proving = at == At::Swap && swapped.is_ok();
        under_way.rollout.came(at, pid, swapped);
        if is_proving {
            let watched = under_way.watched;
            let ask = self.reloads.ask(pid, At::Proof);
            context.after(watched, Event::Reload(Turn::Over(ask)));
        }
    }

    /// A guest's trial has ended.
    pub(super) fn proof_came(&mut self, pid: u64, proven: Result<(), NotReloaded>) {
        let Some(under_way) = &mut self.reloads.under_way else {
            return;
        };
        let mut asks = under_way.asks.iter();
        let ask = asks.find(|(_, waits)| **waits == (pid, At::Proof)).map(|(ask, _)| *ask);
        match ask {
            Some(ask) => {
                under_way.asks.remove(&ask);
                under_way.rollout.handle_proven(pid, proven);
            }
            None => {
                under_way.unheard.insert(pid, proven);
            }
        }
    }

    fn is_over(&mut self, ask: u64) {
        let Some(under_way) = &mut self.reloads.under_way else {
            return;
        };
        let Some((pid, at)) = under_way.asks.remove(&ask) else {
            return;
        };
        let outcome = match at {
            // Those that had nothing to do for so long have failed at nothing.
            At::Proof => Ok(()),
            At::Swap | At::Return => Err(failed(Step::Boundary, Aftermath::Unharmed)),
        };
        under_way.rollout.came(at, pid, outcome);
    }

    fn check_time(&self, number: u32, context: &mut Context<'_>) {
        let Some(under_way) = &self.reloads.under_way else {
            return;
        };
        if under_way.number != number {
            return;
        }
        let since = under_way.since.max(context.thawed);
        if context.time < since + under_way.longest() {
            let rest = since + under_way.longest() - context.time;
            return context.after(rest, Event::Reload(Turn::Late(number)));
        }
        let found = format!("{}: its {number}th rollout comes to no end", self.name);
        context.history.violation(found);
    }
}

impl Rollout {
    fn came(&mut self, at: At, pid: u64, outcome: Result<(), NotReloaded>) {
        match at {
            At::Swap => self.handle_swapped(pid, outcome),
            At::Proof => self.handle_proven(pid, outcome),
            At::Return => self.handle_returned(pid, outcome),
        }
    }
}
