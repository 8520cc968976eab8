//! Reminders and kept replies.

use super::super::entities::GivenUp;
use super::*;

fn give_up(id: &str, due_ms: u64, next_ms: Option<u64>) -> ReminderChange {
    ReminderChange::GiveUp {
        id: id.to_owned(),
        next_ms,
        given_up: GivenUp { due_ms, at_ms: 99 },
    }
}

/// Ids, when they are due, and for when what was given up had been due.
fn noted(world: &World<'_>, key: &str) -> Vec<(String, Option<u64>, Option<u64>)> {
    let reminders = world.read(&entity(key)).reminders.into_iter();
    reminders
        .map(|one| (one.id, one.due_ms, one.given_up.map(|firing| firing.due_ms)))
        .collect()
}

fn due(world: &World<'_>, until_ms: u64) -> Vec<(String, u64)> {
    let due = world.due(100, until_ms).into_iter();
    due.map(|(_, id, due_ms)| (id, due_ms)).collect()
}

pub(super) fn scenarios() -> Vec<Scenario> {
    [reminders(), endings(), replies()].into_iter().flatten().collect()
}

fn scenario(name: &'static str, run: fn(&World<'_>)) -> Scenario {
    Scenario {
        name,
        needs_fences: false,
        run,
    }
}

fn reminders() -> Vec<Scenario> {
    vec![
        scenario(
            "a reminder is read as it was written, whether there is a state or not",
            |world| {
                let odd = StoredReminder {
                    id: "\0 '\\ \u{10ffff}".to_owned(),
                    due_ms: Some(253_402_300_799_999),
                    period_ms: Some(1),
                    variant: String::new(),
                    args: vec![0, 255],
                    given_up: Some(GivenUp { due_ms: 1, at_ms: 2 }),
                };
                assert!(world.reminders("1", vec![ReminderChange::Put(odd.clone()), remind("once", 5)]));
                assert_eq!(world.read(&entity("1")).reminders, [odd.clone(), reminder("once", 5)]);
                assert!(world.put("1", b"one"));
                assert_eq!(
                    world.read(&entity("1")).reminders.len(),
                    2,
                    "a state leaves them as they are"
                );
                let never = StoredReminder {
                    due_ms: None,
                    ..reminder("once", 0)
                };
                assert!(world.reminders(
                    "1",
                    vec![ReminderChange::Put(never.clone()), ReminderChange::Remove(odd.id)]
                ));
                assert_eq!(world.read(&entity("1")).reminders, [never]);
                assert!(world.due(10, u64::MAX).is_empty());
                assert_eq!(world.bytes("1"), Some(b"one".to_vec()));
            },
        ),
        scenario(
            "what is due comes by time, then by entity and id, and pages leave nothing out",
            |world| {
                for key in ["b", "a", "c"] {
                    let many = (0..10_u64).map(|number| remind(&format!("{number}"), number / 4 * 10));
                    assert!(world.reminders(key, many.collect()));
                }
                let other = Entity::new("f", "a").unwrap();
                assert!(world.write(Write {
                    reminders: vec![remind("other", 15)],
                    ..world.change(&other, Change::Keep)
                }));
                let all = world.due(1_000, u64::MAX);
                assert_eq!(all.len(), 31);
                let place = |(entity, id, due_ms): &(Entity, String, u64)| (*due_ms, entity.clone(), id.clone());
                assert!(all.is_sorted_by_key(place), "{all:?}");
                for page in [1, 2, 3, 7, 31] {
                    assert_eq!(world.due(page, u64::MAX), all, "pages of {page}");
                }
                assert_eq!(world.due(100, 15).len(), 25);
                assert_eq!(world.due(100, 9).len(), 12);
                let of_slots = |slots| world.store().due(slots, &FIRST, u64::MAX, 100).unwrap().len();
                assert_eq!((0..SLOTS).map(|slot| of_slots(slot..=slot)).sum::<usize>(), 31);
                let begun = DuePlace {
                    due_ms: 20,
                    reminder: None,
                };
                assert_eq!(
                    world.store().due(0..=SLOTS - 1, &begun, u64::MAX, 100).unwrap().len(),
                    6
                );
            },
        ),
    ]
}

fn endings() -> Vec<Scenario> {
    vec![
        scenario(
            "a firing is given up if the reminder is due then, and changes of one write are made in order",
            |world| {
                assert!(world.reminders("1", vec![remind("a", 10), remind("b", 20)]));
                assert!(world.reminders(
                    "1",
                    vec![
                        give_up("a", 11, None),
                        give_up("b", 20, Some(30)),
                        give_up("c", 1, None)
                    ]
                ));
                let of = |id: &str, due: Option<u64>, given_up| (id.to_owned(), due, given_up);
                assert_eq!(
                    noted(world, "1"),
                    [of("a", Some(10), None), of("b", Some(30), Some(20))]
                );
                assert_eq!(due(world, u64::MAX), [("a".to_owned(), 10), ("b".to_owned(), 30)]);
                // The first is undone by the second, the third meets what the second has put.
                let changes = vec![
                    remind("a", 1),
                    ReminderChange::Remove("a".to_owned()),
                    remind("a", 2),
                    give_up("a", 2, None),
                ];
                assert!(world.reminders("1", changes));
                // One after the other, of which only the second meets the row.
                assert!(world.reminders(
                    "1",
                    vec![
                        give_up("b", 20, Some(40)),
                        give_up("b", 30, Some(50)),
                        give_up("b", 50, Some(60))
                    ]
                ));
                assert_eq!(noted(world, "1"), [of("a", None, Some(2)), of("b", Some(60), Some(50))]);
                assert!(world.reminders(
                    "1",
                    vec![ReminderChange::Remove("a".to_owned()), give_up("a", 2, Some(3))]
                ));
                assert_eq!(noted(world, "1"), [of("b", Some(60), Some(50))]);
            },
        ),
        scenario(
            "what is deleted goes with all that is beside it, before what the same write puts",
            |world| {
                assert!(world.put("1", b"one") && world.put("2", b"two"));
                for key in ["1", "2"] {
                    assert!(world.reminders(key, vec![remind("a", 10), remind("b", 20)]));
                    assert!(world.replies(
                        key,
                        vec![ReplyChange::Put(kept("k", 5)), ReplyChange::Put(kept("l", 5))]
                    ));
                }
                assert!(world.write(Write {
                    reminders: vec![give_up("b", 20, None), remind("a", 30)],
                    replies: vec![
                        ReplyChange::Remove("me".to_owned(), "k".to_owned()),
                        ReplyChange::Put(kept("l", 6))
                    ],
                    ..world.change(&entity("1"), Change::Delete)
                }));
                let expected = Stored {
                    state: None,
                    reminders: vec![reminder("a", 30)],
                    replies: vec![kept("l", 6)],
                };
                assert_eq!(world.read(&entity("1")), expected);
                assert_eq!(world.read(&entity("2")).reminders.len(), 2, "another has what it had");
                assert_eq!(world.keys("e", None, 10), [EntityKey::new(b"2").unwrap()]);
                assert!(world.write(world.change(&entity("1"), Change::Delete)));
                assert_eq!(world.read(&entity("1")), Stored::default());
                // And it may begin anew.
                assert!(world.put("1", b"again") && world.reminders("1", vec![remind("c", 1)]));
                assert_eq!(due(world, 9), [("c".to_owned(), 1)]);
                assert_eq!(world.bytes("1"), Some(b"again".to_vec()));
            },
        ),
    ]
}

fn replies() -> Vec<Scenario> {
    vec![
        scenario(
            "a reply is kept by scope and key, with its outcome, until it is removed",
            |world| {
                let odd = KeptReply {
                    scope: "\0".to_owned(),
                    key: "'\0\\".to_owned(),
                    digest: std::array::from_fn(|byte| byte as u8),
                    outcome: Err("why \0 not".to_owned()),
                    at_ms: 7,
                };
                let empty = KeptReply {
                    scope: String::new(),
                    outcome: Ok(Vec::new()),
                    ..kept("k", 8)
                };
                assert!(world.replies(
                    "1",
                    vec![ReplyChange::Put(odd.clone()), ReplyChange::Put(empty.clone())]
                ));
                assert!(world.replies("1", vec![ReplyChange::Put(kept("k", 9))]));
                assert_eq!(
                    world.read(&entity("1")).replies,
                    [empty.clone(), odd.clone(), kept("k", 9)]
                );
                let other = KeptReply {
                    outcome: Err(String::new()),
                    ..kept("k", 10)
                };
                let changes = vec![
                    ReplyChange::Remove(odd.scope.clone(), odd.key.clone()),
                    ReplyChange::Put(kept("k", 11)),
                    ReplyChange::Put(other.clone()),
                    ReplyChange::Put(kept("l", 11)),
                    ReplyChange::Remove("me".to_owned(), "l".to_owned()),
                ];
                assert!(world.replies("1", changes));
                assert_eq!(world.read(&entity("1")).replies, [empty, other]);
                assert_eq!(world.read(&entity("2")), Stored::default());
            },
        ),
        scenario("old replies are forgotten, and no others", |world| {
            for key in 0..30_u64 {
                let replies = (0..100).map(|at| ReplyChange::Put(kept(&at.to_string(), at * 30 + key)));
                assert!(world.replies(&key.to_string(), replies.collect()));
            }
            assert!(world.put("0", b"state"));
            // Some at least at a time.
            for _ in 0..3 {
                world.store().forget_replies(2_000).unwrap();
            }
            let left: usize = (0..30)
                .map(|key| world.read(&entity(&key.to_string())).replies.len())
                .sum();
            assert_eq!(left, 1_000);
            let kept = world.read(&entity("0")).replies;
            assert!(kept.iter().all(|one| one.at_ms >= 2_000));
            assert_eq!(world.bytes("0"), Some(b"state".to_vec()));
        }),
    ]
}
