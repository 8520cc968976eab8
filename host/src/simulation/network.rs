//! Between the computers: names and addresses, wires, and what is on them.

use std::net::SocketAddr;
use std::ops::Range;

use super::Time;
use super::dialling::{Dialled, Name};
use super::link::{Side, end_of};
use super::plan::Cut;
use super::process::{Event, Process};
use super::world::{Happening, World};
use ractor_host_cluster::internals::CloseReason;

/// The number of bytes that may be on a wire in one direction before the writer has to wait.
pub(super) const WINDOW: usize = 64 * 1024;

/// What arrives at one end of a wire.
#[derive(Debug)]
pub(super) enum Arrival {
    Bytes(Vec<u8>),
    Closed(CloseReason),
}

/// A connection between the processes of two computers.
pub(super) struct Wire {
    /// Who opened it and who accepted it: computers, and the numbers of their processes.
    pub(super) ends: [(usize, u32); 2],
    /// When the last thing that was sent to either end gets there: nothing overtakes it.
    pub(super) last_arrival: [Time; 2],
    /// Bytes on their way from either end.
    pub(super) on_the_way: [usize; 2],
    pub(super) cut: Option<Cut>,
}

/// The address with this number.
pub(super) fn address(number: usize) -> SocketAddr {
    SocketAddr::from(([10, 0, 0, number as u8 + 1], 4697))
}

impl World {
    pub(super) fn write(&mut self, wire: usize, from: Side, bytes: Vec<u8>) {
        self.wires[wire].on_the_way[from as usize] += bytes.len();
        self.send(wire, from, Arrival::Bytes(bytes));
    }

    pub(super) fn send(&mut self, wire: usize, from: Side, what: Arrival) {
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

    pub(super) fn arrive(&mut self, wire: usize, side: Side, what: Arrival) {
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
    pub(super) fn look_up(&mut self, computer: usize, life: u32, peer: usize, name: Name) {
        let found = match name {
            _ if self.computers[computer].nameless_until > self.now => None,
            Name::Computer(named) => Some(self.addresses_of(named..named + 1)),
            Name::Service => Some(self.addresses_of(0..self.published.len())),
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

    /// What the names of these computers lead to.
    fn addresses_of(&self, computers: Range<usize>) -> Vec<SocketAddr> {
        let named = computers.filter(|computer| self.computers[*computer].unnamed_until <= self.now);
        named.map(|computer| self.published[computer]).collect()
    }

    /// All connections of a computer break.
    pub(super) fn cut_off(&mut self, index: usize) {
        for wire in 0..self.wires.len() {
            let is_its = self.wires[wire].ends.iter().any(|(computer, _)| *computer == index);
            if is_its && self.wires[wire].cut.is_none() {
                self.break_wire(wire, Cut::Reset);
            }
        }
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
    pub(super) fn open(&mut self, from: usize, life: u32, dial: Dialled) {
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

    pub(super) fn cut(&mut self, wire: usize, how: Cut) {
        let nth = self.wires.len().checked_sub(1 + wire);
        let Some(wire) = nth.filter(|wire| self.wires[*wire].cut.is_none()) else {
            return;
        };
        self.break_wire(wire, how);
    }

    fn break_wire(&mut self, wire: usize, how: Cut) {
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

    /// The system closes the connections of a process that is gone.
    pub(super) fn hang_up(&mut self, index: usize) {
        for wire in 0..self.wires.len() {
            for side in [Side::Opened, Side::Accepted] {
                let is_there = self.computers[index].process.is_some();
                if self.wires[wire].ends[side as usize].0 == index && !is_there {
                    self.send(wire, side, Arrival::Closed(CloseReason::ConnectionClosed));
                }
            }
        }
    }
}
