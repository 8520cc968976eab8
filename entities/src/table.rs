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
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LIMITS: WaitingLimits = WaitingLimits {
        messages: 100,
        bytes: 1_000 + PLACE,
        all_bytes: 100_000,
    };

    fn key(name: u8) -> EntityKey {
        EntityKey::new(&[name + 1]).unwrap()
    }

    #[test]
    fn what_waits_is_bounded() {
        let mut table = Table::<u32, &str>::new(WaitingLimits {
            messages: 2,
            bytes: 10 + PLACE,
            all_bytes: 2 * (10 + PLACE),
        });
        let now = Instant::now();
        assert_eq!(table.handle_message(&key(1), "large", 11, now), Route::Full("large"));
        assert!(
            table.is_empty(),
            "nobody activates an entity by a message that isn't taken"
        );
        assert_eq!(table.handle_message(&key(1), "a", 5, now), Route::Activate);
        assert_eq!(table.handle_message(&key(1), "b", 6, now), Route::Full("b"));
        assert_eq!(table.handle_message(&key(1), "c", 5, now), Route::Waits);
        assert_eq!(table.handle_message(&key(1), "d", 0, now), Route::Full("d"));
        // Others have as much together, and no more.
        assert_eq!(table.handle_message(&key(2), "e", 6, now), Route::Activate);
        assert_eq!(table.handle_message(&key(3), "f", 0, now), Route::Full("f"));
        assert_eq!(table.handle_not_active(&key(1)), ["a", "c"]);
        assert_eq!(table.handle_message(&key(3), "f", 0, now), Route::Activate);
        assert_eq!(table.waiting_messages(), 2);
        assert_eq!(table.handle_active(&key(2), 1, 1, now), ["e"]);
        assert_eq!(table.handle_not_active(&key(3)), ["f"]);
        assert_eq!(table.waiting, Waiting::default());
    }

    #[test]
    fn those_longest_without_a_message_are_idle_first() {
        let mut table = Table::<u8, u8>::new(LIMITS);
        let begun = Instant::now();
        let at = |second| begun + Duration::from_secs(second);
        for name in 0..4 {
            table.handle_message(&key(name), 0, 1, at(0));
            table.handle_active(&key(name), u32::from(name), name, at(u64::from(name)));
        }
        assert_eq!(table.handle_message(&key(0), 1, 1, at(10)), Route::To(0, 0, 1));
        let idle = |table: &mut Table<u8, u8>, now| -> Vec<u8> {
            table
                .poll_idle(Duration::from_secs(9), now, 10)
                .into_iter()
                .map(|(_, actor)| actor)
                .collect()
        };
        assert_eq!(idle(&mut table, at(11)), [1, 2]);
        assert_eq!(table.handle_leave(&key(1)), Some(1));
        assert_eq!((table.handle_leave(&key(1)), table.active()), (None, 3));
        assert_eq!(table.handle_message(&key(1), 5, 1, at(11)), Route::Waits);
        assert_eq!(
            table.handle_ended(&key(1), 0, Vec::new()),
            AfterEnd::Nothing,
            "of an earlier activation"
        );
        assert_eq!(table.handle_ended(&key(1), 1, Vec::new()), AfterEnd::Activate);
        assert_eq!(table.handle_active(&key(1), 9, 9, at(12)), [5]);
    }

    /// An actor as the table sees it: what it has taken, and whether it takes more.
    #[derive(Default)]
    struct Model {
        taken: Vec<u32>,
        drains: bool,
    }

    proptest! {
        /// Whatever happens between, the messages of one entity are handled in the order in which they came, each once; and one
        /// activation lives at a time.
        #[test]
        fn messages_stay_in_order_over_activations(steps in proptest::collection::vec(0_u8..6, 1..200)) {
            let mut table = Table::<u32, u32>::new(LIMITS);
            let (now, entity) = (Instant::now(), key(0));
            let mut models: Vec<Model> = Vec::new();
            let (mut living, mut starting): (Option<u32>, bool) = (None, false);
            let (mut sent, mut handled): (u32, Vec<u32>) = (0, Vec::new());
            for step in steps {
                match step {
                    0..3 => {
                        let mut route = table.handle_message(&entity, sent, 1, now);
                        while let Route::To(activation, actor, message) = route {
                            let model = &mut models[actor as usize];
                            if living == Some(actor) && !model.drains {
                                model.taken.push(message);
                                break;
                            }
                            route = table.handle_refused(&entity, activation, message, 1, now);
                        }
                        if matches!(route, Route::Activate) {
                            prop_assert!(living.is_none() && !starting, "two activations");
                            starting = true;
                        }
                        if !matches!(route, Route::Full(_)) {
                            sent += 1;
                        }
                    }
                    3 if starting => {
                        starting = false;
                        let activation = table.next_activation();
                        let actor = u32::try_from(models.len()).unwrap();
                        let taken = table.handle_active(&entity, activation, actor, now).into();
                        models.push(Model { taken, drains: false });
                        living = Some(actor);
                    }
                    4 => {
                        if let Some(actor) = table.handle_leave(&entity) {
                            models[actor as usize].drains = true;
                        }
                    }
                    5 => {
                        if let Some(actor) = living.take() {
                            // It ends once it has handled what it has taken, or gives some of it back.
                            let Model { taken, drains } = &mut models[actor as usize];
                            let kept = if *drains { taken.len() } else { taken.len() / 2 };
                            let left = taken.split_off(kept).into_iter().map(|message| (1, message)).collect();
                            handled.append(taken);
                            if table.handle_ended(&entity, actor + 1, left) == AfterEnd::Activate {
                                prop_assert!(!starting);
                                starting = true;
                            }
                        }
                    }
                    _ => {}
                }
            }
            if let Some(actor) = living {
                handled.append(&mut models[actor as usize].taken);
            }
            let waiting = u32::try_from(handled.len()).unwrap();
            prop_assert_eq!(handled, (0..waiting).collect::<Vec<_>>());
        }
    }
}
