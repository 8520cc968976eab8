//! What a node does around its machine: the entities of its shards, their mailboxes, their states.

use std::collections::{BTreeMap, VecDeque};

use super::Time;
use super::entity::{Message, State};
use crate::activation::{ActivationLimits, Activations};
use crate::durable::Durable;
use crate::reminders::Reminders;
use crate::routing::{Receiver, Sender, SenderLimits};
use crate::statement::{StateWrite, StatementId};
use crate::words::{BootTime, Epoch, Incarnation, ShardId};

/// Statements of the host, beside those of its machine.
pub(super) const HOST: u64 = 1 << 62;

/// How far an instance has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Condition {
    /// It waits for its turn to be activated.
    Waiting,
    /// Its state is being read.
    Loading,
    Ready,
}

/// An entity that is active, or about to be.
#[derive(Debug)]
pub(super) struct Instance {
    pub(super) shard: ShardId,
    pub(super) epoch: Epoch,
    pub(super) condition: Condition,
    pub(super) state: State,
    pub(super) durable: Durable<Message>,
    pub(super) mailbox: VecDeque<Message>,
    pub(super) handling: Option<Message>,
    pub(super) write: Option<StateWrite>,
    /// Reminders that are in the state and not yet in a write.
    pub(super) fired: Vec<u64>,
}

/// What a statement of the host is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    Load { entity: u32 },
    Write { entity: u32, version: u64 },
    Due { read_at: BootTime },
}

pub(super) struct Host {
    pub(super) instances: BTreeMap<u32, Instance>,
    pub(super) reminders: Reminders,
    pub(super) sender: Sender<Message>,
    pub(super) receiver: Receiver,
    pub(super) activations: Activations<u32>,
    pub(super) next_activation: u32,
    pub(super) asked: BTreeMap<StatementId, Asked>,
    next_statement: u64,
    /// Shards that go to another node, with the epoch.
    pub(super) stopping: BTreeMap<ShardId, Epoch>,
    /// Where shards went that this node gave away.
    pub(super) moved: BTreeMap<ShardId, (Epoch, Option<Incarnation>)>,
    /// When it looks whether something can be sent.
    pub(super) send_wake: Option<Time>,
    /// When activations began lately.
    pub(super) began: VecDeque<Time>,
    /// When it looks for activations that may begin.
    pub(super) wake: Option<Time>,
}

impl Host {
    pub(super) fn new(limits: SenderLimits) -> Self {
        Self {
            instances: BTreeMap::new(),
            reminders: Reminders::default(),
            sender: Sender::new(limits),
            receiver: Receiver::default(),
            activations: Activations::new(ActivationLimits::default()),
            next_activation: 0,
            asked: BTreeMap::new(),
            next_statement: HOST,
            stopping: BTreeMap::new(),
            moved: BTreeMap::new(),
            send_wake: None,
            began: VecDeque::new(),
            wake: None,
        }
    }

    pub(super) fn statement(&mut self, asked: Asked) -> StatementId {
        let id = StatementId(self.next_statement);
        self.next_statement += 1;
        self.asked.insert(id, asked);
        id
    }

    /// The entities of a shard that are active.
    pub(super) fn of_shard(&self, shard: ShardId) -> Vec<u32> {
        let of = self.instances.iter().filter(|(_, instance)| instance.shard == shard);
        of.map(|(entity, _)| *entity).collect()
    }
}
