//! Sessions between nodes: in order until they break, and each end notices that in its own time.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::entity::{Message, Way};
use super::node::{incarnation, node_of};
use super::world::{Happening, Input, World};
use super::{MILLISECOND, SECOND, Time};
use crate::routing::{Reply, SenderEvent, SessionId, Transmit};
use crate::words::{Epoch, Incarnation, ShardId, ShardRow};

#[derive(Debug)]
struct Link {
    session: SessionId,
    is_broken: bool,
    /// When the last thing that was sent arrives, there and back.
    arrives: [Time; 2],
}

/// All sessions, by who opened them and to whom.
#[derive(Debug, Default)]
pub(super) struct Network {
    links: BTreeMap<(Incarnation, Incarnation), Link>,
    sessions: u64,
    /// From which node nothing comes to which.
    pub(super) cut: BTreeSet<(usize, usize)>,
}

impl World {
    fn me(&self, node: usize) -> Incarnation {
        incarnation(node, self.nodes[node].life)
    }

    fn row(&self, node: usize, shard: ShardId) -> Option<ShardRow> {
        self.nodes[node].process.as_ref()?.machine.view().row(shard)
    }

    /// A node sends a message to an entity.
    pub(super) fn send(&mut self, node: usize, message: Message) {
        let now = self.nodes[node].now(self.now);
        let Some(row) = self.row(node, self.shard_of(message.entity)) else {
            return;
        };
        let Some(process) = self.nodes[node].process.as_mut() else {
            return;
        };
        if process.host.sender.handle_send(row, message, 100, now).is_err() {
            self.oracle.counted.overloaded += 1;
        } else {
            let life = self.nodes[node].life;
            self.oracle.open.insert(message.id, (node, life));
        }
    }

    /// A node's view may be another one.
    pub(super) fn learn(&mut self, node: usize) {
        let now = self.nodes[node].now(self.now);
        if let Some(process) = self.nodes[node].process.as_mut() {
            let view = process.machine.view();
            process.host.sender.handle_view(|shard| view.row(shard), now);
        }
        self.route(node);
    }

    pub(super) fn resend(&mut self, node: usize) {
        let now = self.nodes[node].now(self.now);
        if let Some(process) = self.nodes[node].process.as_mut() {
            process.host.send_wake = None;
            let view = process.machine.view();
            process.host.sender.handle_timeout(|shard| view.row(shard), now);
        }
    }

    /// Puts on its way whatever a node has to send.
    pub(super) fn route(&mut self, node: usize) {
        loop {
            let clock = self.nodes[node].clock;
            let Some(process) = self.nodes[node].process.as_mut() else {
                return;
            };
            let host = &mut process.host;
            if let Some(transmit) = host.sender.poll_transmit() {
                self.transmit(node, transmit);
            } else if let Some((to, session, reply)) = host.receiver.poll_reply() {
                self.reply(node, to, session, reply);
            } else if let Some(event) = host.sender.poll_event() {
                let (message, count) = match event {
                    SenderEvent::Lost(message) => (message, &mut self.oracle.counted.lost),
                    SenderEvent::Unowned(message) => (message, &mut self.oracle.counted.unowned),
                };
                *count += 1;
                self.oracle.open.remove(&message.id);
            } else {
                let due = host.sender.poll_timeout().map(|at| clock.when(at).max(self.now + 1));
                if let Some(due) = due.filter(|due| host.send_wake.is_none_or(|wake| *due < wake)) {
                    host.send_wake = Some(due);
                    self.schedule_input(due - self.now, node, Input::Resend);
                }
                return;
            }
        }
    }

    fn at(&mut self, at: Time, to: Incarnation, input: Input) {
        let (node, life) = node_of(to);
        self.schedule(at, Happening::At(node, life, input));
    }

    fn transmit(&mut self, node: usize, transmit: Transmit<Message>) {
        let (from, to) = (self.me(node), transmit.to);
        if !self.network.links.contains_key(&(from, to)) {
            self.network.sessions += 1;
            let session = SessionId(self.network.sessions);
            let arrives = [self.now; 2];
            let link = Link {
                session,
                is_broken: false,
                arrives,
            };
            self.network.links.insert((from, to), link);
            if self.living(to).is_none() {
                self.break_link(from, to, 100 * MILLISECOND);
            }
            self.carry(from, to, 0, Input::Opened { from, session });
        }
        let session = self.network.links[&(from, to)].session;
        let header = transmit.header;
        let way = Way { from, session, header };
        self.carry(from, to, 0, Input::Frame(way, transmit.body));
    }

    fn reply(&mut self, node: usize, to: Incarnation, session: SessionId, reply: Reply) {
        let from = self.me(node);
        if self
            .network
            .links
            .get(&(to, from))
            .is_some_and(|link| link.session == session)
        {
            self.carry(to, from, 1, Input::Answer { from, session, reply });
        }
    }

    /// Brings something over a session, there (0) or back (1), or breaks it.
    fn carry(&mut self, opener: Incarnation, other: Incarnation, direction: usize, input: Input) {
        let (from, to) = if direction == 0 {
            (opener, other)
        } else {
            (other, opener)
        };
        let (from_node, to_node) = (node_of(from).0, node_of(to).0);
        let is_local = from_node == to_node;
        let breaks = self.random.below(1_000) < self.scenario.broken_links && !is_local;
        if breaks || self.network.cut.contains(&(from_node, to_node)) {
            self.break_link(opener, other, 3 * SECOND);
        }
        let way = if is_local {
            0
        } else {
            self.random.below(self.scenario.way_to_node)
        };
        let now = self.now;
        let Some(link) = self.network.links.get_mut(&(opener, other)) else {
            return;
        };
        if link.is_broken {
            return;
        }
        let at = (now + way).max(link.arrives[direction]);
        link.arrives[direction] = at;
        self.at(at, to, input);
    }

    /// Nothing more comes through; the two ends notice that one day.
    fn break_link(&mut self, opener: Incarnation, other: Incarnation, within: Time) {
        let Some(link) = self.network.links.get_mut(&(opener, other)) else {
            return;
        };
        if !std::mem::replace(&mut link.is_broken, true) {
            let session = link.session;
            let (here, there) = (self.random.below(within), self.random.below(2 * within));
            self.at(self.now + here, opener, Input::Gone { to: other, session });
            self.at(self.now + there, other, Input::PeerGone { from: opener, session });
        }
    }

    /// A process has ended, and its sessions with it.
    pub(super) fn links_end(&mut self, node: usize, life: u64) {
        let gone = incarnation(node, life);
        let links = self
            .network
            .links
            .keys()
            .filter(|(from, to)| *from == gone || *to == gone);
        for (from, to) in links.copied().collect::<Vec<_>>() {
            self.break_link(from, to, 2 * SECOND);
            if from == gone {
                self.network.links.remove(&(from, to));
            }
        }
    }

    /// A node hears that another has ended.
    pub(super) fn node_ended(&mut self, node: usize, other: Incarnation) {
        if let Some(process) = self.nodes[node].process.as_mut() {
            process.host.receiver.handle_gone(other, SessionId(u64::MAX));
        }
        if let Some(session) = self.network.links.get(&(self.me(node), other)).map(|link| link.session) {
            self.gone(node, other, session);
        }
    }

    pub(super) fn gone(&mut self, node: usize, to: Incarnation, session: SessionId) {
        let key = (self.me(node), to);
        if self.network.links.get(&key).is_none_or(|link| link.session != session) {
            return;
        }
        self.network.links.remove(&key);
        let now = self.nodes[node].now(self.now);
        if let Some(process) = self.nodes[node].process.as_mut() {
            let view = process.machine.view();
            process.host.sender.handle_gone(to, |shard| view.row(shard), now);
        }
    }

    pub(super) fn answer(&mut self, node: usize, from: Incarnation, session: SessionId, reply: Reply) {
        let link = self.network.links.get(&(self.me(node), from));
        if link.is_none_or(|link| link.session != session) {
            return;
        }
        let (Reply::Acknowledged { shard, .. } | Reply::NotOwner { shard, .. }) = reply;
        let now = self.nodes[node].now(self.now);
        let Some(row) = self.row(node, shard) else { return };
        if let Some(process) = self.nodes[node].process.as_mut() {
            process.host.sender.handle_reply(from, reply, row, now);
        }
    }

    /// A message arrives at the node that its sender believes to own the shard.
    pub(super) fn frame(&mut self, node: usize, way: Way, mut message: Message) {
        let now = self.nodes[node].now(self.now);
        let shard = way.header.shard;
        let (known, hint) = self.whose(node, shard);
        let Some(process) = self.nodes[node].process.as_mut() else {
            return;
        };
        let owned = process.machine.may_take(shard, now);
        let receiver = &mut process.host.receiver;
        let verdict = receiver.handle_message(way.from, way.session, way.header, owned, known, hint);
        if verdict == crate::routing::Verdict::Accepted {
            message.way = Some(way);
            self.deliver(node, message);
        }
    }

    /// What a node tells others of a shard that it hasn't.
    fn whose(&self, node: usize, shard: ShardId) -> (Epoch, Option<Incarnation>) {
        let me = self.me(node);
        let row = self.row(node, shard);
        let (epoch, owner) = row.map(|row| (row.epoch, row.owner)).unwrap_or_default();
        let moved = self.nodes[node]
            .process
            .as_ref()
            .and_then(|process| process.host.moved.get(&shard));
        let hint = owner.filter(|owner| *owner != me);
        match moved.filter(|(at, _)| hint.is_none() && *at == epoch) {
            // From the next epoch on.
            Some((_, to)) => (Epoch(epoch.0 + 1), *to),
            None => (epoch, hint),
        }
    }

    /// Messages that were taken and haven't begun go back to where they came from.
    pub(super) fn give_back(&mut self, node: usize, mailbox: VecDeque<Message>) {
        for message in mailbox {
            let Some(way) = message.way else { continue };
            let (known, hint) = self.whose(node, way.header.shard);
            if let Some(process) = self.nodes[node].process.as_mut() {
                let receiver = &mut process.host.receiver;
                receiver.handle_returned(way.from, way.session, &way.header, known, hint);
            }
        }
    }
}
