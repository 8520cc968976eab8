//! What is in the database after whatever happens to its file, its disk and its process.

mod golden;

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use super::*;
use crate::database::damage::{PLACES, with_damage};
use crate::files::fault::{Disk, ERRORS};
use crate::guest::Checkpoint;

fn entry(actor: &str, state: &[u8], keep: u32) -> Entry {
    Entry {
        actor: actor.to_owned(),
        checkpoint: Arc::new(Checkpoint {
            module: "counter".to_owned(),
            digest: Digest::of(b"code"),
            state_version: 1,
            taken: SystemTime::UNIX_EPOCH,
            state: state.to_vec(),
        }),
        keep,
        hold: Vec::new(),
    }
}

fn states(store: &Database, actor: &str) -> Vec<Vec<u8>> {
    let mut before = None;
    let mut states = Vec::new();
    while let Some(kept) = store.latest(actor, before).unwrap() {
        before = Some(kept.number);
        states.push(kept.checkpoint.state);
    }
    states
}

#[test]
fn the_newest_are_kept_for_each_actor_and_outlive_the_process() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state").join("checkpoints.redb");
    let store = Database::open(path.clone()).unwrap();
    assert_eq!(store.latest("a", None).unwrap(), None);
    for state in [b"1", b"2", b"3", b"4"] {
        store.put(&[entry("a", state, 3), entry("b", state, 1)]).unwrap();
    }
    store.put(&[entry("a", b"", 3)]).unwrap();
    assert!(matches!(Database::open(path.clone()), Err(OpenError::InUse { .. })));
    drop(store);
    let store = Database::open(path).unwrap();
    assert_eq!(states(&store, "a"), [&b""[..], b"4", b"3"]);
    assert_eq!(states(&store, "b"), [b"4"]);
    assert!(states(&store, "").is_empty());
    store.prune("a", 1).unwrap();
    assert_eq!(states(&store, "a"), [b""]);
}

/// Whatever happens to the file, what is loaded from it was put there.
#[test]
fn a_damaged_file_never_gives_what_was_not_put() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("checkpoints.redb");
    let sound: Vec<Vec<u8>> = (0u8..3).map(|fill| vec![fill; 20_000]).collect();
    let store = Database::open(path.clone()).unwrap();
    for state in &sound {
        store.put(&[entry("a", state, 3)]).unwrap();
    }
    drop(store);
    let good = fs::read(&path).unwrap();
    let mut damaged = 0;
    for step in 0..PLACES {
        let (place, bytes) = with_damage(&good, step);
        fs::write(&path, &bytes).unwrap();
        let store = Database::open(path.clone()).unwrap();
        let found = states(&store, "a");
        assert!(found.iter().all(|state| sound.contains(state)), "damaged at {place}");
        damaged += usize::from(found.len() < 3);
        store.put(&[entry("a", b"anew", 3)]).unwrap();
        assert_eq!(states(&store, "a")[0], b"anew", "it can be used again");
    }
    assert!(damaged > 20, "the damage was found: {damaged}");
}

#[test]
fn a_file_that_is_no_database_is_put_aside() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("checkpoints.redb");
    fs::write(&path, b"something else").unwrap();
    let store = Database::open(path).unwrap();
    store.put(&[entry("a", b"1", 3)]).unwrap();
    let names: Vec<_> = fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    let aside = names.iter().find(|name| name.to_string_lossy().contains("damaged-"));
    assert_eq!(fs::read(folder.path().join(aside.unwrap())).unwrap(), b"something else");
}

/// Every name in a folder that begins with this.
fn names(folder: &Path, with: &str) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.starts_with(with)).collect()
}

/// The steps of two writes, the second of which has to make room in the file.
fn steps_of_a_write(disk: &Disk, store: &Database) -> usize {
    disk.heal();
    store.put(&[entry("a", &[1; 100_000], 3), entry("b", b"1", 3)]).unwrap();
    disk.steps()
}

/// Each step of a write fails, once and for a while, with each error. What was confirmed is there afterwards, and after a restart;
/// what failed can be written when the disk works again; and no file was put aside.
#[test]
fn nothing_confirmed_is_lost_at_whatever_step_a_write_fails() {
    let folder = tempfile::tempdir().unwrap();
    let disk = Disk::under(folder.path());
    let steps = {
        let store = Database::open(folder.path().join("measured.redb")).unwrap();
        store.put(&[entry("a", b"confirmed", 3)]).unwrap();
        steps_of_a_write(&disk, &store)
    };
    assert!(steps >= 4, "{steps} steps");
    let mut failed = 0;
    for error in ERRORS {
        for at in 0..steps {
            // Once, and for a while.
            let count = if at % 2 == 0 { 1 } else { 7 };
            let what = format!("error {error} at step {at} for {count}");
            let path = folder.path().join(format!("{error}-{count}-{at}.redb"));
            let store = Database::open(path.clone()).unwrap();
            store.put(&[entry("a", b"confirmed", 3)]).unwrap();
            disk.fail(at, count, error);
            let written = store.put(&[entry("a", &[1; 100_000], 3), entry("b", b"1", 3)]);
            failed += usize::from(written.is_err());
            if written.is_ok() {
                assert_eq!(disk.failed(), 0, "{what}: the error was not noticed");
            }
            disk.heal();
            let found = states(&store, "a");
            assert!(found.contains(&b"confirmed".to_vec()), "{what}");
            // The same once more, as the writer does it: it is there once.
            let again = [entry("a", &[1; 100_000], 3), entry("b", b"1", 3)];
            if written.is_err() {
                store.put(&again).unwrap();
            }
            drop(store);
            let store = Database::open(path).unwrap();
            assert_eq!(states(&store, "a"), [vec![1; 100_000], b"confirmed".to_vec()], "{what}");
            assert_eq!(states(&store, "b"), [b"1"], "{what}");
        }
    }
    assert!(failed > steps, "{failed} writes failed");
    assert!(names(folder.path(), ".").is_empty(), "nothing half made is left");
    assert!(
        names(folder.path(), "").iter().all(|name| name.ends_with(".redb")),
        "none was put aside"
    );
}

/// The process dies at each step, also of a write that was torn.
#[test]
fn nothing_confirmed_is_lost_if_the_process_dies_at_whatever_step() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("checkpoints.redb");
    let disk = Disk::under(folder.path());
    let steps = {
        let store = Database::open(folder.path().join("measured.redb")).unwrap();
        store.put(&[entry("a", b"confirmed", 3)]).unwrap();
        steps_of_a_write(&disk, &store)
    };
    for at in 0..steps {
        let store = Database::open(path.clone()).unwrap();
        store.put(&[entry("a", b"confirmed", 3)]).unwrap();
        // From here on nothing reaches the file any more.
        disk.fail(at, usize::MAX, ERRORS[0]);
        store.put(&[entry("a", &[1; 100_000], 3)]).ok();
        drop(store);
        disk.heal();
        let store = Database::open(path.clone()).unwrap();
        assert!(states(&store, "a").contains(&b"confirmed".to_vec()), "step {at}");
        store.prune("a", 0).unwrap();
    }
    assert_eq!(names(folder.path(), "checkpoints"), ["checkpoints.redb"]);
}

/// A good file stays where it is, whatever step of opening it fails, and nothing takes its place.
#[test]
fn a_good_file_is_never_put_aside_for_an_error_of_the_system() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("checkpoints.redb");
    let disk = Disk::under(folder.path());
    let store = Database::open(path.clone()).unwrap();
    store.put(&[entry("a", b"1", 3)]).unwrap();
    drop(store);
    // As it is after a crash: to be recovered.
    let crashed = {
        let store = Database::open(path.clone()).unwrap();
        store.put(&[entry("a", &[2; 100_000], 3)]).unwrap();
        let bytes = fs::read(&path).unwrap();
        drop(store);
        bytes
    };
    let closed = fs::read(&path).unwrap();
    for good in [closed, crashed] {
        fs::write(&path, &good).unwrap();
        disk.heal();
        drop(Database::open(path.clone()).unwrap());
        let steps = disk.steps();
        let mut refused = 0;
        for error in ERRORS {
            for at in 0..steps {
                fs::write(&path, &good).unwrap();
                disk.fail(at, usize::MAX, error);
                match Database::open(path.clone()) {
                    Ok(store) => drop(store),
                    Err(refusal) => {
                        refused += 1;
                        assert!(refusal.to_string().contains("left as they are"), "{refusal}");
                    }
                }
                disk.heal();
                assert_eq!(
                    names(folder.path(), ""),
                    ["checkpoints.redb"],
                    "error {error} at step {at}"
                );
                let store = Database::open(path.clone()).unwrap();
                assert_eq!(states(&store, "a"), [vec![2; 100_000], b"1".to_vec()]);
            }
        }
        assert!(refused > steps, "{refused}");
    }
}

/// A disk that is full when the node starts for the first time leaves nothing that looks like a damaged file.
#[test]
fn a_file_that_could_not_be_made_is_made_the_next_time() {
    let folder = tempfile::tempdir().unwrap();
    let disk = Disk::under(folder.path());
    let measured = folder.path().join("measured").join("checkpoints.redb");
    drop(Database::open(measured).unwrap());
    let steps = disk.steps();
    for error in ERRORS {
        for at in 0..steps {
            let home = folder.path().join(format!("{error}-{at}"));
            let path = home.join("checkpoints.redb");
            disk.fail(at, usize::MAX, error);
            let opened = Database::open(path.clone());
            disk.heal();
            drop(opened);
            let store = Database::open(path).unwrap();
            store.put(&[entry("a", b"1", 3)]).unwrap();
            assert_eq!(names(&home, ""), ["checkpoints.redb"], "error {error} at step {at}");
        }
    }
}

#[test]
fn states_that_cant_be_restored_are_held_while_newer_ones_come() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("checkpoints.redb");
    let of = |code: &[u8], state: &[u8], hold: &[u64]| {
        let mut entry = entry("a", state, 2);
        let mut checkpoint = Checkpoint::clone(&entry.checkpoint);
        checkpoint.digest = Digest::of(code);
        entry.checkpoint = Arc::new(checkpoint);
        entry.hold = hold.to_vec();
        entry
    };
    let store = Database::open(path.clone()).unwrap();
    for state in [b"good 1", b"good 2"] {
        store.put(&[of(b"v1", state, &[])]).unwrap();
    }
    // Other code can't take them over, and starts afresh, again and again.
    store.put(&[of(b"v2", b"fresh 1", &[0, 1])]).unwrap();
    for (number, state) in (2..).zip([b"fresh 2", b"fresh 3", b"fresh 4", b"fresh 5"]) {
        store.put(&[of(b"v2", state, &[number])]).unwrap();
    }
    drop(store);
    let store = Database::open(path).unwrap();
    let found = states(&store, "a");
    assert!(found.ends_with(&[b"good 2".to_vec(), b"good 1".to_vec()]), "{found:?}");
    assert!(found.len() <= 6, "no more than it may: {found:?}");
    assert_eq!(found[0], b"fresh 5");
    // Of a fourth version that fails, those of the first are given up.
    let newest = store.latest("a", None).unwrap().unwrap().number;
    for (number, code) in (newest..).zip([b"v3", b"v4", b"v5"]) {
        store.put(&[of(code, b"other", &[number])]).unwrap();
    }
    let found = states(&store, "a");
    assert!(!found.contains(&b"good 1".to_vec()), "{found:?}");
    store.prune("a", 0).unwrap();
    assert!(states(&store, "a").is_empty(), "what is given up on purpose is");
}
