//! Who may write, and what comes late.

use super::*;

pub(super) fn scenarios() -> Vec<Scenario> {
    let scenario = |name, run| Scenario {
        name,
        needs_fences: true,
        run,
    };
    vec![
        scenario("after another's claim nothing is written, read or due", |world| {
            assert!(world.put("1", b"one") && world.reminders("1", vec![remind("a", 1)]));
            assert!(world.put("2", b"two") && world.reminders("2", vec![remind("b", 2)]));
            let of = entity("1");
            world.place.lose(fence(&of, 1));
            let late = Write {
                reminders: vec![remind("late", 3)],
                replies: vec![ReplyChange::Put(kept("late", 3))],
                ..world.change(&of, put(b"late"))
            };
            let other = world.change(&entity("2"), put(b"more"));
            assert_eq!(world.write_all(vec![late, other]), [false, true]);
            assert!(!world.write(world.change(&of, Change::Delete)));
            let refused = world.store().read(&of, Some(fence(&of, 1))).unwrap_err();
            assert!(refused.is_refused() && !refused.is_unknown(), "{refused}");
            assert!(refused.to_string().contains("another node"), "{refused}");
            let stored = world.store().read(&of, None).unwrap();
            assert_eq!(stored.state, Some(state(b"one")));
            assert_eq!((stored.reminders.len(), stored.replies.len()), (1, 0));
            assert_eq!(world.due(10, 9), [(entity("2"), "b".to_owned(), 2)]);
            // What was due is so for whoever has the shard.
            world.place.own(fence(&of, 3));
            assert_eq!(world.due(10, 9).len(), 2);
            assert!(!world.put("1", b"of an earlier epoch"));
            assert!(world.write(Write {
                fence: Some(fence(&of, 3)),
                ..world.change(&of, put(b"now"))
            }));
        }),
        scenario("a write without a fence is none of a cluster", |world| {
            let write = Arc::new(Write {
                fence: None,
                ..world.change(&entity("1"), put(b"one"))
            });
            let error = world.store().write(&[write]).unwrap_err();
            assert!(!error.is_unknown() && !error.is_refused(), "{error}");
            assert_eq!(world.bytes("1"), None);
        }),
        scenario("what comes late, or again, changes nothing", |world| {
            let of = entity("1");
            let late = [
                world.change(&of, put(b"late")),
                world.change(&of, Change::Delete),
                Write {
                    reminders: vec![remind("late", 1), ReminderChange::Remove("a".to_owned())],
                    replies: vec![ReplyChange::Put(kept("late", 1))],
                    ..world.change(&of, Change::Keep)
                },
            ];
            let first = Write {
                reminders: vec![remind("a", 5)],
                replies: vec![ReplyChange::Put(kept("k", 5))],
                ..world.change(&of, put(b"first"))
            };
            assert!(world.write(first.clone()));
            let expected = world.read(&of);
            for write in late.iter().chain([&first]) {
                assert!(world.write(write.clone()));
                assert_eq!(world.read(&of), expected, "{write:?}");
            }
            // Also behind one that kept the state, or has given it up.
            let second = world.change(&of, put(b"second"));
            assert!(world.write(world.change(&of, Change::Keep)) && world.write(second));
            assert_eq!(world.read(&of), expected);
            let third = world.change(&of, put(b"third"));
            assert!(world.write(world.change(&of, Change::Delete)));
            for write in late.iter().chain([&first, &third]) {
                assert!(world.write(write.clone()));
                assert_eq!(world.read(&of), Stored::default(), "{write:?}");
            }
            // An entity that has nothing yet keeps what comes late away as well.
            let (early, later) = (
                world.change(&entity("2"), put(b"x")),
                world.change(&entity("2"), Change::Keep),
            );
            assert!(world.write(later) && world.write(early));
            assert_eq!(world.read(&entity("2")), Stored::default());
        }),
        scenario(
            "versions begin anew at the next epoch, and the one before is over",
            |world| {
                let of = entity("1");
                world.version.set(100);
                assert!(world.put("1", b"one"));
                world.place.own(fence(&of, 2));
                let next = Write {
                    fence: Some(fence(&of, 2)),
                    version: 1,
                    ..Write::state(of.clone(), put(b"two"))
                };
                assert!(world.write(next));
                assert!(!world.put("1", b"late"));
                let read = world.store().read(&of, Some(fence(&of, 2))).unwrap();
                assert_eq!(read.state, Some(state(b"two")));
            },
        ),
    ]
}
