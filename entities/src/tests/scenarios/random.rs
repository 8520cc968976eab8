//! Whatever is written, a store has what a map would have.

use super::super::entities::{FencedStore, GivenUp};
use super::*;

/// A sequence of numbers that is the same each time (SplitMix64).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    fn reminder(&mut self) -> ReminderChange {
        let id = self.below(4).to_string();
        let due_ms = self.below(6);
        match self.below(6) {
            0..3 => ReminderChange::Put(StoredReminder {
                due_ms: (self.below(5) > 0).then_some(due_ms),
                period_ms: (self.below(2) > 0).then_some(1 + due_ms),
                ..reminder(&id, 0)
            }),
            3 => ReminderChange::Remove(id),
            _ => ReminderChange::GiveUp {
                id,
                next_ms: (self.below(4) > 0).then_some(self.0 % 6),
                given_up: GivenUp {
                    due_ms,
                    at_ms: self.below(100),
                },
            },
        }
    }

    fn reply(&mut self) -> ReplyChange {
        let key = self.below(3).to_string();
        match self.below(3) {
            0 => ReplyChange::Remove("me".to_owned(), key),
            failure => ReplyChange::Put(KeptReply {
                outcome: if failure == 1 {
                    Ok(self.next().to_le_bytes().to_vec())
                } else {
                    Err(key.clone())
                },
                ..kept(&key, self.0 % 50)
            }),
        }
    }

    fn entity(&mut self) -> Entity {
        let (of, key) = (self.below(2), self.below(6));
        Entity::new(TYPES[of as usize], key.to_string()).unwrap()
    }

    fn write(&mut self, world: &World<'_>, may_be_late: bool) -> Write {
        let of = self.entity();
        let change = match self.below(8) {
            0 => Change::Delete,
            1..4 => Change::Keep,
            _ => put(&self.next().to_le_bytes()),
        };
        let (reminders, replies) = (self.below(5), self.below(3));
        let write = Write {
            reminders: (0..reminders).map(|_| self.reminder()).collect(),
            replies: (0..replies).map(|_| self.reply()).collect(),
            ..world.change(&of, change)
        };
        let is_late = may_be_late && self.below(4) == 0;
        Write {
            version: if is_late {
                1 + self.below(write.version)
            } else {
                write.version
            },
            ..write
        }
    }
}

/// What both have of everything.
fn compare(world: &World<'_>, model: &FencedStore) {
    let last = SLOTS - 1;
    for of in TYPES {
        let name = EntityType::new(of).unwrap();
        for key in 0..6 {
            let of = Entity::new(of, key.to_string()).unwrap();
            let expected = sorted(model.read(&of, None).unwrap());
            assert_eq!(sorted(world.store().read(&of, None).unwrap()), expected, "{of}");
        }
        assert_eq!(world.keys(of, None, 100), model.keys(&name, None, 100).unwrap());
    }
    let due = |store: &dyn EntityStore| store.due(0..=last, &FIRST, 4, 1_000).unwrap();
    assert_eq!(due(world.store()), due(model));
}

fn differ(world: &World<'_>) {
    for seed in 1..=4 {
        println!("seed {seed}");
        let (mut random, model) = (Random(seed), FencedStore::default());
        let everything: Vec<Entity> = TYPES
            .iter()
            .flat_map(|of| (0..6).map(|key| Entity::new(of, key.to_string()).unwrap()))
            .collect();
        for of in &everything {
            model.own(fence(of, 1));
            world.place.own(fence(of, 1));
            let nothing = [Arc::new(world.change(of, Change::Delete))];
            assert_eq!(world.store().write(&nothing).unwrap(), model.write(&nothing).unwrap());
        }
        for _ in 0..60 {
            let count = 1 + random.below(6);
            let writes: Vec<_> = (0..count)
                .map(|_| Arc::new(random.write(world, world.place.has_fences())))
                .collect();
            if world.place.has_fences() && random.below(10) == 0 {
                let fence = fence(&random.entity(), 1);
                model.give_away(fence.shard);
                world.place.lose(fence);
            }
            assert_eq!(world.store().write(&writes).unwrap(), model.write(&writes).unwrap());
            if random.below(10) == 0 {
                let before_ms = random.below(50);
                model.forget_replies(before_ms).unwrap();
                world.store().forget_replies(before_ms).unwrap();
            }
            for of in &everything {
                model.own(fence(of, 1));
                world.place.own(fence(of, 1));
            }
            compare(world, &model);
        }
    }
}

pub(super) fn scenarios() -> Vec<Scenario> {
    vec![Scenario {
        name: "whatever is written, in whatever order, it is what a map would have",
        needs_fences: false,
        run: differ,
    }]
}
