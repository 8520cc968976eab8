//! The code that a guest runs, in versions: how a guest is swapped at a message boundary, and new code on the trial that ships.
//!
//! What `guest/reload/swap` and `probation` do with instances is done here with notes.

use ractor::message::SerializedMessage;

use super::guest::{Guest, said};
use super::history::{Notes, Sender};
use super::process::{Context, Event, Process};
use super::rollouts::Turn;
use crate::guest::{Aftermath, Digest, NotReloaded, Snapshot, Step};
use ractor_host_cluster::internals::random::Random;
use ractor_host_sandbox::internals::{Failed, Moment, Noticed, Passed, Trial, WayBack};

/// A version of the module. All read the states of all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Code {
    pub(super) number: u32,
    /// Of a thousand messages, it fails at this many more than the first version, until all is calm.
    bad: u64,
    /// So often it doesn't take over a state, in a hundred.
    refuses: u64,
    /// So often others have noticed something of a message before it fails, in a hundred.
    shows: u64,
    /// So often it doesn't say its state after a message, in a hundred: half of the time because it dies of that.
    silent: u64,
}

impl Code {
    /// What a process runs that starts: the module's own file. What is deployed is not recorded.
    pub(super) const FIRST: Self = Self {
        number: 1,
        bad: 0,
        refuses: 0,
        shows: 0,
        silent: 0,
    };

    pub(super) fn draw(number: u32, random: &mut Random) -> Self {
        Self {
            number,
            bad: random.pick(&[0, 0, 20, 200, 900]),
            refuses: random.pick(&[0, 0, 0, 30, 100]),
            shows: random.pick(&[0, 50, 100]),
            silent: random.pick(&[0, 0, 20]),
        }
    }
}

/// What a guest is asked to run.
#[derive(Debug, Clone, Copy)]
pub(super) struct Swap {
    /// Whoever asked waits for the answer to this.
    pub(super) ask: u64,
    pub(super) to: Code,
    /// The number of messages that are watched.
    pub(super) probation: u32,
}

/// What a guest runs.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) code: Code,
    pub(super) trial: Option<Trial<Notes, Code>>,
    /// How many messages the code has still to handle on trial.
    left: u32,
    /// What it is to run from the next boundary on.
    pub(super) asked: Option<Swap>,
    /// It is between two instances.
    pub(super) swapping: Option<Swap>,
}

impl Running {
    pub(super) fn new(code: Code) -> Self {
        Self {
            code,
            trial: None,
            left: 0,
            asked: None,
            swapping: None,
        }
    }
}

pub(super) fn failed(step: Step, aftermath: Aftermath) -> NotReloaded {
    NotReloaded::Failed {
        step,
        reason: "it fails".to_owned(),
        aftermath,
    }
}

fn said_by(message: &SerializedMessage) -> Option<(Sender, u32)> {
    match message {
        SerializedMessage::Cast { args, .. } | SerializedMessage::Call { args, .. } => Some(said(args)),
        SerializedMessage::CallReply(..) => None,
    }
}

impl Process {
    /// At a message boundary: true if the guest is to run something else, and is at that from now on.
    pub(super) fn begin_swap(&mut self, pid: u64, context: &mut Context<'_>) -> bool {
        let Some(guest) = self.guests.get_mut(&pid).filter(|guest| guest.is_at_boundary()) else {
            return false;
        };
        let asked = guest.running.asked.take();
        // Whoever asked may have lost patience.
        let Some(swap) = asked.filter(|swap| self.reloads.awaits(swap.ask)) else {
            return false;
        };
        guest.running.swapping = Some(swap);
        let time = context.slow(self.plan.work);
        context.after(time, Event::Reload(Turn::Swapped(pid)));
        true
    }

    /// The new instance is there, or could not be made.
    pub(super) fn swapped(&mut self, pid: u64, context: &mut Context<'_>) {
        let Some(guest) = self.guests.get_mut(&pid) else { return };
        let Some(swap) = guest.running.swapping.take() else {
            return;
        };
        let name = (self.computer, guest.index);
        let before = guest.running.code;
        let trial = guest.running.trial.take();
        let is_unused = trial.as_ref().and_then(Trial::unused) == Some(&swap.to);
        let mut proven = None;
        let taken = match trial.filter(|_| is_unused).and_then(Trial::into_unused) {
            Some((code, notes)) => {
                (guest.running.code, guest.notes) = (code, notes);
                Ok(())
            }
            None if context.random.chance(swap.to.refuses) => Err(failed(Step::Restore, Aftermath::Unharmed)),
            None => {
                let state = guest.notes.to_bytes();
                let old = std::mem::replace(&mut guest.notes, Notes::from_bytes(&state));
                guest.running.code = swap.to;
                if self.reloads.awaits(swap.ask) {
                    guest.running.trial = Trial::new(swap.probation, before, old);
                    guest.running.left = swap.probation;
                    proven = guest.running.trial.is_none().then_some(Ok(()));
                } else {
                    // Nobody is to have noticed anything.
                    (guest.running.code, guest.notes) = (before, old);
                }
                Ok(())
            }
        };
        context.history.carried(name, &guest.notes);
        guest.answer(context);
        context.after(0, Event::Begin(pid));
        if self.reloads.awaits(swap.ask) {
            self.swap_came(swap.ask, taken, context);
        }
        if let Some(proven) = proven {
            self.proof_came(pid, proven);
        }
    }

    /// A guest fails at a message with code on trial. Gives the message back if the guest, or its next instance, is to handle it.
    pub(super) fn fails_on_trial(
        &mut self,
        pid: u64,
        trial: Trial<Notes, Code>,
        message: SerializedMessage,
        context: &mut Context<'_>,
    ) {
        let Some(guest) = self.guests.get_mut(&pid) else { return };
        let name = (self.computer, guest.index);
        let noticed = match context.random.chance(guest.running.code.shows) {
            true => Noticed::Something,
            false => Noticed::Nothing,
        };
        let has_copy = context.random.chance(95);
        let (before, way_back, failed_how) = trial.handle_failed(noticed, has_copy);
        let can_be_given = !matches!(way_back, WayBack::Afresh) && has_copy && noticed == Noticed::Nothing;
        if noticed == Noticed::Something
            && let Some((from, number)) = said_by(&message)
        {
            context.history.noticed(name, from, number);
        }
        let can_revive = context.random.chance(97);
        guest.running.code = before;
        match way_back {
            WayBack::Instance(notes) => guest.notes = notes,
            WayBack::State(state) if can_revive => guest.notes = Notes::from_bytes(&state.state),
            WayBack::State(_) | WayBack::Afresh => {
                self.proof_came(pid, Err(failed(Step::Probation, Aftermath::StateLost)));
                return self.loses(pid, message, context);
            }
        }
        context.history.carried(name, &guest.notes);
        let aftermath = failed_how.aftermath();
        match failed_how {
            Failed::GiveAgain => {
                context.history.given_again += 1;
                guest.at_hand = Some(message);
                let time = context.slow(self.plan.work);
                context.after(time, Event::Done(pid));
            }
            Failed::Lose => {
                if can_be_given {
                    let found = format!("{} lost a message of which nobody had noticed anything", guest.name);
                    context.history.violation(found);
                }
                guest.lost += 1;
                context.history.lost += 1;
                drop(message);
                guest.answer(context);
                context.after(0, Event::Begin(pid));
            }
        }
        self.proof_came(pid, Err(failed(Step::Probation, aftermath)));
    }

    /// The instance is gone, and with it the message at hand and its reply port.
    pub(super) fn loses(&mut self, pid: u64, message: SerializedMessage, context: &mut Context<'_>) {
        if let Some(guest) = self.guests.get_mut(&pid) {
            guest.lost += 1;
            context.history.lost += 1;
        }
        drop(message);
        self.fails(pid, context);
    }

    /// Code on trial has handled a message. False if its instance died of being asked for the state.
    pub(super) fn passes(&mut self, pid: u64, context: &mut Context<'_>) -> bool {
        let Some(guest) = self.guests.get_mut(&pid) else {
            return true;
        };
        let Some(mut trial) = guest.running.trial.take() else {
            return true;
        };
        guest.running.left = guest.running.left.saturating_sub(1);
        let passed = trial.handle_passed();
        if (passed == Passed::Proven) != (guest.running.left == 0) {
            let found = format!("{}: {passed:?} with {} messages left", guest.name, guest.running.left);
            context.history.violation(found);
        }
        if passed == Passed::Proven {
            self.proof_came(pid, Ok(()));
            return true;
        }
        if context.random.chance(guest.running.code.silent) {
            let dies = context.random.chance(50);
            if dies {
                guest.running.code = trial.handle_no_state();
            }
            let lost = failed(Step::Probation, Aftermath::StateLost);
            self.proof_came(pid, if dies { Err(lost) } else { Ok(()) });
            return !dies;
        }
        trial.handle_state(Snapshot {
            state: guest.notes.to_bytes(),
            state_version: guest.running.code.number,
            digest: Digest::of(&guest.running.code.number.to_le_bytes()),
            moment: Moment::now(),
        });
        guest.running.trial = Some(trial);
        true
    }

    /// Of a thousand messages, a guest fails at this many.
    pub(super) fn failures(&self, code: &Code, context: &Context<'_>) -> u64 {
        self.plan.failing.per_mille + if context.is_calm { 0 } else { code.bad }
    }
}

impl Guest {
    /// It is at no message, and its instance is there.
    pub(super) fn is_at_boundary(&self) -> bool {
        self.at_hand.is_none() && !self.is_down && self.running.swapping.is_none()
    }
}
