//! What is beside states in the store: reminders and kept replies.

use std::fs;
use std::time::{Duration, SystemTime};

use super::super::*;
use crate::database::golden::from_text;
use crate::entities::{GivenUp, KeptReply, ReminderChange, ReplyChange, SLOTS, StoredReminder, slot};
use crate::files::fault::{Disk, ERRORS};

const FIRST: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/entity_store/golden/1.hex");

const BEGIN: DuePlace = DuePlace {
    due_ms: 0,
    reminder: None,
};

fn entity(key: &str) -> Entity {
    Entity::new("cart", key).unwrap()
}

fn reminder(id: &str, due_ms: u64) -> StoredReminder {
    StoredReminder {
        id: id.to_owned(),
        due_ms: Some(due_ms),
        period_ms: (id == "often").then_some(5_000),
        variant: "Expire".to_owned(),
        args: id.as_bytes().to_vec(),
        given_up: None,
    }
}

fn reply(key: &str, at_ms: u64) -> KeptReply {
    KeptReply {
        scope: "admin".to_owned(),
        key: key.to_owned(),
        digest: [3; 32],
        outcome: Ok(b"done".to_vec()),
        at_ms,
    }
}

fn write(key: &str, reminders: Vec<ReminderChange>, replies: Vec<ReplyChange>) -> Arc<Write> {
    Arc::new(Write {
        reminders,
        replies,
        ..Write::state(entity(key), Change::Keep)
    })
}

fn put(key: &str, id: &str, due_ms: u64) -> Arc<Write> {
    write(key, vec![ReminderChange::Put(reminder(id, due_ms))], Vec::new())
}

fn state(bytes: &[u8]) -> Change {
    Change::Put(StoredState {
        code: "cart".to_owned(),
        state_version: 1,
        taken: SystemTime::UNIX_EPOCH + Duration::from_millis(1_790_000_000_123),
        bytes: bytes.to_vec(),
    })
}

fn due(store: &EntityDatabase, slots: RangeInclusive<u8>, until_ms: u64) -> Vec<(String, u64)> {
    let due = store.due(slots, &BEGIN, until_ms, 100).unwrap();
    due.into_iter()
        .map(|one| {
            (
                format!("{} {}", String::from_utf8_lossy(one.entity.key.bytes()), one.id),
                one.due_ms,
            )
        })
        .collect()
}

fn all(store: &EntityDatabase) -> Vec<(String, u64)> {
    due(store, 0..=SLOTS - 1, u64::MAX)
}

#[test]
fn reminders_are_found_by_their_entity_and_by_their_time() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("entities.redb");
    let store = EntityDatabase::open(path.clone()).unwrap();
    assert!(all(&store).is_empty() && EntityStore::read(&store, &entity("1"), None).unwrap() == Stored::default());
    store
        .write(&[
            put("1", "once", 30),
            put("1", "often", 10),
            put("2", "once", 20),
            put("3", "once", 20),
        ])
        .unwrap();
    let stored = EntityStore::read(&store, &entity("1"), None).unwrap();
    assert_eq!(stored.reminders, [reminder("often", 10), reminder("once", 30)]);
    let names = |all: &[(String, u64)]| all.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    assert_eq!(names(&all(&store)), ["1 often", "2 once", "3 once", "1 once"]);
    assert_eq!(names(&due(&store, 0..=SLOTS - 1, 20)), ["1 often", "2 once", "3 once"]);
    let of_one = slot(&entity("1"));
    assert!(
        due(&store, of_one..=of_one, 100)
            .iter()
            .any(|(name, _)| name == "1 once")
    );
    assert!(
        due(&store, 0..=of_one.saturating_sub(1), 100)
            .iter()
            .all(|(name, _)| !name.starts_with('1'))
    );
    // Pages leave nothing out.
    let (mut paged, mut after) = (Vec::new(), BEGIN);
    while let Some(one) = store.due(0..=SLOTS - 1, &after, u64::MAX, 1).unwrap().pop() {
        after = one.place();
        paged.push(one);
    }
    assert_eq!(paged.len(), 4);
    assert_eq!(paged[0].period_ms, Some(5_000));
    // Whatever changes, there is one row of each, and one place among those that are due.
    let given_up = |due_ms| ReminderChange::GiveUp {
        id: "once".to_owned(),
        next_ms: None,
        given_up: GivenUp { due_ms, at_ms: 99 },
    };
    store
        .write(&[
            put("1", "often", 40),
            write("2", vec![ReminderChange::Remove("once".to_owned())], Vec::new()),
            write("3", vec![given_up(20)], Vec::new()),
            write("1", vec![given_up(31)], Vec::new()),
        ])
        .unwrap();
    drop(store);
    let store = EntityDatabase::open(path).unwrap();
    assert_eq!(
        all(&store),
        [("1 once".to_owned(), 30), ("1 often".to_owned(), 40)],
        "one was due at another time"
    );
    let row = EntityStore::read(&store, &entity("3"), None)
        .unwrap()
        .reminders
        .remove(0);
    assert_eq!(
        (row.due_ms, row.given_up),
        (None, Some(GivenUp { due_ms: 20, at_ms: 99 }))
    );
    store
        .write(&[Arc::new(Write::state(entity("1"), Change::Delete))])
        .unwrap();
    assert_eq!(
        EntityStore::read(&store, &entity("1"), None).unwrap(),
        Stored::default()
    );
    assert!(all(&store).is_empty());
}

#[test]
fn kept_replies_go_with_time_and_with_their_entity() {
    let folder = tempfile::tempdir().unwrap();
    let store = EntityDatabase::open(folder.path().join("entities.redb")).unwrap();
    let kept = |key: &str, call: &str, at_ms| write(key, Vec::new(), vec![ReplyChange::Put(reply(call, at_ms))]);
    store.forget_replies(10).unwrap();
    store
        .write(&[
            kept("1", "a", 10),
            kept("1", "b", 20),
            kept("2", "a", 5),
            kept("2", "a", 30),
            kept("3", "a", 40),
        ])
        .unwrap();
    assert_eq!(
        EntityStore::read(&store, &entity("1"), None).unwrap().replies,
        [reply("a", 10), reply("b", 20)]
    );
    store.forget_replies(20).unwrap();
    assert_eq!(
        EntityStore::read(&store, &entity("1"), None).unwrap().replies,
        [reply("b", 20)]
    );
    assert_eq!(
        EntityStore::read(&store, &entity("2"), None).unwrap().replies,
        [reply("a", 30)],
        "it was kept anew"
    );
    let remove = ReplyChange::Remove("admin".to_owned(), "b".to_owned());
    store
        .write(&[
            write("1", Vec::new(), vec![remove]),
            Arc::new(Write::state(entity("2"), Change::Delete)),
        ])
        .unwrap();
    for (key, count) in [("1", 0), ("2", 0), ("3", 1)] {
        assert_eq!(
            EntityStore::read(&store, &entity(key), None).unwrap().replies.len(),
            count,
            "{key}"
        );
    }
}

/// At whatever step the disk fails, the state and what is beside it are both of the commit or both from before.
#[test]
fn a_state_and_its_reminders_are_written_together_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let disk = Disk::under(folder.path());
    let both = |count: u64| {
        let bytes = vec![u8::try_from(count).unwrap(); 50_000];
        Arc::new(Write {
            reminders: vec![ReminderChange::Put(reminder("once", count))],
            ..Write::state(entity("1"), state(&bytes))
        })
    };
    let before = |path: PathBuf| {
        let store = EntityDatabase::open(path).unwrap();
        store.write(&[both(1)]).unwrap();
        store
    };
    let measured = before(folder.path().join("measured.redb"));
    disk.heal();
    measured.write(&[both(2)]).unwrap();
    let (steps, mut seen) = (disk.steps(), [false; 2]);
    for at in 0..steps {
        let path = folder.path().join(format!("{at}.redb"));
        let store = before(path.clone());
        disk.fail(at, usize::MAX, ERRORS[0]);
        let written = store.write(&[both(2)]);
        drop(store);
        disk.heal();
        let store = EntityDatabase::open(path).unwrap();
        let Stored { state, reminders, .. } = EntityStore::read(&store, &entity("1"), None).unwrap();
        let count = u64::from(state.unwrap().bytes[0]);
        assert_eq!((reminders[0].due_ms, reminders.len()), (Some(count), 1), "step {at}");
        assert_eq!(all(&store), [("1 once".to_owned(), count)], "step {at}");
        assert!(count == 2 || written.is_err(), "step {at}");
        seen[usize::from(count == 2)] = true;
    }
    assert!(seen[0], "no step failed");
}

#[test]
fn a_file_from_before_there_were_reminders_takes_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("entities.redb");
    fs::write(&path, from_text(&fs::read_to_string(FIRST).unwrap())).unwrap();
    let store = EntityDatabase::open(path).unwrap();
    assert!(
        all(&store).is_empty()
            && EntityStore::read(&store, &entity("1"), None)
                .unwrap()
                .reminders
                .is_empty()
    );
    store.forget_replies(u64::MAX).unwrap();
    store.write(&[put("1", "once", 7)]).unwrap();
    let stored = EntityStore::read(&store, &entity("1"), None).unwrap();
    assert_eq!(
        (stored.state.unwrap().bytes, stored.reminders.len()),
        (b"one".to_vec(), 1)
    );
}
