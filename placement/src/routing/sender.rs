//! The end that sends messages.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use super::{Header, Reply};
use crate::mutation::{Mutation, broken};
use crate::words::{BootTime, Epoch, Incarnation, ShardId, ShardRow};

/// How much a node keeps of what isn't acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SenderLimits {
    /// Messages of one shard.
    pub messages: usize,
    /// Bytes of one shard.
    pub shard_bytes: usize,
    /// Bytes of all shards.
    pub node_bytes: usize,
    /// The pause before a shard that nobody owns is tried again.
    pub retry_after: Duration,
    /// How long a message waits for somebody to own its shard.
    pub hold: Duration,
}

impl Default for SenderLimits {
    fn default() -> Self {
        Self {
            messages: 1_000,
            shard_bytes: 4 << 20,
            node_bytes: 64 << 20,
            retry_after: Duration::from_millis(100),
            hold: Duration::from_secs(60),
        }
    }
}

/// Which limit is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LimitKind {
    /// Messages of one shard.
    Messages,
    /// Bytes of one shard.
    ShardBytes,
    /// Bytes of all shards.
    NodeBytes,
}

/// More is under way to a shard than may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("shard {} of type {} is overloaded: {kind:?}", shard.shard, shard.type_id.0)]
pub struct Overloaded {
    /// The shard.
    pub shard: ShardId,
    /// The limit.
    pub kind: LimitKind,
}

/// A message to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transmit<Body> {
    /// Where to. The host opens a session if there is none.
    pub to: Incarnation,
    /// What stands in front of it.
    pub header: Header,
    /// The message.
    pub body: Body,
}

/// What became of a message that didn't arrive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SenderEvent<Body> {
    /// The session ended before it was acknowledged: nobody knows whether it was handled.
    Lost(Body),
    /// Nobody owned its shard for too long. It was not handled.
    Unowned(Body),
}

#[derive(Debug, Clone)]
struct Kept<Body> {
    number: u64,
    since: BootTime,
    bytes: usize,
    body: Body,
}

#[derive(Debug)]
struct Lane<Body> {
    number: u64,
    round: u64,
    to: Option<(Incarnation, Epoch)>,
    /// Sent, and neither acknowledged nor refused; by number.
    outstanding: VecDeque<Kept<Body>>,
    /// Not sent, or refused; by number.
    held: VecDeque<Kept<Body>>,
    /// Nothing is sent until everything outstanding is settled.
    is_draining: bool,
    hint: Option<(Epoch, Incarnation)>,
    /// Not before this is the shard tried again.
    retry_at: Option<BootTime>,
    bytes: usize,
}

impl<Body> Lane<Body> {
    /// Puts a message back among those to send, by its number.
    fn hold(&mut self, kept: Kept<Body>) {
        let at = if broken(Mutation::ResentOutOfOrder) {
            self.held.len()
        } else {
            self.held.partition_point(|held| held.number < kept.number)
        };
        self.held.insert(at, kept);
    }
}

/// What a node sends to the entities of all shards.
#[derive(Debug)]
pub struct Sender<Body> {
    limits: SenderLimits,
    lanes: BTreeMap<ShardId, Lane<Body>>,
    bytes: usize,
    transmits: VecDeque<Transmit<Body>>,
    events: VecDeque<SenderEvent<Body>>,
}

impl<Body: Clone> Sender<Body> {
    /// With these limits.
    pub fn new(limits: SenderLimits) -> Self {
        Self {
            limits,
            lanes: BTreeMap::new(),
            bytes: 0,
            transmits: VecDeque::new(),
            events: VecDeque::new(),
        }
    }

    /// Sends a message of this many bytes. `row` is what this node knows of the shard.
    pub fn handle_send(&mut self, row: ShardRow, body: Body, bytes: usize, now: BootTime) -> Result<(), Overloaded> {
        let (shard, limits, node_bytes) = (row.shard, self.limits, self.bytes);
        let lane = self.lanes.entry(shard).or_insert_with(|| Lane {
            number: 0,
            round: 1,
            to: None,
            outstanding: VecDeque::new(),
            held: VecDeque::new(),
            is_draining: false,
            hint: None,
            retry_at: None,
            bytes: 0,
        });
        let over = |kind| Err(Overloaded { shard, kind });
        if lane.outstanding.len() + lane.held.len() >= limits.messages {
            return over(LimitKind::Messages);
        } else if lane.bytes + bytes > limits.shard_bytes {
            return over(LimitKind::ShardBytes);
        } else if node_bytes + bytes > limits.node_bytes {
            return over(LimitKind::NodeBytes);
        }
        lane.number += 1;
        lane.bytes += bytes;
        self.bytes += bytes;
        let number = lane.number;
        lane.held.push_back(Kept {
            number,
            since: now,
            bytes,
            body,
        });
        self.flow(row, now);
        Ok(())
    }

    /// This node has learned of other owners. `row` is what it knows of a shard.
    pub fn handle_view(&mut self, row: impl Fn(ShardId) -> Option<ShardRow>, now: BootTime) {
        let busy = self.lanes.iter().filter(|(_, lane)| lane.bytes > 0);
        let busy: Vec<_> = busy.map(|(shard, _)| *shard).collect();
        for shard in busy {
            if let Some(row) = row(shard) {
                self.flow(row, now);
            }
        }
    }

    /// Sends what is held, if it may be sent and somebody is known to own the shard.
    fn flow(&mut self, row: ShardRow, now: BootTime) {
        let Some(lane) = self.lanes.get_mut(&row.shard) else {
            return;
        };
        let known = row.owner.map(|owner| (owner, row.epoch));
        // One that is as old as what is known here says nothing new: two nodes would send the message to each other.
        let hinted = lane.hint.filter(|(epoch, _)| *epoch > row.epoch);
        let to = hinted.map(|(epoch, owner)| (owner, epoch)).or(known);
        if lane.to.map(|(owner, _)| owner) != to.map(|(owner, _)| owner) && !lane.outstanding.is_empty() {
            // What is outstanding there may be handled there yet.
            lane.is_draining = !broken(Mutation::NotDrained);
        }
        if lane.is_draining || lane.retry_at.is_some_and(|at| now < at) {
            return;
        }
        let Some((owner, epoch)) = to else {
            if !lane.held.is_empty() {
                lane.retry_at = Some(now.after(self.limits.retry_after));
            }
            return;
        };
        lane.retry_at = None;
        if lane.to.map(|(owner, _)| owner) != Some(owner) && lane.to.is_some() {
            lane.round += 1;
        }
        lane.to = Some((owner, epoch));
        for kept in std::mem::take(&mut lane.held) {
            self.transmits.push_back(Transmit {
                to: owner,
                header: Header {
                    shard: row.shard,
                    epoch,
                    number: kept.number,
                    round: lane.round,
                },
                body: kept.body.clone(),
            });
            lane.outstanding.push_back(kept);
        }
    }

    /// The next message to send.
    pub fn poll_transmit(&mut self) -> Option<Transmit<Body>> {
        self.transmits.pop_front()
    }

    /// What became of a message that didn't arrive.
    pub fn poll_event(&mut self) -> Option<SenderEvent<Body>> {
        self.events.pop_front()
    }

    /// A node has answered. `row` is what this node knows of the shard.
    pub fn handle_reply(&mut self, from: Incarnation, reply: Reply, row: ShardRow, now: BootTime) {
        let Some(lane) = self.lanes.get_mut(&row.shard) else {
            return;
        };
        let is_present = |round: u64| round == lane.round && lane.to.is_some_and(|(owner, _)| owner == from);
        match reply {
            Reply::Acknowledged { up_to, round, .. } if is_present(round) => {
                while let Some(kept) = lane.outstanding.pop_front_if(|kept| kept.number <= up_to) {
                    lane.bytes -= kept.bytes;
                    self.bytes -= kept.bytes;
                }
            }
            Reply::NotOwner {
                number,
                round,
                epoch,
                hint,
                ..
            } if is_present(round) => {
                lane.is_draining = !broken(Mutation::NotDrained);
                let at = lane.outstanding.iter().position(|kept| kept.number == number);
                if let Some(kept) = at.and_then(|at| lane.outstanding.remove(at)) {
                    lane.hold(kept);
                }
                let is_newer = lane.hint.is_none_or(|(known, _)| epoch > known);
                if let Some(hint) = hint.filter(|hint| *hint != from && is_newer) {
                    lane.hint = Some((epoch, hint));
                }
                // Whoever it is may not know yet.
                lane.retry_at = Some(now.after(self.limits.retry_after));
            }
            _ => {}
        }
        self.settle(row, now);
    }

    /// Once nothing is outstanding a new round begins.
    fn settle(&mut self, row: ShardRow, now: BootTime) {
        let Some(lane) = self.lanes.get_mut(&row.shard) else {
            return;
        };
        if lane.is_draining && lane.outstanding.is_empty() {
            lane.is_draining = false;
            lane.to = None;
            lane.round += 1;
        }
        self.flow(row, now);
    }

    /// The session with a node is over: what was outstanding there is lost. `row` says what this node knows of a shard.
    pub fn handle_gone(&mut self, gone: Incarnation, row: impl Fn(ShardId) -> Option<ShardRow>, now: BootTime) {
        self.transmits.retain(|transmit| transmit.to != gone);
        for lane in self.lanes.values_mut() {
            lane.hint = lane.hint.filter(|(_, hint)| *hint != gone);
        }
        let to = |lane: &Lane<Body>| lane.to.map(|(owner, _)| owner);
        let shards = self.lanes.iter().filter(|(_, lane)| to(lane) == Some(gone));
        let shards: Vec<_> = shards.map(|(shard, _)| *shard).collect();
        for shard in shards {
            let Some(lane) = self.lanes.get_mut(&shard) else {
                continue;
            };
            for kept in std::mem::take(&mut lane.outstanding) {
                if broken(Mutation::LostSentAgain) {
                    lane.hold(kept);
                    continue;
                }
                lane.bytes -= kept.bytes;
                self.bytes -= kept.bytes;
                self.events.push_back(SenderEvent::Lost(kept.body));
            }
            lane.is_draining = false;
            lane.to = None;
            lane.round += 1;
            lane.retry_at = Some(now.after(self.limits.retry_after));
            if let Some(row) = row(shard) {
                self.flow(row, now);
            }
        }
    }

    /// When [`Sender::handle_timeout`] is due.
    pub fn poll_timeout(&self) -> Option<BootTime> {
        let hold = |lane: &Lane<Body>| lane.held.front().map(|kept| kept.since.after(self.limits.hold));
        let waiting = self.lanes.values().filter(|lane| !lane.held.is_empty());
        waiting
            .filter_map(|lane| lane.retry_at.into_iter().chain(hold(lane)).min())
            .min()
    }

    /// Time has passed. `row` says what this node knows of a shard.
    pub fn handle_timeout(&mut self, row: impl Fn(ShardId) -> Option<ShardRow>, now: BootTime) {
        let due: Vec<_> = self
            .lanes
            .iter()
            .filter(|(_, lane)| !lane.held.is_empty())
            .map(|(shard, _)| *shard)
            .collect();
        for shard in due {
            let Some(lane) = self.lanes.get_mut(&shard) else {
                continue;
            };
            while let Some(kept) = lane.held.pop_front_if(|kept| kept.since.after(self.limits.hold) <= now) {
                lane.bytes -= kept.bytes;
                self.bytes -= kept.bytes;
                self.events.push_back(SenderEvent::Unowned(kept.body));
            }
            if lane.retry_at.is_some_and(|at| at <= now) {
                lane.retry_at = None;
                // A hint that didn't help is not followed again.
                if let Some(row) = row(shard) {
                    self.flow(row, now);
                }
            }
        }
    }

    /// A message that was to be sent can't be: it is larger than its receiver takes. It is given back, and those behind it go on.
    pub fn handle_unsendable(&mut self, header: Header, row: ShardRow, now: BootTime) -> Option<Body> {
        let lane = self
            .lanes
            .get_mut(&header.shard)
            .filter(|lane| lane.round == header.round)?;
        let at = lane.outstanding.iter().position(|kept| kept.number == header.number)?;
        let kept = lane.outstanding.remove(at)?;
        lane.bytes -= kept.bytes;
        self.bytes -= kept.bytes;
        self.settle(row, now);
        Some(kept.body)
    }

    /// True if nothing of this shard is kept: what is sent to it now overtakes nothing.
    pub fn is_idle(&self, shard: ShardId) -> bool {
        let lane = self.lanes.get(&shard);
        lane.is_none_or(|lane| lane.outstanding.is_empty() && lane.held.is_empty())
    }

    /// True if a message to this node is neither acknowledged nor refused.
    pub fn has_outstanding(&self, with: Incarnation) -> bool {
        let is_there = |lane: &Lane<Body>| lane.to.is_some_and(|(owner, _)| owner == with);
        self.lanes
            .values()
            .any(|lane| !lane.outstanding.is_empty() && is_there(lane))
    }

    /// The bytes of messages that are kept.
    pub fn bytes(&self) -> usize {
        self.bytes
    }
}
