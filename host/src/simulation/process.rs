//! A node as a process: sessions, guests, what keeps their states, and actors that send.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use super::asking::{Answered, Question, Who};
use super::computer::guest_name;
use super::dialling::{Dialled, Name, Peer};
use super::failing::Supervisor;
use super::guest::{Guest, Status};
use super::history::{History, Notes};
use super::keeper::Keeper;
use super::link::End;
use super::plan::ComputerPlan;
use super::routing::Calls;
use super::stop::Stop;
use super::{MILLI, SECOND, Time};
use crate::checkpoint::Database;
use ractor_host_cluster::internals::random::Random;
use ractor_host_cluster::internals::wire::Actor;
use ractor_host_cluster::internals::{CloseReason, LocalChange, Registry};

/// The first pid of a guest, as in `directory`.
const FIRST_PID: u64 = 1 << 52;

/// How long a connection may take to become one that is used, or none.
const HANDSHAKE: Time = 30 * SECOND;

/// How many native actors of a node send.
const SENDERS: usize = 2;

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
    /// So many bytes got through.
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

/// See the module.
pub(super) struct Process {
    pub(super) computer: usize,
    pub(super) life: u32,
    pub(super) name: String,
    pub(super) cookie: &'static str,
    pub(super) incarnation: u64,
    pub(super) plan: ComputerPlan,
    /// How many computers there are.
    pub(super) count: usize,
    pub(super) registry: Registry<usize>,
    /// By their numbers.
    pub(super) ends: BTreeMap<usize, End>,
    /// What it is told to stay connected to.
    pub(super) names: Vec<Name>,
    pub(super) peers: Vec<Peer>,
    /// It poses as a node that proves no more than the cookie.
    pub(super) is_stock: bool,
    pub(super) guests: BTreeMap<u64, Guest>,
    pub(super) keeper: Keeper,
    pub(super) calls: Calls,
    pub(super) supervisor: Supervisor,
    pub(super) stop: Option<Stop>,
}

/// What the node of a computer is called. A stranger calls itself like the one that it poses as.
pub(super) fn node_name(computer: usize, count: usize) -> String {
    format!("node-{}@sim", computer % count)
}

impl Process {
    pub(super) fn new(
        (computer, life): (usize, u32),
        count: usize,
        incarnation: u64,
        plan: ComputerPlan,
        names: Vec<Name>,
        states: Vec<Notes>,
        database: Arc<Database>,
    ) -> Self {
        let guests = states.into_iter().enumerate().map(|(index, notes)| {
            let pid = FIRST_PID + u64::from(life) * 1_000 + index as u64;
            (pid, Guest::new(pid, index, guest_name(index), notes, plan.mailbox))
        });
        Self {
            computer,
            life,
            name: node_name(computer, count),
            cookie: if computer < count { "cookie" } else { "guess" },
            incarnation,
            count,
            registry: Registry::default(),
            ends: BTreeMap::new(),
            names,
            peers: Vec::new(),
            is_stock: false,
            guests: guests.collect(),
            keeper: Keeper::new(database, plan.at_once),
            calls: Calls::new(SENDERS),
            supervisor: Supervisor::new(&plan),
            stop: None,
            plan,
        }
    }

    pub(super) fn into_database(self) -> Arc<Database> {
        self.keeper.into_database()
    }

    /// True if connections are accepted.
    pub(super) fn accepts(&self) -> bool {
        self.stop.is_none()
    }

    pub(super) fn handle(&mut self, event: Event, context: &mut Context<'_>) {
        match event {
            Event::Started => self.started(context),
            Event::LookUp(peer) => self.look_up(peer, context),
            Event::LookedUp { peer, found } => self.looked_up(peer, found.as_deref(), context),
            Event::Dialled { wire, dial } => {
                if self.peers.is_empty() {
                    // Nobody is dialled any more.
                    context.effects.push(Effect::Close { wire });
                } else {
                    self.open(wire, Some(dial), context);
                }
            }
            Event::NotDialled(dial) => self.not_dialled(dial, context),
            Event::Unlinked => {}
            Event::Accepted { wire } => {
                if self.accepts() {
                    self.open(wire, None, context);
                } else {
                    context.effects.push(Effect::Close { wire });
                }
            }
            Event::Read { wire, bytes } => self.read(wire, &bytes, context),
            Event::Room { wire, bytes } => {
                if let Some(end) = self.ends.get_mut(&wire) {
                    end.acknowledged(bytes);
                }
            }
            Event::WireClosed { wire, reason } => {
                if let Some(end) = self.ends.get_mut(&wire) {
                    end.session.handle_closed(reason);
                }
            }
            Event::Flush(wire) => {
                if self.ends.get_mut(&wire).is_some_and(|end| end.write(context)) {
                    self.gone(wire, context);
                }
            }
            Event::Wake(wire) => self.wake(wire, context),
            Event::Elect(wire) => self.elect_in_place_of(wire, context),
            Event::Expire(wire) => self.gone(wire, context),
            Event::Begin(pid) => self.begin(pid, context),
            Event::Done(pid) => self.done(pid, context),
            Event::Send(sender) => self.send(sender, context),
            Event::Asking(who) => self.wake_asker(who),
            Event::Answered(question, answered) => self.answered(question, answered, context),
            Event::Revive(pid) => self.revive(pid, context),
            Event::Disk => self.keeper.woken(),
            Event::DiskWorks => self.keeper.work(context),
            Event::DiskDone => self.keeper.done(self.computer, context),
            Event::Stop => self.begin_to_stop(context),
            Event::Stopping => {}
        }
        self.settle(context);
    }

    /// Carries out what the machines have decided.
    fn settle(&mut self, context: &mut Context<'_>) {
        self.go_on_stopping(context);
        self.poll_asking(context);
        self.keeper.poll(&self.plan, context);
        let wires: Vec<usize> = self.ends.keys().copied().collect();
        for wire in wires {
            self.pump(wire, context);
        }
        self.poll_dialling(context);
        self.calls.poll(context);
        for (wire, end) in &mut self.ends {
            if end.has_to_write() {
                context.soon(300, Event::Flush(*wire));
            }
        }
    }

    fn started(&mut self, context: &mut Context<'_>) {
        if self.computer >= self.count {
            return;
        }
        self.start_dialling(context);
        for sender in 0..SENDERS {
            context.soon(self.plan.sends_every, Event::Send(sender));
        }
        self.keeper.askers.begin(&self.plan, context.now);
    }

    /// A guest is no more.
    pub(super) fn withdraw(&mut self, pid: u64) {
        if let Some(mut guest) = self.guests.remove(&pid) {
            guest.end();
            let questions = guest.asked.into_iter().map(|(question, _)| question);
            self.keeper.askers.ended.extend(questions);
        }
        for end in self.ends.values_mut() {
            end.session.handle_local(LocalChange::Terminated(pid));
        }
    }

    /// The end of the connection to a node, if there is one that works.
    pub(super) fn link_to(&self, node: &str) -> Option<&End> {
        let mut ends = self.ends.iter();
        let found = ends.find(|(wire, end)| {
            end.peer.as_deref() == Some(node) && self.registry.is_elected(**wire) && end.session.is_ready()
        });
        found.map(|(_, end)| end)
    }

    /// How many computers there are.
    pub(super) fn computers(&self) -> usize {
        self.count
    }

    /// The nodes that it is not linked to.
    pub(super) fn unlinked(&self) -> Vec<String> {
        let mut found = Vec::new();
        for peer in (0..self.count).filter(|peer| *peer != self.computer) {
            if self.link_to(&node_name(peer, self.count)).is_none() {
                found.push(format!("has no link to {peer}"));
            }
        }
        found
    }

    /// What is wrong with it, when everything has been well for a while.
    pub(super) fn check(&self, calm: Time, now: Time) -> Vec<String> {
        let mut found = Vec::new();
        if self.stop.is_some() {
            return vec!["is still stopping".to_owned()];
        }
        found.extend(self.unlinked());
        found.extend(self.left_alone(calm, now));
        let late = |end: &&End| !end.session.is_ready() && end.since + HANDSHAKE < now;
        found.extend(
            self.ends
                .values()
                .filter(late)
                .map(|end| format!("has a connection that comes to nothing: {:?}", end.peer)),
        );
        if self.ends.values().filter(|end| end.session.is_ready()).count() != self.count - 1 {
            found.push(format!("has {} connections", self.ends.len()));
        }
        let waiting = self.calls.waiting();
        if !waiting.is_empty() {
            found.push(format!("waits for replies still: {waiting:?}"));
        }
        for guest in self.guests.values() {
            if !guest.is_idle() || guest.status != Status::Running {
                found.push(format!("has not worked off what {} was sent", guest.name));
            } else if !guest.is_complete() {
                found.push(format!(
                    "took {} messages for {}, and handled {}",
                    guest.taken, guest.name, guest.handled
                ));
            } else if !self.keeper.has(guest) {
                found.push(format!("has not kept the last state of {}", guest.name));
            }
        }
        found
    }
}

pub(super) fn advertisement(guest: &Guest) -> Actor {
    Actor {
        pid: guest.pid,
        name: Some(guest.name.clone()),
    }
}
