//! What keeps the states of guests: the writer's queue and the database that ship.

use std::sync::Arc;
use std::time::{Instant, SystemTime};

use super::asking::Askers;
use super::computer::guest_index;
use super::guest::Guest;
use super::history::Notes;
use super::plan::ComputerPlan;
use super::process::{Context, Event};
use crate::checkpoint::Database;
use crate::guest::Digest;
use ractor_host_sandbox::internals::{
    Attempt, Checkpoint, CheckpointStore as _, Entry, Moment, Outcome, Queue, attempt,
};

/// A state on its way to the writer.
#[derive(Debug)]
pub(super) struct Brought {
    entry: Entry,
    moment: Moment,
}

impl Brought {
    pub(super) fn state(&self) -> &[u8] {
        &self.entry.checkpoint.state
    }

    /// False if the queue has no room for it.
    pub(super) fn pass(self, queue: &mut Queue) -> bool {
        queue.handle_passing(self.entry, self.moment)
    }
}

/// What a guest's state is now.
pub(super) fn brought(guest: &Guest, wall: SystemTime) -> Brought {
    Brought {
        entry: entry(&guest.name, guest.notes.to_bytes(), wall),
        moment: Moment::now(),
    }
}

/// See the module.
pub(super) struct Keeper {
    pub(super) queue: Queue,
    database: Arc<Database>,
    attempt: Option<Attempt>,
    outcome: Option<(Outcome, Vec<(String, Notes)>)>,
    /// When the queue is to be asked again.
    wake: Option<Instant>,
    /// Who asks guests for their states.
    pub(super) askers: Askers,
}

impl Keeper {
    pub(super) fn new(database: Arc<Database>, at_once: usize) -> Self {
        Self {
            queue: Queue::default(),
            database,
            attempt: None,
            outcome: None,
            wake: None,
            askers: Askers::new(at_once),
        }
    }

    pub(super) fn into_database(self) -> Arc<Database> {
        self.database
    }

    /// Takes a guest's last state.
    pub(super) fn take_last(&mut self, guest: &Guest, wall: SystemTime) {
        let Brought { entry, moment } = brought(guest, wall);
        self.queue.handle_last(entry, moment);
    }

    pub(super) fn woken(&mut self) {
        self.wake = None;
    }

    /// Does what the queue says is due.
    pub(super) fn poll(&mut self, plan: &ComputerPlan, context: &mut Context<'_>) {
        while self.queue.poll_news().is_some() {}
        if let Some(attempt) = self.queue.poll_attempt(context.now) {
            self.attempt = Some(attempt);
            let time = context.slow(plan.disk);
            context.after(time, Event::DiskWorks);
        }
        if let Some(at) = self.queue.poll_timeout()
            && self.wake.is_none_or(|wake| at < wake)
        {
            self.wake = Some(at);
            context.at(at, Event::Disk);
        }
    }

    /// The disk does what it was given, and says so in a while.
    pub(super) fn work(&mut self, context: &mut Context<'_>) {
        let Some(Attempt { jobs, first }) = self.attempt.take() else {
            return;
        };
        let states = jobs.iter().filter_map(|(actor, job)| {
            let entry = job.entry.as_ref()?;
            Some((actor.clone(), Notes::from_bytes(&entry.checkpoint.state)))
        });
        let mut states: Vec<_> = states.collect();
        let outcome = attempt(&*self.database, jobs, first);
        states.retain(|(actor, _)| outcome.left.iter().all(|(left, _)| left != actor));
        self.outcome = Some((outcome, states));
        let time = context.random.below(2_000);
        context.after(time, Event::DiskDone);
    }

    pub(super) fn done(&mut self, computer: usize, context: &mut Context<'_>) {
        let Some((outcome, states)) = self.outcome.take() else {
            return;
        };
        for (actor, state) in states {
            context.history.written((computer, guest_index(&actor)), &state);
        }
        let random = context.random.below(1_000) as f64 / 1_000.0;
        self.queue.handle_outcome(outcome, random, context.now);
    }

    /// The newest state of a guest, as the writer gives it to one that is restarted. None if it can't be read.
    pub(super) fn latest(&self, name: &str) -> Option<Notes> {
        let bytes = match self.queue.unwritten(name).and_then(|job| job.entry) {
            Some(entry) => entry.checkpoint.state.clone(),
            None => match self.database.latest(name, None).ok()? {
                Some(kept) => kept.checkpoint.state,
                None => return Some(Notes::default()),
            },
        };
        Some(Notes::from_bytes(&bytes))
    }

    /// True if what the guest has is what is kept of it.
    pub(super) fn has(&self, guest: &Guest) -> bool {
        let kept = self.database.latest(&guest.name, None).unwrap();
        let kept = kept.map_or_else(Notes::default, |kept| Notes::from_bytes(&kept.checkpoint.state));
        self.queue.is_idle() && kept == guest.notes
    }
}

/// A state of the actor with this name, taken at this time of the computer's clock.
pub(super) fn entry(name: &str, state: Vec<u8>, taken: SystemTime) -> Entry {
    Entry {
        actor: name.to_owned(),
        checkpoint: Arc::new(Checkpoint {
            module: "notes".to_owned(),
            digest: Digest::of(b"notes"),
            state_version: 1,
            taken,
            state,
        }),
        keep: 2,
        hold: Vec::new(),
    }
}
