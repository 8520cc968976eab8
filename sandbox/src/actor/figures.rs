//! What guests have done and hold, as numbers for whoever operates a node. Reading them asks nothing of the actors, and takes no lock
//! that a message takes.

use std::time::Duration;

use super::guest_cell::GuestRef;
use super::history::{Failure, Reloaded};
use super::modules::Modules;
use crate::accounting::handler_times::HandlerTimesFigures;
use crate::accounting::tally::{DoneFigures, Held};
use crate::instance::engine::EngineFigures;

/// What one guest has done since it started, over all its instances, and what it holds now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct GuestFigures {
    /// The time since it started.
    pub age: Duration,
    /// What it has done.
    pub done: DoneFigures,
    /// Bytes of its linear memories: what they have grown to. Pages that it has never touched take nothing of the machine's.
    pub memory_bytes: usize,
    /// Bytes of these that took memory of the machine at the last [look](Modules::look_at_memory). None if there was none yet, or the system
    /// doesn't tell.
    pub resident_bytes: Option<usize>,
    /// Messages that wait for it. Those of native actors of this process are not counted.
    pub waiting: usize,
    /// Bytes of these, with what each costs beside.
    pub waiting_bytes: usize,
    /// Timers that run.
    pub timers: usize,
    /// Actors that it monitors, its children aside.
    pub monitors: usize,
    /// Replies to `requests.ask` that it waits for.
    pub asks: usize,
    /// Calls that it has put off answering.
    pub open_calls: usize,
}

/// What the guests of one module have done, those that have ended included, and what those that live hold.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ModuleFigures {
    /// The name of the module.
    pub module: String,
    /// Guests that live.
    pub guests: usize,
    /// What all have done. None of these numbers ever becomes smaller.
    pub done: DoneFigures,
    /// Bytes of the linear memories of those that live.
    pub memory_bytes: usize,
    /// Bytes of these that took memory of the machine at the last look. None if there was none yet, or the system doesn't tell.
    pub resident_bytes: Option<usize>,
    /// Messages that wait for them.
    pub waiting: usize,
    /// Bytes of these.
    pub waiting_bytes: usize,
    /// How long their handlers took.
    pub handler_times: HandlerTimesFigures,
}

impl GuestRef {
    /// What it has done and what it holds.
    pub fn figures(&self) -> GuestFigures {
        let (tally, mailbox) = (&self.0.tally, &self.0.mailbox);
        GuestFigures {
            age: tally.age(),
            done: tally.done(),
            memory_bytes: tally.memory(),
            resident_bytes: tally.resident(),
            waiting: mailbox.len(),
            waiting_bytes: mailbox.bytes(),
            timers: tally.held(Held::Timer),
            monitors: tally.held(Held::Monitor),
            asks: tally.held(Held::Ask),
            open_calls: tally.held(Held::OpenCall),
        }
    }

    /// How it failed last, if it ever did.
    pub fn last_failure(&self) -> Option<Failure> {
        self.0.history.failure()
    }

    /// What it was reloaded with lately, the newest first.
    pub fn reloads(&self) -> Vec<Reloaded> {
        self.0.history.reloads()
    }
}

impl Modules {
    /// What the engine of the modules has and has done. None of a node without modules.
    pub fn engine_figures(&self) -> Option<EngineFigures> {
        let module = self.names().first().and_then(|name| self.find(name))?;
        Some(module.engine().figures())
    }

    /// What the guests of each module have done and hold, by name in order.
    pub fn figures(&self) -> Vec<ModuleFigures> {
        let modules = self.names().into_iter().filter_map(|name| self.find(&name));
        modules
            .map(|module| {
                let guests: Vec<GuestFigures> = self.guests(module.name()).iter().map(GuestRef::figures).collect();
                let tally = module.engine().module_tally(module.name());
                let sum = |of: fn(&GuestFigures) -> usize| guests.iter().map(of).sum();
                ModuleFigures {
                    guests: guests.len(),
                    done: tally.with(guests.iter().map(|guest| guest.done)),
                    memory_bytes: sum(|guest| guest.memory_bytes),
                    resident_bytes: resident(&guests),
                    waiting: sum(|guest| guest.waiting),
                    waiting_bytes: sum(|guest| guest.waiting_bytes),
                    handler_times: tally.times().figures(),
                    module: module.name().to_owned(),
                }
            })
            .collect()
    }
}

/// Those that have just begun are left out. None if all of them were never looked at.
fn resident(guests: &[GuestFigures]) -> Option<usize> {
    let mut known = guests.iter().filter_map(|guest| guest.resident_bytes).peekable();
    (guests.is_empty() || known.peek().is_some()).then(|| known.sum())
}
