//! The run: a queue of things that will happen, two nodes, and whoever pretends to be one of them.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::Time;
use super::actors::Told;
use super::end::{Answer, End, Input};
use super::model::{Change, Model};
use super::network::{Arrival, Connection, Side};
use super::scenario::{Cut, NodePlan, Nonces, SECOND, Scenario};
use crate::internals::random::Random;
use crate::session::{CloseReason, Event, Registry, SessionCheck};

/// The node number of whoever has the wrong cookie.
pub(super) const IMPOSTOR: usize = 2;

/// The longest that a message between two actors of one node takes.
pub(super) const MAILBOX: Time = 2_000;

/// Something that will happen.
#[derive(Debug)]
pub(super) enum Happening {
    Dial(usize),
    Pretend {
        victim: usize,
        accepts: bool,
    },
    Accept {
        connection: usize,
    },
    Arrive {
        connection: usize,
        side: Side,
        what: Arrival,
    },
    Cut(usize, Cut),
    Freeze(usize, Time),
    Thaw(usize),
    Change(usize),
    Heal(usize),
    Wake(usize),
    /// An end's message reaches its node.
    Tell(usize, Told),
    /// The node's verdict reaches the end, which hears of changes from now on.
    Monitor(usize),
    /// It has everything that there is at this moment.
    Won(usize),
    /// A change among its node's actors reaches an end.
    Hear(usize, Change),
    Kill(usize),
    /// The actor of an end has ended.
    Gone(usize),
}

/// What happened, in order: the same for the same seed.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Trace {
    Opened {
        connection: usize,
        from: usize,
        to: usize,
        nonce: u64,
    },
    Cut {
        connection: usize,
        how: Cut,
    },
    Frozen {
        node: usize,
        for_time: Time,
    },
    Event {
        end: usize,
        event: Event,
    },
    Admission {
        end: usize,
        admission: SessionCheck,
    },
    Elected {
        end: usize,
        won: bool,
        ending: Vec<usize>,
    },
    Ended {
        end: usize,
    },
}

/// One of the two nodes.
pub(super) struct Node {
    pub(super) plan: NodePlan,
    pub(super) registry: Registry<usize>,
    pub(super) model: Model,
    frozen: bool,
    /// What happens to it once it thaws.
    stalled: Vec<Happening>,
}

pub(super) struct World {
    pub(super) scenario: Scenario,
    pub(super) random: Random,
    pub(super) start: Instant,
    pub(super) now: Time,
    /// When something happened that isn't the answer to a ping.
    last_news: Time,
    queue: BTreeMap<(Time, u64), Happening>,
    scheduled: u64,
    pub(super) nodes: [Node; 2],
    pub(super) connections: Vec<Connection>,
    pub(super) ends: Vec<End>,
    pub(super) trace: Vec<(Time, Trace)>,
    /// Ends that were elected and wait until others are gone.
    pub(super) successions: Vec<(usize, Vec<usize>)>,
    pub(super) violations: Vec<String>,
}

impl World {
    pub(super) fn new(scenario: Scenario, random: Random, start: Instant) -> Self {
        let nodes = scenario.nodes.clone().map(|plan| Node {
            plan,
            registry: Registry::default(),
            model: Model::default(),
            frozen: false,
            stalled: Vec::new(),
        });
        let mut world = Self {
            random,
            start,
            now: 0,
            last_news: 0,
            queue: BTreeMap::new(),
            scheduled: 0,
            nodes,
            connections: Vec::new(),
            ends: Vec::new(),
            trace: Vec::new(),
            successions: Vec::new(),
            violations: Vec::new(),
            scenario,
        };
        world.plan();
        world
    }

    fn plan(&mut self) {
        let Scenario { nodes, cuts, .. } = self.scenario.clone();
        for (index, node) in nodes.into_iter().enumerate() {
            node.dials
                .iter()
                .for_each(|at| self.schedule(*at, Happening::Dial(index)));
            node.changes
                .iter()
                .for_each(|at| self.schedule(*at, Happening::Change(index)));
            for (at, time) in node.freezes {
                self.schedule(at, Happening::Freeze(index, time));
            }
            for (at, accepts) in node.impostors {
                self.schedule(at, Happening::Pretend { victim: index, accepts });
            }
            if node.heals {
                self.schedule(SECOND, Happening::Heal(index));
            }
        }
        for (at, connection, how) in cuts {
            self.schedule(at, Happening::Cut(connection, how));
        }
    }

    /// Lets everything happen.
    pub(super) fn run(&mut self) {
        while let Some(((at, _), happening)) = self.queue.pop_first()
            && at <= self.scenario.end
            && at <= self.last_news.max(self.scenario.calm_from) + self.scenario.quiet
        {
            self.now = at;
            let node = self.node_of(&happening).and_then(|node| self.nodes.get_mut(node));
            match node.filter(|node| node.frozen) {
                Some(frozen) => frozen.stalled.push(happening),
                None => self.happen(happening),
            }
        }
    }

    /// The node that does something in this.
    fn node_of(&self, happening: &Happening) -> Option<usize> {
        match happening {
            Happening::Dial(node) | Happening::Change(node) | Happening::Heal(node) => Some(*node),
            Happening::Accept { connection } => Some(self.connections[*connection].node(Side::Accepted)),
            Happening::Arrive { connection, side, .. } => Some(self.connections[*connection].node(*side)),
            Happening::Wake(end)
            | Happening::Tell(end, _)
            | Happening::Monitor(end)
            | Happening::Won(end)
            | Happening::Hear(end, _)
            | Happening::Kill(end)
            | Happening::Gone(end) => Some(self.ends[*end].node),
            Happening::Pretend { .. } | Happening::Cut(..) | Happening::Freeze(..) | Happening::Thaw(_) => None,
        }
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Dial(node) => self.dial(node),
            Happening::Pretend { victim, accepts: true } => self.open(victim, IMPOSTOR),
            Happening::Pretend { victim, accepts: false } => self.open(IMPOSTOR, victim),
            Happening::Accept { connection } => self.start(connection, Side::Accepted, 0),
            Happening::Arrive { connection, side, what } => self.arrive(connection, side, what),
            Happening::Cut(connection, how) => self.cut(connection, how),
            Happening::Freeze(node, for_time) => {
                self.trace(Trace::Frozen { node, for_time });
                self.nodes[node].frozen = true;
                self.schedule(self.now + for_time, Happening::Thaw(node));
            }
            Happening::Thaw(node) => self.thaw(node),
            Happening::Change(node) => self.change(node),
            Happening::Heal(node) => self.heal(node),
            Happening::Wake(end) => {
                self.ends[end].wake = None;
                self.input(end, Input::Tick);
            }
            Happening::Tell(end, told) => self.told(end, told),
            Happening::Monitor(end) => {
                self.ends[end].monitors = !self.ends[end].has_ended();
                let at = self.now + self.random.below(MAILBOX);
                self.schedule(at, Happening::Won(end));
            }
            Happening::Won(end) => {
                let snapshot = self.nodes[self.ends[end].node].model.snapshot();
                self.answer(end, Answer::Won(snapshot));
            }
            Happening::Hear(end, change) => self.input(end, Input::Changed(change)),
            Happening::Kill(end) => self.kill(end),
            Happening::Gone(end) => self.gone(end),
        }
    }

    pub(super) fn schedule(&mut self, at: Time, happening: Happening) {
        self.scheduled += 1;
        self.queue.insert((at, self.scheduled), happening);
    }

    pub(super) fn trace(&mut self, trace: Trace) {
        if !matches!(
            &trace,
            Trace::Event {
                event: Event::Pong(_),
                ..
            }
        ) {
            self.last_news = self.now;
        }
        self.trace.push((self.now, trace));
    }

    pub(super) fn instant(&self) -> Instant {
        self.start + Duration::from_micros(self.now)
    }

    fn dial(&mut self, node: usize) {
        self.open(node, 1 - node);
    }

    /// Connects two nodes.
    fn open(&mut self, from: usize, to: usize) {
        let connection = self.connections.len();
        let shortest = self.latency(to);
        let accepted_at = self.now + shortest + self.random.below(shortest + 1);
        self.connections.push(Connection::new(from, to, accepted_at));
        let nonce = match self.nodes.get(from).map(|node| node.plan.nonces) {
            None => 1,
            Some(Nonces::Legacy) => 0,
            Some(Nonces::Same(nonce)) => nonce,
            Some(Nonces::Below(limit)) => 1 + self.random.below(limit - 1),
        };
        self.trace(Trace::Opened {
            connection,
            from,
            to,
            nonce,
        });
        self.schedule(accepted_at, Happening::Accept { connection });
        self.start(connection, Side::Opened, nonce);
    }

    /// The quickest way to a node.
    pub(super) fn latency(&self, to: usize) -> Time {
        self.scenario.latency.get(to).copied().unwrap_or(1_000)
    }

    fn arrive(&mut self, connection: usize, side: Side, what: Arrival) {
        // Only the news of the break itself gets through.
        let is_the_break = matches!(what, Arrival::Closed(CloseReason::Io(_)));
        let lost = self.connections[connection].loses_what_is_on_its_way() && !is_the_break;
        if let Some(end) = *self.connections[connection].end(side)
            && !lost
        {
            self.input(end, Input::Arrived(what));
        }
    }

    fn cut(&mut self, connection: usize, how: Cut) {
        let Some(broken) = self.connections.get_mut(connection).filter(|one| one.cut.is_none()) else {
            return;
        };
        let learnt = broken.break_off(how, self.now, &mut self.random);
        self.trace(Trace::Cut { connection, how });
        for (side, at) in [Side::Opened, Side::Accepted].into_iter().zip(learnt) {
            let what = Arrival::Closed(match how {
                Cut::Orderly => CloseReason::ConnectionClosed,
                Cut::Reset | Cut::Silent => CloseReason::Io(std::io::ErrorKind::ConnectionReset),
            });
            if let Some(at) = at {
                self.schedule(at, Happening::Arrive { connection, side, what });
            }
        }
    }

    fn thaw(&mut self, node: usize) {
        self.nodes[node].frozen = false;
        let mut stalled = std::mem::take(&mut self.nodes[node].stalled);
        // Nobody knows what an awakened process looks at first: its clocks or its sockets.
        if self.random.chance(50) {
            stalled.sort_by_key(|happening| !matches!(happening, Happening::Wake(_)));
        }
        for happening in stalled {
            self.happen(happening);
        }
    }

    /// Something changes among a node's actors; whoever monitors them hears it in a while.
    fn change(&mut self, node: usize) {
        let changes = self.nodes[node].model.mutate(&mut self.random);
        let monitors: Vec<_> = self
            .ends_of(node)
            .filter(|(_, end)| end.monitors)
            .map(|(id, _)| id)
            .collect();
        for change in changes {
            for end in &monitors {
                let lane = 1 + usize::from(change.is_about_groups());
                let at = self.in_order(*end, lane);
                self.schedule(at, Happening::Hear(*end, change.clone()));
            }
        }
    }

    fn heal(&mut self, node: usize) {
        let connected = self
            .ends_of(node)
            .any(|(id, _)| self.nodes[node].registry.is_elected(id));
        let trying = self.ends_of(node).any(|(_, end)| {
            let to = self.connections[end.connection].node(Side::Accepted);
            end.side == Side::Opened && to != IMPOSTOR && !end.has_ended()
        });
        if !connected && !trying {
            self.dial(node);
        }
        let next = self.now + SECOND / 3 + self.random.below(SECOND);
        self.schedule(next, Happening::Heal(node));
    }

    /// When a message that is sent now in this lane of an end is handled: later, but in order.
    pub(super) fn in_order(&mut self, end: usize, lane: usize) -> Time {
        let at = self.now + self.random.below(MAILBOX);
        let last = &mut self.ends[end].last_sent[lane];
        *last = at.max(*last);
        *last
    }

    pub(super) fn ends_of(&self, node: usize) -> impl Iterator<Item = (usize, &End)> {
        self.ends.iter().enumerate().filter(move |(_, end)| end.node == node)
    }
}
