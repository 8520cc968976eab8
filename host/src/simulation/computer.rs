//! A computer: a disk, and a process that comes and goes.

use super::Time;
use super::dialling::Name;
use super::disk::Storage;
use super::history::{Ended, History, Notes};
use super::plan::{ComputerPlan, Peers};
use super::process::Process;
use crate::guest::sim::CheckpointStore as _;
use crate::session::tests::Random;

/// See the module.
pub(super) struct Computer {
    index: usize,
    /// How many computers there are. From this index on it is a stranger.
    count: usize,
    plan: ComputerPlan,
    pub(super) storage: Storage,
    pub(super) process: Option<Process>,
    lives: u32,
    ended: Option<Ended>,
    pub(super) is_frozen: bool,
    pub(super) thaws: Time,
    /// Until then all that is asked of the disk fails.
    pub(super) fails_until: Time,
    /// Until then a stranger answers at its address.
    pub(super) stranger_until: Time,
    /// Until then who dials its address gets to itself.
    pub(super) relay_until: Time,
    /// Until then it learns no addresses.
    pub(super) nameless_until: Time,
}

/// What the guest with this index is called.
pub(super) fn guest_name(index: usize) -> String {
    format!("guest-{index}")
}

/// Which index the guest of this name has.
pub(super) fn guest_index(name: &str) -> usize {
    name.trim_start_matches("guest-").parse().unwrap()
}

impl Computer {
    pub(super) fn new(index: usize, count: usize, plan: &ComputerPlan) -> Self {
        Self {
            index,
            count,
            plan: plan.clone(),
            storage: Storage::new(),
            process: None,
            lives: 0,
            ended: None,
            is_frozen: false,
            thaws: 0,
            fails_until: 0,
            stranger_until: 0,
            relay_until: 0,
            nameless_until: 0,
        }
    }

    /// Starts a process. False if it could not read what it kept, and gave up.
    pub(super) fn start(&mut self, nonce: u64, history: &mut History) -> bool {
        if self.process.is_some() {
            return true;
        }
        let is_stranger = self.index >= self.count;
        let Some(database) = self.storage.open() else {
            return false;
        };
        let mut states = Vec::new();
        let guests = if is_stranger { 0 } else { self.plan.guests };
        for guest in 0..guests {
            let Ok(kept) = database.latest(&guest_name(guest), None) else {
                self.storage.abandon(database, None);
                return false;
            };
            let kept = kept.map_or_else(Notes::default, |kept| Notes::from_bytes(&kept.checkpoint.state));
            states.push(kept);
        }
        for (guest, state) in states.iter().enumerate() {
            history.restored((self.index, guest), state, self.ended.as_ref(), &guest_name(guest));
        }
        self.lives += 1;
        let process = Process::new(
            (self.index, self.lives),
            self.count,
            nonce,
            self.plan.clone(),
            self.names(),
            states,
            database,
        );
        self.process = Some(process);
        true
    }

    /// What its process is told to stay connected to.
    fn names(&self) -> Vec<Name> {
        match self.plan.peers {
            Peers::Service => vec![Name::Service],
            Peers::Each => (0..self.count)
                .filter(|peer| *peer != self.index)
                .map(Name::Computer)
                .collect(),
        }
    }

    /// The process is gone. False if there was none.
    pub(super) fn end(&mut self, how: Ended, power: Option<&mut Random>, history: &mut History) -> bool {
        let Some(process) = self.process.take() else {
            return false;
        };
        if let Ended::InOrder(_) = how {
            history.stopped += 1;
        }
        self.ended = Some(how);
        let database = process.into_database();
        self.storage.abandon(database, power);
        true
    }
}
