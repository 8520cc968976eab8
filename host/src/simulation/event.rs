//! What processes handle, what comes of it outside of them, and what they have at hand meanwhile.

use std::net::SocketAddr;
use std::time::{Instant, SystemTime};

use super::asking::{Answered, Question, Who};
use super::dialling::{Dialled, Name};
use super::history::History;
use super::rollouts::Turn;
use super::{MILLI, Time};
use ractor_host_cluster::internals::CloseReason;
use ractor_host_cluster::internals::random::Random;

/// What a process has to handle.
#[derive(Debug)]
pub(super) enum Event {
    Started,
    /// It may be time to look this peer up.
    LookUp(usize),
    /// What came of that; none if it failed.
    LookedUp {
        peer: usize,
        found: Option<Vec<SocketAddr>>,
    },
    Dialled {
        wire: usize,
        dial: Dialled,
    },
    NotDialled(Dialled),
    /// A node may not be linked any more, or that was awaited for long enough.
    Unlinked,
    Accepted {
        wire: usize,
    },
    Read {
        wire: usize,
        bytes: Vec<u8>,
    },
    /// This many bytes got through.
    Room {
        wire: usize,
        bytes: usize,
    },
    WireClosed {
        wire: usize,
        reason: CloseReason,
    },
    Flush(usize),
    Wake(usize),
    /// The node whose place this one would take has not answered.
    Elect(usize),
    /// An end that closes has had its time.
    Expire(usize),
    /// A guest looks into its mailbox.
    Begin(u64),
    /// It has done with a message.
    Done(u64),
    /// The wait of a guest that failed is over.
    Revive(u64),
    /// A native actor sends something.
    Send(usize),
    /// Who asks guests for their states may have something to do.
    Asking(Who),
    /// What a guest answered gets there.
    Answered(Question, Answered),
    /// What the writer's queue says is due.
    Disk,
    /// The disk works on an attempt.
    DiskWorks,
    DiskDone,
    /// Something of a reload, or of actors that an operator ends and starts.
    Reload(Turn),
    Stop,
    /// What a stop says is due.
    Stopping,
}

/// What comes of it outside of the process.
#[derive(Debug)]
pub(super) enum Effect {
    After(Time, Event),
    /// At this end of a wire.
    Write {
        wire: usize,
        bytes: Vec<u8>,
    },
    Close {
        wire: usize,
    },
    Open(Dialled),
    LookUp {
        peer: usize,
        name: Name,
    },
    Trace(String),
    /// The process has stopped in order, but for the states of these.
    Ended(Vec<String>),
}

/// What a process has while it handles something.
pub(super) struct Context<'a> {
    pub(super) now: Instant,
    pub(super) time: Time,
    /// When the process was frozen last, the end of it.
    pub(super) thawed: Time,
    /// What the computer's clock shows, which may be wrong by any time.
    pub(super) wall: SystemTime,
    pub(super) random: &'a mut Random,
    pub(super) history: &'a mut History,
    pub(super) effects: &'a mut Vec<Effect>,
    /// So much is written at once.
    pub(super) write: usize,
    /// Nothing goes wrong any more, and nobody is slow.
    pub(super) is_calm: bool,
    /// Nobody sends any more: what waits is worked off.
    pub(super) is_quiet: bool,
}

impl Context<'_> {
    pub(super) fn after(&mut self, delay: Time, event: Event) {
        self.effects.push(Effect::After(delay, event));
    }

    /// In a while, but before this is over.
    pub(super) fn soon(&mut self, most: Time, event: Event) {
        let delay = self.random.below(most);
        self.after(delay, event);
    }

    /// How long something takes that is slow now and then, until all is calm.
    pub(super) fn slow(&mut self, most: Time) -> Time {
        let usual = self.random.below(most.max(MILLI / 10));
        match self.random.chance(1) {
            _ if self.is_calm => usual / 20,
            true => 50 * usual,
            false => usual,
        }
    }

    /// At this moment, or now if that is over.
    pub(super) fn at(&mut self, at: Instant, event: Event) {
        self.after(self.until(at), event);
    }

    /// Rounded up: whoever wakes before the time finds nothing to do.
    pub(super) fn until(&self, at: Instant) -> Time {
        at.saturating_duration_since(self.now).as_nanos().div_ceil(1_000) as Time
    }

    pub(super) fn trace(&mut self, what: impl Into<String>) {
        self.effects.push(Effect::Trace(what.into()));
    }
}
