//! The entities of one type on this node: which are active, which are about to be, and what waits for them.
//!
//! A pure machine. An entity has a place here only while it is active, about to be or about to end: a passivated one takes no memory.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use lru::LruCache;
use ractor_host_placement::words::EntityKey;

/// What may wait while entities are activated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct WaitingLimits {
    /// Messages for one entity.
    pub(crate) messages: usize,
    /// Bytes of these.
    pub(crate) bytes: usize,
    /// Bytes for all entities of the type, with what each place costs.
    pub(crate) all_bytes: usize,
}

/// What the place of an entity takes that has none yet: its key, its part of the table, and its turn among those to be activated.
const PLACE: usize = 768;

/// What becomes of a message.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Route<Actor, Message> {
    /// The entity is active: the message is for this actor.
    To(u32, Actor, Message),
    /// It waits until the entity is active.
    Waits,
    /// It waits, and the entity has to be activated.
    Activate,
    /// As much waits already as may.
    Full(Message),
}

struct Queue<Message> {
    messages: VecDeque<Message>,
    bytes: usize,
}

impl<Message> Default for Queue<Message> {
    fn default() -> Self {
        Self {
            messages: VecDeque::new(),
            bytes: 0,
        }
    }
}

enum Slot<Actor, Message> {
    /// It is being activated, or waits for its turn.
    Starting { queue: Queue<Message> },
    Active {
        activation: u32,
        actor: Actor,
        used: Instant,
    },
    /// The actor is ending. What comes meanwhile is for the next.
    Leaving {
        activation: u32,
        actor: Actor,
        queue: Queue<Message>,
    },
}

/// What to do after an activation has ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum AfterEnd {
    /// Nothing: nobody waits.
    Nothing,
    /// Messages came meanwhile: it has to be activated again.
    Activate,
}

/// What waits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Waiting {
    messages: usize,
    bytes: usize,
}

/// See the module. `Actor` is what an active entity is reached by.
pub(crate) struct Table<Actor, Message> {
    slots: LruCache<EntityKey, Slot<Actor, Message>>,
    limits: WaitingLimits,
    /// Of all queues.
    waiting: Waiting,
    active: usize,
    last_activation: u32,
}

impl<Actor: Clone, Message> Table<Actor, Message> {
    pub(crate) fn new(limits: WaitingLimits) -> Self {
        Self {
            slots: LruCache::unbounded(),
            limits,
            waiting: Waiting::default(),
            active: 0,
            last_activation: 0,
        }
    }

    /// The entities that are active.
    pub(crate) fn active(&self) -> usize {
        self.active
    }

    /// The messages that wait for entities to be activated.
    pub(crate) fn waiting_messages(&self) -> usize {
        self.waiting.messages
    }

    /// The number of the next activation: it is never used for another.
    pub(crate) fn next_activation(&mut self) -> u32 {
        self.last_activation += 1;
        self.last_activation
    }

    /// A message has come for an entity.
    pub(crate) fn handle_message(
        &mut self,
        key: &EntityKey,
        message: Message,
        bytes: usize,
        now: Instant,
    ) -> Route<Actor, Message> {
        let (limits, waiting) = (self.limits, &mut self.waiting);
        match self.slots.get_mut(key) {
            Some(Slot::Active {
                activation,
                actor,
                used,
            }) => {
                *used = now;
                Route::To(*activation, actor.clone(), message)
            }
            Some(Slot::Starting { queue } | Slot::Leaving { queue, .. }) => queue.put(message, bytes, limits, waiting),
            None => {
                let mut queue = Queue::default();
                let route = queue.put(message, bytes + PLACE, limits, waiting);
                if matches!(route, Route::Waits) {
                    self.slots.put(key.clone(), Slot::Starting { queue });
                    return Route::Activate;
                }
                route
            }
        }
    }

    /// An entity is to be active without any message. True if it has to be activated.
    pub(crate) fn handle_wanted(&mut self, key: &EntityKey) -> bool {
        if self.slots.contains(key) {
            return false;
        }
        let queue = Queue::default();
        self.slots.put(key.clone(), Slot::Starting { queue });
        true
    }

    /// The actor of this activation takes no more messages, and didn't take this one.
    pub(crate) fn handle_refused(
        &mut self,
        key: &EntityKey,
        refused_by: u32,
        message: Message,
        bytes: usize,
        now: Instant,
    ) -> Route<Actor, Message> {
        if let Some(slot) = self.slots.get_mut(key)
            && let Slot::Active { activation, actor, .. } = slot
            && *activation == refused_by
        {
            // Its end is heard of soon.
            *slot = Slot::Leaving {
                activation: refused_by,
                actor: actor.clone(),
                queue: Queue::default(),
            };
            self.active -= 1;
        }
        self.handle_message(key, message, bytes, now)
    }

    /// An entity is active. Gives the messages that waited, in order: the actor has to have them before this table is asked for the
    /// next.
    pub(crate) fn handle_active(
        &mut self,
        key: &EntityKey,
        activation: u32,
        actor: Actor,
        now: Instant,
    ) -> VecDeque<Message> {
        let slot = Slot::Active {
            activation,
            actor,
            used: now,
        };
        self.active += 1;
        match self.slots.put(key.clone(), slot) {
            Some(Slot::Starting { queue }) => self.emptied(queue),
            // There is one activation at a time.
            _ => VecDeque::new(),
        }
    }

    /// An entity could not be activated. Gives the messages that waited.
    pub(crate) fn handle_not_active(&mut self, key: &EntityKey) -> VecDeque<Message> {
        match self.slots.pop(key) {
            Some(Slot::Starting { queue }) => self.emptied(queue),
            Some(other) => {
                self.slots.put(key.clone(), other);
                VecDeque::new()
            }
            None => VecDeque::new(),
        }
    }

    fn emptied(&mut self, queue: Queue<Message>) -> VecDeque<Message> {
        self.waiting.bytes -= queue.bytes;
        self.waiting.messages -= queue.messages.len();
        queue.messages
    }

    /// The actor of an activation has ended, and has left these messages, with their bytes: they come before those that came later. They
    /// were taken, so no limit keeps them out.
    pub(crate) fn handle_ended(&mut self, key: &EntityKey, ended: u32, left: Vec<(usize, Message)>) -> AfterEnd {
        let mut queue = match self.slots.pop(key) {
            Some(Slot::Active { activation, .. }) if activation == ended => {
                self.active -= 1;
                Queue::default()
            }
            Some(Slot::Leaving { activation, queue, .. }) if activation == ended => queue,
            other => {
                if let Some(other) = other {
                    self.slots.put(key.clone(), other);
                }
                return AfterEnd::Nothing;
            }
        };
        for (bytes, message) in left.into_iter().rev() {
            self.waiting.bytes += bytes;
            self.waiting.messages += 1;
            queue.bytes += bytes;
            queue.messages.push_front(message);
        }
        if queue.messages.is_empty() {
            return AfterEnd::Nothing;
        }
        self.slots.put(key.clone(), Slot::Starting { queue });
        AfterEnd::Activate
    }

    /// An entity is to end: its actor, if it is active. From now on messages wait for the next activation.
    pub(crate) fn handle_leave(&mut self, key: &EntityKey) -> Option<Actor> {
        let slot = self.slots.peek_mut(key)?;
        let Slot::Active { activation, actor, .. } = slot else {
            return None;
        };
        let (activation, actor) = (*activation, actor.clone());
        self.active -= 1;
        *slot = Slot::Leaving {
            activation,
            actor: actor.clone(),
            queue: Queue::default(),
        };
        Some(actor)
    }

    /// Up to `most` entities that have had no message for `idle`, those longest without one first. Whoever is asked for is looked at
    /// again when the others have been.
    pub(crate) fn poll_idle(&mut self, idle: Duration, now: Instant, most: usize) -> Vec<(EntityKey, Actor)> {
        let mut found = Vec::new();
        let is_idle = |slot: &Slot<Actor, Message>| match slot {
            Slot::Active { used, .. } => now.saturating_duration_since(*used) >= idle,
            // In its place among those that are idle, and nobody's to end.
            Slot::Starting { .. } | Slot::Leaving { .. } => true,
        };
        for (key, slot) in self.slots.iter().rev().take(most).take_while(|(_, slot)| is_idle(slot)) {
            if let Slot::Active { actor, .. } = slot {
                found.push((key.clone(), actor.clone()));
            }
        }
        for (key, _) in &found {
            self.slots.promote(key);
        }
        found
    }

    /// The actor of an entity, if it is active.
    pub(crate) fn active_actor(&self, key: &EntityKey) -> Option<Actor> {
        match self.slots.peek(key)? {
            Slot::Active { actor, .. } => Some(actor.clone()),
            Slot::Starting { .. } | Slot::Leaving { .. } => None,
        }
    }

    /// All that are active, in no particular order.
    pub(crate) fn actors(&self) -> impl Iterator<Item = (&EntityKey, &Actor)> {
        self.slots.iter().filter_map(|(key, slot)| match slot {
            Slot::Active { actor, .. } => Some((key, actor)),
            Slot::Starting { .. } | Slot::Leaving { .. } => None,
        })
    }

    /// All that have a place, with the actors of those that are active or about to end.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&EntityKey, Option<&Actor>)> {
        self.slots.iter().map(|(key, slot)| match slot {
            Slot::Active { actor, .. } | Slot::Leaving { actor, .. } => (key, Some(actor)),
            Slot::Starting { .. } => (key, None),
        })
    }

    /// The actor of an entity that is active or about to end.
    pub(crate) fn actor(&self, key: &EntityKey) -> Option<&Actor> {
        match self.slots.peek(key)? {
            Slot::Active { actor, .. } | Slot::Leaving { actor, .. } => Some(actor),
            Slot::Starting { .. } => None,
        }
    }

    /// True if the entity is active, or about to be or to end.
    pub(crate) fn has_place(&self, key: &EntityKey) -> bool {
        self.slots.contains(key)
    }

    /// True while an entity is being activated, or its actor is ending: it may have read its state already, or may write it still.
    pub(crate) fn is_between(&self, key: &EntityKey) -> bool {
        matches!(self.slots.peek(key), Some(Slot::Starting { .. } | Slot::Leaving { .. }))
    }

    /// True if nothing is known of any entity.
    pub(crate) fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }
}

impl<Message> Queue<Message> {
    fn put<Actor>(
        &mut self,
        message: Message,
        bytes: usize,
        limits: WaitingLimits,
        waiting: &mut Waiting,
    ) -> Route<Actor, Message> {
        let is_full = self.messages.len() >= limits.messages || self.bytes + bytes > limits.bytes;
        if is_full || waiting.bytes + bytes > limits.all_bytes {
            return Route::Full(message);
        }
        waiting.bytes += bytes;
        waiting.messages += 1;
        self.bytes += bytes;
        self.messages.push_back(message);
        Route::Waits
    }
}

#[cfg(test)]
mod tests;
