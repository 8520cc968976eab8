//! What is in the store after whatever happens to its file, its disk and its process.

mod beside;
#[path = "../../../entities/src/tests/scenarios/mod.rs"]
mod scenarios;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use super::*;
use crate::database::damage::{PLACES, with_damage};
use crate::database::golden::{from_text, to_text};
/// Where the words are, for what is compiled elsewhere as well.
use crate::entities;
use crate::files::fault::{Disk, ERRORS};

const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/entity_store/golden/1.hex");

fn entity(key: &str) -> Entity {
    Entity::new("cart", key).unwrap()
}

fn state(bytes: &[u8]) -> StoredState {
    StoredState {
        code: "cart".to_owned(),
        state_version: 1,
        taken: SystemTime::UNIX_EPOCH + Duration::from_millis(1_790_000_000_123),
        bytes: bytes.to_vec(),
    }
}

fn put(key: &str, bytes: &[u8]) -> Arc<Write> {
    Arc::new(Write::state(entity(key), Change::Put(state(bytes))))
}

fn delete(key: &str) -> Arc<Write> {
    Arc::new(Write::state(entity(key), Change::Delete))
}

fn read(store: &EntityDatabase, key: &str) -> Option<Vec<u8>> {
    EntityStore::read(store, &entity(key), None)
        .unwrap()
        .state
        .map(|state| state.bytes)
}

fn listed(store: &EntityDatabase, of: &str, after: Option<&str>, most: usize) -> Vec<String> {
    let after = after.map(|after| EntityKey::new(after.as_bytes()).unwrap());
    let keys = store.keys(&EntityType::new(of).unwrap(), after.as_ref(), most).unwrap();
    keys.iter()
        .map(|key| String::from_utf8_lossy(key.bytes()).into_owned())
        .collect()
}

fn count(store: &EntityDatabase, of: &str) -> u64 {
    store.count(&EntityType::new(of).unwrap()).unwrap()
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

#[test]
fn states_outlive_the_process_and_are_counted_and_listed_by_type() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state").join("entities.redb");
    let store = EntityDatabase::open(path.clone()).unwrap();
    assert_eq!((read(&store, "1"), count(&store, "cart")), (None, 0));
    assert!(listed(&store, "cart", None, 10).is_empty());
    store
        .write(&[put("1", b"one"), put("2", b"two"), put("3", b"three")])
        .unwrap();
    let other = Write::state(Entity::new("cart2", "1").unwrap(), Change::Put(state(b"other")));
    store
        .write(&[put("1", b"one more"), delete("2"), delete("never"), Arc::new(other)])
        .unwrap();
    assert!(matches!(
        EntityDatabase::open(path.clone()),
        Err(OpenError::InUse { .. })
    ));
    drop(store);
    let store = EntityDatabase::open(path).unwrap();
    assert_eq!(read(&store, "1").unwrap(), b"one more");
    assert_eq!(
        (read(&store, "2"), read(&store, "3").unwrap()),
        (None, b"three".to_vec())
    );
    assert_eq!(listed(&store, "cart", None, 10), ["1", "3"]);
    assert_eq!(listed(&store, "cart", Some("1"), 10), ["3"]);
    assert_eq!(listed(&store, "cart", None, 1), ["1"]);
    assert_eq!(listed(&store, "cart2", None, 10), ["1"]);
    assert!(listed(&store, "car", None, 10).is_empty());
    let counts = ["cart", "cart2", "car"].map(|of| count(&store, of));
    assert_eq!(counts, [2, 1, 0]);
}

#[test]
fn a_damaged_record_is_an_error_of_that_entity_until_it_is_given_up() {
    let folder = tempfile::tempdir().unwrap();
    let store = EntityDatabase::open(folder.path().join("entities.redb")).unwrap();
    store.write(&[put("1", b"one"), put("2", b"two")]).unwrap();
    let overwrite = |file: &OpenFile| {
        let transaction = file.database().begin_write()?;
        transaction
            .open_table(STATES)?
            .insert(("cart", &b"1"[..]), &b"nonsense"[..])?;
        transaction.commit()?;
        Ok(())
    };
    store.0.with(overwrite).unwrap();
    let error = EntityStore::read(&store, &entity("1"), None).unwrap_err().to_string();
    assert!(error.contains("entity:cart/1 is damaged"), "{error}");
    assert!(error.contains("ractor-host entities delete entity:cart/1"), "{error}");
    assert_eq!(read(&store, "2").unwrap(), b"two", "others are not touched by it");
    store.write(&[delete("1")]).unwrap();
    assert_eq!(read(&store, "1"), None);
}

/// Whatever happens to the file, what is read of it was written; and no state of an entity is taken to be missing.
#[test]
fn a_damaged_file_never_gives_what_was_not_written_and_never_loses_a_state_in_silence() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("entities.redb");
    let written: BTreeMap<String, Vec<u8>> = (0..3u8).map(|fill| (fill.to_string(), vec![fill; 20_000])).collect();
    let store = EntityDatabase::open(path.clone()).unwrap();
    for (key, bytes) in &written {
        store.write(&[put(key, bytes)]).unwrap();
    }
    drop(store);
    let good = fs::read(&path).unwrap();
    let mut refused = 0;
    // From 1: a file that was cut to nothing is an empty one, as if it had never been there.
    for step in 1..PLACES {
        let (place, bytes) = with_damage(&good, step);
        fs::write(&path, &bytes).unwrap();
        match EntityDatabase::open(path.clone()) {
            Ok(store) => {
                for (key, bytes) in &written {
                    // An error is fine, too.
                    if let Ok(found) = EntityStore::read(&store, &entity(key), None) {
                        assert_eq!(
                            found.state.map(|state| state.bytes).as_ref(),
                            Some(bytes),
                            "damaged at {place}"
                        );
                    }
                }
            }
            Err(error) => {
                refused += 1;
                let said = error.to_string();
                assert!(said.contains("put a copy from before in their place"), "{said}");
                assert_eq!(fs::read(&path).unwrap().len(), bytes.len(), "it is left as it is");
            }
        }
        assert_eq!(names(folder.path()), ["entities.redb"]);
    }
    assert!(refused > 20, "the damage was found: {refused}");
    fs::write(&path, good).unwrap();
    let store = EntityDatabase::open(path).unwrap();
    assert_eq!(
        read(&store, "2").as_ref(),
        written.get("2"),
        "a copy from before serves"
    );
}

/// Two writes in one commit, one of which has to make room in the file.
fn large() -> [Arc<Write>; 3] {
    [put("1", &[1; 100_000]), put("2", b"two"), delete("3")]
}

fn confirmed(path: &Path) -> EntityDatabase {
    let store = EntityDatabase::open(path.to_owned()).unwrap();
    store.write(&[put("1", b"confirmed"), put("3", b"three")]).unwrap();
    store
}

/// All of the commit or nothing of it.
fn is_written(store: &EntityDatabase, what: &str) -> bool {
    let found = (read(store, "1").unwrap(), read(store, "2"), read(store, "3"));
    let before = (b"confirmed".to_vec(), None, Some(b"three".to_vec()));
    let after = (vec![1; 100_000], Some(b"two".to_vec()), None);
    assert!(found == before || found == after, "{what}: a part of a commit");
    assert_eq!(count(store, "cart"), 2, "{what}");
    found == after
}

fn steps(folder: &Path, disk: &Disk) -> usize {
    let store = confirmed(&folder.join("measured.redb"));
    disk.heal();
    store.write(&large()).unwrap();
    disk.steps()
}

/// Each step of a commit fails, once and for a while, with each error. What was confirmed is there afterwards, and after a restart; what
/// failed can be written when the disk works again.
#[test]
fn nothing_confirmed_is_lost_at_whatever_step_a_write_fails() {
    let folder = tempfile::tempdir().unwrap();
    let disk = Disk::under(folder.path());
    let steps = steps(folder.path(), &disk);
    assert!(steps >= 4, "{steps} steps");
    let mut failed = 0;
    for error in ERRORS {
        for at in 0..steps {
            let count = if at % 2 == 0 { 1 } else { 7 };
            let what = format!("error {error} at step {at} for {count}");
            let path = folder.path().join(format!("{error}-{at}.redb"));
            let store = confirmed(&path);
            disk.fail(at, count, error);
            let written = store.write(&large());
            disk.heal();
            failed += usize::from(written.is_err());
            assert!(is_written(&store, &what) || written.is_err(), "{what}");
            // The same once more, as the writer does it.
            store.write(&large()).unwrap();
            drop(store);
            assert!(is_written(&EntityDatabase::open(path).unwrap(), &what), "{what}");
        }
    }
    assert!(failed > steps, "{failed} writes failed");
    assert!(
        names(folder.path()).iter().all(|name| name.ends_with(".redb")),
        "nothing was put aside"
    );
}

/// The process dies at each step, also of a write that was torn.
#[test]
fn a_commit_is_there_or_not_if_the_process_dies_at_whatever_step() {
    let folder = tempfile::tempdir().unwrap();
    let disk = Disk::under(folder.path());
    let steps = steps(folder.path(), &disk);
    for at in 0..steps {
        let path = folder.path().join(format!("{at}.redb"));
        let store = confirmed(&path);
        // From here on nothing reaches the file any more.
        disk.fail(at, usize::MAX, ERRORS[0]);
        let written = store.write(&large());
        drop(store);
        disk.heal();
        let store = EntityDatabase::open(path).unwrap();
        assert!(
            is_written(&store, &format!("step {at}")) || written.is_err(),
            "step {at}"
        );
    }
}

#[test]
fn what_the_first_version_wrote_is_read_and_gone_on_with() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("entities.redb");
    if std::env::var_os("RACTOR_WRITE_GOLDEN").is_some() {
        let store = EntityDatabase::open(path.clone()).unwrap();
        store.write(&[put("1", b"one"), put("2", b"two")]).unwrap();
        store.write(&[put("3", b"three"), delete("2")]).unwrap();
        drop(store);
        fs::write(GOLDEN, to_text(&fs::read(&path).unwrap())).unwrap();
    }
    fs::write(&path, from_text(&fs::read_to_string(GOLDEN).unwrap())).unwrap();
    let store = EntityDatabase::open(path.clone()).unwrap();
    assert_eq!(
        EntityStore::read(&store, &entity("1"), None).unwrap().state,
        Some(state(b"one"))
    );
    assert_eq!(
        (read(&store, "2"), read(&store, "3").unwrap()),
        (None, b"three".to_vec())
    );
    assert_eq!(count(&store, "cart"), 2);
    store.write(&[put("1", b"more"), put("4", b"four")]).unwrap();
    drop(store);
    let store = EntityDatabase::open(path).unwrap();
    assert_eq!(read(&store, "1").unwrap(), b"more");
    assert_eq!(listed(&store, "cart", None, 10), ["1", "3", "4"]);
}

/// A store in a folder of its own.
struct OnDisk {
    store: EntityDatabase,
    _folder: tempfile::TempDir,
}

impl scenarios::Place for OnDisk {
    fn store(&self) -> &dyn EntityStore {
        &self.store
    }

    fn has_fences(&self) -> bool {
        false
    }

    fn own(&self, _: Fence) {}

    fn lose(&self, _: Fence) {}
}

#[test]
fn the_store_on_disk_does_what_the_table_says() {
    scenarios::run_all(|| {
        let folder = tempfile::tempdir().unwrap();
        OnDisk {
            store: EntityDatabase::open(folder.path().join("entities.redb")).unwrap(),
            _folder: folder,
        }
    });
}
