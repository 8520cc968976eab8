//! The entities of a run: numbers that stand for keys, and states that remember everything that was done to them.

use crate::routing::{Header, SessionId};
use crate::words::{Entity, EntityKey, EntityType, Incarnation};

/// What is asked of an entity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Message {
    /// No other message has it.
    pub(super) id: u32,
    pub(super) entity: u32,
    pub(super) kind: Kind,
    /// How it came, unless the node made it itself.
    pub(super) way: Option<Way>,
}

/// The way by which a message came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Way {
    pub(super) from: Incarnation,
    pub(super) session: SessionId,
    pub(super) header: Header,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// From the node with this number in this life; the order in which that life sent to this entity.
    Call { sender: usize, life: u64, order: u32 },
    /// A reminder that was due then.
    Reminder { due: u64 },
}

/// The state of an entity.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct State {
    /// The messages whose effect is in it, in their order.
    pub(super) applied: Vec<u32>,
    /// When the reminders were due whose effect is in it.
    pub(super) reminders: Vec<u64>,
}

impl State {
    pub(super) fn apply(&mut self, message: &Message) {
        match message.kind {
            Kind::Call { .. } => self.applied.push(message.id),
            Kind::Reminder { due } => self.reminders.push(due),
        }
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = (self.applied.len() as u32).to_le_bytes().to_vec();
        self.applied.iter().for_each(|id| bytes.extend(id.to_le_bytes()));
        self.reminders.iter().for_each(|due| bytes.extend(due.to_le_bytes()));
        bytes
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Self {
        let count = u32::from_le_bytes(bytes[..4].try_into().unwrap()) as usize;
        let (applied, reminders) = bytes[4..].split_at(count * 4);
        let id = |bytes: &[u8]| u32::from_le_bytes(bytes.try_into().unwrap());
        let due = |bytes: &[u8]| u64::from_le_bytes(bytes.try_into().unwrap());
        Self {
            applied: applied.chunks(4).map(id).collect(),
            reminders: reminders.chunks(8).map(due).collect(),
        }
    }
}

pub(super) fn entity_of(number: u32) -> Entity {
    Entity {
        entity_type: EntityType::new("e").unwrap(),
        key: EntityKey::new(&number.to_le_bytes()).unwrap(),
    }
}

pub(super) fn entity_number(entity: &Entity) -> u32 {
    u32::from_le_bytes(entity.key.bytes().try_into().unwrap())
}
