//! Which reminders a node fires: each firing once at a time, and not again from what was read before it was accounted for.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::mutation::{Mutation, broken};
use crate::statement::{DueReminder, FiringKey};
use crate::words::{BootTime, Entity};

/// The number of times that a firing is tried before it is a dead letter.
const ATTEMPTS: u32 = 8;

/// The pause after a failed firing; it doubles with each further one.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// The time after its last pause for which it is known how often a firing has failed.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(600);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Progress {
    /// Its entity has it.
    Fired { failures: u32 },
    /// It is tried again from then on.
    Failed { failures: u32, until: BootTime },
    /// It is in a durable state since then. A statement that was sent before that may still show it as due.
    Done { at: BootTime },
}

/// What comes of a firing that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// It is tried again.
    Later,
    /// It has failed too often: the host writes it down as a dead letter.
    Never,
}

/// The reminders that a node is about to fire, has fired, and has done.
#[derive(Debug, Default)]
pub struct Reminders {
    firings: BTreeMap<(Entity, FiringKey), Progress>,
}

impl Reminders {
    /// Reminders that were due when a statement that was sent at `read_at` read them. Returns those to fire.
    pub fn handle_due(&mut self, read_at: BootTime, due: Vec<DueReminder>, now: BootTime) -> Vec<DueReminder> {
        self.handle_read(read_at, now);
        let begins = |reminder: &DueReminder| self.handle_one_due(&reminder.entity, reminder.firing, now);
        due.into_iter().filter(begins).collect()
    }

    /// A statement that was sent at `read_at` has read what is due: what was done before that is forgotten. What an earlier statement has read is
    /// of no use from now on, and must not be handed in any more.
    pub fn handle_read(&mut self, read_at: BootTime, now: BootTime) {
        self.firings.retain(|_, progress| match progress {
            Progress::Done { at } => *at >= read_at,
            // It would have been tried again by then, if it were due still.
            Progress::Failed { until, .. } => now < until.after(FORGOTTEN_AFTER),
            Progress::Fired { .. } => true,
        });
    }

    /// A reminder that a statement has found to be due; those of one entity come in the order in which they are due. True if it is to be
    /// fired: it isn't while another one of its entity is, or waits to be tried again.
    pub fn handle_one_due(&mut self, entity: &Entity, firing: FiringKey, now: BootTime) -> bool {
        let key = (entity.clone(), firing);
        let failures = match self.firings.get(&key) {
            None => 0,
            Some(Progress::Failed { failures, until }) if *until <= now => *failures,
            Some(Progress::Done { .. }) if broken(Mutation::StaleReminderFired) => 0,
            Some(_) => return false,
        };
        let stands_before = |(other, progress): (&(Entity, FiringKey), &Progress)| {
            other.1 != firing
                && match progress {
                    Progress::Fired { .. } => true,
                    Progress::Failed { until, .. } => *until > now,
                    Progress::Done { .. } => false,
                }
        };
        if self.of_entity(entity).any(stands_before) {
            return false;
        }
        self.firings.insert(key, Progress::Fired { failures });
        true
    }

    /// The entity has begun with this firing, whichever it was told of.
    pub fn handle_begun(&mut self, entity: &Entity, firing: FiringKey) {
        let key = (entity.clone(), firing);
        let failures = match self.firings.get(&key) {
            Some(Progress::Fired { failures } | Progress::Failed { failures, .. }) => *failures,
            Some(Progress::Done { .. }) | None => 0,
        };
        // There is one at a time.
        self.handle_ended(entity);
        self.firings.insert(key, Progress::Fired { failures });
    }

    /// The entity could not take a firing for now, for no fault of its own: it is due still.
    pub fn handle_put_off(&mut self, entity: &Entity, firing: FiringKey, now: BootTime) {
        let key = (entity.clone(), firing);
        match self.firings.get_mut(&key) {
            Some(Progress::Fired { failures: 0 }) => drop(self.firings.remove(&key)),
            Some(progress) => {
                if let Progress::Fired { failures } = *progress {
                    *progress = Progress::Failed { failures, until: now };
                }
            }
            None => {}
        }
    }

    /// A firing is in a state that is durable.
    pub fn handle_done(&mut self, entity: &Entity, firing: FiringKey, now: BootTime) {
        self.firings
            .insert((entity.clone(), firing), Progress::Done { at: now });
    }

    /// The handling of a firing failed.
    pub fn handle_failed(&mut self, entity: &Entity, firing: FiringKey, now: BootTime) -> Retry {
        let key = (entity.clone(), firing);
        let failures = match self.firings.get(&key) {
            Some(Progress::Fired { failures }) => failures + 1,
            _ => return Retry::Later,
        };
        if failures >= ATTEMPTS {
            return Retry::Never;
        }
        let until = now.after(FIRST_PAUSE * 2_u32.pow(failures - 1));
        self.firings.insert(key, Progress::Failed { failures, until });
        Retry::Later
    }

    fn of_entity<'r>(&'r self, entity: &'r Entity) -> impl Iterator<Item = (&'r (Entity, FiringKey), &'r Progress)> {
        let first = FiringKey { reminder: 0, due: 0 };
        let all = self.firings.range((entity.clone(), first)..);
        all.take_while(move |((of, _), _)| of == entity)
    }

    /// An activation of the entity has ended: what it was to handle is due again.
    pub fn handle_ended(&mut self, entity: &Entity) {
        if !broken(Mutation::ReminderForgotten) {
            let is_fired = |(key, progress): (&(Entity, FiringKey), &Progress)| {
                matches!(progress, Progress::Fired { .. }).then(|| key.clone())
            };
            let fired: Vec<_> = self.of_entity(entity).filter_map(is_fired).collect();
            for key in fired {
                self.firings.remove(&key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::{EntityKey, EntityType, Epoch, ShardId, TypeId};

    fn at(seconds: u64) -> BootTime {
        BootTime(seconds * 1_000_000_000)
    }

    fn due(key: &str) -> DueReminder {
        DueReminder {
            entity: Entity {
                entity_type: EntityType::new("t").unwrap(),
                key: EntityKey::new(key.as_bytes()).unwrap(),
            },
            shard: ShardId {
                type_id: TypeId(0),
                shard: 0,
            },
            epoch: Epoch(1),
            firing: FiringKey { reminder: 1, due: 5 },
        }
    }

    #[test]
    fn a_firing_begins_once_and_not_again_from_what_was_read_before_it_was_done() {
        let mut reminders = Reminders::default();
        let one = due("a");
        assert_eq!(reminders.handle_due(at(1), vec![one.clone()], at(1)).len(), 1);
        assert!(reminders.handle_due(at(2), vec![one.clone()], at(2)).is_empty());
        reminders.handle_done(&one.entity, one.firing, at(4));
        assert!(reminders.handle_due(at(3), vec![one.clone()], at(5)).is_empty());
        assert!(reminders.firings.len() == 1 && reminders.handle_due(at(6), vec![], at(6)).is_empty());
        assert!(reminders.firings.is_empty(), "nothing is kept for ever");
    }

    #[test]
    fn what_an_activation_left_undone_is_fired_again() {
        let mut reminders = Reminders::default();
        let one = due("a");
        reminders.handle_due(at(1), vec![one.clone()], at(1));
        reminders.handle_ended(&due("b").entity);
        assert!(reminders.handle_due(at(2), vec![one.clone()], at(2)).is_empty());
        reminders.handle_ended(&one.entity);
        assert_eq!(reminders.handle_due(at(3), vec![one], at(3)).len(), 1);
    }

    #[test]
    fn those_of_one_entity_are_fired_one_after_the_other() {
        let mut reminders = Reminders::default();
        let (first, mut second) = (due("a"), due("a"));
        second.firing.due = 6;
        let both = vec![first.clone(), second.clone()];
        assert_eq!(
            reminders.handle_due(at(1), both.clone(), at(1)),
            std::slice::from_ref(&first)
        );
        assert_eq!(
            reminders.handle_failed(&first.entity, first.firing, at(1)),
            Retry::Later
        );
        assert!(
            reminders.handle_due(at(1), both.clone(), at(1)).is_empty(),
            "it is in a pause"
        );
        assert_eq!(
            reminders.handle_due(at(2), both.clone(), at(2)),
            std::slice::from_ref(&first)
        );
        reminders.handle_done(&first.entity, first.firing, at(3));
        assert_eq!(reminders.handle_due(at(3), both.clone(), at(3)), [second.clone()]);
        // The entity knows better which one is first, and begins with that.
        reminders.handle_begun(&first.entity, first.firing);
        assert!(reminders.handle_due(at(4), vec![second.clone()], at(4)).is_empty());
        reminders.handle_done(&first.entity, first.firing, at(5));
        assert_eq!(
            reminders.handle_due(at(6), vec![second.clone()], at(6)),
            [second.clone()]
        );
        reminders.handle_put_off(&second.entity, second.firing, at(6));
        assert!(reminders.firings.is_empty(), "nothing is kept of what never began");
        assert_eq!(reminders.handle_due(at(7), vec![second.clone()], at(7)), [second]);
    }

    #[test]
    fn a_firing_that_fails_is_tried_eight_times_with_growing_pauses() {
        let mut reminders = Reminders::default();
        let one = due("a");
        let mut now = at(0);
        for pause in [1, 2, 4, 8, 16, 32, 64] {
            assert_eq!(reminders.handle_due(now, vec![one.clone()], now).len(), 1);
            assert_eq!(reminders.handle_failed(&one.entity, one.firing, now), Retry::Later);
            let soon = now.after(Duration::from_millis(pause * 1_000 - 1));
            assert!(reminders.handle_due(soon, vec![one.clone()], soon).is_empty());
            now = now.after(Duration::from_secs(pause));
        }
        assert_eq!(reminders.handle_due(now, vec![one.clone()], now).len(), 1);
        assert_eq!(reminders.handle_failed(&one.entity, one.firing, now), Retry::Never);
    }
}
