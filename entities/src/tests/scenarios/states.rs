//! States.

use super::*;

pub(super) fn scenarios() -> Vec<Scenario> {
    let scenario = |name, run| Scenario {
        name,
        needs_fences: false,
        run,
    };
    vec![
        scenario(
            "a state is read as it was written, and is replaced as a whole",
            |world| {
                assert_eq!(world.read(&entity("1")), Stored::default());
                assert!(world.put("1", b"one") && world.put("2", b""));
                assert_eq!(world.read(&entity("1")).state, Some(state(b"one")));
                assert_eq!(world.bytes("2"), Some(Vec::new()), "an empty state is one");
                let other = StoredState {
                    code: "other".to_owned(),
                    state_version: 0,
                    taken: SystemTime::UNIX_EPOCH,
                    bytes: vec![0; 3 << 20],
                };
                assert!(world.write(world.change(&entity("1"), Change::Put(other.clone()))));
                assert_eq!(world.read(&entity("1")).state, Some(other));
                let by_whomever = world.store().read(&entity("2"), None).unwrap();
                assert_eq!(by_whomever.state, Some(state(b"")));
            },
        ),
        scenario("what keeps the state keeps also that there is none", |world| {
            assert!(world.write(world.change(&entity("1"), Change::Keep)));
            assert_eq!(world.read(&entity("1")), Stored::default());
            assert!(world.put("1", b"one"));
            assert!(world.write(world.change(&entity("1"), Change::Keep)));
            assert_eq!(world.read(&entity("1")).state, Some(state(b"one")));
            assert!(world.write(world.change(&entity("1"), Change::Delete)));
            assert!(world.write(world.change(&entity("1"), Change::Keep)));
            assert_eq!(world.read(&entity("1")), Stored::default());
            assert!(world.keys("e", None, 10).is_empty());
        }),
        scenario(
            "many are written together, and those of one entity in their order",
            |world| {
                let mut writes: Vec<_> = (0..500)
                    .map(|number: u32| world.change(&entity(&number.to_string()), put(&number.to_le_bytes())))
                    .collect();
                writes.push(world.change(&entity("7"), put(b"second")));
                writes.push(world.change(&entity("8"), Change::Delete));
                writes.push(world.change(&entity("7"), Change::Keep));
                assert_eq!(world.write_all(writes), vec![true; 503]);
                assert_eq!((world.bytes("7"), world.bytes("8")), (Some(b"second".to_vec()), None));
                assert_eq!(world.bytes("499"), Some(499_u32.to_le_bytes().to_vec()));
                assert!(world.write_all(Vec::new()).is_empty());
            },
        ),
        scenario(
            "keys are of any bytes, and listed in order, by type and in pages",
            |world| {
                let mut expected = Vec::new();
                let mut writes = Vec::new();
                let tails: [&[u8]; 3] = [&[], &[0], &[255, b'\'', b'\\']];
                for first in 0..=255_u8 {
                    for tail in tails {
                        let key = [&[first], tail].concat();
                        writes.push(world.change(&Entity::new("e", &key).unwrap(), put(&key)));
                        expected.push(EntityKey::new(&key).unwrap());
                    }
                }
                let longest = Entity::new("e", [255; 255]).unwrap();
                writes.push(world.change(&longest, put(b"longest")));
                expected.push(longest.key);
                writes.push(world.change(&Entity::new("f", "1").unwrap(), put(b"other")));
                assert!(world.write_all(writes).into_iter().all(|one| one));
                let (mut all, mut after) = (Vec::new(), None);
                loop {
                    let page = world.keys("e", after.as_ref(), 100);
                    let Some(last) = page.last() else { break };
                    after = Some(last.clone());
                    all.extend(page);
                }
                expected.sort();
                assert_eq!(all, expected);
                for key in [&[0][..], &[0, 0], &[39, 255, b'\'', b'\\']] {
                    let of = Entity::new("e", key).unwrap();
                    assert_eq!(world.read(&of).state, Some(state(key)));
                }
                assert_eq!(world.keys("f", None, 10), [EntityKey::new(b"1").unwrap()]);
                assert!(world.keys("unheard-of", None, 10).is_empty());
            },
        ),
    ]
}
