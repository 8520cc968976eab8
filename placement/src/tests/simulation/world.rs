//! The run: a queue of things that will happen, the nodes and the store.

use std::collections::BTreeMap;

use super::check::Oracle;
use super::entity::{Message, Way};
use super::host::{HOST, Host};
use super::network::Network;
use super::node::{Clock, Process, SimNode, incarnation, node_of};
use super::random::Random;
use super::scenario::{Fault, Scenario};
use super::store::{Key, Origin, Store, StoreEvent, StoreReply, Value};
use super::{SECOND, Time};
use crate::node::{Node, NodeConfig, Planner};
use crate::routing::{Reply, SessionId};
use crate::statement::{Answer, Outcome, Statement, StatementId};
use crate::words::{Epoch, Incarnation, Member, ShardId, Standing, TypeId, TypeSpec, Where};

/// Something that will happen.
#[derive(Debug)]
pub(super) enum Happening {
    Start(usize),
    Fault(usize),
    /// A fault is over.
    Over(usize),
    Store(StoreEvent),
    /// Something happens to this life of a node.
    At(usize, u64, Input),
}

/// Something that happens to a node.
#[derive(Debug)]
pub(super) enum Input {
    Wake,
    /// It sends a message of its own to some entity.
    Work,
    Reply(StoreReply),
    /// A statement of the host wasn't answered.
    Unanswered(StatementId),
    /// A handler has finished.
    Handled(u32, Message),
    Activate,
    /// A message from another node, or from itself.
    Frame(Way, Message),
    Answer {
        from: Incarnation,
        session: SessionId,
        reply: Reply,
    },
    /// The session that it opened is over.
    Gone {
        to: Incarnation,
        session: SessionId,
    },
    /// A session that another opened is over.
    PeerGone {
        from: Incarnation,
        session: SessionId,
    },
    Opened {
        from: Incarnation,
        session: SessionId,
    },
    /// Something that it holds may be sent.
    Resend,
    /// An entity may have something to write again.
    Pump(u32),
}

/// The most that happens to a node in a run.
const STEPS: u64 = 200_000;

pub(super) struct World {
    pub(super) scenario: Scenario,
    pub(super) random: Random,
    pub(super) now: Time,
    queue: BTreeMap<(Time, u64), Happening>,
    scheduled: u64,
    pub(super) store: Store,
    pub(super) nodes: Vec<SimNode>,
    pub(super) types: Vec<TypeSpec>,
    planner: Planner,
    pub(super) oracle: Oracle,
    pub(super) next_message: u32,
    pub(super) network: Network,
    /// None if nobody will read it.
    pub(super) trace: Option<Vec<(Time, String)>>,
    pub(super) steps: u64,
}

impl World {
    pub(super) fn new(scenario: Scenario, mut random: Random, planner: Planner, traced: bool) -> Self {
        let types = (0..scenario.types).map(|number| TypeSpec {
            type_id: TypeId(number),
            shards: scenario.shards,
            place: Where::new(),
        });
        let types: Vec<_> = types.collect();
        let nodes = (0..scenario.nodes).map(|_| SimNode {
            clock: Clock {
                offset: (1 << 50) + random.below(1 << 50),
                drift: random.below(401) as i64 - 200,
            },
            life: 0,
            process: None,
            frozen: false,
            stalled: Vec::new(),
            cut_from_store: [false; 2],
            drains: false,
        });
        let nodes = nodes.collect();
        let mut world = Self {
            store: Store::new(rows(&scenario), scenario.temper),
            oracle: Oracle::new(scenario.promise),
            queue: BTreeMap::new(),
            scheduled: 0,
            now: 0,
            nodes,
            types,
            planner,
            next_message: 0,
            network: Network::default(),
            trace: traced.then(Vec::new),
            steps: 0,
            random,
            scenario,
        };
        world.plan();
        world
    }

    fn plan(&mut self) {
        let late = self.scenario.joins.len();
        for node in 0..self.nodes.len() {
            let at = match self.scenario.joins.get(node) {
                Some(at) if node < late => *at,
                _ => self.random.below(SECOND),
            };
            self.schedule(at, Happening::Start(node));
        }
        for (index, (at, _)) in self.scenario.faults.clone().into_iter().enumerate() {
            self.schedule(at, Happening::Fault(index));
        }
    }

    pub(super) fn schedule(&mut self, at: Time, happening: Happening) {
        self.scheduled += 1;
        self.queue.insert((at.max(self.now), self.scheduled), happening);
    }

    pub(super) fn schedule_input(&mut self, after: Time, node: usize, input: Input) {
        let life = self.nodes[node].life;
        self.schedule(self.now + after, Happening::At(node, life, input));
    }

    pub(super) fn note(&mut self, what: impl FnOnce() -> String) {
        let now = self.now;
        if let Some(trace) = &mut self.trace {
            trace.push((now, what()));
        }
    }

    /// Runs to the end, or to the first violation.
    pub(super) fn run(&mut self) {
        let mut settled = false;
        while let Some(((at, _), happening)) = self.queue.pop_first() {
            if at > self.scenario.end || !self.oracle.violations.is_empty() {
                break;
            }
            self.now = at;
            self.steps += 1;
            if self.steps > STEPS * self.nodes.len() as u64 {
                self.oracle.violation("end", "the run never ends".to_owned());
            }
            if !settled && at > self.scenario.calm_from {
                settled = true;
                self.scenario.lost_at_store = 0;
                self.scenario.broken_links = 0;
                self.scenario.temper.late = 0;
                self.store.temper = self.scenario.temper;
            }
            self.happen(happening);
            self.drain_store();
        }
        if self.oracle.violations.is_empty() {
            self.now = self.scenario.end;
            self.check_settled();
        }
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Start(node) => self.start(node),
            Happening::Fault(index) => self.fault(index),
            Happening::Over(index) => self.over(index),
            Happening::Store(event) => self.store.handle(event, self.now, &mut self.random),
            Happening::At(node, life, input) => {
                let at = &mut self.nodes[node];
                if at.life != life || at.process.is_none() {
                    return;
                }
                if at.frozen {
                    return at.stalled.push(Happening::At(node, life, input));
                }
                let is_reply = matches!(input, Input::Reply(_));
                self.input(node, input);
                self.drive(node);
                if is_reply {
                    self.learn(node);
                    self.check_view(node);
                }
            }
        }
    }

    /// Hands on what the store has to say.
    fn drain_store(&mut self) {
        for (at, event) in std::mem::take(&mut self.store.effects) {
            self.schedule(at, Happening::Store(event));
        }
        for reply in std::mem::take(&mut self.store.replies) {
            let (node, life) = (reply.to.node, reply.to.life);
            let is_lost = self.random.below(1_000) < self.scenario.lost_at_store;
            if !is_lost && !self.nodes[node].cut_from_store[1] {
                let way = self.random.below(self.scenario.way_to_store);
                self.schedule(self.now + way, Happening::At(node, life, Input::Reply(reply)));
            }
        }
        for note in std::mem::take(&mut self.store.committed) {
            self.note(|| format!("committed {note:?}"));
            self.check_commit(&note);
        }
    }

    pub(super) fn send_to_store(&mut self, node: usize, id: StatementId, statement: Statement) {
        let origin = Origin {
            node,
            life: self.nodes[node].life,
            statement: id,
        };
        let is_lost = self.random.below(1_000) < self.scenario.lost_at_store;
        if !is_lost && !self.nodes[node].cut_from_store[0] {
            let way = self.random.below(self.scenario.way_to_store);
            let event = StoreEvent::Arrive(origin, statement);
            self.schedule(self.now + way, Happening::Store(event));
        }
    }

    fn start(&mut self, node: usize) {
        let at = &mut self.nodes[node];
        if at.process.is_some() {
            return;
        }
        at.life += 1;
        at.drains = false;
        let life = at.life;
        let config = NodeConfig {
            member: Member {
                incarnation: incarnation(node, life),
                name: format!("n{node}").into(),
                address: format!("10.0.0.{node}:4697").into(),
                weight: 1,
                labels: Default::default(),
                types: std::sync::Arc::new(self.types.iter().map(|of| of.type_id).collect()),
                standing: Standing::Live,
            },
            types: self.types.clone(),
            timing: self.scenario.timing,
            planner: self.planner.clone(),
        };
        let now = at.now(self.now);
        at.process = Some(Process {
            machine: Node::new(config, now),
            host: Host::new(self.scenario.sender),
            wake: None,
        });
        self.oracle.forget(node);
        self.note(|| format!("{node} starts, life {life}"));
        self.schedule_input(self.scenario.message_every, node, Input::Work);
        self.drive(node);
    }

    pub(super) fn crash(&mut self, node: usize) {
        let at = &mut self.nodes[node];
        at.process = None;
        at.stalled.clear();
        let life = at.life;
        at.life += 1;
        self.links_end(node, life);
    }

    fn fault(&mut self, index: usize) {
        let (_, fault) = self.scenario.faults[index];
        self.note(|| format!("{fault:?}"));
        match fault {
            Fault::Crash { node, .. } => self.crash(node),
            Fault::Freeze { node, .. } | Fault::Nap { node, .. } => self.nodes[node].frozen = true,
            Fault::Cut { node, direction, .. } => self.nodes[node].cut_from_store[direction] = true,
            Fault::LinkCut { from, to, .. } => {
                self.network.cut.insert((from, to));
            }
            Fault::Drain { node, .. } => {
                self.nodes[node].drains = true;
                let now = self.nodes[node].now(self.now);
                if let Some(process) = self.nodes[node].process.as_mut() {
                    process.machine.handle_drain(now);
                    self.drive(node);
                }
            }
            Fault::StoreAway { refuses, .. } => {
                self.store.restart(&mut self.random);
                self.store.temper.away = Some(refuses);
            }
            Fault::StoreSlow { step, .. } => self.store.temper.step = step,
            Fault::StoreRestart => self.store.restart(&mut self.random),
            Fault::FailOver { lost } => {
                let since = lost.map(|lost| self.now.saturating_sub(lost));
                self.store.fail_over(since, &mut self.random);
                self.oracle.generation(lost.is_some());
            }
            Fault::ClockJump(by) => self.store.clock_offset += by,
        }
        self.schedule(self.now + fault.lasts(), Happening::Over(index));
    }

    fn over(&mut self, index: usize) {
        let (_, fault) = self.scenario.faults[index];
        match fault {
            Fault::Crash { node, .. } => self.start(node),
            Fault::Drain { node, .. } => {
                // Whatever it hasn't given away by now it loses.
                self.crash(node);
                self.start(node);
            }
            Fault::Freeze { node, .. } | Fault::Nap { node, .. } => {
                if let Fault::Nap { lasts, .. } = fault {
                    self.nodes[node].clock.offset -= lasts;
                }
                self.nodes[node].frozen = false;
                for happening in std::mem::take(&mut self.nodes[node].stalled) {
                    self.happen(happening);
                }
            }
            Fault::Cut { node, direction, .. } => self.nodes[node].cut_from_store[direction] = false,
            Fault::LinkCut { from, to, .. } => {
                self.network.cut.remove(&(from, to));
            }
            Fault::StoreAway { .. } => self.store.temper.away = None,
            Fault::StoreSlow { .. } => self.store.temper.step = self.scenario.temper.step,
            Fault::StoreRestart | Fault::FailOver { .. } | Fault::ClockJump(_) => {}
        }
    }

    fn input(&mut self, node: usize, input: Input) {
        let now = self.nodes[node].now(self.now);
        let Some(process) = self.nodes[node].process.as_mut() else {
            return;
        };
        match input {
            Input::Wake => {
                process.wake = None;
                process.machine.handle_timeout(now);
            }
            Input::Reply(reply) if reply.to.statement.0 < HOST => {
                let is_renewed = matches!(
                    &reply.result,
                    Ok(Answer {
                        outcome: Outcome::Renewed { is_renewed: true, .. },
                        ..
                    })
                );
                process.machine.handle_outcome(reply.to.statement, reply.result, now);
                if is_renewed {
                    self.read_due(node);
                }
            }
            Input::Reply(reply) => self.host_reply(node, reply),
            Input::Work => self.work(node),
            Input::Unanswered(id) => self.unanswered(node, id),
            Input::Handled(entity, message) => self.handled(node, entity, message),
            Input::Frame(way, message) => self.frame(node, way, message),
            Input::Answer { from, session, reply } => self.answer(node, from, session, reply),
            Input::Gone { to, session } => self.gone(node, to, session),
            Input::PeerGone { from, session } => process.host.receiver.handle_gone(from, session),
            Input::Opened { from, session } => process.host.receiver.handle_session(from, session),
            Input::Resend => self.resend(node),
            Input::Pump(entity) => self.pump(node, entity),
            Input::Activate => process.host.wake = None,
        }
    }

    /// Lets the node do whatever has become possible.
    pub(super) fn drive(&mut self, node: usize) {
        loop {
            let now = self.nodes[node].now(self.now);
            let Some(process) = self.nodes[node].process.as_mut() else {
                return;
            };
            if let Some((id, statement)) = process.machine.poll_statement(now) {
                self.send_to_store(node, id, statement);
            } else if let Some(event) = process.machine.poll_event() {
                self.note(|| format!("{node} {event:?}"));
                self.event(node, event);
            } else {
                break;
            }
        }
        self.activate(node);
        self.route(node);
        self.arm(node);
    }

    fn arm(&mut self, node: usize) {
        let at = &mut self.nodes[node];
        let clock = at.clock;
        let Some(process) = at.process.as_mut() else { return };
        let Some(due) = process.machine.poll_timeout() else {
            return;
        };
        let due = clock.when(due).max(self.now);
        if process.wake.is_none_or(|wake| due < wake) {
            process.wake = Some(due);
            self.schedule_input(due - self.now, node, Input::Wake);
        }
    }

    /// The shard of an entity.
    pub(super) fn shard_of(&self, entity: u32) -> ShardId {
        shard_of(&self.scenario, entity)
    }

    /// The node of a row's owner, if that life of it goes on.
    pub(super) fn living(&self, owner: Incarnation) -> Option<usize> {
        let (node, life) = node_of(owner);
        let at = &self.nodes[node];
        (at.life == life && at.process.is_some()).then_some(node)
    }
}

/// What a store begins with.
fn rows(scenario: &Scenario) -> Vec<(Key, Value)> {
    let mut rows = Vec::new();
    for type_id in (0..scenario.types).map(TypeId) {
        for shard in 0..scenario.shards {
            let key = Key::Shard(ShardId { type_id, shard });
            let (epoch, owner) = (Epoch(0), None);
            rows.push((key, Value::Shard { epoch, owner }));
        }
    }
    // Every third entity has a reminder; the store's clock begins at a thousand seconds.
    let entities = (0..scenario.entities).filter(|entity| scenario.reminders && entity % 3 == 0);
    rows.extend(entities.map(|entity| {
        let due = 1_003_000_000 + u64::from(entity) * 37_000;
        let period = 700_000 + u64::from(entity) * 50_000;
        let shard = shard_of(scenario, entity);
        (Key::Reminder(entity), Value::Reminder { shard, due, period })
    }));
    rows
}

fn shard_of(scenario: &Scenario, entity: u32) -> ShardId {
    ShardId {
        type_id: TypeId((entity % u32::from(scenario.types)) as u16),
        shard: (entity.wrapping_mul(2_654_435_761) >> 7) % scenario.shards,
    }
}
