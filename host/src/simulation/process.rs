//! A node as a process: sessions, guests, what keeps their states, and actors that send.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::code::Code;
use super::computer::guest_name;
use super::dialling::{Name, Peer};
pub(super) use super::event::{Context, Effect, Event};
use super::failing::Supervisor;
use super::guest::{Guest, Status};
use super::history::Notes;
use super::keeper::Keeper;
use super::link::End;
use super::plan::ComputerPlan;
use super::rollouts::{Reloads, Turn};
use super::routing::Calls;
use super::stop::Stop;
use super::{SECOND, Time};
use crate::checkpoint::Database;
use ractor_host_cluster::internals::wire::Actor;
use ractor_host_cluster::internals::{LocalChange, Registry};

/// The first pid of a guest, as in `directory`.
const FIRST_PID: u64 = 1 << 52;

/// The longest time for a connection to become one that is used, or to end.
const HANDSHAKE: Time = 30 * SECOND;

/// The number of native actors of a node that send.
const SENDERS: usize = 2;

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
    pub(super) reloads: Reloads,
    pub(super) stop: Option<Stop>,
}

/// What the node of a computer is called. A stranger calls itself like the one that it poses as.
pub(super) fn node_name(computer: usize, count: usize) -> String {
    format!("node-{}@sim", computer % count)
}

fn pid_of(life: u32, number: u64) -> u64 {
    FIRST_PID + u64::from(life) * 1_000 + number
}

impl Process {
    /// The pid of the guest that is the nth to start.
    pub(super) fn pid(&self, number: u64) -> u64 {
        pid_of(self.life, number)
    }

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
            let pid = pid_of(life, index as u64);
            (
                pid,
                Guest::new(pid, index, guest_name(index), notes, plan.mailbox, Code::FIRST),
            )
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
            reloads: Reloads::new(),
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
            Event::Reload(turn) => self.turn(turn, context),
            Event::Stop => self.begin_to_stop(context),
            Event::Stopping => {}
        }
        self.settle(context);
    }

    /// Carries out what the machines have decided.
    fn settle(&mut self, context: &mut Context<'_>) {
        self.go_on_stopping(context);
        self.leave_in_order(context);
        self.poll_rollout(context);
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
        context.soon(2 * self.plan.reloads_every, Event::Reload(Turn::Reload));
        context.soon(2 * self.plan.ends_every, Event::Reload(Turn::End));
    }

    /// A guest is no more.
    pub(super) fn withdraw(&mut self, pid: u64) {
        if let Some(mut guest) = self.guests.remove(&pid) {
            guest.end();
            self.reloads.ended.push(pid);
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
        found.extend(self.astray());
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
