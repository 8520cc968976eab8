//! A computer: a disk, and a process that comes and goes.

use std::time::{Duration, SystemTime};

use super::Time;
use super::dialling::Name;
use super::disk::Storage;
use super::history::{Ended, History, Notes};
use super::keeper::entry;
use super::plan::{ComputerPlan, Peers};
use super::process::Process;
use crate::checkpoint::Database;
use ractor_host_cluster::internals::random::Random;
use ractor_host_sandbox::internals::CheckpointStore as _;

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
    /// Until then its name has no address.
    pub(super) unnamed_until: Time,
    /// It was started when its clock was ahead by weeks.
    was_late: bool,
    /// How many seconds its clock is ahead.
    pub(super) clock_off: i64,
}

/// An actor that its configuration names no more.
const GONE: &str = "gone";

/// The seconds that a clock has to be ahead for an actor to be taken for one that has been gone for weeks.
const OLD: i64 = 29 * 24 * 3_600;

/// When a run begins, in seconds as clocks count them.
const NEW_YEAR: i64 = 1_767_225_600;

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
            unnamed_until: 0,
            was_late: false,
            clock_off: 0,
        }
    }

    /// Starts a process. False if it could not read what it kept, and gave up.
    pub(super) fn start(&mut self, nonce: u64, now: Time, history: &mut History) -> bool {
        if self.process.is_some() {
            return true;
        }
        let is_stranger = self.index >= self.count;
        let Some(database) = self.storage.open() else {
            return false;
        };
        if !self.forgets(&database, now, history) {
            self.storage.abandon(database, None);
            return false;
        }
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

    /// What its clock shows.
    pub(super) fn wall(&self, now: Time) -> SystemTime {
        let seconds = Duration::from_secs((NEW_YEAR + self.clock_off).unsigned_abs());
        SystemTime::UNIX_EPOCH + seconds + Duration::from_micros(now)
    }

    /// Gives up the states of actors that are not there any more, as a node does that starts. One of them has a state that is too
    /// young for that, whatever the clock shows. False if the disk fails.
    fn forgets(&mut self, database: &Database, now: Time, history: &mut History) -> bool {
        if self.lives == 0 {
            let young = entry(GONE, b"young".to_vec(), self.wall(0));
            return database.put(&[young]).is_ok();
        }
        let lives = |name: &str| name != GONE;
        let (Ok(_), Ok(kept)) = (database.forget_gone(lives, self.wall(now)), database.latest(GONE, None)) else {
            return false;
        };
        self.was_late |= self.clock_off > OLD;
        if kept.is_none() && !self.was_late {
            history.violation(format!("computer {} forgot an actor of the day before", self.index));
        }
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
