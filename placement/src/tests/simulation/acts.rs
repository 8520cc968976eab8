//! What hosts do: they activate entities, have them handle messages, write their states and release what they held.

use super::entity::{Kind, Message, State};
use super::host::{Asked, Condition, Instance};
use super::store::StoreReply;
use super::world::{Input, World};
use super::{MILLISECOND, Time};
use crate::durable::{Durable, WriteTurn};
use crate::node::Event;
use crate::statement::{DueReminder, FiringKey, Outcome, StateWrite, Statement, StatementId, WriteOutcome};
use crate::tests::simulation::entity::{entity_number, entity_of};
use crate::words::{BootTime, Epoch, Incarnation, ShardId};

/// The longest that a handler takes.
const HANDLER: Time = 20 * MILLISECOND;

/// The most that an entity holds.
const HELD: usize = 1 << 20;

impl World {
    pub(super) fn event(&mut self, node: usize, event: Event) {
        match event {
            Event::Acquired { shard, .. } => self.oracle.claim(shard, node),
            Event::Stop { shard, epoch, to } => self.stop(node, shard, epoch, to),
            Event::Lost { shard, .. } => {
                self.oracle.unclaim(shard, node);
                self.end_shard(node, shard);
            }
            Event::Released { shard, .. } => self.oracle.unclaim(shard, node),
            Event::Ended | Event::Left => {
                let drains = self.nodes[node].drains;
                self.crash(node);
                if !drains {
                    self.schedule(self.now + MILLISECOND, super::world::Happening::Start(node));
                }
            }
            Event::GenerationChanged => self.oracle.forget(node),
            Event::NodeEnded(other) => self.node_ended(node, other),
            Event::Joined => {}
        }
    }

    /// The instances of a shard end at once, and what they hold is dropped.
    fn end_shard(&mut self, node: usize, shard: ShardId) {
        if let Some(process) = self.nodes[node].process.as_mut() {
            process.host.stopping.remove(&shard);
            for entity in process.host.of_shard(shard) {
                self.end(node, entity);
            }
        }
    }

    pub(super) fn end(&mut self, node: usize, entity: u32) {
        let now = self.nodes[node].now(self.now);
        let Some(process) = self.nodes[node].process.as_mut() else {
            return;
        };
        if let Some(instance) = process.host.instances.remove(&entity) {
            process.host.reminders.handle_ended(&entity_of(entity));
            self.give_back(node, instance.mailbox);
            let Some(process) = self.nodes[node].process.as_mut() else {
                return;
            };
            match instance.condition {
                Condition::Waiting => process.host.activations.handle_unwanted(&entity),
                Condition::Loading => process.host.activations.handle_finished(entity, true, now),
                Condition::Ready => {}
            }
        }
    }

    /// A node sends a message of its own.
    pub(super) fn work(&mut self, node: usize) {
        let entity = self.random.below(u64::from(self.scenario.entities)) as u32;
        let id = self.next_message;
        self.next_message += 1;
        let (sender, life) = (node, self.nodes[node].life);
        let kind = Kind::Call {
            sender,
            life,
            order: id,
        };
        self.send(
            node,
            Message {
                id,
                entity,
                kind,
                way: None,
            },
        );
        let pause = self.random.below(2 * self.scenario.message_every);
        if self.now < self.scenario.calm_from + super::SECOND {
            self.schedule_input(pause, node, Input::Work);
        }
    }

    /// A message comes to the node that may own its entity.
    pub(super) fn deliver(&mut self, node: usize, message: Message) -> bool {
        let now = self.nodes[node].now(self.now);
        let shard = self.shard_of(message.entity);
        let Some(process) = self.nodes[node].process.as_mut() else {
            return false;
        };
        let Some(epoch) = process.machine.may_take(shard, now) else {
            return false;
        };
        let host = &mut process.host;
        if !host.instances.contains_key(&message.entity) {
            host.next_activation += 1;
            let instance = Instance {
                shard,
                epoch,
                condition: Condition::Waiting,
                state: State::default(),
                durable: Durable::new(host.next_activation, HELD),
                mailbox: Default::default(),
                handling: None,
                write: None,
                fired: Vec::new(),
            };
            host.instances.insert(message.entity, instance);
            host.activations.handle_wanted(message.entity);
        }
        if let Some(instance) = host.instances.get_mut(&message.entity) {
            instance.mailbox.push_back(message);
        }
        self.pump(node, message.entity);
        true
    }

    pub(super) fn activate(&mut self, node: usize) {
        loop {
            let now = self.nodes[node].now(self.now);
            let clock = self.nodes[node].clock;
            let Some(process) = self.nodes[node].process.as_mut() else {
                return;
            };
            let Some(entity) = process.host.activations.poll_start(now) else {
                let due = process
                    .host
                    .activations
                    .poll_timeout()
                    .map(|at| clock.when(at).max(self.now + 1));
                let wake = &mut process.host.wake;
                if let Some(due) = due.filter(|due| wake.is_none_or(|wake| *due < wake)) {
                    *wake = Some(due);
                    self.schedule_input(due - self.now, node, Input::Activate);
                }
                return;
            };
            let Some(instance) = process.host.instances.get_mut(&entity) else {
                process.host.activations.handle_finished(entity, true, now);
                continue;
            };
            instance.condition = Condition::Loading;
            let statement = Statement::ReadState {
                incarnation: process.machine.incarnation(),
                shard: instance.shard,
                epoch: instance.epoch,
                entity: entity_of(entity),
            };
            let id = process.host.statement(Asked::Load { entity });
            process.host.began.push_back(self.now);
            self.ask(node, id, statement);
            self.check_activations(node);
        }
    }

    fn ask(&mut self, node: usize, id: StatementId, statement: Statement) {
        self.send_to_store(node, id, statement);
        let timeout = self.scenario.timing.statement_timeout.as_nanos() as Time;
        self.schedule_input(timeout, node, Input::Unanswered(id));
    }

    pub(super) fn host_reply(&mut self, node: usize, reply: StoreReply) {
        let Some(process) = self.nodes[node].process.as_mut() else {
            return;
        };
        let Some(asked) = process.host.asked.remove(&reply.to.statement) else {
            return;
        };
        let outcome = reply.result.ok().map(|answer| answer.outcome);
        match asked {
            Asked::Load { entity } => self.loaded(node, entity, outcome),
            Asked::Write { entity, version } => {
                let outcome = match outcome {
                    Some(Outcome::Written(outcomes)) => outcomes.first().copied(),
                    _ => None,
                };
                self.written(node, entity, version, outcome);
            }
            Asked::Due { read_at } => {
                if let Some(Outcome::Due(due)) = outcome {
                    self.due(node, read_at, due);
                }
            }
        }
    }

    pub(super) fn unanswered(&mut self, node: usize, id: StatementId) {
        let Some(process) = self.nodes[node].process.as_mut() else {
            return;
        };
        match process.host.asked.remove(&id) {
            Some(Asked::Load { entity }) => self.loaded(node, entity, None),
            Some(Asked::Write { entity, version }) => self.written(node, entity, version, None),
            Some(Asked::Due { .. }) | None => {}
        }
    }

    fn loaded(&mut self, node: usize, entity: u32, outcome: Option<Outcome>) {
        let now = self.nodes[node].now(self.now);
        let Some(process) = self.nodes[node].process.as_mut() else {
            return;
        };
        let Some(instance) = process.host.instances.get_mut(&entity) else {
            return;
        };
        if instance.condition != Condition::Loading {
            return;
        }
        let (shard, epoch) = (instance.shard, instance.epoch);
        match outcome {
            Some(Outcome::State { is_owner: true, state }) => {
                instance.state = state.map(|state| State::from_bytes(&state.bytes)).unwrap_or_default();
                instance.condition = Condition::Ready;
                let state = instance.state.clone();
                process.host.activations.handle_finished(entity, true, now);
                // An answer that came late is acted on by nobody.
                if process.machine.may_take(shard, now) == Some(epoch) {
                    self.check_state(entity, &state, "an activation");
                }
                self.pump(node, entity);
                self.stopped(node);
            }
            // Its callers hear of it.
            _ => {
                process.host.activations.handle_finished(entity, false, now);
                instance.condition = Condition::Ready;
                self.end(node, entity);
                self.stopped(node);
            }
        }
    }

    /// Lets an entity take its next message, write and release.
    pub(super) fn pump(&mut self, node: usize, entity: u32) {
        let now = self.nodes[node].now(self.now);
        let Some(process) = self.nodes[node].process.as_mut() else {
            return;
        };
        let (machine, host) = (&process.machine, &mut process.host);
        let Some(instance) = host.instances.get_mut(&entity) else {
            return;
        };
        if instance.condition != Condition::Ready {
            return;
        }
        let (shard, epoch) = (instance.shard, instance.epoch);
        // The deadline is looked at when a message is taken, and again when its outputs are released.
        let may_take = machine.may_take(shard, now) == Some(epoch);
        let begins = |message: &Message| {
            let way = message.way.as_ref();
            way.is_none_or(|way| host.receiver.handle_begun(way.from, way.session, &way.header))
        };
        // What came by a session that is over is skipped: its sender counts it as lost.
        let next = (may_take && instance.handling.is_none()).then(|| {
            let skip = instance.mailbox.iter().map(begins).take_while(|begins| !begins).count();
            instance.mailbox.drain(..skip);
            instance.mailbox.pop_front()
        });
        if let Some(message) = next.flatten() {
            instance.handling = Some(message);
            let after = self.random.below(HANDLER);
            self.schedule_input(after, node, Input::Handled(entity, message));
            self.check_begun(node, shard, &message);
        }
        self.write(node, entity);
        self.release(node, entity);
    }

    pub(super) fn handled(&mut self, node: usize, entity: u32, message: Message) {
        let Some(process) = self.nodes[node].process.as_mut() else {
            return;
        };
        let Some(instance) = process.host.instances.get_mut(&entity) else {
            return;
        };
        if instance.handling != Some(message) {
            return;
        }
        instance.handling = None;
        instance.state.apply(&message);
        if let Kind::Reminder { due } = message.kind {
            instance.fired.push(due);
        }
        instance.durable.handle_change();
        let held = instance.durable.handle_output(message, 1);
        assert!(held.is_ok(), "an entity of the simulation holds little");
        self.pump(node, entity);
        self.stopped(node);
    }

    fn write(&mut self, node: usize, entity: u32) {
        let Some(process) = self.nodes[node].process.as_mut() else {
            return;
        };
        let (machine, host) = (&process.machine, &mut process.host);
        let Some(instance) = host.instances.get_mut(&entity) else {
            return;
        };
        // The state of this moment, if there is room for a write.
        instance.durable.handle_taken();
        let version = match instance.durable.poll_write() {
            None => return,
            Some(WriteTurn::Again { version }) => version,
            Some(WriteTurn::New { version }) => {
                let fired = std::mem::take(&mut instance.fired);
                instance.write = Some(StateWrite {
                    entity: entity_of(entity),
                    shard: instance.shard,
                    epoch: instance.epoch,
                    version,
                    bytes: instance.state.to_bytes(),
                    handled: fired.into_iter().map(|due| FiringKey { reminder: 0, due }).collect(),
                });
                version
            }
        };
        let writes = instance.write.clone().into_iter().collect();
        let incarnation = machine.incarnation();
        let id = host.statement(Asked::Write { entity, version });
        self.ask(node, id, Statement::WriteState { incarnation, writes });
    }

    fn written(&mut self, node: usize, entity: u32, version: u64, outcome: Option<WriteOutcome>) {
        let now = self.nodes[node].now(self.now);
        let Some(process) = self.nodes[node].process.as_mut() else {
            return;
        };
        let Some(instance) = process.host.instances.get_mut(&entity) else {
            return;
        };
        instance.durable.handle_written(version, outcome);
        let write = instance.write.as_ref().filter(|write| write.version == version);
        if let Some(write) = write.filter(|_| outcome == Some(WriteOutcome::Accepted)) {
            for firing in &write.handled {
                process.host.reminders.handle_done(&write.entity, *firing, now);
            }
        }
        let is_refused = instance.durable.is_refused();
        if is_refused {
            self.release(node, entity);
            self.end(node, entity);
        } else if outcome.is_none() {
            // A store that refuses everything is not asked without end.
            self.schedule_input(100 * MILLISECOND, node, Input::Pump(entity));
        } else {
            self.pump(node, entity);
        }
        self.stopped(node);
    }

    fn release(&mut self, node: usize, entity: u32) {
        loop {
            let now = self.nodes[node].now(self.now);
            let Some(process) = self.nodes[node].process.as_mut() else {
                return;
            };
            let (machine, host) = (&process.machine, &mut process.host);
            let Some(instance) = host.instances.get_mut(&entity) else {
                return;
            };
            let shard = instance.shard;
            if machine.may_release(shard, now) != Some(instance.epoch) {
                return;
            }
            let Some(output) = instance.durable.poll_output() else {
                return;
            };
            self.check_released(node, shard, &output);
        }
    }

    /// A shard goes to another node: what isn't begun is refused, the rest is finished and written.
    fn stop(&mut self, node: usize, shard: ShardId, epoch: Epoch, to: Option<Incarnation>) {
        let Some(process) = self.nodes[node].process.as_mut() else {
            return;
        };
        process.host.stopping.insert(shard, epoch);
        process.host.moved.insert(shard, (epoch, to));
        for entity in process.host.of_shard(shard) {
            let Some(process) = self.nodes[node].process.as_mut() else {
                return;
            };
            let Some(instance) = process.host.instances.get_mut(&entity) else {
                continue;
            };
            let mailbox = std::mem::take(&mut instance.mailbox);
            if instance.condition == Condition::Waiting {
                self.end(node, entity);
            }
            self.give_back(node, mailbox);
        }
        self.stopped(node);
    }

    /// Shards whose entities have all written may go.
    pub(super) fn stopped(&mut self, node: usize) {
        let now = self.nodes[node].now(self.now);
        let Some(process) = self.nodes[node].process.as_mut() else {
            return;
        };
        let host = &mut process.host;
        let idle = |instance: &Instance| {
            instance.condition == Condition::Ready && instance.handling.is_none() && instance.durable.is_settled()
        };
        let done = |shard: ShardId| host.instances.values().all(|one| one.shard != shard || idle(one));
        let done: Vec<_> = host
            .stopping
            .iter()
            .filter(|(shard, _)| done(**shard))
            .map(|(shard, epoch)| (*shard, *epoch))
            .collect();
        for (shard, epoch) in done {
            host.stopping.remove(&shard);
            for entity in host.of_shard(shard) {
                host.instances.remove(&entity);
                host.reminders.handle_ended(&entity_of(entity));
            }
            process.machine.handle_stopped(shard, epoch, now);
        }
    }

    /// Asks which reminders are due.
    pub(super) fn read_due(&mut self, node: usize) {
        let read_at = self.nodes[node].now(self.now);
        let Some(process) = self.nodes[node].process.as_mut() else {
            return;
        };
        let incarnation = process.machine.incarnation();
        // One at a time: what an earlier one says, later, may have been handled since.
        process
            .host
            .asked
            .retain(|_, asked| !matches!(asked, Asked::Due { .. }));
        let id = process.host.statement(Asked::Due { read_at });
        self.ask(node, id, Statement::ReadDue { incarnation });
    }

    /// Reminders that are due become messages.
    fn due(&mut self, node: usize, read_at: BootTime, mut due: Vec<DueReminder>) {
        let now = self.nodes[node].now(self.now);
        let Some(process) = self.nodes[node].process.as_mut() else {
            return;
        };
        due.retain(|one| process.machine.may_take(one.shard, now) == Some(one.epoch));
        for reminder in process.host.reminders.handle_due(read_at, due, now) {
            let entity = entity_number(&reminder.entity);
            let id = self.next_message;
            self.next_message += 1;
            let kind = Kind::Reminder {
                due: reminder.firing.due,
            };
            if !self.deliver(
                node,
                Message {
                    id,
                    entity,
                    kind,
                    way: None,
                },
            ) && let Some(process) = self.nodes[node].process.as_mut()
            {
                process.host.reminders.handle_ended(&reminder.entity);
            }
        }
    }
}
