//! The run: a queue of things that will happen, computers, and wires between them.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::Time;
use super::computer::Computer;
use super::dialling::{Dialled, Name};
use super::history::{Ended, History};
use super::link::{Side, end_of, wire_of};
use super::plan::{Cut, Fault, LINKED, Plan, Poses};
use super::process::{Context, Effect, Event, Process, node_name};
use crate::session::CloseReason;
use crate::session::tests::Random;

/// How many bytes may be on a wire in one direction before who writes has to wait.
pub(super) const WINDOW: usize = 64 * 1024;

/// Something that will happen.
#[derive(Debug)]
enum Happening {
    Process {
        computer: usize,
        life: u32,
        event: Event,
    },
    /// At the end of a wire that is on this side.
    Arrive {
        wire: usize,
        side: Side,
        what: Arrival,
    },
    Fault(usize, Fault),
    Thaw(usize),
    Start(usize),
    Cut(usize, Cut),
    /// Everybody learns the address of a computer.
    Publish(usize, SocketAddr),
    /// All nodes are linked by now.
    CheckLinks,
}

/// What arrives at one end of a wire.
#[derive(Debug)]
enum Arrival {
    Bytes(Vec<u8>),
    Closed(CloseReason),
}

/// A connection between the processes of two computers.
struct Wire {
    /// Who opened it and who accepted it: computers, and the numbers of their processes.
    ends: [(usize, u32); 2],
    /// When the last thing that was sent to either end gets there: nothing overtakes it.
    last_arrival: [Time; 2],
    /// Bytes on their way from either end.
    on_the_way: [usize; 2],
    cut: Option<Cut>,
}

/// The address with this number.
fn address(number: usize) -> SocketAddr {
    SocketAddr::from(([10, 0, 0, number as u8 + 1], 4697))
}

pub(super) struct World {
    pub(super) plan: Plan,
    random: Random,
    start: Instant,
    pub(super) now: Time,
    queue: BTreeMap<(Time, u64), Happening>,
    scheduled: u64,
    /// The computers, and behind them as many strangers, each of which poses as one of them.
    pub(super) computers: Vec<Computer>,
    wires: Vec<Wire>,
    /// Where the computers are, and where their names say that they are.
    addresses: Vec<SocketAddr>,
    published: Vec<SocketAddr>,
    pub(super) history: History,
    pub(super) trace: Vec<(Time, String)>,
}

impl World {
    pub(super) fn new(plan: Plan, random: Random, start: Instant) -> Self {
        let count = plan.computers.len();
        let computers = (0..2 * count)
            .map(|index| Computer::new(index, count, &plan.computers[index % count]))
            .collect();
        let mut world = Self {
            random,
            start,
            now: 0,
            queue: BTreeMap::new(),
            scheduled: 0,
            computers,
            wires: Vec::new(),
            addresses: (0..count).map(address).collect(),
            published: (0..count).map(address).collect(),
            history: History::default(),
            trace: Vec::new(),
            plan,
        };
        for index in 0..2 * count {
            let at = world.random.below(3 * super::SECOND);
            world.schedule(at, Happening::Start(index));
        }
        for (index, computer) in world.plan.computers.clone().into_iter().enumerate() {
            for (at, fault) in computer.faults {
                world.schedule(at, Happening::Fault(index, fault));
            }
        }
        world.schedule(world.plan.calm_from + LINKED, Happening::CheckLinks);
        for (at, wire, how) in world.plan.cuts.clone() {
            world.schedule(at, Happening::Cut(wire, how));
        }
        world
    }

    pub(super) fn run(&mut self) {
        while let Some(((at, _), happening)) = self.queue.pop_first()
            && at <= self.plan.end()
            && self.history.violations.is_empty()
        {
            self.now = at;
            self.happen(happening);
        }
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Process { computer, life, event } => {
                if self.computers[computer].is_frozen {
                    let stalled = Happening::Process { computer, life, event };
                    return self.stall(computer, stalled);
                }
                self.computers_event(computer, life, event);
            }
            Happening::Arrive { wire, side, what } => self.arrive(wire, side, what),
            Happening::Fault(computer, fault) => self.fault(computer, fault),
            Happening::Thaw(computer) => self.computers[computer].is_frozen = false,
            Happening::Start(computer) => self.start(computer),
            Happening::Cut(wire, how) => self.cut(wire, how),
            Happening::Publish(computer, address) => self.published[computer] = address,
            Happening::CheckLinks => self.check_links(),
        }
    }

    /// What happens to a frozen process, happens when it thaws.
    fn stall(&mut self, computer: usize, happening: Happening) {
        let at = self.computers[computer].thaws.max(self.now);
        self.schedule(at, happening);
    }

    fn schedule(&mut self, at: Time, happening: Happening) {
        self.scheduled += 1;
        self.queue.insert((at, self.scheduled), happening);
    }

    fn trace(&mut self, what: String) {
        self.trace.push((self.now, what));
    }

    fn instant(&self) -> Instant {
        self.start + Duration::from_micros(self.now)
    }

    /// Lets the process of a computer handle something, and carries out what comes of it.
    fn computers_event(&mut self, index: usize, life: u32, event: Event) {
        let now = self.instant();
        let wall = self.computers[index].wall(self.now);
        let thawed = self.computers[index].thaws;
        let computer = &mut self.computers[index];
        let Some(process) = computer.process.as_mut().filter(|process| process.life == life) else {
            return;
        };
        let mut effects = Vec::new();
        let mut context = Context {
            now,
            time: self.now,
            wall,
            thawed,
            random: &mut self.random,
            history: &mut self.history,
            effects: &mut effects,
            write: self.plan.write,
            is_calm: self.now >= self.plan.calm_from,
            is_quiet: self.now >= self.plan.calm_from + LINKED / 4,
        };
        process.handle(event, &mut context);
        for effect in effects {
            self.carry_out(index, life, effect);
        }
    }

    fn carry_out(&mut self, computer: usize, life: u32, effect: Effect) {
        match effect {
            Effect::After(delay, event) => {
                let at = self.now + delay;
                self.schedule(at, Happening::Process { computer, life, event });
            }
            Effect::Write { wire, bytes } => {
                let (wire, side) = wire_of(wire);
                self.write(wire, side, bytes);
            }
            Effect::Close { wire } => {
                let (wire, side) = wire_of(wire);
                self.send(wire, side, Arrival::Closed(CloseReason::ConnectionClosed));
            }
            Effect::Open(dial) => self.open(computer, life, dial),
            Effect::LookUp { peer, name } => self.look_up(computer, life, peer, name),
            Effect::Trace(what) => self.trace(format!("{computer}.{life}: {what}")),
            Effect::Ended(unkept) => self.end(computer, Ended::InOrder(unkept), false),
        }
    }

    fn write(&mut self, wire: usize, from: Side, bytes: Vec<u8>) {
        self.wires[wire].on_the_way[from as usize] += bytes.len();
        self.send(wire, from, Arrival::Bytes(bytes));
    }

    fn send(&mut self, wire: usize, from: Side, what: Arrival) {
        let to = from.other();
        let [opener, acceptor] = self.wires[wire].ends.map(|(computer, _)| computer);
        if self.wires[wire].cut.is_some() {
            return;
        }
        let mut delay = self.plan.latency + self.random.below(self.plan.latency + 1);
        // What can't get through is sent again until it does, less and less often.
        if let Some(until) = self.parted_until(opener, acceptor) {
            let time = until - self.now;
            delay += time + self.random.below(time + 1);
        }
        let last = &mut self.wires[wire].last_arrival[to as usize];
        let at = (self.now + delay).max(*last);
        *last = at;
        self.schedule(at, Happening::Arrive { wire, side: to, what });
    }

    fn arrive(&mut self, wire: usize, side: Side, what: Arrival) {
        let (computer, life) = self.wires[wire].ends[side as usize];
        let is_the_break = matches!(what, Arrival::Closed(CloseReason::Io(_)));
        if self.wires[wire].cut.is_some() && !is_the_break {
            return;
        }
        if self.computers[computer].is_frozen {
            return self.stall(computer, Happening::Arrive { wire, side, what });
        }
        let is_there = self.computers[computer]
            .process
            .as_ref()
            .is_some_and(|process| process.life == life);
        if !is_there {
            // The system of a computer whose process is gone says so; a computer without power does by being started.
            if matches!(what, Arrival::Bytes(_)) {
                let reset = Arrival::Closed(CloseReason::Io(std::io::ErrorKind::ConnectionReset));
                self.send(wire, side, reset);
            }
            return;
        }
        let event = match what {
            Arrival::Bytes(bytes) => {
                let other = side.other();
                self.wires[wire].on_the_way[other as usize] -= bytes.len();
                let (sender, life) = self.wires[wire].ends[other as usize];
                let event = Event::Room {
                    wire: end_of(wire, other),
                    bytes: bytes.len(),
                };
                let at = self.now + self.plan.latency;
                self.schedule(
                    at,
                    Happening::Process {
                        computer: sender,
                        life,
                        event,
                    },
                );
                let wire = end_of(wire, side);
                Event::Read { wire, bytes }
            }
            Arrival::Closed(reason) => Event::WireClosed {
                wire: end_of(wire, side),
                reason,
            },
        };
        self.computers_event(computer, life, event);
    }

    /// A process looks up what addresses a name has.
    fn look_up(&mut self, computer: usize, life: u32, peer: usize, name: Name) {
        let found = match name {
            _ if self.computers[computer].nameless_until > self.now => None,
            Name::Computer(named) => Some(vec![self.published[named]]),
            Name::Service => Some(self.published.clone()),
        };
        let is_slow = self.now < self.plan.calm_from && self.random.chance(3);
        let most = if is_slow {
            5 * super::SECOND
        } else {
            2 * self.plan.latency
        };
        let at = self.now + self.random.below(most);
        let event = Event::LookedUp { peer, found };
        self.schedule(at, Happening::Process { computer, life, event });
    }

    /// Who answers at an address, if somebody does.
    fn who_answers(&self, from: usize, addr: SocketAddr) -> Option<usize> {
        let count = self.plan.computers.len();
        let at = self.addresses.iter().position(|address| *address == addr)?;
        let computer = &self.computers[at];
        Some(match () {
            () if computer.stranger_until > self.now => at + count,
            () if computer.relay_until > self.now => from,
            () => at,
        })
    }

    /// The process of a computer dials an address.
    fn open(&mut self, from: usize, life: u32, dial: Dialled) {
        let delay = self.plan.latency + self.random.below(self.plan.latency + 1);
        let to = self.who_answers(from, dial.addr).filter(|to| {
            let is_reachable = self.parted_until(from, *to).is_none() && !self.computers[*to].is_frozen;
            is_reachable && self.computers[*to].process.as_ref().is_some_and(Process::accepts)
        });
        let acceptor = to.and_then(|to| Some((to, self.computers[to].process.as_ref()?.life)));
        let Some((to, accepting)) = acceptor else {
            let event = Event::NotDialled(dial);
            return self.schedule(
                self.now + 2 * delay,
                Happening::Process {
                    computer: from,
                    life,
                    event,
                },
            );
        };
        let wire = self.wires.len();
        let at = self.now + delay;
        self.wires.push(Wire {
            ends: [(from, life), (to, accepting)],
            last_arrival: [at; 2],
            on_the_way: [0; 2],
            cut: None,
        });
        self.trace(format!("wire {wire}: {from} dials {to}"));
        for (side, at) in [(Side::Accepted, at), (Side::Opened, at + self.plan.latency)] {
            let (computer, life) = self.wires[wire].ends[side as usize];
            let wire = end_of(wire, side);
            let event = match side {
                Side::Accepted => Event::Accepted { wire },
                Side::Opened => Event::Dialled { wire, dial },
            };
            self.schedule(at, Happening::Process { computer, life, event });
        }
    }

    /// The stranger in the place of a computer says from now on that it is somebody else.
    fn pose(&mut self, index: usize, poses: Poses) {
        let count = self.plan.computers.len();
        let known = self.computers[poses.computer].process.as_ref();
        let incarnation = known.map(|process| process.incarnation).filter(|_| poses.knows);
        if let Some(stranger) = &mut self.computers[index + count].process {
            stranger.name = node_name(poses.computer, count);
            stranger.incarnation = incarnation.unwrap_or(stranger.incarnation);
            stranger.is_stock = poses.is_stock;
        }
    }

    /// A computer gets the address of another that moved away before, or a new one.
    fn move_away(&mut self, index: usize) {
        let free = (0..).map(address).find(|address| !self.addresses.contains(address));
        let Some(address) = free else { return };
        self.end(index, Ended::Killed, false);
        self.addresses[index] = address;
        let at = self.now + self.random.below(20 * super::SECOND);
        self.schedule(at, Happening::Publish(index, address));
    }

    /// Until when nothing gets from one of them to the other, if that is so now.
    fn parted_until(&self, one: usize, other: usize) -> Option<Time> {
        let count = self.plan.computers.len();
        let side = |computer: usize, sides: u64| sides >> (computer % count) & 1;
        let partitions = self.plan.partitions.iter();
        let now = partitions.filter(|(from, time, sides)| {
            (*from..from + time).contains(&self.now) && side(one, *sides) != side(other, *sides)
        });
        now.map(|(from, time, _)| from + time).max()
    }

    fn cut(&mut self, wire: usize, how: Cut) {
        let nth = self.wires.len().checked_sub(1 + wire);
        let Some(wire) = nth.filter(|wire| self.wires[*wire].cut.is_none()) else {
            return;
        };
        self.wires[wire].cut = Some(how);
        self.trace(format!("wire {wire}: {how:?}"));
        if how == Cut::Reset {
            for side in [Side::Opened, Side::Accepted] {
                let at = self.now + self.random.below(300_000);
                let what = Arrival::Closed(CloseReason::Io(std::io::ErrorKind::ConnectionReset));
                self.schedule(at, Happening::Arrive { wire, side, what });
            }
        }
    }

    fn fault(&mut self, index: usize, fault: Fault) {
        self.trace(format!("{index}: {fault:?}"));
        let computer = &mut self.computers[index];
        match fault {
            Fault::Kill => self.end(index, Ended::Killed, false),
            Fault::PowerLoss => self.end(index, Ended::Killed, true),
            Fault::Stop => {
                if let Some(life) = computer.process.as_ref().map(|process| process.life) {
                    let event = Event::Stop;
                    self.schedule(
                        self.now,
                        Happening::Process {
                            computer: index,
                            life,
                            event,
                        },
                    );
                }
            }
            Fault::Freeze(time) => {
                let thaws = self.now + time;
                (computer.is_frozen, computer.thaws) = (true, computer.thaws.max(thaws));
                let at = computer.thaws;
                self.schedule(at, Happening::Thaw(index));
            }
            Fault::Disk(error, time) => {
                computer.fails_until = self.now + time;
                computer.storage.disk.fail(0, usize::MAX, error);
                let at = self.now + time;
                self.schedule(
                    at,
                    Happening::Fault(
                        index,
                        Fault::DiskSteps {
                            after: 0,
                            count: 0,
                            error,
                        },
                    ),
                );
            }
            Fault::DiskSteps { after, count, error } => {
                if computer.fails_until <= self.now {
                    computer.storage.disk.fail(after, count, error);
                }
            }
            Fault::Stranger { time, poses } => {
                computer.stranger_until = self.now + time;
                self.pose(index, poses);
            }
            Fault::Relay(time) => computer.relay_until = self.now + time,
            Fault::Nameless(time) => computer.nameless_until = self.now + time,
            Fault::Clock(hours) => computer.clock_off += hours * 3_600,
            Fault::Move => self.move_away(index),
        }
    }

    fn end(&mut self, index: usize, how: Ended, loses_power: bool) {
        let power = loses_power.then_some(&mut self.random);
        if !self.computers[index].end(how.clone(), power, &mut self.history) {
            return;
        }
        self.trace(format!("{index}: ended, {how:?}"));
        if loses_power {
            // Nobody is there to say that the connections are gone, until the computer is back.
            for wire in &mut self.wires {
                if wire.ends.iter().any(|(computer, _)| *computer == index) {
                    wire.cut.get_or_insert(Cut::Silent);
                }
            }
        } else {
            self.hang_up(index);
        }
        let at = self.now + self.random.below(4 * super::SECOND);
        self.schedule(at, Happening::Start(index));
    }

    /// The system closes the connections of a process that is gone.
    fn hang_up(&mut self, index: usize) {
        for wire in 0..self.wires.len() {
            for side in [Side::Opened, Side::Accepted] {
                let is_there = self.computers[index].process.is_some();
                if self.wires[wire].ends[side as usize].0 == index && !is_there {
                    self.send(wire, side, Arrival::Closed(CloseReason::ConnectionClosed));
                }
            }
        }
    }

    fn start(&mut self, index: usize) {
        let computer = &mut self.computers[index];
        let nonce = self.random.next();
        if !computer.start(nonce, self.now, &mut self.history) {
            let at = self.now + super::SECOND;
            return self.schedule(at, Happening::Start(index));
        }
        let Some(life) = computer.process.as_ref().map(|process| process.life) else {
            return;
        };
        self.trace(format!("{index}.{life}: starts"));
        self.computers_event(index, life, Event::Started);
    }

    fn check_links(&mut self) {
        for (index, computer) in self.computers[..self.plan.computers.len()].iter().enumerate() {
            let unlinked = computer.process.iter().flat_map(Process::unlinked);
            for found in unlinked {
                self.history.violation(format!("computer {index} still {found}"));
            }
        }
    }

    /// What each node knows of the guests of the others is what there is.
    fn check_actors(&mut self) {
        let count = self.plan.computers.len();
        let processes = self.computers[..count].iter().filter_map(|one| one.process.as_ref());
        let processes: Vec<&Process> = processes.collect();
        for (process, other) in processes
            .iter()
            .flat_map(|one| processes.iter().map(move |other| (one, other)))
        {
            let Some(end) = process.link_to(&other.name) else {
                continue;
            };
            let known: Vec<(&String, u64)> = end.actors.iter().map(|(name, pid)| (name, *pid)).collect();
            let there: Vec<(&String, u64)> = other.guests.values().map(|guest| (&guest.name, guest.pid)).collect();
            if known != there {
                let (one, other) = (&process.name, &other.name);
                let found = format!("{one} takes {known:?} for the actors of {other}, which has {there:?}");
                self.history.violation(found);
            }
        }
    }

    /// What must hold when everything has been well for a while.
    pub(super) fn check(&mut self) {
        self.check_actors();
        let count = self.plan.computers.len();
        for index in 0..count {
            let found = match &self.computers[index].process {
                Some(process) => process.check(self.plan.calm_from, self.now),
                None => vec!["is not there".to_owned()],
            };
            for found in found {
                self.history.violation(format!("computer {index} {found}"));
            }
        }
    }
}
