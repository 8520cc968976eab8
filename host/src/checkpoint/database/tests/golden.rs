//! A database as the first version with this layout wrote it: every later version reads it, and goes on with it.
//!
//! A change of the layout adds a file of its own to `golden/`, and leaves this one.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::checkpoint::Database;
use crate::database::golden::{from_text, to_text};
use crate::guest::{Checkpoint, CheckpointStore as _, Digest, Entry};

const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/checkpoint/database/golden/1.hex");

fn entry(actor: &str, number: u32) -> Entry {
    let checkpoint = Checkpoint {
        module: "counter".to_owned(),
        digest: Digest::of(b"the code of the first version"),
        state_version: 1 + number,
        taken: SystemTime::UNIX_EPOCH + Duration::from_millis(1_790_000_000_123),
        state: format!("{actor} has counted to {number}").into_bytes(),
    };
    Entry {
        actor: actor.to_owned(),
        checkpoint: Arc::new(checkpoint),
        keep: 2,
        hold: Vec::new(),
    }
}

/// What the database has: of one actor two checkpoints, of another one that is held besides.
fn write(path: &Path) {
    let database = Database::open(path.to_owned()).unwrap();
    for number in 0..3 {
        database.put(&[entry("a", number), entry("b", number)]).unwrap();
    }
    let held = Entry {
        hold: vec![2],
        ..entry("b", 3)
    };
    database.put(&[held]).unwrap();
}

#[test]
fn what_the_first_version_wrote_is_read_and_gone_on_with() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("checkpoints.redb");
    if std::env::var_os("RACTOR_WRITE_GOLDEN").is_some() {
        write(&path);
        fs::write(GOLDEN, to_text(&fs::read(&path).unwrap())).unwrap();
        fs::remove_file(&path).unwrap();
    }
    fs::write(&path, from_text(&fs::read_to_string(GOLDEN).unwrap())).unwrap();
    let database = Database::open(path.clone()).unwrap();
    let latest = |database: &Database, actor: &str| database.latest(actor, None).unwrap().unwrap();
    for (actor, number) in [("a", 2), ("b", 3)] {
        let kept = latest(&database, actor);
        assert_eq!(kept.number, u64::from(number));
        assert_eq!(kept.checkpoint, *entry(actor, number).checkpoint);
        let before = database.latest(actor, Some(kept.number)).unwrap().unwrap();
        assert_eq!(before.checkpoint, *entry(actor, number - 1).checkpoint);
    }
    for number in 4..9 {
        database.put(&[entry("a", number), entry("b", number)]).unwrap();
    }
    drop(database);
    let database = Database::open(path).unwrap();
    assert_eq!(latest(&database, "a").checkpoint, *entry("a", 8).checkpoint);
    let held = database.latest("b", Some(3)).unwrap().unwrap();
    assert_eq!(
        held.checkpoint,
        *entry("b", 2).checkpoint,
        "what was held then is held still"
    );
}
