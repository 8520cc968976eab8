//! The run: a queue of things that will happen, computers, and wires between them.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::Time;
use super::computer::Computer;
use super::history::{Ended, History};
use super::link::{Side, wire_of};
use super::network::{Arrival, Wire, address};
use super::plan::{Cut, Fault, LINKED, Plan, Poses};
use super::process::{Context, Effect, Event, node_name};
use ractor_host_cluster::internals::CloseReason;
use ractor_host_cluster::internals::random::Random;

/// Something that will happen.
#[derive(Debug)]
pub(super) enum Happening {
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

pub(super) struct World {
    pub(super) plan: Plan,
    pub(super) random: Random,
    pub(super) start: Instant,
    pub(super) now: Time,
    pub(super) queue: BTreeMap<(Time, u64), Happening>,
    pub(super) scheduled: u64,
    /// The computers, and behind them as many strangers, each of which poses as one of them.
    pub(super) computers: Vec<Computer>,
    pub(super) wires: Vec<Wire>,
    /// Where the computers are, and where their names say that they are.
    pub(super) addresses: Vec<SocketAddr>,
    pub(super) published: Vec<SocketAddr>,
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
        if !world.plan.has_relays() {
            world.schedule(world.plan.calm_from + LINKED, Happening::CheckLinks);
        }
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
    pub(super) fn stall(&mut self, computer: usize, happening: Happening) {
        let at = self.computers[computer].thaws.max(self.now);
        self.schedule(at, happening);
    }

    pub(super) fn schedule(&mut self, at: Time, happening: Happening) {
        self.scheduled += 1;
        self.queue.insert((at, self.scheduled), happening);
    }

    pub(super) fn trace(&mut self, what: String) {
        self.trace.push((self.now, what));
    }

    fn instant(&self) -> Instant {
        self.start + Duration::from_micros(self.now)
    }

    /// Lets the process of a computer handle something, and carries out what comes of it.
    pub(super) fn computers_event(&mut self, index: usize, life: u32, event: Event) {
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
                self.cut_off(index);
            }
            Fault::Relay(time) => {
                computer.relay_until = self.now + time;
                self.cut_off(index);
            }
            Fault::Unnamed(time) => computer.unnamed_until = self.now + time,
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
}
